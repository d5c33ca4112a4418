/* All of an event is one word. The flag is for poll and foreign event loops, who cannot wait for
 * words: from the first time on that somebody does so, every set and clear puts it up or down as
 * well. */
#include "event.h"

#include <errno.h>

#include "deadline.h"
#include "error.h"
#include "fault.h"
#include "fork.h"

#define SET UINT32_C(1)
#define ARMED UINT32_C(2) /* somebody has waited for the flag; for good */
#define TURN UINT32_C(4)  /* one more each time it is set: bits 2 to 30; 31 is BROOD_WAITERS */
#define TURNS UINT32_C(0x7FFFFFFC)

typedef struct event_payload {
    brood_word word;
} event_payload;

static brood_word *word_of(const brood_event *event)
{
    return &((event_payload *)brood_cell_payload(event->shared.cell))->word;
}

/* ---- the kind ---- */

static void sweep_event(brood_segment *segment, brood_cell *cell, uint32_t identity)
{
    (void)segment;
    (void)cell;
    (void)identity;
}

static bool event_is_busy(const brood_cell *cell)
{
    (void)cell;
    return false;
}

static bool has_flag(const brood_event *event)
{
    return event->has_flag && !brood_fork_lost(brood_atomic_load(&event->flag_since));
}

static void take_flag(brood_event *event, const brood_os_flag *flag)
{
    event->flag = *flag;
    event->has_flag = true;
    brood_atomic_store(&event->flag_since, brood_generation());
}

static void fini_event(brood_heap_object *shared)
{
    brood_event *event = (brood_event *)shared;

    if (has_flag(event)) { /* else those numbers may be anybody's */
        brood_os_flag_close(&event->flag);
    }
}

static void pack_event(const brood_heap_object *shared, brood_heap_goods *goods)
{
    const brood_event *event = (const brood_event *)shared;

    if (has_flag(event)) {
        goods->handles[0] = event->flag.wait;
        goods->handles[1] = event->flag.raise;
    }
}

/* A new object has no flag yet, and a child that was started by a fork has lost it. */
static int receive_event(brood_heap_object *shared, brood_heap_goods *goods)
{
    brood_event *event = (brood_event *)shared;
    const brood_os_flag flag = {goods->handles[0], goods->handles[1]};

    if (!has_flag(event) && flag.wait != BROOD_NO_HANDLE) {
        take_flag(event, &flag);
        goods->handles[0] = BROOD_NO_HANDLE;
        goods->handles[1] = BROOD_NO_HANDLE;
    }
    return 0;
}

const brood_heap_kind brood_event_kind = {
    BROOD_EVENT, sizeof(event_payload), sizeof(brood_event),
    sweep_event, event_is_busy,         fini_event,
    pack_event,  receive_event,         NULL,
};

/* ---- new, ref, free ---- */

int brood_event_new(brood_event **out)
{
    brood_heap_object *shared = NULL;
    brood_os_flag flag = BROOD_OS_FLAG_NONE;
    int rc;

    if (out == NULL) {
        return brood_fail(BROOD_EINVAL, "there is no place for the event: out is NULL");
    }
    *out = NULL;
    rc = brood_os_flag_create(&flag);
    if (rc) {
        return rc;
    }
    rc = brood_heap_new(&shared, &brood_event_kind, sizeof(event_payload));
    if (rc) {
        brood_os_flag_close(&flag);
        return rc;
    }
    *out = (brood_event *)shared;
    take_flag(*out, &flag);
    return 0;
}

brood_event *brood_event_ref(brood_event *event)
{
    return (brood_event *)brood_heap_ref(event != NULL ? &event->shared : NULL);
}

void brood_event_free(brood_event *event)
{
    brood_heap_free(event != NULL ? &event->shared : NULL);
}

/* ---- set, clear ---- */

/* Puts the flag where the word says. Whoever changes the word does so afterwards, and whoever has
 * moved the flag looks at the word once more: so who was last has left it right. One that dies in
 * between may leave it wrong, until the next one sets or clears, or finds it up for no reason. */
static void settle(const brood_event *event)
{
    brood_word *word = word_of(event);
    uint32_t set = brood_word_load(word) & SET;
    uint32_t now;

    if (!has_flag(event)) {
        return;
    }
    for (;;) {
        if (set != 0) {
            brood_os_flag_raise(&event->flag);
        } else {
            brood_os_flag_lower(&event->flag);
        }
        now = brood_word_load(word) & SET;
        if (now == set) {
            return;
        }
        set = now;
    }
}

/* Whether it is still the object that it was: without a lock, so that signal handlers can ask. */
static bool is_here(const brood_event *event)
{
    return event != NULL &&
           brood_word_load(&event->shared.cell->generation) == event->shared.generation;
}

/* For signal handlers: no lock, no allocation, nothing of this thread is changed, errno
 * restored. */
void brood_event_set(brood_event *event)
{
    const int before = errno;
    brood_word *word;
    uint32_t value;
    uint32_t next;

    if (!is_here(event)) {
        return;
    }
    word = word_of(event);
    do {
        value = brood_word_load(word);
        next = (value | SET) & ~BROOD_WAITERS;
        if ((value & SET) == 0) {
            next = (next & ~TURNS) | ((value + TURN) & TURNS);
        }
    } while (!brood_word_cas(word, value, next));
    BROOD_STOP("event-set");
    if ((value & BROOD_WAITERS) != 0) {
        brood_segment_wake(event->shared.segment, word, UINT32_MAX);
    }
    if ((value & ARMED) != 0) {
        settle(event);
    }
    errno = before;
}

void brood_event_clear(brood_event *event)
{
    if (is_here(event) && (brood_word_and(word_of(event), ~SET) & ARMED) != 0) {
        settle(event);
    }
}

bool brood_event_is_set(const brood_event *event)
{
    return is_here(event) && (brood_word_load(word_of(event)) & SET) != 0;
}

/* ---- wait ---- */

static bool is_over(uint32_t value, uint32_t since)
{
    return (value & SET) != 0 || (value & TURNS) != (since & TURNS);
}

static void sleep_on(brood_event *event, uint32_t value, int64_t deadline_ns)
{
    brood_word *word = word_of(event);

    if ((value & BROOD_WAITERS) == 0 && !brood_word_cas(word, value, value | BROOD_WAITERS)) {
        return;
    }
    brood_segment_sleep(event->shared.segment, word, value | BROOD_WAITERS, 0, deadline_ns);
    BROOD_STOP("event-woken");
}

int brood_event_wait(brood_event *event, int64_t timeout_ms)
{
    int64_t deadline_ns;
    uint32_t since;
    uint32_t value;
    int rc = brood_heap_check(event != NULL ? &event->shared : NULL, &brood_event_kind);

    if (rc == 0) {
        rc = brood_deadline(&deadline_ns, timeout_ms);
    }
    if (rc) {
        return rc;
    }
    since = brood_word_load(word_of(event));
    value = since;
    while (!is_over(value, since)) {
        if (brood_deadline_passed(deadline_ns)) {
            return brood_fail(BROOD_ETIMEDOUT, "wait for an event: nobody has set it");
        }
        sleep_on(event, value, deadline_ns);
        value = brood_word_load(word_of(event));
    }
    return 0;
}

/* ---- waiting for several things ---- */

static int arm(brood_event *event)
{
    const int rc = brood_heap_check(event != NULL ? &event->shared : NULL, &brood_event_kind);

    if (rc) {
        return rc;
    }
    if (!has_flag(event)) {
        return brood_fail(BROOD_EHANDLE, "a forked child cannot wait for an event of its parent "
                                         "together with other things: it was not sent to it");
    }
    if ((brood_word_load(word_of(event)) & ARMED) == 0) {
        (void)brood_word_or(word_of(event), ARMED);
        settle(event); /* whoever set it before did not know */
    }
    return 0;
}

int brood_event_watch(brood_event *event, brood_os_waitable *out)
{
    const int rc = arm(event);

    if (rc == 0) {
        out->handle = event->flag.wait;
        out->ready = brood_event_is_set(event);
    }
    return rc;
}

bool brood_event_confirm(brood_event *event)
{
    if (brood_event_is_set(event)) {
        return true;
    }
    settle(event);
    return false;
}

int brood_event_waitable(brood_event *event, brood_handle *out)
{
    const int rc = arm(event);

    if (rc == 0) {
        settle(event); /* in case that somebody died who should have */
        *out = event->flag.wait;
    }
    return rc;
}

#include "semaphore_object.h"

#include "deadline.h"
#include "error.h"
#include "fault.h"

#define COUNT_MAX UINT32_C(0x7FFFFFFF)
#define COUNT COUNT_MAX /* the rest of the word is BROOD_WAITERS */

/* A semaphore's part of its cell. Nobody owns a permit, so there is nothing to sweep. */
typedef struct semaphore_payload {
    brood_word word;
    uint32_t maximum; /* never changes */
} semaphore_payload;

static semaphore_payload *payload_of(const brood_semaphore *semaphore)
{
    return brood_cell_payload(semaphore->shared.cell);
}

/* ---- the kind ---- */

static void sweep_semaphore(brood_segment *segment, brood_cell *cell, uint32_t identity)
{
    (void)segment;
    (void)cell;
    (void)identity;
}

static bool semaphore_is_busy(const brood_cell *cell)
{
    (void)cell;
    return false;
}

const brood_heap_kind brood_semaphore_kind = {
    BROOD_SEMAPHORE,
    sizeof(semaphore_payload),
    sizeof(brood_semaphore),
    sweep_semaphore,
    semaphore_is_busy,
    NULL,
    NULL,
    NULL,
    NULL,
};

/* ---- new, ref, free ---- */

int brood_semaphore_new(brood_semaphore **out, uint32_t value, uint32_t maximum)
{
    brood_heap_object *shared = NULL;
    const uint32_t most = maximum != 0 ? maximum : COUNT_MAX;
    int rc;

    if (out == NULL) {
        return brood_fail(BROOD_EINVAL, "there is no place for the semaphore: out is NULL");
    }
    *out = NULL;
    if (most > COUNT_MAX || value > most) {
        return brood_fail(BROOD_ERANGE, "a semaphore of value %lu and maximum %lu: at most %lu",
                          (unsigned long)value, (unsigned long)maximum,
                          (unsigned long)(most < COUNT_MAX ? most : COUNT_MAX));
    }
    rc = brood_heap_new(&shared, &brood_semaphore_kind, sizeof(semaphore_payload));
    if (rc) {
        return rc;
    }
    *out = (brood_semaphore *)shared;
    payload_of(*out)->maximum = most;
    brood_word_store(&payload_of(*out)->word, value);
    return 0;
}

brood_semaphore *brood_semaphore_ref(brood_semaphore *semaphore)
{
    return (brood_semaphore *)brood_heap_ref(semaphore != NULL ? &semaphore->shared : NULL);
}

void brood_semaphore_free(brood_semaphore *semaphore)
{
    brood_heap_free(semaphore != NULL ? &semaphore->shared : NULL);
}

/* ---- acquire ---- */

static bool try_take(brood_word *word, uint32_t *seen)
{
    uint32_t value = brood_word_load_relaxed(word);

    while ((value & COUNT) != 0) {
        if (brood_word_cas(word, value, value - 1)) {
            return true;
        }
        value = brood_word_load(word);
    }
    *seen = value;
    return false;
}

/* As try_take, by one who has slept: who gave it back has taken all for awake, so the next one has
 * to wake somebody again, and so have we if there is more. */
static bool try_take_awake(brood_segment *segment, brood_word *word, uint32_t *seen)
{
    uint32_t value = brood_word_load(word);

    while ((value & COUNT) != 0) {
        if (brood_word_cas(word, value, (value - 1) | BROOD_WAITERS)) {
            if (((value - 1) & COUNT) != 0) {
                brood_segment_wake(segment, word, 1);
            }
            return true;
        }
        value = brood_word_load(word);
    }
    *seen = value;
    return false;
}

static bool spin(brood_word *word, uint32_t *seen)
{
    const uint32_t count = brood_spin_count();

    for (uint32_t i = 0; i < count && (*seen & BROOD_WAITERS) == 0; i++) {
        brood_os_relax();
        if (try_take(word, seen)) {
            return true;
        }
    }
    return false;
}

/* `value` has no permits. */
static void sleep_on(brood_segment *segment, brood_word *word, uint32_t value, int64_t deadline_ns)
{
    if ((value & BROOD_WAITERS) == 0 && !brood_word_cas(word, value, value | BROOD_WAITERS)) {
        return;
    }
    brood_segment_sleep(segment, word, value | BROOD_WAITERS, 0, deadline_ns);
    BROOD_STOP("semaphore-woken");
}

/* Who has slept may have got the wake-up of somebody who sleeps still: the next one to release has
 * to know. False if a permit came instead, which is taken. */
static bool pass_on(brood_segment *segment, brood_word *word, uint32_t value)
{
    while ((value & BROOD_WAITERS) == 0 && !brood_word_cas(word, value, value | BROOD_WAITERS)) {
        if (try_take_awake(segment, word, &value)) {
            return false;
        }
    }
    return true;
}

static int acquire_slowly(brood_semaphore *semaphore, uint32_t value, int64_t timeout_ms)
{
    brood_word *word = &payload_of(semaphore)->word;
    brood_segment *segment = semaphore->shared.segment;
    bool slept = false;
    int64_t deadline_ns;
    int rc = brood_deadline(&deadline_ns, timeout_ms);

    if (rc) {
        return rc;
    }
    if (deadline_ns != BROOD_DEADLINE_PASSED && spin(word, &value)) {
        return 0;
    }
    while (!brood_deadline_passed(deadline_ns)) {
        sleep_on(segment, word, value, deadline_ns);
        slept = true;
        if (try_take_awake(segment, word, &value)) {
            return 0;
        }
    }
    if (slept && !pass_on(segment, word, value)) {
        return 0;
    }
    return brood_fail(BROOD_ETIMEDOUT, "acquire a semaphore: its value is 0");
}

int brood_semaphore_acquire(brood_semaphore *semaphore, int64_t timeout_ms)
{
    uint32_t value = 0;
    int rc = brood_heap_check(semaphore != NULL ? &semaphore->shared : NULL, &brood_semaphore_kind);

    if (rc) {
        return rc;
    }
    if (timeout_ms >= BROOD_FOREVER && try_take(&payload_of(semaphore)->word, &value)) {
        return 0;
    }
    return acquire_slowly(semaphore, value, timeout_ms);
}

/* ---- release ---- */

int brood_semaphore_release(brood_semaphore *semaphore, uint32_t count)
{
    semaphore_payload *payload;
    uint32_t value;
    int rc = brood_heap_check(semaphore != NULL ? &semaphore->shared : NULL, &brood_semaphore_kind);

    if (rc) {
        return rc;
    }
    if (count == 0) {
        return brood_fail(BROOD_EINVAL, "release a semaphore: 0 times");
    }
    payload = payload_of(semaphore);
    do {
        value = brood_word_load(&payload->word);
        if (count > payload->maximum || (value & COUNT) > payload->maximum - count) {
            return brood_fail(
                BROOD_ERANGE,
                "release a semaphore: its value is %lu and would be %llu; its maximum "
                "is %lu",
                (unsigned long)(value & COUNT), (unsigned long long)(value & COUNT) + count,
                (unsigned long)payload->maximum);
        }
    } while (!brood_word_cas(&payload->word, value, (value & COUNT) + count));
    BROOD_STOP("semaphore-released");
    if ((value & BROOD_WAITERS) != 0) {
        brood_segment_wake(semaphore->shared.segment, &payload->word, count);
    }
    return 0;
}

uint32_t brood_semaphore_value(const brood_semaphore *semaphore)
{
    return semaphore != NULL ? brood_word_load(&payload_of(semaphore)->word) & COUNT : 0;
}

/* The system, as the explored library sees it: what of the seam and of the rest of the library its
 * files ask for. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "call.h"
#include "deadline.h"
#include "error.h"
#include "fork.h"
#include "hooks.h"
#include "log.h"
#include "object.h"
#include "options.h"
#include "platform.h"
#include "world.h"

#define NOW ((int64_t)1000 * 1000 * 1000)
#define LATER (NOW * 1000)
#define USER_SIZE ((size_t)1024) /* of a segment */

static explore_thread_state *self(void)
{
    return explore_running != EXPLORE_NONE ? &explore_now.threads[explore_running] : NULL;
}

uint32_t explore_spins(void);

uint32_t explore_spins(void)
{
    return explore_set.scenario->spins;
}

int64_t brood_os_cpu_count(void)
{
    return 1;
}

/* ---- time: stands still, but for a thread whose sleep or deadline is over ---- */

int64_t brood_os_now(void)
{
    const explore_thread_state *me = self();

    if (me == NULL) {
        return NOW;
    }
    return (me->late ? LATER : NOW) + me->timeouts * BROOD_SLICE_NS;
}

void brood_os_relax(void)
{
}

void brood_os_yield(void)
{
    if (self() != NULL) {
        (void)explore_yield(EXPLORE_PLAIN, NULL, 0, 0, 0);
    }
}

void brood_os_sleep(int64_t deadline_ns)
{
    (void)deadline_ns;
    (void)explore_yield(EXPLORE_NAP, NULL, 0, 0, 0);
}

/* ---- mutexes: a step only where a process has several threads ---- */

static explore_mutex_state *mutex_at(const void *address)
{
    const size_t count = sizeof explore_now.mutexes / sizeof explore_now.mutexes[0];

    for (size_t i = 0; i < count; i++) {
        if (explore_now.mutexes[i].address == address) {
            return &explore_now.mutexes[i];
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (explore_now.mutexes[i].address == NULL) {
            explore_now.mutexes[i].address = address;
            return &explore_now.mutexes[i];
        }
    }
    abort();
}

void brood_os_mutex_lock(brood_os_mutex *mutex)
{
    if (self() != NULL && explore_set.threads_of[self()->process] > 1) {
        (void)explore_yield(EXPLORE_MUTEX, mutex, 0, 0, 0);
        mutex_at(mutex)->owner = 1 + explore_running;
    }
}

void brood_os_mutex_unlock(brood_os_mutex *mutex)
{
    if (self() != NULL && explore_set.threads_of[self()->process] > 1) {
        explore_mutex_state *state = mutex_at(mutex);
        state->address = NULL;
        state->owner = 0;
    }
}

int brood_os_thread_tag(uintptr_t tag, void (*ended)(uintptr_t tag, bool locals))
{
    (void)tag;
    (void)ended;
    return 0;
}

/* ---- processes ---- */

uint64_t brood_os_self_stamp(void)
{
    return explore_now.processes[explore_process()].stamp;
}

bool brood_os_stamp_runs(uint64_t stamp)
{
    if (stamp == EXPLORE_BYSTANDER_STAMP) {
        return true;
    }
    if (self() != NULL) {
        (void)explore_yield(EXPLORE_RUNS, NULL, 0, stamp, 0);
    }
    for (unsigned p = 0; p < EXPLORE_PROCESSES; p++) {
        if (explore_now.processes[p].stamp == stamp) {
            explore_last.note = explore_now.processes[p].alive ? "it does" : "it does not";
            return explore_now.processes[p].alive != 0;
        }
    }
    explore_last.note = "it does not";
    return false;
}

uint64_t brood_os_pid_space(void)
{
    return 1;
}

long brood_generation(void)
{
    return 0;
}

bool brood_fork_lost(long since)
{
    (void)since;
    return false;
}

bool brood_os_witness_begin(void *room)
{
    (void)room;
    return false;
}

void brood_os_witness_end(void *room)
{
    (void)room;
}

/* ---- words and bells ---- */

bool brood_os_word_waits(void)
{
    return explore_set.scenario->places == 0;
}

/* Comparing and going to sleep are one step. */
void brood_os_word_wait(brood_word *word, uint32_t value, const brood_os_peer *peer,
                        int64_t deadline_ns)
{
    (void)peer;
    (void)deadline_ns;
    (void)explore_yield(EXPLORE_SLEEP, word, 4, value, 0);
    explore_last.before = *(const volatile uint32_t *)(const volatile void *)word;
    if (explore_last.before != value) {
        explore_last.note = "it is another";
        return;
    }
    self()->woken = 0;
    (void)explore_yield(EXPLORE_ASLEEP, word, 4, value, 0);
}

/* The explorer has chosen who wakes, and woken them. */
void brood_os_word_wake(brood_word *word, uint32_t count)
{
    if (self() != NULL) {
        (void)explore_yield(EXPLORE_WAKE, word, 4, count, 0);
    }
}

int brood_os_bells_open(brood_os_bells **out, void *room, const unsigned char id[16], bool create)
{
    (void)id;
    (void)create;
    *out = room;
    return 0;
}

void brood_os_bells_close(brood_os_bells *bells)
{
    (void)bells;
}

void brood_os_bell_wait(brood_os_bells *bells, uint32_t index, const brood_os_peer *peer,
                        int64_t deadline_ns)
{
    (void)bells;
    (void)peer;
    (void)deadline_ns;
    (void)explore_yield(EXPLORE_BELL, NULL, 0, index, 0);
    if (explore_now.bells[index] > 0) {
        explore_now.bells[index]--;
        explore_last.note = "it was rung";
        return;
    }
    self()->woken = 0;
    (void)explore_yield(EXPLORE_ASLEEP_BELL, NULL, 0, index, 0);
}

void brood_os_bell_ring(brood_os_bells *bells, uint32_t index)
{
    (void)bells;
    if (self() != NULL) {
        (void)explore_yield(EXPLORE_RING, NULL, 0, index, 0);
    }
}

/* ---- one section, which has the same address in all processes ---- */

int brood_os_section_create_sparse(brood_os_section *out, size_t size, size_t reserved)
{
    const size_t head = explore_set.images[0].layout->head_size;

    (void)reserved;
    size = size < head + USER_SIZE ? size : head + USER_SIZE;
    if (explore_set.shared != NULL) {
        return BROOD_ENOMEM;
    }
    explore_set.shared = calloc(1, size);
    explore_set.shared_size = size;
    *out = (brood_os_section){1, explore_set.shared, size};
    return explore_set.shared != NULL ? 0 : BROOD_ENOMEM;
}

int brood_os_section_open(brood_os_section *out, brood_os_handle handle)
{
    *out = (brood_os_section){handle, explore_set.shared, explore_set.shared_size};
    return 0;
}

void brood_os_section_close(brood_os_section *section)
{
    section->data = NULL;
}

int brood_os_section_reserve(const brood_os_section *section, size_t offset, size_t size)
{
    (void)section;
    (void)offset;
    (void)size;
    return 0;
}

void brood_os_section_discard(const brood_os_section *section, size_t offset, size_t size)
{
    (void)section;
    (void)offset;
    (void)size;
}

void randombytes_buf(void *const data, const size_t size)
{
    memset(data, 7, size);
}

/* ---- memory of a process: 64 pieces, of which one knows how many follow it ---- */

#define PIECE (EXPLORE_HEAP / 64)

void *explore_calloc(size_t count, size_t size)
{
    unsigned char *heap = explore_set.images[explore_process()].heap;
    const size_t wanted = 1 + (count * size + PIECE - 1) / PIECE; /* the first has the number */
    size_t run = 0;

    for (size_t i = 0; i < 64; i++) {
        const size_t taken = heap[i * PIECE];
        run = taken == 0 ? run + 1 : 0;
        i += taken > 0 ? taken - 1 : 0;
        if (run == wanted) {
            unsigned char *first = heap + (i + 1 - wanted) * PIECE;
            memset(first, 0, wanted * PIECE);
            *first = (unsigned char)wanted;
            return first + PIECE;
        }
    }
    return NULL;
}

void *explore_malloc(size_t size)
{
    return explore_calloc(1, size);
}

void *explore_realloc(void *data, size_t size)
{
    void *larger = explore_calloc(1, size);

    if (larger != NULL && data != NULL) {
        const size_t old = (((unsigned char *)data)[-(ptrdiff_t)PIECE] - (size_t)1) * PIECE;
        memcpy(larger, data, old < size ? old : size);
        explore_free(data);
    }
    return larger;
}

void explore_free(void *data)
{
    if (data != NULL) {
        unsigned char *first = (unsigned char *)data - PIECE;
        memset(first, 0, *first * PIECE);
    }
}

/* ---- words for the user: nobody reads them here ---- */

int brood_fail(int error, const char *format, ...)
{
    (void)format;
    return error;
}

int brood_fail_of_process(int error, int64_t pid, const char *format, ...)
{
    (void)pid;
    (void)format;
    return error;
}

int brood_fail_nomem(const char *what)
{
    (void)what;
    return BROOD_ENOMEM;
}

const char *brood_kind_name(int kind)
{
    (void)kind;
    return "object";
}

const char *brood_kind_a(int kind)
{
    (void)kind;
    return "an object";
}

int brood_options_read(void *out, size_t size, const void *options, const char *name)
{
    (void)options;
    (void)name;
    memset(out, 0, size);
    return 0;
}

void brood_log(brood_log_level level, const char *format, ...)
{
    (void)level;
    (void)format;
}

/* ---- one flag ---- */

int brood_os_flag_create(brood_os_flag *out)
{
    out->wait = 1;
    out->raise = 1;
    return 0;
}

void brood_os_flag_close(brood_os_flag *flag)
{
    *flag = BROOD_OS_FLAG_NONE;
}

static void set_flag(uint32_t up, const char *what)
{
    if (self() != NULL) {
        explore_step(what);
    }
    explore_now.flag = up;
}

void brood_os_flag_raise(const brood_os_flag *flag)
{
    (void)flag;
    set_flag(1, "raises the flag");
}

void brood_os_flag_lower(const brood_os_flag *flag)
{
    (void)flag;
    set_flag(0, "lowers the flag");
}

/* ---- calls, of which there are none ---- */

void brood_call_init(brood_call *call, brood_value args, brood_value named)
{
    (void)args;
    (void)named;
    memset(call, 0, sizeof *call);
}

void brood_call_fini(brood_call *call)
{
    (void)call;
}

const brood_failure *brood_last_error(void)
{
    static brood_failure none;

    return &none;
}

int brood_fail_as(const brood_failure *failure)
{
    return failure->error;
}

const char *brood_strerror(int error)
{
    (void)error;
    return "";
}

/* Numbers of threads, as they stand in lock words: unique in this process among those that run or
 * ended with a lock. */
#include "error.h"
#include "locks.h"
#include "segment.h"

#define NUMBERS BROOD_THREAD_NUMBERS

BROOD_THREAD_LOCAL uint32_t brood_thread_number;
brood_thread_locks brood_threads[NUMBERS];

static uint64_t taken[NUMBERS / 64]; /* under BROOD_LOCK_SEGMENTS, like the next */
static uint32_t last;

static bool is_taken(uint32_t number)
{
    return (taken[number / 64] >> number % 64 & 1) != 0;
}

static void ended(uintptr_t tag, bool locals)
{
    const uint32_t number = (uint32_t)tag;

    brood_segments_thread_ended(number);
    if (locals) {
        brood_thread_number = 0;
    }
    if (brood_threads[number].held == 0) {
        brood_locks_take(BROOD_LOCK_SEGMENTS);
        taken[number / 64] &= ~(UINT64_C(1) << number % 64);
        brood_locks_give(BROOD_LOCK_SEGMENTS);
    }
}

int brood_thread_number_take(void)
{
    uint32_t number = 0;
    int rc;

    brood_locks_take(BROOD_LOCK_SEGMENTS);
    for (uint32_t i = 1; i < NUMBERS && number == 0; i++) {
        const uint32_t next = 1 + (last + i - 1) % (NUMBERS - 1);
        number = is_taken(next) ? 0 : next;
    }
    if (number != 0) {
        taken[number / 64] |= UINT64_C(1) << number % 64;
        last = number;
    }
    brood_locks_give(BROOD_LOCK_SEGMENTS);
    if (number == 0) {
        return brood_fail(BROOD_ENOMEM, "more than %d threads of this process use shared objects",
                          NUMBERS - 1);
    }
    rc = brood_os_thread_tag(number, ended);
    if (rc) {
        brood_locks_take(BROOD_LOCK_SEGMENTS);
        taken[number / 64] &= ~(UINT64_C(1) << number % 64);
        brood_locks_give(BROOD_LOCK_SEGMENTS);
        return rc;
    }
    brood_threads[number].held = 0; /* a forked child may find what its parent's thread held */
    brood_thread_number = number;
    return 0;
}

void brood_thread_numbers_forget(void)
{
    const uint32_t mine = brood_thread_number;

    for (size_t i = 0; i < NUMBERS / 64; i++) {
        taken[i] = 0;
    }
    if (mine != 0) {
        taken[mine / 64] |= UINT64_C(1) << mine % 64;
        brood_threads[mine].held = 0;
    }
}

/* Locks made of one word in a segment, that know who holds them.
 *
 * Taking a free one is one compare-and-swap, giving it back one exchange. Whoever has to wait spins a
 * little, sets BROOD_WAITERS and sleeps in slices, in which it also looks whether the owner still
 * runs. The word of a dead owner gets BROOD_DIED, and the lock is nobody's until somebody takes it over
 * for repair. No function here sets the thread's failure. */
#ifndef BROOD_SRC_GUARD_H
#define BROOD_SRC_GUARD_H

#include <brood/base.h>

#include "fault.h"
#include "segment.h"

/// brood_guard_try takes it if it is free.
static inline bool brood_guard_try(brood_word *word, uint32_t me)
{
    return brood_word_cas(word, 0, me);
}

/// brood_guard_wait is behind brood_guard_lock and brood_guard_take_over.
int brood_guard_wait(brood_segment *segment, brood_word *word, uint32_t me, bool take_over,
                     int64_t deadline_ns);

/// brood_guard_lock takes it. Errors: BROOD_EOWNERDEAD: an owner died, and it is not taken, nor will
/// be; BROOD_EDEADLK: this thread has it; BROOD_ETIMEDOUT.
static inline int brood_guard_lock(brood_segment *segment, brood_word *word, uint32_t me,
                                   int64_t deadline_ns)
{
    return brood_guard_try(word, me) ? 0 : brood_guard_wait(segment, word, me, false, deadline_ns);
}

/// brood_guard_take_over takes it, also from a dead owner: then it is BROOD_EOWNERDEAD, and what it
/// guards has to be repaired. Errors: as above.
static inline int brood_guard_take_over(brood_segment *segment, brood_word *word, uint32_t me,
                                        int64_t deadline_ns)
{
    return brood_guard_try(word, me) ? 0 : brood_guard_wait(segment, word, me, true, deadline_ns);
}

/// brood_guard_unlock gives back what this thread holds.
static inline void brood_guard_unlock(brood_segment *segment, brood_word *word)
{
    if ((brood_word_exchange(word, 0) & BROOD_WAITERS) != 0) {
        BROOD_STOP("guard-unlocked");
        brood_segment_wake(segment, word, 1);
    }
}

/// brood_guard_bury makes the word of a dead owner say so, and wakes those who wait for it. It tells
/// whether the word says so now.
bool brood_guard_bury(brood_segment *segment, brood_word *word, uint32_t value);

/// brood_guard_sweep buries what a process holds; for brood_segment_kind.sweep.
void brood_guard_sweep(brood_segment *segment, brood_word *word, uint32_t identity);

#endif

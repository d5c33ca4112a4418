/* Barrier: a number of parties wait for each other. See sync.h for what all of these objects have
 * in common.
 *
 * A barrier is broken by a party that does not wait any longer, by brood_barrier_abort, by an
 * action that fails, and by the death of a process that is waiting at it: all who wait then get
 * BROOD_EBROKEN, and so does everybody who comes until brood_barrier_reset. A process that dies
 * before it has arrived is not missed: use a time limit. One that dies while it waits and is
 * noticed only after the last one has arrived has passed like the others. */
#ifndef BROOD_BARRIER_H
#define BROOD_BARRIER_H

#include <brood/call.h>
#include <brood/pack.h>

BROOD_BEGIN_C

typedef struct brood_barrier_options {
    size_t size;
    brood_function action; /* NULL: none; travels with the barrier */
    int64_t timeout_ms;    /* of a wait with BROOD_FOREVER; 0: none */
} brood_barrier_options;

/// brood_barrier_new makes a barrier for 1 to 4,096 parties. `options` may be NULL.
///
/// On success `*out` owns it; release it with brood_barrier_free. On failure `*out` is NULL.
///
/// Errors: BROOD_EINVAL, BROOD_ENOMEM, BROOD_ESYSTEM.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_barrier_new(brood_barrier **out, uint32_t parties,
                                     const brood_barrier_options *options);

/// brood_barrier_wait waits until all parties have arrived; then all of them pass, and the next
/// round begins. `*index` (may be NULL) is the number of this party in the round, in the order in
/// which they arrived: one of them has 0.
///
/// The last one to arrive runs the action before the others pass, as a call without arguments. If
/// it fails the barrier breaks, and the failure is that party's: BROOD_ETASK with failure->code for
/// an own code, a brood_error unchanged.
///
/// Errors: BROOD_EBROKEN; BROOD_ETIMEDOUT: the barrier is broken now; or, if this party came while
/// the action of a complete round was running, it is when that round has passed; BROOD_ETASK and
/// what the action says; BROOD_EINVAL; BROOD_ECLOSED: a forked child's object that is no more;
/// BROOD_ENOMEM: too many threads or processes.
/// Threads: each thread is a party of its own.
BROOD_MAY_FAIL int brood_barrier_wait(brood_barrier *barrier, uint32_t *index, int64_t timeout_ms);

/// brood_barrier_reset makes it as new: a broken one can be used again. Who waits gets
/// BROOD_EBROKEN.
///
/// Errors: BROOD_EINVAL, BROOD_ECLOSED, BROOD_ENOMEM.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_barrier_reset(brood_barrier *barrier);

/// brood_barrier_abort breaks it.
///
/// Threads: safe from any thread.
BROOD_API void brood_barrier_abort(brood_barrier *barrier);

/// brood_barrier_parties returns how many have to arrive.
///
/// Threads: safe from any thread.
BROOD_API uint32_t brood_barrier_parties(const brood_barrier *barrier);

/// brood_barrier_n_waiting returns how many have arrived in this round.
///
/// Threads: safe from any thread.
BROOD_API uint32_t brood_barrier_n_waiting(const brood_barrier *barrier);

/// brood_barrier_broken tells whether it is broken.
///
/// Threads: safe from any thread.
BROOD_API bool brood_barrier_broken(const brood_barrier *barrier);

/// brood_barrier_ref adds an owner and returns `barrier`. NULL gives NULL.
///
/// Threads: safe from any thread.
BROOD_API brood_barrier *brood_barrier_ref(brood_barrier *barrier);

/// brood_barrier_free drops an owner. Other processes keep it. If parties wait in other processes
/// when the one that made it drops its last owner, that is logged as a warning. NULL is allowed.
///
/// Threads: safe from any thread; the caller's reference may not be used afterwards.
BROOD_API void brood_barrier_free(brood_barrier *barrier);

BROOD_END_C

#endif

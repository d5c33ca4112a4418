/* Semaphore and BoundedSemaphore: a number of permits. See sync.h for what all of these objects
 * have in common.
 *
 * A permit has no owner: anybody may release what somebody else has acquired. So nobody can know
 * what the death of a process means: one that is killed between acquire and release takes its
 * permit along for good, and who waits without a time limit then waits for ever. Where the death of
 * a holder has to be noticed use a lock. */
#ifndef BROOD_SEMAPHORE_H
#define BROOD_SEMAPHORE_H

#include <brood/pack.h>

BROOD_BEGIN_C

/// brood_semaphore_new makes a Semaphore with `value` permits (`maximum` 0), or a BoundedSemaphore,
/// whose value is never more than `maximum`. Values go up to 2,147,483,647.
///
/// On success `*out` owns it; release it with brood_semaphore_free. On failure `*out` is NULL.
///
/// Errors: BROOD_EINVAL; BROOD_ERANGE if `value` is over the maximum; BROOD_ENOMEM, BROOD_ESYSTEM.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_semaphore_new(brood_semaphore **out, uint32_t value, uint32_t maximum);

/// brood_semaphore_acquire waits until the value is over 0 and takes one of it.
///
/// Errors: BROOD_ETIMEDOUT; BROOD_EINVAL; BROOD_ECLOSED: a forked child's object that is no more;
/// BROOD_ENOMEM: too many threads or processes.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_semaphore_acquire(brood_semaphore *semaphore, int64_t timeout_ms);

/// brood_semaphore_release adds `count` to the value and wakes as many that wait.
///
/// Errors: BROOD_ERANGE: the value would be over its maximum, and is as before; BROOD_EINVAL, also
/// for a `count` of 0; BROOD_ECLOSED, BROOD_ENOMEM as brood_semaphore_acquire.
/// Threads: any thread of any process that has it.
BROOD_API int brood_semaphore_release(brood_semaphore *semaphore, uint32_t count);

/// brood_semaphore_value returns the value when it was read.
///
/// Threads: safe from any thread.
BROOD_API uint32_t brood_semaphore_value(const brood_semaphore *semaphore);

/// brood_semaphore_ref adds an owner and returns `semaphore`. NULL gives NULL.
///
/// Threads: safe from any thread.
BROOD_API brood_semaphore *brood_semaphore_ref(brood_semaphore *semaphore);

/// brood_semaphore_free drops an owner. Other processes keep it. NULL is allowed.
///
/// Threads: safe from any thread; the caller's reference may not be used afterwards.
BROOD_API void brood_semaphore_free(brood_semaphore *semaphore);

BROOD_END_C

#endif

/* Condition: waiting, under a lock, until somebody says that something has changed. See sync.h for
 * what all of these objects have in common.
 *
 * A condition travels with its lock. What notifies never waits for who is woken, so a waiter that
 * is killed holds up nobody; but a notification that it was given and did not live to use is lost,
 * and one that comes later may wake one waiter too many. So look at what you wait for each time, as
 * brood_condition_wait_for does, and use notify_all where waiters may be killed and each of them
 * counts. */
#ifndef BROOD_CONDITION_H
#define BROOD_CONDITION_H

#include <brood/lock.h>

BROOD_BEGIN_C

/// brood_condition_new makes a condition with `lock`, to which it adds an owner, or with an RLock
/// of its own if that is NULL.
///
/// On success `*out` owns it; release it with brood_condition_free. On failure `*out` is NULL.
///
/// Errors: BROOD_EINVAL, BROOD_ECLOSED, BROOD_ENOMEM, BROOD_ESYSTEM.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_condition_new(brood_condition **out, brood_lock *lock);

/// brood_condition_lock returns its lock, borrowed: acquire and release that. NULL gives NULL.
///
/// Threads: safe from any thread.
BROOD_API brood_lock *brood_condition_lock(brood_condition *condition);

/// brood_condition_wait gives the lock up, however often this thread has it, waits until it is
/// notified, and takes the lock back as it was. The time limit is for being notified; taking the
/// lock back has none.
///
/// On success, and with BROOD_ETIMEDOUT, this thread has the lock. It may return without having
/// been notified when a process that used the condition has died.
///
/// Errors: BROOD_ETIMEDOUT; BROOD_EOWNERDEAD: a process died while it held the lock, which this
/// thread does *not* have then (brood_lock_recover); it is also said to those who were not notified
/// yet, since who died may have been about to. BROOD_ENOTOWNER: this thread does not have the lock;
/// BROOD_EINVAL; BROOD_ECLOSED, BROOD_ENOMEM as brood_lock_acquire; with these four nothing has
/// happened.
/// Threads: the one that has the lock.
BROOD_MAY_FAIL int brood_condition_wait(brood_condition *condition, int64_t timeout_ms);

/// brood_condition_wait_for waits until `predicate(user)` is true. It is called with the lock held:
/// at once, each time that this thread is woken, and when the time is over.
///
/// Errors: as brood_condition_wait.
/// Threads: the one that has the lock.
BROOD_MAY_FAIL int brood_condition_wait_for(brood_condition *condition,
                                            bool (*predicate)(void *user), void *user,
                                            int64_t timeout_ms);

/// brood_condition_notify wakes `count` of those who wait, or all if they are fewer. Which ones is
/// not specified.
///
/// Errors: BROOD_ENOTOWNER: this thread does not have the lock; BROOD_EINVAL, BROOD_ECLOSED.
/// Threads: the one that has the lock.
BROOD_API int brood_condition_notify(brood_condition *condition, size_t count);

/// brood_condition_notify_all wakes all who wait.
///
/// Errors: as brood_condition_notify.
/// Threads: the one that has the lock.
BROOD_API int brood_condition_notify_all(brood_condition *condition);

/// brood_condition_ref adds an owner and returns `condition`. NULL gives NULL.
///
/// Threads: safe from any thread.
BROOD_API brood_condition *brood_condition_ref(brood_condition *condition);

/// brood_condition_free drops an owner. Other processes keep it. NULL is allowed.
///
/// Threads: safe from any thread; the caller's reference may not be used afterwards.
BROOD_API void brood_condition_free(brood_condition *condition);

BROOD_END_C

#endif

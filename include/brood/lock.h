/* Lock and RLock: one owner at a time, between processes and between threads. See sync.h for what
 * all of these objects have in common. */
#ifndef BROOD_LOCK_H
#define BROOD_LOCK_H

#include <brood/pack.h>

BROOD_BEGIN_C

typedef struct brood_lock_options {
    size_t size;
    /* After the death of an owner the next one just gets the lock: for data that cannot be
     * half-changed. */
    bool recover_silently;
} brood_lock_options;

/// brood_lock_new makes a Lock, which nobody holds. `options` may be NULL.
///
/// On success `*out` owns it; release it with brood_lock_free. On failure `*out` is NULL.
///
/// Errors: BROOD_EINVAL, BROOD_ENOMEM, BROOD_ESYSTEM.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_lock_new(brood_lock **out, const brood_lock_options *options);

/// brood_rlock_new makes an RLock: its owner may acquire it again, and releases it as often.
///
/// Errors: as brood_lock_new.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_rlock_new(brood_lock **out, const brood_lock_options *options);

/// brood_lock_acquire waits until nobody holds the lock, and takes it for this thread.
///
/// If a process died while it held the lock, what the lock guards may be half changed: the lock is
/// then *not* acquired, by this call and all that follow in every process, until
/// brood_lock_recover.
///
/// Errors: BROOD_ETIMEDOUT; BROOD_EOWNERDEAD: not acquired, see above, failure->pid is who died,
/// where that is still known; BROOD_EDEADLK: this thread has it, and it is no RLock; BROOD_EINVAL;
/// BROOD_ECLOSED: a forked child's object that is no more; BROOD_ENOMEM: too many threads or
/// processes.
/// Threads: safe from any thread.
/// Fork: a forked child holds nothing of what its parent holds.
BROOD_MAY_FAIL int brood_lock_acquire(brood_lock *lock, int64_t timeout_ms);

/// brood_lock_recover acquires the lock also if its owner died. Then repair what it guards, and
/// release it. Without a dead owner it is brood_lock_acquire.
///
/// Errors: as brood_lock_acquire, without BROOD_EOWNERDEAD.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_lock_recover(brood_lock *lock, int64_t timeout_ms);

/// brood_lock_release gives the lock back, or takes back one of the acquires of an RLock.
///
/// Errors: BROOD_ENOTOWNER: this thread does not have it; BROOD_EINVAL.
/// Threads: the one that acquired it.
BROOD_API int brood_lock_release(brood_lock *lock);

/// brood_lock_locked tells whether somebody holds it, or held it when this was read.
///
/// Threads: safe from any thread.
BROOD_API bool brood_lock_locked(const brood_lock *lock);

/// brood_lock_ref adds an owner and returns `lock`. NULL gives NULL.
///
/// Threads: safe from any thread.
BROOD_API brood_lock *brood_lock_ref(brood_lock *lock);

/// brood_lock_free drops an owner. Other processes keep the lock. When the last owner here is
/// dropped while this process holds it, or in the process that made it while anybody does, that is
/// logged as a warning, and it stays locked until it is released, or until the holder ends. NULL is
/// allowed.
///
/// Threads: safe from any thread; the caller's reference may not be used afterwards.
BROOD_API void brood_lock_free(brood_lock *lock);

BROOD_END_C

#endif

/* Lock and RLock: a guard in a cell. */
#ifndef BROOD_SRC_LOCK_H
#define BROOD_SRC_LOCK_H

#include <brood/lock.h>

#include "heap.h"

extern const brood_heap_kind brood_lock_kind;

struct brood_lock {
    brood_heap_object shared;
};

/* ---- for conditions, which give their lock up while they wait ---- */

/// brood_lock_check_owner sets `*me` if this thread holds the lock; else BROOD_ENOTOWNER, and
/// `what` says what for.
int brood_lock_check_owner(const brood_lock *lock, uint32_t *me, const char *what);

/// brood_lock_suspend gives the lock up, however often its owner `me` has it, and returns how
/// often.
uint32_t brood_lock_suspend(brood_lock *lock, uint32_t me);

/// brood_lock_resume takes it back, however long that takes. Errors: BROOD_EOWNERDEAD: not taken.
int brood_lock_resume(brood_lock *lock, uint32_t me, uint32_t depth);

/// brood_lock_is_abandoned tells whether an owner died, so that resuming would fail.
bool brood_lock_is_abandoned(brood_lock *lock);

#endif

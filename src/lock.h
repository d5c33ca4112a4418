/* Lock and RLock: a guard in a cell. */
#ifndef BROOD_SRC_LOCK_H
#define BROOD_SRC_LOCK_H

#include <brood/sync.h>

#include "heap.h"

extern const brood_heap_kind brood_lock_kind;

struct brood_lock {
    brood_heap_object shared;
};

#endif

/* Condition: a count of waiters and wake-ups in a cell, and a lock. */
#ifndef BROOD_SRC_CONDITION_H
#define BROOD_SRC_CONDITION_H

#include <brood/condition.h>

#include "heap.h"

extern const brood_heap_kind brood_condition_kind;

struct brood_condition {
    brood_heap_object shared;
    brood_lock *lock; /* with a reference */
};

#endif

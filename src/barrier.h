/* Barrier: who has arrived, in a cell, and an action. */
#ifndef BROOD_SRC_BARRIER_H
#define BROOD_SRC_BARRIER_H

#include <brood/barrier.h>

#include "heap.h"

extern const brood_heap_kind brood_barrier_kind;

struct brood_barrier {
    brood_heap_object shared;
    brood_function action; /* NULL: none */
};

#endif

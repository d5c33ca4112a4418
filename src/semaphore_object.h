/* Semaphore and BoundedSemaphore: a count in a cell. (semaphore.h is the name of a system
 * header.) */
#ifndef BROOD_SRC_SEMAPHORE_OBJECT_H
#define BROOD_SRC_SEMAPHORE_OBJECT_H

#include <brood/semaphore.h>

#include "heap.h"

extern const brood_heap_kind brood_semaphore_kind;

struct brood_semaphore {
    brood_heap_object shared;
};

#endif

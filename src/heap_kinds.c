/* The kinds of objects that live in heaps, apart from heap.c, which is below all of them. */
#include "array.h"
#include "barrier.h"
#include "condition.h"
#include "event.h"
#include "heap.h"
#include "lock.h"
#include "semaphore_object.h"

const brood_heap_kind *brood_heap_kind_of(uint32_t kind)
{
    static const brood_heap_kind *const kinds[] = {&brood_lock_kind,      &brood_array_kind,
                                                   &brood_semaphore_kind, &brood_condition_kind,
                                                   &brood_event_kind,     &brood_barrier_kind};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if ((uint32_t)kinds[i]->kind == kind) {
            return kinds[i];
        }
    }
    return NULL;
}

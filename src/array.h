/* Arrays, as the rest of the library sees them. */
#ifndef BROOD_SRC_ARRAY_H
#define BROOD_SRC_ARRAY_H

#include <brood/array.h>
#include <brood/memory.h>

#include "heap.h"

extern const brood_heap_kind brood_array_kind;

/// brood_array_state is what travels beside the reference to the cell.
typedef struct brood_array_state {
    char letter;
    size_t item_size;
    size_t count;
    brood_lock *lock;     /* NULL: raw */
    brood_memory *memory; /* NULL: the items are in the cell */
} brood_array_state;

/// brood_array_describe says what is to be sent; borrowed from the array.
void brood_array_describe(const brood_array *array, brood_array_state *state);

/// brood_array_arrive makes an array of an object of its kind that was loaded, or finds that it is
/// one. On success it has the references of lock and memory; the caller keeps that of the object
/// always. BROOD_EDECODE if the state cannot be, or contradicts what is here.
int brood_array_arrive(brood_heap_object *shared, const brood_array_state *state);

#endif

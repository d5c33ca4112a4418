/* Unpacking: one value into one place. */
#ifndef BROOD_SRC_UNPACK_SLOT_H
#define BROOD_SRC_UNPACK_SLOT_H

#include <brood/pack.h>

/* Which value it is, for the words. */
typedef struct brood_unpack_place {
    const char *noun; /* "argument" or "value" */
    size_t number;    /* from 1 */
    const char *name; /* NULL: none */
    size_t name_size;
} brood_unpack_place;

/// brood_unpack_check tells whether `value` can be stored into `slot`: BROOD_ETYPE, BROOD_ERANGE.
int brood_unpack_check(const brood_slot *slot, brood_value value, const brood_unpack_place *place);

/// brood_unpack_store stores what was checked.
void brood_unpack_store(const brood_slot *slot, brood_value value);

#endif

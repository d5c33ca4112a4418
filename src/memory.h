/* Shared memory, as the rest of the library sees it. */
#ifndef BROOD_SRC_MEMORY_H
#define BROOD_SRC_MEMORY_H

#include <brood/memory.h>

#include "known.h"
#include "platform.h"

#define BROOD_MEMORY_NAME_MAX 200 /* characters */

/// brood_memory_state is what travels beside a block's handle.
typedef struct brood_memory_state {
    unsigned char id[BROOD_ID_SIZE];
    size_t size;
    bool read_only;   /* what the handle is good for */
    const char *name; /* or NULL; borrowed */
} brood_memory_state;

/// brood_memory_describe says what is to be sent. The handle is the object's, borrowed. BROOD_EINVAL
/// for a block that a forked child has from its parent without having been sent it.
int brood_memory_describe(brood_memory *memory, brood_memory_state *state, brood_os_handle *handle);

/// brood_memory_arrive makes an object of what came, or gives the one that is here already. On
/// success the handle is ours. BROOD_EHANDLE; BROOD_EDECODE if it contradicts what is here.
int brood_memory_arrive(brood_memory **out, brood_os_handle handle,
                        const brood_memory_state *state);

/// brood_memory_name_check says BROOD_EINVAL for what is no portable name.
int brood_memory_name_check(const char *name);

#endif

/* What travels beside bytes, the receiver's side. */
#ifndef BROOD_SRC_UNPARCEL_H
#define BROOD_SRC_UNPARCEL_H

#include "codec.h"
#include "platform.h"

/// brood_unparcel makes objects of the handles that came.
typedef struct brood_unparcel {
    brood_os_handle *handles; /* BROOD_NO_HANDLE once an object has it */
    size_t handle_count;
    brood_value *objects; /* by their numbers; the message has the references */
    size_t object_count;
    size_t object_room;
    bool may_load; /* libraries, for the functions in them: see brood_function_load */
} brood_unparcel;

/// brood_unparcel_init takes the malloc'ed `handles` over. It may load nothing.
void brood_unparcel_init(brood_unparcel *unparcel, brood_os_handle *handles, size_t count);

/// brood_unparcel_loader loads from `unparcel`.
brood_loader brood_unparcel_loader(brood_unparcel *unparcel);

/// brood_unparcel_close closes the handles that no object has.
void brood_unparcel_close(brood_unparcel *unparcel);

#endif

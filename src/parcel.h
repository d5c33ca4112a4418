/* What travels beside the bytes of a start: functions, and the handles of objects. */
#ifndef BROOD_SRC_PARCEL_H
#define BROOD_SRC_PARCEL_H

#include "codec.h"
#include "platform.h"

/// brood_parcel is the sender's side: the handles in the order of their numbers, the objects they
/// belong to (pinned), and which of these are given away.
typedef struct brood_parcel {
    brood_arena arena;
    brood_os_handle *handles;
    brood_value *objects;
    size_t count;
    size_t capacity;
} brood_parcel;

#define BROOD_PARCEL_NONE ((brood_parcel){BROOD_ARENA_NONE, NULL, NULL, 0, 0})

/// brood_parcel_saver saves into `parcel`.
brood_saver brood_parcel_saver(brood_parcel *parcel);

/// brood_parcel_give closes here what was given away.
void brood_parcel_give(brood_parcel *parcel);

/// brood_parcel_release unpins everything.
void brood_parcel_release(brood_parcel *parcel);

/// brood_unparcel is the receiver's side: the handles that came, and the object made of each.
typedef struct brood_unparcel {
    brood_os_handle *handles; /* BROOD_NO_HANDLE once an object has it */
    brood_value *objects;     /* none until then */
    size_t count;
} brood_unparcel;

/// brood_unparcel_loader loads from `unparcel`.
brood_loader brood_unparcel_loader(brood_unparcel *unparcel);

#endif

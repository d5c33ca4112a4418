/* What travels beside bytes, the sender's side: functions, and the handles of objects. */
#ifndef BROOD_SRC_PARCEL_H
#define BROOD_SRC_PARCEL_H

#include "codec.h"
#include "platform.h"
#include "segment.h"
#include "sharing.h"

/* An object in shared memory has these fields in its id. If its kind packs goods, then the places
 * of their handles follow, or nones, and the id of the part, if there is one, with its kind. Ids
 * are flat: a value in a reference would be shared and counted as any other. */
#define BROOD_SHARED_FIELDS 6
#define BROOD_SHARED_HANDLES 6
#define BROOD_SHARED_PART 8
#define BROOD_SHARED_PART_MAX 6

/* Where an array's id has those of its lock and its block, without their kinds, or as many
 * nones. */
#define BROOD_ARRAY_LOCK 9
#define BROOD_ARRAY_LOCK_FIELDS 5
#define BROOD_ARRAY_MEMORY 14
#define BROOD_ARRAY_MEMORY_FIELDS 6
#define BROOD_ARRAY_FIELDS 20

#define BROOD_PARCEL_HANDLES_MAX ((size_t)1 << 20) /* for one receiver at once */

/* A function or object that was saved. One that stands in a value twice is one there too. */
typedef struct brood_parcel_item {
    brood_value object;
    brood_value id; /* what stands for it */
    size_t place;   /* of its handle */
    bool given;     /* a connection or handle: to be closed here, if all goes well */
    bool owned;     /* a process: the handle is ours */
} brood_parcel_item;

/// brood_parcel keeps what it refers to open until it is released. It does not move.
typedef struct brood_parcel {
    bool trusted; /* the receiver may be sent all this */
    brood_os_handle *handles;
    size_t handle_count;
    size_t handle_room;
    brood_parcel_item *items;
    size_t item_count;
    size_t item_room;
    size_t object_count;          /* of these, without the functions */
    brood_arena arena;            /* what the ids are made of */
    const brood_segment *segment; /* the one that came last, whose handle is at */
    size_t segment_place;         /* this place */
    bool sent;
    brood_sharing known; /* entry i is item i; nothing is in it while `items` is NULL */
} brood_parcel;

/// brood_parcel_init makes an empty one, for a receiver that may be `trusted` with objects.
void brood_parcel_init(brood_parcel *parcel, bool trusted);

/// brood_parcel_saver saves into `parcel`.
brood_saver brood_parcel_saver(brood_parcel *parcel);

/// brood_parcel_give is for what was sent: it closes here what was given away.
void brood_parcel_give(brood_parcel *parcel);

/// brood_parcel_release lets go of everything.
void brood_parcel_release(brood_parcel *parcel);

#endif

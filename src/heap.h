/* Small shared objects, many to a segment: ten thousand locks cost a handful of handles.
 *
 * A cell is an object's part in shared memory. The process that made a segment hands out its cells;
 * a cell is always of one kind, so a late look at one that is gone does no harm, and it has a
 * generation, so that a reference to an earlier object in it is told from one to the present one. A
 * cell is handed out again when its maker has let go of it, no living process holds it, and no
 * message with it is on its way. Messages that are lost, and holders that were killed and came late
 * to the segment, cost their cells for as long as the segment lives: they leak, they are never
 * shared by mistake. */
#ifndef BROOD_SRC_HEAP_H
#define BROOD_SRC_HEAP_H

#include <brood/value.h>

#include "segment.h"

#define BROOD_CELL_UNIT 64 /* bytes: cells begin at multiples, so locks share no cache line */
#define BROOD_CELL_PAYLOAD_MAX ((size_t)64 * 1024)

typedef struct brood_cell {
    uint32_t kind; /* a brood_kind; this and the size never change */
    uint32_t size; /* of the cell */
    brood_word generation;
    brood_word in_flight; /* messages that have it */
    brood_word64 holders; /* a bit for each of the rows 1 to 63, and bit 0: it is being reused */
    brood_word others;    /* holders in other rows; never counted down */
    brood_word sent;      /* messages that were ever sent */
} brood_cell;             /* the payload follows */

typedef struct brood_heap_object brood_heap_object;

#define BROOD_HEAP_HANDLES 2

/// brood_heap_goods is what travels along with an object.
typedef struct brood_heap_goods {
    brood_value part;                            /* a lock or a function; none */
    brood_os_handle handles[BROOD_HEAP_HANDLES]; /* or BROOD_NO_HANDLE */
} brood_heap_goods;

#define BROOD_HEAP_GOODS_NONE ((brood_heap_goods){brood_none(), {BROOD_NO_HANDLE, BROOD_NO_HANDLE}})

/// brood_heap_kind is what one kind of object does.
typedef struct brood_heap_kind {
    brood_kind kind;
    size_t payload;     /* bytes, at least */
    size_t object_size; /* of the process's own part, which begins with a brood_heap_object */

    /// sweep gives up what a process holds in the cell, as brood_segment_kind's.
    void (*sweep)(brood_segment *segment, brood_cell *cell, uint32_t identity);

    /// busy tells whether somebody holds it, so that it has to stay as it is.
    bool (*busy)(const brood_cell *cell);

    /// fini gives back what the process's own part has besides. NULL: nothing.
    void (*fini)(brood_heap_object *object);

    /// pack says what travels along with an object; the goods were empty. NULL: nothing does.
    void (*pack)(const brood_heap_object *object, brood_heap_goods *goods);

    /// arrive gives an object what came along with it: a new one, and one that was here already. It
    /// takes what it needs of the goods: a reference of its own to the part, and handles, which are
    /// BROOD_NO_HANDLE then. BROOD_LOCK_SEGMENTS is held. NULL: as in pack.
    int (*arrive)(brood_heap_object *object, brood_heap_goods *goods);

    /// held_by tells whether a process holds it, by the process bits of its words. NULL: nobody
    /// can.
    bool (*held_by)(const brood_cell *cell, uint32_t identity);
} brood_heap_kind;

/// brood_heap_object is one process's part of an object: there is one, however often it arrives.
struct brood_heap_object {
    brood_atomic refs;
    const brood_heap_kind *kind;
    brood_segment *segment;
    brood_cell *cell;
    uint64_t offset; /* of the cell, in the segment's part for its user */
    uint32_t generation;
    long
        maker; /* the generation of this process (fork.h) that made the object; -1: another process */
};

static inline void *brood_cell_payload(const brood_cell *cell)
{
    return (char *)cell + sizeof *cell;
}

/// brood_heap_new makes an object whose payload is zero.
int brood_heap_new(brood_heap_object **out, const brood_heap_kind *kind, size_t payload);

/// brood_heap_check says BROOD_EINVAL for NULL and BROOD_ECLOSED for what is no more: a process
/// that was forked from its holder has not been counted until it first uses the object.
int brood_heap_check(const brood_heap_object *object, const brood_heap_kind *kind);

/// brood_heap_enter is brood_heap_check and sets `*me` as brood_segment_me.
int brood_heap_enter(const brood_heap_object *object, const brood_heap_kind *kind, uint32_t *me);

/// brood_heap_ref adds an owner; NULL gives NULL.
brood_heap_object *brood_heap_ref(brood_heap_object *object);
void brood_heap_free(brood_heap_object *object);

/// brood_heap_id is how an object is found by another process, together with the segment's handle.
typedef struct brood_heap_id {
    unsigned char segment[BROOD_SEGMENT_ID];
    uint64_t offset;
    uint32_t generation;
} brood_heap_id;

/// brood_heap_send counts one more message that has the object, and says how to find it.
/// BROOD_ECLOSED as brood_heap_check.
int brood_heap_send(brood_heap_object *object, brood_heap_id *id);

/// brood_heap_unsend is for a message that was not sent.
void brood_heap_unsend(brood_heap_object *object);

/// brood_heap_load finds the object of a message that has arrived, with a reference, and counts the
/// message as done. The handle as in brood_segment_attach; `goods` are what came along. Errors: as
/// there; BROOD_ECLOSED.
int brood_heap_load(brood_heap_object **out, const brood_heap_kind *kind, const brood_heap_id *id,
                    brood_os_handle *handle, brood_heap_goods *goods);

/// brood_heap_pack says what travels along with an object.
void brood_heap_pack(const brood_heap_object *object, brood_heap_goods *goods);

/// brood_heap_kind_of returns the kind's functions, NULL for a kind that lives elsewhere.
const brood_heap_kind *brood_heap_kind_of(uint32_t kind);

#endif

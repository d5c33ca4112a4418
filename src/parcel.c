#include "parcel.h"

#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "connection.h"
#include "error.h"
#include "fault.h"
#include "function.h"
#include "heap.h"
#include "memory.h"
#include "object.h"
#include "process_object.h"
#include "queue.h"

/* ---- handles ---- */

static int grow_handles(brood_parcel *parcel)
{
    const size_t room = parcel->handle_room == 0 ? 8 : parcel->handle_room * 2;
    brood_os_handle *handles = BROOD_ALLOC(realloc(parcel->handles, room * sizeof *handles));

    if (handles == NULL) {
        return brood_fail_nomem("the list of handles");
    }
    parcel->handles = handles;
    parcel->handle_room = room;
    return 0;
}

static int reserve_handle(brood_parcel *parcel)
{
    if (parcel->handle_count == BROOD_PARCEL_HANDLES_MAX) {
        return brood_fail(BROOD_ETOOBIG, "more than %zu handles at once", parcel->handle_count);
    }
    return parcel->handle_count == parcel->handle_room ? grow_handles(parcel) : 0;
}

static int add_handle(brood_parcel *parcel, brood_os_handle handle)
{
    const int rc = reserve_handle(parcel);

    if (rc == 0) {
        parcel->handles[parcel->handle_count++] = handle;
    }
    return rc;
}

/* ---- ids: tuples of the kind, the object's number, its handle's place, and what only that kind
 * has ---- */

static int make_id(brood_parcel *parcel, brood_parcel_item *item, const brood_value *fields,
                   size_t count)
{
    brood_value *copy = brood_arena_alloc(&parcel->arena, count * sizeof *copy);

    if (copy == NULL) {
        return brood_fail_nomem("a reference to an object");
    }
    memcpy(copy, fields, count * sizeof *copy);
    item->id = brood_tuple(copy, count);
    return 0;
}

static brood_value next_number(brood_parcel *parcel)
{
    return brood_uint(parcel->object_count++);
}

/* ---- objects, when they are met for the first time ---- */

static int make_connection_id(brood_parcel *parcel, brood_parcel_item *item)
{
    brood_connection *connection = item->object.as.object;
    const size_t first = parcel->handle_count;
    brood_connection_state state;
    int rc = 0;

    brood_connection_describe(connection, &state);
    if (item->given) {
        rc = brood_connection_unread(connection, &parcel->arena, &state);
    }
    for (size_t i = 0; rc == 0 && i < state.arrived_count; i++) {
        rc = add_handle(parcel, state.arrived[i]);
    }
    if (rc == 0) {
        const brood_value fields[] = {
            brood_str("connection"),         next_number(parcel),
            brood_uint(item->place),         brood_bool(state.readable),
            brood_bool(state.writable),      brood_bool(state.trusted),
            brood_view_value(state.unread),  brood_uint(first),
            brood_uint(state.arrived_count), brood_int(state.lost),
        };
        rc = make_id(parcel, item, fields, sizeof fields / sizeof fields[0]);
    }
    return rc;
}

static void drop_connection(const brood_parcel_item *item)
{
    if (item->given) {
        brood_connection_let_go(item->object.as.object);
    }
    brood_connection_unpin(item->object.as.object);
}

/* One that is given away is held: nobody receives from it meanwhile. */
static int add_connection(brood_parcel *parcel, brood_parcel_item *item)
{
    brood_connection *connection = item->object.as.object;
    brood_os_handle handle = BROOD_NO_HANDLE;
    int rc = reserve_handle(parcel);

    if (rc == 0) {
        rc = brood_connection_pin(connection, &handle);
    }
    if (rc) {
        return rc;
    }
    parcel->handles[parcel->handle_count++] = handle;
    if ((item->object.flags & BROOD_VALUE_GIVEN) != 0) {
        rc = brood_connection_hold(connection);
        item->given = rc == 0;
    }
    if (rc == 0) {
        rc = make_connection_id(parcel, item);
    }
    if (rc) {
        drop_connection(item);
    }
    return rc;
}

static int add_native(brood_parcel *parcel, brood_parcel_item *item)
{
    const brood_os_handle handle = brood_as_handle(item->object);
    int rc = brood_os_handle_check(handle);

    if (rc == 0) {
        rc = add_handle(parcel, handle);
    }
    if (rc == 0) {
        const brood_value fields[] = {brood_str("handle"), next_number(parcel),
                                      brood_uint(item->place)};
        rc = make_id(parcel, item, fields, sizeof fields / sizeof fields[0]);
    }
    return rc;
}

/* The handle is ours: a duplicate, closed at the end. */
static int add_process(brood_parcel *parcel, brood_parcel_item *item)
{
    brood_process *process = item->object.as.object;
    brood_os_identity who;
    int rc = reserve_handle(parcel);

    if (rc == 0) {
        rc = brood_process_identify(&who, process);
    }
    if (rc == 0) {
        const bool has_handle = who.handle != BROOD_NO_HANDLE;
        const brood_value fields[] = {brood_str("process"),
                                      next_number(parcel),
                                      has_handle ? brood_uint(item->place) : brood_none(),
                                      brood_int(who.pid),
                                      brood_uint(who.born),
                                      brood_str(brood_process_name(process))};
        rc = make_id(parcel, item, fields, sizeof fields / sizeof fields[0]);
        if (rc) {
            brood_os_handle_close(who.handle);
        } else if (has_handle) {
            parcel->handles[parcel->handle_count++] = who.handle;
            item->owned = true;
        }
    }
    return rc;
}

/* The handle of the object's segment, which may be there already: of any number of objects in one
 * segment there is one. */
static int place_of_segment(brood_parcel *parcel, const brood_segment *segment, size_t *place)
{
    brood_os_handle handle;
    int rc = 0;

    for (size_t i = 0; parcel->segment != segment && i < parcel->item_count; i++) {
        const brood_parcel_item *item = &parcel->items[i];
        if (brood_heap_kind_of(item->object.kind) != NULL &&
            ((const brood_heap_object *)item->object.as.object)->segment == segment) {
            parcel->segment = segment;
            parcel->segment_place = item->place;
        }
    }
    if (parcel->segment != segment) {
        rc = brood_segment_handle(&handle, segment);
        if (rc == 0) {
            rc = add_handle(parcel, handle);
        }
        if (rc == 0) {
            parcel->segment = segment;
            parcel->segment_place = parcel->handle_count - 1;
        }
    }
    *place = parcel->segment_place;
    return rc;
}

static int item_of(brood_parcel *parcel, brood_value object, brood_parcel_item **item);

/* Objects in shared memory: they are counted as being on their way until the message was received,
 * or was not sent. `more` fields are what only this kind has. */
static int add_shared_with(brood_parcel *parcel, brood_parcel_item *item, const brood_value *more,
                           size_t count)
{
    brood_heap_object *shared = item->object.as.object;
    brood_heap_id id;
    unsigned char *segment = brood_arena_alloc(&parcel->arena, sizeof id.segment);
    int rc = segment != NULL ? place_of_segment(parcel, shared->segment, &item->place)
                             : brood_fail_nomem("a reference to an object");

    if (rc == 0) {
        rc = brood_heap_send(shared, &id);
    }
    if (rc == 0) {
        memcpy(segment, id.segment, sizeof id.segment);
        brood_value fields[BROOD_ARRAY_FIELDS] = {brood_str(brood_kind_name(item->object.kind)),
                                                  next_number(parcel),
                                                  brood_uint(item->place),
                                                  brood_bytes(segment, sizeof id.segment),
                                                  brood_uint(id.offset),
                                                  brood_uint(id.generation)};
        for (size_t i = 0; i < count; i++) {
            fields[BROOD_SHARED_FIELDS + i] = more[i];
        }
        rc = make_id(parcel, item, fields, BROOD_SHARED_FIELDS + count);
        if (rc) {
            brood_heap_unsend(shared);
        }
    }
    return rc;
}

/* The handles are the queue's. Which of them there are is the system's. */
static int add_queue(brood_parcel *parcel, brood_parcel_item *item)
{
    brood_queue *queue = item->object.as.object;
    brood_os_handle handles[BROOD_QUEUE_HANDLES];
    brood_value places[BROOD_QUEUE_HANDLES];
    unsigned char *id = brood_arena_alloc(&parcel->arena, BROOD_SEGMENT_ID);
    int rc = id != NULL ? brood_queue_handles(queue, handles)
                        : brood_fail_nomem("a reference to a queue");

    for (size_t i = 0; rc == 0 && i < BROOD_QUEUE_HANDLES; i++) {
        places[i] = brood_none();
        if (handles[i] != BROOD_NO_HANDLE) {
            places[i] = brood_uint(parcel->handle_count);
            rc = add_handle(parcel, handles[i]);
        }
    }
    if (rc == 0) {
        memcpy(id, queue->segment->id, BROOD_SEGMENT_ID);
        const brood_value fields[] = {brood_str("queue"), next_number(parcel),
                                      places[0],          places[1],
                                      places[2],          brood_bytes(id, BROOD_SEGMENT_ID)};
        rc = make_id(parcel, item, fields, sizeof fields / sizeof fields[0]);
    }
    return rc;
}

/* What travels along, after the fields that all have. The part was saved before (add_parts), so no
 * list of objects grows here. */
static int add_goods(brood_parcel *parcel, const brood_heap_object *shared, brood_value *fields,
                     size_t *count)
{
    brood_parcel_item *part;
    brood_heap_goods goods;
    int rc = 0;

    brood_heap_pack(shared, &goods);
    *count = 0;
    for (size_t i = 0; rc == 0 && i < BROOD_HEAP_HANDLES; i++) {
        fields[*count] = brood_none();
        if (goods.handles[i] != BROOD_NO_HANDLE) {
            fields[*count] = brood_uint(parcel->handle_count);
            rc = add_handle(parcel, goods.handles[i]);
        }
        ++*count;
    }
    if (rc == 0 && goods.part.kind != BROOD_NONE) {
        rc = item_of(parcel, goods.part, &part);
        for (size_t i = 0; rc == 0 && i < brood_value_count(part->id); i++) {
            fields[(*count)++] = brood_value_at(part->id, i);
        }
    }
    return rc;
}

static int add_shared(brood_parcel *parcel, brood_parcel_item *item)
{
    const brood_heap_object *shared = item->object.as.object;
    brood_value fields[BROOD_HEAP_HANDLES + BROOD_SHARED_PART_MAX];
    size_t count = 0;
    int rc = 0;

    if (shared->kind->pack != NULL) {
        rc = add_goods(parcel, shared, fields, &count);
    }
    return rc ? rc : add_shared_with(parcel, item, fields, count);
}

static int add_memory(brood_parcel *parcel, brood_parcel_item *item)
{
    brood_memory_state state;
    brood_os_handle handle = BROOD_NO_HANDLE;
    int rc = brood_memory_describe(item->object.as.object, &state, &handle);

    if (rc == 0) {
        rc = add_handle(parcel, handle);
    }
    if (rc == 0) {
        const brood_view id = {brood_arena_text(&parcel->arena, state.id, sizeof state.id),
                               sizeof state.id};
        const brood_value fields[] = {
            brood_str("memory"),    next_number(parcel),         brood_uint(item->place),
            brood_uint(state.size), brood_bool(state.read_only), brood_str(state.name),
            brood_view_value(id),
        };
        rc = id.data != NULL ? make_id(parcel, item, fields, sizeof fields / sizeof fields[0])
                             : brood_fail_nomem("a reference to shared memory");
    }
    return rc;
}

/* Copies the id of what an array refers to, without its kind. It was saved before the array
 * (add_parts), so no list grows here. */
static int copy_part(brood_parcel *parcel, brood_value part, brood_value *fields, size_t count)
{
    brood_parcel_item *item = NULL;
    int rc = 0;

    if (part.kind != BROOD_NONE) {
        rc = item_of(parcel, part, &item);
    }
    for (size_t i = 0; i < count; i++) {
        fields[i] = item != NULL ? brood_value_at(item->id, i + 1) : brood_none();
    }
    return rc;
}

static int add_array(brood_parcel *parcel, brood_parcel_item *item)
{
    brood_value fields[BROOD_ARRAY_FIELDS]; /* from the first one that only arrays have */
    brood_array_state state;
    char *letter = brood_arena_text(&parcel->arena, "", 1);
    int rc;

    if (letter == NULL) {
        return brood_fail_nomem("a reference to an array");
    }
    brood_array_describe(item->object.as.object, &state);
    *letter = state.letter;
    fields[0] = brood_text(letter, 1);
    fields[1] = brood_uint(state.item_size);
    fields[2] = brood_uint(state.count);
    rc = copy_part(parcel, brood_object_(BROOD_LOCK, state.lock),
                   fields + BROOD_ARRAY_LOCK - BROOD_SHARED_FIELDS, BROOD_ARRAY_LOCK_FIELDS);
    rc = rc ? rc
            : copy_part(parcel, brood_object_(BROOD_MEMORY, state.memory),
                        fields + BROOD_ARRAY_MEMORY - BROOD_SHARED_FIELDS,
                        BROOD_ARRAY_MEMORY_FIELDS);
    return rc ? rc
              : add_shared_with(parcel, item, fields, BROOD_ARRAY_FIELDS - BROOD_SHARED_FIELDS);
}

static int add_object(brood_parcel *parcel, brood_parcel_item *item)
{
    switch (item->object.kind) {
    case BROOD_FUNCTION:
        return brood_function_save(&parcel->arena, item->object.as.function, &item->id);
    case BROOD_CONNECTION:
        return add_connection(parcel, item);
    case BROOD_HANDLE:
        return add_native(parcel, item);
    case BROOD_PROCESS:
        return add_process(parcel, item);
    case BROOD_QUEUE:
        return add_queue(parcel, item);
    case BROOD_MEMORY:
        return add_memory(parcel, item);
    case BROOD_ARRAY:
        return add_array(parcel, item);
    default:
        if (brood_heap_kind_of(item->object.kind) != NULL) {
            return add_shared(parcel, item);
        }
        return brood_fail(BROOD_ETYPE, "%s cannot travel", brood_kind_a(item->object.kind));
    }
}

static int grow_items(brood_parcel *parcel)
{
    const size_t room = parcel->item_room == 0 ? 8 : parcel->item_room * 2;
    brood_parcel_item *items = BROOD_ALLOC(realloc(parcel->items, room * sizeof *items));

    if (items == NULL) {
        return brood_fail_nomem("the list of objects");
    }
    if (parcel->items == NULL) {
        brood_sharing_init(&parcel->known);
    }
    parcel->items = items;
    parcel->item_room = room;
    return 0;
}

/* The lock and the block of an array stand in the list before it, and so do the parts of others. */
static int add_parts(brood_parcel *parcel, brood_value object)
{
    brood_array_state state = {0, 0, 0, NULL, NULL};
    brood_heap_goods goods = BROOD_HEAP_GOODS_NONE;
    brood_parcel_item *item;
    int rc = 0;

    if (object.kind == BROOD_ARRAY) {
        brood_array_describe(object.as.object, &state);
    } else if (brood_heap_kind_of(object.kind) != NULL) {
        brood_heap_pack(object.as.object, &goods);
    }
    if (state.lock != NULL) {
        rc = item_of(parcel, brood_object_(BROOD_LOCK, state.lock), &item);
    }
    if (rc == 0 && state.memory != NULL) {
        rc = item_of(parcel, brood_object_(BROOD_MEMORY, state.memory), &item);
    }
    if (rc == 0 && goods.part.kind != BROOD_NONE) {
        rc = item_of(parcel, goods.part, &item);
    }
    return rc;
}

static int item_of(brood_parcel *parcel, brood_value object, brood_parcel_item **item)
{
    brood_value key = object;
    size_t index = 0;
    bool found = false;
    int rc = add_parts(parcel, object);

    if (rc == 0 && parcel->item_count == parcel->item_room) {
        rc = grow_items(parcel);
    }
    if (object.kind == BROOD_HANDLE && (object.flags & BROOD_VALUE_OWNED) == 0) {
        key.as.data = (const void *)(intptr_t)object.as.i64;
    }
    if (rc == 0) {
        rc = brood_sharing_find(&parcel->known, key, object.flags & BROOD_VALUE_OWNED, &index,
                                &found);
    }
    if (rc) {
        return rc;
    }
    *item = &parcel->items[index];
    if (!found) {
        **item = (brood_parcel_item){object, brood_none(), parcel->handle_count, false, false};
        rc = add_object(parcel, *item);
        parcel->item_count += rc == 0;
    }
    return rc;
}

/* ---- the saver: it is asked twice for everything, and answers the same ---- */

static int save(void *user, brood_value object, brood_value *id)
{
    brood_parcel *parcel = user;
    const bool given = (object.flags & BROOD_VALUE_GIVEN) != 0;
    brood_parcel_item *item = NULL;
    int rc;

    if (!parcel->trusted) {
        return brood_fail(BROOD_ETYPE, "%s cannot be sent to a stranger",
                          brood_kind_a(object.kind));
    }
    rc = item_of(parcel, object, &item);
    if (rc) {
        return rc;
    }
    if (given && !item->given && object.kind == BROOD_CONNECTION) {
        return brood_fail(BROOD_EINVAL, "a connection is given away and not, in one value");
    }
    item->given |= given && object.kind == BROOD_HANDLE;
    *id = item->id;
    return 0;
}

void brood_parcel_init(brood_parcel *parcel, bool trusted)
{
    parcel->trusted = trusted;
    parcel->handles = NULL;
    parcel->handle_count = 0;
    parcel->handle_room = 0;
    parcel->items = NULL;
    parcel->item_count = 0;
    parcel->item_room = 0;
    parcel->object_count = 0;
    parcel->arena = BROOD_ARENA_NONE;
    parcel->segment = NULL;
    parcel->segment_place = 0;
    parcel->sent = false;
}

brood_saver brood_parcel_saver(brood_parcel *parcel)
{
    const brood_saver saver = {NULL, save, parcel};
    return saver;
}

/* ---- the end ---- */

void brood_parcel_give(brood_parcel *parcel)
{
    parcel->sent = true;
    for (size_t i = 0; i < parcel->item_count; i++) {
        const brood_parcel_item *item = &parcel->items[i];
        if (!item->given) {
            continue;
        }
        if (item->object.kind == BROOD_CONNECTION) {
            brood_connection_close(item->object.as.object);
        } else if (item->object.kind == BROOD_HANDLE &&
                   (item->object.flags & BROOD_VALUE_OWNED) == 0) {
            brood_os_handle_close(brood_as_handle(item->object));
        }
    }
}

static void release_item(const brood_parcel *parcel, const brood_parcel_item *item)
{
    if (item->object.kind == BROOD_CONNECTION) {
        drop_connection(item);
    }
    if (item->owned) {
        brood_os_handle_close(parcel->handles[item->place]);
    }
    if (!parcel->sent && brood_heap_kind_of(item->object.kind) != NULL) {
        brood_heap_unsend(item->object.as.object);
    }
}

void brood_parcel_release(brood_parcel *parcel)
{
    if (parcel->items == NULL) { /* as in most messages */
        return;
    }
    for (size_t i = 0; i < parcel->item_count; i++) {
        release_item(parcel, &parcel->items[i]);
    }
    brood_sharing_fini(&parcel->known);
    brood_arena_release(&parcel->arena);
    free(parcel->handles);
    free(parcel->items);
    brood_parcel_init(parcel, parcel->trusted);
}

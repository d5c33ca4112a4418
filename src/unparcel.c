#include "unparcel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection.h"
#include "error.h"
#include "fault.h"
#include "function.h"
#include "handle.h"
#include "heap.h"
#include "object.h"
#include "process_object.h"
#include "queue.h"

/* ---- the fields of an id, see parcel.c ---- */

static int fail_malformed(brood_value id)
{
    const brood_view name = brood_as_view(brood_value_at(id, 0));

    return brood_fail(BROOD_EDECODE, "a reference to a %.*s is malformed",
                      (int)(name.size < 40 ? name.size : 40),
                      name.size > 0 ? (const char *)name.data : "thing");
}

static bool is_named(brood_value id, const char *name)
{
    const brood_view view = brood_as_view(brood_value_at(id, 0));

    return view.size == strlen(name) && memcmp(view.data, name, view.size) == 0;
}

/* What has no handle at this place, or gave it to an object already, is lost. */
static int find_handle(const brood_unparcel *unparcel, brood_value place, brood_os_handle **handle)
{
    const uint64_t index = brood_as_uint(place, UINT64_MAX);

    if (index >= unparcel->handle_count || unparcel->handles[index] == BROOD_NO_HANDLE) {
        return brood_fail(BROOD_EHANDLE, "a reference to handle %llu of %zu",
                          (unsigned long long)index, unparcel->handle_count);
    }
    *handle = &unparcel->handles[index];
    return 0;
}

/* ---- each kind ---- */

/* The handles of a message that was on its way to the connection itself. */
static int find_arrived(const brood_unparcel *unparcel, brood_value id,
                        brood_connection_state *state)
{
    const uint64_t first = brood_as_uint(brood_value_at(id, 7), UINT64_MAX);
    const uint64_t count = brood_as_uint(brood_value_at(id, 8), UINT64_MAX);

    if (first > unparcel->handle_count || count > unparcel->handle_count - first) {
        return brood_fail(BROOD_EHANDLE, "a connection refers to %llu handles of %zu",
                          (unsigned long long)count, unparcel->handle_count);
    }
    state->arrived = unparcel->handles + first;
    state->arrived_count = (size_t)count;
    for (size_t i = 0; i < state->arrived_count; i++) {
        if (state->arrived[i] == BROOD_NO_HANDLE) {
            return fail_malformed(id);
        }
    }
    return 0;
}

static int load_connection(brood_unparcel *unparcel, brood_value id, brood_kind kind,
                           brood_value *object)
{
    brood_connection_state state;
    brood_connection *connection = NULL;
    brood_os_handle *handle = NULL;
    brood_os_handle taken;
    int rc = find_handle(unparcel, brood_value_at(id, 2), &handle);

    if (rc) {
        return rc;
    }
    taken = *handle;
    *handle = BROOD_NO_HANDLE; /* so that it is not among the arrived */
    memset(&state, 0, sizeof state);
    state.readable = brood_as_bool(brood_value_at(id, 3), false);
    state.writable = brood_as_bool(brood_value_at(id, 4), false);
    state.trusted = brood_as_bool(brood_value_at(id, 5), false);
    state.unread = brood_as_view(brood_value_at(id, 6));
    state.lost = brood_as_int(brood_value_at(id, 9), 1) == 0 ? 0 : BROOD_EHANDLE;
    rc = find_arrived(unparcel, id, &state);
    if (rc == 0) {
        rc = brood_connection_of_handle(&connection, taken, &state);
    }
    if (rc) {
        *handle = taken;
        return rc;
    }
    for (size_t i = 0; i < state.arrived_count; i++) {
        unparcel->handles[(size_t)(state.arrived - unparcel->handles) + i] = BROOD_NO_HANDLE;
    }
    *object = brood_object_(kind, connection);
    return 0;
}

static int load_handle(brood_unparcel *unparcel, brood_value id, brood_kind kind,
                       brood_value *object)
{
    brood_os_handle *handle = NULL;
    int rc = find_handle(unparcel, brood_value_at(id, 2), &handle);

    (void)kind;
    if (rc == 0) {
        rc = brood_handle_own(object, *handle);
    }
    if (rc == 0) {
        *handle = BROOD_NO_HANDLE;
    }
    return rc;
}

static int load_process(brood_unparcel *unparcel, brood_value id, brood_kind kind,
                        brood_value *object)
{
    const brood_value place = brood_value_at(id, 2);
    const brood_view name = brood_as_view(brood_value_at(id, 5));
    brood_os_identity who = {brood_as_int(brood_value_at(id, 3), 0),
                             brood_as_uint(brood_value_at(id, 4), 0), BROOD_NO_HANDLE};
    brood_os_handle *handle = &who.handle;
    brood_process *process = NULL;
    char words[BROOD_NAME_SIZE];
    int rc = place.kind != BROOD_NONE ? find_handle(unparcel, place, &handle) : 0;

    if (rc) {
        return rc;
    }
    (void)snprintf(words, sizeof words, "%.*s", (int)(name.size < sizeof words ? name.size : 0),
                   name.size > 0 ? (const char *)name.data : "");
    who.handle = *handle;
    rc = brood_process_of_identity(&process, words, &who);
    if (rc == 0) {
        *handle = BROOD_NO_HANDLE;
        *object = brood_object_(kind, process);
    }
    return rc;
}

static int load_part(brood_unparcel *unparcel, brood_value id, brood_value *part);

/* What came along with an object in shared memory, with a reference to the part. The handles are
 * taken, so that no other object gets them. */
static int load_goods(brood_unparcel *unparcel, brood_value id, brood_heap_goods *goods)
{
    int rc = 0;

    *goods = BROOD_HEAP_GOODS_NONE;
    for (size_t i = 0; rc == 0 && i < BROOD_HEAP_HANDLES; i++) {
        const brood_value place = brood_value_at(id, 7 + i);
        brood_os_handle *handle = NULL;
        if (place.kind != BROOD_NONE) {
            rc = find_handle(unparcel, place, &handle);
        }
        if (place.kind != BROOD_NONE && rc == 0) {
            goods->handles[i] = *handle;
            *handle = BROOD_NO_HANDLE;
        }
    }
    return rc == 0 ? load_part(unparcel, brood_value_at(id, 6), &goods->part) : rc;
}

/* What the object did not need. */
static void drop_goods(const brood_heap_goods *goods)
{
    for (size_t i = 0; i < BROOD_HEAP_HANDLES; i++) {
        brood_os_handle_close(goods->handles[i]);
    }
    brood_object_free(goods->part);
}

/* The handle is there for the first of the objects in a segment, if this process did not have it. */
static int load_shared(brood_unparcel *unparcel, brood_value id, brood_kind number,
                       brood_value *object)
{
    const brood_heap_kind *kind = brood_heap_kind_of(number);
    brood_heap_goods goods;
    const uint64_t place = brood_as_uint(brood_value_at(id, 2), UINT64_MAX);
    const brood_view segment = brood_as_view(brood_value_at(id, 3));
    brood_os_handle none = BROOD_NO_HANDLE;
    brood_heap_object *shared = NULL;
    brood_heap_id which;
    int rc;

    if (segment.size != sizeof which.segment) {
        return fail_malformed(id);
    }
    memcpy(which.segment, segment.data, sizeof which.segment);
    which.offset = brood_as_uint(brood_value_at(id, 4), 0);
    which.generation = (uint32_t)brood_as_uint(brood_value_at(id, 5), 0);
    rc = load_goods(unparcel, id, &goods);
    if (rc == 0) {
        rc = brood_heap_load(&shared, kind, &which,
                             place < unparcel->handle_count ? &unparcel->handles[place] : &none,
                             &goods);
    }
    if (rc == 0) {
        *object = brood_object_(kind->kind, shared);
    }
    drop_goods(&goods);
    return rc;
}

/* The handles are needed unless the queue is here already. */
static int load_queue(brood_unparcel *unparcel, brood_value id, brood_kind kind,
                      brood_value *object)
{
    const brood_view segment = brood_as_view(brood_value_at(id, 5));
    brood_os_handle none[BROOD_QUEUE_HANDLES];
    brood_os_handle *handles[BROOD_QUEUE_HANDLES];
    brood_queue *queue = NULL;
    int rc = 0;

    if (segment.size != BROOD_SEGMENT_ID) {
        return fail_malformed(id);
    }
    for (size_t i = 0; rc == 0 && i < BROOD_QUEUE_HANDLES; i++) {
        const brood_value place = brood_value_at(id, 2 + i);
        none[i] = BROOD_NO_HANDLE;
        handles[i] = &none[i];
        rc = place.kind != BROOD_NONE ? find_handle(unparcel, place, &handles[i]) : 0;
    }
    if (rc == 0) {
        rc = brood_queue_load(&queue, segment.data, handles);
    }
    if (rc == 0) {
        *object = brood_object_(kind, queue);
    }
    return rc;
}

/* ---- all ---- */

typedef struct loader_of_kind {
    brood_kind kind;
    size_t fields; /* at least */
    int (*load)(brood_unparcel *unparcel, brood_value id, brood_kind kind, brood_value *object);
} loader_of_kind;

static const loader_of_kind kinds[] = {
    {BROOD_CONNECTION, 10, load_connection},
    {BROOD_HANDLE, 3, load_handle},
    {BROOD_PROCESS, 6, load_process},
    {BROOD_LOCK, 9, load_shared},
    {BROOD_SEMAPHORE, 9, load_shared},
    {BROOD_CONDITION, 9, load_shared},
    {BROOD_EVENT, 9, load_shared},
    {BROOD_BARRIER, 9, load_shared},
    {BROOD_QUEUE, 6, load_queue},
};

static const loader_of_kind *find_kind(brood_value id)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (is_named(id, brood_kind_name((int)kinds[i].kind))) {
            return &kinds[i];
        }
    }
    return NULL;
}

static int reserve_object(brood_unparcel *unparcel)
{
    const size_t room = unparcel->object_room == 0 ? 8 : unparcel->object_room * 2;
    brood_value *objects;

    if (unparcel->object_count < unparcel->object_room) {
        return 0;
    }
    objects = BROOD_ALLOC(realloc(unparcel->objects, room * sizeof *objects));
    if (objects == NULL) {
        return brood_fail_nomem("the objects of a message");
    }
    unparcel->objects = objects;
    unparcel->object_room = room;
    return 0;
}

/* Objects are numbered as they come, their parts before them; a number that was there before is the
 * same object again. */
static int load_object(brood_unparcel *unparcel, const loader_of_kind *kind, brood_value id,
                       brood_value *object)
{
    const uint64_t number = brood_as_uint(brood_value_at(id, 1), UINT64_MAX);
    int rc;

    if (number < unparcel->object_count && unparcel->objects[number].kind == kind->kind) {
        *object = unparcel->objects[number];
        brood_object_ref(*object);
        return 0;
    }
    if (number < unparcel->object_count || brood_value_count(id) < kind->fields) {
        return fail_malformed(id);
    }
    rc = kind->load(unparcel, id, kind->kind, object);
    if (rc) {
        return rc;
    }
    rc = number == unparcel->object_count ? reserve_object(unparcel) : fail_malformed(id);
    if (rc) {
        brood_object_free(*object);
        return rc;
    }
    unparcel->objects[unparcel->object_count++] = *object;
    return 0;
}

static int load_function(const brood_unparcel *unparcel, brood_value id, brood_value *object)
{
    brood_function function;
    int rc;

    if (!brood_function_concerns(id)) {
        return brood_fail(BROOD_EDECODE, "an object of a kind that this version does not know");
    }
    rc = brood_function_load(id, unparcel->may_load, &function);
    if (rc == 0) {
        *object = brood_function_value(function);
    }
    return rc;
}

/* Only what has no parts itself: nothing goes deeper than this. */
static int load_part(brood_unparcel *unparcel, brood_value id, brood_value *part)
{
    const loader_of_kind *kind = find_kind(id);

    if (id.kind == BROOD_NONE) {
        *part = brood_none();
        return 0;
    }
    if (kind == NULL) {
        return load_function(unparcel, id, part);
    }
    return kind->kind == BROOD_LOCK ? load_object(unparcel, kind, id, part) : fail_malformed(id);
}

static int load(void *user, brood_arena *arena, brood_value id, brood_value *object)
{
    const loader_of_kind *kind = find_kind(id);

    (void)arena;
    return kind != NULL ? load_object(user, kind, id, object) : load_function(user, id, object);
}

void brood_unparcel_init(brood_unparcel *unparcel, brood_os_handle *handles, size_t count)
{
    unparcel->handles = handles;
    unparcel->handle_count = count;
    unparcel->objects = NULL;
    unparcel->object_count = 0;
    unparcel->object_room = 0;
    unparcel->may_load = false;
}

brood_loader brood_unparcel_loader(brood_unparcel *unparcel)
{
    const brood_loader loader = {load, unparcel};
    return loader;
}

void brood_unparcel_close(brood_unparcel *unparcel)
{
    for (size_t i = 0; i < unparcel->handle_count; i++) {
        brood_os_handle_close(unparcel->handles[i]);
    }
    free(unparcel->handles);
    free(unparcel->objects);
    brood_unparcel_init(unparcel, NULL, 0);
}

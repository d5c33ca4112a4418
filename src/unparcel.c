#include "unparcel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "connection.h"
#include "error.h"
#include "fault.h"
#include "function.h"
#include "handle.h"
#include "heap.h"
#include "memory.h"
#include "object.h"
#include "parcel.h"
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

static int load_part(brood_unparcel *unparcel, brood_value id, size_t first, brood_value *part);

/* What came along with an object in shared memory, with a reference to the part. The handles are
 * taken, so that no other object gets them. */
static int load_goods(brood_unparcel *unparcel, brood_value id, brood_heap_goods *goods)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < BROOD_HEAP_HANDLES; i++) {
        const brood_value place = brood_value_at(id, BROOD_SHARED_HANDLES + i);
        brood_os_handle *handle = NULL;
        if (place.kind == BROOD_NONE) {
            continue;
        }
        rc = find_handle(unparcel, place, &handle);
        if (rc == 0) {
            goods->handles[i] = *handle;
            *handle = BROOD_NO_HANDLE;
        }
    }
    return rc ? rc : load_part(unparcel, id, BROOD_SHARED_PART, &goods->part);
}

/* What the object did not need. */
static void drop_goods(const brood_heap_goods *goods)
{
    for (size_t i = 0; i < BROOD_HEAP_HANDLES; i++) {
        brood_os_handle_close(goods->handles[i]);
    }
    brood_object_free(goods->part);
}

/* The handle is there for the first of the objects in a segment, if this process did not have
 * it. */
static int load_shared(brood_unparcel *unparcel, brood_value id, brood_kind number,
                       brood_value *object)
{
    const brood_heap_kind *kind = brood_heap_kind_of(number);
    brood_heap_goods goods = BROOD_HEAP_GOODS_NONE;
    const uint64_t place = brood_as_uint(brood_value_at(id, 2), UINT64_MAX);
    const brood_view segment = brood_as_view(brood_value_at(id, 3));
    brood_os_handle none = BROOD_NO_HANDLE;
    brood_heap_object *shared = NULL;
    brood_heap_id which;
    int rc = 0;

    if (segment.size != sizeof which.segment) {
        return fail_malformed(id);
    }
    memcpy(which.segment, segment.data, sizeof which.segment);
    which.offset = brood_as_uint(brood_value_at(id, 4), 0);
    which.generation = (uint32_t)brood_as_uint(brood_value_at(id, 5), 0);
    if (kind->pack != NULL) {
        rc = load_goods(unparcel, id, &goods);
    }
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

static bool read_memory(brood_value id, brood_memory_state *state)
{
    const uint64_t size = brood_as_uint(brood_value_at(id, 3), 0);
    const brood_value read_only = brood_value_at(id, 4);
    const brood_value name = brood_value_at(id, 5);
    const brood_view number = brood_as_view(brood_value_at(id, 6));

    if (size == 0 || size > PTRDIFF_MAX || read_only.kind != BROOD_BOOL ||
        number.size != sizeof state->id) {
        return false;
    }
    memcpy(state->id, number.data, sizeof state->id);
    state->size = (size_t)size;
    state->read_only = brood_as_bool(read_only, true);
    state->name = brood_as_str(name, NULL);
    return name.kind == BROOD_NONE ||
           (state->name != NULL && brood_memory_name_check(state->name) == 0);
}

static int load_memory(brood_unparcel *unparcel, brood_value id, brood_kind kind,
                       brood_value *object)
{
    brood_memory_state state;
    brood_memory *memory = NULL;
    brood_os_handle *handle = NULL;
    int rc;

    if (!read_memory(id, &state)) {
        return fail_malformed(id);
    }
    rc = find_handle(unparcel, brood_value_at(id, 2), &handle);
    if (rc == 0) {
        rc = brood_memory_arrive(&memory, *handle, &state);
    }
    if (rc == 0) {
        *handle = BROOD_NO_HANDLE;
        *object = brood_object_(kind, memory);
    }
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

static int load_array(brood_unparcel *unparcel, brood_value id, brood_kind kind,
                      brood_value *object);

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
    {BROOD_LOCK, BROOD_SHARED_FIELDS, load_shared},
    {BROOD_SEMAPHORE, BROOD_SHARED_FIELDS, load_shared},
    {BROOD_CONDITION, BROOD_SHARED_PART, load_shared},
    {BROOD_EVENT, BROOD_SHARED_PART, load_shared},
    {BROOD_BARRIER, BROOD_SHARED_PART, load_shared},
    {BROOD_QUEUE, 6, load_queue},
    {BROOD_MEMORY, 7, load_memory},
    {BROOD_ARRAY, BROOD_ARRAY_FIELDS, load_array},
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
    brood_value fresh = brood_none();
    int rc;

    if (number < unparcel->object_count && unparcel->objects[number].kind == kind->kind) {
        *object = unparcel->objects[number];
        brood_object_ref(*object);
        return 0;
    }
    if (number < unparcel->object_count || brood_value_count(id) < kind->fields) {
        return fail_malformed(id);
    }
    rc = kind->load(unparcel, id, kind->kind, &fresh);
    if (rc) {
        return rc;
    }
    rc = number == unparcel->object_count ? reserve_object(unparcel) : fail_malformed(id);
    if (rc) {
        brood_object_free(fresh);
        return rc;
    }
    unparcel->objects[unparcel->object_count++] = fresh;
    *object = fresh;
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

/* ---- parts ---- */

/* Whose id stands at the end of another, from a field on; none if there is nothing. Only what has
 * no parts itself: nothing goes deeper than this. */
static int load_part(brood_unparcel *unparcel, brood_value id, size_t first, brood_value *part)
{
    const size_t count = brood_value_count(id) - first;
    brood_value fields[BROOD_SHARED_PART_MAX];
    brood_value whole;
    const loader_of_kind *kind;

    if (count == 0) {
        return 0;
    }
    for (size_t i = 0; i < count && i < BROOD_SHARED_PART_MAX; i++) {
        fields[i] = brood_value_at(id, first + i);
    }
    whole = brood_tuple(fields, count < BROOD_SHARED_PART_MAX ? count : BROOD_SHARED_PART_MAX);
    kind = find_kind(whole);
    if (kind == NULL) {
        return load_function(unparcel, whole, part);
    }
    return kind->kind == BROOD_LOCK ? load_object(unparcel, kind, whole, part) : fail_malformed(id);
}

/* ---- arrays, whose references hold those of their lock and their block ---- */

/* An object of this kind whose id begins at a field, without the kind; or none. */
static int load_array_part(brood_unparcel *unparcel, brood_value id, size_t first, size_t count,
                           brood_kind kind, brood_value *part)
{
    brood_value fields[1 + BROOD_ARRAY_MEMORY_FIELDS];
    brood_value whole;

    if (brood_value_at(id, first).kind == BROOD_NONE) {
        return 0;
    }
    fields[0] = brood_str(brood_kind_name((int)kind));
    for (size_t i = 0; i < count; i++) {
        fields[1 + i] = brood_value_at(id, first + i);
    }
    whole = brood_tuple(fields, 1 + count);
    return load_object(unparcel, find_kind(whole), whole, part);
}

static int load_parts(brood_unparcel *unparcel, brood_value id, brood_value parts[2])
{
    int rc;

    parts[0] = brood_none();
    parts[1] = brood_none();
    rc = load_array_part(unparcel, id, BROOD_ARRAY_LOCK, BROOD_ARRAY_LOCK_FIELDS, BROOD_LOCK,
                         &parts[0]);
    return rc ? rc
              : load_array_part(unparcel, id, BROOD_ARRAY_MEMORY, BROOD_ARRAY_MEMORY_FIELDS,
                                BROOD_MEMORY, &parts[1]);
}

static void free_parts(const brood_value parts[2])
{
    brood_object_free(parts[0]);
    brood_object_free(parts[1]);
}

static int load_array(brood_unparcel *unparcel, brood_value id, brood_kind kind,
                      brood_value *object)
{
    const brood_view letter = brood_as_view(brood_value_at(id, 6));
    const uint64_t item_size = brood_as_uint(brood_value_at(id, 7), 0);
    const uint64_t count = brood_as_uint(brood_value_at(id, 8), UINT64_MAX);
    brood_value parts[2];
    brood_value shared = brood_none();
    brood_array_state state;
    int rc;

    if (letter.size != 1 || item_size > PTRDIFF_MAX || count > PTRDIFF_MAX) {
        return fail_malformed(id);
    }
    rc = load_parts(unparcel, id, parts);
    rc = rc ? rc : load_shared(unparcel, id, kind, &shared);
    if (rc == 0) {
        state = (brood_array_state){*(const char *)letter.data, (size_t)item_size, (size_t)count,
                                    parts[0].as.object, parts[1].as.object};
        rc = brood_array_arrive(shared.as.object, &state);
    }
    if (rc) {
        brood_object_free(shared);
        free_parts(parts);
        return rc;
    }
    *object = shared;
    return 0;
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

#include "parcel.h"

#include <stdlib.h>
#include <string.h>

#include "connection.h"
#include "error.h"
#include "fault.h"
#include "function.h"
#include "object.h"

#define CONNECTION_FIELDS 5 /* "connection", handle, readable, writable, unread bytes */

/* ---- sending ---- */

static void unpin_all(brood_parcel *parcel)
{
    for (size_t i = 0; i < parcel->count; i++) {
        brood_connection_unpin(parcel->objects[i].as.object);
    }
    parcel->count = 0;
}

static void begin(void *user)
{
    brood_parcel *parcel = user;

    unpin_all(parcel);
    brood_arena_release(&parcel->arena);
}

static int grow(brood_parcel *parcel)
{
    const size_t capacity = parcel->capacity == 0 ? 8 : parcel->capacity * 2;
    brood_os_handle *handles;
    brood_value *objects;

    handles = BROOD_ALLOC(realloc(parcel->handles, capacity * sizeof *handles));
    if (handles == NULL) {
        return brood_fail_nomem("the list of handles");
    }
    parcel->handles = handles;
    objects = BROOD_ALLOC(realloc(parcel->objects, capacity * sizeof *objects));
    if (objects == NULL) {
        return brood_fail_nomem("the list of objects");
    }
    parcel->objects = objects;
    parcel->capacity = capacity;
    return 0;
}

/* An object that stands in the arguments twice is one object there too. */
static int place_of(brood_parcel *parcel, brood_value object, size_t *place)
{
    int rc = 0;

    for (size_t i = 0; i < parcel->count; i++) {
        if (parcel->objects[i].as.object == object.as.object) {
            parcel->objects[i].flags |= object.flags;
            *place = i;
            return 0;
        }
    }
    if (parcel->count == parcel->capacity) {
        rc = grow(parcel);
    }
    if (rc == 0) {
        rc = brood_connection_pin(object.as.object, &parcel->handles[parcel->count]);
    }
    if (rc == 0) {
        parcel->objects[parcel->count] = object;
        *place = parcel->count++;
    }
    return rc;
}

static int save_connection(brood_parcel *parcel, brood_value object, brood_value *id)
{
    brood_connection *connection = object.as.object;
    brood_view unread = {NULL, 0};
    brood_value *fields;
    size_t place = 0;
    int rc = place_of(parcel, object, &place);

    if (rc == 0 && (object.flags & BROOD_VALUE_GIVEN) != 0) {
        rc = brood_connection_unread(connection, &parcel->arena, &unread);
    }
    if (rc) {
        return rc;
    }
    fields = brood_arena_alloc(&parcel->arena, CONNECTION_FIELDS * sizeof *fields);
    if (fields == NULL) {
        return brood_fail_nomem("a connection reference");
    }
    fields[0] = brood_str("connection");
    fields[1] = brood_uint(place);
    fields[2] = brood_bool(brood_connection_readable(connection));
    fields[3] = brood_bool(brood_connection_writable(connection));
    fields[4] = brood_view_value(unread);
    *id = brood_tuple(fields, CONNECTION_FIELDS);
    return 0;
}

static int save(void *user, brood_value object, brood_value *id)
{
    brood_parcel *parcel = user;

    if (object.kind == BROOD_FUNCTION) {
        return brood_function_save(&parcel->arena, object.as.function, id);
    }
    if (object.kind == BROOD_CONNECTION) {
        return save_connection(parcel, object, id);
    }
    return brood_fail(BROOD_ETYPE, "a %s cannot travel", brood_kind_name(object.kind));
}

brood_saver brood_parcel_saver(brood_parcel *parcel)
{
    const brood_saver saver = {begin, save, parcel};
    return saver;
}

void brood_parcel_give(brood_parcel *parcel)
{
    for (size_t i = 0; i < parcel->count; i++) {
        if ((parcel->objects[i].flags & BROOD_VALUE_GIVEN) != 0) {
            brood_connection_close(parcel->objects[i].as.object);
        }
    }
}

void brood_parcel_release(brood_parcel *parcel)
{
    unpin_all(parcel);
    brood_arena_release(&parcel->arena);
    free(parcel->handles);
    free(parcel->objects);
    *parcel = BROOD_PARCEL_NONE;
}

/* ---- receiving ---- */

static int load_connection(brood_unparcel *unparcel, brood_value id, brood_value *object)
{
    const uint64_t place = brood_as_uint(brood_value_at(id, 1), UINT64_MAX);
    const bool readable = brood_as_bool(brood_value_at(id, 2), false);
    const bool writable = brood_as_bool(brood_value_at(id, 3), false);
    const brood_view unread = brood_as_view(brood_value_at(id, 4));
    brood_connection *connection = NULL;
    int rc;

    if (place >= unparcel->count) {
        return brood_fail(BROOD_EHANDLE, "a connection refers to handle %llu of %zu",
                          (unsigned long long)place, unparcel->count);
    }
    if (unparcel->objects[place].kind == BROOD_CONNECTION) { /* the same one once more */
        *object = unparcel->objects[place];
        brood_object_ref(*object);
        return 0;
    }
    rc = brood_connection_of_handle(&connection, unparcel->handles[place], readable, writable,
                                    unread);
    if (rc == 0) {
        unparcel->handles[place] = BROOD_NO_HANDLE;
        unparcel->objects[place] = brood_object_(BROOD_CONNECTION, connection);
        *object = unparcel->objects[place];
    }
    return rc;
}

static int load(void *user, brood_arena *arena, brood_value id, brood_value *object)
{
    const brood_view name = brood_as_view(brood_value_at(id, 0));
    brood_function function;
    int rc;

    (void)arena;
    if (brood_function_concerns(id)) {
        rc = brood_function_load(id, true, &function);
        if (rc == 0) {
            *object = brood_function_value(function);
        }
        return rc;
    }
    if (name.size == 10 && memcmp(name.data, "connection", 10) == 0) {
        return load_connection(user, id, object);
    }
    return brood_fail(BROOD_EDECODE, "an object of a kind that this version does not know");
}

brood_loader brood_unparcel_loader(brood_unparcel *unparcel)
{
    const brood_loader loader = {load, unparcel};
    return loader;
}

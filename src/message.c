#include "message.h"

#include <stdlib.h>

#include "error.h"
#include "fault.h"
#include "message_copy.h"
#include "object.h"
#include "platform.h"

/* ---- objects ---- */

int brood_message_reserve(brood_message *message)
{
    brood_value *objects = NULL;
    size_t room = 0;

    if (message->object_count < message->object_room) {
        return 0;
    }
    room = message->object_room < 4 ? 4 : message->object_room * 2;
    objects = BROOD_ALLOC(realloc(message->objects, room * sizeof *objects));
    if (objects == NULL) {
        return brood_fail_nomem("the objects of a message");
    }
    message->objects = objects;
    message->object_room = room;
    return 0;
}

void brood_message_keep(brood_message *message, brood_value object)
{
    message->objects[message->object_count++] = object;
}

/* ---- making and freeing ---- */

/* With `size` bytes behind it. */
static brood_message *new_message(size_t size)
{
    brood_message *message =
        size <= SIZE_MAX / 2 ? BROOD_ALLOC(malloc(sizeof *message + size)) : NULL;

    if (message == NULL) {
        (void)brood_fail_nomem("a message");
        return NULL;
    }
    message->owners = NULL;
    message->value = brood_none();
    message->buffer = BROOD_BUFFER_NONE;
    message->arena = BROOD_ARENA_NONE;
    message->objects = NULL;
    message->object_count = 0;
    message->object_room = 0;
    return message;
}

int brood_message_with_room(brood_message **out, size_t size)
{
    brood_message *message = new_message(size);

    if (message == NULL) {
        return BROOD_ENOMEM;
    }
    message->buffer.data = message + 1;
    message->buffer.size = size;
    *out = message;
    return 0;
}

void brood_message_show(brood_message *message)
{
    message->value = brood_bytes(message->buffer.data, message->buffer.size);
}

void brood_message_free(brood_message *message)
{
    if (message == NULL ||
        (message->owners != NULL && brood_atomic_add(message->owners, -1) >= 0)) {
        return;
    }
    free(message->owners);
    for (size_t i = 0; i < message->object_count; i++) {
        brood_object_free(message->objects[i]);
    }
    free(message->objects);
    brood_arena_release(&message->arena);
    brood_buffer_release(&message->buffer);
    free(message);
}

brood_value brood_message_value(const brood_message *message)
{
    return message != NULL ? message->value : brood_none();
}

int brood_message_new(brood_message **out, brood_value value)
{
    brood_message *message = NULL;
    int rc = 0;

    if (out == NULL) {
        return brood_fail(BROOD_EINVAL, "there is no place for the message");
    }
    *out = NULL;
    message = new_message(0);
    if (message == NULL) {
        return BROOD_ENOMEM;
    }
    rc = brood_message_copy(message, value);
    if (rc != 0) {
        brood_message_free(message);
        return rc;
    }
    *out = message;
    return 0;
}

/* ---- encoded ---- */

/* A loader that hands each object on to the message. */
typedef struct keeper {
    const brood_loader *loader;
    brood_message *message;
} keeper;

static int load_and_keep(void *user, brood_arena *arena, brood_value id, brood_value *object)
{
    const keeper *k = user;
    int rc = brood_message_reserve(k->message);

    if (rc == 0) {
        rc = k->loader->load(k->loader->user, arena, id, object);
    }
    if (rc == 0 && brood_kind_is_object(object->kind)) {
        brood_message_keep(k->message, *object);
    }
    return rc;
}

static int decode_buffer(const brood_buffer *buffer, const brood_loader *loader,
                         brood_message *message)
{
    if (brood_buffer_is_ours(buffer) || buffer->data == message + 1) {
        return brood_codec_decode_in_place(buffer->data, buffer->size, loader, &message->arena,
                                           &message->value);
    }
    return brood_codec_decode(buffer->data, buffer->size, loader, &message->arena, &message->value);
}

static int decode(brood_message *message, const brood_buffer *buffer, const brood_loader *loader)
{
    keeper k = {loader, message};
    const brood_loader keeping = {load_and_keep, &k};

    return decode_buffer(buffer, loader != NULL ? &keeping : NULL, message);
}

int brood_message_decode(brood_message *message, const brood_loader *loader)
{
    return decode(message, &message->buffer, loader);
}

int brood_message_from_buffer(brood_message **out, brood_buffer *buffer, const brood_loader *loader)
{
    brood_message *message = new_message(0);
    int rc = 0;

    if (message == NULL) {
        return BROOD_ENOMEM;
    }
    rc = decode(message, buffer, loader);
    if (rc != 0) {
        brood_message_free(message);
        return rc;
    }
    message->buffer = *buffer;
    *buffer = BROOD_BUFFER_NONE;
    *out = message;
    return 0;
}

int brood_message_of_bytes(brood_message **out, brood_buffer *buffer)
{
    brood_message *message = new_message(0);

    if (message == NULL) {
        return BROOD_ENOMEM;
    }
    message->value = brood_bytes(buffer->data, buffer->size);
    message->buffer = *buffer;
    *buffer = BROOD_BUFFER_NONE;
    *out = message;
    return 0;
}

int brood_message_of_list(brood_message **out, brood_arena *arena, const brood_value *items,
                          size_t count)
{
    brood_message *message = new_message(0);

    if (message == NULL) {
        return BROOD_ENOMEM;
    }
    message->value = brood_list(items, count);
    message->arena = *arena;
    *arena = BROOD_ARENA_NONE;
    *out = message;
    return 0;
}

int brood_message_share(brood_message *message)
{
    if (message->owners == NULL) {
        brood_atomic *owners = BROOD_ALLOC(malloc(sizeof *owners));
        if (owners == NULL) {
            return brood_fail_nomem("a message");
        }
        brood_atomic_store(owners, 0);
        message->owners = owners;
    }
    (void)brood_atomic_add(message->owners, 1);
    return 0;
}

static int reserve_buffer(void *user, size_t size, void **data)
{
    brood_buffer *buffer = user;
    int rc = brood_buffer_new(buffer, size);

    if (rc == 0) {
        *data = buffer->data;
    }
    return rc;
}

brood_room brood_room_of_buffer(brood_buffer *buffer)
{
    brood_room room = {reserve_buffer, buffer};

    return room;
}

int brood_encode(brood_message **out, brood_value value)
{
    brood_buffer buffer = BROOD_BUFFER_NONE;
    brood_room room = brood_room_of_buffer(&buffer);
    int rc = 0;

    if (out == NULL) {
        return brood_fail(BROOD_EINVAL, "there is no place for the message");
    }
    *out = NULL;
    rc = brood_codec_encode(value, NULL, &room);
    if (rc == 0) {
        rc = brood_message_of_bytes(out, &buffer);
    }
    brood_buffer_release(&buffer);
    return rc;
}

int brood_decode(brood_message **out, const void *data, size_t size)
{
    brood_buffer buffer = BROOD_BUFFER_NONE;
    int rc = 0;

    if (out == NULL) {
        return brood_fail(BROOD_EINVAL, "there is no place for the message");
    }
    *out = NULL;
    if (data == NULL && size > 0) {
        return brood_fail(BROOD_EINVAL, "%zu bytes at NULL", size);
    }
    rc = brood_buffer_new(&buffer, size);
    if (rc == 0) {
        if (size > 0) {
            memcpy(buffer.data, data, size);
        }
        rc = brood_message_from_buffer(out, &buffer, NULL);
    }
    brood_buffer_release(&buffer);
    return rc;
}

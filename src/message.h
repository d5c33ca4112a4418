/* What arrives: a value and everything that its memory and its objects need. */
#ifndef BROOD_SRC_MESSAGE_H
#define BROOD_SRC_MESSAGE_H

#include <brood/value.h>

#include "arena.h"
#include "buffer.h"
#include "codec.h"

struct brood_message {
    void *owners; /* how many there are besides the first; NULL: there never was one */
    brood_value value;
    brood_buffer buffer; /* what bytes are borrowed from */
    brood_arena arena;
    brood_value *objects; /* one reference each is ours */
    size_t object_count;
    size_t object_room;
};

/// brood_message_from_buffer decodes `*buffer` and takes it over on success. On failure the bytes of
/// one that is ours (brood_buffer_is_ours) may have changed. Objects made by `loader` belong to the
/// message; on failure they were freed.
int brood_message_from_buffer(brood_message **out, brood_buffer *buffer,
                              const brood_loader *loader);

/// brood_message_of_bytes makes a message whose value is the bytes of `*buffer`, taken over on
/// success.
int brood_message_of_bytes(brood_message **out, brood_buffer *buffer);

/// brood_message_with_room makes a message whose bytes will be written to its buffer, which has
/// `size`; make the buffer's size smaller if there are fewer. Then call one of the next two.
int brood_message_with_room(brood_message **out, size_t size);

/// brood_message_decode decodes what is in the buffer. On failure the message is still the caller's.
int brood_message_decode(brood_message *message, const brood_loader *loader);

/// brood_message_show makes the bytes themselves the message's value.
void brood_message_show(brood_message *message);
/// brood_message_of_list makes a message of a list whose items, and all that is in them, live in
/// `*arena`, which is taken over on success.
int brood_message_of_list(brood_message **out, brood_arena *arena, const brood_value *items,
                          size_t count);

/// brood_message_share adds an owner, who frees it as well. One thread at a time, and one that owns it.
int brood_message_share(brood_message *message);

/// brood_message_reserve makes room for one more object.
int brood_message_reserve(brood_message *message);

/// brood_message_keep gives the message a reference to an object, for which there has to be room.
void brood_message_keep(brood_message *message, brood_value object);

/// brood_room_of_buffer is a room that allocates `buffer`.
brood_room brood_room_of_buffer(brood_buffer *buffer);

#endif

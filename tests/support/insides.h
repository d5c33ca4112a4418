/* What tests do below the public API; in C, since the library's own headers are. */
#pragma once

#include <brood.h>

BROOD_BEGIN_C

/// inside_send_raw writes bytes into a connection's stream without a header.
int inside_send_raw(brood_connection *connection, const void *data, size_t size);

/// inside_pid is this process's id.
int64_t inside_pid(void);

/// inside_authkey copies this process's authentication key (room for 1,024 bytes); 0 when it fails.
size_t inside_authkey(void *key);

/// inside_foreign makes an object of any process as one that another process told about: by number,
/// or with a handle of it where the system has such.
int inside_foreign(brood_process **out, int64_t pid, const char *name, bool with_handle);

/// inside_foreign_handle does it with a copy of a handle.
int inside_foreign_handle(brood_process **out, int64_t pid, brood_handle handle);

/// inside_earlier makes an object of a process that began before the one that has the number now.
int inside_earlier(brood_process **out, int64_t pid);

/// inside_retell makes an object of what `process` would be sent as.
int inside_retell(brood_process **out, brood_process *process);

/// inside_send_slowly sends a value with handles (few enough for one group) in pieces, as far as
/// `last`, and calls `step` behind each. It returns 0 or what failed.
int inside_send_slowly(brood_connection *connection, brood_value value, int last,
                       void (*step)(void *user, int number), void *user);

#define INSIDE_SEND_STEPS 8 /* the last one is the whole message */

/// inside_announce writes an announcement with a filler of zeros and nothing else.
int inside_announce(brood_connection *connection, uint32_t handles, uint32_t filler);

/// inside_announce_as does it with a filler of the caller's.
int inside_announce_as(brood_connection *connection, uint32_t handles, const void *filler,
                       uint32_t size);

/// inside_filler_size is how long the filler has to be.
uint32_t inside_filler_size(void);

/// inside_send_bytes_with sends bytes as a message to which handles belong.
int inside_send_bytes_with(brood_connection *connection, const void *data, size_t size,
                           const brood_handle *handles, size_t count);

/// inside_parcel is an encoded value with the handles that belong to it, which are duplicates.
typedef struct inside_parcel {
    unsigned char bytes[4096];
    size_t size;
    brood_handle handles[8];
    size_t handle_count;
} inside_parcel;

/// inside_pack makes one; close its handles.
int inside_pack(inside_parcel *out, brood_value value);

/// inside_unpack reads bytes as if they had come with duplicates of the parcel's handles.
int inside_unpack(brood_message **out, const inside_parcel *parcel, const void *data, size_t size);

/// inside_memory_new makes shared memory, whose handle may be sent, until inside_memory_close.
int inside_memory_new(void **data, brood_handle *handle, size_t size);
void inside_memory_close(void *data, brood_handle handle, size_t size);

/// inside_memory_open finds it behind a handle that came; for as long as this process lives.
int inside_memory_open(void **data, brood_handle handle);

/// inside_queue_granules returns how many granules of a queue's memory are used, after what the dead
/// have left was swept.
size_t inside_queue_granules(brood_queue *queue);

/// inside_queue_strip_left returns how many units of 8 bytes the strip has left in which a queue ends.
size_t inside_queue_strip_left(const brood_queue *queue);

/// inside_distrust makes the other end a stranger's.
void inside_distrust(brood_connection *connection);

/// inside_memory_handle is a block's handle, BROOD_NO_HANDLE if it has none here; inside_memory_id
/// copies its number (16 bytes).
brood_handle inside_memory_handle(brood_memory *memory);
void inside_memory_id(brood_memory *memory, void *id);

/// inside_send_shared says how an object in a segment is referred to, as if it was sent: the
/// segment's number (16 bytes), where it is there, and which one of those that were there.
int inside_send_shared(brood_value object, void *segment, uint64_t *offset, uint32_t *generation);

/// inside_shared_handle is the handle of its segment.
brood_handle inside_shared_handle(brood_value object);

BROOD_END_C

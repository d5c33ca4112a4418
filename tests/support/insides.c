#include "support/insides.h"

#include <stdlib.h>
#include <string.h>

#include "authkey.h"
#include "codec.h"
#include "connection.h"
#include "frame.h"
#include "heap.h"
#include "memory.h"
#include "message.h"
#include "parcel.h"
#include "process_object.h"
#include "queue.h"
#include "unparcel.h"

int inside_send_raw(brood_connection *connection, const void *data, size_t size)
{
    brood_view pieces[2] = {{data, size}, {NULL, 0}};
    int rc = 0;

    while (rc == 0 && pieces[0].size > 0) {
        size_t sent = 0;
        rc = brood_os_stream_write(&connection->stream, pieces, &sent,
                                   brood_os_now() + (int64_t)10 * 1000 * 1000 * 1000);
        pieces[0].data = (const char *)pieces[0].data + sent;
        pieces[0].size -= sent;
    }
    return rc;
}

/* ---- messages with handles, piece by piece ---- */

typedef struct sending {
    brood_connection *connection;
    brood_os_offer offer;
    unsigned char start[BROOD_FRAME_LONG + BROOD_OS_READ_AHEAD];
    size_t start_size; /* announcement and filler */
    unsigned char frame[1 + BROOD_FRAME_LONG];
    size_t frame_size; /* the mark and the message's header */
    brood_view bytes;
} sending;

static int prepare(sending *s, const brood_os_handle *handles, size_t count)
{
    int rc = brood_os_handles_offer(&s->offer, &s->connection->stream, handles, count);

    if (rc == 0) {
        s->start_size =
            brood_frame_announce(s->start, (uint32_t)count, (uint32_t)s->offer.filler.size);
        memcpy(s->start + s->start_size, s->offer.filler.data, s->offer.filler.size);
        s->start_size += s->offer.filler.size;
        s->frame[0] = BROOD_FRAME_GROUP;
        s->frame_size = 1 + brood_frame_write(s->frame + 1, s->bytes.size);
    }
    return rc;
}

static int send_group(sending *s)
{
    const brood_view pieces[2] = {{s->frame, 1}, {NULL, 0}};
    const brood_os_group group = {s->offer.handles, s->offer.count};
    size_t sent = 0;

    return brood_os_stream_write_group(&s->connection->stream, pieces, &group, &sent, INT64_MAX);
}

/* Piece number `number` of INSIDE_SEND_STEPS. */
static int send_piece(sending *s, int number)
{
    const size_t middle = BROOD_FRAME_LONG + s->offer.filler.size / 2;
    const unsigned char *data = s->bytes.data;
    const size_t half = s->bytes.size / 2;

    switch (number) {
    case 0:
        return inside_send_raw(s->connection, s->start, 5);
    case 1:
        return inside_send_raw(s->connection, s->start + 5, BROOD_FRAME_LONG - 5);
    case 2:
        return inside_send_raw(s->connection, s->start + BROOD_FRAME_LONG,
                               middle - BROOD_FRAME_LONG);
    case 3:
        return inside_send_raw(s->connection, s->start + middle, s->start_size - middle);
    case 4:
        return send_group(s);
    case 5:
        return inside_send_raw(s->connection, s->frame + 1, s->frame_size - 1);
    case 6:
        return inside_send_raw(s->connection, data, half);
    default:
        return inside_send_raw(s->connection, data + half, s->bytes.size - half);
    }
}

int inside_send_slowly(brood_connection *connection, brood_value value, int last,
                       void (*step)(void *user, int number), void *user)
{
    brood_parcel parcel;
    const brood_saver saver = brood_parcel_saver(&parcel);
    brood_buffer buffer = BROOD_BUFFER_NONE;
    const brood_room room = brood_room_of_buffer(&buffer);
    sending s = {.connection = connection};
    int rc;

    brood_parcel_init(&parcel, true);
    rc = brood_codec_encode(value, &saver, &room);
    s.bytes = (brood_view){buffer.data, buffer.size};
    if (rc == 0) {
        rc = prepare(&s, parcel.handles, parcel.handle_count);
    }
    for (int i = 0; rc == 0 && i <= last && i < INSIDE_SEND_STEPS; i++) {
        rc = send_piece(&s, i);
        if (rc == 0 && step != NULL) {
            step(user, i);
        }
    }
    if (last + 1 < INSIDE_SEND_STEPS) {
        brood_os_handles_withdraw(&s.offer);
    }
    brood_parcel_release(&parcel);
    brood_buffer_release(&buffer);
    return rc;
}

int inside_send_bytes_with(brood_connection *connection, const void *data, size_t size,
                           const brood_handle *handles, size_t count)
{
    sending s = {.connection = connection, .bytes = {data, size}};
    int rc = prepare(&s, handles, count);

    for (int i = 0; rc == 0 && i < INSIDE_SEND_STEPS; i++) {
        rc = send_piece(&s, i);
    }
    return rc;
}

/* ---- without a stream ---- */

static int duplicate_all(brood_handle *out, const brood_os_handle *handles, size_t count)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = brood_os_handle_duplicate(&out[i], handles[i]);
    }
    return rc;
}

int inside_pack(inside_parcel *out, brood_value value)
{
    brood_parcel parcel;
    const brood_saver saver = brood_parcel_saver(&parcel);
    brood_buffer buffer = BROOD_BUFFER_NONE;
    const brood_room room = brood_room_of_buffer(&buffer);
    int rc;

    brood_parcel_init(&parcel, true);
    rc = brood_codec_encode(value, &saver, &room);
    if (rc == 0 && (buffer.size > sizeof out->bytes ||
                    parcel.handle_count > sizeof out->handles / sizeof out->handles[0])) {
        rc = BROOD_ETOOBIG;
    }
    if (rc == 0) {
        memcpy(out->bytes, buffer.data, buffer.size);
        out->size = buffer.size;
        out->handle_count = parcel.handle_count;
        rc = duplicate_all(out->handles, parcel.handles, parcel.handle_count);
    }
    brood_parcel_release(&parcel);
    brood_buffer_release(&buffer);
    return rc;
}

int inside_unpack(brood_message **out, const inside_parcel *parcel, const void *data, size_t size)
{
    brood_os_handle *handles = malloc((parcel->handle_count + 1) * sizeof *handles);
    brood_buffer buffer = BROOD_BUFFER_NONE;
    brood_unparcel unparcel;
    brood_loader loader;
    int rc = handles != NULL ? duplicate_all(handles, parcel->handles, parcel->handle_count)
                             : BROOD_ENOMEM;

    rc = rc != 0 ? rc : brood_buffer_new(&buffer, size);
    if (rc != 0) {
        free(handles);
        return rc;
    }
    memcpy(buffer.data, data, size);
    brood_unparcel_init(&unparcel, handles, parcel->handle_count);
    loader = brood_unparcel_loader(&unparcel);
    rc = brood_message_from_buffer(out, &buffer, &loader);
    brood_unparcel_close(&unparcel);
    brood_buffer_release(&buffer);
    return rc;
}

int inside_announce_as(brood_connection *connection, uint32_t handles, const void *filler,
                       uint32_t size)
{
    unsigned char bytes[BROOD_FRAME_LONG];
    const size_t header = brood_frame_announce(bytes, handles, size);
    const int rc = inside_send_raw(connection, bytes, header);

    return rc ? rc : inside_send_raw(connection, filler, size);
}

int inside_announce(brood_connection *connection, uint32_t handles, uint32_t filler)
{
    static const unsigned char zeros[BROOD_FRAME_FILLER_MAX];

    return inside_announce_as(connection, handles, zeros, filler);
}

uint32_t inside_filler_size(void)
{
    return (uint32_t)(BROOD_OS_TICKET_SIZE > 0 ? BROOD_OS_TICKET_SIZE : BROOD_OS_READ_AHEAD);
}

int inside_memory_new(void **data, brood_handle *handle, size_t size)
{
    brood_os_section section;
    const int rc = brood_os_section_create_sparse(&section, size, size);

    if (rc == 0) {
        *data = section.data;
        *handle = section.handle;
    }
    return rc;
}

int inside_memory_open(void **data, brood_handle handle)
{
    brood_os_section section;
    brood_os_handle copy = BROOD_NO_HANDLE;
    int rc = brood_os_handle_duplicate(&copy, handle);

    if (rc == 0) {
        rc = brood_os_section_open(&section, copy);
        if (rc) {
            brood_os_handle_close(copy);
        }
    }
    if (rc == 0) {
        *data = section.data;
    }
    return rc;
}

void inside_memory_close(void *data, brood_handle handle, size_t size)
{
    brood_os_section section = {handle, data, size};

    brood_os_section_close(&section);
}

size_t inside_queue_granules(brood_queue *queue)
{
    size_t count = 0;

    (void)brood_queue_reap(queue);
    for (uint32_t i = 0; i < queue->granules; i++) {
        count += brood_word_load(&queue->states[i]) != 0;
    }
    return count;
}

size_t inside_queue_strip_left(const brood_queue *queue)
{
    const size_t units = BROOD_QUEUE_STRIP / BROOD_QUEUE_UNIT;

    return units - 1 - brood_queue_unit(brood_word64_load(&queue->shared->put.tail)) % units;
}

void inside_distrust(brood_connection *connection)
{
    connection->trusted = false;
}

int64_t inside_pid(void)
{
    return brood_os_pid();
}

size_t inside_authkey(void *key)
{
    size_t size = 0;

    return brood_authkey_copy(key, &size) == 0 ? size : 0;
}

static int adopt(brood_process **out, const char *name, brood_os_identity *identity)
{
    const int rc = brood_process_of_identity(out, name, identity);

    if (rc) {
        brood_os_handle_close(identity->handle);
    }
    return rc;
}

/* By number first: that gives an object which can say more about itself. */
int inside_foreign(brood_process **out, int64_t pid, const char *name, bool with_handle)
{
    brood_os_identity identity = {pid, 0, BROOD_NO_HANDLE};
    const int rc = adopt(out, name, &identity);

    if (rc || !with_handle) {
        return rc;
    }
    brood_process *plain = *out;
    const int again = inside_retell(out, plain);
    brood_process_free(plain);
    return again;
}

int inside_foreign_handle(brood_process **out, int64_t pid, brood_handle handle)
{
    brood_os_identity identity = {pid, 0, BROOD_NO_HANDLE};
    const int rc = brood_os_handle_duplicate(&identity.handle, handle);

    return rc ? rc : adopt(out, "x", &identity);
}

int inside_earlier(brood_process **out, int64_t pid)
{
    brood_os_identity identity = {pid, 1, BROOD_NO_HANDLE};

    return adopt(out, "earlier", &identity);
}

int inside_retell(brood_process **out, brood_process *process)
{
    brood_os_identity identity;
    const int rc = brood_process_identify(&identity, process);

    return rc ? rc : adopt(out, brood_process_name(process), &identity);
}

/* ---- shared memory ---- */

brood_handle inside_memory_handle(brood_memory *memory)
{
    brood_memory_state state;
    brood_os_handle handle = BROOD_NO_HANDLE;

    (void)brood_memory_describe(memory, &state, &handle);
    return handle;
}

void inside_memory_id(brood_memory *memory, void *id)
{
    brood_memory_state state;
    brood_os_handle handle;

    memset(id, 0, BROOD_ID_SIZE);
    if (brood_memory_describe(memory, &state, &handle) == 0) {
        memcpy(id, state.id, BROOD_ID_SIZE);
    }
}

int inside_send_shared(brood_value object, void *segment, uint64_t *offset, uint32_t *generation)
{
    brood_heap_id id;
    const int rc = brood_heap_send(object.as.object, &id);

    if (rc == 0) {
        memcpy(segment, id.segment, sizeof id.segment);
        *offset = id.offset;
        *generation = id.generation;
    }
    return rc;
}

brood_handle inside_shared_handle(brood_value object)
{
    brood_os_handle handle = BROOD_NO_HANDLE;

    (void)brood_segment_handle(&handle, ((brood_heap_object *)object.as.object)->segment);
    return handle;
}

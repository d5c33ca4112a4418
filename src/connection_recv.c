/* Receiving from connections. */
#include "connection.h"

#include <stdlib.h>
#include <string.h>

#include "deadline.h"
#include "error.h"
#include "fault.h"
#include "frame.h"
#include "message.h"
#include "unparcel.h"

#define FIRST_PIECE ((size_t)16 * 1024 * 1024) /* allocated before a byte of it came */
#define LARGE_PIECE ((size_t)16 * 1024)        /* read with the next message's header */

/* What a foreign event loop waits for has to tell of the next bytes, on systems where that does not
 * go by itself. If it fails now, the next receive says why. */
static void arm_for_others(brood_connection *connection)
{
    brood_os_waitable what = {BROOD_NO_HANDLE, false, false};

    if (connection->watched) {
        (void)brood_os_stream_arm(&connection->stream, &what);
    }
}

bool brood_connection_goes_on(brood_connection *connection, int *rc, int64_t deadline_ns)
{
    if (*rc == BROOD_EEND) {
        connection->ended = true;
    }
    if (*rc != BROOD_ETIMEDOUT) {
        return false;
    }
    if (brood_deadline_passed(deadline_ns)) {
        arm_for_others(connection);
        return false;
    }
    if (brood_connection_closed(connection)) {
        *rc = brood_connection_closed_here();
        return false;
    }
    return true;
}

/* `ahead` may be NULL, see brood_os_stream_read_on. */
static int read_some(brood_connection *connection, void *data, size_t size, void *ahead,
                     size_t *got, int64_t deadline_ns)
{
    const size_t room = ahead != NULL ? BROOD_FRAME_LONG : 0;
    int rc;

    if (connection->ended) {
        return brood_fail(BROOD_EEND, "receive: the other end is closed");
    }
    do {
        rc =
            brood_os_stream_read_on(&connection->stream, data, size, ahead, room, got, deadline_ns);
    } while (brood_connection_goes_on(connection, &rc, deadline_ns));
    return rc;
}

static int make_room(brood_connection *connection)
{
    const size_t kept = connection->room_end - connection->room_start;

    if (connection->room == NULL) {
        connection->room = BROOD_ALLOC(malloc(BROOD_CONNECTION_ROOM));
        if (connection->room == NULL) {
            return brood_fail_nomem("reading ahead");
        }
        connection->room_size = BROOD_CONNECTION_ROOM;
    }
    if (connection->room_start > 0) {
        memmove(connection->room, connection->room + connection->room_start, kept);
        connection->room_start = 0;
        connection->room_end = kept;
    }
    return 0;
}

int brood_connection_fill(brood_connection *connection, size_t most, int64_t deadline_ns)
{
    size_t got = 0;
    size_t left;
    int rc = make_room(connection);

    if (rc) {
        return rc;
    }
    left = connection->room_size - connection->room_end;
    rc = read_some(connection, connection->room + connection->room_end, most < left ? most : left,
                   NULL, &got, deadline_ns);
    connection->room_end += rc == 0 ? got : 0;
    return rc;
}

/* The stream ended: between messages that is the end, within one the peer is gone. */
static int end_of_stream(const brood_connection *connection)
{
    if (!brood_connection_began(connection)) {
        return brood_fail(BROOD_EEND, "receive: the other end is closed");
    }
    return brood_fail(BROOD_EPEER, "receive: the other end went away in the middle of a message");
}

/* Takes a header that is there whole; 0 when more bytes are needed. */
static int take_header(brood_connection *connection)
{
    brood_frame frame = {0, 0};
    int rc = brood_frame_read(connection->room + connection->room_start,
                              connection->room_end - connection->room_start, &frame);

    if (rc > 0 && frame.handles > 0) {
        const int refused = brood_arrival_announce(connection, (size_t)frame.size, frame.handles);
        rc = refused ? refused : rc;
    }
    if (rc < 0) {
        connection->garbled = true;
        return rc;
    }
    connection->room_start += (size_t)rc;
    connection->has_header = rc > 0 && frame.handles == 0;
    connection->incoming_size = frame.size;
    return rc;
}

int brood_connection_step(brood_connection *connection, int64_t deadline_ns)
{
    const size_t there = connection->room_end - connection->room_start;
    int rc = 0;

    if (connection->garbled) {
        return brood_fail(BROOD_EBROKEN, "the stream cannot be read: its messages were lost");
    }
    if (brood_arrival_incomplete(&connection->arrival)) {
        return brood_arrival_fetch(connection, deadline_ns);
    }
    if (there > 0) {
        rc = take_header(connection);
    }
    return rc != 0 ? rc
                   : brood_connection_fill(connection, BROOD_CONNECTION_ROOM - there, deadline_ns);
}

static int need_header(brood_connection *connection, int64_t deadline_ns)
{
    while (!connection->has_header) {
        const int rc = brood_connection_step(connection, deadline_ns);
        if (rc < 0) {
            return rc == BROOD_EEND ? end_of_stream(connection) : rc;
        }
    }
    return 0;
}

size_t brood_connection_from_room(brood_connection *connection, void *data, size_t most)
{
    const size_t there = connection->room_end - connection->room_start;
    const size_t size = there < most ? there : most;

    if (size > 0) {
        memcpy(data, connection->room + connection->room_start, size);
        connection->room_start += size;
    }
    return size;
}

/* Takes the header of the next message along where that is as good as free: then the next receive
 * need not begin with a read of its own, of which all but the header is copied once more. */
static void *room_for_header(brood_connection *connection, size_t left, bool to_its_end)
{
    if (!to_its_end || left < LARGE_PIECE || connection->room == NULL) {
        return NULL;
    }
    connection->room_start = 0; /* all of it was taken */
    connection->room_end = 0;
    return connection->room;
}

/* `size` bytes of the message, of which `*got` are there. */
static int read_into(brood_connection *connection, unsigned char *data, size_t size, size_t *got,
                     int64_t deadline_ns)
{
    int rc = 0;

    *got += brood_connection_from_room(connection, data + *got, size - *got);
    while (rc == 0 && *got < size) {
        const size_t left = size - *got;
        void *ahead = room_for_header(connection, left, size == connection->incoming_size);
        size_t n = 0;
        rc = read_some(connection, data + *got, left, ahead, &n, deadline_ns);
        if (rc == 0 && n > left) {
            connection->room_end = n - left;
            n = left;
        }
        *got += rc == 0 ? n : 0;
    }
    return rc == BROOD_EEND ? end_of_stream(connection) : rc;
}

/* A length is only a promise: memory follows what really comes. */
static int grow_incoming(brood_connection *connection)
{
    const size_t whole = (size_t)connection->incoming_size;
    size_t room = connection->incoming_room == 0 ? FIRST_PIECE : connection->incoming_room * 2;
    unsigned char *data;

    room = room < whole ? room : whole;
    data = BROOD_ALLOC(realloc(connection->incoming, room > 0 ? room : 1));
    if (data == NULL) {
        return brood_fail(BROOD_ENOMEM, "no memory for a message of %zu bytes", whole);
    }
    connection->incoming = data;
    connection->incoming_room = room;
    return 0;
}

static int read_incoming(brood_connection *connection, int64_t deadline_ns)
{
    int rc = 0;

    if (connection->incoming_size > SIZE_MAX) {
        return brood_fail(BROOD_ENOMEM, "a message of %llu bytes does not fit this process",
                          (unsigned long long)connection->incoming_size);
    }
    if (connection->incoming == NULL) {
        rc = grow_incoming(connection);
    }
    while (rc == 0) {
        rc = read_into(connection, connection->incoming, connection->incoming_room,
                       &connection->incoming_got, deadline_ns);
        if (rc || connection->incoming_got == connection->incoming_size) {
            break;
        }
        rc = grow_incoming(connection);
    }
    return rc;
}

static void release_heap(void *data, size_t size)
{
    (void)size;
    free(data);
}

static brood_buffer take_incoming(brood_connection *connection)
{
    const brood_buffer buffer = {connection->incoming, (size_t)connection->incoming_size,
                                 release_heap};

    connection->incoming = NULL;
    connection->incoming_room = 0;
    connection->incoming_got = 0;
    connection->has_header = false;
    return buffer;
}

static int recv_buffer(brood_connection *connection, brood_buffer *out, brood_arrival *handles,
                       size_t maximum, int64_t timeout_ms)
{
    int64_t deadline_ns;
    int rc = brood_connection_enter(connection, BROOD_READING, timeout_ms, &deadline_ns);

    if (rc) {
        return rc;
    }
    rc = need_header(connection, deadline_ns);
    if (rc == 0 && maximum > 0 && connection->incoming_size > maximum) {
        rc = brood_fail(BROOD_ETOOBIG, "a message of %llu bytes where %zu are the most",
                        (unsigned long long)connection->incoming_size, maximum);
    }
    if (rc == 0) {
        rc = read_incoming(connection, deadline_ns);
    }
    if (rc == 0) {
        *out = take_incoming(connection);
        handles->handles = NULL;
        handles->count = 0;
        handles->lost = 0;
        if (brood_arrival_began(&connection->arrival)) {
            *handles = brood_arrival_take(connection);
        }
    }
    brood_connection_leave(connection, BROOD_READING);
    return rc;
}

static int no_room_for_message(void)
{
    return brood_fail(BROOD_EINVAL, "there is no place for the message: out is NULL");
}

/* What a stranger sends can only be data. */
static int decode(const brood_connection *connection, brood_message **out, brood_buffer *buffer,
                  brood_arrival *handles)
{
    brood_unparcel unparcel;
    brood_loader loader;
    int rc = brood_arrival_check(handles);

    if (rc) {
        brood_arrival_close(handles);
        return rc;
    }
    brood_unparcel_init(&unparcel, handles->handles, handles->count);
    loader = brood_unparcel_loader(&unparcel);
    rc = brood_message_from_buffer(out, buffer, connection->trusted ? &loader : NULL);
    brood_unparcel_close(&unparcel);
    return rc;
}

int brood_recv(brood_connection *connection, brood_message **out, int64_t timeout_ms)
{
    brood_buffer buffer = BROOD_BUFFER_NONE;
    brood_arrival handles;
    int rc;

    if (out == NULL) {
        return no_room_for_message();
    }
    *out = NULL;
    rc = recv_buffer(connection, &buffer, &handles, 0, timeout_ms);
    if (rc == 0) {
        rc = decode(connection, out, &buffer, &handles);
    }
    brood_buffer_release(&buffer);
    return rc;
}

int brood_recv_bytes(brood_connection *connection, brood_message **out, size_t maximum,
                     int64_t timeout_ms)
{
    brood_buffer buffer = BROOD_BUFFER_NONE;
    brood_arrival handles;
    int rc;

    if (out == NULL) {
        return no_room_for_message();
    }
    *out = NULL;
    rc = recv_buffer(connection, &buffer, &handles, maximum, timeout_ms);
    if (rc == 0) {
        brood_arrival_close(&handles); /* bytes refer to none */
        rc = brood_message_of_bytes(out, &buffer);
    }
    brood_buffer_release(&buffer);
    return rc;
}

/* Straight into the caller's memory; what came before a failure is kept for the next call. */
static int read_straight(brood_connection *connection, void *data, int64_t deadline_ns)
{
    const size_t size = (size_t)connection->incoming_size;
    size_t got = 0;
    int rc = read_into(connection, data, size, &got, deadline_ns);

    if (rc && got > 0) {
        const int grown = grow_incoming(connection);
        if (grown) {
            connection->garbled = true; /* a part of the message is lost */
            connection->has_header = false;
            return grown;
        }
        while (connection->incoming_room < got) {
            if (grow_incoming(connection)) {
                connection->garbled = true;
                connection->has_header = false;
                return brood_last_error()->error;
            }
        }
        memcpy(connection->incoming, data, got);
        connection->incoming_got = got;
    }
    if (rc == 0) {
        connection->has_header = false;
    }
    return rc;
}

static int recv_into(brood_connection *connection, void *data, size_t *size, int64_t deadline_ns)
{
    const size_t room = *size;
    int rc = need_header(connection, deadline_ns);

    if (rc) {
        return rc;
    }
    if (connection->incoming_size > room) {
        *size = connection->incoming_size > SIZE_MAX ? SIZE_MAX : (size_t)connection->incoming_size;
        return brood_fail(BROOD_ETOOSMALL, "a message of %llu bytes where there is room for %zu",
                          (unsigned long long)connection->incoming_size, room);
    }
    if (connection->incoming == NULL) {
        rc = read_straight(connection, data, deadline_ns);
    } else {
        rc = read_incoming(connection, deadline_ns);
        if (rc == 0) {
            brood_buffer buffer = take_incoming(connection);
            memcpy(data, buffer.data, buffer.size);
            brood_buffer_release(&buffer);
        }
    }
    if (rc == 0) {
        *size = (size_t)connection->incoming_size;
        if (brood_arrival_began(&connection->arrival)) {
            brood_arrival_close(&connection->arrival); /* bytes refer to none */
        }
    }
    return rc;
}

int brood_recv_bytes_into(brood_connection *connection, void *data, size_t *size,
                          int64_t timeout_ms)
{
    int64_t deadline_ns;
    int rc;

    if (size == NULL || (data == NULL && *size > 0)) {
        return no_room_for_message();
    }
    rc = brood_connection_enter(connection, BROOD_READING, timeout_ms, &deadline_ns);
    if (rc) {
        return rc;
    }
    rc = recv_into(connection, data, size, deadline_ns);
    brood_connection_leave(connection, BROOD_READING);
    return rc;
}

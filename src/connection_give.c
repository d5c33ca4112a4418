/* What a connection takes along into another process. */
#include "connection.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "fault.h"
#include "frame.h"

/* ---- the giver's side ---- */

void brood_connection_describe(const brood_connection *connection, brood_connection_state *state)
{
    memset(state, 0, sizeof *state);
    state->readable = connection->readable;
    state->writable = connection->writable;
    state->trusted = connection->trusted;
}

static int hold(brood_connection *connection)
{
    if (connection->closed) {
        return brood_connection_closed_here();
    }
    if (connection->busy[BROOD_READING]) {
        return brood_fail(BROOD_EINVAL,
                          "another thread receives from the connection to be given away");
    }
    if (connection->busy[BROOD_WRITING]) {
        return brood_fail(BROOD_EINVAL,
                          "another thread sends over the connection to be given away");
    }
    if (connection->cut || connection->announced) {
        return brood_fail(BROOD_EBROKEN, "the connection to be given away sent a message in part");
    }
    connection->busy[BROOD_READING] = true;
    connection->users++;
    return 0;
}

int brood_connection_hold(brood_connection *connection)
{
    int rc;

    brood_os_mutex_lock(&connection->mutex);
    rc = hold(connection);
    brood_os_mutex_unlock(&connection->mutex);
    return rc;
}

void brood_connection_let_go(brood_connection *connection)
{
    brood_connection_leave(connection, BROOD_READING);
}

/* The header of what is coming, as it came or as if it had just begun. */
static size_t write_header(const brood_connection *connection,
                           unsigned char out[BROOD_FRAME_LONG + BROOD_OS_TICKET_ROOM])
{
    const brood_arrival *arrival = &connection->arrival;
    size_t size;

    if (connection->has_header) {
        return brood_frame_write(out, connection->incoming_size);
    }
    if (!brood_arrival_incomplete(arrival)) {
        return 0;
    }
    size = brood_frame_announce(out, (uint32_t)arrival->expected,
                                (uint32_t)(arrival->filler + arrival->ticket_size));
    memcpy(out + size, arrival->ticket, arrival->ticket_size);
    return size + arrival->ticket_size;
}

int brood_connection_unread(brood_connection *connection, brood_arena *arena,
                            brood_connection_state *state)
{
    unsigned char header[BROOD_FRAME_LONG + BROOD_OS_TICKET_ROOM];
    const brood_view kept = brood_os_stream_unread(&connection->stream);
    const brood_view pieces[] = {
        {header, write_header(connection, header)},
        {connection->incoming, connection->incoming_got},
        {connection->room ? connection->room + connection->room_start : NULL,
         connection->room_end - connection->room_start},
        kept,
    };
    const size_t count = sizeof pieces / sizeof pieces[0];
    size_t size = 0;
    unsigned char *data;

    for (size_t i = 0; i < count; i++) {
        size += pieces[i].size;
    }
    data = brood_arena_alloc(arena, size);
    if (data == NULL) {
        return brood_fail_nomem("what a connection has read ahead");
    }
    state->unread = (brood_view){data, size};
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].size > 0) {
            memcpy(data, pieces[i].data, pieces[i].size);
            data += pieces[i].size;
        }
    }
    state->arrived = connection->arrival.handles;
    state->arrived_count = connection->arrival.count;
    state->lost = connection->arrival.lost;
    return 0;
}

/* ---- the receiver's side ---- */

static int restore_unread(brood_connection *connection, brood_view unread)
{
    if (unread.size == 0) {
        return 0;
    }
    connection->room_size =
        unread.size > BROOD_CONNECTION_ROOM ? unread.size : BROOD_CONNECTION_ROOM;
    connection->room = BROOD_ALLOC(malloc(connection->room_size));
    if (connection->room == NULL) {
        return brood_fail_nomem("what a connection had read ahead");
    }
    memcpy(connection->room, unread.data, unread.size);
    connection->room_end = unread.size;
    return 0;
}

static int restore_arrived(brood_arrival *arrival, const brood_connection_state *state)
{
    arrival->lost = state->lost;
    if (state->arrived_count == 0) {
        return 0;
    }
    arrival->handles = BROOD_ALLOC(malloc(state->arrived_count * sizeof *arrival->handles));
    if (arrival->handles == NULL) {
        return brood_fail_nomem("the handles that a connection had received");
    }
    memcpy(arrival->handles, state->arrived, state->arrived_count * sizeof *arrival->handles);
    arrival->room = state->arrived_count;
    return 0;
}

int brood_connection_of_handle(brood_connection **out, brood_os_handle handle,
                               const brood_connection_state *state)
{
    brood_connection *connection = brood_connection_blank(state);
    int rc;

    if (connection == NULL) {
        return brood_last_error()->error;
    }
    rc = restore_unread(connection, state->unread);
    if (rc == 0) {
        rc = restore_arrived(&connection->arrival, state);
    }
    if (rc == 0) {
        rc = brood_os_stream_adopt(&connection->stream, handle);
    }
    if (rc) {
        brood_connection_free(connection);
        return rc;
    }
    connection->arrival.count = state->arrived_count; /* from now on they are the connection's */
    *out = connection;
    return 0;
}

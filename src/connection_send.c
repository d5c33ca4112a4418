/* Sending over connections. */
#include "connection.h"

#include "codec.h"
#include "deadline.h"
#include "error.h"
#include "frame.h"
#include "message.h"

#define SMALL_MESSAGE 2048 /* bytes encoded on the stack */

/* `pieces` without their first `skip` bytes. */
static void skip_bytes(brood_view out[2], const brood_view pieces[2], uint64_t skip)
{
    for (int i = 0; i < 2; i++) {
        const size_t here = skip < pieces[i].size ? (size_t)skip : pieces[i].size;
        out[i].data = pieces[i].data == NULL ? NULL : (const char *)pieces[i].data + here;
        out[i].size = pieces[i].size - here;
        skip -= here;
    }
}

static int write_all(brood_connection *connection, const brood_view pieces[2], uint64_t *done,
                     int64_t deadline_ns)
{
    const uint64_t total = (uint64_t)pieces[0].size + pieces[1].size;
    int rc = 0;

    while (rc == 0 && *done < total) {
        brood_view rest[2];
        size_t sent = 0;
        skip_bytes(rest, pieces, *done);
        rc = brood_os_stream_write(&connection->stream, rest, &sent, deadline_ns);
        *done += sent;
        if (rc == BROOD_ETIMEDOUT && !brood_deadline_passed(deadline_ns)) {
            rc = brood_connection_closed(connection) ? brood_connection_closed_here() : 0;
        }
    }
    return rc;
}

static int send_frame(brood_connection *connection, const void *data, size_t size,
                      int64_t deadline_ns)
{
    unsigned char header[BROOD_FRAME_LONG];
    const brood_view pieces[2] = {{header, brood_frame_write(header, size)}, {data, size}};
    uint64_t done = 0;
    int rc;

    if (connection->cut) {
        return brood_fail(BROOD_EBROKEN, "a message was sent in part: no other can follow");
    }
    rc = write_all(connection, pieces, &done, deadline_ns);
    if (rc && done > 0) {
        connection->cut = true;
        if (rc == BROOD_ETIMEDOUT) {
            rc =
                brood_fail(rc, "send: timed out after %llu of %llu bytes", (unsigned long long)done,
                           (unsigned long long)pieces[0].size + pieces[1].size);
        }
    }
    return rc;
}

int brood_send_bytes(brood_connection *connection, const void *data, size_t size,
                     int64_t timeout_ms)
{
    int64_t deadline_ns;
    int rc;

    if (data == NULL && size > 0) {
        return brood_fail(BROOD_EINVAL, "%zu bytes at NULL cannot be sent", size);
    }
    rc = brood_connection_enter(connection, BROOD_WRITING, timeout_ms, &deadline_ns);
    if (rc) {
        return rc;
    }
    rc = send_frame(connection, data, size, deadline_ns);
    brood_connection_leave(connection, BROOD_WRITING);
    return rc;
}

/* Small messages are encoded on the stack. */
typedef struct outgoing {
    unsigned char small[SMALL_MESSAGE];
    brood_buffer large;
    size_t size;
} outgoing;

static int reserve_outgoing(void *user, size_t size, void **data)
{
    outgoing *out = user;
    int rc = 0;

    if (size <= sizeof out->small) {
        *data = out->small;
    } else {
        rc = brood_buffer_new(&out->large, size);
        *data = out->large.data;
    }
    out->size = size;
    return rc;
}

int brood_send(brood_connection *connection, brood_value value, int64_t timeout_ms)
{
    outgoing out;
    const brood_room room = {reserve_outgoing, &out};
    int64_t deadline_ns;
    int rc;

    out.large = BROOD_BUFFER_NONE;
    rc = brood_codec_encode(value, NULL, &room);
    if (rc == 0) {
        rc = brood_connection_enter(connection, BROOD_WRITING, timeout_ms, &deadline_ns);
        if (rc == 0) {
            rc = send_frame(connection, out.large.data ? out.large.data : out.small, out.size,
                            deadline_ns);
            brood_connection_leave(connection, BROOD_WRITING);
        }
    }
    brood_buffer_release(&out.large);
    return rc;
}

/* Sending over connections. */
#include "connection.h"

#include "codec.h"
#include "deadline.h"
#include "error.h"
#include "fault.h"
#include "frame.h"
#include "message.h"
#include "parcel.h"

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

/* Writes the rest of `pieces`, `group` with the first byte. */
static int write_all(brood_connection *connection, const brood_view pieces[2],
                     const brood_os_group *group, uint64_t *done, int64_t deadline_ns)
{
    const uint64_t total = (uint64_t)pieces[0].size + pieces[1].size;
    int rc = 0;

    while (rc == 0 && *done < total) {
        brood_view rest[2];
        size_t sent = 0;
        skip_bytes(rest, pieces, *done);
        rc = *done == 0 && group != NULL
                 ? brood_os_stream_write_group(&connection->stream, rest, group, &sent, deadline_ns)
                 : brood_os_stream_write(&connection->stream, rest, &sent, deadline_ns);
        *done += sent;
        if (rc == BROOD_ETIMEDOUT && !brood_deadline_passed(deadline_ns)) {
            rc = brood_connection_closed(connection) ? brood_connection_closed_here() : 0;
        }
    }
    return rc;
}

/* All or nothing, or the stream is cut: nobody could find the next header. */
static int write_whole(brood_connection *connection, const brood_view pieces[2],
                       const brood_os_group *group, int64_t deadline_ns)
{
    uint64_t done = 0;
    int rc = write_all(connection, pieces, group, &done, deadline_ns);

    if (done > 0) {
        connection->announced = false;
    }
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

/* What calls off handles that were announced and did not follow, in front of a header. */
static size_t write_called_off(const brood_connection *connection, unsigned char *out)
{
    if (!connection->announced) {
        return 0;
    }
    *out = BROOD_FRAME_CALLED_OFF;
    return 1;
}

static int check_whole(const brood_connection *connection)
{
    return connection->cut
               ? brood_fail(BROOD_EBROKEN, "a message was sent in part: no other can follow")
               : 0;
}

static int send_frame(brood_connection *connection, const void *data, size_t size,
                      int64_t deadline_ns)
{
    unsigned char header[1 + BROOD_FRAME_LONG];
    const size_t before = write_called_off(connection, header);
    const brood_view pieces[2] = {{header, before + brood_frame_write(header + before, size)},
                                  {data, size}};
    const int rc = check_whole(connection);

    return rc ? rc : write_whole(connection, pieces, NULL, deadline_ns);
}

/* ---- messages with handles, see connection_arrival.c ---- */

static int announce(brood_connection *connection, const brood_os_offer *offer, int64_t deadline_ns)
{
    unsigned char header[1 + BROOD_FRAME_LONG];
    const size_t before = write_called_off(connection, header);
    const brood_view pieces[2] = {
        {header, before + brood_frame_announce(header + before, (uint32_t)offer->count,
                                               (uint32_t)offer->filler.size)},
        offer->filler};
    const int rc = write_whole(connection, pieces, NULL, deadline_ns);

    connection->announced = rc == 0;
    return rc;
}

/* The last group takes the message along. Those before it are called off if this fails. */
static int send_groups(brood_connection *connection, const brood_os_offer *offer, const void *data,
                       size_t size, int64_t deadline_ns)
{
    brood_os_group group = {offer->handles, 0};
    size_t left = offer->count;
    int rc = 0;

    while (rc == 0 && left > 0) {
        unsigned char header[1 + BROOD_FRAME_LONG] = {BROOD_FRAME_GROUP};
        brood_view pieces[2] = {{header, 1}, {NULL, 0}};

        group.count = left < BROOD_OS_GROUP_MAX ? left : BROOD_OS_GROUP_MAX;
        left -= group.count;
        if (left == 0) {
            pieces[0].size += brood_frame_write(header + 1, size);
            pieces[1] = (brood_view){data, size};
        }
        rc = write_whole(connection, pieces, &group, deadline_ns);
        connection->announced = left > 0 || connection->announced;
        group.handles += group.count;
    }
    return rc;
}

static int send_with_handles(brood_connection *connection, const brood_parcel *parcel,
                             const void *data, size_t size, int64_t deadline_ns)
{
    brood_os_offer offer;
    int rc = check_whole(connection);

    if (rc == 0) {
        rc = brood_os_handles_offer(&offer, &connection->stream, parcel->handles,
                                    parcel->handle_count);
    }
    if (rc) {
        return rc;
    }
    rc = announce(connection, &offer, deadline_ns);
    if (rc == 0) {
        BROOD_STOP("send-announced");
        rc = send_groups(connection, &offer, data, size, deadline_ns);
    }
    if (rc) {
        brood_os_handles_withdraw(&offer);
    }
    return rc;
}

/* ---- sending ---- */

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
    brood_parcel parcel;
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

static int send_encoded(brood_connection *connection, const outgoing *out, int64_t timeout_ms)
{
    const void *data = out->large.data ? out->large.data : out->small;
    int64_t deadline_ns;
    int rc = brood_connection_enter(connection, BROOD_WRITING, timeout_ms, &deadline_ns);

    if (rc) {
        return rc;
    }
    rc = out->parcel.handle_count == 0
             ? send_frame(connection, data, out->size, deadline_ns)
             : send_with_handles(connection, &out->parcel, data, out->size, deadline_ns);
    brood_connection_leave(connection, BROOD_WRITING);
    return rc;
}

int brood_send(brood_connection *connection, brood_value value, int64_t timeout_ms)
{
    outgoing out;
    const brood_room room = {reserve_outgoing, &out};
    const brood_saver saver = brood_parcel_saver(&out.parcel);
    int rc;

    out.large = BROOD_BUFFER_NONE;
    brood_parcel_init(&out.parcel, connection != NULL && connection->trusted);
    rc = brood_codec_encode(value, &saver, &room);
    if (rc == 0) {
        rc = send_encoded(connection, &out, timeout_ms);
    }
    if (rc == 0) {
        brood_parcel_give(&out.parcel);
    }
    brood_parcel_release(&out.parcel);
    brood_buffer_release(&out.large);
    return rc;
}

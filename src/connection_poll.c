/* Whether there is something to receive. */
#include "connection.h"

#include "error.h"
#include "frame.h"

/* Goes through what was read ahead as a reader would. */
typedef struct cursor {
    const unsigned char *at;
    size_t left;
    size_t filler; /* as in brood_arrival */
    size_t expected;
    bool handles; /* of the next message, there or lost */
} cursor;

/* 1 behind all that goes before a header, 0 when bytes are missing, else there is an error. */
static int pass_handles(cursor *c)
{
    const size_t skipped = c->filler < c->left ? c->filler : c->left;

    c->at = c->left > 0 ? c->at + skipped : c->at;
    c->left -= skipped;
    c->filler -= skipped;
    if (c->filler > 0) {
        return 0;
    }
    while (c->expected > 0) {
        if (c->left == 0) {
            return 0;
        }
        c->left--;
        switch (*c->at++) {
        case BROOD_FRAME_GROUP:
            c->expected -= c->expected < BROOD_OS_GROUP_MAX ? c->expected : BROOD_OS_GROUP_MAX;
            c->handles = true;
            break;
        case BROOD_FRAME_CALLED_OFF:
            c->expected = 0;
            c->handles = false;
            break;
        default:
            return BROOD_EDECODE;
        }
    }
    return 1;
}

/* The same, up to the first message that is there whole. */
static int find_message(cursor *c, bool trusted)
{
    for (;;) {
        brood_frame frame = {0, 0};
        int rc = pass_handles(c);
        if (rc > 0) {
            rc = c->left > 0 ? brood_frame_peek(c->at, c->left, &frame) : 0;
        }
        if (rc <= 0) {
            return rc;
        }
        c->at += rc;
        c->left -= (size_t)rc;
        if (frame.handles == 0) {
            return c->left >= frame.size;
        }
        if (!trusted || c->handles) {
            return BROOD_EDECODE;
        }
        c->filler = (size_t)frame.size;
        c->expected = frame.handles;
    }
}

bool brood_connection_has_message(const brood_connection *connection)
{
    const brood_arrival *arrival = &connection->arrival;
    const size_t ahead = connection->room_end - connection->room_start;
    cursor c = {connection->room, ahead, arrival->filler, arrival->expected,
                arrival->count > 0 || arrival->lost != 0};

    if (connection->ended || connection->garbled) {
        return true;
    }
    if (connection->has_header) {
        return connection->incoming_got + ahead >= connection->incoming_size;
    }
    if (ahead == 0) {
        return false;
    }
    c.at += connection->room_start;
    return find_message(&c, connection->trusted) != 0;
}

/* Of a message that is larger than what is read ahead a part is enough. */
static bool is_ready(const brood_connection *connection)
{
    return brood_connection_has_message(connection) ||
           connection->room_end - connection->room_start >= BROOD_CONNECTION_ROOM;
}

static int read_on(brood_connection *connection, int64_t deadline_ns)
{
    const size_t ahead = connection->room_end - connection->room_start;
    const int rc =
        connection->has_header
            ? brood_connection_fill(connection, BROOD_CONNECTION_ROOM - ahead, deadline_ns)
            : brood_connection_step(connection, deadline_ns);

    /* The end, or a mistake of the sender's: the next receive will tell. */
    return rc > 0 || connection->ended || connection->garbled ? 0 : rc;
}

int brood_poll(brood_connection *connection, int64_t timeout_ms)
{
    int64_t deadline_ns;
    int rc = brood_connection_enter(connection, BROOD_READING, timeout_ms, &deadline_ns);

    if (rc) {
        return rc;
    }
    while (rc == 0 && !is_ready(connection)) {
        rc = read_on(connection, deadline_ns);
    }
    brood_connection_leave(connection, BROOD_READING);
    return rc;
}

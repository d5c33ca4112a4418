/* Handles that come before their message.
 *
 * The sender announces them: their number, and filler bytes. Where handles ride along with bytes
 * (Unix) the filler keeps the reader, who reads ahead, away from the bytes that they ride on: whoever
 * reads those as plain bytes loses them. Elsewhere the filler is a ticket with which the reader
 * fetches them. Then comes a mark for each group of handles, or one that calls it all off. */
#include "connection.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "fault.h"
#include "frame.h"

int brood_arrival_announce(brood_connection *connection, size_t filler, size_t handles)
{
    brood_arrival *arrival = &connection->arrival;

    if (!connection->trusted) {
        return brood_fail(BROOD_EDECODE, "a stranger announces %zu handles", handles);
    }
    if (brood_arrival_began(arrival)) {
        return brood_fail(BROOD_EDECODE,
                          "%zu handles are announced before those that came were used", handles);
    }
    arrival->filler = filler;
    arrival->expected = handles;
    memset(arrival->ticket, 0, sizeof arrival->ticket); /* it may come short */
    arrival->ticket_size = 0;
    return 0;
}

/* ---- the filler ---- */

static void keep_ticket(brood_arrival *arrival, const unsigned char *data, size_t size)
{
    const size_t missing = BROOD_OS_TICKET_SIZE - arrival->ticket_size;
    const size_t kept = size < missing ? size : missing;

    memcpy(arrival->ticket + arrival->ticket_size, data, kept);
    arrival->ticket_size += kept;
}

static int skip_filler(brood_connection *connection, int64_t deadline_ns)
{
    brood_arrival *arrival = &connection->arrival;
    unsigned char piece[256];
    size_t size;

    for (;;) {
        size = arrival->filler < sizeof piece ? arrival->filler : sizeof piece;
        size = brood_connection_from_room(connection, piece, size);
        if (size == 0) {
            break;
        }
        keep_ticket(arrival, piece, size);
        arrival->filler -= size;
    }
    return arrival->filler == 0 ? 0
                                : brood_connection_fill(connection, arrival->filler, deadline_ns);
}

/* ---- the groups ---- */

static int reserve(brood_arrival *arrival, size_t more)
{
    const size_t least = arrival->count + more;
    const size_t room = arrival->room * 2 > least ? arrival->room * 2 : least;
    brood_os_handle *handles;

    if (least <= arrival->room) {
        return 0;
    }
    handles = BROOD_ALLOC(realloc(arrival->handles, room * sizeof *handles));
    if (handles == NULL) {
        return brood_fail_nomem("the handles of a message");
    }
    arrival->handles = handles;
    arrival->room = room;
    return 0;
}

static void close_all(brood_arrival *arrival)
{
    for (size_t i = 0; i < arrival->count; i++) {
        brood_os_handle_close(arrival->handles[i]);
    }
    arrival->count = 0;
}

/* Of `wanted` handles `got` rode along; the others have to be fetched. */
static void add_group(brood_connection *connection, size_t got, size_t wanted)
{
    brood_arrival *arrival = &connection->arrival;
    brood_os_handle *group = arrival->handles + arrival->count;
    int rc = 0;

    arrival->expected -= wanted;
    arrival->count += got;
    if (got < wanted && arrival->lost == 0) {
        rc = brood_os_handles_fetch(group + got, wanted - got, arrival->ticket);
        arrival->count += rc == 0 ? wanted - got : 0;
        arrival->lost = rc;
    }
    if (arrival->lost != 0) {
        close_all(arrival);
    }
}

static int read_mark(brood_connection *connection, unsigned char *mark, size_t wanted, size_t *got,
                     int64_t deadline_ns)
{
    brood_arrival *arrival = &connection->arrival;
    int rc;

    *got = 0;
    if (brood_connection_from_room(connection, mark, 1) == 1) {
        return 0;
    }
    if (connection->ended) {
        return BROOD_EEND;
    }
    do {
        rc = brood_os_stream_read_group(
            &connection->stream, mark, arrival->handles + arrival->count, wanted, got, deadline_ns);
    } while (brood_connection_goes_on(connection, &rc, deadline_ns));
    return rc;
}

static int take_group(brood_connection *connection, int64_t deadline_ns)
{
    brood_arrival *arrival = &connection->arrival;
    const size_t wanted =
        arrival->expected < BROOD_OS_GROUP_MAX ? arrival->expected : BROOD_OS_GROUP_MAX;
    unsigned char mark = 0;
    size_t got = 0;
    int rc = reserve(arrival, wanted);

    if (rc == 0) {
        rc = read_mark(connection, &mark, wanted, &got, deadline_ns);
    }
    if (rc) {
        return rc;
    }
    BROOD_STOP("recv-group");
    if (mark == BROOD_FRAME_GROUP) {
        add_group(connection, got, wanted);
        return 0;
    }
    arrival->count += got;
    brood_arrival_close(arrival);
    if (mark != BROOD_FRAME_CALLED_OFF) {
        connection->garbled = true;
        return brood_fail(BROOD_EDECODE, "the handles that were announced did not follow");
    }
    return 0;
}

int brood_arrival_fetch(brood_connection *connection, int64_t deadline_ns)
{
    return connection->arrival.filler > 0 ? skip_filler(connection, deadline_ns)
                                          : take_group(connection, deadline_ns);
}

/* ---- the end ---- */

brood_arrival brood_arrival_take(brood_connection *connection)
{
    const brood_arrival taken = connection->arrival;

    memset(&connection->arrival, 0, sizeof connection->arrival);
    return taken;
}

int brood_arrival_check(const brood_arrival *arrival)
{
    switch (arrival->lost) {
    case 0:
        return 0;
    case BROOD_EPEER:
        return brood_fail(BROOD_EPEER, "the process that sent this message's handles has ended");
    default:
        return brood_fail(arrival->lost, "handles of this message were lost on their way");
    }
}

void brood_arrival_close(brood_arrival *arrival)
{
    close_all(arrival);
    free(arrival->handles);
    memset(arrival, 0, sizeof *arrival);
}

/* Connections: framed messages over a stream.
 *
 * Readers and writers take turns, each side with a gate. The stream stays open while anybody uses
 * it: close marks the connection and wakes those in line, and whoever leaves last closes. Blocked
 * calls look at the mark every 100 ms. */
#ifndef BROOD_SRC_CONNECTION_H
#define BROOD_SRC_CONNECTION_H

#include <brood/connection.h>

#include "arena.h"
#include "platform.h"
#include "waiter.h"

#define BROOD_CONNECTION_ROOM BROOD_OS_READ_AHEAD /* bytes read ahead, at most */

typedef enum brood_side {
    BROOD_READING,
    BROOD_WRITING
} brood_side;

/* Handles of a message that is coming: announced, then there. */
typedef struct brood_arrival {
    size_t filler;   /* bytes to skip before they come, a ticket among them */
    size_t expected; /* so many are still to come */
    unsigned char ticket[BROOD_OS_TICKET_ROOM];
    size_t ticket_size;       /* bytes of it that came */
    brood_os_handle *handles; /* malloc'ed */
    size_t count;
    size_t room;
    int lost; /* why they will not be there, or 0 */
} brood_arrival;

static inline bool brood_arrival_began(const brood_arrival *arrival)
{
    return arrival->filler > 0 || arrival->expected > 0 || arrival->count > 0 || arrival->lost != 0;
}

struct brood_connection {
    brood_atomic refs;
    brood_atomic generation; /* in which it is in order, see fork.h */
    bool readable;
    bool writable;
    bool trusted; /* the other end is ours or a relative's: objects may travel */

    brood_os_mutex mutex; /* for the next six */
    brood_os_condition changed;
    bool closed;
    bool busy[2]; /* by brood_side */
    long users;   /* why the stream has to stay open */
    brood_waiter *waiters;
    bool left_out; /* a waiter could not look: a reader was busy */

    brood_os_stream stream;

    /* The reader's, while busy[BROOD_READING]. */
    unsigned char *room;
    size_t room_size;
    size_t room_start; /* bytes from here ... */
    size_t room_end;   /* ... to here were read ahead */
    bool ended;        /* nothing comes any more */
    bool garbled;      /* a header made no sense: there is no way to find the next */
    bool watched;      /* a foreign event loop has what tells that there is something to read */
    bool has_header;   /* of a message that was not taken yet */
    uint64_t incoming_size;
    unsigned char *incoming; /* the part that came, behind the header */
    size_t incoming_room;
    size_t incoming_got;
    brood_arrival arrival;

    /* The writer's, while busy[BROOD_WRITING]. */
    bool cut;       /* a message was sent in part */
    bool announced; /* handles that did not follow: the reader has to be told */
};

typedef struct brood_connection_state brood_connection_state;

/// brood_connection_blank makes one without a stream, or returns NULL.
brood_connection *brood_connection_blank(const brood_connection_state *state);

/// brood_connection_enter waits for this thread's turn to read or write and keeps the stream open
/// until brood_connection_leave. It checks the direction and sets the deadline of `timeout_ms`.
int brood_connection_enter(brood_connection *connection, brood_side which, int64_t timeout_ms,
                           int64_t *deadline_ns);
void brood_connection_leave(brood_connection *connection, brood_side which);

/// brood_connection_wrong_way says that this end cannot do that and returns BROOD_EINVAL.
int brood_connection_wrong_way(brood_side which);

/// brood_connection_check puts a connection in order that was made before a fork, in the child: what
/// another thread was doing with it there can be finished by nobody. Errors: BROOD_EINVAL for NULL;
/// BROOD_ECLOSED for one that this process has no handle of.
int brood_connection_check(brood_connection *connection);

/// brood_connection_began tells whether something was received and not taken: a message, a part of
/// one, or what goes before it.
static inline bool brood_connection_began(const brood_connection *connection)
{
    return connection->has_header || connection->room_start != connection->room_end ||
           brood_arrival_began(&connection->arrival);
}

/// brood_connection_closed_here says that it was closed here and returns BROOD_ECLOSED.
int brood_connection_closed_here(void);

/// brood_connection_has_message tells whether a receive would end at once without reading from the
/// stream: a whole message was read ahead, or there is an end or an error to tell of. For the reader,
/// or with the mutex held while there is none.
bool brood_connection_has_message(const brood_connection *connection);

/* ---- connection_wait.c: for brood_wait ---- */

/// brood_connection_watch looks whether there is something to receive (`out->ready`), and if not,
/// says what to wait for. From the first time until brood_connection_unwatch `waiter` is raised when
/// another look is needed, and the stream stays open.
/// Errors: BROOD_EINVAL for an end that only sends; BROOD_ECLOSED; as brood_os_stream_arm.
int brood_connection_watch(brood_connection *connection, brood_waiter *waiter,
                           brood_os_waitable *out);

/// brood_connection_confirm tells whether what was waited for means that there is something.
bool brood_connection_confirm(brood_connection *connection);

/// brood_connection_unwatch ends it. Only for a waiter that is in the connection's list.
void brood_connection_unwatch(brood_connection *connection, brood_waiter *waiter);

/// brood_connection_waitable sets `*out` to a handle for foreign event loops.
/// Errors: as brood_connection_watch; BROOD_EINVAL also while another thread receives.
int brood_connection_waitable(brood_connection *connection, brood_os_handle *out);

/// brood_connection_pin keeps the handle open, whoever closes the connection, until unpin.
/// Errors: BROOD_ECLOSED.
int brood_connection_pin(brood_connection *connection, brood_os_handle *handle);
void brood_connection_unpin(brood_connection *connection);

/* ---- connection_give.c: what a connection is in another process ---- */

struct brood_connection_state {
    bool readable;
    bool writable;
    bool trusted;
    brood_view unread;              /* what was received but not taken, as it came */
    const brood_os_handle *arrived; /* of the message that is coming */
    size_t arrived_count;
    int lost; /* see brood_arrival */
};

/// brood_connection_describe fills `state` in, without anything unread.
void brood_connection_describe(const brood_connection *connection, brood_connection_state *state);

/// brood_connection_hold lets nobody else receive until brood_connection_let_go, since it is to be
/// given away. Errors: BROOD_ECLOSED; BROOD_EINVAL while another thread uses it; BROOD_EBROKEN.
int brood_connection_hold(brood_connection *connection);
void brood_connection_let_go(brood_connection *connection);

/// brood_connection_unread adds what was read ahead of a connection that is held to `state`; bytes
/// are copied into `arena`, handles are borrowed until it is let go.
int brood_connection_unread(brood_connection *connection, brood_arena *arena,
                            brood_connection_state *state);

/// brood_connection_of_handle makes a connection of a stream's handle. It takes this and the handles
/// in `state` over, on success only.
int brood_connection_of_handle(brood_connection **out, brood_os_handle handle,
                               const brood_connection_state *state);

/* ---- connection_recv.c ---- */

/// brood_connection_fill reads ahead what is there, one byte at least and `most` at most.
int brood_connection_fill(brood_connection *connection, size_t most, int64_t deadline_ns);

/// brood_connection_from_room takes up to `most` bytes of what was read ahead.
size_t brood_connection_from_room(brood_connection *connection, void *data, size_t most);

/// brood_connection_goes_on tells whether a call of the port that gave up with `*rc` is to be made
/// again: its slice of time is over, but not the caller's time.
bool brood_connection_goes_on(brood_connection *connection, int *rc, int64_t deadline_ns);

/// brood_connection_step takes one step towards the next message's header: a negative code when it
/// failed, BROOD_EEND at the end of the stream.
int brood_connection_step(brood_connection *connection, int64_t deadline_ns);

/* ---- connection_arrival.c: handles that come before a message ---- */

/// brood_arrival_announce takes note of an announcement. Errors: BROOD_EDECODE where nobody may send
/// one.
int brood_arrival_announce(brood_connection *connection, size_t filler, size_t handles);

/// brood_arrival_incomplete tells whether brood_arrival_fetch comes before anything else.
static inline bool brood_arrival_incomplete(const brood_arrival *arrival)
{
    return arrival->filler > 0 || arrival->expected > 0;
}

/// brood_arrival_fetch takes what came of the announced handles, something at least.
int brood_arrival_fetch(brood_connection *connection, int64_t deadline_ns);

/// brood_arrival_take hands the handles of a whole message on.
brood_arrival brood_arrival_take(brood_connection *connection);

/// brood_arrival_check says why the handles are lost, if they are.
int brood_arrival_check(const brood_arrival *arrival);

/// brood_arrival_close closes the handles.
void brood_arrival_close(brood_arrival *arrival);

#endif

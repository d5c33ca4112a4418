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

#define BROOD_CONNECTION_ROOM ((size_t)8 * 1024) /* bytes read ahead */

typedef enum brood_side {
    BROOD_READING,
    BROOD_WRITING
} brood_side;

struct brood_connection {
    brood_atomic refs;
    brood_atomic generation; /* in which it is in order, see fork.h */
    bool readable;
    bool writable;

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

    /* The writer's, while busy[BROOD_WRITING]. */
    bool cut; /* a message was sent in part */
};

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

/// brood_connection_closed_here says that it was closed here and returns BROOD_ECLOSED.
int brood_connection_closed_here(void);

/// brood_connection_of_handle makes a connection of a stream's handle and of what was read from it
/// already (copied). It takes the handle over, on success only.
int brood_connection_of_handle(brood_connection **out, brood_os_handle handle, bool readable,
                               bool writable, brood_view unread);

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

/* ---- giving it away ---- */

/// brood_connection_pin keeps the handle open, whoever closes the connection, until unpin.
/// Errors: BROOD_ECLOSED.
int brood_connection_pin(brood_connection *connection, brood_os_handle *handle);
void brood_connection_unpin(brood_connection *connection);

/// brood_connection_unread copies what was received but not taken yet, as it came, into `arena`.
/// Errors: BROOD_EINVAL while another thread receives; BROOD_ENOMEM.
int brood_connection_unread(brood_connection *connection, brood_arena *arena, brood_view *out);

#endif

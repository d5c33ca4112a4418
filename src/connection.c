#include "connection.h"

#include <stdlib.h>
#include <string.h>

#include "deadline.h"
#include "error.h"
#include "fault.h"
#include "fork.h"
#include "frame.h"
#include "locks.h"

/* ---- life ---- */

static brood_connection *new_connection(bool readable, bool writable)
{
    brood_connection *connection = BROOD_ALLOC(calloc(1, sizeof *connection));

    if (connection == NULL) {
        (void)brood_fail_nomem("a connection");
        return NULL;
    }
    if (brood_os_condition_init(&connection->changed)) {
        free(connection);
        return NULL;
    }
    brood_os_mutex_init(&connection->mutex);
    brood_atomic_store(&connection->refs, 1);
    brood_atomic_store(&connection->generation, brood_generation());
    connection->readable = readable;
    connection->writable = writable;
    connection->stream = BROOD_OS_STREAM_NONE;
    return connection;
}

int brood_pipe(brood_connection **first, brood_connection **second, brood_direction direction)
{
    const bool duplex = direction == BROOD_DUPLEX;
    brood_connection *a = NULL;
    brood_connection *b = NULL;
    int rc = 0;

    if (first == NULL || second == NULL) {
        return brood_fail(BROOD_EINVAL, "brood_pipe needs room for both ends");
    }
    *first = NULL;
    *second = NULL;
    if (!duplex && direction != BROOD_ONE_WAY) {
        return brood_fail(BROOD_EINVAL, "a pipe is BROOD_DUPLEX or BROOD_ONE_WAY, not %d",
                          (int)direction);
    }
    a = new_connection(true, duplex);
    b = a ? new_connection(duplex, true) : NULL;
    if (b == NULL) {
        rc = brood_last_error()->error;
        goto done;
    }
    rc = brood_os_stream_pair(&a->stream, &b->stream, duplex);
    if (rc) {
        goto done;
    }
    *first = a;
    *second = b;
    a = NULL;
    b = NULL;

done:
    brood_connection_free(a);
    brood_connection_free(b);
    return rc;
}

int brood_connection_of_handle(brood_connection **out, brood_os_handle handle, bool readable,
                               bool writable, brood_view unread)
{
    brood_connection *connection = new_connection(readable, writable);
    int rc;

    if (connection == NULL) {
        return brood_last_error()->error;
    }
    if (unread.size > 0) {
        connection->room_size =
            unread.size > BROOD_CONNECTION_ROOM ? unread.size : BROOD_CONNECTION_ROOM;
        connection->room = BROOD_ALLOC(malloc(connection->room_size));
        if (connection->room == NULL) {
            brood_connection_free(connection);
            return brood_fail_nomem("what a connection had read ahead");
        }
        memcpy(connection->room, unread.data, unread.size);
        connection->room_end = unread.size;
    }
    rc = brood_os_stream_adopt(&connection->stream, handle);
    if (rc) {
        brood_connection_free(connection);
        return rc;
    }
    *out = connection;
    return 0;
}

int brood_connection_adopt(brood_connection **out, brood_handle handle, bool readable,
                           bool writable)
{
    const brood_view nothing = {NULL, 0};
    int rc;

    if (out == NULL) {
        return brood_fail(BROOD_EINVAL, "there is no place for the connection: out is NULL");
    }
    *out = NULL;
    if (!readable && !writable) {
        return brood_fail(BROOD_EINVAL, "a connection that neither receives nor sends");
    }
    rc = brood_os_stream_check(handle, readable, writable);
    if (rc == 0) {
        rc = brood_connection_of_handle(out, handle, readable, writable, nothing);
    }
    if (rc == 0) {
        brood_os_stream_settle(handle);
    }
    return rc;
}

brood_connection *brood_connection_ref(brood_connection *connection)
{
    if (connection != NULL) {
        (void)brood_atomic_add(&connection->refs, 1);
    }
    return connection;
}

static bool is_in_order(const brood_connection *connection)
{
    return brood_atomic_load(&connection->generation) == brood_generation();
}

/* In a forked child: the lock may be held, and a turn taken, by a thread that is not here. */
static int put_in_order(brood_connection *connection)
{
    const int rc = brood_os_condition_init(&connection->changed);

    if (rc) {
        return rc;
    }
    brood_os_mutex_init(&connection->mutex);
    connection->garbled = connection->garbled || connection->busy[BROOD_READING];
    connection->has_header = connection->has_header && !connection->garbled;
    connection->cut = connection->cut || connection->busy[BROOD_WRITING];
    connection->busy[BROOD_READING] = false;
    connection->busy[BROOD_WRITING] = false;
    connection->users = 0;
    connection->waiters = NULL;
    brood_atomic_store(&connection->generation, brood_generation());
    return 0;
}

int brood_connection_check(brood_connection *connection)
{
    int rc = 0;

    if (connection == NULL) {
        return brood_fail(BROOD_EINVAL, "the connection is NULL");
    }
    if (is_in_order(connection)) {
        return 0;
    }
    if (brood_fork_lost(brood_atomic_load(&connection->generation))) {
        return brood_fail(BROOD_ECLOSED, "the connection is the parent's: one that a process is "
                                         "to use is sent to it as an argument");
    }
    brood_lock(BROOD_LOCK_CONNECTION);
    if (!is_in_order(connection)) {
        rc = put_in_order(connection);
    }
    brood_unlock(BROOD_LOCK_CONNECTION);
    return rc;
}

void brood_connection_free(brood_connection *connection)
{
    if (connection == NULL || brood_atomic_add(&connection->refs, -1) > 0) {
        return;
    }
    if (!brood_fork_lost(brood_atomic_load(&connection->generation))) {
        brood_os_stream_close(&connection->stream);
    }
    if (is_in_order(connection)) {
        brood_os_condition_fini(&connection->changed);
        brood_os_mutex_fini(&connection->mutex);
    }
    free(connection->room);
    free(connection->incoming);
    free(connection);
}

/* Called with the mutex held; the caller closes what it returns, without it. */
static brood_os_stream take_stream_if_done(brood_connection *connection)
{
    brood_os_stream stream = BROOD_OS_STREAM_NONE;

    if (connection->closed && connection->users == 0) {
        stream = connection->stream;
        connection->stream = BROOD_OS_STREAM_NONE;
    }
    return stream;
}

void brood_connection_close(brood_connection *connection)
{
    brood_os_stream stream;

    if (connection == NULL || brood_connection_check(connection) != 0) {
        return;
    }
    brood_os_mutex_lock(&connection->mutex);
    if (!connection->closed && connection->users > 0) {
        brood_os_stream_interrupt(&connection->stream);
    }
    connection->closed = true;
    stream = take_stream_if_done(connection);
    brood_os_condition_wake_all(&connection->changed);
    brood_waiters_wake(connection->waiters);
    brood_os_mutex_unlock(&connection->mutex);
    brood_os_stream_close(&stream);
}

bool brood_connection_closed(const brood_connection *connection)
{
    brood_connection *lockable = (brood_connection *)(uintptr_t)connection;
    bool closed;

    if (connection == NULL || brood_connection_check(lockable) != 0) {
        return true;
    }
    brood_os_mutex_lock(&lockable->mutex);
    closed = connection->closed;
    brood_os_mutex_unlock(&lockable->mutex);
    return closed;
}

brood_handle brood_connection_handle(const brood_connection *connection)
{
    return brood_connection_closed(connection) ? BROOD_NO_HANDLE : connection->stream.handle;
}

bool brood_connection_readable(const brood_connection *connection)
{
    return connection != NULL && connection->readable;
}

bool brood_connection_writable(const brood_connection *connection)
{
    return connection != NULL && connection->writable;
}

int brood_connection_wrong_way(brood_side which)
{
    return brood_fail(BROOD_EINVAL,
                      which == BROOD_READING ? "this end only sends" : "this end only receives");
}

int brood_connection_closed_here(void)
{
    return brood_fail(BROOD_ECLOSED, "the connection was closed here");
}

int brood_connection_pin(brood_connection *connection, brood_os_handle *handle)
{
    int rc = brood_connection_check(connection);

    if (rc) {
        return rc;
    }
    brood_os_mutex_lock(&connection->mutex);
    if (connection->closed) {
        rc = brood_connection_closed_here();
    } else {
        connection->users++;
        *handle = connection->stream.handle;
    }
    brood_os_mutex_unlock(&connection->mutex);
    return rc;
}

/* With the mutex held, which it gives up. */
static void drop_user(brood_connection *connection)
{
    brood_os_stream stream;

    connection->users--;
    stream = take_stream_if_done(connection);
    brood_os_mutex_unlock(&connection->mutex);
    brood_os_stream_close(&stream);
}

void brood_connection_unpin(brood_connection *connection)
{
    brood_os_mutex_lock(&connection->mutex);
    drop_user(connection);
}

void brood_connection_unwatch(brood_connection *connection, brood_waiter *waiter)
{
    brood_os_mutex_lock(&connection->mutex);
    brood_waiter_dismiss(waiter);
    drop_user(connection);
}

/* ---- taking turns ---- */

static int enter(brood_connection *connection, brood_side which, int64_t deadline_ns)
{
    int rc = 0;

    brood_os_mutex_lock(&connection->mutex);
    while (connection->busy[which] && !connection->closed && rc == 0) {
        rc = brood_deadline_passed(deadline_ns)
                 ? brood_fail(BROOD_ETIMEDOUT, "another thread uses the connection")
                 : brood_os_condition_wait(&connection->changed, &connection->mutex, deadline_ns);
        rc = rc == BROOD_ETIMEDOUT && !connection->busy[which] ? 0 : rc;
    }
    if (connection->closed) {
        rc = brood_connection_closed_here();
    }
    if (rc == 0) {
        connection->busy[which] = true;
        connection->users++;
    }
    brood_os_mutex_unlock(&connection->mutex);
    return rc;
}

/* What was read ahead does not show on the stream. */
static void tell_waiters(brood_connection *connection)
{
    if (connection->left_out || brood_connection_has_message(connection)) {
        connection->left_out = false;
        brood_waiters_wake(connection->waiters);
    }
}

void brood_connection_leave(brood_connection *connection, brood_side which)
{
    brood_os_mutex_lock(&connection->mutex);
    connection->busy[which] = false;
    brood_os_condition_wake_all(&connection->changed);
    if (which == BROOD_READING && connection->waiters != NULL) {
        tell_waiters(connection);
    }
    drop_user(connection);
}

int brood_connection_enter(brood_connection *connection, brood_side which, int64_t timeout_ms,
                           int64_t *deadline_ns)
{
    int rc = brood_connection_check(connection);

    if (rc) {
        return rc;
    }
    if (!(which == BROOD_READING ? connection->readable : connection->writable)) {
        return brood_connection_wrong_way(which);
    }
    rc = brood_deadline(deadline_ns, timeout_ms);
    return rc ? rc : enter(connection, which, *deadline_ns);
}

/* ---- giving it away ---- */

int brood_connection_unread(brood_connection *connection, brood_arena *arena, brood_view *out)
{
    unsigned char header[BROOD_FRAME_LONG];
    brood_view kept;
    size_t header_size = 0;
    size_t ahead;
    unsigned char *data;
    int rc = enter(connection, BROOD_READING, BROOD_DEADLINE_PASSED);

    if (rc) {
        return rc == BROOD_ETIMEDOUT
                   ? brood_fail(BROOD_EINVAL,
                                "another thread receives from the connection to be given away")
                   : rc;
    }
    if (connection->has_header) {
        header_size = brood_frame_write(header, connection->incoming_size);
    }
    ahead = connection->room_end - connection->room_start;
    kept = brood_os_stream_unread(&connection->stream);
    data = brood_arena_alloc(arena, header_size + connection->incoming_got + ahead + kept.size + 1);
    if (data == NULL) {
        rc = brood_fail_nomem("what a connection has read ahead");
        goto done;
    }
    out->data = data;
    out->size = header_size + connection->incoming_got + ahead + kept.size;
    memcpy(data, header, header_size);
    data += header_size;
    if (connection->incoming_got > 0) {
        memcpy(data, connection->incoming, connection->incoming_got);
        data += connection->incoming_got;
    }
    if (ahead > 0) {
        memcpy(data, connection->room + connection->room_start, ahead);
        data += ahead;
    }
    if (kept.size > 0) {
        memcpy(data, kept.data, kept.size);
    }

done:
    brood_connection_leave(connection, BROOD_READING);
    return rc;
}

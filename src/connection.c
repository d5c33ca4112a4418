#include "connection.h"

#include <stdlib.h>
#include <string.h>

#include "deadline.h"
#include "error.h"
#include "fault.h"
#include "fork.h"
#include "locks.h"

/* ---- life ---- */

brood_connection *brood_connection_blank(const brood_connection_state *state)
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
    connection->readable = state->readable;
    connection->writable = state->writable;
    connection->trusted = state->trusted;
    connection->stream = BROOD_OS_STREAM_NONE;
    return connection;
}

int brood_pipe(brood_connection **first, brood_connection **second, brood_direction direction)
{
    const bool duplex = direction == BROOD_DUPLEX;
    brood_connection_state one = {0};
    brood_connection_state two = {0};
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
    one.readable = two.writable = true;
    one.writable = two.readable = duplex;
    one.trusted = two.trusted = true;
    a = brood_connection_blank(&one);
    b = a ? brood_connection_blank(&two) : NULL;
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

int brood_connection_adopt(brood_connection **out, brood_handle handle, bool readable,
                           bool writable)
{
    brood_connection_state state; /* a stranger's: not trusted */
    int rc;

    if (out == NULL) {
        return brood_fail(BROOD_EINVAL, "there is no place for the connection: out is NULL");
    }
    *out = NULL;
    if (!readable && !writable) {
        return brood_fail(BROOD_EINVAL, "a connection that neither receives nor sends");
    }
    memset(&state, 0, sizeof state);
    state.readable = readable;
    state.writable = writable;
    rc = brood_os_stream_check(handle, readable, writable);
    if (rc == 0) {
        rc = brood_connection_of_handle(out, handle, &state);
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
    if (connection->busy[BROOD_READING]) {
        memset(&connection->arrival, 0, sizeof connection->arrival); /* perhaps half changed */
    }
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
    brood_locks_take(BROOD_LOCK_CONNECTION);
    if (!is_in_order(connection)) {
        rc = put_in_order(connection);
    }
    brood_locks_give(BROOD_LOCK_CONNECTION);
    return rc;
}

void brood_connection_free(brood_connection *connection)
{
    if (connection == NULL || brood_atomic_add(&connection->refs, -1) > 0) {
        return;
    }
    if (!brood_fork_lost(brood_atomic_load(&connection->generation))) {
        brood_os_stream_close(&connection->stream);
        brood_arrival_close(&connection->arrival);
    }
    if (is_in_order(connection)) {
        brood_os_condition_fini(&connection->changed);
        brood_os_mutex_fini(&connection->mutex);
    }
    free(connection->room);
    free(connection->incoming);
    free(connection);
}

/* What is closed when nobody uses a closed connection any more. */
typedef struct remains {
    brood_os_stream stream;
    brood_arrival arrival;
} remains;

/* Called with the mutex held; the caller buries what it returns, without it. */
static remains take_remains_if_done(brood_connection *connection)
{
    remains rest = {BROOD_OS_STREAM_NONE, {0}};

    if (connection->closed && connection->users == 0) {
        rest.stream = connection->stream;
        rest.arrival = brood_arrival_take(connection);
        connection->stream = BROOD_OS_STREAM_NONE;
    }
    return rest;
}

static void bury(remains *rest)
{
    brood_os_stream_close(&rest->stream);
    brood_arrival_close(&rest->arrival);
}

void brood_connection_close(brood_connection *connection)
{
    remains rest;

    if (connection == NULL || brood_connection_check(connection) != 0) {
        return;
    }
    brood_os_mutex_lock(&connection->mutex);
    if (!connection->closed && connection->users > 0) {
        brood_os_stream_interrupt(&connection->stream);
    }
    connection->closed = true;
    rest = take_remains_if_done(connection);
    brood_os_condition_wake_all(&connection->changed);
    brood_waiters_wake(connection->waiters);
    brood_os_mutex_unlock(&connection->mutex);
    bury(&rest);
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
    remains rest;

    connection->users--;
    rest = take_remains_if_done(connection);
    brood_os_mutex_unlock(&connection->mutex);
    bury(&rest);
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

/* Connections, as brood_wait and foreign event loops see them. */
#include "connection.h"

#include "deadline.h"
#include "error.h"

/* With the mutex held. While another thread receives, what comes is for that one: it wakes us when
 * it is done, and then we look again. */
static int look(brood_connection *connection, brood_os_waitable *out)
{
    out->handle = BROOD_NO_HANDLE;
    out->ready = false;
    if (connection->busy[BROOD_READING]) {
        connection->left_out = true;
        return 0;
    }
    if (brood_connection_has_message(connection)) {
        out->ready = true;
        return 0;
    }
    return brood_os_stream_arm(&connection->stream, out);
}

int brood_connection_watch(brood_connection *connection, brood_waiter *waiter,
                           brood_os_waitable *out)
{
    int rc = brood_connection_check(connection);

    if (rc) {
        return rc;
    }
    if (!connection->readable) {
        return brood_connection_wrong_way(BROOD_READING);
    }
    brood_os_mutex_lock(&connection->mutex);
    if (connection->closed) {
        rc = brood_connection_closed_here();
    } else {
        if (!waiter->listed) {
            brood_waiter_enlist(&connection->waiters, waiter);
            connection->users++;
        }
        rc = look(connection, out);
    }
    brood_os_mutex_unlock(&connection->mutex);
    return rc;
}

bool brood_connection_confirm(brood_connection *connection)
{
    bool ready;

    brood_os_mutex_lock(&connection->mutex);
    ready = !connection->busy[BROOD_READING] && brood_os_stream_confirm(&connection->stream);
    brood_os_mutex_unlock(&connection->mutex);
    return ready;
}

int brood_connection_waitable(brood_connection *connection, brood_os_handle *out)
{
    brood_os_waitable what = {BROOD_NO_HANDLE, false, false};
    int64_t deadline_ns;
    int rc = brood_connection_enter(connection, BROOD_READING, BROOD_NOWAIT, &deadline_ns);

    if (rc) {
        return rc == BROOD_ETIMEDOUT
                   ? brood_fail(BROOD_EINVAL, "another thread receives from the connection")
                   : rc;
    }
    rc = brood_os_stream_arm(&connection->stream, &what);
    if (rc == 0) {
        connection->watched = true;
        *out = what.handle;
    }
    brood_connection_leave(connection, BROOD_READING);
    return rc;
}

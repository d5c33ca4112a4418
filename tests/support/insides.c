#include "support/insides.h"

#include "connection.h"

int inside_send_raw(brood_connection *connection, const void *data, size_t size)
{
    brood_view pieces[2] = {{data, size}, {NULL, 0}};
    int rc = 0;

    while (rc == 0 && pieces[0].size > 0) {
        size_t sent = 0;
        rc = brood_os_stream_write(&connection->stream, pieces, &sent,
                                   brood_os_now() + (int64_t)10 * 1000 * 1000 * 1000);
        pieces[0].data = (const char *)pieces[0].data + sent;
        pieces[0].size -= sent;
    }
    return rc;
}

int64_t inside_pid(void)
{
    return brood_os_pid();
}

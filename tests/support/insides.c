#include "support/insides.h"

#include "authkey.h"
#include "connection.h"
#include "process_object.h"

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

size_t inside_authkey(void *key)
{
    size_t size = 0;

    return brood_authkey_copy(key, &size) == 0 ? size : 0;
}

static int adopt(brood_process **out, const char *name, brood_os_identity *identity)
{
    const int rc = brood_process_of_identity(out, name, identity);

    if (rc) {
        brood_os_handle_close(identity->handle);
    }
    return rc;
}

/* By number first: that gives an object which can say more about itself. */
int inside_foreign(brood_process **out, int64_t pid, const char *name, bool with_handle)
{
    brood_os_identity identity = {pid, 0, BROOD_NO_HANDLE};
    const int rc = adopt(out, name, &identity);

    if (rc || !with_handle) {
        return rc;
    }
    brood_process *plain = *out;
    const int again = inside_retell(out, plain);
    brood_process_free(plain);
    return again;
}

int inside_foreign_handle(brood_process **out, int64_t pid, brood_handle handle)
{
    brood_os_identity identity = {pid, 0, BROOD_NO_HANDLE};
    const int rc = brood_os_handle_duplicate(&identity.handle, handle);

    return rc ? rc : adopt(out, "x", &identity);
}

int inside_earlier(brood_process **out, int64_t pid)
{
    brood_os_identity identity = {pid, 1, BROOD_NO_HANDLE};

    return adopt(out, "earlier", &identity);
}

int inside_retell(brood_process **out, brood_process *process)
{
    brood_os_identity identity;
    const int rc = brood_process_identify(&identity, process);

    return rc ? rc : adopt(out, brood_process_name(process), &identity);
}

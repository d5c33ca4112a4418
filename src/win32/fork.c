/* Windows has no fork, so no fork server either: a process begins with a program. */
#include "win32.h"

bool brood_os_method_supported(brood_os_method method)
{
    return method == BROOD_OS_SPAWN;
}

int brood_os_fork(int64_t *pid)
{
    (void)pid;
    return brood_fail(BROOD_ENOTSUP, "Windows has no fork");
}

long brood_os_thread_count(void)
{
    return 0;
}

static int fail_no_server(void)
{
    return brood_fail(BROOD_ENOTSUP, "Windows has no fork server");
}

int brood_os_server_new(brood_os_server **out, brood_os_handle *control)
{
    (void)out;
    (void)control;
    return fail_no_server();
}

brood_os_server *brood_os_server_ref(brood_os_server *server)
{
    return server;
}

void brood_os_server_free(brood_os_server *server)
{
    (void)server;
}

void brood_os_server_finish(brood_os_server *server)
{
    (void)server;
}

void brood_os_server_leave(brood_os_server *server)
{
    (void)server;
}

int brood_os_serve(brood_os_handle control, int (*run)(void))
{
    (void)control;
    (void)run;
    return fail_no_server();
}

bool brood_os_child_serves(void)
{
    return false;
}

/* Windows has no fork: a process begins with a program. */
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

/* Process descriptors: they go on meaning the same process when its number is used again. */
#include "posix.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(BROOD_HAVE_PIDFD)
#if !defined(P_PIDFD)
#define P_PIDFD 3
#endif

int brood_posix_pidfd_open(pid_t pid)
{
    return brood_posix_move((int)BROOD_SYS("pidfd_open", ENOSYS, syscall(SYS_pidfd_open, pid, 0)),
                            3);
}

int brood_posix_pidfd_ask(int pidfd, siginfo_t *info, int flags)
{
    return waitid((idtype_t)P_PIDFD, (id_t)pidfd, info, flags);
}

int brood_posix_pidfd_signal(int pidfd, int signum)
{
    return (int)BROOD_SYS("pidfd_send_signal", EPERM,
                          syscall(SYS_pidfd_send_signal, pidfd, signum, NULL, 0));
}

#else

static int fail(void)
{
    errno = ENOSYS;
    return -1;
}

int brood_posix_pidfd_open(pid_t pid)
{
    (void)pid;
    return fail();
}

int brood_posix_pidfd_ask(int pidfd, siginfo_t *info, int flags)
{
    (void)pidfd;
    (void)info;
    (void)flags;
    return fail();
}

int brood_posix_pidfd_signal(int pidfd, int signum)
{
    (void)pidfd;
    (void)signum;
    return fail();
}

#endif

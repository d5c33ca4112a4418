/* Process descriptors: they go on meaning the same process when its number is used again. */
#include "posix.h"

#include <poll.h>
#include <sys/ioctl.h>
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

bool brood_posix_pidfd_works(void)
{
    static brood_atomic known; /* 1: yes, 2: no */
    long answer = brood_atomic_load(&known);

    if (answer == 0) {
        const int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
        answer = fd < 0 && (errno == ENOSYS || errno == EPERM) ? 2 : 1;
        brood_posix_close(fd);
        brood_atomic_store(&known, answer);
    }
    return answer == 1;
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

/* From the kernel's interface (Linux 6.15), which C libraries' headers do not have yet. */
typedef struct pidfd_facts {
    uint64_t mask; /* in: what is asked for; out: what there is */
    uint64_t cgroup;
    uint32_t ids[11];
    int32_t status; /* as wait has it */
} pidfd_facts;

/* C libraries do not agree on the type that ioctl takes it in. */
#define ASK_FACTS _IOWR(0xFF, 11, pidfd_facts)
#define FACT_STATUS ((uint64_t)1 << 3)
#define TRIES 5 /* the status is there a moment after the one who reaped it has it */

int brood_posix_pidfd_status(int pidfd, int *status)
{
    for (int i = 0; i < TRIES; i++) {
        pidfd_facts facts = {FACT_STATUS, 0, {0}, 0};
        const int rc =
            (int)BROOD_SYS("ioctl", ENOTTY, syscall(SYS_ioctl, pidfd, ASK_FACTS, &facts));
        if (rc == 0 && (facts.mask & FACT_STATUS) != 0) {
            *status = facts.status;
            return 0;
        }
        if (rc < 0 && errno != ESRCH) {
            return -1;
        }
        (void)poll(NULL, 0, 1);
    }
    errno = ESRCH;
    return -1;
}

#else

static int fail(void)
{
    errno = ENOSYS;
    return -1;
}

bool brood_posix_pidfd_works(void)
{
    return false;
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

int brood_posix_pidfd_status(int pidfd, int *status)
{
    (void)pidfd;
    (void)status;
    return fail();
}

int brood_posix_pidfd_signal(int pidfd, int signum)
{
    (void)pidfd;
    (void)signum;
    return fail();
}

#endif

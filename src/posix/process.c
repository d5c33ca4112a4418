/* Children: start, wait, stop. */
#include "posix.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS ((int64_t)1000 * 1000)
#define POLL_SLICE_MS 100
#define BLIND_SLICE_MS 20 /* between looks, where no descriptor tells of the end */

#if defined(BROOD_HAVE_PIDFD)
#if !defined(P_PIDFD)
#define P_PIDFD 3
#endif

static int open_pidfd(pid_t pid)
{
    return brood_posix_move((int)BROOD_SYS("pidfd_open", ENOSYS, syscall(SYS_pidfd_open, pid, 0)),
                            3);
}

static int ask_by_pidfd(brood_os_process *process, siginfo_t *info, int flags)
{
    return waitid((idtype_t)P_PIDFD, (id_t)process->sentinel, info, flags);
}

static int signal_by_pidfd(brood_os_process *process, int signum)
{
    return (int)BROOD_SYS("pidfd_send_signal", EPERM,
                          syscall(SYS_pidfd_send_signal, (int)process->sentinel, signum, NULL, 0));
}
#else
static int open_pidfd(pid_t pid)
{
    (void)pid;
    return -1;
}

static int ask_by_pidfd(brood_os_process *process, siginfo_t *info, int flags)
{
    (void)process;
    (void)info;
    (void)flags;
    errno = ENOSYS;
    return -1;
}

static int signal_by_pidfd(brood_os_process *process, int signum)
{
    (void)process;
    (void)signum;
    errno = ENOSYS;
    return -1;
}
#endif

/* With a process descriptor reports lie in memory; without one the channel is the sentinel. */
static bool has_pidfd(const brood_os_process *process)
{
    return process->pidfd;
}

/* Returns 1 when it has ended, 0 while it runs, -1 (ECHILD) when somebody else reaped it. */
static int ask(brood_os_process *process, siginfo_t *info, int flags)
{
    int rc;

    info->si_pid = 0;
    do {
        rc = has_pidfd(process)
                 ? ask_by_pidfd(process, info, WEXITED | WNOHANG | flags)
                 : waitid(P_PID, (id_t)process->pid, info, WEXITED | WNOHANG | flags);
    } while (rc < 0 && errno == EINTR);
    return rc < 0 ? -1 : info->si_pid != 0;
}

/* ---- start ---- */

/* What the child gets over the channel. With a process descriptor it reports in memory, else over
 * the channel, which is the sentinel then. It cannot have ended yet: it waits for us. */
static int prepare(brood_os_process *process, brood_posix_parcel *parcel)
{
    int rc = brood_posix_lifeline(&parcel->lifeline);

    if (rc == 0) {
        rc = brood_posix_report_create(&process->report, &parcel->report_fd);
        rc = rc == BROOD_ENOTSUP ? 0 : rc;
    }
    if (rc == 0 && process->report != NULL) {
        process->sentinel = open_pidfd((pid_t)process->pid);
        process->pidfd = process->sentinel >= 0;
    }
    if (process->pidfd) {
        parcel->report = BROOD_POSIX_REPORT_MEMORY;
    } else {
        brood_posix_close(parcel->report_fd);
        brood_posix_report_close(process->report);
        parcel->report_fd = -1;
        process->report = NULL;
    }
    return rc;
}

static int hand_over(brood_os_process *process, int channel, const brood_os_start *start)
{
    brood_posix_parcel parcel = {BROOD_POSIX_REPORT_CHANNEL, -1, -1};
    int rc = prepare(process, &parcel);

    if (rc == 0) {
        BROOD_STOP("parent-started");
        rc = brood_posix_channel_send(channel, start, &parcel);
    }
    brood_posix_close(parcel.report_fd);
    return rc;
}

static void undo_start(pid_t pid)
{
    (void)kill(pid, SIGKILL); /* it cannot have ended and been reaped: nobody else knows of it */
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

bool brood_os_method_supported(brood_os_method method)
{
    return method == BROOD_OS_SPAWN;
}

int brood_os_process_start(brood_os_process *out, const brood_os_start *start)
{
    brood_os_process process = {0, BROOD_NO_HANDLE, NULL, false, false};
    int pair[2] = {-1, -1};
    pid_t pid = -1;
    int rc = brood_posix_pair(pair);

    if (rc) {
        return rc;
    }
    rc = brood_posix_spawn(&pid, pair[1], (int)start->body);
    if (rc) {
        goto done;
    }
    brood_posix_close(pair[1]); /* so that the child's end shows on ours */
    pair[1] = -1;
    process.pid = pid;
    rc = hand_over(&process, pair[0], start);
    if (rc) {
        undo_start(pid);
        brood_os_process_close(&process);
        goto done;
    }
    BROOD_STOP("parent-sent");
    if (!process.pidfd) {
        process.sentinel = pair[0];
        pair[0] = -1;
    }
    *out = process;

done:
    brood_posix_close(pair[0]);
    brood_posix_close(pair[1]);
    return rc;
}

/* ---- wait ---- */

static void pause_ms(int ms)
{
    const struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000L};

    (void)nanosleep(&time, NULL);
}

/* The channel closes with the process, unless a grandchild holds it or the program closed it: then
 * we look now and again. */
static int wait_blindly(brood_os_process *process, int64_t deadline_ns)
{
    struct pollfd one = {(int)process->sentinel, 0, 0}; /* only the end, not the report */
    siginfo_t info;
    int nap = 1;

    while (ask(process, &info, WNOWAIT) == 0) {
        const int left = brood_posix_left_ms(deadline_ns, BLIND_SLICE_MS);
        if (left == 0) {
            return brood_fail(BROOD_ETIMEDOUT, "process %lld still runs", (long long)process->pid);
        }
        if ((one.revents & (POLLHUP | POLLERR | POLLNVAL)) == 0) {
            (void)poll(&one, 1, left);
        } else {
            pause_ms(nap < left ? nap : left);
            nap = nap < BLIND_SLICE_MS ? nap * 2 : BLIND_SLICE_MS;
        }
    }
    return 0;
}

int brood_os_process_wait(brood_os_process *process, int64_t deadline_ns)
{
    struct pollfd one = {(int)process->sentinel, POLLIN, 0};

    if (!has_pidfd(process)) {
        return wait_blindly(process, deadline_ns);
    }
    for (;;) {
        const int n = poll(&one, 1, brood_posix_left_ms(deadline_ns, POLL_SLICE_MS));
        if (n > 0) {
            return 0;
        }
        if (n < 0 && errno != EINTR) {
            return brood_posix_error(errno, "wait for process %lld", (long long)process->pid);
        }
        if (n == 0 && brood_posix_left_ms(deadline_ns, 1) == 0) {
            return brood_fail(BROOD_ETIMEDOUT, "process %lld still runs", (long long)process->pid);
        }
    }
}

void brood_os_process_collect(brood_os_process *process, brood_os_status *out)
{
    siginfo_t info;

    out->known = ask(process, &info, 0) == 1;
    out->exitcode = 255;
    out->system_code = 0;
    process->reaped = true;
    if (out->known) {
        out->exitcode = info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
        out->system_code = info.si_status;
    }
}

int brood_os_process_stop(brood_os_process *process, brood_os_stop how)
{
    const int signum = how == BROOD_OS_KILL ? SIGKILL : SIGTERM;
    siginfo_t info;
    int rc;

    if (process->reaped || ask(process, &info, WNOWAIT) != 0) {
        return 0; /* ended; its number may belong to a stranger */
    }
    rc = has_pidfd(process) ? signal_by_pidfd(process, signum)
                            : BROOD_SYS("kill", EPERM, kill((pid_t)process->pid, signum));
    if (rc < 0 && errno != ESRCH) {
        return brood_posix_error(errno, "stop process %lld", (long long)process->pid);
    }
    return 0;
}

void brood_os_process_close(brood_os_process *process)
{
    brood_posix_close((int)process->sentinel);
    brood_posix_report_close(process->report);
    process->sentinel = BROOD_NO_HANDLE;
    process->report = NULL;
}

/* Children: start, wait, stop. */
#include "posix.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS ((int64_t)1000 * 1000)
#define POLL_SLICE_MS 100
#define BLIND_SLICE_MS 20 /* between looks, where no descriptor tells of the end */

/* Returns 1 when it has ended, 0 while it runs, -1 (ECHILD) when somebody else reaped it. */
static int ask(brood_os_process *process, siginfo_t *info, int flags)
{
    int rc;

    info->si_pid = 0;
    do {
        rc = process->pidfd
                 ? brood_posix_pidfd_ask((int)process->sentinel, info, WEXITED | WNOHANG | flags)
                 : waitid(P_PID, (id_t)process->pid, info, WEXITED | WNOHANG | flags);
    } while (rc < 0 && errno == EINTR);
    return rc < 0 ? -1 : info->si_pid != 0;
}

/* ---- start ---- */

/* What the child gets over the channel. With a process descriptor it reports in memory, else over
 * the channel, which is the sentinel then. It cannot have ended yet: it waits for us. */
static int prepare(brood_os_process *process, brood_posix_parcel *parcel)
{
    int rc = brood_posix_report_create(&process->report, &parcel->report_fd);

    rc = rc == BROOD_ENOTSUP ? 0 : rc;
    if (rc == 0 && process->report != NULL) {
        process->sentinel = brood_posix_pidfd_open((pid_t)process->pid);
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
    brood_posix_parcel parcel = {BROOD_POSIX_REPORT_CHANNEL, 0, -1, brood_posix_lifeline_others()};
    int rc = prepare(process, &parcel);

    if (rc == 0) {
        BROOD_STOP(start->serves ? "parent-server-started" : "parent-started");
        rc = brood_posix_channel_send(channel, start, &parcel);
    }
    brood_posix_close(parcel.report_fd);
    return rc;
}

void brood_posix_undo_start(pid_t pid)
{
    (void)kill(pid, SIGKILL); /* it cannot have ended and been reaped: nobody else knows of it */
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    brood_posix_forget_memory(pid);
}

bool brood_os_method_supported(brood_os_method method)
{
    (void)method;
    return true;
}

static int start_spawned(brood_os_process *out, const brood_os_start *start)
{
    brood_os_process process = BROOD_OS_PROCESS_NONE;
    int pair[2] = {-1, -1};
    int lifeline = -1;
    pid_t pid = -1;
    int rc = brood_posix_pair(pair);

    if (rc) {
        return rc;
    }
    rc = brood_posix_lifeline(&lifeline);
    if (rc == 0) {
        rc = brood_posix_spawn(&pid, start, pair[1], lifeline);
    }
    if (rc) {
        goto done;
    }
    brood_posix_close(pair[1]); /* so that the child's end shows on ours */
    pair[1] = -1;
    process.pid = pid;
    rc = hand_over(&process, pair[0], start);
    if (rc) {
        brood_posix_undo_start(pid);
        brood_os_process_close(&process);
        goto done;
    }
    BROOD_STOP(start->serves ? "parent-server-sent" : "parent-sent");
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

int brood_os_process_start(brood_os_process *out, const brood_os_start *start)
{
    switch (start->method) {
    case BROOD_OS_FORK:
        return brood_posix_fork_start(out, start);
    case BROOD_OS_FORKSERVER:
        return brood_posix_server_start(out, start);
    default:
        return start_spawned(out, start);
    }
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

static int wait_by_pidfd(brood_os_process *process, int64_t deadline_ns)
{
    struct pollfd one = {(int)process->sentinel, POLLIN, 0};

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

int brood_os_process_wait(brood_os_process *process, int64_t deadline_ns)
{
    if (process->born == BROOD_OS_ENDED) {
        return 0;
    }
    if (process->pidfd) {
        return wait_by_pidfd(process, deadline_ns);
    }
    if (process->server != NULL) {
        return brood_posix_served_wait(process, deadline_ns);
    }
    return process->foreign ? brood_posix_foreign_wait(process, deadline_ns)
                            : wait_blindly(process, deadline_ns);
}

void brood_posix_set_status(brood_os_status *out, int status)
{
    out->known = true;
    out->exitcode = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    out->system_code = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
}

/* Of a child that somebody else reaped (the system itself, where SIGCHLD is ignored). */
static void collect_later(const brood_os_process *process, brood_os_status *out)
{
    int status = 0;

    if (process->pidfd && brood_posix_pidfd_status((int)process->sentinel, &status) == 0) {
        brood_posix_set_status(out, status);
    }
}

void brood_os_process_collect(brood_os_process *process, brood_os_status *out)
{
    siginfo_t info;

    out->known = false;
    out->exitcode = 255;
    out->system_code = 0;
    out->killed_by_us = false;
    process->reaped = true;
    if (process->server != NULL) {
        brood_posix_served_collect(process, out);
    } else if (!process->foreign && ask(process, &info, 0) == 1) {
        out->known = true;
        out->exitcode = info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
        out->system_code = info.si_status;
    } else if (!process->foreign) {
        collect_later(process, out);
    }
    if (!process->foreign) {
        brood_posix_forget_memory(process->pid);
    }
}

static int signal_child(brood_os_process *process, int signum)
{
    siginfo_t info;
    int rc;

    if (ask(process, &info, WNOWAIT) != 0) {
        return 0; /* ended; its number may belong to a stranger */
    }
    rc = process->pidfd ? brood_posix_pidfd_signal((int)process->sentinel, signum)
                        : BROOD_SYS("kill", EPERM, kill((pid_t)process->pid, signum));
    if (rc < 0 && errno != ESRCH) {
        return brood_posix_error(errno, "stop process %lld", (long long)process->pid);
    }
    return 0;
}

int brood_os_process_stop(brood_os_process *process, brood_os_stop how)
{
    const int signum = how == BROOD_OS_KILL        ? SIGKILL
                       : how == BROOD_OS_INTERRUPT ? SIGINT
                                                   : SIGTERM;

    if (process->reaped) {
        return 0;
    }
    if (process->server != NULL) {
        return brood_posix_served_signal(process, signum);
    }
    return process->foreign ? brood_posix_foreign_signal(process, signum)
                            : signal_child(process, signum);
}

void brood_os_process_close(brood_os_process *process)
{
    brood_posix_close((int)process->sentinel);
    brood_posix_report_close(process->report);
    brood_posix_served_close(process);
    process->sentinel = BROOD_NO_HANDLE;
    process->report = NULL;
}

/* Processes that are not our children: seen by a process descriptor, else by number and start time.
 * A number alone may be somebody else's by now, and a zombie still answers to it. */
#include "posix.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define HANGUP_SLICE_MS 100
#define BLIND_SLICE_MS 20

/* ---- by number ---- */

typedef struct record {
    bool ended;
    uint64_t born;
} record;

/* The number in field `wanted`, where `at` is field `field`. */
static uint64_t number_in(const char *at, int field, int wanted)
{
    for (; field < wanted && at != NULL; field++) {
        at = strchr(at + 1, ' ');
    }
    return at != NULL ? strtoull(at, NULL, 10) : 0;
}

/* Reads what the system keeps of a process; false where it tells nothing. */
static bool read_record(record *out, int64_t pid)
{
    char path[64];
    char text[1024];
    const char *at;
    ssize_t n;
    int fd;

    (void)snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    n = read(fd, text, sizeof text - 1);
    brood_posix_close(fd);
    text[n > 0 ? n : 0] = '\0';
    at = strrchr(text, ')'); /* behind the name, which may be anything */
    if (at == NULL || at[1] != ' ') {
        return false;
    }
    at += 2; /* field 3 */
    /* A zombie with several threads is one whose first thread has ended before the others. */
    out->ended = (*at == 'Z' || *at == 'X') && number_in(at, 3, 20) <= 1;
    out->born = number_in(at, 3, 22);
    return true;
}

uint64_t brood_posix_born(int64_t pid)
{
    record found;

    return read_record(&found, pid) ? found.born : 0;
}

bool brood_posix_runs(int64_t pid, uint64_t born)
{
    record found;

    if (read_record(&found, pid)) {
        return !found.ended && (born == 0 || found.born == born);
    }
    return kill((pid_t)pid, 0) == 0 || errno == EPERM;
}

/* ---- stamps: number and start time in one word ---- */

uint64_t brood_os_self_stamp(void)
{
    static brood_word64 known;
    const uint64_t pid = (uint64_t)getpid();
    uint64_t stamp = brood_word64_load(&known);

    if (stamp >> 32 != pid) { /* the first time, or the first time in a forked child */
        stamp = pid << 32 | (uint32_t)brood_posix_born((int64_t)pid);
        brood_word64_store(&known, stamp);
    }
    return stamp;
}

bool brood_os_stamp_runs(uint64_t stamp)
{
    const int64_t pid = (int64_t)(stamp >> 32);
    const uint32_t born = (uint32_t)stamp;
    record found;

    if (pid <= 0 || pid > INT_MAX) {
        return false;
    }
    /* QEMU's user mode tells each thread of a process another start time of it. */
    if (pid == (int64_t)getpid()) {
        return stamp == brood_os_self_stamp();
    }
    if (read_record(&found, pid)) {
        return !found.ended && (born == 0 || (uint32_t)found.born == born);
    }
    return kill((pid_t)pid, 0) == 0 || errno == EPERM;
}

uint64_t brood_os_pid_space(void)
{
    struct stat facts;

    return stat("/proc/self/ns/pid", &facts) == 0 ? (uint64_t)facts.st_ino : 0;
}

/* ---- who is who ---- */

int brood_os_process_identify(brood_os_identity *out, const brood_os_process *process)
{
    brood_os_identity identity = {process->pid, process->born, BROOD_NO_HANDLE};
    siginfo_t info;
    int rc = 0;

    if (process->pidfd) {
        rc = brood_os_handle_duplicate(&identity.handle, process->sentinel);
    } else if (process->reaped) {
        identity.born = BROOD_OS_ENDED;
    } else if (!process->foreign && process->server == NULL) {
        identity.born = brood_posix_born(process->pid);
        /* As long as it is our child its number is nobody else's. */
        if (waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0) {
            identity.born = BROOD_OS_ENDED;
        }
    }
    if (rc == 0) {
        *out = identity;
    }
    return rc;
}

int brood_os_self_identify(brood_os_identity *out)
{
    brood_os_identity identity = {getpid(), 0, brood_posix_pidfd_open(getpid())};

    if (identity.handle < 0) {
        identity.handle = BROOD_NO_HANDLE;
        identity.born = brood_posix_born(identity.pid);
    }
    *out = identity;
    return 0;
}

/* A descriptor that came with the words that it is a process's. */
static int take_handle(brood_os_process *process, brood_os_handle handle)
{
    if (brood_posix_pidfd_signal((int)handle, 0) < 0 && errno != ESRCH && errno != EPERM) {
        if (errno != ENOSYS) {
            return brood_fail_system(BROOD_EHANDLE, errno, "descriptor %d is not a process's",
                                     (int)handle);
        }
        brood_os_handle_close(handle); /* this port has no use for it */
        return 0;
    }
    process->sentinel = handle;
    process->pidfd = true;
    process->born = 0;
    return 0;
}

/* A descriptor of what has the number now is one of the process itself if that still runs then. */
static void find_by_number(brood_os_process *process)
{
    const int pidfd = brood_posix_pidfd_open((pid_t)process->pid);

    if (!brood_posix_runs(process->pid, process->born)) {
        brood_posix_close(pidfd);
        process->born = BROOD_OS_ENDED;
    } else if (pidfd >= 0) {
        process->sentinel = pidfd;
        process->pidfd = true;
        process->born = 0; /* it tells more than that */
    }
}

int brood_os_process_adopt(brood_os_process *out, const brood_os_identity *identity)
{
    brood_os_process process = BROOD_OS_PROCESS_NONE;
    int rc = 0;

    if (identity->pid <= 0 || identity->pid > INT_MAX) {
        return brood_fail(BROOD_EHANDLE, "%lld is no process", (long long)identity->pid);
    }
    process.pid = identity->pid;
    process.born = identity->born;
    process.foreign = true;
    if (identity->handle != BROOD_NO_HANDLE) {
        rc = take_handle(&process, identity->handle);
    } else if (process.born != BROOD_OS_ENDED) {
        find_by_number(&process);
    }
    if (rc == 0) {
        process.reaped = process.born == BROOD_OS_ENDED;
        *out = process;
    }
    return rc;
}

void brood_os_process_parent(brood_os_process *out, int64_t pid)
{
    const int lifeline = brood_posix_lifeline_parent();
    int pidfd = brood_posix_pidfd_open((pid_t)pid);

    *out = BROOD_OS_PROCESS_NONE;
    out->pid = pid;
    out->foreign = true;
    out->born = pidfd < 0 ? brood_posix_born(pid) : 0;
    /* It had the number just now only if it is still there. */
    if (brood_posix_lifeline_cut(lifeline)) {
        brood_posix_close(pidfd);
        pidfd = -1;
        out->born = BROOD_OS_ENDED;
        out->reaped = true;
    }
    out->pidfd = pidfd >= 0;
    out->sentinel = pidfd >= 0 ? pidfd : lifeline;
}

/* ---- wait, stop ---- */

/* Without a process descriptor the sentinel, if any, is a lifeline that hangs up. */
static bool runs(const brood_os_process *process)
{
    return process->sentinel != BROOD_NO_HANDLE ? !brood_posix_lifeline_cut((int)process->sentinel)
                                                : brood_posix_runs(process->pid, process->born);
}

int brood_posix_foreign_wait(const brood_os_process *process, int64_t deadline_ns)
{
    const int slice = process->sentinel != BROOD_NO_HANDLE ? HANGUP_SLICE_MS : BLIND_SLICE_MS;
    struct pollfd one = {(int)process->sentinel, POLLIN, 0}; /* -1 only takes the time */

    while (runs(process)) {
        const int left = brood_posix_left_ms(deadline_ns, slice);
        if (left == 0) {
            return brood_fail(BROOD_ETIMEDOUT, "process %lld still runs", (long long)process->pid);
        }
        (void)poll(&one, 1, left);
    }
    return 0;
}

int brood_posix_foreign_signal(const brood_os_process *process, int signum)
{
    int rc;

    if (!process->pidfd && !runs(process)) {
        return 0;
    }
    rc = process->pidfd ? brood_posix_pidfd_signal((int)process->sentinel, signum)
                        : BROOD_SYS("kill", EPERM, kill((pid_t)process->pid, signum));
    if (rc < 0 && errno != ESRCH) {
        return brood_posix_error(errno, "stop process %lld", (long long)process->pid);
    }
    return 0;
}

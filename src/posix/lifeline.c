/* Children die with their parent, however it ends and whichever thread started them.
 *
 * One pipe per parent process, whose write end only the parent holds. Each child has an open file
 * description of the read end for itself, since owner and signal belong to that, and asks the kernel
 * for SIGKILL when something happens to it; nothing ever does but the end of its writers. The kernel
 * then acts even on a child in a busy loop. Where there is no such signal, or it may come to
 * nothing, a thread watches.
 *
 * It is the parent that opens a description for a spawned child, because /proc/self costs a new
 * process ten times what it costs one that has used it before; a child that got none opens its
 * own. */
#include "posix.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static brood_os_mutex guard = BROOD_OS_MUTEX_INIT;
static int read_fd = -1;
static int write_fd = -1;
static int parent_fd = -1;           /* the child's side */
static bool watched;                 /* by a thread of ours */
static BROOD_THREAD_LOCAL bool kept; /* a forked child of this thread keeps the read end */

void brood_posix_lifeline_before_fork(void)
{
    brood_os_mutex_lock(&guard);
}

void brood_posix_lifeline_after_fork(void)
{
    brood_os_mutex_unlock(&guard);
}

/* A forked child must not keep our children alive, and is no parent of theirs. */
void brood_posix_lifeline_leave(void)
{
    if (!kept) {
        brood_posix_close(read_fd);
    }
    brood_posix_close(write_fd);
    read_fd = -1;
    write_fd = -1;
    brood_os_mutex_unlock(&guard);
}

void brood_posix_lifeline_keep(bool keep)
{
    kept = keep;
}

void brood_posix_lifeline_forget(bool close_it)
{
    if (close_it) {
        brood_posix_close(parent_fd);
    }
    parent_fd = -1;
}

int brood_posix_lifeline(int *read_end)
{
    int ends[2];
    int rc = 0;

    brood_os_mutex_lock(&guard);
    if (write_fd < 0) {
        rc = brood_posix_pipe(ends);
        if (rc == 0) {
            /* A child may be another user than we were when we made it, and has to open it. */
            (void)fchmod(ends[0], S_IRUSR | S_IRGRP | S_IROTH);
            read_fd = ends[0];
            write_fd = ends[1];
        }
    }
    *read_end = read_fd;
    brood_os_mutex_unlock(&guard);
    return rc;
}

static bool is_cut(int fd, int timeout_ms)
{
    struct pollfd one = {fd, POLLIN, 0};

    while (poll(&one, 1, timeout_ms) < 0 && errno == EINTR) {
    }
    return (one.revents & (POLLHUP | POLLERR)) != 0;
}

static void end_now(void)
{
    (void)kill(getpid(), SIGKILL);
    _exit(128 + SIGKILL); /* the first process of a namespace cannot be killed from inside */
}

static void watch(void *argument)
{
    const int fd = (int)(intptr_t)argument;

    while (!is_cut(fd, -1)) {
    }
    end_now();
}

#if defined(BROOD_HAVE_F_SETSIG)
#include <linux/capability.h>
#include <sys/syscall.h>

bool brood_posix_lifeline_others(void)
{
    char text[128] = "";
    unsigned long first = 0;
    unsigned long outside = 0;
    unsigned long count = 0;
    int fd;
    ssize_t n;

    if (geteuid() != 0) {
        return true;
    }
    fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
    n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    brood_posix_close(fd);
    if (n <= 0 || sscanf(text, "%lu %lu %lu", &first, &outside, &count) != 3) {
        return true;
    }
    if (first == 0 && outside == 0) {
        return false; /* the system's root */
    }
    return count > 1 || strchr(text, '\n') != text + n - 1;
}

/* The kernel looks whether the user who asked for the signal may still send it to us. So may always
 * the system's root, and everybody who stays who he is. */
static bool may_become_another(bool others)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

    memset(data, 0, sizeof data);
    if (syscall(SYS_capget, &head, data) == 0 && (data[0].permitted & (1u << CAP_SETUID)) == 0) {
        return false;
    }
    return geteuid() != 0 || others;
}

/* A description of its own says so by being one that does not block. */
static bool is_own(int fd)
{
    const int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && (flags & O_NONBLOCK) != 0;
}

int brood_posix_lifeline_open(int fd, int least)
{
    char path[32];

    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return brood_posix_move(
        BROOD_SYS("open", EACCES, open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)), least);
}

static bool arm(int own)
{
    return fcntl(own, F_SETOWN, getpid()) == 0 && fcntl(own, F_SETSIG, SIGKILL) == 0 &&
           fcntl(own, F_SETFL, O_NONBLOCK | O_ASYNC) == 0;
}
#else
bool brood_posix_lifeline_others(void)
{
    return false;
}

static bool may_become_another(bool others)
{
    return others;
}

static bool is_own(int fd)
{
    (void)fd;
    return false;
}

int brood_posix_lifeline_open(int fd, int least)
{
    (void)fd;
    (void)least;
    return -1;
}

static bool arm(int own)
{
    (void)own;
    return false;
}
#endif

void brood_posix_lifeline_look(int read_end)
{
    parent_fd = read_end;
}

int brood_posix_lifeline_parent(void)
{
    return parent_fd;
}

bool brood_posix_lifeline_cut(int fd)
{
    return is_cut(fd, 0);
}

static int start_watch(void)
{
    return brood_os_thread_start(watch, (void *)(intptr_t)parent_fd);
}

/* The first process of a namespace is spared the kernel's signal. */
static int hold(int fd, bool armed)
{
    parent_fd = fd;
    if (is_cut(fd, 0)) {
        end_now(); /* the parent ended before we were armed */
    }
    watched = !armed || getpid() == 1;
    return watched ? start_watch() : 0;
}

/* With a description that we open ourselves, if we can. */
static int hold_another(int read_end)
{
    const int own = brood_posix_lifeline_open(read_end, BROOD_POSIX_CHANNEL);

    if (own >= 0 && arm(own)) {
        brood_posix_close(read_end);
        return hold(own, true);
    }
    brood_posix_close(own);
    return hold(read_end, false);
}

int brood_posix_lifeline_hold(int read_end)
{
    return is_own(read_end) ? hold(read_end, arm(read_end)) : hold_another(read_end);
}

int brood_posix_lifeline_settle(bool others)
{
    if (watched || !may_become_another(others)) {
        return 0;
    }
    watched = true;
    return start_watch(); /* it stays armed as well: that reaches a stopped process */
}

int brood_posix_lifeline_bind(int read_end)
{
    const int rc = hold_another(read_end);

    return rc ? rc : brood_posix_lifeline_settle(brood_posix_lifeline_others());
}

void brood_posix_lifeline_offer(brood_posix_bond *out, int read_end)
{
    const int own = brood_posix_lifeline_open(read_end, BROOD_POSIX_CHANNEL);

    out->fd = own >= 0 ? own : read_end;
    out->own = own >= 0;
    out->others = brood_posix_lifeline_others();
}

int brood_posix_lifeline_take(const brood_posix_bond *bond)
{
    const int rc = bond->own ? hold(bond->fd, arm(bond->fd)) : hold_another(bond->fd);

    return rc ? rc : brood_posix_lifeline_settle(bond->others);
}

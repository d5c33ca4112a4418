/* What a new process starts with, whoever its parent is: default signals, standard streams, and no
 * other descriptors. In a forked child only calls are made here that are safe in a signal handler. */
#include "posix.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define POLL_BLOCK 512

const int brood_posix_terminal_signals[] = {SIGHUP, SIGINT, SIGQUIT, 0};

/* All signals but those of the terminal that we ignore ourselves: a parent under nohup, or in the
 * background of a script, has children that are left alone as well. */
void brood_posix_default_signals(sigset_t *out)
{
    struct sigaction now;

    (void)sigfillset(out);
    for (const int *signum = brood_posix_terminal_signals; *signum != 0; signum++) {
        if (sigaction(*signum, NULL, &now) == 0 && now.sa_handler == SIG_IGN) {
            (void)sigdelset(out, *signum);
        }
    }
}

void brood_posix_reset_signals(void)
{
    struct sigaction usual;
    sigset_t some;

    brood_posix_default_signals(&some);
    usual.sa_handler = SIG_DFL;
    usual.sa_flags = 0;
    (void)sigemptyset(&usual.sa_mask);
    for (int signum = 1; signum < NSIG; signum++) {
        if (sigismember(&some, signum)) {
            (void)sigaction(signum, &usual, NULL);
        }
    }
    (void)sigemptyset(&some);
    (void)sigprocmask(SIG_SETMASK, &some, NULL);
}

bool brood_posix_is_missing(int fd)
{
    const int flags = fcntl(fd, F_GETFD);

    return flags < 0 || (flags & FD_CLOEXEC) != 0;
}

void brood_posix_open_missing_streams(void)
{
    for (int fd = 0; fd < 3; fd++) {
        if (brood_posix_is_missing(fd)) {
            (void)close(fd);
            (void)open("/dev/null", O_RDWR); /* gets the lowest free number, which is fd */
        }
    }
}

/* poll tells which of a block of numbers are open: a million numbers in milliseconds. */
static void visit_block(int first, int count, void (*visit)(int fd))
{
    struct pollfd block[POLL_BLOCK];

    for (int i = 0; i < count; i++) {
        block[i].fd = first + i;
        block[i].events = 0;
        block[i].revents = 0;
    }
    if (poll(block, (nfds_t)count, 0) < 0) {
        for (int i = 0; i < count; i++) {
            block[i].revents = 0; /* poll refuses long lists under a low limit: try them all */
        }
    }
    for (int i = 0; i < count; i++) {
        if ((block[i].revents & POLLNVAL) == 0) {
            visit(block[i].fd);
        }
    }
}

/* Where a program has lowered its limit, descriptors beyond it may be open still. */
static long count_numbers(void)
{
    const long scanned = 65536; /* at least, if there may be so many: half a millisecond */
    struct rlimit limit;
    long hard = scanned;
    long soft = sysconf(_SC_OPEN_MAX);

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max < (rlim_t)scanned) {
        hard = (long)limit.rlim_max;
    }
    soft = soft > 0 ? soft : 1L << 20;
    return soft > hard ? soft : hard;
}

void brood_posix_visit_open(int first, int last, void (*visit)(int fd))
{
    const long count_all = count_numbers();

    if (count_all <= last) {
        last = (int)count_all - 1;
    }
    while (first <= last) {
        const int count = last - first < POLL_BLOCK ? last - first + 1 : POLL_BLOCK;
        visit_block(first, count, visit);
        first += count;
    }
}

static void close_one(int fd)
{
    (void)close(fd);
}

static void close_between(int first, int last)
{
    if (first > last) {
        return;
    }
#if defined(BROOD_HAVE_CLOSE_RANGE)
    if (syscall(SYS_close_range, (unsigned)first, (unsigned)last, 0u) == 0) {
        return;
    }
#endif
    brood_posix_visit_open(first, last, close_one);
}

void brood_posix_close_but(const int *keep, size_t count)
{
    int first = 3;

    for (size_t i = 0; i < count; i++) {
        close_between(first, keep[i] - 1);
        first = keep[i] + 1;
    }
    close_between(first, INT_MAX);
}

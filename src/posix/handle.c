#include "posix.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_FREE 3 /* below are the standard streams, even while they are closed */

void brood_posix_close(int fd)
{
    const int kept = errno;

    if (fd >= 0) {
        (void)close(fd);
    }
    errno = kept;
}

int brood_posix_move(int fd, int least)
{
    int moved;

    if (fd < 0 || fd >= least) {
        return fd;
    }
    moved = BROOD_SYS("fcntl", EMFILE, fcntl(fd, F_DUPFD_CLOEXEC, least));
    brood_posix_close(fd);
    return moved;
}

/* Moves both or closes both; `rc` is what made them. */
static int move_both(int rc, int ends[2], const char *what)
{
    if (rc < 0) {
        return brood_posix_error(errno, "make %s", what);
    }
    ends[0] = brood_posix_move(ends[0], FIRST_FREE);
    if (ends[0] < 0) {
        rc = brood_posix_error(errno, "move %s", what);
        brood_posix_close(ends[1]);
        return rc;
    }
    ends[1] = brood_posix_move(ends[1], FIRST_FREE);
    if (ends[1] < 0) {
        rc = brood_posix_error(errno, "move %s", what);
        brood_posix_close(ends[0]);
        return rc;
    }
    return 0;
}

static brood_os_mutex creation = BROOD_OS_MUTEX_INIT;

void brood_posix_creating(bool creating)
{
    if (creating) {
        brood_os_mutex_lock(&creation);
    } else {
        brood_os_mutex_unlock(&creation);
    }
}

#if !defined(BROOD_HAVE_SOCK_CLOEXEC) || !defined(BROOD_HAVE_PIPE2)
/* Another thread may start a program between the two calls, but not by fork, which waits for us. */
static int close_on_exec(int rc, const int ends[2])
{
    if (rc == 0 &&
        (fcntl(ends[0], F_SETFD, FD_CLOEXEC) < 0 || fcntl(ends[1], F_SETFD, FD_CLOEXEC) < 0)) {
        brood_posix_close(ends[0]);
        brood_posix_close(ends[1]);
        return -1;
    }
    return rc;
}
#endif

int brood_posix_pair(int pair[2])
{
#if defined(BROOD_HAVE_SOCK_CLOEXEC)
    const int rc =
        BROOD_SYS("socketpair", EMFILE, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
#else
    int rc;
    brood_posix_creating(true);
    rc = BROOD_SYS("socketpair", EMFILE, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    rc = close_on_exec(rc, pair);
    brood_posix_creating(false);
#endif
    return move_both(rc, pair, "a socket pair");
}

int brood_posix_pipe(int ends[2])
{
#if defined(BROOD_HAVE_PIPE2)
    const int rc = BROOD_SYS("pipe2", EMFILE, pipe2(ends, O_CLOEXEC));
#else
    int rc;
    brood_posix_creating(true);
    rc = BROOD_SYS("pipe", EMFILE, pipe(ends));
    rc = close_on_exec(rc, ends);
    brood_posix_creating(false);
#endif
    return move_both(rc, ends, "a pipe");
}

int brood_os_handle_check(brood_os_handle handle)
{
    if (handle < 0 || handle > INT_MAX ||
        BROOD_SYS("fcntl", EBADF, fcntl((int)handle, F_GETFD)) < 0) {
        return brood_fail(BROOD_EINVAL, "descriptor %lld is not open", (long long)handle);
    }
    return 0;
}

int brood_os_handle_duplicate(brood_os_handle *out, brood_os_handle handle)
{
    const int fd = BROOD_SYS("fcntl", EMFILE, fcntl((int)handle, F_DUPFD_CLOEXEC, FIRST_FREE));

    if (fd < 0) {
        return brood_posix_error(errno, "duplicate descriptor %d", (int)handle);
    }
    *out = fd;
    return 0;
}

void brood_os_handle_close(brood_os_handle handle)
{
    brood_posix_close((int)handle);
}

int64_t brood_os_pid(void)
{
    return getpid();
}

void brood_os_write_error(const char *text, size_t size)
{
    while (size > 0) {
        const ssize_t n = write(STDERR_FILENO, text, size);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return;
        }
        text += n;
        size -= (size_t)n;
    }
}

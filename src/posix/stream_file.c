/* Streams over what is no socket: pipes, FIFOs, terminals. Their calls know no time limit and may
 * not be made non-blocking, since that would be so for everybody who has the same open file. So each
 * is made when poll says that it does not wait: two system calls instead of one. */
#include "posix.h"

#include <limits.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#define SLICE_MS 100 /* no call waits longer, see platform.h */

#if !defined(PIPE_BUF)
#define PIPE_BUF 512 /* what every system takes at once */
#endif

/* 0 when the call would not wait now. */
static int await_file(int fd, short events, int64_t deadline_ns, const char *what)
{
    struct pollfd one = {fd, events, 0};
    int n;

    do {
        n = BROOD_SYS("poll", ENOMEM, poll(&one, 1, brood_posix_left_ms(deadline_ns, SLICE_MS)));
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return brood_posix_error(errno, "%s", what);
    }
    return n > 0 ? 0 : brood_fail(BROOD_ETIMEDOUT, "%s: timed out", what);
}

int brood_posix_file_read(int fd, void *data, size_t size, size_t *got, int64_t deadline_ns)
{
    for (;;) {
        const int rc = await_file(fd, POLLIN, deadline_ns, "receive");
        ssize_t n;

        if (rc) {
            return rc;
        }
        n = BROOD_SYS("read", ENOMEM, read(fd, data, size));
        if (n > 0) {
            *got = (size_t)n;
            return 0;
        }
        if (n == 0 || (errno == EIO && isatty(fd))) { /* a terminal's other side is gone */
            return brood_fail(BROOD_EEND, "receive: the other end is closed");
        }
        if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) {
            return brood_posix_error(errno, "receive");
        }
    }
}

/* A pipe that poll calls writable takes PIPE_BUF bytes without waiting. */
static ssize_t write_some(int fd, const brood_view pieces[2])
{
    size_t left = PIPE_BUF;
    brood_posix_held_signal held;
    struct iovec parts[2];
    ssize_t n;

    for (int i = 0; i < 2; i++) {
        parts[i].iov_base = (void *)(uintptr_t)pieces[i].data;
        parts[i].iov_len = pieces[i].size < left ? pieces[i].size : left;
        left -= parts[i].iov_len;
    }
    brood_posix_hold_signal(&held, SIGPIPE);
    n = BROOD_SYS("writev", EIO, writev(fd, parts, 2));
    brood_posix_drop_signal(&held);
    return n;
}

int brood_posix_file_write(int fd, const brood_view pieces[2], size_t *sent, int64_t deadline_ns)
{
    for (;;) {
        const int rc = await_file(fd, POLLOUT, deadline_ns, "send");
        ssize_t n;

        if (rc) {
            return rc;
        }
        n = write_some(fd, pieces);
        if (n >= 0) {
            *sent = (size_t)n;
            return 0;
        }
        if (errno == EPIPE) {
            return brood_fail_system(BROOD_EPEER, errno, "send: nobody is at the other end");
        }
        if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) {
            return brood_posix_error(errno, "send");
        }
    }
}

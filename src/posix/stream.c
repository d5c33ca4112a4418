/* Streams are socket pairs: they carry descriptors, and a blocked call gives up by itself. */
#include "rights.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define SLICE_MS 100
#define BUFFER_SIZE (4 * 1024 * 1024) /* asked for; the system gives what it allows */
#define SMALL_SIZE 2048               /* bytes joined for one plain send */
#define CROWDED_MS 10                 /* between two looks whether descriptors arrived */

/* brood_os_stream.kind */
#define KIND_SOCKET 0
#define KIND_NONBLOCKING 1 /* a socket that somebody else made so */
#define KIND_FILE 2        /* no socket */

/* Blocking calls return after a slice, so the usual read or write is one system call. A larger
 * buffer moves large messages in fewer turns; without one it works too. */
static int set_options(int fd)
{
    const int size = BUFFER_SIZE;
    const struct timeval slice = {0, SLICE_MS * 1000L};

    if (BROOD_SYS("setsockopt", ENOMEM,
                  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &slice, sizeof slice)) < 0 ||
        BROOD_SYS("setsockopt", ENOMEM,
                  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &slice, sizeof slice)) < 0) {
        return brood_posix_error(errno, "set the time limits of a socket");
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
#if defined(SO_NOSIGPIPE)
    const int on = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
    return 0;
}

static brood_os_stream stream_of(int fd)
{
    brood_os_stream stream = BROOD_OS_STREAM_NONE;

    stream.handle = fd;
    return stream;
}

int brood_os_stream_pair(brood_os_stream *first, brood_os_stream *second, bool duplex)
{
    int pair[2] = {-1, -1};
    int rc = brood_posix_pair(pair);

    if (rc) {
        return rc;
    }
    rc = set_options(pair[0]);
    if (rc == 0) {
        rc = set_options(pair[1]);
    }
    if (rc == 0 && !duplex &&
        (BROOD_SYS("shutdown", ENOTCONN, shutdown(pair[0], SHUT_WR)) < 0 ||
         BROOD_SYS("shutdown", ENOTCONN, shutdown(pair[1], SHUT_RD)) < 0)) {
        rc = brood_posix_error(errno, "make a pipe one-way");
    }
    if (rc) {
        brood_posix_close(pair[0]);
        brood_posix_close(pair[1]);
        return rc;
    }
    *first = stream_of(pair[0]);
    *second = stream_of(pair[1]);
    return 0;
}

static bool is_socket(int fd)
{
    int type = 0;
    socklen_t size = sizeof type;

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
}

int brood_os_stream_adopt(brood_os_stream *out, brood_os_handle handle)
{
    const int fd = (int)handle;
    brood_os_stream stream = stream_of(fd);
    int rc = 0;

    if (!is_socket(fd)) {
        stream.kind = KIND_FILE;
    } else {
        stream.kind = (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0 ? KIND_NONBLOCKING : KIND_SOCKET;
        rc = set_options(fd);
    }
    if (rc == 0) {
        *out = stream;
    }
    return rc;
}

/* The system's own slice is right only while the limit lies behind it. */
static bool may_block(const brood_os_stream *stream, int64_t deadline_ns)
{
    return stream->kind == KIND_SOCKET &&
           (deadline_ns == INT64_MAX ||
            (deadline_ns != 0 && brood_posix_left_ms(deadline_ns, SLICE_MS) == SLICE_MS));
}

/* After EAGAIN of a call with `flags`: 0 to try again, or BROOD_ETIMEDOUT. */
static int await(int fd, short events, int flags, int64_t deadline_ns, const char *what)
{
    struct pollfd one = {fd, events, 0};
    int left;

    if ((flags & MSG_DONTWAIT) == 0) {
        return brood_fail(BROOD_ETIMEDOUT, "%s: timed out", what);
    }
    left = brood_posix_left_ms(deadline_ns, SLICE_MS);
    if (left == 0 || poll(&one, 1, left) == 0) {
        return brood_fail(BROOD_ETIMEDOUT, "%s: timed out", what);
    }
    return 0;
}

/* After a call that received nothing: 0 to try again. */
static int read_again(int fd, ssize_t n, int flags, int64_t deadline_ns)
{
    if (n == 0 || errno == ECONNRESET) { /* reset: closed with messages of ours unread */
        return brood_fail(BROOD_EEND, "receive: the other end is closed");
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
        return await(fd, POLLIN, flags, deadline_ns, "receive");
    }
    return errno == EINTR ? 0 : brood_posix_error(errno, "receive");
}

static ssize_t receive_pieces(int fd, struct iovec pieces[2], int flags)
{
    struct msghdr message = {0};

    if (pieces[1].iov_len == 0) {
        return BROOD_SYS("recv", EIO, recv(fd, pieces[0].iov_base, pieces[0].iov_len, flags));
    }
    message.msg_iov = pieces;
    message.msg_iovlen = 2;
    return BROOD_SYS("recvmsg", EIO, recvmsg(fd, &message, flags));
}

int brood_os_stream_read(brood_os_stream *stream, void *data, size_t size, size_t *got,
                         int64_t deadline_ns)
{
    return brood_os_stream_read_on(stream, data, size, NULL, 0, got, deadline_ns);
}

int brood_os_stream_read_on(brood_os_stream *stream, void *data, size_t size, void *ahead,
                            size_t room, size_t *got, int64_t deadline_ns)
{
    const int fd = (int)stream->handle;
    const int flags = may_block(stream, deadline_ns) ? 0 : MSG_DONTWAIT;
    struct iovec pieces[2] = {{data, size}, {ahead, room}};

    if (stream->kind == KIND_FILE) {
        return brood_posix_file_read(fd, data, size, got, deadline_ns);
    }
    for (;;) {
        const ssize_t n = receive_pieces(fd, pieces, flags);
        int rc;
        if (n > 0) {
            *got = (size_t)n;
            return 0;
        }
        rc = read_again(fd, n, flags, deadline_ns);
        if (rc) {
            return rc;
        }
    }
}

/* This takes a tenth longer than recv, which is why handles come where they are expected only. */
static ssize_t receive_group(int fd, unsigned char *byte, brood_os_handle *handles, size_t count,
                             size_t *got, int flags)
{
    struct iovec piece = {byte, 1};
    struct msghdr message = {0};
    brood_posix_control room;
    int fds[BROOD_POSIX_FDS_MAX];
    ssize_t n;

    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = room.room;
    message.msg_controllen = sizeof room.room;
    n = BROOD_SYS("recvmsg", EIO, recvmsg(fd, &message, flags | MSG_CMSG_CLOEXEC));
    if (n > 0) {
        *got = brood_posix_take_fds(&message, fds, count);
        for (size_t i = 0; i < *got; i++) {
            handles[i] = fds[i];
        }
    }
    return n;
}

int brood_os_stream_read_group(brood_os_stream *stream, unsigned char *byte,
                               brood_os_handle *handles, size_t count, size_t *got,
                               int64_t deadline_ns)
{
    const int fd = (int)stream->handle;
    const int flags = may_block(stream, deadline_ns) ? 0 : MSG_DONTWAIT;

    for (;;) {
        const ssize_t n = receive_group(fd, byte, handles, count, got, flags);
        int rc;
        if (n > 0) {
            return 0;
        }
        rc = read_again(fd, n, flags, deadline_ns);
        if (rc) {
            return rc;
        }
    }
}

static ssize_t send_joined(int fd, const brood_view pieces[2], int flags)
{
    unsigned char joined[SMALL_SIZE];

    memcpy(joined, pieces[0].data, pieces[0].size);
    if (pieces[1].size > 0) {
        memcpy(joined + pieces[0].size, pieces[1].data, pieces[1].size);
    }
    return BROOD_SYS("send", EIO, send(fd, joined, pieces[0].size + pieces[1].size, flags));
}

static ssize_t send_pieces(int fd, const brood_view pieces[2], int flags)
{
    struct iovec parts[2];
    struct msghdr message = {0};

    if (pieces[0].size + pieces[1].size <= SMALL_SIZE) { /* a sixth less time than with sendmsg */
        return send_joined(fd, pieces, flags);
    }
    for (int i = 0; i < 2; i++) {
        parts[i].iov_base = (void *)(uintptr_t)pieces[i].data;
        parts[i].iov_len = pieces[i].size;
    }
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    return BROOD_SYS("sendmsg", EIO, sendmsg(fd, &message, flags));
}

brood_view brood_os_stream_unread(const brood_os_stream *stream)
{
    const brood_view nothing = {NULL, 0}; /* the rest is still in the socket, which travels */

    (void)stream;
    return nothing;
}

int brood_os_stream_arm(brood_os_stream *stream, brood_os_waitable *out)
{
    out->handle = stream->handle;
    out->hint = false;
    return 0;
}

bool brood_os_stream_confirm(brood_os_stream *stream)
{
    (void)stream;
    return true;
}

/* After a call that sent nothing: 0 to try again. */
static int write_again(int fd, int flags, int64_t deadline_ns)
{
    switch (errno) {
    case EPIPE:
    case ECONNRESET:
        return brood_fail_system(BROOD_EPEER, errno, "send: nobody is at the other end");
    case EAGAIN:
#if EWOULDBLOCK != EAGAIN
    case EWOULDBLOCK:
#endif
        return await(fd, POLLOUT, flags, deadline_ns, "send");
    case EINTR:
        return 0;
    default:
        return brood_posix_error(errno, "send");
    }
}

int brood_os_stream_write(brood_os_stream *stream, const brood_view pieces[2], size_t *sent,
                          int64_t deadline_ns)
{
    const int fd = (int)stream->handle;
    const int flags = MSG_NOSIGNAL | (may_block(stream, deadline_ns) ? 0 : MSG_DONTWAIT);

    if (stream->kind == KIND_FILE) {
        return brood_posix_file_write(fd, pieces, sent, deadline_ns);
    }
    for (;;) {
        const ssize_t n = send_pieces(fd, pieces, flags);
        int rc;
        if (n >= 0) {
            *sent = (size_t)n;
            return 0;
        }
        rc = write_again(fd, flags, deadline_ns);
        if (rc) {
            return rc;
        }
    }
}

/* What waits in the system wakes up every 100 ms. */
void brood_os_stream_interrupt(brood_os_stream *stream)
{
    (void)stream;
}

/* ---- handles ---- */

static ssize_t send_group(int fd, const brood_view pieces[2], const brood_os_group *group,
                          int flags)
{
    struct iovec parts[2];
    struct msghdr message = {0};
    brood_posix_control room;
    int fds[BROOD_POSIX_FDS_MAX];

    for (int i = 0; i < 2; i++) {
        parts[i].iov_base = (void *)(uintptr_t)pieces[i].data;
        parts[i].iov_len = pieces[i].size;
    }
    for (size_t i = 0; i < group->count; i++) {
        fds[i] = (int)group->handles[i];
    }
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    brood_posix_put_fds(&message, &room, fds, group->count);
    return BROOD_SYS("sendmsg", ETOOMANYREFS, sendmsg(fd, &message, flags));
}

/* So many of this user's descriptors are on their way that the system takes no more. Nothing tells
 * when some have arrived. */
static int await_arrivals(int64_t slice_ns)
{
    const int left = brood_posix_left_ms(slice_ns, CROWDED_MS);

    if (left == 0) {
        return brood_fail_system(BROOD_ETIMEDOUT, ETOOMANYREFS,
                                 "send: timed out, too many descriptors are on their way");
    }
    (void)poll(NULL, 0, left);
    return 0;
}

int brood_os_stream_write_group(brood_os_stream *stream, const brood_view pieces[2],
                                const brood_os_group *group, size_t *sent, int64_t deadline_ns)
{
    const int fd = (int)stream->handle;
    const int flags = MSG_NOSIGNAL | (may_block(stream, deadline_ns) ? 0 : MSG_DONTWAIT);
    const int64_t slice = brood_os_now() + SLICE_MS * INT64_C(1000000);

    for (;;) {
        const ssize_t n = send_group(fd, pieces, group, flags);
        int rc;
        if (n >= 0) {
            *sent = (size_t)n;
            return 0;
        }
        if (errno == ETOOMANYREFS) {
            rc = await_arrivals(slice < deadline_ns ? slice : deadline_ns);
        } else {
            rc = write_again(fd, flags, deadline_ns);
        }
        if (rc) {
            return rc;
        }
    }
}

int brood_os_handles_offer(brood_os_offer *offer, brood_os_stream *stream,
                           const brood_os_handle *handles, size_t count)
{
    static const unsigned char filler[BROOD_OS_READ_AHEAD];

    (void)stream;
    offer->handles = handles;
    offer->count = count;
    offer->filler.data = filler;
    offer->filler.size = sizeof filler;
    return 0;
}

void brood_os_handles_withdraw(brood_os_offer *offer)
{
    (void)offer; /* nothing was kept anywhere */
}

int brood_os_handles_fetch(brood_os_handle *handles, size_t count,
                           const unsigned char ticket[BROOD_OS_TICKET_ROOM])
{
    (void)handles;
    (void)ticket;
    return brood_fail(BROOD_EHANDLE,
                      "%zu descriptors were lost on their way: the limit of open "
                      "files is too low, or they were read as bytes",
                      count);
}

void brood_os_handles_linger(int64_t most_ns)
{
    (void)most_ns;
}

void brood_os_stream_close(brood_os_stream *stream)
{
    brood_posix_close((int)stream->handle);
    *stream = BROOD_OS_STREAM_NONE;
}

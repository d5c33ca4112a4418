/* The user's side of a fork server. */
#include "forkserver.h"
#include "rights.h"

#include <fcntl.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_NS ((int64_t)10 * 1000 * 1000 * 1000) /* for the end of a child that got nothing */
#define SLICE_MS 100

struct brood_os_server {
    brood_atomic refs;
    int fd;
    bool left; /* it is a forked child's: its lock may be held by nobody who is here */
    unsigned char *key;
    brood_os_mutex mutex; /* for the rest */
    bool finished;
    uint64_t counter;
};

void brood_posix_request_sign(unsigned char tag[BROOD_POSIX_SERVER_TAG],
                              const brood_posix_request *request, const unsigned char *key)
{
    (void)crypto_generichash(tag, BROOD_POSIX_SERVER_TAG, (const unsigned char *)request,
                             offsetof(brood_posix_request, tag), key, BROOD_POSIX_SERVER_KEY);
}

/* ---- the object ---- */

static int share_key(brood_os_server *server)
{
    server->key = BROOD_ALLOC(sodium_malloc(BROOD_POSIX_SERVER_KEY));
    if (server->key == NULL) {
        return brood_fail_nomem("the key of a fork server");
    }
    randombytes_buf(server->key, BROOD_POSIX_SERVER_KEY);
    return brood_posix_send_fds(server->fd, server->key, BROOD_POSIX_SERVER_KEY, NULL, 0);
}

int brood_os_server_new(brood_os_server **out, brood_os_handle *control)
{
    brood_os_server *server = BROOD_ALLOC(calloc(1, sizeof *server));
    int pair[2];
    int rc;

    if (server == NULL) {
        return brood_fail_nomem("a fork server");
    }
    brood_atomic_store(&server->refs, 1);
    brood_os_mutex_init(&server->mutex);
    server->fd = -1;
    rc = brood_posix_pair(pair);
    if (rc == 0) {
        server->fd = pair[0];
        rc = share_key(server);
        if (rc) {
            brood_posix_close(pair[1]);
        }
    }
    if (rc) {
        brood_os_server_free(server);
        return rc;
    }
    *out = server;
    *control = pair[1];
    return 0;
}

brood_os_server *brood_os_server_ref(brood_os_server *server)
{
    (void)brood_atomic_add(&server->refs, 1);
    return server;
}

void brood_os_server_free(brood_os_server *server)
{
    if (server == NULL || brood_atomic_add(&server->refs, -1) > 0) {
        return;
    }
    brood_posix_close(server->fd);
    sodium_free(server->key); /* wipes it */
    if (!server->left) {
        brood_os_mutex_fini(&server->mutex);
    }
    free(server);
}

void brood_os_server_finish(brood_os_server *server)
{
    brood_os_mutex_lock(&server->mutex);
    server->finished = true;
    (void)shutdown(server->fd, SHUT_WR);
    brood_os_mutex_unlock(&server->mutex);
}

void brood_os_server_leave(brood_os_server *server)
{
    brood_posix_close(server->fd);
    server->fd = -1;
    server->left = true;
    sodium_memzero(server->key, BROOD_POSIX_SERVER_KEY);
}

bool brood_posix_server_over(const brood_os_server *server)
{
    return server->left || brood_posix_lifeline_cut(server->fd);
}

/* ---- requests ---- */

static int fail_gone(void)
{
    return brood_fail(BROOD_EPEER, "the fork server has ended");
}

/* One message, or nothing: false and errno. */
static bool send_once(brood_os_server *server, brood_posix_request *request, const int *fds,
                      size_t count)
{
    struct iovec piece = {request, sizeof *request};
    struct msghdr message;
    brood_posix_control room;
    ssize_t n;

    memset(&message, 0, sizeof message);
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    brood_posix_put_fds(&message, &room, fds, count);
    request->counter = server->counter + 1;
    brood_posix_request_sign(request->tag, request, server->key);
    n = BROOD_SYS("sendmsg", ETOOMANYREFS,
                  sendmsg(server->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT));
    if (n == (ssize_t)sizeof *request) {
        server->counter++;
        return true;
    }
    return false;
}

/* Nobody waits with the lock held: a fork would have to wait as well. */
static int send_request(brood_os_server *server, brood_posix_request *request, const int *fds,
                        size_t count)
{
    for (;;) {
        struct pollfd one = {server->fd, POLLOUT, 0};
        bool finished;
        bool sent = false;
        int errnum = 0;

        brood_os_mutex_lock(&server->mutex);
        finished = server->finished || server->left;
        if (!finished) {
            sent = send_once(server, request, fds, count);
            errnum = errno;
        }
        brood_os_mutex_unlock(&server->mutex);
        if (sent) {
            return 0;
        }
        if (finished || errnum == EPIPE || errnum == ECONNRESET) {
            return fail_gone();
        }
        if (errnum != EAGAIN && errnum != EWOULDBLOCK && errnum != EINTR) {
            return brood_posix_error(errnum, "ask the fork server for a process");
        }
        (void)poll(&one, 1, SLICE_MS);
    }
}

static uint32_t ignored_signals(void)
{
    struct sigaction now;
    uint32_t ignored = 0;

    for (unsigned i = 0; brood_posix_terminal_signals[i] != 0; i++) {
        if (sigaction(brood_posix_terminal_signals[i], NULL, &now) == 0 &&
            now.sa_handler == SIG_IGN) {
            ignored |= 1u << i;
        }
    }
    return ignored;
}

/* ---- answers ---- */

static int fail_reply(const brood_posix_reply *reply, size_t got)
{
    if (got == 0) {
        return fail_gone();
    }
    if (got != sizeof *reply || reply->magic != BROOD_POSIX_REPLY_MAGIC || reply->errnum == 0) {
        return brood_fail(BROOD_EAUTH, "what answers is no fork server");
    }
    return brood_posix_error(reply->errnum, "the fork server makes a process");
}

/* What a process descriptor says is true in every namespace. */
static int64_t number_of(int pidfd)
{
    char text[1024];
    const char *at;
    ssize_t n;
    int fd;

    (void)snprintf(text, sizeof text, "/proc/self/fdinfo/%d", pidfd);
    fd = open(text, O_RDONLY | O_CLOEXEC);
    n = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    brood_posix_close(fd);
    text[n > 0 ? n : 0] = '\0';
    at = strstr(text, "\nPid:");
    return at != NULL ? strtoll(at + 5, NULL, 10) : 0;
}

/* A process may put its later children into a new namespace, as a program that makes containers
 * does: there the server counts from 1. */
static int number_here(brood_os_process *process, const brood_posix_reply *reply)
{
    process->pid = reply->pid;
    if (reply->elsewhere != 0) {
        process->pid = process->pidfd ? number_of((int)process->sentinel) : 0;
        if (process->pid <= 0) {
            return brood_fail(BROOD_ENOTSUP, "the fork server is in another namespace, and the "
                                             "system does not say which number a process of it "
                                             "has here");
        }
    }
    process->born = process->pidfd ? 0 : brood_posix_born(reply->pid);
    return 0;
}

static int take_reply(brood_os_process *process, int channel)
{
    brood_posix_reply reply = {0, 0, 0, 0};
    int fds[BROOD_POSIX_FDS_MAX];
    size_t got = 0;
    size_t count = 0;
    int rc =
        brood_posix_receive_fds(channel, &reply, sizeof reply, MSG_DONTWAIT, &got, fds, &count);
    const size_t wanted = process->report != NULL;

    if (rc) {
        return rc;
    }
    if (got == sizeof reply && reply.magic == BROOD_POSIX_REPLY_MAGIC && reply.errnum == 0 &&
        count == wanted) {
        process->sentinel = wanted ? fds[0] : BROOD_NO_HANDLE;
        process->pidfd = wanted;
        return number_here(process, &reply);
    }
    for (size_t i = 0; i < count; i++) {
        brood_posix_close(fds[i]);
    }
    return fail_reply(&reply, got);
}

/* The server may be busy with its preload functions. A child that it has made before it was killed
 * has the channel, too, and waits for us: so the channel alone does not tell. */
static int await_reply(brood_os_process *process, const brood_os_server *server, int channel)
{
    struct pollfd ends[2] = {{channel, POLLIN, 0}, {server->fd, 0, 0}};
    int n = 0;

    do {
        n = BROOD_SYS("poll", ENOMEM, poll(ends, 2, -1));
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return brood_posix_error(errno, "wait for the fork server");
    }
    if (ends[0].revents == 0 && poll(ends, 1, 0) <= 0) {
        return fail_gone();
    }
    return take_reply(process, channel);
}

/* A child that was not sent its start message ends when we hang up, and has run nothing. */
static void abandon(const brood_os_process *process, int channel)
{
    const int64_t limit = brood_os_now() + PATIENCE_NS;
    struct pollfd one = {channel, POLLIN, 0};
    char rest[64];
    ssize_t n = 1;

    if (process->pidfd) {
        (void)brood_posix_pidfd_signal((int)process->sentinel, SIGKILL);
    } else if (process->pid > 0) {
        (void)kill((pid_t)process->pid, SIGKILL);
    }
    (void)shutdown(channel, SHUT_WR);
    while (n != 0 && brood_os_now() < limit) {
        n = poll(&one, 1, SLICE_MS) > 0 ? recv(channel, rest, sizeof rest, MSG_DONTWAIT) : 1;
        n = n < 0 && errno == ECONNRESET ? 0 : n;
    }
}

/* ---- a start ---- */

/* As for a forked child: in memory where there are process descriptors, else over the channel. */
static int make_report(brood_os_process *process, brood_posix_parcel *parcel)
{
    int rc = BROOD_ENOTSUP;

    if (brood_posix_pidfd_works()) {
        rc = brood_posix_report_create(&process->report, &parcel->report_fd);
    }
    if (rc == 0) {
        parcel->report = BROOD_POSIX_REPORT_MEMORY;
        rc = brood_posix_report_touch(parcel->report_fd);
    }
    return rc == BROOD_ENOTSUP ? brood_posix_served_open(process) : rc;
}

/* `*asked`: there may be a child. */
static int ask(brood_os_process *process, const brood_os_start *start,
               const brood_posix_parcel *parcel, int pair[2], bool *asked)
{
    brood_posix_request request = {
        .magic = BROOD_POSIX_REQUEST_MAGIC,
        .report = parcel->report,
        .outlives = start->outlive,
        .ignored = ignored_signals(),
        .user = getpid(),
    };
    const int fds[2] = {pair[1], parcel->report_fd};
    int rc = send_request(start->server, &request, fds, parcel->report_fd >= 0 ? 2 : 1);

    *asked = rc == 0;
    brood_posix_close(pair[1]); /* so that the other ends show on ours */
    pair[1] = -1;
    return rc ? rc : await_reply(process, start->server, pair[0]);
}

int brood_posix_server_start(brood_os_process *out, const brood_os_start *start)
{
    brood_os_process process = BROOD_OS_PROCESS_NONE;
    brood_posix_parcel parcel = {BROOD_POSIX_REPORT_CHANNEL, 0, -1, false};
    int pair[2] = {-1, -1};
    bool asked = false;
    int rc = brood_posix_pair(pair);

    if (rc == 0) {
        rc = make_report(&process, &parcel);
    }
    if (rc == 0) {
        rc = ask(&process, start, &parcel, pair, &asked);
    }
    if (rc == 0) {
        BROOD_STOP("parent-started");
        rc = brood_posix_channel_send(pair[0], start, &parcel);
    }
    if (rc) {
        if (asked) {
            abandon(&process, pair[0]);
        }
        goto done;
    }
    BROOD_STOP("parent-sent");
    if (!process.pidfd) {
        process.sentinel = pair[0];
        pair[0] = -1;
    }
    process.server = brood_os_server_ref(start->server);
    *out = process;
    process = BROOD_OS_PROCESS_NONE;

done:
    brood_os_process_close(&process);
    brood_posix_close(parcel.report_fd);
    brood_posix_close(pair[0]);
    brood_posix_close(pair[1]);
    return rc;
}

/* The channel between parent and child: the secret record, a small body, then descriptors, then a
 * secret that lasts.
 *
 * All of it is small and is sent at once, so the parent waits for nothing. Descriptors ride along
 * as SCM_RIGHTS, so many to a message. */
#include "rights.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC 0x646f7262u /* "brod" */
#define HANDLES_MAX (1u << 20)
#define MORE 'm'

/* First on the channel, with the section's descriptor if the body is in one, and the report's. */
typedef struct preface {
    uint32_t magic;
    uint32_t report;
    uint32_t record_size;
    uint32_t body_size; /* 0: a section */
    uint32_t handle_count;
    uint32_t secret_size;
    uint32_t others;
} preface;

int brood_posix_send_fds(int channel, const void *data, size_t size, const int *fds, size_t count)
{
    struct iovec piece = {(void *)(uintptr_t)data, size};
    struct msghdr message;
    brood_posix_control room;
    ssize_t n;

    memset(&message, 0, sizeof message);
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    if (count > 0) {
        brood_posix_put_fds(&message, &room, fds, count);
    }
    do {
        n = BROOD_SYS("sendmsg", ETOOMANYREFS, sendmsg(channel, &message, MSG_NOSIGNAL));
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return errno == EPIPE || errno == ECONNRESET
                   ? brood_fail_system(BROOD_EPEER, errno, "the child has ended already")
                   : brood_posix_error(errno, "send %zu descriptors to the child", count);
    }
    return (size_t)n == size ? 0 : brood_fail(BROOD_ESYSTEM, "a message to the child was cut");
}

int brood_posix_receive_fds(int channel, void *data, size_t size, int flags, size_t *got, int *fds,
                            size_t *count)
{
    struct iovec piece = {data, size};
    struct msghdr message;
    brood_posix_control room;
    ssize_t n;

    memset(&message, 0, sizeof message);
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = room.room;
    message.msg_controllen = sizeof room.room;
    do {
        n = BROOD_SYS("recvmsg", EIO, recvmsg(channel, &message, flags | MSG_CMSG_CLOEXEC));
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno != ECONNRESET) {
        return brood_posix_error(errno, "receive from the other side of the start");
    }
    *got = n < 0 ? 0 : (size_t)n;
    *count = n < 0 ? 0 : brood_posix_take_fds(&message, fds, BROOD_POSIX_FDS_MAX);
    if ((message.msg_flags & MSG_CTRUNC) != 0) {
        for (size_t i = 0; i < *count; i++) {
            brood_posix_close(fds[i]);
        }
        *count = 0;
        return brood_fail(BROOD_ESYSTEM, "descriptors from the parent were lost: the limit of open "
                                         "files is too low");
    }
    return 0;
}

/* ---- the parent's side ---- */

static int send_handles(int channel, const brood_os_start *start)
{
    const char more = MORE;
    int fds[BROOD_POSIX_FDS_MAX];
    int rc = 0;

    for (size_t done = 0; rc == 0 && done < start->handle_count;) {
        size_t count = 0;
        while (count < BROOD_POSIX_FDS_MAX && done + count < start->handle_count) {
            fds[count] = (int)start->handles[done + count];
            count++;
        }
        rc = brood_posix_send_fds(channel, &more, 1, fds, count);
        done += count;
    }
    return rc;
}

/* Puts `piece` behind what is there, and returns where it ends. */
static size_t append(unsigned char *out, size_t at, const void *piece, size_t size)
{
    if (size > 0) {
        memcpy(out + at, piece, size);
    }
    return at + size;
}

/* The lasting secret comes last: the child reads on only when somebody asks for it. Until then it is
 * in no process's memory. */
static int send_all(int channel, const brood_os_start *start, const brood_posix_parcel *parcel)
{
    const preface head = {MAGIC,
                          parcel->report,
                          (uint32_t)start->record_size,
                          (uint32_t)start->body.size,
                          (uint32_t)start->handle_count,
                          (uint32_t)start->secret.size,
                          parcel->others};
    unsigned char
        first[sizeof head + BROOD_OS_RECORD_MAX + BROOD_OS_BODY_MAX + BROOD_OS_SECRET_MAX];
    size_t size = append(first, 0, &head, sizeof head);
    int fds[2];
    size_t count = 0;
    int rc;

    size = append(first, size, start->record, start->record_size);
    size = append(first, size, start->body.data, start->body.size);
    if (start->handle_count == 0) {
        size = append(first, size, start->secret.data, start->secret.size);
    }
    if (start->body.size == 0) {
        fds[count++] = (int)start->section;
    }
    if (parcel->report_fd >= 0) {
        fds[count++] = parcel->report_fd;
    }
    rc = brood_posix_send_fds(channel, first, size, fds, count);
    sodium_memzero(first, size);
    if (rc == 0 && start->handle_count > 0) {
        rc = send_handles(channel, start);
    }
    if (rc == 0 && start->handle_count > 0 && start->secret.size > 0) {
        BROOD_STOP(start->serves ? "parent-server-handed" : "parent-handed");
        rc = brood_posix_send_fds(channel, start->secret.data, start->secret.size, NULL, 0);
    }
    return rc;
}

int brood_posix_channel_send(int channel, const brood_os_start *start,
                             const brood_posix_parcel *parcel)
{
    int rc;

    if (start->handle_count > HANDLES_MAX) {
        return brood_fail(BROOD_ETOOBIG, "%zu descriptors for one child: %u are the most",
                          start->handle_count, HANDLES_MAX);
    }
    rc = send_all(channel, start, parcel);
    return rc == BROOD_EPEER ? 0 : rc; /* its exit status will tell */
}

/* ---- the child's side ---- */

static int cut_short(void)
{
    return brood_fail(BROOD_EAUTH, "the start message is cut short");
}

static int receive_exactly(int channel, void *data, size_t size)
{
    size_t got = 0;

    while (got < size) {
        const ssize_t n = BROOD_SYS("recv", EIO, recv(channel, (char *)data + got, size - got, 0));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno != ECONNRESET) {
            return brood_posix_error(errno, "receive the start record");
        }
        if (n <= 0) {
            return cut_short();
        }
        got += (size_t)n;
    }
    return 0;
}

static bool valid_preface(const preface *head, size_t got, size_t fd_count)
{
    const size_t fds_wanted =
        (head->body_size == 0) + (size_t)(head->report == BROOD_POSIX_REPORT_MEMORY);

    return got == sizeof *head && head->magic == MAGIC && fd_count == fds_wanted &&
           head->record_size <= BROOD_OS_RECORD_MAX && head->body_size <= BROOD_OS_BODY_MAX &&
           head->handle_count <= HANDLES_MAX && head->secret_size <= BROOD_OS_SECRET_MAX;
}

static int receive_preface(int channel, preface *head, brood_os_handle *section,
                           brood_posix_parcel *parcel)
{
    int fds[BROOD_POSIX_FDS_MAX];
    size_t count = 0;
    size_t got = 0;
    size_t taken = 0;
    int rc = brood_posix_receive_fds(channel, head, sizeof *head, MSG_WAITALL, &got, fds, &count);

    if (rc) {
        return rc;
    }
    if (got == 0) {
        return brood_fail(BROOD_EPEER, "the parent ended before it had sent anything");
    }
    if (!valid_preface(head, got, count)) {
        for (size_t i = 0; i < count; i++) {
            brood_posix_close(fds[i]);
        }
        return brood_fail(BROOD_EAUTH, "what came over descriptor %d is no start record", channel);
    }
    parcel->report = head->report;
    parcel->secret_size = head->secret_size;
    parcel->others = head->others != 0;
    if (head->body_size == 0) {
        *section = fds[taken++];
    }
    if (head->report == BROOD_POSIX_REPORT_MEMORY) {
        parcel->report_fd = fds[taken];
    }
    return 0;
}

static int receive_body(int channel, brood_buffer *out, size_t size)
{
    int rc = 0;

    if (size > 0) {
        rc = brood_buffer_new(out, size);
    }
    return rc || size == 0 ? rc : receive_exactly(channel, out->data, size);
}

static int receive_handles(int channel, brood_os_arrival *out, size_t total)
{
    int fds[BROOD_POSIX_FDS_MAX];

    while (out->handle_count < total) {
        char mark = 0;
        size_t got = 0;
        size_t count = 0;
        const int rc = brood_posix_receive_fds(channel, &mark, 1, 0, &got, fds, &count);
        if (rc) {
            return rc;
        }
        for (size_t i = 0; i < count; i++) {
            if (out->handle_count < total) {
                out->handles[out->handle_count++] = fds[i];
            } else {
                brood_posix_close(fds[i]);
            }
        }
        if (got == 0) {
            return cut_short();
        }
        if (mark != MORE || count == 0) {
            return brood_fail(BROOD_EAUTH, "descriptors from the parent are missing");
        }
    }
    return 0;
}

int brood_posix_channel_receive(int channel, brood_os_arrival *out, brood_posix_parcel *parcel)
{
    preface head;
    int rc = receive_preface(channel, &head, &out->section, parcel);

    if (rc) {
        return rc;
    }
    rc = receive_exactly(channel, out->record, head.record_size);
    out->record_size = head.record_size;
    if (rc == 0) {
        rc = receive_body(channel, &out->body, head.body_size);
    }
    if (rc) {
        return rc;
    }
    out->handles = BROOD_ALLOC(malloc((head.handle_count + 1) * sizeof *out->handles));
    if (out->handles == NULL) {
        return brood_fail_nomem("the handles from the parent");
    }
    return receive_handles(channel, out, head.handle_count);
}

/* Reports where there is no memory that can grow: messages on the channel between a child and its
 * parent, which stays open. A short report is a message, a long one a message with a section. The
 * fork server, which has the same end of the channel, says behind it how its child ended. */
#include "posix.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAGIC 0x74726f7065726221u /* "!breport" */
#define ENDED 0x7375746174736221u /* "!bstatus" */
#define INLINE_MAX 2048           /* bytes that fit any socket's buffer */

#if !defined(MSG_NOSIGNAL)
#define MSG_NOSIGNAL 0
#endif

typedef struct message_head {
    uint64_t magic;
    uint64_t size; /* of the report; or the status */
} message_head;

static void join_pieces(void *out, const brood_view pieces[2])
{
    for (int i = 0; i < 2; i++) {
        if (pieces[i].size > 0) {
            memcpy(out, pieces[i].data, pieces[i].size);
            out = (char *)out + pieces[i].size;
        }
    }
}

static int send_short(int channel, const brood_view pieces[2], size_t size)
{
    unsigned char message[sizeof(message_head) + INLINE_MAX];
    const message_head head = {MAGIC, size};

    memcpy(message, &head, sizeof head);
    join_pieces(message + sizeof head, pieces);
    return brood_posix_send_fds(channel, message, sizeof head + size, NULL, 0);
}

static int send_long(int channel, const brood_view pieces[2], size_t size)
{
    const message_head head = {MAGIC, size};
    brood_os_section section = BROOD_OS_SECTION_NONE;
    int fd;
    int rc = brood_os_section_create(&section, size);

    if (rc) {
        return rc;
    }
    join_pieces(section.data, pieces);
    rc = brood_os_section_seal(&section);
    fd = (int)section.handle;
    if (rc == 0) {
        rc = brood_posix_send_fds(channel, &head, sizeof head, &fd, 1);
    }
    brood_os_section_close(&section);
    return rc;
}

int brood_posix_report_send(int channel, const brood_view pieces[2])
{
    const size_t size = pieces[0].size + pieces[1].size;

    return size <= INLINE_MAX ? send_short(channel, pieces, size)
                              : send_long(channel, pieces, size);
}

void brood_posix_report_end_over(int channel, int status)
{
    const message_head head = {ENDED, (uint64_t)status};

    (void)!send(channel, &head, sizeof head, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static int copy_section(brood_buffer *out, int fd, size_t size)
{
    brood_buffer view = BROOD_BUFFER_NONE;
    int rc = brood_os_section_read(&view, fd, size);

    if (rc) {
        return rc;
    }
    rc = brood_buffer_new(out, size);
    if (rc == 0) {
        memcpy(out->data, view.data, size);
    }
    brood_buffer_release(&view);
    return rc;
}

static int receive_short(int channel, brood_buffer *out, size_t size)
{
    int rc = brood_buffer_new(out, size);

    if (rc == 0 && recv(channel, out->data, size, MSG_DONTWAIT) != (ssize_t)size) {
        brood_buffer_release(out);
        rc = brood_fail(BROOD_EDECODE, "the child's report is cut short");
    }
    return rc;
}

static int receive_rest(int channel, const message_head *head, const int *fds, size_t count,
                        brood_buffer *out)
{
    if (count == 1 && head->size > 0 && head->size < SIZE_MAX) {
        return copy_section(out, fds[0], (size_t)head->size);
    }
    return count == 0 && head->size > 0 && head->size <= INLINE_MAX
               ? receive_short(channel, out, (size_t)head->size)
               : 0;
}

int brood_posix_report_next(int channel, brood_buffer *out, int *status, char *found)
{
    message_head head;
    int fds[BROOD_POSIX_FDS_MAX];
    size_t got = 0;
    size_t count = 0;
    int rc = brood_posix_receive_fds(channel, &head, sizeof head, MSG_DONTWAIT, &got, fds, &count);

    *found = 0;
    if (rc) {
        *found = brood_last_error()->system_code == EAGAIN ? 'w' : 0;
        return *found == 'w' ? 0 : rc;
    }
    if (got == sizeof head && head.magic == MAGIC) {
        *found = 'r';
        rc = receive_rest(channel, &head, fds, count, out);
    } else if (got == sizeof head && head.magic == ENDED) {
        *found = 's';
        *status = (int)head.size;
    }
    for (size_t i = 0; i < count; i++) {
        brood_posix_close(fds[i]);
    }
    return rc;
}

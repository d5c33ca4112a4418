#include "rights.h"

#include <fcntl.h>
#include <string.h>

void brood_posix_put_fds(struct msghdr *message, brood_posix_control *control, const int *fds,
                         size_t count)
{
    struct cmsghdr *head;

    memset(control, 0, CMSG_SPACE(count * sizeof(int)));
    message->msg_control = control->room;
    message->msg_controllen = (socklen_t)CMSG_SPACE(count * sizeof(int));
    head = CMSG_FIRSTHDR(message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = (socklen_t)CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(head), fds, count * sizeof(int));
}

/* One that cannot be moved is lost. */
static int settle(int fd)
{
    if (MSG_CMSG_CLOEXEC == 0) {
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    return brood_posix_move(fd, 3);
}

static size_t take_from(struct cmsghdr *head, int *fds, size_t most)
{
    const size_t there = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    size_t count = 0;

    for (size_t i = 0; i < there; i++) {
        int fd;
        memcpy(&fd, CMSG_DATA(head) + i * sizeof fd, sizeof fd);
        if (count == most) {
            brood_posix_close(fd);
            continue;
        }
        fds[count] = settle(fd);
        count += fds[count] >= 0;
    }
    return count;
}

size_t brood_posix_take_fds(struct msghdr *message, int *fds, size_t most)
{
    size_t count = 0;

    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head != NULL;
         head = CMSG_NXTHDR(message, head)) {
        if (head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS) {
            count += take_from(head, fds + count, most - count);
        }
    }
    return count;
}

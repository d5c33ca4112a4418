/* Descriptors beside the bytes of a message on a Unix socket (SCM_RIGHTS). */
#ifndef BROOD_SRC_POSIX_RIGHTS_H
#define BROOD_SRC_POSIX_RIGHTS_H

#include "posix.h"

#include <sys/socket.h>

#if !defined(MSG_NOSIGNAL)
#define MSG_NOSIGNAL 0
#endif
#if !defined(MSG_CMSG_CLOEXEC)
#define MSG_CMSG_CLOEXEC 0 /* there is a gap then: see brood_posix_take_fds */
#endif

typedef union brood_posix_control {
    struct cmsghdr align;
    unsigned char room[CMSG_SPACE(BROOD_POSIX_FDS_MAX * sizeof(int))];
} brood_posix_control;

/// brood_posix_put_fds lets up to BROOD_POSIX_FDS_MAX descriptors leave with `message`.
void brood_posix_put_fds(struct msghdr *message, brood_posix_control *control, const int *fds,
                         size_t count);

/// brood_posix_take_fds takes the descriptors of a received message, close-on-exec and 3 or more,
/// and returns how many there were; more than `most` are closed.
size_t brood_posix_take_fds(struct msghdr *message, int *fds, size_t most);

#endif

/* Descriptors that the program opened itself and wants messages over. */
#include "posix.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>

static int check_direction(int fd, int flags, bool readable, bool writable)
{
    const int mode = flags & O_ACCMODE;

    if (readable && mode == O_WRONLY) {
        return brood_fail(BROOD_EINVAL, "descriptor %d cannot be read from", fd);
    }
    if (writable && mode == O_RDONLY) {
        return brood_fail(BROOD_EINVAL, "descriptor %d cannot be written to", fd);
    }
    return 0;
}

static int check_socket(int fd)
{
    int value = 0;
    socklen_t size = sizeof value;

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &size) == 0 && value != SOCK_STREAM) {
        return brood_fail(BROOD_EINVAL, "descriptor %d is a socket, but no stream", fd);
    }
    size = sizeof value;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0 && value != 0) {
        return brood_fail(BROOD_EINVAL, "descriptor %d listens: accept gives what has messages",
                          fd);
    }
    return 0;
}

int brood_os_stream_check(brood_os_handle handle, bool readable, bool writable)
{
    const int fd = (int)handle;
    const int flags = BROOD_SYS("fcntl", EBADF, fcntl(fd, F_GETFL));
    struct stat status;

    if (flags < 0 || fstat(fd, &status) < 0) {
        return brood_fail_system(BROOD_EINVAL, errno, "descriptor %d is not open", fd);
    }
    if (S_ISSOCK(status.st_mode)) {
        return check_socket(fd);
    }
    if (!S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode)) {
        return brood_fail(BROOD_EINVAL, "descriptor %d is no socket, pipe or terminal", fd);
    }
    return check_direction(fd, flags, readable, writable);
}

/* What cannot be set so works as well. */
void brood_os_stream_settle(brood_os_handle handle)
{
    const int fd = (int)handle;
    const int flags = fcntl(fd, F_GETFD);
    const int on = 1;

    if (flags >= 0) {
        (void)fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

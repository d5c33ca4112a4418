/* Flags: an event descriptor, or a pipe that has bytes in it or none. */
#include "posix.h"

#include <fcntl.h>
#include <unistd.h>

#if defined(BROOD_HAVE_EVENTFD)
#include <sys/eventfd.h>

int brood_os_flag_create(brood_os_flag *out)
{
    const int fd =
        brood_posix_move(BROOD_SYS("eventfd", EMFILE, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), 3);

    if (fd < 0) {
        return brood_posix_error(errno, "make an event descriptor");
    }
    *out = (brood_os_flag){fd, BROOD_NO_HANDLE};
    return 0;
}
#else
int brood_os_flag_create(brood_os_flag *out)
{
    int ends[2];
    const int rc = brood_posix_pipe(ends);

    if (rc) {
        return rc;
    }
    /* Neither fails with a pipe. Full or empty, nobody may be held up. */
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    (void)fcntl(ends[1], F_SETFL, O_NONBLOCK);
    *out = (brood_os_flag){ends[0], ends[1]};
    return 0;
}
#endif

void brood_os_flag_raise(const brood_os_flag *flag)
{
    const brood_os_handle fd = flag->raise != BROOD_NO_HANDLE ? flag->raise : flag->wait;
    const uint64_t one = 1; /* what an event descriptor takes */
    ssize_t n;

    do { /* we hold the read end ourselves, so there is no SIGPIPE */
        n = write((int)fd, &one, sizeof one);
    } while (n < 0 && errno == EINTR);
}

void brood_os_flag_lower(const brood_os_flag *flag)
{
    uint64_t some[32];
    ssize_t n;

    do {
        n = read((int)flag->wait, some, sizeof some);
    } while ((n < 0 && errno == EINTR) || n == (ssize_t)sizeof some);
}

void brood_os_flag_close(brood_os_flag *flag)
{
    brood_posix_close((int)flag->wait);
    brood_posix_close((int)flag->raise);
    *flag = BROOD_OS_FLAG_NONE;
}

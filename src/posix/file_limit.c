/* The limit of file sizes (RLIMIT_FSIZE) holds for shared memory, too, and whoever goes over it gets
 * a signal that ends the program. Here it is an error like others. */
#include "posix.h"

#include <sys/resource.h>

static bool is_pending(void)
{
    sigset_t pending;

    return sigpending(&pending) == 0 && sigismember(&pending, SIGXFSZ) == 1;
}

void brood_posix_file_limit_begin(brood_posix_file_limit *limit)
{
    struct rlimit now;
    sigset_t one;

    limit->held = getrlimit(RLIMIT_FSIZE, &now) != 0 || now.rlim_cur != RLIM_INFINITY;
    if (!limit->held) {
        return;
    }
    limit->was_pending = is_pending();
    (void)sigemptyset(&one);
    (void)sigaddset(&one, SIGXFSZ);
    (void)pthread_sigmask(SIG_BLOCK, &one, &limit->before);
}

void brood_posix_file_limit_end(const brood_posix_file_limit *limit)
{
    const int kept = errno;
    sigset_t one;
    int taken;

    if (!limit->held) {
        return;
    }
    if (!limit->was_pending && is_pending()) {
        (void)sigemptyset(&one);
        (void)sigaddset(&one, SIGXFSZ);
        (void)sigwait(&one, &taken); /* it is there, so this does not wait */
    }
    (void)pthread_sigmask(SIG_SETMASK, &limit->before, NULL);
    errno = kept;
}

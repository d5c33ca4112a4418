/* System calls that fail and, beside that, send their thread a signal which would end the program.
 * What the program does with the signal is its own. */
#include "posix.h"

static bool is_pending(int signum)
{
    sigset_t pending;

    return sigpending(&pending) == 0 && sigismember(&pending, signum) == 1;
}

void brood_posix_hold_signal(brood_posix_held_signal *held, int signum)
{
    sigset_t one;

    held->signum = signum;
    held->was_pending = is_pending(signum);
    (void)sigemptyset(&one);
    (void)sigaddset(&one, signum);
    (void)pthread_sigmask(SIG_BLOCK, &one, &held->before);
}

void brood_posix_drop_signal(const brood_posix_held_signal *held)
{
    const int kept = errno;
    sigset_t one;
    int taken;

    if (!held->was_pending && is_pending(held->signum)) {
        (void)sigemptyset(&one);
        (void)sigaddset(&one, held->signum);
        (void)sigwait(&one, &taken); /* it is there, so this does not wait */
    }
    (void)pthread_sigmask(SIG_SETMASK, &held->before, NULL);
    errno = kept;
}

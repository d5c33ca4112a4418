/* Waiting for several things at once: poll, which has no limit of its own. */
#include "posix.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#if defined(BROOD_HAVE_EVENTFD)
#include <sys/eventfd.h>
#endif

#define SMALL_COUNT 32 /* things that are polled without allocating */

/* ---- wakers ---- */

struct brood_os_waker {
    int read_fd;
    int write_fd; /* an event descriptor is both */
};

static pthread_once_t waker_once = PTHREAD_ONCE_INIT;
static pthread_key_t waker_key;
static int waker_errnum;

static void close_waker(void *data)
{
    brood_os_waker *waker = data;

    if (waker->write_fd != waker->read_fd) {
        brood_posix_close(waker->write_fd);
    }
    brood_posix_close(waker->read_fd);
    free(waker);
}

/* In a fork of the host the descriptors would be the parent's thread's, too. The memory is kept for
 * new ones: malloc may be locked there. */
static void leave_after_fork(void)
{
    brood_os_waker *waker = pthread_getspecific(waker_key);

    if (waker != NULL) {
        brood_posix_close(waker->read_fd);
        brood_posix_close(waker->write_fd == waker->read_fd ? -1 : waker->write_fd);
        waker->read_fd = -1;
        waker->write_fd = -1;
    }
}

static void make_key(void)
{
    waker_errnum = pthread_key_create(&waker_key, close_waker);
    if (waker_errnum == 0) {
        (void)pthread_atfork(NULL, NULL, leave_after_fork);
    }
}

#if defined(BROOD_HAVE_EVENTFD)
static int open_waker(brood_os_waker *waker)
{
    const int fd =
        brood_posix_move(BROOD_SYS("eventfd", EMFILE, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), 3);

    if (fd < 0) {
        return brood_posix_error(errno, "make an event descriptor");
    }
    waker->read_fd = fd;
    waker->write_fd = fd;
    return 0;
}
#else
static int open_waker(brood_os_waker *waker)
{
    int ends[2];
    const int rc = brood_posix_pipe(ends);

    if (rc) {
        return rc;
    }
    /* Neither fails with a pipe. Full or empty, nobody may be held up. */
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    (void)fcntl(ends[1], F_SETFL, O_NONBLOCK);
    waker->read_fd = ends[0];
    waker->write_fd = ends[1];
    return 0;
}
#endif

int brood_os_waker_mine(brood_os_waker **out)
{
    brood_os_waker *waker;
    int errnum;
    int rc;

    (void)pthread_once(&waker_once, make_key);
    if (waker_errnum != 0) {
        return brood_posix_error(waker_errnum, "make a place for what belongs to a thread");
    }
    waker = pthread_getspecific(waker_key);
    if (waker != NULL) {
        rc = waker->read_fd < 0 ? open_waker(waker) : 0;
        *out = rc == 0 ? waker : *out;
        return rc;
    }
    waker = BROOD_ALLOC(malloc(sizeof *waker));
    if (waker == NULL) {
        return brood_fail_nomem("waiting");
    }
    rc = open_waker(waker);
    if (rc) {
        free(waker);
        return rc;
    }
    errnum =
        BROOD_SYS_RETURNS("pthread_setspecific", ENOMEM, pthread_setspecific(waker_key, waker));
    if (errnum != 0) {
        close_waker(waker);
        return brood_posix_error(errnum, "keep what belongs to a thread");
    }
    *out = waker;
    return 0;
}

void brood_os_waker_drop(void)
{
    brood_os_waker *waker = pthread_getspecific(waker_key);

    if (waker != NULL) {
        (void)pthread_setspecific(waker_key, NULL);
        close_waker(waker);
    }
}

void brood_os_waker_raise(brood_os_waker *waker)
{
    const uint64_t one = 1;
    const int kept = errno;

    while (write(waker->write_fd, &one, sizeof one) < 0 && errno == EINTR) {
    }
    errno = kept; /* full is raised, too */
}

static void lower(const brood_os_waker *waker)
{
    uint64_t data[8];

    while (read(waker->read_fd, data, sizeof data) == (ssize_t)sizeof data) {
    }
}

/* ---- waiting ---- */

static void fill(struct pollfd *polled, const brood_os_waitable *things, size_t count,
                 const brood_os_waker *waker)
{
    for (size_t i = 0; i < count; i++) {
        polled[i].fd = (int)things[i].handle;
        polled[i].events = things[i].hint ? 0 : POLLIN; /* 0: only its end */
        polled[i].revents = 0;
    }
    polled[count].fd = waker != NULL ? waker->read_fd : -1;
    polled[count].events = POLLIN;
    polled[count].revents = 0;
}

static int mark(brood_os_waitable *things, const struct pollfd *polled, size_t count,
                const brood_os_waker *waker)
{
    for (size_t i = 0; i < count; i++) {
        if ((polled[i].revents & POLLNVAL) != 0) {
            return brood_fail(BROOD_EINVAL, "descriptor %d is not open", polled[i].fd);
        }
        if (polled[i].revents != 0) {
            things[i].ready = true;
        }
    }
    if (polled[count].revents != 0) {
        lower(waker);
    }
    return 0;
}

/* 0, or an errno; ETIMEDOUT when the time is over. */
static int poll_until(struct pollfd *polled, size_t count, int64_t deadline_ns)
{
    for (;;) {
        const int left = deadline_ns == INT64_MAX ? -1 : brood_posix_left_ms(deadline_ns, INT_MAX);
        const int n = BROOD_SYS("poll", ENOMEM, poll(polled, (nfds_t)count, left));

        if (n > 0) {
            return 0;
        }
        if (n < 0 && errno != EINTR) {
            return errno;
        }
        if (deadline_ns != INT64_MAX && brood_posix_left_ms(deadline_ns, 1) == 0) {
            return ETIMEDOUT;
        }
    }
}

static int poll_failed(int errnum, size_t count)
{
    return errnum == ETIMEDOUT ? brood_fail(BROOD_ETIMEDOUT, "wait: timed out")
                               : brood_posix_error(errnum, "wait for %zu things", count);
}

/* ---- more things than a process may have descriptors: poll takes each only once then ---- */

static int compare_handles(const void *left, const void *right)
{
    const brood_os_waitable *a = *(brood_os_waitable *const *)left;
    const brood_os_waitable *b = *(brood_os_waitable *const *)right;

    return a->handle != b->handle ? (a->handle > b->handle) - (a->handle < b->handle)
                                  : (a->hint > b->hint) - (a->hint < b->hint);
}

/* Puts those with a handle into `sorted` and one of each kind into `distinct`. */
static size_t sort_out(brood_os_waitable *things, size_t *count, brood_os_waitable **sorted,
                       brood_os_waitable *distinct)
{
    size_t kept = 0;
    size_t n = 0;

    for (size_t i = 0; i < *count; i++) {
        if (things[i].handle != BROOD_NO_HANDLE) {
            sorted[n++] = &things[i];
        }
    }
    qsort(sorted, n, sizeof *sorted, compare_handles);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || compare_handles(&sorted[i - 1], &sorted[i]) != 0) {
            distinct[kept++] = *sorted[i];
        }
    }
    *count = n;
    return kept;
}

static int wait_distinctly(brood_os_waitable *things, size_t count, brood_os_waker *waker,
                           int64_t deadline_ns)
{
    brood_os_waitable **sorted = BROOD_ALLOC(malloc(count * sizeof(*sorted)));
    brood_os_waitable *distinct = BROOD_ALLOC(malloc(count * sizeof *distinct));
    int rc = sorted != NULL && distinct != NULL ? 0 : brood_fail_nomem("waiting");
    size_t kept;

    if (rc == 0) {
        kept = sort_out(things, &count, sorted, distinct);
        rc = kept < count ? brood_os_wait(distinct, kept, waker, deadline_ns)
                          : poll_failed(EINVAL, count);
        for (size_t i = 0, at = 0; rc == 0 && i < count; i++) {
            at += i > 0 && compare_handles(&sorted[i - 1], &sorted[i]) != 0;
            sorted[i]->ready = sorted[i]->ready || distinct[at].ready;
        }
    }
    free(sorted);
    free(distinct);
    return rc;
}

int brood_os_wait(brood_os_waitable *things, size_t count, brood_os_waker *waker,
                  int64_t deadline_ns)
{
    struct pollfd small[SMALL_COUNT + 1];
    struct pollfd *polled = small;
    int errnum;
    int rc;

    if (count > SMALL_COUNT) {
        polled = BROOD_ALLOC(malloc((count + 1) * sizeof *polled));
    }
    if (polled == NULL) {
        return brood_fail_nomem("waiting");
    }
    fill(polled, things, count, waker);
    errnum = poll_until(polled, count + 1, deadline_ns);
    if (errnum == 0) {
        rc = mark(things, polled, count, waker);
    } else if (errnum == EINVAL) {
        rc = wait_distinctly(things, count, waker, deadline_ns);
    } else {
        rc = poll_failed(errnum, count);
    }
    if (polled != small) {
        free(polled);
    }
    return rc;
}

void brood_os_process_watch(const brood_os_process *process, brood_os_waitable *out)
{
    out->handle = process->sentinel;
    out->hint = !process->pidfd;
}

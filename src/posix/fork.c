/* Copies of this process: the start method fork, brood_fork, and what every fork has to do. */
#include "posix.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- every fork, the host's own ones too ---- */

static brood_os_fork_hooks hooks;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int once_errnum;

static void before(void)
{
    hooks.before();
    brood_posix_lifeline_before_fork();
    brood_posix_creating(true);
}

static void after(void)
{
    brood_posix_creating(false);
    brood_posix_lifeline_after_fork();
    hooks.after();
}

static void child(void)
{
    brood_posix_creating(false);
    brood_posix_lifeline_leave();
    brood_posix_report_leave();
    brood_posix_threads_leave();
    hooks.child();
}

static void watch_forks(void)
{
    once_errnum = BROOD_SYS_RETURNS("pthread_atfork", ENOMEM, pthread_atfork(before, after, child));
}

int brood_os_setup(const brood_os_fork_hooks *wanted)
{
    if (hooks.before == NULL) {
        hooks = *wanted;
    }
    (void)pthread_once(&once, watch_forks);
    if (once_errnum != 0) {
        return brood_posix_error(once_errnum, "watch the forks of this process");
    }
    return brood_posix_stay();
}

long brood_os_thread_count(void)
{
#if defined(__linux__)
    struct stat facts;

    /* One link for each thread, and two as every directory has. */
    if (stat("/proc/self/task", &facts) == 0 && facts.st_nlink > 2) {
        return (long)facts.st_nlink - 2 - brood_posix_threads();
    }
#endif
    return 0;
}

/* What stands in the buffers would be written by both. Only these two: another stream may be locked
 * for as long as somebody reads from it. */
void brood_posix_flush_streams(void)
{
    FILE *const streams[] = {stdout, stderr};

    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        if (ftrylockfile(streams[i]) == 0) {
            (void)fflush(streams[i]);
            funlockfile(streams[i]);
        }
    }
}

static pid_t fork_keeping_lifeline(void)
{
    pid_t pid;

    brood_posix_lifeline_keep(true);
    pid = BROOD_SYS("fork", EAGAIN, fork());
    brood_posix_lifeline_keep(false);
    return pid;
}

/* ---- brood_fork ---- */

/* A child that would outlive its parent unnoticed is none. */
static void bind_or_end(int lifeline)
{
    brood_posix_lifeline_forget(true);
    if (brood_posix_lifeline_bind(lifeline)) {
        (void)brood_perror("fork: the child cannot be bound to its parent");
        _exit(1);
    }
}

int brood_os_fork(int64_t *pid)
{
    int lifeline = -1;
    pid_t forked;
    int rc = brood_posix_lifeline(&lifeline);

    if (rc) {
        return rc;
    }
    brood_posix_flush_streams();
    forked = fork_keeping_lifeline();
    if (forked < 0) {
        return brood_posix_error(errno, "fork");
    }
    if (forked == 0) {
        bind_or_end(lifeline);
    }
    *pid = forked;
    return 0;
}

/* ---- the start method: the child's side ---- */

static int become_like_new(const brood_posix_copy *copy)
{
    int rc;

    brood_posix_reset_signals();
    brood_posix_close_but(copy->keep, copy->keep_count);
    brood_posix_open_missing_streams();
    brood_posix_lifeline_forget(false);
    if (copy->outlives) {
        brood_posix_lifeline_look(copy->lifeline);
        return 0;
    }
    rc = brood_posix_lifeline_hold(copy->lifeline);
    return rc ? rc : brood_posix_lifeline_settle(copy->parcel.others);
}

_Noreturn void brood_posix_copy_live(brood_posix_copy *copy)
{
    brood_os_arrival arrival;
    int rc;
    int code;

    BROOD_FAULT_OFF_HERE();
    rc = become_like_new(copy);
    memset(&arrival, 0, sizeof arrival);
    arrival.section = BROOD_NO_HANDLE;
    arrival.handle_count = copy->handle_count;
    arrival.handles = malloc((copy->handle_count + 1) * sizeof *arrival.handles);
    if (arrival.handles == NULL) {
        arrival.handle_count = 0;
        rc = brood_fail_nomem("the handles from the parent");
    }
    for (size_t i = 0; i < arrival.handle_count; i++) {
        arrival.handles[i] = copy->handles[i];
    }
    /* Bound, it waits for its parent or dies with it; one that outlives a parent has to look. */
    if (copy->page != NULL) {
        if (!brood_posix_report_await(copy->page, copy->outlives ? copy->lifeline : -1)) {
            _exit(1);
        }
        brood_posix_report_close(copy->page);
    }
    brood_posix_report_bind(&copy->parcel, copy->channel);
    code = copy->run(&arrival, rc, copy->user);
    brood_posix_flush_streams();
    _exit(code);
}

/* ---- the start method: the parent's side ---- */

static void release_copy(brood_posix_copy *copy, const brood_os_start *start)
{
    for (size_t i = 0; copy->handles != NULL && i < copy->handle_count; i++) {
        if (copy->handles[i] != (int)start->handles[i]) {
            brood_posix_close(copy->handles[i]);
        }
    }
    brood_posix_close(copy->lifeline_is_own ? copy->lifeline : -1);
    brood_posix_close(copy->parcel.report_fd);
    free(copy->handles);
    free(copy->keep);
}

static int by_number(const void *a, const void *b)
{
    const int x = *(const int *)a;
    const int y = *(const int *)b;

    return (x > y) - (x < y);
}

/* The child keeps the numbers, so nothing is duplicated, but for what stands there twice or is one
 * of the standard streams: each handle has an owner of its own there. `sorted` has them all. */
static int choose_handles(brood_posix_copy *copy, const brood_os_start *start)
{
    int *sorted = copy->keep;

    for (size_t i = 0; i < start->handle_count; i++) {
        sorted[i] = (int)start->handles[i];
    }
    qsort(sorted, start->handle_count, sizeof *sorted, by_number);
    for (size_t i = 0; i < start->handle_count; i++) {
        const int fd = (int)start->handles[i];
        const int *found = bsearch(&fd, sorted, start->handle_count, sizeof fd, by_number);
        const bool twice = (found > sorted && found[-1] == fd) ||
                           (found < sorted + start->handle_count - 1 && found[1] == fd);
        brood_os_handle own = fd;
        const int rc = fd < 3 || twice ? brood_os_handle_duplicate(&own, fd) : 0;
        if (rc) {
            return rc;
        }
        copy->handles[copy->handle_count++] = (int)own;
    }
    return 0;
}

/* Everything that stays open in the child, once it is known. */
static void list_kept(brood_posix_copy *copy)
{
    size_t count = copy->handle_count;

    if (count > 0) {
        memcpy(copy->keep, copy->handles, count * sizeof *copy->keep);
    }
    copy->keep[count++] = copy->lifeline;
    copy->keep[count++] =
        copy->channel >= 0 ? copy->channel : copy->parcel.report_fd; /* one or the other */
    qsort(copy->keep, count, sizeof *copy->keep, by_number);
    copy->keep_count = count;
}

/* With process descriptors the child reports in memory, else over a channel, whose end is the
 * sentinel then. */
static int make_report(brood_os_process *process, brood_posix_copy *copy, int pair[2])
{
    int rc = BROOD_ENOTSUP;

    if (brood_posix_pidfd_works()) {
        rc = brood_posix_report_create(&process->report, &copy->parcel.report_fd);
    }
    if (rc == 0) {
        copy->parcel.report = BROOD_POSIX_REPORT_MEMORY;
        copy->page = process->report;
    } else if (rc == BROOD_ENOTSUP) {
        rc = brood_posix_pair(pair);
        copy->channel = pair[1];
    }
    return rc;
}

static int prepare(brood_posix_copy *copy, const brood_os_start *start)
{
    int rc;

    copy->handles = BROOD_ALLOC(malloc((start->handle_count + 1) * sizeof *copy->handles));
    copy->keep = BROOD_ALLOC(malloc((start->handle_count + 2) * sizeof *copy->keep));
    if (copy->handles == NULL || copy->keep == NULL) {
        return brood_fail_nomem("the handles of a start");
    }
    rc = choose_handles(copy, start);
    if (rc == 0) {
        list_kept(copy);
    }
    return rc;
}

/* A new process has nothing of /proc at hand: what costs it 40 us costs us a tenth of that. */
static int prepare_lifeline(brood_posix_copy *copy)
{
    int own;
    const int rc = brood_posix_lifeline(&copy->lifeline);

    if (rc) {
        return rc;
    }
    own = brood_posix_lifeline_open(copy->lifeline, BROOD_POSIX_CHANNEL);
    copy->lifeline_is_own = own >= 0;
    copy->lifeline = own >= 0 ? own : copy->lifeline;
    copy->parcel.others = brood_posix_lifeline_others();
    return 0;
}

/* No handler of the host runs in the child before it is at its default. */
static pid_t fork_copy(brood_posix_copy *copy)
{
    sigset_t all;
    sigset_t ours;
    pid_t pid;

    brood_posix_flush_streams();
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &ours);
    pid = fork_keeping_lifeline();
    if (pid == 0) {
        brood_posix_copy_live(copy);
    }
    (void)pthread_sigmask(SIG_SETMASK, &ours, NULL);
    return pid;
}

/* The child waits until we have a descriptor of it, so it cannot have ended and been forgotten. */
static int hold_on(brood_os_process *process, const brood_posix_copy *copy)
{
    BROOD_STOP("parent-started");
    if (copy->page == NULL) {
        return 0;
    }
    process->sentinel = brood_posix_pidfd_open((pid_t)process->pid);
    process->pidfd = process->sentinel >= 0;
    if (!process->pidfd) {
        return brood_posix_error(errno, "get a descriptor of process %lld",
                                 (long long)process->pid);
    }
    return brood_posix_report_tell(copy->page, copy->parcel.report_fd);
}

int brood_posix_fork_start(brood_os_process *out, const brood_os_start *start)
{
    brood_os_process process = BROOD_OS_PROCESS_NONE;
    brood_posix_copy copy = {
        .run = start->run,
        .user = start->user,
        .lifeline = -1,
        .parcel = {BROOD_POSIX_REPORT_CHANNEL, 0, -1, true},
        .channel = -1,
        .outlives = start->outlive,
    };
    int pair[2] = {-1, -1};
    pid_t pid;
    int rc = prepare_lifeline(&copy);

    if (rc == 0) {
        rc = make_report(&process, &copy, pair);
    }
    if (rc == 0) {
        rc = prepare(&copy, start);
    }
    if (rc) {
        goto done;
    }
    pid = fork_copy(&copy);
    if (pid < 0) {
        rc = brood_posix_error(errno, "fork");
        goto done;
    }
    process.pid = pid;
    rc = hold_on(&process, &copy);
    if (rc) {
        brood_posix_undo_start(pid);
        goto done;
    }
    BROOD_STOP("parent-sent");
    if (!process.pidfd) {
        process.sentinel = pair[0];
        pair[0] = -1;
    }
    *out = process;
    process = BROOD_OS_PROCESS_NONE;

done:
    brood_os_process_close(&process);
    brood_posix_close(pair[0]);
    brood_posix_close(pair[1]);
    release_copy(&copy, start);
    return rc;
}

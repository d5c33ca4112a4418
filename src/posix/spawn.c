/* Runs our executable again, in time that does not grow with our memory. */
#include "posix.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "executable.h"

extern char **environ; /* NULL after clearenv */
static char *no_environment[] = {NULL};

/* What the new process gets. Sources lie above the targets, so no step overwrites one of them. */
typedef struct plan {
    char path[BROOD_POSIX_PATH_MAX];
    char *argv[3];
    char **environment;
    int channel;
    int lifeline;
} plan;

static void close_plan(plan *p)
{
    brood_posix_close(p->channel);
    brood_posix_close(p->lifeline);
}

static int copy_above(int *out, int fd)
{
    *out = BROOD_SYS("fcntl", EMFILE, fcntl(fd, F_DUPFD_CLOEXEC, BROOD_POSIX_FIRST_FREE));
    return *out < 0 ? brood_posix_error(errno, "duplicate a descriptor for the child") : 0;
}

/* A description for the child alone, or one that it has to open anew itself. */
static int copy_lifeline(int *out, int lifeline)
{
    *out = brood_posix_lifeline_open(lifeline, BROOD_POSIX_FIRST_FREE);
    return *out >= 0 ? 0 : copy_above(out, lifeline);
}

static int choose_path(plan *p, const char *executable)
{
    const size_t length = executable != NULL ? strlen(executable) : 0;

    if (executable == NULL) {
        return brood_posix_executable(p->path, sizeof p->path);
    }
    if (length >= sizeof p->path) {
        return brood_posix_error(ENAMETOOLONG, "start a program");
    }
    memcpy(p->path, executable, length + 1);
    return 0;
}

static int make_plan(plan *p, const brood_os_start *start, int channel, int lifeline)
{
    static char marker[] = BROOD_POSIX_MARKER;
    static char marker_outlives[] = BROOD_POSIX_MARKER_OUTLIVES;
    static char marker_serves[] = BROOD_POSIX_MARKER_SERVES;
    int rc = choose_path(p, start->executable);

    p->channel = -1;
    p->lifeline = -1;
    p->argv[0] = p->path;
    p->argv[1] = start->serves ? marker_serves : start->outlive ? marker_outlives : marker;
    p->argv[2] = NULL;
    p->environment = environ != NULL ? environ : no_environment;
    if (rc == 0) {
        rc = copy_above(&p->channel, channel);
    }
    if (rc == 0) {
        rc = copy_lifeline(&p->lifeline, lifeline);
    }
    if (rc) {
        close_plan(p);
    }
    return rc;
}

#if defined(BROOD_HAVE_CLOSEFROM_ACTION)

static int add_missing_streams(posix_spawn_file_actions_t *actions)
{
    int errnum = 0;

    for (int fd = 0; fd < 3 && errnum == 0; fd++) {
        if (brood_posix_is_missing(fd)) {
            errnum = posix_spawn_file_actions_addopen(actions, fd, "/dev/null", O_RDWR, 0);
        }
    }
    return errnum;
}

static int fill_actions(posix_spawn_file_actions_t *actions, const plan *p)
{
    int errnum = add_missing_streams(actions);

    if (errnum == 0) {
        errnum = posix_spawn_file_actions_adddup2(actions, p->channel, BROOD_POSIX_CHANNEL);
    }
    if (errnum == 0) {
        errnum = posix_spawn_file_actions_adddup2(actions, p->lifeline, BROOD_POSIX_LIFELINE);
    }
    if (errnum == 0) {
        errnum = posix_spawn_file_actions_addclosefrom_np(actions, BROOD_POSIX_FIRST_FREE);
    }
    return errnum;
}

/* No blocked signals and default handlers, whatever our thread has. */
static int fill_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none;
    sigset_t usual;
    int errnum;

    (void)sigemptyset(&none);
    brood_posix_default_signals(&usual);
    errnum = posix_spawnattr_setsigmask(attributes, &none);
    if (errnum == 0) {
        errnum = posix_spawnattr_setsigdefault(attributes, &usual);
    }
    if (errnum == 0) {
        errnum =
            posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    return errnum;
}

static int run(pid_t *pid, const plan *p)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int errnum = posix_spawn_file_actions_init(&actions);

    if (errnum != 0) {
        return errnum;
    }
    errnum = posix_spawnattr_init(&attributes);
    if (errnum != 0) {
        (void)posix_spawn_file_actions_destroy(&actions);
        return errnum;
    }
    errnum = fill_actions(&actions, p);
    if (errnum == 0) {
        errnum = fill_attributes(&attributes);
    }
    if (errnum == 0) {
        errnum = BROOD_SYS_RETURNS(
            "posix_spawn", EAGAIN,
            posix_spawn(pid, p->path, &actions, &attributes, p->argv, p->environment));
    }
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    return errnum;
}

#else /* fork and exec: in the child only calls that are safe in a signal handler */

static void close_at_exec(int fd)
{
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void become(const plan *p, int report)
{
    int errnum;

    BROOD_STOP("child-before-exec");
    brood_posix_reset_signals();
    brood_posix_open_missing_streams();
    if (dup2(p->channel, BROOD_POSIX_CHANNEL) >= 0 &&
        dup2(p->lifeline, BROOD_POSIX_LIFELINE) >= 0) {
        brood_posix_visit_open(BROOD_POSIX_FIRST_FREE, INT_MAX, close_at_exec);
        (void)execve(p->path, p->argv, p->environment);
    }
    errnum = errno;
    (void)!write(report, &errnum, sizeof errnum);
    _exit(127);
}

/* The child's end of the pipe closes with a successful exec, and nothing was written. */
static int await_exec(pid_t pid, int fd)
{
    int errnum = 0;
    ssize_t n;

    do {
        n = read(fd, &errnum, sizeof errnum);
    } while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof errnum) {
        return 0;
    }
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    return errnum;
}

static int run(pid_t *pid, const plan *p)
{
    sigset_t all;
    sigset_t before;
    int ends[2];
    int report;
    int errnum = 0;

    if (brood_posix_pipe(ends)) {
        return EMFILE;
    }
    report = brood_posix_move(ends[1], BROOD_POSIX_FIRST_FREE);
    if (report < 0) {
        brood_posix_close(ends[0]);
        return EMFILE;
    }
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* no handler of ours runs in the child */
    *pid = BROOD_SYS("fork", EAGAIN, fork());
    if (*pid == 0) {
        become(p, report);
    }
    errnum = *pid < 0 ? errno : 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    brood_posix_close(report);
    if (errnum == 0) {
        errnum = await_exec(*pid, ends[0]);
    }
    brood_posix_close(ends[0]);
    return errnum;
}

#endif

int brood_posix_spawn(pid_t *pid, const brood_os_start *start, int channel, int lifeline)
{
    plan p;
    int errnum;
    int rc = make_plan(&p, start, channel, lifeline);

    if (rc) {
        return rc;
    }
    errnum = run(pid, &p);
    if (errnum != 0) {
        rc = brood_posix_error(errnum, "start %s", p.path);
    }
    close_plan(&p);
    return rc;
}

/* The fork server's own side: one thread that forks on request and tells how its children ended.
 *
 * It waits for requests with pselect, in which SIGCHLD interrupts it and nowhere else. So it needs
 * no descriptor for a child, however many there are, and does the same on every system. */
#include "forkserver.h"
#include "rights.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child that runs. */
typedef struct ward {
    struct ward *next;
    pid_t pid;
    bool outlives;
    void *page;  /* where its end is told; NULL: */
    int channel; /* over this */
} ward;

typedef struct server {
    int control;
    unsigned char *key;
    uint64_t counter;
    ward *wards;
    size_t bound; /* those that end with our user */
    bool closed;  /* the user asks for nothing more */
    int lifeline; /* the user's, opened for the next child; -1: it has to do that */
    bool others;  /* see brood_posix_lifeline_others */
    int (*run)(void);
} server;

/* ---- the ends of children ---- */

static int status_of(const siginfo_t *info)
{
    if (info->si_code == CLD_EXITED) {
        return (info->si_status & 0xff) << 8;
    }
    return info->si_status | (info->si_code == CLD_DUMPED ? 0x80 : 0);
}

/* Told before it is reaped: whoever sees that it was reaped can rely on that. */
static void end_ward(server *s, ward **at, int status)
{
    ward *one = *at;

    if (one->page != NULL) {
        brood_posix_report_end(one->page, status);
        brood_posix_report_close(one->page);
    } else {
        brood_posix_report_end_over(one->channel, status);
        brood_posix_close(one->channel);
    }
    while (waitpid(one->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    s->bound -= !one->outlives;
    *at = one->next;
    free(one);
}

/* Looks at each of them: there is a zombie that a preload function has left. */
static void look_at_all(server *s)
{
    siginfo_t info;
    ward **at = &s->wards;

    while (*at != NULL) {
        info.si_pid = 0;
        if (waitid(P_PID, (id_t)(*at)->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            info.si_pid != 0) {
            end_ward(s, at, status_of(&info));
        } else {
            at = &(*at)->next;
        }
    }
}

static void reap(server *s)
{
    siginfo_t info;

    while (s->wards != NULL) {
        ward **at = &s->wards;
        info.si_pid = 0;
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0) {
            return;
        }
        while (*at != NULL && (*at)->pid != info.si_pid) {
            at = &(*at)->next;
        }
        if (*at == NULL) {
            look_at_all(s);
            return;
        }
        end_ward(s, at, status_of(&info));
    }
}

/* ---- one request ---- */

typedef struct demand {
    brood_posix_request request;
    int fds[BROOD_POSIX_FDS_MAX];
    size_t count;
} demand;

static void close_fds(demand *d)
{
    for (size_t i = 0; i < d->count; i++) {
        brood_posix_close(d->fds[i]);
    }
    d->count = 0;
}

static void answer(const demand *d, int errnum, pid_t pid, int pidfd)
{
    const brood_posix_reply reply = {BROOD_POSIX_REPLY_MAGIC, errnum, pid,
                                     getppid() != (pid_t)d->request.user};

    (void)brood_posix_send_fds(d->fds[0], &reply, sizeof reply, &pidfd, pidfd >= 0);
}

/* Only the user has the other end of the socket and the key. After anything else nothing that comes
 * can be trusted. */
static int check(server *s, const demand *d)
{
    const brood_posix_request *request = &d->request;
    const size_t wanted = request->report == BROOD_POSIX_REPORT_MEMORY ? 2 : 1;
    unsigned char tag[BROOD_POSIX_SERVER_TAG];

    brood_posix_request_sign(tag, request, s->key);
    if (sodium_memcmp(tag, request->tag, sizeof tag) != 0) {
        return brood_fail(BROOD_EAUTH, "the fork server got a request with a wrong signature");
    }
    if (request->counter != s->counter + 1) {
        return brood_fail(BROOD_EAUTH, "the fork server got request %llu after %llu",
                          (unsigned long long)request->counter, (unsigned long long)s->counter);
    }
    if (request->magic != BROOD_POSIX_REQUEST_MAGIC || d->count != wanted) {
        return brood_fail(BROOD_EAUTH, "the fork server got no request");
    }
    s->counter++;
    return 0;
}

static void set_signals(const demand *d)
{
    struct sigaction action;
    sigset_t none;

    action.sa_flags = 0;
    (void)sigemptyset(&action.sa_mask);
    for (unsigned i = 0; brood_posix_terminal_signals[i] != 0; i++) {
        action.sa_handler = (d->request.ignored >> i & 1u) != 0 ? SIG_IGN : SIG_DFL;
        (void)sigaction(brood_posix_terminal_signals[i], &action, NULL);
    }
    action.sa_handler = SIG_DFL;
    (void)sigaction(SIGCHLD, &action, NULL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Becomes as clean as a spawned child, of the user and not of ours. */
static _Noreturn void be_child(const server *s, const demand *d)
{
    const int lifeline = s->lifeline >= 0 ? s->lifeline : brood_posix_lifeline_parent();
    const int channel = d->fds[0];
    const int keep[2] = {lifeline < channel ? lifeline : channel,
                         lifeline < channel ? channel : lifeline};
    int code;

    BROOD_FAULT_OFF_HERE();
    sodium_memzero(s->key, BROOD_POSIX_SERVER_KEY);
    brood_posix_close_but(keep, 2);
    brood_posix_open_missing_streams();
    brood_posix_lifeline_forget(false);
    brood_posix_child_serve(channel, lifeline, s->others, d->request.outlives != 0);
    set_signals(d);
    code = s->run();
    brood_posix_flush_streams();
    _exit(code);
}

static pid_t fork_child(const server *s, const demand *d)
{
    sigset_t all;
    sigset_t ours;
    pid_t pid;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &ours);
    pid = fork();
    if (pid == 0) {
        be_child(s, d);
    }
    (void)pthread_sigmask(SIG_SETMASK, &ours, NULL);
    return pid;
}

static ward *new_ward(demand *d)
{
    ward *one = calloc(1, sizeof *one);

    if (one == NULL) {
        return NULL;
    }
    one->channel = -1;
    one->outlives = d->request.outlives != 0;
    if (d->count == 2) {
        one->page = brood_posix_report_map(d->fds[1]);
        brood_posix_close(d->fds[1]);
        d->count = 1;
        if (one->page == NULL) {
            free(one);
            return NULL;
        }
    }
    return one;
}

static void add_ward(server *s, ward *one, pid_t pid, demand *d)
{
    one->pid = pid;
    one->next = s->wards;
    s->wards = one;
    s->bound += !one->outlives;
    if (one->page == NULL) {
        one->channel = d->fds[0];
        d->count = 0;
    }
}

/* A child without an answer is not started: it ends with the channel. */
static void make_child(server *s, demand *d)
{
    ward *one = new_ward(d);
    int pidfd = -1;
    pid_t pid;

    if (one == NULL) {
        answer(d, ENOMEM, 0, -1);
        return;
    }
    pid = fork_child(s, d);
    if (pid < 0) {
        answer(d, errno, 0, -1);
        brood_posix_report_close(one->page);
        free(one);
        return;
    }
    BROOD_STOP("forked");
    if (one->page != NULL) {
        pidfd = brood_posix_pidfd_open(pid); /* not reaped yet, so it is of no other */
        if (pidfd < 0) {
            answer(d, errno, 0, -1);
            (void)kill(pid, SIGKILL);
        } else {
            answer(d, 0, pid, pidfd);
            brood_posix_close(pidfd);
        }
    } else {
        answer(d, 0, pid, -1);
    }
    add_ward(s, one, pid, d);
}

/* In a new process, which has nothing of /proc at hand, it would take ten times as long. */
static void renew_lifeline(server *s)
{
    brood_posix_close(s->lifeline);
    s->lifeline = brood_posix_lifeline_open(brood_posix_lifeline_parent(), BROOD_POSIX_CHANNEL);
}

static int take_request(server *s)
{
    demand d;
    size_t got = 0;
    int rc = brood_posix_receive_fds(s->control, &d.request, sizeof d.request, MSG_WAITALL, &got,
                                     d.fds, &d.count);

    if (rc) {
        return rc;
    }
    if (got == 0) {
        s->closed = true;
        return 0;
    }
    rc = got == sizeof d.request
             ? check(s, &d)
             : brood_fail(BROOD_EAUTH, "the fork server got %zu bytes that are no request", got);
    if (rc == 0) {
        make_child(s, &d);
        renew_lifeline(s); /* while the child begins */
    }
    close_fds(&d);
    return rc;
}

/* ---- the loop ---- */

static void wake_up(int signum)
{
    (void)signum; /* only to interrupt pselect */
}

/* The terminal's signals are for our user, who may do with them what it likes. */
static void prepare_signals(sigset_t *waiting)
{
    struct sigaction action;
    sigset_t blocked;

    brood_posix_reset_signals();
    action.sa_flags = 0;
    (void)sigemptyset(&action.sa_mask);
    action.sa_handler = SIG_IGN;
    for (const int *signum = brood_posix_terminal_signals; *signum != 0; signum++) {
        (void)sigaction(*signum, &action, NULL);
    }
    action.sa_handler = wake_up;
    (void)sigaction(SIGCHLD, &action, NULL);
    (void)sigemptyset(&blocked);
    (void)sigaddset(&blocked, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &blocked, waiting);
}

static int loop(server *s)
{
    sigset_t waiting;
    int rc = 0;

    prepare_signals(&waiting);
    s->others = brood_posix_lifeline_others(); /* the preload functions have run */
    renew_lifeline(s);
    while (rc == 0 && (!s->closed || s->bound > 0)) {
        fd_set ready;
        int n;

        reap(s);
        if (s->closed && s->bound == 0) {
            break;
        }
        FD_ZERO(&ready);
        if (!s->closed) {
            FD_SET(s->control, &ready);
        }
        n = pselect(s->control + 1, &ready, NULL, NULL, NULL, &waiting);
        if (n > 0) {
            rc = take_request(s);
        } else if (n < 0 && errno != EINTR) {
            rc = brood_posix_error(errno, "wait for requests");
        }
    }
    return rc;
}

static int take_key(server *s)
{
    ssize_t n;

    s->key = sodium_init() >= 0 ? sodium_malloc(BROOD_POSIX_SERVER_KEY) : NULL;
    if (s->key == NULL) {
        return brood_fail_nomem("the key of a fork server");
    }
    do {
        n = recv(s->control, s->key, BROOD_POSIX_SERVER_KEY, MSG_WAITALL);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return brood_posix_error(errno, "receive the key of the fork server");
    }
    return n == BROOD_POSIX_SERVER_KEY
               ? 0
               : brood_fail(BROOD_EAUTH, "the key of the fork server is cut short");
}

int brood_os_serve(brood_os_handle control, int (*run)(void))
{
    server s;
    int rc;

    memset(&s, 0, sizeof s);
    s.control = (int)control;
    s.lifeline = -1;
    s.run = run;
    if (s.control < 0 || s.control >= FD_SETSIZE) {
        return brood_fail(BROOD_EINVAL, "the fork server has no descriptor %d", s.control);
    }
    rc = take_key(&s);
    if (rc == 0) {
        brood_posix_flush_streams(); /* or each child would print it once more */
        rc = loop(&s);
    }
    brood_posix_close(s.lifeline);
    sodium_free(s.key);
    return rc;
}

/* The child's side of a start. */
#include "posix.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool outlives; /* the parent, as the marker said */
static bool serves;   /* it is to be a fork server */
static bool served;   /* it is a copy of one */
static bool served_others;
static int channel_fd = BROOD_POSIX_CHANNEL;
static int lifeline_fd = BROOD_POSIX_LIFELINE;

static bool is_marker(const char *text)
{
    outlives = strcmp(text, BROOD_POSIX_MARKER_OUTLIVES) == 0;
    serves = strcmp(text, BROOD_POSIX_MARKER_SERVES) == 0;
    return outlives || serves || strcmp(text, BROOD_POSIX_MARKER) == 0;
}

bool brood_os_child_serves(void)
{
    return serves;
}

void brood_posix_child_serve(int channel, int lifeline, bool others, bool outlives_parent)
{
    serves = false;
    served = true;
    outlives = outlives_parent;
    channel_fd = channel;
    lifeline_fd = lifeline;
    served_others = others;
}

#if defined(__linux__)
/* Where /proc is not mounted: the kernel puts the strings of argv and then those of the environment
 * one behind the other. */
static bool marked_in_memory(void)
{
    const char *first = program_invocation_name;

    return first != NULL && is_marker(first + strlen(first) + 1);
}

/* With no argv the system is asked: the second of the zero-terminated strings. */
static bool marked_by_system(void)
{
    char text[4096];
    const int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t n = 0;
    const char *second;

    if (fd < 0) {
        return marked_in_memory();
    }
    n = read(fd, text, sizeof text - 1);
    brood_posix_close(fd);
    text[n > 0 ? n : 0] = '\0';
    second = text + strlen(text) + 1;
    return second < text + (n > 0 ? n : 0) && is_marker(second);
}
#elif defined(__APPLE__)
#include <crt_externs.h>
static bool marked_by_system(void)
{
    return *_NSGetArgc() > 1 && is_marker((*_NSGetArgv())[1]);
}
#else
static bool marked_by_system(void)
{
    return false;
}
#endif

bool brood_os_child_marked(int argc, char **argv)
{
    if (argc <= 0 || argv == NULL) {
        return marked_by_system();
    }
    return argc > 1 && argv[1] != NULL && is_marker(argv[1]);
}

/* A program with special rights (set-user-id, say) could be started with our marker by anybody who
 * has prepared descriptor 3. Only somebody with our own rights may tell us what to run. */
static int check_starter(int channel)
{
#if defined(SO_PEERCRED)
    struct ucred peer;
    socklen_t size = sizeof peer;

    if (getsockopt(channel, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) {
        return brood_posix_error(errno, "ask who is behind descriptor %d", channel);
    }
    if (peer.uid != geteuid()) {
        return brood_fail(BROOD_EAUTH, "started by user %ld, but this process is user %ld",
                          (long)peer.uid, (long)geteuid());
    }
#elif !defined(__sun)
    uid_t user;
    gid_t group;

    if (getpeereid(channel, &user, &group) < 0) {
        return brood_posix_error(errno, "ask who is behind descriptor %d", channel);
    }
    if (user != geteuid()) {
        return brood_fail(BROOD_EAUTH, "started by user %ld, but this process is user %ld",
                          (long)user, (long)geteuid());
    }
#endif
    return 0;
}

static int check_channel(void)
{
    int type = 0;
    socklen_t size = sizeof type;

    if (served) {
        return 0; /* it came with a signed request */
    }
    if (getsockopt(BROOD_POSIX_CHANNEL, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ||
        type != SOCK_STREAM) {
        return brood_fail(BROOD_EAUTH,
                          "%s is for programs that brood starts: descriptor %d is no channel",
                          BROOD_POSIX_MARKER, BROOD_POSIX_CHANNEL);
    }
    return check_starter(BROOD_POSIX_CHANNEL);
}

/* Binds this process's life to the parent's. One that is to outlive it must not wait for ever for
 * the message of a parent that has ended: the channel does not tell where a fork of the parent's
 * program has a copy. What was sent before that end is still there. */
static int bind_to_parent(void)
{
    struct pollfd ends[2] = {{channel_fd, POLLIN, 0}, {lifeline_fd, POLLIN, 0}};

    if (!outlives) {
        const int rc = brood_posix_lifeline_hold(lifeline_fd);
        /* What we say may not come before what the fork server says of us, and that comes before
         * the message. */
        while (served && poll(ends, 1, -1) < 0 && errno == EINTR) {
        }
        return rc;
    }
    brood_posix_lifeline_look(lifeline_fd);
    while (poll(ends, 2, -1) < 0 && errno == EINTR) {
    }
    return ends[0].revents == 0 && poll(ends, 1, 0) == 0
               ? brood_fail(BROOD_EPEER, "the parent ended before it had sent anything")
               : 0;
}

int brood_os_child_receive(brood_os_arrival *out)
{
    brood_posix_parcel parcel = {BROOD_POSIX_REPORT_CHANNEL, 0, -1, true};
    int bound;
    int rc = check_channel();

    if (rc) {
        return rc;
    }
    (void)fcntl(channel_fd, F_SETFD, FD_CLOEXEC);
    (void)fcntl(lifeline_fd, F_SETFD, FD_CLOEXEC);
    /* Before anything else: a fork of the parent's program may have a copy of the channel's other
     * end, so its closing is no sure sign of the parent's end. */
    bound = bind_to_parent();
    if (bound == BROOD_EPEER) {
        return bound;
    }
    rc = brood_posix_channel_receive(channel_fd, out, &parcel);
    brood_posix_report_bind(&parcel, channel_fd);
    if (bound == 0 && !outlives) {
        bound = brood_posix_lifeline_settle(served ? served_others : parcel.others);
    }
    return rc ? rc : bound;
}

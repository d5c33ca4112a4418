/* Shared between the files of the Unix port. */
#ifndef BROOD_SRC_POSIX_POSIX_H
#define BROOD_SRC_POSIX_POSIX_H

#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* pidfd, memfd, pipe2, dl_iterate_phdr */
#endif

#include <errno.h>
#include <signal.h>
#include <sys/types.h>

#include "config.h"

#include "../error.h"
#include "../fault.h"
#include "../platform.h"

/* The child's two inherited descriptors. */
#define BROOD_POSIX_CHANNEL 3
#define BROOD_POSIX_LIFELINE 4
#define BROOD_POSIX_FIRST_FREE 5

#define BROOD_POSIX_MARKER "--brood-child"
#define BROOD_POSIX_MARKER_OUTLIVES "--brood-child-outlives"
#define BROOD_POSIX_MARKER_SERVES "--brood-forkserver"

/// brood_posix_error translates an errno; the words (printf rules) say what was tried on what.
int brood_posix_error(int errnum, const char *format, ...) BROOD_PRINTF(2, 3);

/// brood_posix_move moves a descriptor to a number of at least `least`, close-on-exec, and returns
/// the new one, or -1 and errno; then the old one is closed too.
int brood_posix_move(int fd, int least);

/// brood_posix_close closes a descriptor, -1 allowed, and keeps errno.
void brood_posix_close(int fd);

/// brood_posix_creating holds off forks that run their handlers while it is true: for moments in
/// which a new descriptor would be inherited.
void brood_posix_creating(bool creating);

/// brood_posix_pair makes a close-on-exec stream socket pair, numbers at least 3.
int brood_posix_pair(int pair[2]);

/// brood_posix_pipe makes a close-on-exec pipe, numbers at least 3.
int brood_posix_pipe(int ends[2]);

/// brood_posix_left_ms returns the milliseconds until `deadline_ns`, rounded up, at most `most`.
int brood_posix_left_ms(int64_t deadline_ns, int most);

/* ---- held_signal.c ---- */

typedef struct brood_posix_held_signal {
    int signum;
    bool was_pending;
    sigset_t before;
} brood_posix_held_signal;

/// brood_posix_hold_signal keeps a signal that a call may cause away from this thread until
/// brood_posix_drop_signal, which forgets it if the call did cause it, and keeps errno.
void brood_posix_hold_signal(brood_posix_held_signal *held, int signum);
void brood_posix_drop_signal(const brood_posix_held_signal *held);

/* ---- file_limit.c ---- */

typedef struct brood_posix_file_limit {
    bool held;
    brood_posix_held_signal signal;
} brood_posix_file_limit;

/// brood_posix_file_limit_begin makes too large a file an error and nothing more, in this thread,
/// until brood_posix_file_limit_end, which keeps errno.
void brood_posix_file_limit_begin(brood_posix_file_limit *limit);
void brood_posix_file_limit_end(const brood_posix_file_limit *limit);

/* ---- memory.c ---- */

/// brood_posix_open_memory makes shared memory of 0 bytes that has no name, numbers at least 3.
/// `*reader` is a second descriptor that can only be read from, or -1 where seals do that.
int brood_posix_open_memory(int *fd, int *reader, bool read_only);

/// brood_posix_forget_memory removes what a process that has ended may have left while it made some.
void brood_posix_forget_memory(int64_t pid);

/* ---- reserve.c ---- */

/// brood_posix_reserve makes sure that the system has `size` bytes of a shared memory object from
/// `offset` on, which may become larger for it; it returns an errno. On failure a part may be there.
/// Without posix_fallocate only what becomes larger is reserved.
int brood_posix_reserve(int fd, size_t offset, size_t size);

/* ---- cpu.c ---- */

/// brood_posix_system_file reads a file of the system's (see brood_cgroup_files); Linux.
bool brood_posix_system_file(void *user, const char *path, brood_buffer *out);

/* ---- room.c ---- */

/// brood_posix_room returns how many bytes of memory the system would give us now, 0 if it does not
/// say.
uint64_t brood_posix_room(void);

/* ---- stream_file.c: streams over what is no socket ---- */

/// brood_posix_file_read and _write are brood_os_stream_read and _write.
int brood_posix_file_read(int fd, void *data, size_t size, size_t *got, int64_t deadline_ns);
int brood_posix_file_write(int fd, const brood_view pieces[2], size_t *sent, int64_t deadline_ns);

/* ---- lifeline.c: children die with their parent ---- */

/// brood_posix_lifeline returns the read end to hand to children, borrowed, made at first use.
int brood_posix_lifeline(int *read_end);

/// brood_posix_lifeline_open opens `fd` once more, for a child alone, as a number of at least
/// `least`; -1 where that cannot be done.
int brood_posix_lifeline_open(int fd, int least);

/// brood_posix_lifeline_others tells whether this process is anything but the system's root: then
/// one with the right to become another user may be spared the kernel's signal afterwards.
bool brood_posix_lifeline_others(void);

/// brood_posix_lifeline_bind ends this process when the writers of `read_end` are gone, at once if
/// they are gone already. It takes the descriptor over.
int brood_posix_lifeline_bind(int read_end);

/// brood_posix_lifeline_hold and _settle are the two halves of it for a process that may have been
/// given a description of its own: after the first it is bound as long as it stays the user that it
/// is. `others` is what brood_posix_lifeline_others told its parent.
int brood_posix_lifeline_hold(int read_end);
int brood_posix_lifeline_settle(bool others);

/// brood_posix_lifeline_look only keeps it, to see the end of the parent, which this process
/// outlives.
void brood_posix_lifeline_look(int read_end);

/// brood_posix_lifeline_parent returns what the child's side keeps of the parent's lifeline,
/// borrowed: it hangs up when the parent ends. -1 without a parent.
int brood_posix_lifeline_parent(void);

/// brood_posix_lifeline_cut tells whether the writers of a lifeline are gone.
bool brood_posix_lifeline_cut(int fd);

/// brood_posix_lifeline_before_fork and _after_fork go around every fork; in the child _leave stands
/// for _after_fork.
void brood_posix_lifeline_before_fork(void);
void brood_posix_lifeline_after_fork(void);
void brood_posix_lifeline_leave(void);

/// brood_posix_lifeline_keep says whether children that this thread forks keep the read end, to bind
/// to it; its number is the one that brood_posix_lifeline gave before.
void brood_posix_lifeline_keep(bool keep);

/// brood_posix_lifeline_forget lets a forked child go without its parent's parent, before it binds
/// to another; with `close_it` unset the descriptor is closed already.
void brood_posix_lifeline_forget(bool close_it);

/* ---- pidfd.c: process descriptors; errno ENOSYS where there are none ---- */

/// brood_posix_pidfd_works tells whether this kernel has them.
bool brood_posix_pidfd_works(void);

/// brood_posix_pidfd_open returns a descriptor of the process, or -1.
int brood_posix_pidfd_open(pid_t pid);

/// brood_posix_pidfd_ask is waitid.
int brood_posix_pidfd_ask(int pidfd, siginfo_t *info, int flags);

/// brood_posix_pidfd_status tells how a process ended that somebody else has reaped; not every
/// system can.
int brood_posix_pidfd_status(int pidfd, int *status);

/// brood_posix_pidfd_signal is kill; with 0 it finds out whether it is a process descriptor at all.
int brood_posix_pidfd_signal(int pidfd, int signum);

/* ---- foreign.c ---- */

/// brood_posix_born returns when the process of that number began, as the system counts; 0: not
/// known.
uint64_t brood_posix_born(int64_t pid);

/// brood_posix_runs tells whether the process of that number that began then (0: any) still runs; a
/// zombie does not, where the system says so.
bool brood_posix_runs(int64_t pid, uint64_t born);

/// brood_posix_foreign_wait waits for a foreign process that has no process descriptor.
int brood_posix_foreign_wait(const brood_os_process *process, int64_t deadline_ns);

/// brood_posix_foreign_signal sends a foreign process a signal; 0 also if it has ended.
int brood_posix_foreign_signal(const brood_os_process *process, int signum);

/* ---- fresh.c: what a new process starts with ---- */

/// brood_posix_default_signals lists the signals whose handlers a child has at their defaults.
void brood_posix_default_signals(sigset_t *out);

/// brood_posix_terminal_signals are those that a child leaves ignored where its parent does; 0 ends
/// them.
extern const int brood_posix_terminal_signals[];

/// brood_posix_reset_signals sets these handlers and unblocks all signals.
void brood_posix_reset_signals(void);

/// brood_posix_is_missing tells whether a standard stream is closed. One that exec would close may
/// also be another thread's new descriptor, not moved away yet.
bool brood_posix_is_missing(int fd);

/// brood_posix_open_missing_streams opens closed standard streams on /dev/null: the program would
/// take the next file it opens for them.
void brood_posix_open_missing_streams(void);

/// brood_posix_visit_open calls `visit` for the open descriptors from `first` to `last`, and perhaps
/// for numbers that are not open.
void brood_posix_visit_open(int first, int last, void (*visit)(int fd));

/// brood_posix_close_but closes all descriptors but the standard streams and `keep`, which has to be
/// in ascending order, without repetition, and above them.
void brood_posix_close_but(const int *keep, size_t count);

/* ---- module.c ---- */

/// brood_posix_stay keeps the library that this code is in loaded, should it be one.
int brood_posix_stay(void);

/* ---- child.c ---- */

/// brood_posix_child_serve makes a copy of the fork server a child: brood_os_child_receive reads
/// from `channel` then, and binds it to `lifeline`. `others` is what brood_posix_lifeline_others said.
void brood_posix_child_serve(int channel, int lifeline, bool others, bool outlives_parent);

/* ---- spawn.c: run our executable again ---- */

/// brood_posix_spawn starts the executable of `start`, or our own, with `channel` as descriptor 3,
/// `lifeline` opened anew (where that fails itself) as 4, and no others but the standard streams.
int brood_posix_spawn(pid_t *pid, const brood_os_start *start, int channel, int lifeline);

/* ---- process.c ---- */

/// brood_posix_undo_start ends a child that waits for us and that nobody else knows of.
void brood_posix_undo_start(pid_t pid);

/* ---- channel.c: what parent and child say to each other ---- */

/* How the child reports. */
#define BROOD_POSIX_REPORT_CHANNEL 0 /* over the channel, which both keep open */
#define BROOD_POSIX_REPORT_MEMORY 1  /* in shared memory that came along */

typedef struct brood_posix_parcel {
    uint32_t report;      /* BROOD_POSIX_REPORT_* */
    uint32_t secret_size; /* bytes that stay on the channel */
    int report_fd;        /* -1 without shared memory */
    bool others;          /* see brood_posix_lifeline_others */
} brood_posix_parcel;

/// brood_posix_channel_send sends `start` and `parcel`. A child that ended already is no error.
int brood_posix_channel_send(int channel, const brood_os_start *start,
                             const brood_posix_parcel *parcel);

/// brood_posix_channel_receive receives the record, the handles and the parcel.
int brood_posix_channel_receive(int channel, brood_os_arrival *out, brood_posix_parcel *parcel);

/// brood_posix_send_fds sends `size` bytes (1 or more) with up to BROOD_POSIX_FDS_MAX descriptors.
int brood_posix_send_fds(int channel, const void *data, size_t size, const int *fds, size_t count);

/// brood_posix_receive_fds receives up to `size` bytes and the descriptors that came with them.
/// `*got` 0 means that the other end is closed.
int brood_posix_receive_fds(int channel, void *data, size_t size, int flags, size_t *got, int *fds,
                            size_t *count);

#define BROOD_POSIX_FDS_MAX BROOD_OS_GROUP_MAX

/* ---- thread.c ---- */

/// brood_posix_threads returns how many threads of the library run in this process.
long brood_posix_threads(void);

/// brood_posix_threads_leave says in a forked child that none of them does.
void brood_posix_threads_leave(void);

/* ---- fork.c: copies of this process ---- */

/// brood_posix_copy is what a forked child of ours lives by.
typedef struct brood_posix_copy {
    int (*run)(brood_os_arrival *arrival, int rc, void *user); /* see brood_os_start */
    void *user;
    int *handles; /* malloc'ed; above the standard streams, none twice */
    size_t handle_count;
    int *keep; /* malloc'ed: all that stays open, in ascending order */
    size_t keep_count;
    int lifeline;              /* one of `keep`; the child takes it over */
    bool lifeline_is_own;      /* nobody else's: see brood_posix_lifeline_open */
    brood_posix_parcel parcel; /* how it reports; the descriptor is one of `keep` */
    int channel;               /* one of `keep`; -1 when it reports in memory */
    void *page;                /* the report's page, to wait on; NULL: does not wait */
    bool outlives;             /* only looks at the lifeline */
} brood_posix_copy;

/// brood_posix_copy_live is all that a forked child does: it becomes like new, binds its life to the
/// parent's, runs and ends. All signals were blocked before the fork.
_Noreturn void brood_posix_copy_live(brood_posix_copy *copy);

/// brood_posix_fork_start starts a copy of this process.
int brood_posix_fork_start(brood_os_process *out, const brood_os_start *start);

/// brood_posix_flush_streams writes what stands in the buffers of stdout and stderr.
void brood_posix_flush_streams(void);

/* ---- forkserver.c: the user's side of a fork server ---- */

/// brood_posix_server_start lets the server start a child.
int brood_posix_server_start(brood_os_process *out, const brood_os_start *start);

/// brood_posix_server_over tells whether the server has ended.
bool brood_posix_server_over(const brood_os_server *server);

/* ---- served.c: children of the fork server, which are not the system's children of ours ---- */

/// brood_posix_served_wait waits for one without a process descriptor.
int brood_posix_served_wait(const brood_os_process *process, int64_t deadline_ns);

/// brood_posix_served_collect learns how one ended.
void brood_posix_served_collect(brood_os_process *process, brood_os_status *out);

/// brood_posix_served_signal sends it a signal; 0 also if it has ended.
int brood_posix_served_signal(const brood_os_process *process, int signum);

/// brood_posix_served_open makes ready to read what comes over the channel, without a descriptor of
/// the process.
int brood_posix_served_open(brood_os_process *process);

/// brood_posix_served_report takes the report of one without a process descriptor.
int brood_posix_served_report(brood_os_process *process, brood_buffer *out);

/// brood_posix_served_close frees what belongs to it.
void brood_posix_served_close(brood_os_process *process);

/// brood_posix_set_status says what a status of wait means.
void brood_posix_set_status(brood_os_status *out, int status);

/* ---- report.c ---- */

/// brood_posix_report_create makes the shared memory for a child's report: `*page` is our view,
/// `*fd` for the child. BROOD_ENOTSUP where the system has no such memory.
int brood_posix_report_create(void **page, int *fd);

/// brood_posix_report_close ends the view.
void brood_posix_report_close(void *page);

/// brood_posix_report_tell lets a forked child go on that waits in brood_posix_report_await: the
/// parent has a descriptor of it. `fd` is the child's.
int brood_posix_report_tell(void *page, int fd);

/// brood_posix_report_await waits for that; false if the parent has ended, as `lifeline` tells (-1: it
/// need not be looked at).
bool brood_posix_report_await(void *page, int lifeline);

/// brood_posix_report_map maps the page of a report in the fork server, which is the one to tell how
/// the child ended, without a descriptor and not in copies of the server; NULL and errno.
void *brood_posix_report_map(int fd);

/// brood_posix_report_end tells the status of the child, as wait has it.
void brood_posix_report_end(void *page, int status);

/// brood_posix_report_ended waits until that was told, for `wait_ns` at most, and returns whether
/// it was.
bool brood_posix_report_ended(void *page, int *status, int64_t wait_ns);

/// brood_posix_report_touch makes sure that there is memory for the page; BROOD_ENOMEM.
int brood_posix_report_touch(int fd);

/// brood_posix_report_leave makes a forked child leave no report: that would be its parent's.
void brood_posix_report_leave(void);

/// brood_posix_report_bind tells the child's side where reports go and where the secret is; it
/// takes the descriptor over.
void brood_posix_report_bind(const brood_posix_parcel *parcel, int channel);

/* ---- report_channel.c: reports as messages ---- */

/// brood_posix_report_send sends a report over the channel.
int brood_posix_report_send(int channel, const brood_view pieces[2]);

/// brood_posix_report_end_over tells the status over the channel, behind the report.
void brood_posix_report_end_over(int channel, int status);

/// brood_posix_report_next reads the next message over the channel: the report into `*out`, or the
/// status. `*found` is 'r', 's', 0 at the end, or 'w' when it would wait.
int brood_posix_report_next(int channel, brood_buffer *out, int *status, char *found);

#endif

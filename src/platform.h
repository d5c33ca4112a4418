/* The seam: all that the portable part may ask of a system. src/posix and src/win32 answer.
 *
 * Rules for the whole file: pointers are never NULL and strings are UTF-8. A function that fails
 * returns a brood_error, has set the thread's failure, has undone its own work and left its outputs
 * alone. Time limits are absolute, on the clock of brood_os_now, INT64_MAX for none and 0 for "do
 * not wait"; a limit that passes is BROOD_ETIMEDOUT. Interrupted calls are taken up again here. No
 * handle is inherited unless a start lists it, and none gets a number that a standard stream has. */
#ifndef BROOD_SRC_PLATFORM_H
#define BROOD_SRC_PLATFORM_H

#include <brood/base.h>

#include "atomic.h"
#include "buffer.h"

/* ---- types that differ ---- */

#if defined(_WIN32)
#include "win32/types.h"
#else
#include "posix/types.h"
#endif

#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
#define BROOD_THREAD_LOCAL __declspec(thread)
typedef volatile long brood_atomic;
static inline long brood_atomic_load(const brood_atomic *word)
{
    return _InterlockedOr((volatile long *)word, 0);
}
static inline void brood_atomic_store(brood_atomic *word, long x)
{
    (void)_InterlockedExchange(word, x);
}
static inline long brood_atomic_add(brood_atomic *word, long x)
{
    return _InterlockedExchangeAdd(word, x) + x;
}
#else
#include <stdatomic.h>
#define BROOD_THREAD_LOCAL _Thread_local
typedef atomic_long brood_atomic;
/* All three are sequentially consistent; add returns the new value. */
static inline long brood_atomic_load(const brood_atomic *word)
{
    return atomic_load((brood_atomic *)word);
}
static inline void brood_atomic_store(brood_atomic *word, long x)
{
    atomic_store(word, x);
}
static inline long brood_atomic_add(brood_atomic *word, long x)
{
    return atomic_fetch_add(word, x) + x;
}
#endif

/* Each port's types.h also has brood_os_prefetch(const void *address): the address will soon be
 * written to. It may be any address. */

typedef brood_handle brood_os_handle;

/* ---- clock, threads ---- */

/// brood_os_now returns nanoseconds on a monotonic clock, never 0.
int64_t brood_os_now(void);

void brood_os_mutex_lock(brood_os_mutex *mutex);
void brood_os_mutex_unlock(brood_os_mutex *mutex);

/// brood_os_mutex_init and _fini are for mutexes that are not static.
void brood_os_mutex_init(brood_os_mutex *mutex);
void brood_os_mutex_fini(brood_os_mutex *mutex);

/// brood_os_thread_start runs `run` in a thread of its own, of which nobody hears again. It gets none
/// of the program's signals.
int brood_os_thread_start(void (*run)(void *argument), void *argument);

int brood_os_condition_init(brood_os_condition *condition);
void brood_os_condition_fini(brood_os_condition *condition);

/// brood_os_condition_wait gives up the mutex while it waits; it may wake for no reason.
int brood_os_condition_wait(brood_os_condition *condition, brood_os_mutex *mutex,
                            int64_t deadline_ns);
void brood_os_condition_wake_all(brood_os_condition *condition);

/* ---- this process ---- */

/// brood_os_pid returns this process's id.
int64_t brood_os_pid(void);

/// brood_os_fork_hooks are called around every fork of this process, whoever forks.
typedef struct brood_os_fork_hooks {
    void (*before)(void); /* in the parent; nothing that may fork is called until after */
    void (*after)(void);  /* in the parent, also if the fork failed */
    void (*child)(void);  /* in the child, instead of after */
} brood_os_fork_hooks;

/// brood_os_setup registers `hooks`, once; later calls do nothing. Systems that do not fork ignore
/// them.
int brood_os_setup(const brood_os_fork_hooks *hooks);

/// brood_os_thread_count returns how many threads this process has, without the library's own; 0
/// where the system does not say it cheaply.
long brood_os_thread_count(void);

/// brood_os_fork forks: `*pid` is 0 in the child, whose life is bound to the parent's, and the
/// child's number in the parent. Everything that is open stays open in both. BROOD_ENOTSUP where
/// processes do not fork.
int brood_os_fork(int64_t *pid);

/// brood_os_cpu_count returns how many processors this process may run on; 0 or less: not known.
int64_t brood_os_cpu_count(void);

/// brood_os_cpu_quota returns how many processors' time it may use (a control group's or a job's
/// limit), rounded up; 0: all.
int64_t brood_os_cpu_quota(void);

/// brood_os_at_exit has `handler` called at this process's exit, if code of this library can still
/// be called in an orderly way then.
void brood_os_at_exit(void (*handler)(void));

/// brood_os_executable_find sets `*out` (malloc'ed) to the absolute path of a program that can be
/// run.
int brood_os_executable_find(char **out, const char *path);

/// brood_os_write_error writes to standard error, as far as that goes.
void brood_os_write_error(const char *text, size_t size);

/// brood_os_error_is_terminal tells whether standard error is a terminal.
bool brood_os_error_is_terminal(void);

/// brood_os_ignore_interrupts makes this process deaf to Ctrl-C.
void brood_os_ignore_interrupts(void);

/// brood_os_file_create makes a file, or empties the one there is, to write to.
int brood_os_file_create(brood_os_handle *out, const char *path);

/// brood_os_file_write writes all of it.
int brood_os_file_write(brood_os_handle file, const void *data, size_t size);

/* ---- handles ---- */

/// brood_os_handle_check says BROOD_EINVAL for a handle that is not open.
int brood_os_handle_check(brood_os_handle handle);

int brood_os_handle_duplicate(brood_os_handle *out, brood_os_handle handle);

/// brood_os_handle_close closes one; BROOD_NO_HANDLE is allowed.
void brood_os_handle_close(brood_os_handle handle);

/* ---- shared memory ---- */

/// brood_os_section is shared memory without a name, with our view of it.
typedef struct brood_os_section {
    brood_os_handle handle;
    void *data; /* our view, NULL: none */
    size_t size;
} brood_os_section;

#define BROOD_OS_SECTION_NONE ((brood_os_section){BROOD_NO_HANDLE, NULL, 0})

/// brood_os_section_create makes `size` > 0 zero bytes with a writable view. Its memory is
/// reserved: a full system is BROOD_ENOMEM here, not a crash at the first write.
int brood_os_section_create(brood_os_section *out, size_t size);

/// brood_os_section_seal ends our view and, where the system can, makes the contents and the size
/// unchangeable for everybody.
int brood_os_section_seal(brood_os_section *section);

/// brood_os_section_close ends the view and closes the handle. A section that is
/// BROOD_OS_SECTION_NONE is allowed.
void brood_os_section_close(brood_os_section *section);

/// brood_os_section_read maps `size` > 0 bytes of another process's section read-only into `*out`,
/// whose release ends the view. A section that is smaller is BROOD_EINVAL, not a crash later. The
/// handle stays the caller's.
int brood_os_section_read(brood_buffer *out, brood_os_handle handle, size_t size);

/* ---- shared memory that several processes write to ---- */

/// brood_os_section_create_sparse makes `size` bytes with a writable view, of which the first
/// `reserved` can be used at once and the rest after brood_os_section_reserve. Nobody can make it
/// smaller, where the system can promise that.
int brood_os_section_create_sparse(brood_os_section *out, size_t size, size_t reserved);

/// brood_os_section_open makes a writable view of all of another process's section. On success it
/// owns the handle. BROOD_EINVAL for a handle that is none.
int brood_os_section_open(brood_os_section *out, brood_os_handle handle);

/// brood_os_section_reserve makes a part (whole pages) usable, for all who have the section; what
/// was not before is zero. A full system is BROOD_ENOMEM.
int brood_os_section_reserve(const brood_os_section *section, size_t offset, size_t size);

/// brood_os_section_discard gives the memory of a part (whole pages) back to the system, where it
/// takes it. It may be used only after it was reserved again; what is in it then is not known.
void brood_os_section_discard(const brood_os_section *section, size_t offset, size_t size);

/* ---- blocks: sections that the program uses, and that several processes write to ---- */

/// brood_os_block_create makes `size` > 0 zero bytes with a writable view, reserved as a section's.
/// Where the system can, nobody can make it smaller; with `read_only` the handle, and all copies of
/// it, can only be read from. `name` is NULL or letters, digits, '_', '-', '.': then
/// brood_os_block_open finds it, all at once. BROOD_EEXIST if the name is taken; BROOD_ENOMEM also
/// for what is larger than a limit of the system's.
int brood_os_block_create(brood_os_section *out, size_t size, const char *name, bool read_only);

/// brood_os_block_open opens what was created with this name. BROOD_ENOENT; BROOD_EACCES if it can
/// only be read and is to be written to.
int brood_os_block_open(brood_os_section *out, const char *name, bool read_only);

/// brood_os_block_unlink takes the name away; nothing where names end with the last handle.
/// BROOD_ENOENT.
int brood_os_block_unlink(const char *name);

/// brood_os_block_adopt makes a view of a handle that came from another process, which it owns then.
/// BROOD_EHANDLE for what is no block, has less than `size` bytes, or cannot be written to although
/// it is not `read_only`; and for one without a name (`named`) that its sender could make smaller.
int brood_os_block_adopt(brood_os_section *out, brood_os_handle handle, size_t size, bool read_only,
                         bool named);

/* ---- who has a segment of shared memory ---- */

/// brood_os_self_stamp returns what tells this process from all others of the system, later ones of
/// the same number too: its number in the upper half, when it began in the lower. Never 0.
uint64_t brood_os_self_stamp(void);

/// brood_os_stamp_runs tells whether the process still runs; one that has ended but was not waited
/// for does not.
bool brood_os_stamp_runs(uint64_t stamp);

/// brood_os_pid_space returns which space process numbers are from (a pid namespace); 0 where there
/// is only one.
uint64_t brood_os_pid_space(void);

/* ---- sleeping until a shared word changes ---- */

#define BROOD_OS_WITNESS_SIZE 56 /* bytes */

/// brood_os_peer is a process whose end may wake a sleeper early.
typedef struct brood_os_peer {
    uint64_t stamp;
    void *witness; /* its own, see brood_os_witness_begin */
} brood_os_peer;

/// brood_os_witness_begin makes `room` (BROOD_OS_WITNESS_SIZE shared bytes, zero at first, only ever
/// this process's) tell others of the end of this process, as well as this system can. Only a hint:
/// it may tell of the end of this thread. It tells whether this thread has to end it before the room
/// goes away or is another process's.
bool brood_os_witness_begin(void *room);

/// brood_os_witness_end is for when the process lives on and leaves; and for this thread's end.
void brood_os_witness_end(void *room);

/// brood_os_word_waits tells whether the system itself knows words to wait for. Else there are
/// bells.
bool brood_os_word_waits(void);

/// brood_os_word_wait sleeps as long as `*word` is `value` and nobody wakes it, until the deadline,
/// or until it seems that `peer` (NULL: none) has ended. It may end for no reason.
void brood_os_word_wait(brood_word *word, uint32_t value, const brood_os_peer *peer,
                        int64_t deadline_ns);

/// brood_os_word_wake wakes up to `count` sleepers of any process.
void brood_os_word_wake(brood_word *word, uint32_t count);

#define BROOD_OS_BELLS 64     /* of a segment */
#define BROOD_OS_BELL_SIZE 64 /* bytes of a segment for each */

/// brood_os_bells are this process's way to a segment's bells: a sleeper waits for one of its own.
typedef struct brood_os_bells brood_os_bells;

/// brood_os_bells_open opens them; `room` is theirs in the segment, and `id` is nobody else's.
/// `create`: they are new.
int brood_os_bells_open(brood_os_bells **out, void *room, const unsigned char id[16], bool create);
void brood_os_bells_close(brood_os_bells *bells);

/// brood_os_bell_wait sleeps until bell `index` is rung, which it then is not any more; otherwise as
/// brood_os_word_wait.
void brood_os_bell_wait(brood_os_bells *bells, uint32_t index, const brood_os_peer *peer,
                        int64_t deadline_ns);
void brood_os_bell_ring(brood_os_bells *bells, uint32_t index);

/// brood_os_relax is what a thread does between two looks at a word while it spins.
void brood_os_relax(void);

/// brood_os_yield lets another thread run.
void brood_os_yield(void);

/// brood_os_sleep sleeps until the deadline, or a little longer or shorter.
void brood_os_sleep(int64_t deadline_ns);

/// brood_os_thread_tag keeps a number other than 0 for this thread and calls `ended` with it when the
/// thread ends. Only with `locals` are the thread's own variables (BROOD_THREAD_LOCAL) still there
/// then.
int brood_os_thread_tag(uintptr_t tag, void (*ended)(uintptr_t tag, bool locals));

/* ---- starting a process: the parent's side ---- */

typedef enum brood_os_method {
    BROOD_OS_SPAWN, /* every system has it */
    BROOD_OS_FORK,
    BROOD_OS_FORKSERVER
} brood_os_method;

/// brood_os_method_supported tells whether brood_os_process_start can do it.
bool brood_os_method_supported(brood_os_method method);

#define BROOD_OS_RECORD_MAX 96   /* bytes of a start record */
#define BROOD_OS_BODY_MAX 4096   /* bytes of a body that goes along with the record */
#define BROOD_OS_SECRET_MAX 1024 /* bytes of a child's long-lived secret */

typedef struct brood_os_arrival brood_os_arrival;
typedef struct brood_os_server brood_os_server; /* see the fork server */

/// brood_os_start is what a child is given.
typedef struct brood_os_start {
    brood_os_method method;

    /* Fork: what the child does, once its life is bound to the parent's and nothing is open but the
     * standard streams and what was sent. `rc` says what went wrong before. It returns the exit
     * code. There is no record and no body: it has our memory. */
    int (*run)(brood_os_arrival *arrival, int rc, void *user);
    void *user;

    /* Else: */
    const char *executable;  /* what a spawned child runs; NULL: this program's file */
    const void *record;      /* secret; reaches the child over a channel only the two can read */
    size_t record_size;      /* 1 to BROOD_OS_RECORD_MAX */
    brood_view body;         /* up to BROOD_OS_BODY_MAX bytes, or none; then it is */
    brood_os_handle section; /* in this sealed section */
    brood_view secret; /* up to BROOD_OS_SECRET_MAX bytes; travels like the record, and stays out
                              * of the child's memory until brood_os_child_secret asks for it */
    bool outlive;      /* it does not end when this process ends */
    bool serves;       /* spawn: it is to call brood_os_serve */
    brood_os_server *server;        /* fork server: the one that makes the child */
    const brood_os_handle *handles; /* duplicated into the child, in this order */
    size_t handle_count;
} brood_os_start;

/// brood_os_process is a child of ours, or a foreign process: one that is not.
typedef struct brood_os_process {
    int64_t pid;
    brood_os_handle sentinel; /* see brood_process_sentinel */
    void *report;             /* the port's: where a child leaves its report; NULL: foreign */
    uint64_t born;            /* of a foreign process: see brood_os_identity */
    bool reaped;              /* it has ended and the system's record of it is gone */
    bool foreign;
    bool pidfd;              /* Unix: the sentinel is a process descriptor */
    bool asked;              /* Unix: to stop, over the channel */
    brood_os_server *server; /* a child of the fork server: a reference to that; else NULL */
    void *left;              /* the port's: a report that was read early */
} brood_os_process;

#define BROOD_OS_PROCESS_NONE \
    ((brood_os_process){0, BROOD_NO_HANDLE, NULL, 0, false, false, false, false, NULL, NULL})

/// brood_os_status is how a child ended.
typedef struct brood_os_status {
    bool known;          /* false: somebody else took the status away */
    int exitcode;        /* 0..255, or minus a signal */
    int64_t system_code; /* as the system gave it */
    bool killed_by_us;   /* it has the status of our own terminate or kill (Windows) */
} brood_os_status;

typedef enum brood_os_stop {
    BROOD_OS_INTERRUPT, /* Unix: SIGINT; elsewhere BROOD_ENOTSUP for one that is not our child */
    BROOD_OS_TERMINATE,
    BROOD_OS_KILL
} brood_os_stop;

/// brood_os_process_start starts a child and hands it `start`: this program's executable, or with
/// the method fork a copy of this process, with forkserver one of the server. It does not wait for
/// the child to run. The child ends when this process ends, however it ends, unless it is to outlive
/// it. BROOD_EPEER: the server has ended, and no child has begun.
int brood_os_process_start(brood_os_process *out, const brood_os_start *start);

/// brood_os_process_wait waits until it has ended. Several threads may wait.
int brood_os_process_wait(brood_os_process *process, int64_t deadline_ns);

/// brood_os_process_collect asks for the status of a process that has ended; it is called once.
void brood_os_process_collect(brood_os_process *process, brood_os_status *out);

/// brood_os_process_stop ends a process; 0 also if it has ended.
int brood_os_process_stop(brood_os_process *process, brood_os_stop how);

/// brood_os_process_ask makes brood_os_child_asked true in a child of ours that was not collected.
void brood_os_process_ask(brood_os_process *process);

/// brood_os_process_report copies what the child left with brood_os_child_report. Called after the
/// end; nothing left gives an empty buffer.
int brood_os_process_report(brood_os_process *process, brood_buffer *out);

/// brood_os_process_close gives back all that belongs to it here; the process itself is not touched.
void brood_os_process_close(brood_os_process *process);

/* ---- processes that are not our children: wait, collect, stop and close take them too ---- */

/// brood_os_identity tells a process from all others, from later ones of the same number too.
typedef struct brood_os_identity {
    int64_t pid;
    uint64_t born;          /* when it began, as the system counts; 0: not known */
    brood_os_handle handle; /* of the process itself; BROOD_NO_HANDLE: there is none */
} brood_os_identity;

#define BROOD_OS_ENDED UINT64_MAX /* as `born`: it has ended already */

/// brood_os_process_identify says who a process is. The handle is the caller's.
int brood_os_process_identify(brood_os_identity *out, const brood_os_process *process);

/// brood_os_self_identify says who we are. The handle is the caller's.
int brood_os_self_identify(brood_os_identity *out);

/// brood_os_process_adopt makes a foreign process of what another process told about it, and owns
/// the handle then. BROOD_EHANDLE for a handle that is not a process's.
int brood_os_process_adopt(brood_os_process *out, const brood_os_identity *identity);

/// brood_os_process_parent makes a foreign process of the one that started us, whose id is `pid`. It
/// is kept for good: what it is made of may belong to the port, so it is never closed.
void brood_os_process_parent(brood_os_process *out, int64_t pid);

/* ---- starting a process: the child's side ---- */

/// brood_os_arrival is what the parent sent. The handles are the child's own.
struct brood_os_arrival {
    unsigned char record[BROOD_OS_RECORD_MAX];
    size_t record_size;
    brood_buffer body;        /* or none; then it is */
    brood_os_handle section;  /* in this section */
    brood_os_handle *handles; /* malloc'ed */
    size_t handle_count;
};

/// brood_os_child_marked tells whether this process was started by brood_os_process_start. With
/// argc 0 the command line is asked from the system.
bool brood_os_child_marked(int argc, char **argv);

/// brood_os_child_serves tells whether it was started to serve; false in what it makes then.
bool brood_os_child_serves(void);

/// brood_os_child_receive waits for what the parent sends and binds this process's life to the
/// parent's. On failure the parent may already be able to read reports.
int brood_os_child_receive(brood_os_arrival *out);

/// brood_os_child_secret copies the secret that came with the start and sets `*size`, 0 if there was
/// none. It may be called again.
int brood_os_child_secret(unsigned char secret[BROOD_OS_SECRET_MAX], size_t *size);

/// brood_os_child_asked tells whether the parent asked this process to stop; false without a parent.
bool brood_os_child_asked(void);

/// brood_os_child_report leaves two pieces of bytes, one behind the other, for the parent: all or
/// nothing. It never waits for the parent. After a failure it may be tried again with less.
int brood_os_child_report(const brood_view pieces[2]);

/* ---- the fork server: a process of this program that makes copies of itself on request ----
 *
 * Its user makes both ends and starts, by spawn, a process that gets `control` and calls
 * brood_os_serve. Requests may be made before that runs. Only the user can make one: they are signed
 * with a key that only the two processes know. */

/// brood_os_server_new makes the user's side, with one reference, and `*control` for the server.
int brood_os_server_new(brood_os_server **out, brood_os_handle *control);

brood_os_server *brood_os_server_ref(brood_os_server *server);
void brood_os_server_free(brood_os_server *server);

/// brood_os_server_finish makes no more requests: the server ends when it has no children left but
/// those that outlive its user.
void brood_os_server_finish(brood_os_server *server);

/// brood_os_server_leave closes, in a forked child, what belongs to the parent; the object can only
/// be freed then. It may be called right after the fork.
void brood_os_server_leave(brood_os_server *server);

/// brood_os_serve serves until the user finishes or ends. In each copy it calls `run`, which begins
/// with brood_os_child_receive and returns the exit code.
int brood_os_serve(brood_os_handle control, int (*run)(void));

/* ---- waiting for several things at once ---- */

/// brood_os_waitable is one of the things to wait for.
typedef struct brood_os_waitable {
    brood_os_handle handle; /* borrowed; BROOD_NO_HANDLE is never waited for */
    bool hint;              /* a process whose handle tells of its end only roughly: ask it itself,
                               when the handle is ready and now and again */
    bool ready;             /* set by brood_os_wait, which never clears it */
} brood_os_waitable;

/// brood_os_waker ends a thread's brood_os_wait from another thread.
typedef struct brood_os_waker brood_os_waker;

/// brood_os_waker_mine sets `*out` to this thread's waker, which ends with the thread.
int brood_os_waker_mine(brood_os_waker **out);

/// brood_os_waker_drop ends this thread's waker before the thread's end. Nobody may raise it any more.
void brood_os_waker_drop(void);

/// brood_os_waker_raise ends the wait of the waker's thread, or the next one if it is not in one.
void brood_os_waker_raise(brood_os_waker *waker);

/// brood_os_wait waits until at least one of `count` things is ready and marks all that are, or
/// until this thread's `waker` is raised: then it may mark none. `waker` may be NULL if the limit
/// is 0. The same handle may stand there more than once.
/// Errors: BROOD_ETIMEDOUT; BROOD_EINVAL for a handle that is not open; BROOD_ENOMEM.
int brood_os_wait(brood_os_waitable *things, size_t count, brood_os_waker *waker,
                  int64_t deadline_ns);

/// brood_os_process_watch says what to watch for the end of a process. `out->ready` is left alone.
void brood_os_process_watch(const brood_os_process *process, brood_os_waitable *out);

/* ---- flags: up or down, for brood_os_wait, shared by all who have the handles ---- */

typedef struct brood_os_flag {
    brood_os_handle wait;  /* ready while the flag is up */
    brood_os_handle raise; /* BROOD_NO_HANDLE where one handle does both */
} brood_os_flag;

#define BROOD_OS_FLAG_NONE ((brood_os_flag){BROOD_NO_HANDLE, BROOD_NO_HANDLE})

/// brood_os_flag_create makes one that is down. Both handles have to travel with it.
int brood_os_flag_create(brood_os_flag *out);

/// brood_os_flag_raise and _lower put it up and down, which it may be already; they wait for nobody
/// and do not touch the thread's failure.
void brood_os_flag_raise(const brood_os_flag *flag);
void brood_os_flag_lower(const brood_os_flag *flag);

void brood_os_flag_close(brood_os_flag *flag);

/* ---- streams of bytes between two processes ---- */

/// brood_os_stream is one end. One thread reads and one writes at a time.
typedef struct brood_os_stream {
    brood_os_handle handle;
    brood_os_handle read_event;  /* Windows: the port's reader; else BROOD_NO_HANDLE */
    brood_os_handle write_event; /* Windows; else BROOD_NO_HANDLE */
    int kind;                    /* the port's: how it is read and written */
} brood_os_stream;

#define BROOD_OS_STREAM_NONE \
    ((brood_os_stream){BROOD_NO_HANDLE, BROOD_NO_HANDLE, BROOD_NO_HANDLE, 0})

/// brood_os_stream_pair makes two joined ends; without `duplex` bytes go from `second` to `first`
/// only.
int brood_os_stream_pair(brood_os_stream *first, brood_os_stream *second, bool duplex);

/// brood_os_stream_adopt makes an end of a handle that came from another process, or of a foreign
/// one; it owns the handle then.
int brood_os_stream_adopt(brood_os_stream *out, brood_os_handle handle);

/// brood_os_stream_check tells whether a foreign handle can be an end that is read from, or written
/// to, and changes nothing. BROOD_EINVAL says in words why it cannot; BROOD_ENOTSUP if it could
/// elsewhere.
int brood_os_stream_check(brood_os_handle handle, bool readable, bool writable);

/// brood_os_stream_settle makes a foreign handle behave as one of ours: it is not inherited, and
/// small messages leave at once.
void brood_os_stream_settle(brood_os_handle handle);

/// brood_os_stream_read reads 1 to `size` bytes, as many as are there, and sets `*got`. BROOD_EEND
/// at the end of the stream. However late the limit is, it waits 100 ms at most and then gives up
/// with BROOD_ETIMEDOUT, or sooner after brood_os_stream_interrupt: the caller looks whether the end
/// was closed meanwhile, and comes again.
int brood_os_stream_read(brood_os_stream *stream, void *data, size_t size, size_t *got,
                         int64_t deadline_ns);

/// brood_os_stream_read_on is brood_os_stream_read that goes on with up to `room` bytes into `ahead`
/// behind `size` whole ones, as far as the system does that in one call. `*got` counts both.
int brood_os_stream_read_on(brood_os_stream *stream, void *data, size_t size, void *ahead,
                            size_t room, size_t *got, int64_t deadline_ns);

/// brood_os_stream_unread returns what was taken from the system and waits here for the next read,
/// nothing on most. Borrowed until then; whoever gives the stream away has to hand it on.
brood_view brood_os_stream_unread(const brood_os_stream *stream);

/// brood_os_stream_write writes 1 or more bytes from two pieces, in order, and sets `*sent`.
/// BROOD_EPEER when nobody can read them any more. It waits as the read does. With a failure `*sent`
/// may be more than 0 where it is not known whether a part has left.
int brood_os_stream_write(brood_os_stream *stream, const brood_view pieces[2], size_t *sent,
                          int64_t deadline_ns);

/// brood_os_stream_interrupt lets a read and a write that wait in other threads give up, as far as
/// that goes without a cost for all of them; and all later ones, since it is to be closed.
void brood_os_stream_interrupt(brood_os_stream *stream);

void brood_os_stream_close(brood_os_stream *stream);

/// brood_os_stream_arm sets up what brood_os_wait is to watch so as to tell when a read would find
/// something; `out->ready` if it would now, as far as that costs no system call. It belongs to the
/// stream, stays set up for any number of waits, and no read runs at the same time.
int brood_os_stream_arm(brood_os_stream *stream, brood_os_waitable *out);

/// brood_os_stream_confirm tells whether a read would find something now that what was armed is
/// ready; it may only seem so for reasons of the system's. Then arm it again.
bool brood_os_stream_confirm(brood_os_stream *stream);
/* ---- handles that travel over a stream ----
 *
 * A sender makes an offer and announces it with the offer's filler. Then it writes the handles in
 * groups of up to BROOD_OS_GROUP_MAX, each with at least a byte: on Unix they ride along with that
 * byte, on Windows there is one group and nothing rides. What did not ride is fetched with the
 * ticket, the first BROOD_OS_TICKET_SIZE bytes of the filler. No reader may read further ahead than
 * BROOD_OS_READ_AHEAD from the beginning of an announcement: bytes that were read as plain ones have
 * lost the handles on them, and on Unix the filler is that long. */

#define BROOD_OS_READ_AHEAD ((size_t)8 * 1024)
#define BROOD_OS_TICKET_ROOM 32 /* of any port's ticket */

/// brood_os_offer is handles on their way.
typedef struct brood_os_offer {
    const brood_os_handle *handles; /* the caller's; open until they are written */
    size_t count;
    brood_view filler;
    unsigned char ticket[BROOD_OS_TICKET_ROOM];
} brood_os_offer;

/// brood_os_handles_offer fills in `*offer`, which does not move.
int brood_os_handles_offer(brood_os_offer *offer, brood_os_stream *stream,
                           const brood_os_handle *handles, size_t count);

/// brood_os_handles_withdraw ends an offer that will not be announced, or not be followed.
void brood_os_handles_withdraw(brood_os_offer *offer);

typedef struct brood_os_group {
    const brood_os_handle *handles;
    size_t count; /* 1 to BROOD_OS_GROUP_MAX */
} brood_os_group;

/// brood_os_stream_write_group is brood_os_stream_write with a group on the first byte.
int brood_os_stream_write_group(brood_os_stream *stream, const brood_view pieces[2],
                                const brood_os_group *group, size_t *sent, int64_t deadline_ns);

/// brood_os_stream_read_group reads one byte and up to `count` handles on it, and sets `*got` to
/// how many there were. It waits as the read does.
int brood_os_stream_read_group(brood_os_stream *stream, unsigned char *byte,
                               brood_os_handle *handles, size_t count, size_t *got,
                               int64_t deadline_ns);

/// brood_os_handles_fetch gets handles that did not ride along: all or none. BROOD_EHANDLE if they
/// are lost, BROOD_EPEER if the sender ended.
int brood_os_handles_fetch(brood_os_handle *handles, size_t count,
                           const unsigned char ticket[BROOD_OS_TICKET_ROOM]);

/// brood_os_handles_linger waits at the process's end until handles that this process keeps for
/// their receivers were fetched, `most_ns` at most. Nothing on Unix, where they are the system's by
/// then. No deadline, since most processes keep none and then need not know the time.
void brood_os_handles_linger(int64_t most_ns);

/* ---- modules: the program and its shared libraries ---- */

#define BROOD_OS_IDENTITY_MAX 64

/// brood_os_module is a loaded program or library. It says nothing any more once that is unloaded.
typedef struct brood_os_module {
    const unsigned char *base; /* where offsets count from */
    size_t size;               /* bytes from there that belong to it */
    bool is_main;              /* the program itself */
    /* What the linker left: ELF build-id, PE CodeView id, Mach-O UUID; size 0: nothing. */
    unsigned char identity[BROOD_OS_IDENTITY_MAX];
    size_t identity_size;
} brood_os_module;

/// brood_os_visit is shown bytes, piece by piece.
typedef void (*brood_os_visit)(void *user, const void *data, size_t size);

/// brood_os_module_main finds the program.
int brood_os_module_main(brood_os_module *out);

/// brood_os_module_of finds the module that has `address` in one of its segments; BROOD_EMODULE if
/// none does.
int brood_os_module_of(brood_os_module *out, const void *address);

/// brood_os_module_list sets `*out` (malloc'ed) to all that are loaded.
int brood_os_module_list(brood_os_module **out, size_t *count);

/// brood_os_module_changes returns a number that changes whenever a module is loaded or unloaded:
/// until then what was learned of modules is true.
uint64_t brood_os_module_changes(void);

/// brood_os_module_executable tells whether `offset` lies in code of the module.
bool brood_os_module_executable(const brood_os_module *module, uint64_t offset);

/// brood_os_module_code shows the bytes that make up the module's code, the same in every process
/// that runs the same file. BROOD_EMODULE, in words, for code that is not the same everywhere.
int brood_os_module_code(const brood_os_module *module, brood_os_visit visit, void *user);

/// brood_os_module_path sets `*out` (malloc'ed) to the absolute path of the module's file.
/// BROOD_EMODULE, in words, if it has none that can be opened.
int brood_os_module_path(char **out, const brood_os_module *module);

/// brood_os_image is a library's file that is not loaded yet.
typedef struct brood_os_image {
    unsigned char identity[BROOD_OS_IDENTITY_MAX]; /* as of a module */
    size_t identity_size;
    brood_os_handle file;
    void *map; /* the port's */
} brood_os_image;

/// brood_os_image_open reads who the file at the absolute `path` is, without running any of it.
int brood_os_image_open(brood_os_image *out, const char *path);

/// brood_os_image_code shows what brood_os_module_code will show when it is loaded.
int brood_os_image_code(const brood_os_image *image, brood_os_visit visit, void *user);

/// brood_os_image_load loads it from `path` for the rest of this process's life; what it needs must
/// be where the system looks for it.
int brood_os_image_load(const brood_os_image *image, const char *path);

void brood_os_image_close(brood_os_image *image);

#endif

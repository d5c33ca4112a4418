/* Processes that run a function.
 *
 * A process object stands for a child of this process, for this process itself
 * (brood_current_process), or for another one: the parent (brood_parent_process), or one that was
 * sent here. What only the parent of a process can know is refused for the others. */
#ifndef BROOD_PROCESS_H
#define BROOD_PROCESS_H

#include <brood/call.h>
#include <brood/context.h>

BROOD_BEGIN_C

/// brood_process_options: zero means the default. Set `size` with BROOD_OPTIONS or
/// BROOD_OPTIONS_INIT.
typedef struct brood_process_options {
    size_t size;
    const char *name;             /* UTF-8, at most 255 bytes; NULL: Process-1 and so on, see
                                   * brood_process_name */
    const brood_context *context; /* how it is started; NULL: by the default start method */
    int daemon; /* 1: ended when this process exits, and has no children of its own; -1: not;
                          * 0: as this process is */
    brood_view authkey;  /* at most 1,024 bytes; empty: this process's, see brood_set_authkey */
    bool outlive_parent; /* lives on when this process ends, and is not waited for at exit */
    bool kill_tree;      /* not in this version: BROOD_ENOTSUP */
    int64_t deadline_ms; /* killed so long after its start; 0: never */
} brood_process_options;

/// brood_process_start starts a process of this program that runs `target` with `args` (NULL:
/// none), and does not wait for it.
///
/// The child has the standard streams and what `args` carries, and no other handle; signals are at
/// their defaults and not blocked. Values of every kind may be in `args`: native handles,
/// connections and processes too. Connections and handles wrapped in BROOD_GIVE are closed here on
/// success. The child ends when this process ends, even if it is killed, unless `outlive_parent` is
/// set. On success `*out` is the process; drop it with brood_process_free. On failure `*out` is
/// NULL, no process is left and nothing was given away.
///
/// Fork: with that start method the child has this process's memory, but one thread, and nobody
/// finishes what other threads were doing: a lock they hold stays held. Connections and processes
/// of this process that were not sent are refused there in words. The child leaves without the exit
/// handlers of this process, unless `target` calls exit; and stdout and stderr are flushed before.
///
/// With the start method forkserver the child is a copy of the fork server (see context.h), leaves
/// as a forked one does, and start waits until there is a server that serves: until its preload
/// functions have returned, the first time. The child is not a child of this process for the system
/// (getppid, waitpid), only for brood.
///
/// A deadline is kept by this process, by a thread of the library, whoever waits or not: a child
/// that runs for so long is killed, and brood_process_failure says so in words (exit code -9,
/// BROOD_EWORKER).
///
/// Errors: BROOD_ENOTINIT without brood_init at the top of main; BROOD_EINVAL, also in a daemonic
/// process; BROOD_ENOTSUP; BROOD_ETYPE for an argument that cannot travel; BROOD_EMODULE for
/// what is no function of the program or of a library; BROOD_ENOMEM; BROOD_ESYSTEM, BROOD_EACCES or
/// BROOD_ENOENT from the system; what a preload function returned; BROOD_EWORKER, BROOD_EPEER for a
/// fork server that was killed before it had begun or again and again. On Windows BROOD_EACCES for
/// `outlive_parent` in a job object that lets none leave.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_process_start(brood_process **out, brood_function target,
                                       const brood_args *args,
                                       const brood_process_options *options);

/// brood_process_join waits for the end, however it ended; may be called again.
///
/// Errors: BROOD_ETIMEDOUT, BROOD_EINVAL; BROOD_EDEADLK for this process itself.
/// Threads: safe from any thread.
BROOD_API int brood_process_join(brood_process *process, int64_t timeout_ms);

/// brood_process_is_alive tells whether it still runs.
///
/// Threads: safe from any thread.
BROOD_API bool brood_process_is_alive(brood_process *process);

/// brood_process_exitcode sets `*exitcode` to 0..255, or to minus the signal that ended it. On
/// Windows crash statuses count as the signal they resemble (access violation and stack overflow
/// -11, illegal instruction -4, division by zero -8, fail-fast -6, Ctrl-C -2), our terminate is -15
/// and our kill -9. 255 with words in brood_process_failure where the status could not be learned:
/// on Unix that of a process which is not our child never can.
///
/// Errors: BROOD_ERUNNING before the end.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_process_exitcode(brood_process *process, int *exitcode);

/// brood_process_failure says why it failed, or NULL while it runs and when it did not fail.
/// Borrowed from the process.
///
/// Threads: safe from any thread.
BROOD_API const brood_failure *brood_process_failure(brood_process *process);

/// brood_process_result waits for the end and sets `*out` to a message with what the target gave to
/// brood_return (none, if it gave nothing). Every call makes a new message. On failure `*out` is
/// NULL and brood_last_error has the child's words.
///
/// Errors: BROOD_ETASK when the target returned a code of its own (failure->code) or called exit
/// with one; its brood_error when it returned one; BROOD_EWORKER when it was killed or crashed;
/// BROOD_ETIMEDOUT; BROOD_ENOMEM; BROOD_EINVAL for a process that is not our child.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_process_result(brood_process *process, brood_message **out,
                                        int64_t timeout_ms);

/// brood_process_pid returns the process id.
///
/// Threads: safe from any thread.
BROOD_API int64_t brood_process_pid(const brood_process *process);

/// brood_process_name returns the name, borrowed. The default is "Process-N" for the N-th child
/// that this process made, and "Process-1:2" for the second child of the first.
///
/// Threads: safe from any thread.
BROOD_API const char *brood_process_name(const brood_process *process);

/// brood_process_daemon tells whether it is ended when its parent exits. Only known of a child, and
/// of this process; false for others.
///
/// Threads: safe from any thread.
BROOD_API bool brood_process_daemon(const brood_process *process);

/// brood_process_sentinel returns a handle that becomes readable (Unix) or signalled (Windows) when
/// the process ends, for poll, epoll or WaitForMultipleObjects. Borrowed: it lives as long as the
/// object. Do not read from it. On Unix systems without a process descriptor it may become readable
/// a moment before the end: ask brood_process_is_alive. BROOD_NO_HANDLE for this process itself,
/// and on such systems for one that was sent here.
///
/// Threads: safe from any thread.
BROOD_API brood_handle brood_process_sentinel(const brood_process *process);

/// brood_process_terminate asks it to end: SIGTERM, on Windows TerminateProcess. Its own children
/// end with it. 0 also if it ended already.
///
/// Errors: BROOD_ESYSTEM, BROOD_EACCES; BROOD_EINVAL for this process itself.
/// Threads: safe from any thread.
BROOD_API int brood_process_terminate(brood_process *process);

/// brood_process_kill ends it at once: SIGKILL, on Windows TerminateProcess. 0 also if it ended
/// already.
///
/// Errors: BROOD_ESYSTEM, BROOD_EACCES; BROOD_EINVAL for this process itself.
/// Threads: safe from any thread.
BROOD_API int brood_process_kill(brood_process *process);

/// brood_process_interrupt asks a child to stop: brood_call_cancelled becomes true in it, and on
/// Unix it gets SIGINT, which ends it (exit code -2) unless the program handles or ignores that
/// signal. On Windows that is all, so only a function that asks brood_call_cancelled stops. 0 also
/// if it has ended already.
///
/// A process that is not our child only gets the signal, on Unix.
///
/// Errors: BROOD_ESYSTEM, BROOD_EACCES; BROOD_EINVAL for this process itself; BROOD_ENOTSUP on
/// Windows for a process that is not our child.
/// Threads: safe from any thread.
BROOD_API int brood_process_interrupt(brood_process *process);

/// brood_stop is a way to stop a process.
typedef enum brood_stop {
    BROOD_STOP_ASK = 1,   /* brood_call_cancelled becomes true in it, nothing else */
    BROOD_STOP_TERMINATE, /* as brood_process_terminate */
    BROOD_STOP_KILL       /* as brood_process_kill */
} brood_stop;

/// brood_stop_step is one way, and how long to wait for the end then.
typedef struct brood_stop_step {
    brood_stop action;
    int64_t wait_ms; /* or BROOD_FOREVER */
} brood_stop_step;

/// brood_process_stop stops a process in steps: does each one's action and waits for the end, until
/// it comes. NULL and 0 stand for: ask and wait a second, terminate and wait a second, kill and
/// wait.
///
/// Errors: BROOD_ETIMEDOUT if it still runs after the last step; BROOD_EINVAL, also for asking a
/// process that is not our child; BROOD_ESYSTEM, BROOD_EACCES.
/// Threads: safe from any thread.
BROOD_API int brood_process_stop(brood_process *process, const brood_stop_step *steps,
                                 size_t count);

/// brood_process_ref adds an owner and returns `process`. NULL gives NULL.
///
/// Threads: safe from any thread.
BROOD_API brood_process *brood_process_ref(brood_process *process);

/// brood_process_free drops an owner. It lets go of the object, not of the process: a child that
/// still runs at exit is waited for, or ended if it is daemonic. NULL is allowed.
///
/// Threads: safe from any thread; the caller's reference may not be used afterwards.
BROOD_API void brood_process_free(brood_process *process);

/// brood_current_process returns this process, borrowed: its name ("MainProcess" in the first one),
/// its pid, and that it is alive.
///
/// Threads: safe from any thread.
BROOD_API brood_process *brood_current_process(void);

/// brood_parent_process returns the process that started this one, borrowed, or NULL in the first
/// one. It can be joined: the sentinel, brood_process_join and brood_process_is_alive tell of its
/// end. On Unix a parent that runs another program in its place (exec) may count as ended.
///
/// Threads: safe from any thread.
BROOD_API brood_process *brood_parent_process(void);

/// brood_active_children makes an array of the children of this process that still run, oldest
/// first, with a reference to each; release it with brood_processes_free. Those that have ended are
/// reaped on the way. Without children `*out` is NULL.
///
/// Errors: BROOD_EINVAL, BROOD_ENOMEM.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_active_children(brood_process ***out, size_t *count);

/// brood_processes_free drops the references in an array of processes, and the array. NULL is
/// allowed.
///
/// Threads: safe from any thread.
BROOD_API void brood_processes_free(brood_process **processes, size_t count);

/// brood_set_authkey sets the key that listeners and clients of this process, and of the children
/// that it starts from now on, prove to know. Without it the first process has 32 random bytes, and
/// a child has its parent's. It is copied into memory that is neither swapped nor dumped, as far as
/// the system allows.
///
/// Errors: BROOD_EINVAL for 0 or more than 1,024 bytes; BROOD_ENOMEM.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_set_authkey(const void *key, size_t size);

/// brood_cpu_count returns how many processors this process may use, at least 1: those it may run
/// on (affinity), and no more than the time that its control groups (Linux, versions 1 and 2,
/// nested ones too) or its job (Windows, the innermost) allow, rounded up.
///
/// Threads: safe from any thread.
BROOD_API int brood_cpu_count(void);

/// brood_fork copies this process, as the system's fork does: it returns 0 in the child, which goes
/// on from here, and the child's pid in the parent. Everything that is open stays open in both, and
/// connections may be used in both; a message that another thread was just receiving or sending is
/// lost to the child. Processes stay the parent's. stdout and stderr are flushed before.
///
/// The child has the parent's name, and the parent as brood_parent_process. It ends when the parent
/// ends, but is not one of its brood_active_children and not waited for at exit: that is the
/// program's matter (waitpid). A plain fork is safe, too; its child is not bound to the parent, and
/// has no parent process.
///
/// Errors: BROOD_ENOTSUP on Windows; BROOD_ENOTINIT; BROOD_ESYSTEM, BROOD_ENOMEM.
/// Threads: safe from any thread; the child has only the one that called.
BROOD_MAY_FAIL int64_t brood_fork(void);

BROOD_END_C

#endif

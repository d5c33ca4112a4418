/* Start methods and contexts. Objects do not depend on them: a connection goes to any process,
 * however that was started. Only what starts processes takes one. */
#ifndef BROOD_CONTEXT_H
#define BROOD_CONTEXT_H

#include <brood/base.h>

BROOD_BEGIN_C

/* The start methods. Spawn runs the program's file again: it is on every system, safe with threads,
 * and costs the same from a large process as from a small one. Fork copies this process: the child
 * has its memory, but only one thread. The fork server is a small process of its own that forks on
 * request: nearly as fast as fork, safe with threads, and its time does not grow with our memory.
 *
 * The fork server is this program's file, run once more, with one thread. It begins with the first
 * start by it and is this process's alone: a child that starts processes by it has its own. What it
 * was born with its children have, whatever changed here since: the environment, the current folder,
 * the standard streams. They end with this process all the same, not with the server. If that is
 * killed its children live on, and the next start begins another; how they end is then told by what
 * they report themselves, else, where the system does not know either, it is exit code 255 with the
 * words "status unknown". */
#define BROOD_SPAWN "spawn"
#define BROOD_FORK "fork"
#define BROOD_FORKSERVER "forkserver"

/// brood_context is a way to start processes: `.context` of brood_process_options. Contexts are
/// constant and live for ever.
typedef struct brood_context brood_context;

/// brood_get_context finds the context of a start method; NULL gives that of the default as it is
/// now.
///
/// Errors: BROOD_EINVAL for an unknown method; BROOD_ENOTSUP for one that this system does not have
/// (Windows has spawn only).
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_get_context(const brood_context **out, const char *method);

/// brood_context_method returns the context's start method; NULL gives the default's.
///
/// Threads: safe from any thread.
BROOD_API const char *brood_context_method(const brood_context *context);

/// brood_set_start_method chooses the default, once per program: the second time it fails unless
/// `force` is set. NULL with `force` goes back to spawn as if none had been chosen. Children have
/// their parent's default, and count it as chosen.
///
/// Errors: BROOD_EEXIST when it was chosen before; BROOD_EINVAL, BROOD_ENOTSUP as brood_get_context.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_set_start_method(const char *method, bool force);

/// brood_get_start_method returns the default: spawn on every system unless another was chosen.
/// Asking, or starting a process, does not count as choosing.
///
/// Threads: safe from any thread.
BROOD_API const char *brood_get_start_method(void);

/// brood_get_all_start_methods lists what this system has, the system's default first, NULL last.
///
/// Threads: safe from any thread.
BROOD_API const char *const *brood_get_all_start_methods(void);

/// brood_set_forkserver_preload chooses what the fork server does before it serves: it runs
/// `functions` in their order, once, each with a call without arguments. What they leave in memory
/// (tables, caches, a loaded model) all children have from their first moment, without a copy.
/// `functions` is copied; 0 functions are none. A fork server that runs is not used any more: its
/// children live on, and it ends with the last of them.
///
/// A function that returns an error makes the start fail that began the server, with its code
/// (BROOD_ETASK for one of its own) and its words; so does one that leaves a thread behind
/// (BROOD_EINVAL), for a fork has only the thread that forks. Descriptors that they open and
/// handlers of signals that they set are not in the children. What they print is flushed before the
/// first fork. Children do not have this list: each process has its own.
///
/// Errors: BROOD_EINVAL for NULL; BROOD_ENOTSUP where there is no fork server (Windows);
/// BROOD_ENOMEM.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_set_forkserver_preload(const brood_function *functions, size_t count);

/// brood_set_executable chooses the program that spawned children, and the fork server, run instead
/// of this one's own file: for code in a host whose main is not ours, such as a plug-in of an interpreter. It makes
/// starts work without brood_init. NULL goes back to this program's own file.
///
/// The program has to call brood_init first thing in its main and has to use the very build of brood
/// that this code uses. `brood-child`, which comes with the shared library, does nothing else.
/// What runs there are functions of shared libraries, which it loads from their files: they have to
/// load without the host. A function of the host program itself cannot run there (BROOD_EMODULE).
/// `path` is UTF-8 on Windows; a relative one counts from the current folder as it is now.
///
/// At the host's exit its children are waited for, as with brood_init. On Windows they end with it
/// instead, unless this library is part of the program's own file: a DLL is told of the exit when
/// all threads have ended already, and what a child waits for may never come.
///
/// Errors: BROOD_ENOENT, BROOD_EACCES; BROOD_EINVAL for what is no file; BROOD_ENOMEM.
/// Threads: safe from any thread; a start that another thread has begun may still use the old one.
BROOD_MAY_FAIL int brood_set_executable(const char *path);

BROOD_END_C

#endif

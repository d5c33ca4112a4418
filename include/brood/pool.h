/* Pools: worker processes that run many tasks.
 *
 * A task is one call of a function in one of the workers. Each ends in exactly one way: with a result;
 * with a code of its own, or a brood_error; lost, with the process that ran it (BROOD_EWORKER, with its
 * pid and how it ended); expired (BROOD_EEXPIRED); or cancelled (BROOD_ECANCELLED). A worker that is
 * killed, crashes or calls exit takes only the task along that it was running. Another worker takes its
 * place, and runs that task once more if `retries` allows it.
 *
 * Arguments and results are values. Functions may be among them; handles and objects (connections,
 * locks, ...) may not: the initializer's arguments carry them to the workers.
 *
 * Differences from CPython's multiprocessing: what a worker holds is known, so that nothing hangs
 * when it dies; imap reads its inputs only as far ahead as `window` says; a pool whose workers fail to
 * begin gives up in words; workers may have children, and pools, of their own. */
#ifndef BROOD_POOL_H
#define BROOD_POOL_H

#include <brood/call.h>
#include <brood/context.h>

BROOD_BEGIN_C

/// brood_pool_options: zero means the default. Set `size` with BROOD_OPTIONS or BROOD_OPTIONS_INIT.
typedef struct brood_pool_options {
    size_t size;
    int workers;                  /* up to 4,096; 0: brood_cpu_count() */
    brood_function initializer;   /* runs first in each worker; NULL: none */
    const brood_args *initargs;   /* its arguments, copied; NULL: none */
    int max_tasks_per_child;      /* a worker is replaced after so many tasks; 0: never */
    const brood_context *context; /* how workers are started; NULL: by the default start method */
    const char *trace; /* a file for Chrome trace events (Perfetto reads it); NULL: what BROOD_TRACE
                        * names in the environment of the first process, or none */
    size_t capacity; /* bytes of shared memory for arguments and results of more than 8 KiB that are
                        * under way at once; backed only as far as they are; 0: 1 GiB, on 32-bit
                        * systems 64 MiB */
} brood_pool_options;

/// brood_task_callback gets a result: the value of a task, or the list of a map. It is borrowed until
/// the callback returns.
///
/// All callbacks run on a thread of the pool, one at a time. They should be short, and may call
/// any function of the pool but those that would wait for it: these are BROOD_EDEADLK.
typedef void (*brood_task_callback)(void *user, brood_value result);

/// brood_task_error_callback gets what went wrong, borrowed until it returns.
typedef void (*brood_task_error_callback)(void *user, const brood_failure *failure);

/// brood_progress tells how many of the tasks are over, however they ended. `total` is 0 as long as it
/// is not known. It comes once with `done` 0, then now and again, and last with `done` equal to
/// `total`, before the result is ready.
typedef void (*brood_progress)(void *user, uint64_t done, uint64_t total);

/// brood_task_options: zero means the default.
typedef struct brood_task_options {
    size_t size;
    brood_task_callback callback;
    brood_task_error_callback error_callback;
    brood_progress on_progress;
    void *user;         /* for the callbacks */
    int64_t timeout_ms; /* how long each task may run, from when it begins; 0: no limit */
    int retries;        /* how often a task is run again after the loss of its worker */
    size_t chunksize;   /* how many inputs a worker is given at a time; 0: for map their number
                         * divided by four times the workers, rounded up; for imap 1 */
    size_t window;      /* imap: how many inputs may be read ahead of what brood_results_next has
                         * returned; 0: 32 chunks for each worker, at least 64 */
} brood_task_options;

/// brood_inputs_array is `count` values, borrowed for the call.
static inline brood_inputs brood_inputs_array(const brood_value *items, size_t count)
{
    brood_inputs inputs;
    memset(&inputs, 0, sizeof inputs);
    inputs.items = items;
    inputs.count = count;
    return inputs;
}

/// brood_inputs_bytes is `count` inputs of `stride` bytes each, borrowed for the call.
static inline brood_inputs brood_inputs_bytes(const void *bytes, size_t stride, size_t count)
{
    brood_inputs inputs;
    memset(&inputs, 0, sizeof inputs);
    inputs.bytes = bytes;
    inputs.stride = stride;
    inputs.count = count;
    return inputs;
}

/// brood_inputs_next is what `next` gives, called with `user`: by map before it returns; by imap first
/// in the call and then in brood_results_next and brood_pool_join, or, where there are only callbacks,
/// on the pool's thread. Never by two threads at once.
static inline brood_inputs brood_inputs_next(int (*next)(void *user, brood_value *item), void *user)
{
    brood_inputs inputs;
    memset(&inputs, 0, sizeof inputs);
    inputs.next = next;
    inputs.user = user;
    return inputs;
}

/* ---- pools ---- */

/// brood_pool_new starts workers, named PoolWorker-N, and does not wait for them to begin.
///
/// Workers ignore Ctrl-C (SIGINT), so that this process decides; they end when it ends, even if it is
/// killed. At an exit without brood_pool_free they are ended, too. BROOD_GIVE means nothing for
/// `initargs`, of which the pool keeps copies for workers that come later: BROOD_EINVAL.
///
/// A worker whose initializer fails, or that dies before it is ready, is replaced, with growing pauses.
/// After three failed initializers, or 32 deaths, in a row the pool is broken: its tasks end with that
/// failure, and new ones are BROOD_EBROKEN.
///
/// On success `*out` owns the pool; release it with brood_pool_free. On failure `*out` is NULL, and no
/// process is left.
///
/// Errors: as brood_process_start; BROOD_EINVAL, also in a daemonic process; BROOD_ENOMEM;
/// BROOD_ESYSTEM, BROOD_EACCES or BROOD_ENOENT, also for the trace file.
/// Threads: safe from any thread.
/// Fork: a forked child has nothing of its parent's pools: BROOD_EINVAL.
BROOD_MAY_FAIL int brood_pool_new(brood_pool **out, const brood_pool_options *options);

/// brood_pool_close takes no more tasks; workers end when all that there are is done. NULL is allowed.
///
/// Threads: safe from any thread.
BROOD_API void brood_pool_close(brood_pool *pool);

/// brood_pool_terminate ends all workers at once (SIGTERM, and after half a second SIGKILL; on Windows
/// TerminateProcess) without waiting for that. Tasks that are not over are cancelled. NULL is allowed.
///
/// Threads: safe from any thread.
BROOD_API void brood_pool_terminate(brood_pool *pool);

/// brood_pool_join waits until a closed or terminated pool's workers have ended and all callbacks
/// were called. What imaps have not read yet is read then, without regard to their window: their
/// results wait for brood_results_next.
///
/// Errors: BROOD_ETIMEDOUT; BROOD_EINVAL before brood_pool_close or brood_pool_terminate;
/// BROOD_EDEADLK in a callback; BROOD_EBROKEN, with the words why, if it is broken.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_pool_join(brood_pool *pool, int64_t timeout_ms);

/// brood_pool_free terminates the pool, waits for that (in a callback it does not), and releases it.
/// Results that were returned remain, each until it is freed. NULL is allowed.
///
/// Threads: safe from any thread; nobody may use the pool afterwards.
BROOD_API void brood_pool_free(brood_pool *pool);

/// brood_pool_workers returns how many workers the pool has when it is complete.
///
/// Threads: safe from any thread.
BROOD_API int brood_pool_workers(const brood_pool *pool);

/* ---- one task ---- */

/// brood_pool_apply runs `function` with `args` (NULL: none) in a worker and waits for it. `*out` is a
/// message with what it gave to brood_return (none, if it gave nothing).
///
/// On failure `*out` is NULL and brood_last_error says more. When the time limit passes the task is
/// cancelled. `options` may be NULL.
///
/// Errors: BROOD_ETASK when it returned a code of its own: failure->code, ->pid of the worker, and its
/// words; its brood_error when it returned one; BROOD_EWORKER with ->pid, ->exitcode, ->system_code
/// when its process ended; BROOD_EEXPIRED when it ran for too long; BROOD_ECANCELLED;
/// BROOD_ETIMEDOUT; BROOD_ENOTSUP for an argument that cannot travel here; BROOD_ESHUTDOWN after
/// brood_pool_close or brood_pool_terminate; BROOD_EBROKEN; BROOD_ETOOBIG for arguments that do not
/// fit the pool's capacity; BROOD_EDEADLK in a callback; BROOD_EMODULE; BROOD_EINVAL; BROOD_ENOMEM.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_pool_apply(brood_pool *pool, brood_message **out, brood_function function,
                                    const brood_args *args, int64_t timeout_ms,
                                    const brood_task_options *options);

/// brood_pool_apply_async hands a task to the pool and returns at once. `out` may be NULL: then only
/// the callbacks tell. Else `*out` is its result; release it with brood_result_free.
///
/// Errors: as brood_pool_apply, but for what happens to the task.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_pool_apply_async(brood_pool *pool, brood_result **out,
                                          brood_function function, const brood_args *args,
                                          const brood_task_options *options);

/* ---- one function over many inputs ---- */

/// brood_pool_map runs `function` with each input as its only argument, and waits until all are over.
/// `*out` is a message with the list of the results, in order.
///
/// If tasks failed it is the failure of the first of them in the order of inputs; the others ran all
/// the same. When the time limit passes they are cancelled.
///
/// Errors: as brood_pool_apply; what `inputs->next` returned, and then nothing was run.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_pool_map(brood_pool *pool, brood_message **out, brood_function function,
                                  const brood_inputs *inputs, int64_t timeout_ms,
                                  const brood_task_options *options);

/// brood_pool_starmap does the same with inputs that are lists or tuples of arguments.
///
/// Errors: as brood_pool_map; BROOD_ETYPE for an input that is no list or tuple.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_pool_starmap(brood_pool *pool, brood_message **out,
                                      brood_function function, const brood_inputs *inputs,
                                      int64_t timeout_ms, const brood_task_options *options);

/// brood_pool_map_async is brood_pool_map without the waiting, as brood_pool_apply_async.
///
/// Errors: as brood_pool_map, but for what happens to the tasks.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_pool_map_async(brood_pool *pool, brood_result **out,
                                        brood_function function, const brood_inputs *inputs,
                                        const brood_task_options *options);

/// brood_pool_starmap_async is brood_pool_starmap without the waiting.
///
/// Errors: as brood_pool_starmap, but for what happens to the tasks.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_pool_starmap_async(brood_pool *pool, brood_result **out,
                                            brood_function function, const brood_inputs *inputs,
                                            const brood_task_options *options);

/// brood_pool_imap runs `function` with each input and gives the results one by one, in order, by
/// brood_results_next. Inputs are read only as far ahead as options->window says. `inputs` itself is
/// copied, but what it refers to has to stay until the last input was read: until brood_results_next
/// says BROOD_EEND or brood_results_free.
///
/// `out` may be NULL: then only the callbacks tell, once for each input.
///
/// Errors: as brood_pool_map_async.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_pool_imap(brood_pool *pool, brood_results **out, brood_function function,
                                   const brood_inputs *inputs, const brood_task_options *options);

/// brood_pool_imap_unordered does the same with results as they come.
///
/// Errors: as brood_pool_imap.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_pool_imap_unordered(brood_pool *pool, brood_results **out,
                                             brood_function function, const brood_inputs *inputs,
                                             const brood_task_options *options);

/* ---- the result of apply_async and map_async ---- */

/// brood_result_get waits until it is ready and sets `*out` to a message with it; may be called again.
///
/// Errors: as brood_pool_apply. A time limit that passes changes nothing.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_result_get(brood_result *result, brood_message **out, int64_t timeout_ms);

/// brood_result_wait waits until it is ready, however its tasks ended.
///
/// Errors: BROOD_ETIMEDOUT; BROOD_EDEADLK in a callback; BROOD_EINVAL.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_result_wait(brood_result *result, int64_t timeout_ms);

/// brood_result_ready tells whether all its tasks are over, and its callbacks were called.
///
/// Threads: safe from any thread.
BROOD_API bool brood_result_ready(const brood_result *result);

/// brood_result_successful tells whether it is ready and no task failed.
///
/// Threads: safe from any thread.
BROOD_API bool brood_result_successful(const brood_result *result);

/// brood_result_failure returns what went wrong, borrowed from the result; NULL if nothing did or it
/// is not ready.
///
/// Threads: safe from any thread.
BROOD_API const brood_failure *brood_result_failure(const brood_result *result);

/// brood_result_cancel makes BROOD_ECANCELLED of all its tasks that are not over. Those that wait are
/// not run. One that runs is asked to stop (brood_call_cancelled is true in it); if it still runs
/// after half a second, its worker is killed and replaced.
///
/// Errors: BROOD_EINVAL.
/// Threads: safe from any thread.
BROOD_API int brood_result_cancel(brood_result *result);

/// brood_result_free lets go of it; its tasks run on. NULL is allowed.
///
/// Threads: safe from any thread; nobody may use the result afterwards.
BROOD_API void brood_result_free(brood_result *result);

/* ---- the results of imap ---- */

/// brood_results_next waits for the next result. `*index` (may be NULL) is the position of its input,
/// also on failure. After a failed task the next call goes on with the others.
///
/// Errors: BROOD_EEND when all came; what happened to this task, as brood_pool_apply; what
/// `inputs->next` returned, once, and then BROOD_EEND; BROOD_ETIMEDOUT, `*index` is left alone;
/// BROOD_EDEADLK in a callback; BROOD_EINVAL.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_results_next(brood_results *results, brood_message **out, size_t *index,
                                      int64_t timeout_ms);

/// brood_results_cancel is brood_result_cancel for what has not come yet; no more inputs are read.
///
/// Errors: BROOD_EINVAL.
/// Threads: safe from any thread.
BROOD_API int brood_results_cancel(brood_results *results);

/// brood_results_free cancels what has not come yet and releases it all. NULL is allowed.
///
/// Threads: safe from any thread; nobody may use the results afterwards.
BROOD_API void brood_results_free(brood_results *results);

/* ---- progress ---- */

/// brood_progress_bar is an on_progress that draws one line on standard error with the part that is
/// done, the rate and the time that is left, and removes it at the end. It is silent where standard
/// error is no terminal. `user` is a text in front of it, or NULL.
///
/// Threads: safe from any thread; bars that are drawn at the same time overwrite each other.
BROOD_API void brood_progress_bar(void *user, uint64_t done, uint64_t total);

BROOD_END_C

#endif

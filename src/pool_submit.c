/* apply, map, imap. */
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "fault.h"
#include "pool_object.h"
#include "pool_result.h"

#define LEAST_WINDOW 64u
#define WINDOW_CHUNKS 32u /* for each worker */

static int fail_no_out(const char *what)
{
    return brood_fail(BROOD_EINVAL, "there is no place for the %s: out is NULL", what);
}

static int enter(brood_job *job, brood_function function)
{
    brood_pool *pool = job->pool;
    int rc;

    brood_os_mutex_lock(&pool->mutex);
    rc = brood_job_enter(job, function);
    brood_os_mutex_unlock(&pool->mutex);
    return rc;
}

/* ---- apply ---- */

static int encode_call(brood_item *item, const brood_args *args)
{
    brood_value *named = NULL;
    size_t positional = 0;
    int rc = brood_args_split(args, &positional);

    if (rc == 0) {
        rc = brood_args_named(&named, args, positional);
    }
    if (rc == 0) {
        const brood_value parts[] = {
            brood_tuple(args != NULL ? args->items : NULL, positional),
            brood_dict(named, args != NULL ? args->count - positional : 0)};
        rc = brood_item_encode(item, NULL, brood_tuple(parts, 2));
    }
    free(named);
    return rc;
}

static int encode_positional(brood_item *item, const brood_args *args)
{
    return brood_item_encode(
        item, NULL, brood_tuple(args != NULL ? args->items : NULL, args != NULL ? args->count : 0));
}

static bool has_named(const brood_args *args)
{
    return args != NULL && args->count > 0 &&
           (args->items == NULL || (args->items[args->count - 1].flags & BROOD_VALUE_NAMED) != 0);
}

static int make_call(brood_job *job, const brood_args *args)
{
    const bool named = has_named(args);
    size_t positional;
    int rc = brood_args_split(args, &positional);

    if (rc) {
        return rc;
    }
    job->items = BROOD_ALLOC(calloc(1, sizeof *job->items));
    if (job->items == NULL) {
        return brood_fail_nomem("a task");
    }
    job->items->job = job;
    job->items->tries_left = job->options.retries;
    job->count = 1;
    job->flags = named ? BROOD_ENTRY_CALL : BROOD_ENTRY_STAR;
    return named ? encode_call(job->items, args) : encode_positional(job->items, args);
}

static int start_apply(brood_job **out, brood_pool *pool, brood_function function,
                       const brood_args *args, const brood_task_options *options)
{
    brood_job *job;
    int rc = brood_job_new(&job, pool, BROOD_JOB_APPLY, function, options);

    if (rc) {
        return rc;
    }
    rc = make_call(job, args);
    if (rc == 0) {
        rc = enter(job, function);
    }
    if (rc) {
        brood_job_unref(job);
        return rc;
    }
    *out = job;
    return 0;
}

int brood_pool_apply_async(brood_pool *pool, brood_result **out, brood_function function,
                           const brood_args *args, const brood_task_options *options)
{
    brood_job *job = NULL;
    int rc;

    if (out != NULL) {
        *out = NULL;
    }
    rc = start_apply(&job, pool, function, args, options);
    if (rc == 0 && out != NULL) {
        *out = brood_result_of(job);
    } else if (rc == 0) {
        brood_job_unref(job);
    }
    return rc;
}

/* Waits for a job and takes its result. One that is late is cancelled: nobody could ask for it. */
static int finish(brood_job *job, brood_message **out, int64_t timeout_ms)
{
    int rc = brood_job_finish(job, out, timeout_ms);

    if (rc && !brood_result_ready(brood_result_of(job))) {
        const brood_kept_failure *kept = brood_failure_keep(brood_last_error());
        (void)brood_result_cancel(brood_result_of(job));
        rc = brood_fail_as(&kept->failure);
        brood_failure_free((brood_kept_failure *)kept);
    }
    brood_job_unref(job);
    return rc;
}

static int may_wait(const brood_pool *pool, brood_message **out, int64_t timeout_ms)
{
    int64_t deadline_ns;
    int rc;

    if (out == NULL) {
        return fail_no_out("result");
    }
    *out = NULL;
    rc = brood_deadline(&deadline_ns, timeout_ms);
    if (rc == 0) {
        rc = brood_pool_check(pool);
    }
    if (rc == 0 && brood_pool_is_mine(pool)) {
        rc =
            brood_fail(BROOD_EDEADLK, "a callback would wait for its own pool: use the async form");
    }
    return rc;
}

int brood_pool_apply(brood_pool *pool, brood_message **out, brood_function function,
                     const brood_args *args, int64_t timeout_ms, const brood_task_options *options)
{
    brood_job *job = NULL;
    int rc = may_wait(pool, out, timeout_ms);

    if (rc == 0) {
        rc = start_apply(&job, pool, function, args, options);
    }
    return rc ? rc : finish(job, out, timeout_ms);
}

/* ---- map ---- */

static int start_map(brood_job **out, brood_pool *pool, brood_function function,
                     const brood_inputs *inputs, uint32_t flags, const brood_task_options *options)
{
    brood_job *job;
    int rc = brood_inputs_check(inputs);

    if (rc == 0) {
        rc = brood_job_new(&job, pool, BROOD_JOB_MAP, function, options);
    }
    if (rc) {
        return rc;
    }
    job->flags = flags;
    rc = brood_inputs_read(job, inputs);
    if (rc == 0) {
        rc = enter(job, function);
    }
    if (rc) {
        brood_job_unref(job);
        return rc;
    }
    *out = job;
    return 0;
}

static int map_async(brood_pool *pool, brood_result **out, brood_function function,
                     const brood_inputs *inputs, uint32_t flags, const brood_task_options *options)
{
    brood_job *job = NULL;
    int rc;

    if (out != NULL) {
        *out = NULL;
    }
    rc = start_map(&job, pool, function, inputs, flags, options);
    if (rc == 0 && out != NULL) {
        *out = brood_result_of(job);
    } else if (rc == 0) {
        brood_job_unref(job);
    }
    return rc;
}

static int map(brood_pool *pool, brood_message **out, brood_function function,
               const brood_inputs *inputs, uint32_t flags, int64_t timeout_ms,
               const brood_task_options *options)
{
    brood_job *job = NULL;
    int rc = may_wait(pool, out, timeout_ms);

    if (rc == 0) {
        rc = start_map(&job, pool, function, inputs, flags, options);
    }
    return rc ? rc : finish(job, out, timeout_ms);
}

int brood_pool_map(brood_pool *pool, brood_message **out, brood_function function,
                   const brood_inputs *inputs, int64_t timeout_ms,
                   const brood_task_options *options)
{
    return map(pool, out, function, inputs, 0, timeout_ms, options);
}

int brood_pool_starmap(brood_pool *pool, brood_message **out, brood_function function,
                       const brood_inputs *inputs, int64_t timeout_ms,
                       const brood_task_options *options)
{
    return map(pool, out, function, inputs, BROOD_ENTRY_STAR, timeout_ms, options);
}

int brood_pool_map_async(brood_pool *pool, brood_result **out, brood_function function,
                         const brood_inputs *inputs, const brood_task_options *options)
{
    return map_async(pool, out, function, inputs, 0, options);
}

int brood_pool_starmap_async(brood_pool *pool, brood_result **out, brood_function function,
                             const brood_inputs *inputs, const brood_task_options *options)
{
    return map_async(pool, out, function, inputs, BROOD_ENTRY_STAR, options);
}

/* ---- imap ---- */

static int check_imap(const brood_job *job, bool has_out)
{
    if (has_out && (job->options.callback != NULL || job->options.error_callback != NULL)) {
        return brood_fail(BROOD_EINVAL, "an imap has either results (out) or callbacks, not both");
    }
    return 0;
}

static void set_window(brood_job *job)
{
    const size_t usual = WINDOW_CHUNKS * job->chunksize * job->pool->count;

    job->window = job->options.window;
    if (job->window == 0) {
        job->window = usual < LEAST_WINDOW ? LEAST_WINDOW : usual;
    }
}

static int imap(brood_pool *pool, brood_results **out, brood_function function,
                const brood_inputs *inputs, bool ordered, const brood_task_options *options)
{
    brood_job *job = NULL;
    int rc;

    if (out != NULL) {
        *out = NULL;
    }
    rc = brood_inputs_check(inputs);
    if (rc == 0) {
        rc = brood_job_new(&job, pool, BROOD_JOB_IMAP, function, options);
    }
    if (rc) {
        return rc;
    }
    rc = check_imap(job, out != NULL);
    job->ordered = ordered;
    job->detached = out == NULL;
    job->inputs = *inputs;
    set_window(job);
    if (rc == 0) {
        rc = enter(job, function);
    }
    if (rc) {
        brood_job_unref(job);
        return rc;
    }
    if (out == NULL) { /* its callbacks read the inputs */
        brood_job_unref(job);
        return 0;
    }
    brood_os_mutex_lock(&pool->mutex);
    brood_inputs_refill(job, false, BROOD_DEADLINE_NEVER);
    brood_os_mutex_unlock(&pool->mutex);
    *out = brood_results_of(job);
    return 0;
}

int brood_pool_imap(brood_pool *pool, brood_results **out, brood_function function,
                    const brood_inputs *inputs, const brood_task_options *options)
{
    return imap(pool, out, function, inputs, true, options);
}

int brood_pool_imap_unordered(brood_pool *pool, brood_results **out, brood_function function,
                              const brood_inputs *inputs, const brood_task_options *options)
{
    return imap(pool, out, function, inputs, false, options);
}

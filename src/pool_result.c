#include "pool_result.h"

#include <stdlib.h>

#include "message.h"
#include "pool_wait.h"

static int check(const brood_job *job)
{
    return job != NULL ? brood_pool_check(job->pool)
                       : brood_fail(BROOD_EINVAL, "the result of a task is NULL");
}

static bool is_ready(const void *object)
{
    return ((const brood_job *)object)->ready;
}

/* With the mutex held. */
static int wait_until_ready(brood_job *job, int64_t deadline_ns)
{
    const int rc = brood_pool_wait_for(job->pool, is_ready, job, deadline_ns);

    if (rc == BROOD_EDEADLK) {
        return brood_fail(rc, "a callback would wait for its own pool");
    }
    return rc ? brood_fail(rc, "wait for %s: %zu of %zu tasks are over",
                           job->kind == BROOD_JOB_MAP ? "a map" : "a task", job->over, job->count)
              : 0;
}

/* ---- apply, map ---- */

int brood_result_wait(brood_result *result, int64_t timeout_ms)
{
    brood_job *job = brood_result_job(result);
    int64_t deadline_ns;
    int rc = check(job);

    if (rc == 0) {
        rc = brood_deadline(&deadline_ns, timeout_ms);
    }
    if (rc == 0) {
        brood_os_mutex_lock(&job->pool->mutex);
        rc = wait_until_ready(job, deadline_ns);
        brood_os_mutex_unlock(&job->pool->mutex);
    }
    return rc;
}

int brood_result_get(brood_result *result, brood_message **out, int64_t timeout_ms)
{
    brood_job *job = brood_result_job(result);
    int rc;

    if (out == NULL) {
        return brood_fail(BROOD_EINVAL, "there is no place for the result: out is NULL");
    }
    *out = NULL;
    rc = brood_result_wait(result, timeout_ms);
    if (rc) {
        return rc;
    }
    if (job->failure != NULL) { /* nobody changes it any more */
        return brood_fail_as(&job->failure->failure);
    }
    brood_os_mutex_lock(&job->pool->mutex);
    rc = brood_message_share(job->message);
    brood_os_mutex_unlock(&job->pool->mutex);
    *out = rc == 0 ? job->message : NULL;
    return rc;
}

int brood_job_finish(brood_job *job, brood_message **out, int64_t timeout_ms)
{
    int rc = brood_result_wait(brood_result_of(job), timeout_ms);

    if (rc == 0 && job->failure != NULL) {
        return brood_fail_as(&job->failure->failure);
    }
    if (rc == 0) {
        *out = job->message;
        job->message = NULL;
    }
    return rc;
}

bool brood_result_ready(const brood_result *result)
{
    const brood_job *job = brood_result_job(result);
    bool ready;

    if (job == NULL || job->pool->generation != brood_generation()) {
        return false;
    }
    brood_os_mutex_lock(&job->pool->mutex);
    ready = job->ready;
    brood_os_mutex_unlock(&job->pool->mutex);
    return ready;
}

bool brood_result_successful(const brood_result *result)
{
    return brood_result_ready(result) && brood_result_job(result)->failure == NULL;
}

const brood_failure *brood_result_failure(const brood_result *result)
{
    if (!brood_result_ready(result) || brood_result_job(result)->failure == NULL) {
        return NULL;
    }
    return &brood_result_job(result)->failure->failure;
}

static int cancel(brood_job *job)
{
    static const brood_failure why = {sizeof why, BROOD_ECANCELLED,        0, 0, 0,
                                      0,          "the task was cancelled"};
    const int rc = check(job);

    if (rc == 0) {
        brood_os_mutex_lock(&job->pool->mutex);
        brood_job_end(job, &why);
        brood_os_mutex_unlock(&job->pool->mutex);
    }
    return rc;
}

int brood_result_cancel(brood_result *result)
{
    return cancel(brood_result_job(result));
}

/* In a forked child nobody knows what the parent's threads were doing with it: it stays. */
static void let_go(brood_job *job)
{
    if (job != NULL && job->pool->generation == brood_generation()) {
        brood_job_unref(job);
    }
}

void brood_result_free(brood_result *result)
{
    let_go(brood_result_job(result));
}

/* ---- imap ---- */

/* Whether brood_results_next has something to say. */
static bool has_next(const void *object)
{
    const brood_job *job = object;

    return job->ready || (job->ordered ? job->live != NULL && job->live->state == BROOD_ITEM_OVER
                                       : job->arrived.first != NULL);
}

static int give(brood_item *item, brood_message **out, size_t *index)
{
    int rc = 0;

    if (index != NULL) {
        *index = item->index;
    }
    if (item->failure != NULL) {
        rc = brood_fail_as(&item->failure->failure);
    } else {
        *out = item->message;
        item->message = NULL;
    }
    brood_item_free(item);
    return rc;
}

/* All came: then what the inputs ended with, once. */
static int say_end(brood_job *job, size_t *index)
{
    brood_kept_failure *failure = job->input_failure;
    int rc;

    if (failure == NULL) {
        return brood_fail(BROOD_EEND, "all %zu results came", job->count);
    }
    job->input_failure = NULL;
    if (index != NULL) {
        *index = job->count;
    }
    rc = brood_fail_as(&failure->failure);
    brood_failure_free(failure);
    return rc;
}

static int next(brood_job *job, brood_message **out, size_t *index, int64_t deadline_ns)
{
    brood_item *item;
    int rc;

    brood_inputs_refill(job, false, deadline_ns);
    rc = brood_pool_wait_for(job->pool, has_next, job, deadline_ns);
    if (rc == BROOD_EDEADLK) {
        return brood_fail(rc, "a callback would wait for its own pool");
    }
    if (rc) {
        return brood_fail(rc, "wait for the next result: none came (%zu of %zu tasks are over)",
                          job->over, job->count);
    }
    item = brood_job_take(job);
    if (item == NULL) {
        return say_end(job, index);
    }
    rc = give(item, out, index);
    return rc;
}

int brood_results_next(brood_results *results, brood_message **out, size_t *index,
                       int64_t timeout_ms)
{
    brood_job *job = brood_results_job(results);
    int64_t deadline_ns;
    int rc;

    if (out == NULL) {
        return brood_fail(BROOD_EINVAL, "there is no place for the result: out is NULL");
    }
    *out = NULL;
    rc = check(job);
    if (rc == 0) {
        rc = brood_deadline(&deadline_ns, timeout_ms);
    }
    if (rc == 0) {
        brood_os_mutex_lock(&job->pool->mutex);
        rc = next(job, out, index, deadline_ns);
        brood_os_mutex_unlock(&job->pool->mutex);
    }
    return rc;
}

int brood_results_cancel(brood_results *results)
{
    return cancel(brood_results_job(results));
}

void brood_results_free(brood_results *results)
{
    brood_job *job = brood_results_job(results);

    if (job != NULL && job->pool->generation == brood_generation()) {
        (void)cancel(job);
        brood_job_unref(job);
    }
}

/* ---- brood_wait ---- */

int brood_result_watch(brood_value object, brood_waiter *waiter, brood_os_waitable *out)
{
    brood_job *job = object.as.object;
    int rc = check(job);

    if (rc) {
        return rc;
    }
    if (brood_pool_is_mine(job->pool)) {
        return brood_fail(BROOD_EDEADLK, "a callback would wait for its own pool");
    }
    brood_os_mutex_lock(&job->pool->mutex);
    brood_waiter_enlist(&job->waiters, waiter);
    if (job->kind == BROOD_JOB_IMAP) {
        brood_inputs_refill(job, false, BROOD_DEADLINE_NEVER);
    }
    out->ready = job->kind == BROOD_JOB_IMAP ? has_next(job) : job->ready;
    brood_os_mutex_unlock(&job->pool->mutex);
    return 0;
}

void brood_result_unwatch(brood_value object, brood_waiter *waiter)
{
    brood_job *job = object.as.object;

    brood_os_mutex_lock(&job->pool->mutex);
    brood_waiter_dismiss(waiter);
    brood_os_mutex_unlock(&job->pool->mutex);
}

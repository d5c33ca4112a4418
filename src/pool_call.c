/* Calling the program back: on the supervisor's thread, without the mutex. */
#include <stdlib.h>

#include "pool_object.h"

void brood_job_call_later(brood_job *job)
{
    brood_pool *pool = job->pool;

    if (job->calling) {
        return;
    }
    job->calling = true;
    job->next_call = NULL;
    *pool->calls_end = job;
    pool->calls_end = &job->next_call;
    brood_pool_poke(pool);
}

/* ---- progress ---- */

static size_t total_of(const brood_job *job)
{
    return job->kind != BROOD_JOB_IMAP || job->inputs_end ? job->count : job->inputs.count;
}

static void tell_progress(brood_job *job, size_t done, size_t total)
{
    brood_pool *pool = job->pool;

    if (job->begun && job->told == done && job->told_total == total) {
        return;
    }
    job->begun = true;
    job->told = done;
    job->told_total = total;
    brood_os_mutex_unlock(&pool->mutex);
    job->options.on_progress(job->options.user, done, total);
    brood_os_mutex_lock(&pool->mutex);
}

static void call_progress(brood_job *job)
{
    if (job->options.on_progress == NULL) {
        return;
    }
    if (!job->begun) {
        tell_progress(job, 0, total_of(job));
    }
    tell_progress(job, job->over, total_of(job));
}

/* ---- results ---- */

static void hand_over(const brood_job *job, const brood_message *message,
                      const brood_kept_failure *failure)
{
    brood_pool *pool = job->pool;
    const brood_task_options *options = &job->options;

    brood_os_mutex_unlock(&pool->mutex);
    if (failure == NULL && options->callback != NULL) {
        options->callback(options->user, brood_message_value(message));
    } else if (failure != NULL && options->error_callback != NULL) {
        options->error_callback(options->user, &failure->failure);
    }
    brood_os_mutex_lock(&pool->mutex);
}

brood_item *brood_job_take(brood_job *job)
{
    brood_item *item = job->ordered ? job->live : job->arrived.first;

    if (item == NULL || item->state != BROOD_ITEM_OVER) {
        return NULL;
    }
    if (!job->ordered) {
        job->arrived.first = item->next;
    }
    if (item->later != NULL) {
        item->later->earlier = item->earlier;
    } else {
        job->latest = item->earlier;
    }
    if (item->earlier != NULL) {
        item->earlier->later = item->later;
    } else {
        job->live = item->later;
    }
    job->taken++;
    return item;
}

/* An imap of which only callbacks tell: they take what has come, and then inputs are read. */
static void call_detached(brood_job *job)
{
    brood_item *item;

    while ((item = brood_job_take(job)) != NULL) {
        hand_over(job, item->message, item->failure);
        brood_item_free(item);
    }
    if (!job->inputs_end) {
        brood_inputs_refill(job, false, BROOD_DEADLINE_NEVER);
    }
}

static void finish(brood_job *job)
{
    if (!job->detached) {
        if (job->kind != BROOD_JOB_IMAP) {
            hand_over(job, job->message, job->failure);
        }
    } else if (job->input_failure != NULL) {
        hand_over(job, NULL, job->input_failure);
    }
}

bool brood_pool_call(brood_pool *pool)
{
    brood_job *job = pool->calls;

    if (job == NULL) {
        return false;
    }
    pool->calls = job->next_call;
    if (pool->calls == NULL) {
        pool->calls_end = &pool->calls;
    }
    job->calling = false;
    if (job->detached) {
        call_detached(job);
    }
    call_progress(job);
    if (job->complete && !job->calling) { /* else it comes again */
        finish(job);
        brood_job_become_ready(job);
    }
    return true;
}

/* Jobs: what one call of the program asked for. */
#include <stdio.h>
#include <stdlib.h>

#include "codec.h"
#include "fault.h"
#include "message.h"
#include "options.h"
#include "pool_object.h"

#define NS_PER_MS ((int64_t)1000 * 1000)

/* For what cannot be kept because there is no memory. */
static brood_kept_failure no_memory = {
    {sizeof(brood_failure), BROOD_ENOMEM, 0, 0, 0, 0, "no memory to say what went wrong"}, ""};

brood_kept_failure *brood_failure_keep(const brood_failure *failure)
{
    brood_kept_failure *kept = BROOD_ALLOC(malloc(sizeof *kept));

    if (kept == NULL) {
        return &no_memory;
    }
    kept->failure = *failure;
    kept->failure.size = sizeof kept->failure;
    (void)snprintf(kept->words, sizeof kept->words, "%s", failure->message);
    kept->failure.message = kept->words;
    return kept;
}

void brood_failure_free(brood_kept_failure *kept)
{
    if (kept != &no_memory) {
        free(kept);
    }
}

/* ---- lists of items ---- */

static void append(brood_items *list, brood_item *item)
{
    item->next = NULL;
    if (list->first == NULL) {
        list->first = item;
    } else {
        list->last->next = item;
    }
    list->last = item;
}

void brood_job_add(brood_job *job, brood_item *item, bool first)
{
    job->wait_count++;
    if (first && job->waits.first != NULL) {
        item->next = job->waits.first;
        job->waits.first = item;
    } else {
        append(&job->waits, item);
    }
}

/* An imap's item is of its own. */
void brood_item_free(brood_item *item)
{
    brood_message_free(item->message);
    brood_failure_free(item->failure);
    if (item->job->kind == BROOD_JOB_IMAP) {
        free((void *)item->input.data);
        free(item);
    }
}

/* ---- new and free ---- */

static int check_options(brood_task_options *out, const brood_task_options *options)
{
    const int rc = brood_options_read(out, sizeof *out, options, "task");

    if (rc) {
        return rc;
    }
    if (out->timeout_ms < 0 || out->timeout_ms > INT64_MAX / NS_PER_MS / 2) {
        return brood_fail(BROOD_EINVAL, "a task's time limit of %lld ms",
                          (long long)out->timeout_ms);
    }
    return out->retries < 0 ? brood_fail(BROOD_EINVAL, "%d retries", out->retries) : 0;
}

int brood_job_new(brood_job **out, brood_pool *pool, brood_job_kind kind, brood_function function,
                  const brood_task_options *options)
{
    brood_job *job;
    int rc = brood_pool_check(pool);

    if (rc == 0 && function == NULL) {
        rc = brood_fail(BROOD_EINVAL, "the function of a task is NULL");
    }
    if (rc) {
        return rc;
    }
    job = BROOD_ALLOC(calloc(1, sizeof *job));
    if (job == NULL) {
        return brood_fail_nomem("a task");
    }
    rc = check_options(&job->options, options);
    if (rc) {
        free(job);
        return rc;
    }
    job->pool = pool;
    job->refs = 1;
    job->kind = kind;
    job->timeout_ns = job->options.timeout_ms * NS_PER_MS;
    job->chunksize = job->options.chunksize > 0 ? job->options.chunksize : 1;
    job->arena = BROOD_ARENA_NONE;
    job->values_arena = BROOD_ARENA_NONE;
    (void)brood_atomic_add(&pool->refs, 1);
    *out = job;
    return 0;
}

static void free_imap_items(const brood_job *job)
{
    brood_item *item = job->live;

    while (item != NULL) {
        brood_item *later = item->later;
        brood_item_free(item);
        item = later;
    }
}

static void free_job(brood_job *job)
{
    brood_pool *pool = job->pool;

    if (job->kind == BROOD_JOB_IMAP) {
        free_imap_items(job);
    }
    for (size_t i = 0; i < job->count && job->items != NULL; i++) {
        brood_item_free(&job->items[i]);
    }
    if (job->kind == BROOD_JOB_APPLY && job->items != NULL) {
        free((void *)job->items->input.data);
    }
    free(job->items);
    brood_arena_release(&job->arena);
    brood_arena_release(&job->values_arena);
    brood_failure_free(job->failure);
    brood_failure_free(job->input_failure);
    brood_message_free(job->message);
    free(job);
    brood_pool_unref(pool);
}

void brood_job_unref(brood_job *job)
{
    brood_pool *pool;
    bool last;

    if (job == NULL) {
        return;
    }
    pool = job->pool;
    brood_os_mutex_lock(&pool->mutex);
    last = --job->refs == 0;
    brood_os_mutex_unlock(&pool->mutex);
    if (last) {
        free_job(job);
    }
}

/* ---- into the pool ---- */

/* The number of a function; a new one is encoded. */
static int number_function(brood_pool *pool, brood_function function, uint32_t *number)
{
    const brood_value value = brood_function_value(function);
    brood_buffer reference = BROOD_BUFFER_NONE;
    const brood_room room = brood_room_of_buffer(&reference);
    brood_arena arena = BROOD_ARENA_NONE;
    const brood_saver saver = {NULL, brood_task_save, &arena};
    brood_pool_function *functions;
    int rc;

    for (uint32_t i = pool->function_count; i > 0; i--) {
        if (pool->functions[i - 1].function == function) {
            *number = i - 1;
            return 0;
        }
    }
    rc = brood_codec_encode(value, &saver, &room);
    brood_arena_release(&arena);
    if (rc) {
        brood_buffer_release(&reference);
        return rc;
    }
    functions =
        BROOD_ALLOC(realloc(pool->functions, (pool->function_count + 1) * sizeof *functions));
    if (functions == NULL) {
        brood_buffer_release(&reference);
        return brood_fail_nomem("a function of the pool");
    }
    pool->functions = functions;
    functions[pool->function_count] = (brood_pool_function){function, reference};
    *number = pool->function_count++;
    return 0;
}

void brood_job_queue(brood_job *job, bool first)
{
    brood_pool *pool = job->pool;

    if (job->queued) {
        return;
    }
    job->queued = true;
    if (first && pool->places != NULL) {
        job->next_place = pool->places;
        pool->places = job;
        return;
    }
    job->next_place = NULL;
    *pool->places_end = job;
    pool->places_end = &job->next_place;
}

static void list(brood_job *job)
{
    brood_pool *pool = job->pool;

    job->refs++;
    job->next = pool->jobs;
    job->link = &pool->jobs;
    if (pool->jobs != NULL) {
        pool->jobs->link = &job->next;
    }
    pool->jobs = job;
    pool->open++;
}

static int may_enter(const brood_pool *pool)
{
    if (pool->broken != NULL) {
        return brood_fail_of_process(BROOD_EBROKEN, pool->broken->failure.pid,
                                     "the pool is broken: %s", pool->broken->words);
    }
    if (pool->closed || pool->terminated) {
        return brood_fail(BROOD_ESHUTDOWN, "the pool was %s: it takes no more tasks",
                          pool->terminated ? "terminated" : "closed");
    }
    return 0;
}

int brood_job_enter(brood_job *job, brood_function function)
{
    brood_pool *pool = job->pool;
    int rc;

    rc = may_enter(pool);
    if (rc == 0) {
        rc = number_function(pool, function, &job->function);
    }
    if (rc) {
        return rc;
    }
    if (job->timeout_ns > 0 || pool->trace != NULL) {
        job->flags |= BROOD_ENTRY_TIMED;
    }
    if (job->timeout_ns > 0 &&
        (pool->least_timeout_ns == 0 || job->timeout_ns < pool->least_timeout_ns)) {
        pool->least_timeout_ns = job->timeout_ns;
    }
    list(job);
    if (job->options.on_progress != NULL || job->detached) {
        brood_job_call_later(job);
    }
    if (job->timeout_ns > 0) {
        brood_pool_poke(pool);
    }
    if (job->kind != BROOD_JOB_IMAP) {
        brood_job_settle(job); /* there may be nothing to do */
        if (!job->complete) {
            brood_job_queue(job, false);
            brood_pool_place(pool);
        }
    }
    return 0;
}

/* ---- the end ---- */

static void leave_queue(brood_job *job)
{
    brood_pool *pool = job->pool;
    brood_job **link = &pool->places;

    while (job->queued && *link != job) {
        link = &(*link)->next_place;
    }
    if (job->queued) {
        *link = job->next_place;
        job->queued = false;
        if (*link == NULL) {
            pool->places_end = link;
        }
    }
}

/* Its caller may still look at it: what nobody has any more is freed later. */
void brood_job_become_ready(brood_job *job)
{
    brood_pool *pool = job->pool;

    job->ready = true;
    leave_queue(job);
    *job->link = job->next;
    if (job->next != NULL) {
        job->next->link = job->link;
    }
    brood_waiters_wake(job->waiters);
    brood_pool_changed(pool);
    if (--job->refs == 0) {
        job->next = pool->dead;
        pool->dead = job;
    }
}

void brood_pool_reap(brood_pool *pool)
{
    while (pool->dead != NULL) {
        brood_job *job = pool->dead;
        pool->dead = job->next;
        free_job(job);
    }
}

/* The list of a map, from what its tasks gave. */
static void make_list(brood_job *job)
{
    if (job->failure == NULL &&
        brood_message_of_list(&job->message, &job->values_arena, job->values, job->count) != 0) {
        job->failure = brood_failure_keep(brood_last_error());
    }
}

static bool has_callbacks(const brood_job *job)
{
    return job->options.callback != NULL || job->options.error_callback != NULL ||
           job->options.on_progress != NULL || job->detached;
}

void brood_job_settle(brood_job *job)
{
    if (job->complete || job->over < job->count ||
        (job->kind == BROOD_JOB_IMAP && (!job->inputs_end || job->reading))) {
        return;
    }
    job->complete = true;
    job->pool->open--;
    if (job->pool->open == 0 && job->pool->closed) {
        brood_pool_poke(job->pool);
    }
    if (job->kind == BROOD_JOB_MAP) {
        make_list(job);
    }
    if (has_callbacks(job)) {
        brood_job_call_later(job);
    } else {
        brood_job_become_ready(job);
    }
}

static void keep_outcome(brood_item *item)
{
    brood_job *job = item->job;

    switch (job->kind) {
    case BROOD_JOB_APPLY:
        job->message = item->message;
        job->failure = item->failure;
        break;
    case BROOD_JOB_MAP:
        if (item->failure != NULL && (job->failure == NULL || item->index < job->failed_index)) {
            brood_failure_free(job->failure);
            job->failure = item->failure;
            job->failed_index = item->index;
        } else {
            brood_failure_free(item->failure);
        }
        break;
    default:
        if (!job->ordered) {
            append(&job->arrived, item);
        }
        brood_waiters_wake(job->waiters);
        brood_pool_changed(job->pool);
        return;
    }
    item->message = NULL;
    item->failure = NULL;
}

void brood_item_over(brood_item *item)
{
    brood_job *job = item->job;

    item->state = BROOD_ITEM_OVER;
    job->over++;
    keep_outcome(item);
    if (job->options.on_progress != NULL || job->detached) {
        brood_job_call_later(job);
    }
    brood_job_settle(job);
}

void brood_item_fail(brood_item *item)
{
    item->failure = brood_failure_keep(brood_last_error());
    brood_item_over(item);
}

/* ---- ending all of it ---- */

static void end_items(brood_job *job, brood_item *first, const brood_failure *why)
{
    brood_pool *pool = job->pool;
    const size_t count = job->count;

    for (size_t i = 0; i < count && first != NULL; i++) {
        brood_item *item = first;

        first = job->kind == BROOD_JOB_IMAP ? item->later : item + 1;
        if (item->state == BROOD_ITEM_OVER) {
            continue;
        }
        if (item->state == BROOD_ITEM_PLACED) {
            brood_pool_abandon(pool, item);
        }
        (void)brood_fail_as(why);
        brood_item_fail(item);
    }
}

void brood_job_end(brood_job *job, const brood_failure *why)
{
    brood_pool *pool = job->pool;
    const brood_failure failure = *why;
    brood_kept_failure *kept;

    if (job->complete) {
        return;
    }
    kept = brood_failure_keep(&failure);
    for (uint32_t i = 0; i < pool->count; i++) {
        (void)brood_pool_recall(pool, &pool->workers[i], BROOD_LANE_ALL);
    }
    job->waits.first = NULL;
    job->wait_count = 0;
    job->placed = job->count;
    job->inputs_end = true;
    end_items(job, job->kind == BROOD_JOB_IMAP ? job->live : job->items, &kept->failure);
    brood_job_settle(job);
    brood_failure_free(kept);
    brood_pool_place(pool);
}

void brood_pool_end_jobs(brood_pool *pool, const brood_failure *why)
{
    brood_job *job = pool->jobs;

    while (job != NULL) {
        brood_job *next = job->next;
        brood_job_end(job, why);
        job = next;
    }
}

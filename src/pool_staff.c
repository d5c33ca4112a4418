/* Workers come and go. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "pool_object.h"

#define NS_PER_MS ((int64_t)1000 * 1000)

#define FAILED_INITIALIZERS_MAX 3
#define FAILED_STARTS_MAX 32
#define PAUSE_MAX_NS (100 * NS_PER_MS)
#define TERMINATE_GRACE_NS (500 * NS_PER_MS)
#define LOOK_NS (20 * NS_PER_MS) /* where nobody tells of ends */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- start ---- */

static int describe(brood_pool *pool, const brood_worker *worker, brood_value args[8])
{
    const brood_segment *own = worker->side.segment;
    brood_os_handle first;
    brood_os_handle second;
    int rc = brood_segment_handle(&first, pool->segments[0]);

    if (rc == 0) {
        rc = brood_segment_handle(&second, own);
    }
    if (rc) {
        return rc;
    }
    args[0] = brood_bytes(pool->segments[0]->id, BROOD_SEGMENT_ID);
    args[1] = brood_handle_value(first);
    args[2] = brood_bytes(own->id, BROOD_SEGMENT_ID);
    args[3] = brood_handle_value(second);
    args[4] = brood_uint((uint64_t)((char *)worker->side.lane - (char *)own->data));
    args[5] = brood_uint(worker->number);
    args[6] = brood_function_value(pool->initializer);
    args[7] = brood_message_value(pool->initargs);
    return 0;
}

int brood_pool_start(brood_pool *pool, brood_worker *worker)
{
    const brood_work work = {"target", brood_function_value(brood_pool_work), "PoolWorker", true};
    brood_process_options options;
    brood_value items[8];
    const brood_args args = {items, 8};
    brood_process *process = NULL;
    int rc;

    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.context = pool->context;
    options.daemon = -1; /* it may have children */
    brood_os_mutex_lock(&pool->mutex);
    brood_lane_begin(&worker->side);
    brood_word_store(&worker->side.lane->low, pool->low ? worker->side.entries / 4 : 0);
    brood_os_mutex_unlock(&pool->mutex);
    rc = describe(pool, worker, items);
    if (rc == 0) {
        rc = brood_process_start_work(&process, &work, &args, &options);
    }
    if (rc) {
        return rc;
    }
    brood_os_mutex_lock(&pool->mutex);
    worker->died = false;
    worker->leaving = false;
    worker->broken = false;
    worker->settled = false;
    worker->started_ns = brood_os_now();
    worker->given = 0;
    worker->defined = 0;
    worker->kill_ns = 0;
    worker->units = 0;
    worker->pid = brood_process_pid(process);
    worker->process = process;
    brood_trace_worker(pool->trace, worker->pid, brood_process_name(process));
    if (pool->terminated || pool->broken != NULL) {
        (void)brood_process_kill(process);
    }
    if (pool->watcher != NULL) {
        brood_os_waker_raise(pool->watcher);
    }
    brood_os_mutex_unlock(&pool->mutex);
    return 0;
}

void brood_pool_kill(brood_pool *pool, bool hard)
{
    for (uint32_t i = 0; i < pool->count; i++) {
        brood_worker *worker = &pool->workers[i];
        if (worker->process != NULL && !worker->died) {
            (void)(hard ? brood_process_kill(worker->process)
                        : brood_process_terminate(worker->process));
        }
    }
}

/* ---- break ---- */

static void give_up(brood_pool *pool, const brood_failure *why)
{
    pool->broken = brood_failure_keep(why);
    brood_log(BROOD_LOG_ERROR, "a pool gives up: %s", pool->broken->failure.message);
    brood_pool_end_jobs(pool, &pool->broken->failure);
    brood_pool_kill(pool, true);
}

static void pause_starts(brood_pool *pool)
{
    const int times = pool->failed_starts < 7 ? pool->failed_starts : 7;
    const int64_t pause = NS_PER_MS << times;

    pool->start_ns = brood_os_now() + earlier(pause, PAUSE_MAX_NS);
}

static void count_failed_start(brood_pool *pool, bool initializer, const brood_failure *why)
{
    pool->failed_starts++;
    pool->failed_initializers += initializer;
    if (pool->broken == NULL && !pool->terminated &&
        (pool->failed_initializers >= FAILED_INITIALIZERS_MAX ||
         pool->failed_starts >= FAILED_STARTS_MAX)) {
        give_up(pool, why);
    }
    pause_starts(pool);
}

/* ---- the end of a worker ---- */

/* How it ended, as the failure of what it was doing. */
static void describe_end(const brood_worker *worker, const char *doing, brood_kept_failure *out)
{
    brood_process *process = worker->process;
    const brood_failure *its = brood_process_failure(process);
    const char *how = worker->broken ? "was killed: what it left makes no sense" : NULL;
    char words[BROOD_WORDS_SIZE];
    int exitcode = 0;

    memset(out, 0, sizeof *out);
    if (brood_process_exitcode(process, &exitcode) != 0) {
        exitcode = 255;
    }
    if (how == NULL && its != NULL) {
        (void)snprintf(words, sizeof words, "%s", its->message);
    } else {
        (void)snprintf(words, sizeof words, "%s (pid %lld) %s", brood_process_name(process),
                       (long long)worker->pid, how != NULL ? how : "exited with code 0");
    }
    (void)snprintf(out->words, sizeof out->words, "%.400s %s", words, doing);
    out->failure.size = sizeof out->failure;
    out->failure.error = BROOD_EWORKER;
    out->failure.pid = worker->pid;
    out->failure.exitcode = exitcode;
    out->failure.system_code = its != NULL ? its->system_code : 0;
    out->failure.message = out->words;
}

static void lose(brood_item *item, const brood_failure *why)
{
    if (item->tries_left > 0) {
        item->tries_left--;
        brood_pool_return(item);
        return;
    }
    (void)brood_fail_as(why);
    brood_item_fail(item);
}

/* What it was running is lost; what it had not begun waits again. */
static void empty_lane(brood_pool *pool, brood_worker *worker, const brood_failure *why)
{
    brood_lane_side *side = &worker->side;
    const uint32_t claimed = brood_lane_claimed(side) - side->completed;
    const uint32_t load = brood_lane_load(side);

    for (uint32_t i = load; i > 0; i--) { /* the last first: each is put before the others */
        brood_lane_slot *slot = brood_lane_slot_of(side, side->completed + i - 1);
        brood_item *item = slot->item;

        brood_yard_give(&pool->yard, slot->block, slot->units);
        slot->units = 0;
        slot->item = NULL;
        if (item != NULL && i - 1 < claimed) {
            lose(item, why);
        } else if (item != NULL) {
            brood_pool_return(item);
        }
    }
    side->completed = side->end;
    if (worker->units > 0) {
        brood_yard_give(&pool->yard, worker->block, worker->units);
        worker->units = 0;
    }
}

static bool was_running(brood_worker *worker, int64_t *began_ns)
{
    brood_lane_side *side = &worker->side;
    const brood_lane *lane = side->lane;
    const uint32_t claimed = brood_lane_claimed(side);

    *began_ns = brood_word_load(&lane->began_entry) == claimed
                    ? (int64_t)brood_word64_load(&lane->began_ns)
                    : 0;
    return claimed != side->completed && brood_lane_slot_of(side, claimed - 1)->task;
}

/* It ended before it was ready. */
static void note_failed_start(brood_pool *pool, const brood_worker *worker)
{
    const brood_lane *lane = worker->side.lane;
    brood_kept_failure why;

    if (brood_word_load(&lane->phase) == (uint32_t)BROOD_LANE_FAILED) {
        const int code = lane->code;
        memset(&why, 0, sizeof why);
        memcpy(why.words, lane->words, sizeof why.words);
        why.words[sizeof why.words - 1] = '\0';
        why.failure.size = sizeof why.failure;
        why.failure.error = code > 0 ? BROOD_ETASK : code;
        why.failure.code = code > 0 ? code : 0;
        why.failure.pid = worker->pid;
        if (why.words[0] == '\0') {
            (void)snprintf(why.words, sizeof why.words, "the initializer returned %d", code);
        }
        why.failure.message = why.words;
        count_failed_start(pool, true, &why.failure);
        return;
    }
    describe_end(worker, "before it was ready", &why);
    count_failed_start(pool, false, &why.failure);
}

static void bury(brood_pool *pool, brood_worker *worker)
{
    brood_process *process = worker->process;
    brood_kept_failure why;
    int64_t began_ns;
    bool running;

    (void)brood_process_wait(process, BROOD_DEADLINE_NEVER);
    (void)brood_pool_collect_worker(pool, worker); /* what it has left is there */
    running = was_running(worker, &began_ns);
    describe_end(worker, running ? "in the middle of a task" : "between tasks", &why);
    if ((!worker->leaving && !pool->terminated) || running) {
        brood_trace_death(pool->trace, worker->pid, why.words, running ? began_ns : 0);
    }
    if (!worker->settled && !pool->terminated && pool->broken == NULL) {
        note_failed_start(pool, worker);
    }
    empty_lane(pool, worker, &why.failure);
    worker->process = NULL;
    pool->needs = true;
    brood_process_free(process);
}

/* ---- what takes too long ---- */

static void expire(brood_pool *pool, brood_worker *worker, brood_item *item)
{
    brood_pool_abandon(pool, item);
    (void)brood_fail_of_process(BROOD_EEXPIRED, worker->pid, "the task ran for more than %lld ms",
                                (long long)item->job->options.timeout_ms);
    brood_item_fail(item);
}

/* Returns when to look at the worker again. */
static int64_t look_at_task(brood_pool *pool, brood_worker *worker, int64_t now)
{
    brood_lane_side *side = &worker->side;
    const uint32_t running = brood_lane_claimed(side) - 1;
    const int64_t later =
        pool->least_timeout_ns > 0 ? now + pool->least_timeout_ns : BROOD_DEADLINE_NEVER;
    brood_item *item;
    int64_t end;

    if (brood_lane_load(side) == 0) {
        return BROOD_DEADLINE_NEVER;
    }
    if (running + 1 == side->completed) {
        return later; /* it has not begun any */
    }
    item = brood_lane_slot_of(side, running)->item;
    if (item == NULL || item->job->timeout_ns == 0) {
        return later;
    }
    if (brood_word_load(&side->lane->began_entry) != running + 1) {
        return later; /* it is just beginning */
    }
    end = (int64_t)brood_word64_load(&side->lane->began_ns) + item->job->timeout_ns;
    if (end > now) {
        return earlier(end, later);
    }
    (void)brood_pool_collect_worker(pool, worker); /* it may be over by a hair */
    if (brood_lane_slot_of(side, running)->item == item) {
        expire(pool, worker, item);
    }
    return earlier(later, worker->kill_ns != 0 ? worker->kill_ns : BROOD_DEADLINE_NEVER);
}

/* One that goes on with what is over. */
static int64_t look_at_kill(brood_worker *worker, int64_t now)
{
    if (worker->kill_ns == 0) {
        return BROOD_DEADLINE_NEVER;
    }
    if (worker->kill_ns > now) {
        return worker->kill_ns;
    }
    worker->kill_ns = 0;
    worker->leaving = true; /* it is no death to wonder about */
    (void)brood_process_kill(worker->process);
    return BROOD_DEADLINE_NEVER;
}

static int64_t look_at(brood_pool *pool, brood_worker *worker, int64_t now)
{
    int64_t next = look_at_kill(worker, now);

    if (pool->least_timeout_ns > 0) {
        next = earlier(next, look_at_task(pool, worker, now));
        next = earlier(next, worker->kill_ns != 0 ? worker->kill_ns : next);
    }
    if ((pool->terminated || pool->watcher == NULL) && !worker->died) {
        worker->died = brood_process_is_over(worker->process);
        next = earlier(next, now + LOOK_NS);
    }
    return next;
}

/* ---- all of them ---- */

static bool needs_workers(const brood_pool *pool)
{
    return !pool->terminated && pool->broken == NULL && (!pool->closed || pool->open > 0);
}

/* Tells those that have done their share, or all when there is nothing left to do. */
static void dismiss(brood_pool *pool, brood_worker *worker)
{
    const bool done = pool->closed && pool->open == 0;
    const bool full = pool->max_tasks > 0 && worker->given >= pool->max_tasks;

    if (!worker->leaving && (done || full)) {
        worker->leaving = true;
        brood_lane_dismiss(&worker->side);
    }
}

/* The mutex is given up meanwhile. Returns when to try again. */
static int64_t replace(brood_pool *pool, brood_worker *worker)
{
    int rc;

    if (pool->start_ns > brood_os_now()) {
        return pool->start_ns;
    }
    brood_os_mutex_unlock(&pool->mutex);
    rc = brood_pool_start(pool, worker);
    brood_os_mutex_lock(&pool->mutex);
    if (rc) {
        const brood_failure why = *brood_last_error();
        brood_log(BROOD_LOG_WARNING, "a pool cannot start a worker: %s", why.message);
        count_failed_start(pool, false, &why);
        return pool->start_ns;
    }
    pool->tended = true;
    return BROOD_DEADLINE_NEVER;
}

int64_t brood_pool_tend(brood_pool *pool)
{
    int64_t next = BROOD_DEADLINE_NEVER;
    const int64_t now = brood_os_now();

    pool->tended = false;
    if (pool->terminated && now - pool->terminated_ns > TERMINATE_GRACE_NS) {
        brood_pool_kill(pool, true);
    }
    for (uint32_t i = 0; i < pool->count; i++) {
        brood_worker *worker = &pool->workers[i];

        if (worker->process != NULL) {
            next = earlier(next, look_at(pool, worker, now));
            if (worker->died) {
                bury(pool, worker);
                pool->tended = true;
            } else {
                dismiss(pool, worker);
            }
        }
        if (worker->process == NULL && needs_workers(pool)) {
            next = earlier(next, replace(pool, worker));
        }
    }
    if (pool->tended) {
        brood_pool_place(pool);
    }
    return next;
}

/* Pools: new, close, terminate, join, free. */
#include "pool_object.h"

#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "fault.h"
#include "init.h"
#include "locks.h"
#include "message.h"
#include "options.h"

#define USUAL_CAPACITY (sizeof(void *) > 4 ? (uint64_t)1 << 30 : (uint64_t)64 << 20)

/* A segment without words to wait for has bells for so many sleepers, and the supervisor is one. */
#define LANES_BY_BELL 48u
#define LANES_BY_WORD 1000u

static brood_pool *pools; /* of this process, under BROOD_LOCK_POOLS */

static BROOD_THREAD_LOCAL const brood_pool *own; /* the pool whose supervisor this thread is */

bool brood_pool_is_mine(const brood_pool *pool)
{
    return own == pool;
}

void brood_pool_is_this_thread(const brood_pool *pool)
{
    own = pool;
}

int brood_pool_check(const brood_pool *pool)
{
    if (pool == NULL) {
        return brood_fail(BROOD_EINVAL, "the pool is NULL");
    }
    if (pool->generation != brood_generation()) {
        return brood_fail(BROOD_EINVAL,
                          "the pool belongs to the process that this one was forked from");
    }
    return 0;
}

/* ---- waiting ---- */

void brood_pool_poke(brood_pool *pool)
{
    pool->news = true;
    if (pool->asleep) {
        (void)brood_word_exchange(&pool->board->waiting, BROOD_BOARD_AWAKE);
        brood_segment_wake(pool->segments[0], &pool->board->waiting, UINT32_MAX);
    }
}

void brood_pool_changed(brood_pool *pool)
{
    if (pool->sleepers > 0) {
        brood_os_condition_wake_all(&pool->changed);
    }
}

/* Takes in what comes within a moment. The supervisor is not woken meanwhile: this thread is as
 * good. */
static bool spin(brood_pool *pool, bool (*is)(const void *object), const void *object)
{
    const uint32_t asked = brood_word_exchange(&pool->board->waiting, BROOD_BOARD_AWAKE);
    const uint32_t spins = brood_spin_count() * 8;

    for (uint32_t i = 0; i < spins && !is(object); i++) {
        brood_os_mutex_unlock(&pool->mutex);
        while (i < spins && !brood_pool_has_news(pool)) {
            brood_os_relax();
            i++;
        }
        brood_os_mutex_lock(&pool->mutex);
        (void)brood_pool_collect(pool);
    }
    if (asked != BROOD_BOARD_AWAKE && pool->asleep) {
        (void)brood_word_exchange(&pool->board->waiting, asked);
        if (brood_pool_has_news(pool)) {
            (void)brood_pool_collect(pool);
        }
    }
    return is(object);
}

int brood_pool_wait_for(brood_pool *pool, bool (*is)(const void *object), const void *object,
                        int64_t deadline_ns)
{
    if (is(object)) {
        return 0;
    }
    if (!pool->ended) {
        (void)brood_pool_collect(pool);
    }
    if (is(object)) {
        return 0;
    }
    if (deadline_ns == BROOD_DEADLINE_PASSED) {
        return BROOD_ETIMEDOUT;
    }
    if (brood_pool_is_mine(pool)) {
        return BROOD_EDEADLK;
    }
    if (!pool->ended && spin(pool, is, object)) {
        return 0;
    }
    pool->sleepers++;
    while (!is(object) && !brood_deadline_passed(deadline_ns)) {
        (void)brood_os_condition_wait(&pool->changed, &pool->mutex, deadline_ns);
    }
    pool->sleepers--;
    return is(object) ? 0 : BROOD_ETIMEDOUT;
}

/* ---- new ---- */

static int read_options(brood_pool_options *out, const brood_pool_options *options)
{
    const int rc = brood_options_read(out, sizeof *out, options, "pool");

    if (rc) {
        return rc;
    }
    if (out->workers == 0) {
        out->workers = brood_cpu_count();
    }
    if (out->workers < 0 || out->workers > BROOD_POOL_WORKERS_MAX) {
        return brood_fail(BROOD_EINVAL, "a pool of %d workers: 1 to %d", out->workers,
                          BROOD_POOL_WORKERS_MAX);
    }
    if (out->max_tasks_per_child < 0) {
        return brood_fail(BROOD_EINVAL, "%d tasks per child: 1 or more, or 0 for no limit",
                          out->max_tasks_per_child);
    }
    if (out->initializer == NULL && out->initargs != NULL && out->initargs->count > 0) {
        return brood_fail(BROOD_EINVAL, "arguments for an initializer, but no initializer");
    }
    if (out->capacity == 0) {
        out->capacity = (size_t)USUAL_CAPACITY;
    }
    return out->capacity > SIZE_MAX / 4
               ? brood_fail(BROOD_EINVAL, "a pool's capacity of %zu bytes", out->capacity)
               : 0;
}

static bool gives_away(const brood_value *items, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        const brood_value *item = &items[i];
        const bool container = item->kind == BROOD_LIST_KIND || item->kind == BROOD_TUPLE_KIND ||
                               item->kind == BROOD_DICT_KIND;
        if ((item->flags & BROOD_VALUE_GIVEN) != 0 ||
            (container && gives_away(item->as.items, item->size))) {
            return true;
        }
    }
    return false;
}

static int keep_initargs(brood_pool *pool, const brood_args *args)
{
    brood_value *named = NULL;
    size_t positional = 0;
    int rc = brood_args_split(args, &positional);

    if (rc == 0 && args != NULL && gives_away(args->items, args->count)) {
        rc = brood_fail(BROOD_EINVAL, "BROOD_GIVE in initargs: a pool keeps them for workers that "
                                      "come later");
    }
    if (rc == 0) {
        rc = brood_args_named(&named, args, positional);
    }
    if (rc == 0) {
        const brood_value parts[] = {
            brood_tuple(args != NULL ? args->items : NULL, positional),
            brood_dict(named, args != NULL ? args->count - positional : 0)};
        rc = brood_message_new(&pool->initargs, brood_tuple(parts, 2));
    }
    free(named);
    return rc;
}

static size_t round_up(size_t size)
{
    return (size + BROOD_YARD_UNIT - 1) / BROOD_YARD_UNIT * BROOD_YARD_UNIT;
}

/* Lanes lie in segments of `per` each; the first has the board before them and the yard behind. */
static int make_segments(brood_pool *pool, size_t capacity)
{
    const uint32_t per = brood_os_word_waits() ? LANES_BY_WORD : LANES_BY_BELL;
    const size_t count = (pool->count + per - 1) / per;
    uint32_t entries;
    uint32_t bytes;
    size_t each;

    brood_lane_shape(pool->count, &entries, &bytes);
    each = (brood_lane_size(entries, bytes) + 63) / 64 * 64;
    pool->segments = BROOD_ALLOC(calloc(count, sizeof(*pool->segments)));
    if (pool->segments == NULL) {
        return brood_fail_nomem("a pool");
    }
    for (size_t i = 0; i < count; i++) {
        const uint32_t first = (uint32_t)i * per;
        const uint32_t lanes = pool->count - first < per ? pool->count - first : per;
        const size_t before = i == 0 ? sizeof(brood_board) : 0;
        const size_t used = round_up(before + lanes * each);
        const size_t yard = i == 0 ? round_up(capacity) : 0;
        int rc = brood_segment_new(&pool->segments[i], &brood_pool_segment_kind, used + yard, used);

        if (rc) {
            return rc;
        }
        pool->segment_count++;
        for (uint32_t n = 0; n < lanes && rc == 0; n++) {
            rc =
                brood_lane_init(&pool->workers[first + n].side, pool->segments[i],
                                (brood_lane *)((char *)pool->segments[i]->data + before + n * each),
                                entries, bytes);
        }
        if (rc == 0 && i == 0) {
            rc = brood_yard_init(&pool->yard, pool->segments[0], used, yard);
        }
        if (rc) {
            return rc;
        }
    }
    pool->board = pool->segments[0]->data;
    return 0;
}

void brood_pool_delete(brood_pool *pool)
{
    for (uint32_t i = 0; i < pool->function_count; i++) {
        brood_buffer_release(&pool->functions[i].reference);
    }
    free(pool->functions);
    brood_message_free(pool->initargs);
    brood_trace_close(pool->trace);
    brood_yard_fini(&pool->yard);
    for (size_t i = 0; i < pool->segment_count; i++) {
        brood_segment_free(pool->segments[i]);
    }
    free(pool->segments);
    for (uint32_t i = 0; pool->workers != NULL && i < pool->count; i++) {
        brood_lane_fini(&pool->workers[i].side);
    }
    free(pool->workers);
    brood_failure_free(pool->broken);
    brood_os_condition_fini(&pool->changed);
    brood_os_mutex_fini(&pool->mutex);
    free(pool);
}

void brood_pool_unref(brood_pool *pool)
{
    if (brood_atomic_add(&pool->refs, -1) == 0) {
        brood_pool_delete(pool);
    }
}

static int make(brood_pool **out, const brood_pool_options *wanted)
{
    brood_pool *pool = BROOD_ALLOC(calloc(1, sizeof *pool));
    int rc;

    if (pool == NULL) {
        return brood_fail_nomem("a pool");
    }
    rc = brood_os_condition_init(&pool->changed);
    if (rc) {
        free(pool);
        return rc;
    }
    brood_os_mutex_init(&pool->mutex);
    brood_atomic_store(&pool->refs, 1);
    pool->generation = brood_generation();
    pool->count = (uint32_t)wanted->workers;
    pool->initializer = wanted->initializer;
    pool->context = wanted->context;
    pool->max_tasks = wanted->max_tasks_per_child;
    pool->places_end = &pool->places;
    pool->calls_end = &pool->calls;
    pool->workers = BROOD_ALLOC(calloc(pool->count, sizeof *pool->workers));
    rc = pool->workers != NULL ? make_segments(pool, wanted->capacity) : brood_fail_nomem("a pool");
    if (rc == 0) {
        rc = keep_initargs(pool, wanted->initargs);
    }
    if (rc == 0) {
        rc = brood_trace_open(&pool->trace, wanted->trace);
    }
    if (rc) {
        brood_pool_unref(pool);
        return rc;
    }
    for (uint32_t i = 0; i < pool->count; i++) {
        pool->workers[i].number = i;
    }
    *out = pool;
    return 0;
}

static void list(brood_pool *pool)
{
    brood_locks_take(BROOD_LOCK_POOLS);
    pool->next = pools;
    pools = pool;
    brood_locks_give(BROOD_LOCK_POOLS);
}

static void unlist(const brood_pool *pool)
{
    brood_locks_take(BROOD_LOCK_POOLS);
    for (brood_pool **link = &pools; *link != NULL; link = &(*link)->next) {
        if (*link == pool) {
            *link = pool->next;
            break;
        }
    }
    brood_locks_give(BROOD_LOCK_POOLS);
}

static int start_threads(brood_pool *pool)
{
    void (*const runs[])(void *) = {brood_pool_supervise, brood_pool_watch};
    int rc = 0;

    for (size_t i = 0; i < sizeof runs / sizeof runs[0] && rc == 0; i++) {
        (void)brood_atomic_add(&pool->refs, 1);
        brood_os_mutex_lock(&pool->mutex);
        rc = brood_os_thread_start(runs[i], pool);
        pool->threads += rc == 0;
        brood_os_mutex_unlock(&pool->mutex);
        if (rc) {
            (void)brood_atomic_add(&pool->refs, -1);
        }
    }
    return rc;
}

static int start_workers(brood_pool *pool)
{
    int rc = 0;

    for (uint32_t i = 0; i < pool->count && rc == 0; i++) {
        rc = brood_pool_start(pool, &pool->workers[i]);
    }
    return rc;
}

int brood_pool_new(brood_pool **out, const brood_pool_options *options)
{
    brood_pool_options wanted;
    brood_pool *pool = NULL;
    brood_kept_failure *kept;
    int rc;

    if (out == NULL) {
        return brood_fail(BROOD_EINVAL, "there is no place for the pool: out is NULL");
    }
    *out = NULL;
    rc = read_options(&wanted, options);
    if (rc == 0) {
        rc = brood_ready();
    }
    if (rc == 0) {
        rc = make(&pool, &wanted);
    }
    if (rc) {
        return rc;
    }
    list(pool);
    rc = start_workers(pool);
    if (rc == 0) {
        rc = start_threads(pool);
    }
    if (rc) {
        kept = brood_failure_keep(brood_last_error());
        brood_pool_free(pool);
        rc = brood_fail_as(&kept->failure);
        brood_failure_free(kept);
        return rc;
    }
    *out = pool;
    return 0;
}

/* ---- close, terminate, join, free ---- */

void brood_pool_close(brood_pool *pool)
{
    if (brood_pool_check(pool) == 0) {
        brood_os_mutex_lock(&pool->mutex);
        pool->closed = true;
        brood_pool_poke(pool);
        brood_os_mutex_unlock(&pool->mutex);
    }
}

static void terminate(brood_pool *pool)
{
    static const brood_failure why = {sizeof why, BROOD_ECANCELLED,         0, 0, 0,
                                      0,          "the pool was terminated"};

    brood_os_mutex_lock(&pool->mutex);
    if (!pool->terminated && !pool->ended) {
        (void)brood_pool_collect(pool); /* what has come has come */
        pool->terminated = true;
        pool->closed = true;
        pool->terminated_ns = brood_os_now();
        brood_pool_end_jobs(pool, &why);
        brood_pool_kill(pool, false);
        brood_pool_poke(pool);
    }
    brood_os_mutex_unlock(&pool->mutex);
}

void brood_pool_terminate(brood_pool *pool)
{
    if (brood_pool_check(pool) == 0) {
        terminate(pool);
    }
}

static bool is_quiet(const void *object)
{
    const brood_pool *pool = object;

    return pool->ended && pool->threads == 0;
}

static bool has_ended(const void *object)
{
    return ((const brood_pool *)object)->ended;
}

/* Nobody may be left to take what would make room for the rest. */
static void read_all_inputs(brood_pool *pool, int64_t deadline_ns)
{
    brood_job *job = pool->jobs;

    while (job != NULL && !brood_deadline_passed(deadline_ns)) {
        if (job->kind == BROOD_JOB_IMAP && !job->inputs_end && !job->reading && !job->detached) {
            job->refs++;
            brood_inputs_refill(job, true, deadline_ns);
            if (--job->refs == 0) {
                job->next = pool->dead;
                pool->dead = job;
            }
            job = pool->jobs; /* the mutex was given up: look at them again */
        } else {
            job = job->next;
        }
    }
}

static int join(brood_pool *pool, int64_t deadline_ns)
{
    int rc;

    if (!pool->closed && !pool->terminated) {
        return brood_fail(BROOD_EINVAL, "join a pool that was neither closed nor terminated");
    }
    if (!brood_pool_is_mine(pool)) {
        read_all_inputs(pool, deadline_ns);
    }
    rc = brood_pool_wait_for(pool, has_ended, pool, deadline_ns);
    if (rc == BROOD_EDEADLK) {
        return brood_fail(rc, "a callback would wait for its own pool");
    }
    if (rc) {
        return brood_fail(rc, "join a pool: %zu calls are not over", pool->open);
    }
    return pool->broken != NULL
               ? brood_fail_of_process(BROOD_EBROKEN, pool->broken->failure.pid,
                                       "the pool is broken: %s", pool->broken->failure.message)
               : 0;
}

int brood_pool_join(brood_pool *pool, int64_t timeout_ms)
{
    int64_t deadline_ns;
    int rc = brood_pool_check(pool);

    if (rc == 0) {
        rc = brood_deadline(&deadline_ns, timeout_ms);
    }
    if (rc == 0) {
        brood_os_mutex_lock(&pool->mutex);
        rc = join(pool, deadline_ns);
        brood_os_mutex_unlock(&pool->mutex);
    }
    return rc;
}

/* Without a supervisor, which a new pool may lack, this thread ends the workers. */
static void wait_for_end(brood_pool *pool)
{
    brood_os_mutex_lock(&pool->mutex);
    if (pool->threads == 0) {
        pool->ended = true;
        for (uint32_t i = 0; i < pool->count; i++) {
            brood_process *process = pool->workers[i].process;
            if (process != NULL) {
                brood_lane_dismiss(&pool->workers[i].side);
                (void)brood_process_kill(process);
                (void)brood_process_join(process, BROOD_FOREVER);
                brood_process_free(process);
                pool->workers[i].process = NULL;
            }
        }
    }
    (void)brood_pool_wait_for(pool, is_quiet, pool, BROOD_DEADLINE_NEVER);
    brood_os_mutex_unlock(&pool->mutex);
}

void brood_pool_free(brood_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    unlist(pool);
    if (pool->generation != brood_generation()) {
        return; /* its parent's, whose threads may have been in the middle of anything */
    }
    terminate(pool);
    if (!brood_pool_is_mine(pool)) {
        wait_for_end(pool);
    }
    brood_pool_unref(pool);
}

int brood_pool_workers(const brood_pool *pool)
{
    return pool != NULL ? (int)pool->count : 0;
}

/* ---- the process's exit ---- */

void brood_pools_end(void)
{
    for (;;) {
        brood_pool *pool;

        brood_locks_take(BROOD_LOCK_POOLS);
        pool = pools;
        if (pool != NULL) {
            pools = pool->next;
        }
        if (pool != NULL && pool->generation == brood_generation()) {
            (void)brood_atomic_add(&pool->refs, 1);
        }
        brood_locks_give(BROOD_LOCK_POOLS);
        if (pool == NULL) {
            return;
        }
        if (pool->generation == brood_generation()) {
            terminate(pool);
            brood_pool_unref(pool);
        }
    }
}

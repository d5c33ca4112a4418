/* The pool's two threads. The supervisor takes in what comes, tends the workers and calls the program
 * back. The watcher waits for the ends of workers: a thread cannot wait for processes and for a word
 * of shared memory at once. */
#include <stdlib.h>

#include "fault.h"
#include "pool_object.h"

#define LOOK_NS ((int64_t)20 * 1000 * 1000)
#define SHORT_LOOK_NS ((int64_t)1000 * 1000)
#define MUCH_NS ((int64_t)1000 * 1000) /* the longest sleep in which a result may wait */

/* ---- the supervisor ---- */

static bool has_workers(const brood_pool *pool)
{
    for (uint32_t i = 0; i < pool->count; i++) {
        if (pool->workers[i].process != NULL) {
            return true;
        }
    }
    return false;
}

static bool is_over(const brood_pool *pool)
{
    return (pool->closed || pool->terminated) && pool->open == 0 && pool->calls == NULL &&
           !has_workers(pool);
}

/* Whether a lot is under way, so that one result alone is no reason to wake up. */
static bool is_busy(const brood_pool *pool)
{
    for (uint32_t i = 0; i < pool->count; i++) {
        if (brood_lane_load(&pool->workers[i].side) > 1) {
            return true;
        }
    }
    return false;
}

/* Until somebody has something to say. It tells whether anybody had. */
static bool sleep_until_news(brood_pool *pool, bool quiet, int64_t next)
{
    const bool busy = !quiet && is_busy(pool);
    const uint32_t mode = busy ? BROOD_BOARD_MUCH : BROOD_BOARD_ANYTHING;
    const int64_t most = busy ? brood_os_now() + MUCH_NS : BROOD_DEADLINE_NEVER;
    bool any;

    if (pool->news) {
        return true;
    }
    pool->asleep = true;
    (void)brood_word_exchange(&pool->board->waiting, mode);
    if (!brood_pool_has_news(pool)) {
        brood_os_mutex_unlock(&pool->mutex);
        brood_segment_sleep(pool->segments[0], &pool->board->waiting, mode, 0,
                            next < most ? next : most);
        brood_os_mutex_lock(&pool->mutex);
    }
    pool->asleep = false;
    any = brood_word_exchange(&pool->board->waiting, BROOD_BOARD_AWAKE) != mode ||
          brood_pool_has_news(pool);
    return any;
}

/* Whoever waits for the threads' end has a reference, and is the last then. */
static void leave(brood_pool *pool)
{
    bool last;

    brood_os_mutex_lock(&pool->mutex);
    pool->threads--;
    brood_pool_changed(pool);
    last = brood_atomic_add(&pool->refs, -1) == 0;
    brood_os_mutex_unlock(&pool->mutex);
    if (last) {
        brood_pool_delete(pool);
    }
}

static void end(brood_pool *pool)
{
    brood_pool_reap(pool);
    pool->ended = true;
    brood_os_condition_wake_all(&pool->changed);
    if (pool->watcher != NULL) {
        brood_os_waker_raise(pool->watcher);
    }
}

void brood_pool_supervise(void *argument)
{
    brood_pool *pool = argument;
    bool quiet = false;
    uint32_t me;

    brood_pool_is_this_thread(pool);
    if (!brood_os_word_waits()) {
        (void)brood_segment_me(pool->segments[0], &me); /* so as to sleep by a bell of it */
    }
    brood_os_mutex_lock(&pool->mutex);
    for (;;) {
        int64_t next;
        bool any;

        pool->news = false;
        brood_pool_reap(pool);
        any = brood_pool_collect(pool);
        next = brood_pool_tend(pool);
        while (brood_pool_call(pool)) {
            any = true;
        }
        if (is_over(pool)) {
            break;
        }
        if (!any) {
            quiet = !sleep_until_news(pool, quiet, next);
        }
    }
    end(pool);
    brood_os_mutex_unlock(&pool->mutex);
    brood_pool_is_this_thread(NULL);
    leave(pool);
}

/* ---- the watcher ---- */

typedef struct watch_list {
    brood_process **processes; /* with a reference each */
    brood_os_waitable *things;
    uint32_t *numbers;
    size_t count;
    bool hints;
} watch_list;

static int make_list(watch_list *list, uint32_t room)
{
    list->processes = BROOD_ALLOC(calloc(room, sizeof(*list->processes)));
    list->things = BROOD_ALLOC(calloc(room, sizeof *list->things));
    list->numbers = BROOD_ALLOC(calloc(room, sizeof *list->numbers));
    list->count = 0;
    return list->processes != NULL && list->things != NULL && list->numbers != NULL ? 0
                                                                                    : BROOD_ENOMEM;
}

static void free_list(watch_list *list)
{
    free(list->processes);
    free(list->things);
    free(list->numbers);
}

/* With the mutex held. */
static void fill(watch_list *list, const brood_pool *pool)
{
    list->count = 0;
    list->hints = false;
    for (uint32_t i = 0; i < pool->count; i++) {
        const brood_worker *worker = &pool->workers[i];
        if (worker->process != NULL && !worker->died) {
            brood_os_waitable *thing = &list->things[list->count];
            thing->ready = false;
            brood_os_process_watch(&worker->process->os, thing);
            list->hints = list->hints || thing->hint;
            list->processes[list->count] = brood_process_ref(worker->process);
            list->numbers[list->count++] = i;
        }
    }
}

/* With the mutex held. A handle that only hints is ready a moment too early, perhaps. */
static bool mark(watch_list *list, brood_pool *pool, bool all)
{
    bool early = false;
    bool found = false;

    for (size_t i = 0; i < list->count; i++) {
        brood_worker *worker = &pool->workers[list->numbers[i]];
        if ((all || list->things[i].ready || list->things[i].hint) &&
            worker->process == list->processes[i] && !worker->died) {
            worker->died = brood_process_is_over(worker->process);
            found = found || worker->died;
            early = early || (list->things[i].ready && !worker->died);
        }
    }
    if (found) {
        brood_pool_poke(pool);
    }
    return early;
}

static void watch(brood_pool *pool, watch_list *list, brood_os_waker *waker)
{
    while (!pool->ended) {
        bool early;
        int rc;

        fill(list, pool);
        brood_os_mutex_unlock(&pool->mutex);
        rc = brood_os_wait(list->things, list->count, waker,
                           list->hints ? brood_os_now() + LOOK_NS : BROOD_DEADLINE_NEVER);
        if (rc != 0 && rc != BROOD_ETIMEDOUT) {
            brood_os_sleep(brood_os_now() + LOOK_NS);
        }
        brood_os_mutex_lock(&pool->mutex);
        early = mark(list, pool, rc != 0);
        brood_os_mutex_unlock(&pool->mutex);
        for (size_t i = 0; i < list->count; i++) {
            brood_process_free(list->processes[i]);
        }
        if (early) {
            brood_os_sleep(brood_os_now() + SHORT_LOOK_NS);
        }
        brood_os_mutex_lock(&pool->mutex);
    }
}

void brood_pool_watch(void *argument)
{
    brood_pool *pool = argument;
    brood_os_waker *waker = NULL;
    watch_list list;
    int rc = make_list(&list, pool->count);

    if (rc == 0) {
        rc = brood_os_waker_mine(&waker);
    }
    brood_os_mutex_lock(&pool->mutex);
    if (rc == 0) {
        pool->watcher = waker;
        watch(pool, &list, waker);
        pool->watcher = NULL;
    }
    brood_os_mutex_unlock(&pool->mutex);
    free_list(&list);
    if (waker != NULL) {
        brood_os_waker_drop();
    }
    leave(pool);
}

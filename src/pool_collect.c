/* What came from the workers. */
#include <stdio.h>
#include <string.h>

#include "codec.h"
#include "message.h"
#include "pool_object.h"
#include "unparcel.h"

#define KEEP_BLOCK ((uint64_t)16 * 1024 * 1024) /* a larger one is not kept for the next result */

/* ---- results ---- */

static int decode_into_list(brood_item *item, const void *data, size_t size,
                            const brood_loader *loader)
{
    brood_job *job = item->job;
    void *copy = brood_arena_alloc_aligned(&job->values_arena, size, 1);

    if (copy == NULL) {
        return brood_fail_nomem("a result");
    }
    memcpy(copy, data, size);
    return brood_codec_decode_in_place(copy, size, loader, &job->values_arena,
                                       &job->values[item->index]);
}

static int decode_message(brood_item *item, const void *data, size_t size,
                          const brood_loader *loader)
{
    brood_buffer copy = BROOD_BUFFER_NONE;
    int rc = brood_buffer_new(&copy, size);

    if (rc == 0) {
        memcpy(copy.data, data, size);
        rc = brood_message_from_buffer(&item->message, &copy, loader);
    }
    brood_buffer_release(&copy);
    return rc;
}

static int decode_result(brood_item *item, const void *data, size_t size)
{
    const bool list = item->job->kind == BROOD_JOB_MAP;
    brood_unparcel unparcel; /* it has functions only */
    brood_loader loader;
    int rc;

    if (size == 0) {
        return list ? 0 : brood_message_new(&item->message, brood_none());
    }
    brood_unparcel_init(&unparcel, NULL, 0);
    loader = brood_unparcel_loader(&unparcel);
    rc = list ? decode_into_list(item, data, size, &loader)
              : decode_message(item, data, size, &loader);
    brood_unparcel_close(&unparcel);
    return rc;
}

/* The task's own failure. Words that are not there any more are no reason to have none. */
static void keep_failure(brood_item *item, const brood_worker *worker,
                         const brood_lane_record *record, const void *data)
{
    brood_failure failure;
    char words[BROOD_WORDS_SIZE];
    const size_t size = record->size < sizeof words ? (size_t)record->size : sizeof words - 1;
    int code = record->code;

    memset(&failure, 0, sizeof failure);
    memcpy(words, data, size);
    words[size] = '\0';
    failure.size = sizeof failure;
    failure.pid = worker->pid;
    if (code > 0) {
        failure.error = BROOD_ETASK;
        failure.code = code & 0xff;
        if (words[0] == '\0') {
            (void)snprintf(words, sizeof words, "the task returned %d", failure.code);
        }
    } else {
        failure.error = code;
    }
    failure.message = words;
    item->failure = brood_failure_keep(&failure);
}

static void take_record(brood_pool *pool, brood_worker *worker, brood_item *item,
                        const brood_lane_record *record, const void *data)
{
    brood_trace_task(pool->trace, worker->pid, (int)item->job->kind, item->index, record->began_ns,
                     record->ended_ns, record->code);
    if (record->code != 0) {
        keep_failure(item, worker, record, data);
        brood_item_over(item);
    } else if (decode_result(item, data, (size_t)record->size)) {
        brood_item_fail(item);
    } else {
        brood_item_over(item);
    }
}

/* ---- blocks ---- */

static void grant(brood_worker *worker, uint64_t place, uint64_t size, uint32_t units)
{
    brood_lane *lane = worker->side.lane;

    worker->block = place;
    worker->units = units;
    brood_word64_store(&lane->block, place);
    brood_word64_store(&lane->block_size, size);
    brood_fence();
    brood_lane_wake(&worker->side, BROOD_LANE_FOR_ROOM);
}

void brood_pool_ungrant(brood_pool *pool, brood_worker *worker)
{
    if (worker->units > 0) {
        brood_word64_store(&worker->side.lane->block_size, 0);
        brood_yard_give(&pool->yard, worker->block, worker->units);
        worker->units = 0;
    }
}

/* Whether all that could give back a block wait for one themselves. */
static bool nobody_moves(const brood_pool *pool)
{
    for (uint32_t i = 0; i < pool->count; i++) {
        const brood_worker *worker = &pool->workers[i];
        if (worker->process != NULL && !worker->died && brood_lane_load(&worker->side) > 0 &&
            brood_word64_load(&worker->side.lane->needed) == 0) {
            return false;
        }
    }
    return true;
}

/* Makes room: what was not begun has to wait, and who has nothing to do needs no block. */
static void clear_yard(brood_pool *pool)
{
    for (uint32_t i = 0; i < pool->count; i++) {
        brood_worker *worker = &pool->workers[i];
        (void)brood_pool_recall(pool, worker, BROOD_LANE_ALL);
        if (brood_lane_load(&worker->side) == 0) {
            brood_pool_ungrant(pool, worker);
        }
    }
}

/* False if it has to wait. */
static bool answer_need(brood_pool *pool, brood_worker *worker)
{
    const uint64_t size = brood_word64_load(&worker->side.lane->needed);
    uint64_t place = 0;
    uint32_t units = 0;
    int rc;

    if (size == 0) {
        return true;
    }
    brood_pool_ungrant(pool, worker); /* too small a one */
    rc = size <= SIZE_MAX ? brood_yard_take(&pool->yard, (size_t)size, &place, &units)
                          : BROOD_ETOOBIG;
    if (rc == BROOD_EFULL) {
        clear_yard(pool);
        rc = brood_yard_take(&pool->yard, (size_t)size, &place, &units);
    }
    if (rc == BROOD_EFULL && !nobody_moves(pool)) {
        return false;
    }
    brood_word64_store(&worker->side.lane->needed, 0);
    if (rc) {
        grant(worker, 0, BROOD_LANE_REFUSED, 0);
    } else {
        grant(worker, place, units * (uint64_t)BROOD_YARD_UNIT, units);
    }
    return true;
}

static void answer_needs(brood_pool *pool)
{
    bool starved = false;

    for (uint32_t i = 0; i < pool->count; i++) {
        brood_worker *worker = &pool->workers[i];
        if (worker->process != NULL && !worker->died) {
            starved = !answer_need(pool, worker) || starved;
        }
    }
    pool->starved = starved;
    pool->needs = starved; /* what changes is told, or starves still */
}

/* ---- one worker ---- */

/* Where a result is; NULL if it cannot be there. */
static const void *find_data(const brood_pool *pool, const brood_worker *worker,
                             const brood_lane_record *record, const unsigned char *data)
{
    if ((record->flags & BROOD_RECORD_BLOCK) == 0) {
        return data;
    }
    return worker->units > 0 && record->size <= worker->units * (uint64_t)BROOD_YARD_UNIT
               ? brood_yard_data(&pool->yard, worker->block)
               : NULL;
}

static bool is_believable(brood_worker *worker, const brood_lane_record *record)
{
    brood_lane_side *side = &worker->side;
    const uint32_t claimed = brood_lane_claimed(side);

    if (record->entry - side->completed >= claimed - side->completed ||
        !brood_lane_slot_of(side, record->entry)->task || record->code > 255 ||
        (record->code < 0 && record->code > BROOD_EINVAL)) {
        return false;
    }
    for (uint32_t i = side->completed; i != record->entry; i++) {
        if (brood_lane_slot_of(side, i)->task) {
            return false;
        }
    }
    return true;
}

/* Blocks of definitions that come before are given back as well. */
static void release_entries(brood_pool *pool, brood_worker *worker, uint32_t entry)
{
    for (uint32_t i = worker->side.completed; i != entry + 1; i++) {
        brood_lane_slot *slot = brood_lane_slot_of(&worker->side, i);
        brood_yard_give(&pool->yard, slot->block, slot->units);
        slot->units = 0;
        slot->item = NULL;
    }
    brood_lane_complete(&worker->side, entry);
}

static void mark_broken(brood_worker *worker)
{
    worker->broken = true; /* it is buried as any other */
    (void)brood_process_kill(worker->process);
}

static void look_at_phase(brood_pool *pool, brood_worker *worker)
{
    if (!worker->settled &&
        brood_word_load(&worker->side.lane->phase) == (uint32_t)BROOD_LANE_READY) {
        worker->settled = true;
        pool->failed_starts = 0;
        pool->failed_initializers = 0;
    }
}

bool brood_pool_collect_worker(brood_pool *pool, brood_worker *worker)
{
    brood_lane_record record;
    const unsigned char *data;
    bool any = false;
    int rc = BROOD_EEMPTY;

    look_at_phase(pool, worker);
    pool->needs = pool->needs || brood_word64_load(&worker->side.lane->needed) != 0;
    while (!worker->broken && (rc = brood_lane_next(&worker->side, &record, &data)) == 0) {
        const void *result = find_data(pool, worker, &record, data);
        brood_item *item;

        if (result == NULL || !is_believable(worker, &record)) {
            rc = BROOD_EDECODE;
            break;
        }
        item = brood_lane_slot_of(&worker->side, record.entry)->item;
        if (item != NULL) {
            brood_lane_slot_of(&worker->side, record.entry)->item = NULL;
            take_record(pool, worker, item, &record, result);
        }
        if (worker->kill_ns != 0 && worker->kill_entry == record.entry) {
            worker->kill_ns = 0;
        }
        release_entries(pool, worker, record.entry);
        if ((record.flags & BROOD_RECORD_BLOCK) != 0) {
            if (worker->units * (uint64_t)BROOD_YARD_UNIT <= KEEP_BLOCK && !pool->starved) {
                grant(worker, worker->block, worker->units * (uint64_t)BROOD_YARD_UNIT,
                      worker->units);
            } else {
                brood_yard_give(&pool->yard, worker->block, worker->units);
                worker->units = 0;
            }
        }
        brood_lane_done(&worker->side, &record);
        any = true;
    }
    if (rc == BROOD_EDECODE && !worker->died) {
        mark_broken(worker);
    }
    return any;
}

/* ---- all of them ---- */

bool brood_pool_has_news(const brood_pool *pool)
{
    for (uint32_t i = 0; i * 64 < pool->count; i++) {
        if (brood_word64_load_relaxed(&pool->board->ready[i]) != 0) {
            return true;
        }
    }
    return false;
}

bool brood_pool_collect(brood_pool *pool)
{
    bool any = false;

    for (uint32_t i = 0; i * 64 < pool->count; i++) {
        uint64_t bits = brood_word64_load_relaxed(&pool->board->ready[i]) != 0
                            ? brood_word64_and(&pool->board->ready[i], 0)
                            : 0;
        any = any || bits != 0;
        for (uint32_t n = i * 64; bits != 0 && n < pool->count; n++, bits >>= 1) {
            if ((bits & 1) != 0 && pool->workers[n].process != NULL) {
                (void)brood_pool_collect_worker(pool, &pool->workers[n]);
            }
        }
    }
    if (any) {
        if (pool->needs) {
            answer_needs(pool);
        }
        brood_pool_place(pool);
    }
    return any;
}

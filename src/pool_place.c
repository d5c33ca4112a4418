/* Who runs what: items that wait are given to the workers that have least to do. A worker may be
 * given many at a time, so that it need not be woken for each; what it has not begun when another one
 * has nothing to do is taken back. */
#include <string.h>

#include "pool_object.h"

#define GIVEN_AT_ONCE 32u

/* How long a task that is over may go on before its worker is killed. */
#define GRACE_NS ((int64_t)500 * 1000 * 1000)

/* ---- what waits ---- */

static size_t waiting_of(const brood_job *job)
{
    return job->wait_count + (job->kind == BROOD_JOB_IMAP ? 0 : job->count - job->placed);
}

static brood_item *take_waiting(brood_job *job)
{
    brood_item *item = job->waits.first;

    if (item != NULL) {
        job->waits.first = item->next;
        job->wait_count--;
        item->next = NULL;
        return item;
    }
    return &job->items[job->placed++];
}

void brood_pool_return(brood_item *item)
{
    item->state = BROOD_ITEM_WAITS;
    brood_job_add(item->job, item, true);
    brood_job_queue(item->job, true);
}

/* ---- who takes it ---- */

static bool takes_tasks(const brood_pool *pool, const brood_worker *worker)
{
    return worker->process != NULL && !worker->died && !worker->leaving && !worker->broken &&
           (pool->max_tasks == 0 || worker->given < pool->max_tasks);
}

/* Of those with least to do one that is awake. */
static brood_worker *choose(brood_pool *pool)
{
    brood_worker *best = NULL;
    uint32_t least = BROOD_LANE_ALL;

    for (uint32_t i = 0; i < pool->count; i++) {
        brood_worker *worker = &pool->workers[(pool->cursor + i) % pool->count];
        const uint32_t load = brood_lane_load(&worker->side);
        if (load >= least || brood_lane_left(&worker->side) == 0 || !takes_tasks(pool, worker)) {
            continue;
        }
        best = worker;
        least = load;
        if (load == 0 && brood_word_load_relaxed(&worker->side.lane->asleep) == 0 &&
            worker->settled) {
            break;
        }
    }
    if (best != NULL) {
        pool->cursor = best->number;
    }
    return best;
}

/* ---- giving ---- */

/* Where the arguments go. BROOD_EFULL: not now; other failures are the item's. */
static int find_place(brood_pool *pool, brood_worker *worker, brood_view data,
                      brood_lane_entry *entry, uint32_t *units)
{
    uint32_t place;
    int rc;

    entry->size = data.size;
    *units = 0;
    if (data.size <= BROOD_LANE_SMALL) {
        if (!brood_lane_room(&worker->side, (uint32_t)data.size, &place)) {
            return BROOD_EFULL;
        }
        entry->place = place;
        memcpy(brood_lane_data(&worker->side, place), data.data, data.size);
        return 0;
    }
    rc =
        pool->starved ? BROOD_EFULL : brood_yard_take(&pool->yard, data.size, &entry->place, units);
    if (rc == 0) {
        entry->flags |= BROOD_ENTRY_BLOCK;
        memcpy(brood_yard_data(&pool->yard, entry->place), data.data, data.size);
    }
    return rc;
}

static int add_entry(brood_pool *pool, brood_worker *worker, brood_lane_entry *entry,
                     brood_view data, brood_lane_slot **slot)
{
    uint32_t units;
    const int rc = find_place(pool, worker, data, entry, &units);

    if (rc) {
        return rc;
    }
    *slot = brood_lane_add(&worker->side, entry);
    (*slot)->block = entry->place;
    (*slot)->units = units;
    return 0;
}

static int define_up_to(brood_pool *pool, brood_worker *worker, uint32_t function)
{
    while (worker->defined <= function) {
        const brood_buffer *reference = &pool->functions[worker->defined].reference;
        brood_lane_entry entry = {worker->defined, BROOD_ENTRY_DEFINE, 0, 0};
        brood_lane_slot *slot;
        int rc;

        if (brood_lane_left(&worker->side) == 0) {
            return BROOD_EFULL;
        }
        rc = add_entry(pool, worker, &entry, (brood_view){reference->data, reference->size}, &slot);
        if (rc) {
            return rc;
        }
        worker->defined++;
    }
    return 0;
}

static int give(brood_pool *pool, brood_worker *worker, brood_item *item)
{
    const brood_job *job = item->job;
    brood_lane_entry entry = {job->function, job->flags, 0, 0};
    brood_lane_slot *slot;
    int rc = define_up_to(pool, worker, job->function);

    if (rc == 0) {
        rc = add_entry(pool, worker, &entry, item->input, &slot);
    }
    if (rc) {
        return rc;
    }
    slot->item = item;
    item->state = BROOD_ITEM_PLACED;
    item->worker = (uint16_t)worker->number;
    item->entry = worker->side.end - 1;
    worker->given++;
    return 0;
}

/* Whether anything is under way whose end makes room. If not, blocks that idle workers have for their
 * next results can be taken back. */
static bool will_have_room(brood_pool *pool)
{
    bool found = false;

    for (uint32_t i = 0; i < pool->count; i++) {
        brood_worker *worker = &pool->workers[i];
        if (brood_lane_load(&worker->side) > 0) {
            return true;
        }
        found = found || worker->units > 0;
        brood_pool_ungrant(pool, worker);
    }
    return found;
}

static size_t how_many(const brood_pool *pool, const brood_worker *worker, const brood_job *job)
{
    const size_t room = brood_lane_left(&worker->side);
    const size_t share = waiting_of(job) / (2 * (size_t)pool->count);
    size_t n = share < GIVEN_AT_ONCE ? share : GIVEN_AT_ONCE;

    n = n > job->chunksize ? n : job->chunksize;
    n = n < room ? n : room;
    if (pool->max_tasks != 0 && (int64_t)n > pool->max_tasks - worker->given) {
        n = (size_t)(pool->max_tasks - worker->given);
    }
    return n;
}

/* False if there is no room now. */
static bool give_some(brood_pool *pool, brood_worker *worker, brood_job *job)
{
    for (size_t n = how_many(pool, worker, job); n > 0 && waiting_of(job) > 0; n--) {
        brood_item *item = take_waiting(job);
        int rc;

        if (item->state == BROOD_ITEM_OVER) { /* cancelled while it waited */
            continue;
        }
        rc = give(pool, worker, item);
        if (rc == BROOD_EFULL) {
            brood_job_add(job, item, true);
            if (will_have_room(pool)) {
                return false;
            }
            item = take_waiting(job);
            rc = brood_fail(BROOD_ENOMEM, "there is no room for %zu bytes in the pool's memory",
                            item->input.size);
        }
        if (rc) {
            brood_item_fail(item);
        }
    }
    brood_lane_publish(&worker->side);
    return true;
}

static void leave_queue(brood_pool *pool)
{
    brood_job *job = pool->places;

    pool->places = job->next_place;
    if (pool->places == NULL) {
        pool->places_end = &pool->places;
    }
    job->next_place = NULL;
    job->queued = false;
}

static void place_waiting(brood_pool *pool)
{
    while (pool->places != NULL) {
        brood_job *job = pool->places;
        brood_worker *worker;

        if (waiting_of(job) == 0) {
            leave_queue(pool);
            continue;
        }
        worker = choose(pool);
        if (worker == NULL) {
            return;
        }
        if (!give_some(pool, worker, job)) {
            brood_lane_publish(&worker->side);
            return;
        }
    }
}

/* ---- taking back ---- */

uint32_t brood_pool_recall(brood_pool *pool, brood_worker *worker, uint32_t count)
{
    const uint32_t n = brood_lane_recall(&worker->side, count);

    for (uint32_t i = n; i > 0; i--) { /* the last first: each is put before the others */
        brood_lane_slot *slot = brood_lane_slot_of(&worker->side, worker->side.end + i - 1);
        brood_item *item = slot->item;

        brood_yard_give(&pool->yard, slot->block, slot->units);
        slot->units = 0;
        slot->item = NULL;
        if (slot->task) {
            worker->given--;
        } else {
            worker->defined = slot->function;
        }
        if (item != NULL) {
            brood_pool_return(item);
        }
    }
    return n;
}

/* Tasks that one has not begun and another one could. */
static bool share(brood_pool *pool)
{
    brood_worker *idle = NULL;
    brood_worker *busiest = NULL;
    uint32_t most = 0;

    for (uint32_t i = 0; i < pool->count; i++) {
        brood_worker *worker = &pool->workers[i];
        const uint32_t load = brood_lane_load(&worker->side);
        uint32_t unbegun;

        if (load == 0 && worker->settled && takes_tasks(pool, worker)) {
            idle = worker;
        }
        unbegun = load > 0 ? worker->side.published - brood_lane_claimed(&worker->side) : 0;
        /* One that has a single task will begin it before long, once it is there at all. */
        if (unbegun > most && (load > 1 || !worker->settled)) {
            most = unbegun;
            busiest = worker;
        }
    }
    return idle != NULL && busiest != NULL && brood_pool_recall(pool, busiest, (most + 1) / 2) > 0;
}

/* Only where something waits for their place is it worth waking anybody before a lane is empty. */
static void mark_low(brood_pool *pool)
{
    const bool more = pool->places != NULL;

    for (uint32_t i = 0; more != pool->low && i < pool->count; i++) {
        brood_lane_side *side = &pool->workers[i].side;
        brood_word_store(&side->lane->low, more ? side->entries / 4 : 0);
    }
    pool->low = more;
}

void brood_pool_place(brood_pool *pool)
{
    if (pool->terminated || pool->broken != NULL) {
        return;
    }
    do {
        place_waiting(pool);
    } while (pool->places == NULL && share(pool));
    mark_low(pool);
}

/* ---- stopping what is over ---- */

void brood_pool_abandon(brood_pool *pool, brood_item *item)
{
    brood_worker *worker = &pool->workers[item->worker];
    brood_lane_side *side = &worker->side;

    brood_lane_slot_of(side, item->entry)->item = NULL;
    if (brood_lane_claimed(side) - side->completed <= item->entry - side->completed) {
        /* It was not begun, and must not be. Recalled, it is gone, and the others are given again. */
        (void)brood_pool_recall(pool, worker, BROOD_LANE_ALL);
    }
    if (brood_lane_load(side) > 0 && brood_lane_claimed(side) - 1 == item->entry) {
        brood_word64_store(&side->lane->asked, brood_lane_ticket(item->entry));
        worker->kill_entry = item->entry;
        worker->kill_ns = brood_os_now() + GRACE_NS;
        pool->news = true;
    }
}

#include "queue.h"

#include <stdlib.h>
#include <string.h>

#include "deadline.h"
#include "error.h"
#include "fault.h"
#include "fork.h"
#include "locks.h"
#include "options.h"

#define LOCK_NS \
    ((int64_t)1000 * 1000 * 1000) /* that a lock may take, whatever the time limit says */
#define DEFAULT_CAPACITY (sizeof(size_t) > 4 ? (uint64_t)1 << 30 : (uint64_t)64 << 20)
#define ALIGN(size, to) (((size) + (to)-1) / (to) * (to))

/* A row that is ours now: nobody accounts for what the one before had taken. */
static void join_queue(brood_segment *segment)
{
    brood_queue_shared *shared = segment->data;

    shared->taken[segment->number % BROOD_SEGMENT_ROWS] = 0;
}

static const brood_segment_kind queue_kind = {2, "queue", brood_queue_sweep, join_queue};

/* ---- where things are in the segment ---- */

typedef struct layout {
    uint32_t granules;
    size_t states; /* offsets */
    size_t reserved;
    size_t store;
    size_t size;
} layout;

/* Two strips more than what was asked for: messages of a quarter of the capacity find room beside
 * the strip that there always is. */
static layout layout_of(uint64_t capacity)
{
    const uint64_t size = ALIGN(capacity, BROOD_QUEUE_STRIP) + 2 * BROOD_QUEUE_STRIP;
    layout where;

    where.granules = (uint32_t)(size / BROOD_QUEUE_GRANULE);
    where.states = sizeof(brood_queue_shared);
    where.reserved = where.states + where.granules * sizeof(brood_word);
    where.store =
        where.reserved + (where.granules / BROOD_QUEUE_CHUNK_GRANULES + 1) * sizeof(brood_word);
    where.store = ALIGN(where.store, BROOD_QUEUE_STRIP);
    where.size = where.store + (size_t)size;
    return where;
}

static void set_up(brood_queue *queue, brood_segment *segment, const layout *where)
{
    unsigned char *data = segment->data;
    const brood_queue_shared *shared = segment->data;

    queue->segment = segment;
    queue->shared = segment->data;
    queue->states = (brood_word *)(data + where->states);
    queue->reserved = (brood_word *)(data + where->reserved);
    queue->store = data + where->store;
    queue->granules = where->granules;
    queue->maxsize = shared->maxsize < UINT32_MAX / 2 ? (uint32_t)shared->maxsize : UINT32_MAX / 2;
    queue->message_max = (size_t)(shared->capacity / 4);
    queue->joinable = shared->joinable != 0;
    brood_word_store(&queue->put_patience, brood_spin_count());
    brood_word_store(&queue->get_patience, brood_spin_count());
}

static void free_queue(void *user)
{
    brood_queue *queue = user;

    if (brood_fork_lost(queue->flag_since)) {
        queue->flag = BROOD_OS_FLAG_NONE; /* whatever has these numbers now is not ours */
    }
    brood_os_flag_close(&queue->flag);
    free(queue);
}

static brood_queue *make_queue(void)
{
    brood_queue *queue = BROOD_ALLOC(calloc(1, sizeof *queue));

    if (queue == NULL) {
        (void)brood_fail_nomem("a queue");
        return NULL;
    }
    queue->flag = BROOD_OS_FLAG_NONE;
    queue->flag_since = brood_generation();
    return queue;
}

/* ---- new, ref, free ---- */

static int check_options(brood_queue_options *options)
{
    const uint64_t capacity = options->capacity > 0 ? options->capacity : DEFAULT_CAPACITY;

    if (capacity > BROOD_QUEUE_CAPACITY_MAX || capacity > SIZE_MAX / 2) {
        return brood_fail(BROOD_EINVAL, "a queue with a capacity of %llu bytes: %llu is the most",
                          (unsigned long long)capacity,
                          (unsigned long long)BROOD_QUEUE_CAPACITY_MAX);
    }
    options->capacity = (size_t)capacity;
    return 0;
}

static void begin_shared(brood_queue_shared *shared, const brood_queue_options *options,
                         const layout *where)
{
    shared->capacity = options->capacity;
    shared->maxsize = options->maxsize > 0 ? options->maxsize : UINT64_MAX;
    shared->granules = where->granules;
    shared->joinable = options->joinable;
    brood_word_store(&shared->top, 1);
    brood_word_store(&shared->lowest, BROOD_QUEUE_STRIP_GRANULES);
}

/* The first strip is there from the beginning: there is always one. */
static void begin_store(const brood_queue *queue)
{
    brood_word_store(&queue->reserved[0], 1);
    for (uint32_t i = 0; i < BROOD_QUEUE_STRIP_GRANULES; i++) {
        brood_word_store(&queue->states[i], BROOD_GRANULE_STRIP);
    }
}

static int make(brood_queue **out, const brood_queue_options *options)
{
    const layout where = layout_of(options->capacity);
    const size_t first = where.store + BROOD_QUEUE_CHUNK;
    brood_queue *queue = make_queue();
    brood_segment *segment = NULL;
    uint32_t me;
    int rc = queue == NULL ? BROOD_ENOMEM : brood_os_flag_create(&queue->flag);

    if (rc == 0) {
        rc = brood_segment_new(&segment, &queue_kind, where.size, first);
    }
    if (rc) {
        if (queue != NULL) {
            free_queue(queue);
        }
        return rc;
    }
    begin_shared(segment->data, options, &where);
    set_up(queue, segment, &where);
    begin_store(queue);
    brood_atomic_store(&queue->refs, 1);
    segment->user = queue;
    segment->free_user = free_queue;
    rc = brood_segment_me(segment, &me);
    if (rc) {
        brood_segment_free(segment);
        return rc;
    }
    *out = queue;
    return 0;
}

int brood_queue_new(brood_queue **out, const brood_queue_options *options)
{
    brood_queue_options read;
    int rc;

    if (out == NULL) {
        return brood_fail(BROOD_EINVAL, "there is no place for the queue: out is NULL");
    }
    *out = NULL;
    rc = brood_options_read(&read, sizeof read, options, "queue");
    if (rc == 0) {
        rc = check_options(&read);
    }
    return rc == 0 ? make(out, &read) : rc;
}

brood_queue *brood_queue_ref(brood_queue *queue)
{
    if (queue != NULL) {
        (void)brood_atomic_add(&queue->refs, 1);
    }
    return queue;
}

/* The object ends with this process's view of the segment; until then it may come again. */
void brood_queue_free(brood_queue *queue)
{
    bool last;

    if (queue == NULL) {
        return;
    }
    brood_locks_take(BROOD_LOCK_SEGMENTS);
    last = brood_atomic_add(&queue->refs, -1) == 0;
    brood_locks_give(BROOD_LOCK_SEGMENTS);
    if (last) {
        brood_segment_free(queue->segment);
    }
}

/* ---- on the way ---- */

int brood_queue_handles(const brood_queue *queue, brood_os_handle handles[BROOD_QUEUE_HANDLES])
{
    const int rc = brood_segment_handle(&handles[0], queue->segment);

    handles[1] = queue->flag.wait;
    handles[2] = queue->flag.raise;
    return rc;
}

/* What strangers wrote has to fit. */
static int check_shared(const brood_segment *segment, layout *where)
{
    const brood_queue_shared *shared = segment->data;

    if (segment->size >= sizeof *shared && shared->capacity > 0 &&
        shared->capacity <= BROOD_QUEUE_CAPACITY_MAX && shared->capacity <= SIZE_MAX / 2) {
        *where = layout_of(shared->capacity);
        if (where->granules == shared->granules && where->size <= segment->size) {
            return 0;
        }
    }
    return brood_fail(BROOD_EDECODE, "the shared memory that came is not that of a queue");
}

static void take_flag(brood_queue *queue, brood_os_handle *handles[BROOD_QUEUE_HANDLES])
{
    queue->flag = (brood_os_flag){*handles[1], *handles[2]};
    queue->flag_since = brood_generation();
    *handles[1] = BROOD_NO_HANDLE;
    *handles[2] = BROOD_NO_HANDLE;
}

/* With BROOD_LOCK_SEGMENTS held: the object that is here already, or `*fresh`. */
static int enter(brood_segment *segment, brood_queue **fresh,
                 brood_os_handle *handles[BROOD_QUEUE_HANDLES], brood_queue **out)
{
    brood_queue *queue = segment->user;
    layout where = {0};
    int rc = 0;

    if (queue == NULL) {
        rc = check_shared(segment, &where);
        if (rc) {
            return rc;
        }
        queue = *fresh;
        *fresh = NULL;
        set_up(queue, segment, &where);
        take_flag(queue, handles);
        segment->user = queue;
        segment->free_user = free_queue;
    } else if (brood_fork_lost(queue->flag_since)) {
        take_flag(queue, handles);
    }
    if (brood_atomic_add(&queue->refs, 1) == 1) {
        brood_atomic_store(&queue->closed, 0);
    }
    *out = queue;
    return 0;
}

int brood_queue_load(brood_queue **out, const unsigned char id[BROOD_SEGMENT_ID],
                     brood_os_handle *handles[BROOD_QUEUE_HANDLES])
{
    brood_segment *segment = NULL;
    brood_queue *fresh = make_queue();
    brood_queue *queue = NULL;
    bool again = false;
    uint32_t me;
    int rc =
        fresh != NULL ? brood_segment_attach(&segment, &queue_kind, id, handles[0]) : BROOD_ENOMEM;

    if (rc == 0) {
        brood_locks_take(BROOD_LOCK_SEGMENTS);
        rc = enter(segment, &fresh, handles, &queue);
        again = rc == 0 && brood_atomic_load(&queue->refs) > 1; /* it has its reference already */
        brood_locks_give(BROOD_LOCK_SEGMENTS);
        if (rc || again) {
            brood_segment_free(segment);
        }
    }
    free(fresh);
    if (rc == 0) {
        rc = brood_segment_me(queue->segment, &me);
        if (rc) {
            brood_queue_free(queue);
            return rc;
        }
        *out = queue;
    }
    return rc;
}

/* ---- locks ---- */

int brood_queue_begin_slowly(brood_queue *queue, uint32_t *me)
{
    if (queue == NULL) {
        return brood_fail(BROOD_EINVAL, "the queue is NULL");
    }
    if (brood_fork_lost(queue->segment->handle_since)) {
        return brood_fail(BROOD_EHANDLE,
                          "the queue is this process's parent's, and was not sent to it");
    }
    return brood_segment_me(queue->segment, me);
}

int brood_queue_damaged(void)
{
    return brood_fail(BROOD_EBROKEN, "somebody has overwritten the queue's memory");
}

static int lock(brood_queue *queue, brood_word *word, uint32_t me, int64_t deadline_ns,
                void (*mend)(brood_queue *queue))
{
    const int64_t latest =
        deadline_ns == BROOD_DEADLINE_NEVER ? deadline_ns : brood_os_now() + LOCK_NS;
    const int rc = brood_guard_wait(queue->segment, word, me, true,
                                    latest > deadline_ns ? latest : deadline_ns);

    switch (rc) {
    case BROOD_EOWNERDEAD:
        mend(queue);
        return 0;
    case BROOD_EDEADLK:
        return brood_fail(rc, "this thread is in a call of the queue already");
    case BROOD_ETIMEDOUT:
        return brood_fail(rc, "process %lld does not go on with what it does to the queue",
                          (long long)brood_segment_pid(queue->segment, brood_word_load(word)));
    default:
        return rc;
    }
}

static void end_intent(brood_queue_intent *intent)
{
    brood_word64_store(&intent->what, 0);
}

/* Frees what an intent was about, if it is so. */
static void mend_intent(brood_queue *queue, brood_queue_intent *intent, bool free_it)
{
    const uint64_t what = brood_word64_load(&intent->what);
    const uint32_t first = (uint32_t)(what >> 32);
    const uint32_t count = intent->count;

    if (what != 0 && free_it && first < queue->granules && count <= queue->granules - first &&
        count > 0) {
        (void)brood_queue_give(queue, first, count, (uint32_t)what);
    }
    end_intent(intent);
}

static bool lies_in_strip(uint64_t place, const brood_queue_intent *intent)
{
    const uint32_t first = (uint32_t)(brood_word64_load(&intent->what) >> 32);

    return brood_queue_unit(place) / (BROOD_QUEUE_STRIP / BROOD_QUEUE_UNIT) ==
           first / BROOD_QUEUE_STRIP_GRANULES;
}

static void mend_put(brood_queue *queue)
{
    brood_queue_put_side *put = &queue->shared->put;
    const uint64_t tail = brood_word64_load(&put->tail);

    put->strip.count = BROOD_QUEUE_STRIP_GRANULES;
    mend_intent(queue, &put->strip, !lies_in_strip(tail, &put->strip));
    mend_intent(queue, &put->block, tail != put->block.commit);
    if (brood_word_load(&queue->shared->polled) != 0) { /* it may be up and not say so */
        brood_os_flag_lower(&queue->flag);
        put->raised = 0;
        if (!brood_queue_is_empty(queue) || brood_word_load(&queue->shared->shutdown) != 0) {
            brood_queue_raise(queue);
        }
    }
}

static void mend_get(brood_queue *queue)
{
    brood_queue_get_side *get = &queue->shared->get;
    const uint64_t head = brood_word64_load(&get->head);
    const uint32_t row = brood_word_load(&get->settled_row);

    get->strip.count = BROOD_QUEUE_STRIP_GRANULES;
    mend_intent(queue, &get->strip, !lies_in_strip(head, &get->strip));
    mend_intent(queue, &get->block, head == get->block.commit);
    if (row != 0 && brood_word_load(&get->done) == get->settled_done) {
        queue->shared->taken[row % BROOD_SEGMENT_ROWS] = get->settled_count;
    }
    brood_word_store(&get->settled_row, 0);
}

int brood_queue_wait_put(brood_queue *queue, uint32_t me, int64_t deadline_ns)
{
    return lock(queue, &queue->shared->put_lock, me, deadline_ns, mend_put);
}

int brood_queue_wait_get(brood_queue *queue, uint32_t me, int64_t deadline_ns)
{
    return lock(queue, &queue->shared->get_lock, me, deadline_ns, mend_get);
}

/* ---- how many ---- */

/* Of both at one instant: the head does not come back to where it was. */
static uint32_t count_messages(const brood_queue *queue)
{
    const brood_queue_shared *shared = queue->shared;
    uint64_t head = brood_word64_load(&shared->get.head);

    for (;;) {
        const uint64_t tail = brood_word64_load(&shared->put.tail);
        const uint64_t again = brood_word64_load(&shared->get.head);
        if (again == head) {
            return brood_queue_count(tail) - brood_queue_count(head);
        }
        head = again;
    }
}

size_t brood_queue_qsize(const brood_queue *queue)
{
    return queue != NULL ? count_messages(queue) : 0;
}

bool brood_queue_is_empty(const brood_queue *queue)
{
    return count_messages(queue) == 0;
}

bool brood_queue_empty(const brood_queue *queue)
{
    return queue == NULL || count_messages(queue) == 0;
}

bool brood_queue_full(const brood_queue *queue)
{
    return queue != NULL && count_messages(queue) >= queue->maxsize;
}

/* ---- close, shutdown ---- */

void brood_queue_close(brood_queue *queue)
{
    uint32_t me;

    if (queue == NULL) {
        return;
    }
    brood_atomic_store(&queue->closed, 1);
    if (brood_queue_begin(queue, &me) == 0) {
        (void)brood_queue_wake_all(queue, me, &queue->shared->get.slots, BROOD_QUEUE_GET_SIDE);
        (void)brood_queue_wake_all(queue, me, &queue->shared->get.room, BROOD_QUEUE_GET_SIDE);
    }
}

static int stop_puts(brood_queue *queue, uint32_t me, uint32_t how)
{
    brood_word *word = &queue->shared->shutdown;
    const int rc = brood_queue_lock_put(queue, me, BROOD_DEADLINE_PASSED);

    if (rc == 0) {
        brood_word_store(word, brood_word_load(word) > how ? brood_word_load(word) : how);
        brood_queue_raise(queue);
        brood_queue_unlock_put(queue);
    }
    return rc;
}

static int wake_everybody(brood_queue *queue, uint32_t me)
{
    brood_queue_shared *shared = queue->shared;
    int rc = brood_queue_wake_all(queue, me, &shared->put.items, BROOD_QUEUE_PUT_SIDE);

    rc = rc ? rc : brood_queue_wake_all(queue, me, &shared->get.slots, BROOD_QUEUE_GET_SIDE);
    rc = rc ? rc : brood_queue_wake_all(queue, me, &shared->get.room, BROOD_QUEUE_GET_SIDE);
    return rc ? rc : brood_queue_wake_all(queue, me, &shared->get.idle, BROOD_QUEUE_GET_SIDE);
}

int brood_queue_shutdown(brood_queue *queue, bool immediate)
{
    uint32_t me;
    int rc = brood_queue_begin(queue, &me);

    if (rc == 0) {
        rc = stop_puts(queue, me, immediate ? BROOD_QUEUE_STOPPED : BROOD_QUEUE_DRAINING);
    }
    if (rc == 0 && immediate) {
        rc = brood_queue_discard(queue, me);
    }
    return rc ? rc : wake_everybody(queue, me);
}

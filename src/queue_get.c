/* Taking messages. */
#include <stdlib.h>
#include <string.h>

#include "deadline.h"
#include "error.h"
#include "fault.h"
#include "message.h"
#include "queue.h"
#include "unparcel.h"

#define FEW 4          /* messages found at once, */
#define HASTE 4        /* so often in a row: */
#define RESPITE 60     /* then as many pauses before the next look, */
#define CALM 4096      /* more looks at most, where it did not pay */
#define MANY 64        /* until it finds more than this, or few in spite of it */
#define FIRST_ROOM 256 /* bytes, for the first message */
#define DISCARDED_AT_ONCE 256

/* A message that was found, with get_lock held. */
typedef struct finding {
    uint64_t head;
    uint32_t unit; /* its header's */
    uint32_t kind;
    uint32_t units;            /* of it in the strip */
    size_t size;               /* bytes */
    const void *data;          /* of a small message */
    brood_queue_record record; /* of a large one, checked */
    uint32_t count;            /* its granules */
} finding;

/* ---- with get_lock held ---- */

static uint64_t header_at(const brood_queue *queue, uint32_t unit)
{
    return brood_word64_load_relaxed(
        (const brood_word64 *)(queue->store + (size_t)unit * BROOD_QUEUE_UNIT));
}

/* Whether so many units lie there in one strip. */
static bool is_inside(const brood_queue *queue, uint64_t unit, uint64_t units)
{
    const uint64_t strip = BROOD_QUEUE_STRIP / BROOD_QUEUE_UNIT;

    return unit < (uint64_t)queue->granules * (BROOD_QUEUE_GRANULE / BROOD_QUEUE_UNIT) &&
           units <= strip - unit % strip;
}

static bool read_record(const brood_queue *queue, finding *found)
{
    brood_queue_record *record = &found->record;

    memcpy(record, found->data, sizeof *record);
    if (record->size == 0 || record->size > queue->message_max ||
        (record->state & BROOD_GRANULE_KIND) != BROOD_GRANULE_QUEUED) {
        return false;
    }
    found->size = (size_t)record->size;
    found->count = (uint32_t)brood_queue_granules_of(found->size);
    return record->first < queue->granules && found->count <= queue->granules - record->first;
}

/* Reads what lies at the head. All of it was written by others. */
static int find(const brood_queue *queue, finding *found)
{
    uint64_t header;
    uint32_t low;

    found->unit = brood_queue_unit(found->head);
    if (!is_inside(queue, found->unit, 1)) {
        return brood_queue_damaged();
    }
    header = header_at(queue, found->unit);
    if (header >> 32 == BROOD_QUEUE_JUMP) {
        found->unit = (uint32_t)header;
        if (!is_inside(queue, found->unit, 1)) {
            return brood_queue_damaged();
        }
        header = header_at(queue, found->unit);
    }
    low = (uint32_t)header;
    found->kind = (uint32_t)(header >> 32);
    found->size = low;
    found->units = 1 + low / BROOD_QUEUE_UNIT + (low % BROOD_QUEUE_UNIT != 0);
    found->data = queue->store + ((size_t)found->unit + 1) * BROOD_QUEUE_UNIT;
    if (!is_inside(queue, found->unit, found->units) ||
        !(found->kind == BROOD_QUEUE_BYTES ||
          (found->kind == BROOD_QUEUE_BLOCK && low == sizeof found->record &&
           read_record(queue, found)))) {
        return brood_queue_damaged();
    }
    return 0;
}

/* What is to be done without the lock. */
typedef struct aftermath {
    uint32_t slots; /* sleepers to wake */
    uint32_t room;
    bool chunk_free;
    bool empty;     /* as far as is known */
    bool looked;    /* at the other side */
    uint32_t found; /* messages */
} aftermath;

/* From the commit on its granules are loaned to us, to read them or to free them. */
static void take_granules(brood_queue *queue, uint32_t me, const finding *found)
{
    const uint32_t loaned = (me & BROOD_PROCESS_BITS) | BROOD_GRANULE_LOANED;

    for (uint32_t i = 0; i < found->count; i++) {
        (void)brood_word_cas(&queue->states[found->record.first + i], found->record.state, loaned);
    }
    brood_word64_store(&queue->shared->get.block.what, 0);
}

static bool leaves_strip(const finding *found)
{
    return found->unit != brood_queue_unit(found->head);
}

/* What will be done to granules once the commit has been made. */
static void intend(brood_queue *queue, const finding *found, uint64_t commit)
{
    brood_queue_get_side *get = &queue->shared->get;

    if (leaves_strip(found)) {
        const uint32_t first = brood_queue_unit(found->head) /
                               (BROOD_QUEUE_STRIP / BROOD_QUEUE_UNIT) * BROOD_QUEUE_STRIP_GRANULES;
        brood_word64_store(&get->strip.what,
                           (uint64_t)first << 32 | brood_word_load(&queue->states[first]));
    }
    if (found->kind == BROOD_QUEUE_BLOCK) {
        get->block.commit = commit;
        get->block.count = found->count;
        brood_word64_store(&get->block.what,
                           (uint64_t)found->record.first << 32 | found->record.state);
    }
}

/* The strip that was left, when nothing is in it any more. True if a chunk is free now. */
static bool free_strip(brood_queue *queue)
{
    brood_queue_intent *intent = &queue->shared->get.strip;
    const uint64_t what = brood_word64_load_relaxed(&intent->what);
    const bool freed =
        brood_queue_give(queue, (uint32_t)(what >> 32), BROOD_QUEUE_STRIP_GRANULES, (uint32_t)what);

    brood_word64_store(&intent->what, 0);
    return freed;
}

static void commit(brood_queue *queue, uint32_t me, const finding *found, aftermath *after)
{
    brood_queue_get_side *get = &queue->shared->get;
    const uint64_t place =
        brood_queue_place((uint64_t)found->unit + found->units, brood_queue_count(found->head) + 1);

    intend(queue, found, place);
    BROOD_STOP("queue-take");
    brood_word64_store(&get->head, place); /* from here on it is taken */
    BROOD_STOP("queue-take-done");
    if (queue->joinable) {
        queue->shared->taken[(me & BROOD_OWNER) >> BROOD_ROW_SHIFT]++;
    }
    if (found->kind == BROOD_QUEUE_BLOCK) {
        take_granules(queue, me, found);
    }
    if (leaves_strip(found)) {
        after->chunk_free = free_strip(queue);
        after->room = brood_queue_owes(&get->room, UINT32_MAX);
    }
    after->slots = brood_queue_owes(&get->slots, 1);
    after->empty =
        brood_queue_count(place) == brood_queue_count(brood_word64_load_relaxed(&get->seen_tail));
}

/* How many there are; `*looked` tells that this is new. */
static uint32_t count_items(brood_queue *queue, uint64_t head, bool *looked)
{
    brood_queue_shared *shared = queue->shared;
    uint64_t tail = brood_word64_load_relaxed(&shared->get.seen_tail);

    *looked = brood_queue_count(tail) == brood_queue_count(head);
    if (*looked) {
        tail = brood_word64_load(&shared->put.tail);
        brood_word64_store_relaxed(&shared->get.seen_tail, tail);
    }
    return brood_queue_count(tail) - brood_queue_count(head);
}

/* BROOD_EEMPTY, or that there will never be anything. */
static int check_items(brood_queue *queue, uint64_t head, aftermath *after)
{
    uint32_t shutdown;

    after->found = count_items(queue, head, &after->looked);
    shutdown = brood_word_load(&queue->shared->shutdown);
    if (shutdown == BROOD_QUEUE_OPEN) {
        return after->found > 0 ? 0 : BROOD_EEMPTY;
    }
    /* What was put before the shutdown, but after the look. */
    after->found = after->found > 0 ? after->found : count_items(queue, head, &after->looked);
    return shutdown == BROOD_QUEUE_STOPPED || after->found == 0
               ? brood_fail(BROOD_ESHUTDOWN, "get: the queue was shut down")
               : 0;
}

#if defined(BROOD_FAULTS)
static const void *contents(const brood_queue *queue, const finding *found)
{
    return found->kind == BROOD_QUEUE_BLOCK ? brood_queue_granule(queue, found->record.first)
                                            : found->data;
}
#endif

static int take_locked(brood_queue *queue, uint32_t me, brood_queue_taking *taking, finding *found,
                       aftermath *after)
{
    int rc;

    found->head = brood_word64_load_relaxed(&queue->shared->get.head);
    found->count = 0;
    rc = taking->data != NULL ? check_items(queue, found->head, after)
         : count_items(queue, found->head, &after->looked) > 0 ? 0
                                                               : BROOD_EEMPTY;
    rc = rc ? rc : find(queue, found);
    if (rc) {
        return rc;
    }
    taking->size = found->size;
    if (taking->data != NULL && found->size > taking->room) {
        return BROOD_ETOOSMALL;
    }
    if (taking->data != NULL && found->kind == BROOD_QUEUE_BYTES) {
        memcpy(taking->data, found->data, found->size);
    }
    BROOD_WATCH("queue-take", brood_queue_count(found->head), contents(queue, found), found->size);
    commit(queue, me, found, after);
    return 0;
}

/* ---- how fast to look ----
 *
 * A consumer that is as fast as the producers takes their cache line away from them for each message,
 * and none of them gets on. When it finds few messages at each look, several times in a row, it lets
 * some more come first. */

static bool let_some_come(const brood_queue *queue)
{
    const brood_queue_get_side *get = &queue->shared->get;

    if (brood_word_load_relaxed(&queue->haste) < brood_word_load_relaxed(&queue->calm) + HASTE ||
        brood_queue_count(brood_word64_load_relaxed(&get->seen_tail)) !=
            brood_queue_count(brood_word64_load_relaxed(&get->head))) {
        return false;
    }
    for (uint32_t i = 0; i < RESPITE && i < brood_spin_count(); i++) {
        brood_os_relax();
    }
    return true;
}

static void learn_haste(brood_queue *queue, uint32_t found, bool rested)
{
    const uint32_t calm = brood_word_load_relaxed(&queue->calm);

    if (rested && found < FEW) { /* they are not so fast: think twice the next time */
        brood_queue_learn(&queue->calm, calm < CALM ? calm * 2 + HASTE : calm);
    } else if (rested) {
        brood_queue_learn(&queue->calm, 0);
    }
    if (found > MANY || found == 0 || (rested && found < FEW)) {
        brood_queue_learn(&queue->haste, 0);
    } else if (found < FEW) {
        brood_queue_learn(&queue->haste, brood_word_load_relaxed(&queue->haste) + 1);
    }
}

/* ---- one try ---- */

/* A large message is copied when others can go on. */
static void copy_block(brood_queue *queue, uint32_t me, const brood_queue_taking *taking,
                       const finding *found, aftermath *after)
{
    const uint32_t state = (me & BROOD_PROCESS_BITS) | BROOD_GRANULE_LOANED;

    if (taking->data != NULL) {
        memcpy(taking->data, brood_queue_granule(queue, found->record.first), found->size);
    }
    BROOD_STOP("queue-copied");
    after->chunk_free =
        brood_queue_give(queue, found->record.first, found->count, state) || after->chunk_free;
    brood_queue_room_came(queue, me);
}

static void finish(brood_queue *queue, uint32_t me, const brood_queue_taking *taking,
                   const finding *found, aftermath *after)
{
    brood_queue_get_side *get = &queue->shared->get;

    brood_queue_wake(queue, &get->slots, after->slots);
    brood_queue_wake(queue, &get->room, after->room);
    if (after->empty && brood_word_load_relaxed(&queue->shared->polled) != 0) {
        brood_queue_settle(queue, me);
    }
    if (found->kind == BROOD_QUEUE_BLOCK) {
        copy_block(queue, me, taking, found, after);
    }
    if (after->chunk_free && brood_queue_trim(queue, me, found->size)) {
        brood_queue_room_came(queue, me);
    }
}

static int try_take(brood_queue *queue, uint32_t me, brood_queue_taking *taking,
                    int64_t deadline_ns)
{
    aftermath after = {0, 0, false, false, false, 0};
    finding found = {0};
    const bool rested = let_some_come(queue);
    int rc = brood_queue_lock_get(queue, me, deadline_ns);

    if (rc) {
        return rc;
    }
    rc = take_locked(queue, me, taking, &found, &after);
    brood_queue_unlock_get(queue);
    if (after.looked) {
        learn_haste(queue, after.found, rested);
    }
    BROOD_STOP("queue-take-unlocked");
    if (rc == 0) {
        finish(queue, me, taking, &found, &after);
    }
    return rc;
}

/* ---- waiting ---- */

/* Looks a little while whether something is put: as often as it has paid lately. */
static bool spin(brood_queue *queue)
{
    const brood_word64 *tail = &queue->shared->put.tail;
    const uint32_t head = brood_queue_count(brood_word64_load_relaxed(&queue->shared->get.head));
    brood_queue_look look = brood_queue_look_out(&queue->get_patience);
    bool found = false;

    while (!found && brood_queue_look_on(&look)) {
        found = brood_queue_count(brood_word64_load_relaxed(tail)) != head;
    }
    brood_queue_learn_patience(&queue->get_patience, found);
    return found;
}

/* Somebody may wait for the flag's handle, in a loop of its own, from now on. */
static int say_empty(brood_queue *queue, uint32_t me, int64_t deadline_ns)
{
    bool ready;
    int rc = 0;

    if (deadline_ns != BROOD_DEADLINE_PASSED) {
        return brood_fail(BROOD_ETIMEDOUT, "get: timed out, the queue is empty");
    }
    if (brood_atomic_load(&queue->watched) != 0) {
        rc = brood_queue_arm(queue, me, &ready);
    }
    return rc ? rc : brood_fail(BROOD_EEMPTY, "get: the queue is empty");
}

/* After a first try. */
static int wait_and_take(brood_queue *queue, uint32_t me, brood_queue_taking *taking,
                         int64_t deadline_ns)
{
    brood_queue_wait wait = {queue, me, deadline_ns, NULL, BROOD_QUEUE_PUT_SIDE, 0, NULL};
    int rc = BROOD_EEMPTY;

    while (rc == BROOD_EEMPTY) {
        if (brood_deadline_passed(deadline_ns)) {
            rc = say_empty(queue, me, deadline_ns);
            break;
        }
        if (wait.gate != NULL || !spin(queue)) {
            rc = brood_queue_wait_at(&wait, &queue->shared->put.items, BROOD_QUEUE_PUT_SIDE, 0);
        }
        rc = rc == 0 || rc == BROOD_EEMPTY ? try_take(queue, me, taking, deadline_ns) : rc;
    }
    brood_queue_wait_end(&wait, rc == 0);
    return rc;
}

int brood_queue_take(brood_queue *queue, uint32_t me, brood_queue_taking *taking,
                     int64_t deadline_ns)
{
    const int rc = try_take(queue, me, taking, deadline_ns);

    return rc == BROOD_EEMPTY ? wait_and_take(queue, me, taking, deadline_ns) : rc;
}

/* ---- all that is left ---- */

/* A part of it; true: there may be more. What nobody will take counts as taken and done. */
static int discard_some(brood_queue *queue, uint32_t me, bool *more)
{
    brood_queue_taking taking = {NULL, 0, 0};
    int rc = 0;

    for (int i = 0; rc == 0 && i < DISCARDED_AT_ONCE; i++) {
        rc = try_take(queue, me, &taking, BROOD_DEADLINE_PASSED);
        if (rc == 0 && queue->joinable) {
            rc = brood_queue_task_done(queue);
        }
    }
    *more = rc == 0;
    return rc == BROOD_EEMPTY ? 0 : rc;
}

int brood_queue_discard(brood_queue *queue, uint32_t me)
{
    bool more = true;
    int rc = 0;

    while (rc == 0 && more) {
        rc = discard_some(queue, me, &more);
    }
    return rc;
}

/* ---- bytes ---- */

static int begin(brood_queue *queue, uint32_t *me, int64_t timeout_ms, int64_t *deadline_ns)
{
    const int rc = brood_queue_begin(queue, me);

    return rc == 0 ? brood_deadline(deadline_ns, timeout_ms) : rc;
}

int brood_queue_get_bytes_into(brood_queue *queue, void *data, size_t *size, int64_t timeout_ms)
{
    brood_queue_taking taking;
    char none;
    int64_t deadline_ns;
    uint32_t me;
    int rc = begin(queue, &me, timeout_ms, &deadline_ns);

    if (rc) {
        return rc;
    }
    if (size == NULL || (data == NULL && *size > 0)) {
        return brood_fail(BROOD_EINVAL, "get: there is no place for the message");
    }
    taking = (brood_queue_taking){data != NULL ? data : &none, *size, 0};
    rc = brood_queue_take(queue, me, &taking, deadline_ns);
    if (rc == 0) {
        *size = taking.size;
    } else if (rc == BROOD_ETOOSMALL) {
        rc = brood_fail(rc, "get: a message of %zu bytes where there is room for %zu", taking.size,
                        *size);
        *size = taking.size;
    }
    return rc;
}

/* What is asked for first when the next message comes: as much as for this one, within reason. */
static void learn_size(brood_queue *queue, size_t size)
{
    size_t hint = size > BROOD_QUEUE_SMALL_MAX ? 0 : size;

    hint = hint < FIRST_ROOM ? FIRST_ROOM : hint;
    if (hint != brood_word_load_relaxed(&queue->size_hint)) {
        brood_word_store(&queue->size_hint, (uint32_t)hint);
    }
}

/* Memory comes first: a message that was taken cannot be put back. */
static int take_message(brood_queue *queue, uint32_t me, brood_message **out, int64_t deadline_ns)
{
    const size_t hint = brood_word_load_relaxed(&queue->size_hint);
    brood_queue_taking taking = {NULL, 0, hint > 0 ? hint : FIRST_ROOM};
    brood_message *message = NULL;
    int rc;

    do {
        taking.room = taking.size;
        brood_message_free(message);
        rc = brood_message_with_room(&message, taking.room);
        if (rc) {
            return rc;
        }
        taking.data = message->buffer.data;
        rc = brood_queue_take(queue, me, &taking, deadline_ns);
    } while (rc == BROOD_ETOOSMALL);
    if (rc) {
        brood_message_free(message);
        return rc;
    }
    learn_size(queue, taking.size);
    message->buffer.size = taking.size;
    *out = message;
    return 0;
}

static int get(brood_queue *queue, brood_message **out, int64_t timeout_ms)
{
    int64_t deadline_ns;
    uint32_t me;
    int rc;

    if (out == NULL) {
        return brood_fail(BROOD_EINVAL, "get: there is no place for the message: out is NULL");
    }
    *out = NULL;
    rc = begin(queue, &me, timeout_ms, &deadline_ns);
    return rc == 0 ? take_message(queue, me, out, deadline_ns) : rc;
}

int brood_queue_get_bytes(brood_queue *queue, brood_message **out, int64_t timeout_ms)
{
    const int rc = get(queue, out, timeout_ms);

    if (rc == 0) {
        brood_message_show(*out);
    }
    return rc;
}

/* ---- values ---- */

int brood_queue_get(brood_queue *queue, brood_message **out, int64_t timeout_ms)
{
    brood_unparcel unparcel;
    brood_loader loader;
    int rc = get(queue, out, timeout_ms);

    if (rc) {
        return rc;
    }
    brood_unparcel_init(&unparcel, NULL, 0);
    loader = brood_unparcel_loader(&unparcel);
    rc = brood_message_decode(*out, &loader);
    brood_unparcel_close(&unparcel);
    if (rc) {
        brood_message_free(*out);
        *out = NULL;
    }
    return rc;
}

/* Putting messages. */
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "codec.h"
#include "deadline.h"
#include "error.h"
#include "fault.h"
#include "function.h"
#include "object.h"
#include "queue.h"

#define AHEAD 512 /* bytes */

/* What is to be done with put_lock held. */
typedef struct putting {
    const void *data; /* of a small message */
    size_t size;
    uint32_t count; /* granules of a large message, 0: it is a small one */
    uint32_t first; /* of them, once `loaned` */
    bool loaned;
    brood_queue_gate *blocked; /* what stands in the way */
} putting;

/* ---- with put_lock held ---- */

static bool is_full(brood_queue *queue)
{
    brood_queue_shared *shared = queue->shared;
    const uint32_t count = brood_queue_count(brood_word64_load_relaxed(&shared->put.tail));

    if (count - brood_queue_count(shared->put.seen_head) < queue->maxsize) {
        return false;
    }
    shared->put.seen_head = brood_word64_load(&shared->get.head);
    return count - brood_queue_count(shared->put.seen_head) >= queue->maxsize;
}

/* Where the next header lies, and the strip's end. Every strip keeps room for a jump. */
static uint32_t units_left(uint32_t unit)
{
    const uint32_t units = BROOD_QUEUE_STRIP / BROOD_QUEUE_UNIT;

    return units - unit % units - 1;
}

static brood_word64 *header_at(const brood_queue *queue, uint32_t unit)
{
    return (brood_word64 *)(queue->store + (size_t)unit * BROOD_QUEUE_UNIT);
}

static void write_header(brood_word64 *header, uint32_t kind, uint32_t low)
{
    brood_word64_store_relaxed(header, brood_queue_header(kind, low));
}

/* Finds `units` for a message behind `*unit`, which is set to where it begins. */
static int find_units(brood_queue *queue, uint32_t units, uint32_t *unit)
{
    const uint32_t units_of_granule = BROOD_QUEUE_GRANULE / BROOD_QUEUE_UNIT;
    uint32_t first;
    int rc;

    if ((size_t)*unit * BROOD_QUEUE_UNIT >= (size_t)queue->granules * BROOD_QUEUE_GRANULE) {
        return brood_queue_damaged();
    }
    if (units <= units_left(*unit)) {
        return 0;
    }
    rc = brood_queue_take_strip(queue, &first);
    if (rc == 0) {
        BROOD_STOP("queue-strip");
        write_header(header_at(queue, *unit), BROOD_QUEUE_JUMP, first * units_of_granule);
        *unit = first * units_of_granule;
    }
    return rc;
}

/* The lines behind the message, for those that come next: every lock and unlock waits until what was
 * written before has its line, which a consumer may have. */
static void prepare(const brood_word64 *header, uint32_t units)
{
    const char *ahead = (const char *)header + AHEAD;

    for (uint32_t i = 0; i < units * BROOD_QUEUE_UNIT && i < AHEAD; i += 64) {
        brood_os_prefetch(ahead + i);
    }
}

static void mark_queued(brood_queue *queue, const putting *what, uint32_t state)
{
    for (uint32_t i = 0; i < what->count; i++) {
        brood_word_store(&queue->states[what->first + i], state);
    }
}

/* A large message's granules are loaned to us; from the commit on they are the queue's. */
static void write_record(brood_queue *queue, const putting *what, brood_word64 *header,
                         uint64_t commit)
{
    brood_queue_put_side *put = &queue->shared->put;
    const uint32_t state = brood_queue_new_state(queue, BROOD_GRANULE_QUEUED);
    const brood_queue_record record = {what->size, what->first, state};

    memcpy((void *)(header + 1), &record, sizeof record);
    write_header(header, BROOD_QUEUE_BLOCK, (uint32_t)sizeof record);
    put->block.commit = commit;
    put->block.count = what->count;
    brood_word64_store(&put->block.what, (uint64_t)what->first << 32 | state);
    mark_queued(queue, what, state);
    BROOD_STOP("queue-marked");
}

static int append(brood_queue *queue, const putting *what)
{
    brood_queue_put_side *put = &queue->shared->put;
    const uint64_t tail = brood_word64_load_relaxed(&put->tail);
    const size_t bytes = what->count > 0 ? sizeof(brood_queue_record) : what->size;
    const uint32_t units = 1 + (uint32_t)((bytes + BROOD_QUEUE_UNIT - 1) / BROOD_QUEUE_UNIT);
    uint32_t unit = brood_queue_unit(tail);
    const int rc = find_units(queue, units, &unit);
    const uint64_t commit = brood_queue_place(unit + units, brood_queue_count(tail) + 1);
    brood_word64 *header;

    if (rc) {
        return rc;
    }
    header = header_at(queue, unit);
    if (what->count > 0) {
        write_record(queue, what, header, commit);
    } else {
        write_header(header, BROOD_QUEUE_BYTES, (uint32_t)what->size);
        memcpy((void *)(header + 1), what->data, what->size);
    }
    prepare(header, units);
    brood_queue_raise(queue); /* before: it may be up for nothing, but not down for something */
    BROOD_STOP("queue-put");
    brood_word64_store(&put->tail, commit); /* from here on it is put */
    BROOD_STOP("queue-put-done");
    if (unit != brood_queue_unit(tail)) {
        brood_word64_store(&put->strip.what, 0);
    }
    if (what->count > 0) {
        brood_word64_store(&put->block.what, 0);
    }
    return 0;
}

static int check_open(const brood_queue *queue)
{
    if (brood_atomic_load(&queue->closed) != 0) {
        return brood_fail(BROOD_ECLOSED, "put: this process has closed the queue");
    }
    if (brood_word_load(&queue->shared->shutdown) != BROOD_QUEUE_OPEN) {
        return brood_fail(BROOD_ESHUTDOWN, "put: the queue was shut down");
    }
    return 0;
}

/* ---- one try ---- */

static int try_locked(brood_queue *queue, uint32_t me, putting *what)
{
    int rc = check_open(queue);

    if (rc) {
        return rc;
    }
    if (is_full(queue)) {
        what->blocked = &queue->shared->get.slots;
        return BROOD_EFULL;
    }
    what->blocked = &queue->shared->get.room;
    return what->count > 0 && !what->loaned
               ? brood_queue_take_block(queue, me, what->count, &what->first)
               : append(queue, what);
}

/* Puts a small message, loans the granules of a large one, or puts it. */
static int try_put(brood_queue *queue, uint32_t me, putting *what, int64_t deadline_ns)
{
    brood_queue_gate *items = &queue->shared->put.items;
    const bool loans = what->count > 0 && !what->loaned;
    uint32_t owed = 0;
    int rc = brood_queue_lock_put(queue, me, deadline_ns);

    if (rc) {
        return rc;
    }
    rc = try_locked(queue, me, what);
    if (rc == 0 && loans) {
        what->loaned = true;
    } else if (rc == 0) {
        owed = brood_queue_owes(items, 1);
    }
    brood_queue_unlock_put(queue);
    BROOD_STOP("queue-put-unlocked");
    brood_queue_wake(queue, items, owed);
    return rc;
}

/* ---- waiting ---- */

/* Looks a little while whether somebody takes something. */
static bool spin(brood_queue *queue)
{
    const brood_word64 *head = &queue->shared->get.head;
    const uint64_t before = brood_word64_load_relaxed(head);
    brood_queue_look look = brood_queue_look_out(&queue->put_patience);
    bool taken = false;

    while (!taken && brood_queue_look_on(&look)) {
        taken = brood_word64_load_relaxed(head) != before;
    }
    brood_queue_learn_patience(&queue->put_patience, taken);
    return taken;
}

static int say_full(int64_t deadline_ns)
{
    return deadline_ns == BROOD_DEADLINE_PASSED
               ? brood_fail(BROOD_EFULL, "put: the queue is full")
               : brood_fail(BROOD_ETIMEDOUT, "put: timed out, the queue is full");
}

/* After a first try. */
static int wait_and_put(brood_queue *queue, uint32_t me, putting *what, int64_t deadline_ns)
{
    brood_queue_wait wait = {queue, me, deadline_ns, NULL, BROOD_QUEUE_GET_SIDE, 0, NULL};
    int rc = BROOD_EFULL;

    while (rc == BROOD_EFULL) {
        const bool at_gate = wait.gate == what->blocked;
        const bool over = brood_deadline_passed(deadline_ns);
        if (what->blocked == &queue->shared->get.room && (at_gate || over) &&
            brood_queue_reap(queue)) {
            brood_queue_room_came(queue, me);
        } else if (over) {
            rc = say_full(deadline_ns);
            break;
        } else if (at_gate || !spin(queue)) {
            rc = brood_queue_wait_at(&wait, what->blocked, BROOD_QUEUE_GET_SIDE, 0);
        }
        rc = rc == 0 || rc == BROOD_EFULL ? try_put(queue, me, what, deadline_ns) : rc;
    }
    brood_queue_wait_end(&wait, rc == 0);
    return rc;
}

static int put_until(brood_queue *queue, uint32_t me, putting *what, int64_t deadline_ns)
{
    const int rc = try_put(queue, me, what, deadline_ns);

    return rc == BROOD_EFULL ? wait_and_put(queue, me, what, deadline_ns) : rc;
}

/* ---- large messages ---- */

static void return_loan(brood_queue *queue, uint32_t me, const putting *what)
{
    const uint32_t state = (me & BROOD_PROCESS_BITS) | BROOD_GRANULE_LOANED;

    if (brood_queue_give(queue, what->first, what->count, state)) {
        (void)brood_queue_trim(queue, me, what->size);
    }
    brood_queue_room_came(queue, me);
}

static int put_large(brood_queue *queue, uint32_t me, const void *data, size_t size,
                     int64_t deadline_ns)
{
    putting what = {NULL, size, (uint32_t)brood_queue_granules_of(size), 0, false, NULL};
    int rc = put_until(queue, me, &what, deadline_ns);

    if (rc) {
        return rc;
    }
    rc = brood_queue_reserve(queue, what.first, what.count);
    if (rc == 0) {
        BROOD_STOP("queue-loaned");
        memcpy(brood_queue_granule(queue, what.first), data, size);
        rc = put_until(queue, me, &what, deadline_ns);
    }
    if (rc) {
        return_loan(queue, me, &what);
    }
    return rc;
}

static int put_bytes(brood_queue *queue, uint32_t me, const void *data, size_t size,
                     int64_t deadline_ns)
{
    putting what = {data, size, 0, 0, false, NULL};

    if (size > queue->message_max) {
        return brood_fail(
            BROOD_ETOOBIG,
            "put: a message of %zu bytes; %zu, a quarter of the queue's capacity, are "
            "the most",
            size, queue->message_max);
    }
    return size > BROOD_QUEUE_SMALL_MAX ? put_large(queue, me, data, size, deadline_ns)
                                        : put_until(queue, me, &what, deadline_ns);
}

static int begin(brood_queue *queue, uint32_t *me, int64_t timeout_ms, int64_t *deadline_ns)
{
    const int rc = brood_queue_begin(queue, me);

    return rc == 0 ? brood_deadline(deadline_ns, timeout_ms) : rc;
}

int brood_queue_put_bytes(brood_queue *queue, const void *data, size_t size, int64_t timeout_ms)
{
    int64_t deadline_ns;
    uint32_t me;
    int rc = begin(queue, &me, timeout_ms, &deadline_ns);

    if (rc == 0 && data == NULL && size > 0) {
        rc = brood_fail(BROOD_EINVAL, "put: %zu bytes at NULL", size);
    }
    return rc == 0 ? put_bytes(queue, me, size > 0 ? data : "", size, deadline_ns) : rc;
}

/* ---- values ---- */

static int save(void *user, brood_value object, brood_value *id)
{
    if (object.kind == BROOD_FUNCTION) {
        return brood_function_save(user, object.as.function, id);
    }
    return brood_fail(BROOD_ENOTSUP,
                      "put: %s cannot be put into a queue in this version; it can be sent over a "
                      "connection or given as an argument",
                      brood_kind_a(object.kind));
}

/* Small values are encoded on the stack. */
typedef struct encoded {
    unsigned char small[BROOD_QUEUE_SMALL_MAX];
    brood_buffer large;
    size_t size;
} encoded;

static int reserve(void *user, size_t size, void **data)
{
    encoded *out = user;
    int rc = 0;

    out->size = size;
    if (size <= sizeof out->small) {
        *data = out->small;
    } else {
        rc = brood_buffer_new(&out->large, size);
        *data = out->large.data;
    }
    return rc;
}

int brood_queue_put(brood_queue *queue, brood_value value, int64_t timeout_ms)
{
    encoded out;
    brood_arena arena = BROOD_ARENA_NONE;
    const brood_room room = {reserve, &out};
    const brood_saver saver = {NULL, save, &arena};
    int64_t deadline_ns;
    uint32_t me;
    int rc = begin(queue, &me, timeout_ms, &deadline_ns);

    if (rc) {
        return rc;
    }
    out.large = BROOD_BUFFER_NONE;
    rc = brood_codec_encode(value, &saver, &room);
    if (rc == 0) {
        rc = put_bytes(queue, me, out.large.data != NULL ? out.large.data : out.small, out.size,
                       deadline_ns);
    }
    brood_arena_release(&arena);
    brood_buffer_release(&out.large);
    return rc;
}

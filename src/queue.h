/* A queue: a segment of its own, see docs/design.md.
 *
 * Two locks, one for those who put and one for those who take, so that the two sides meet only in
 * *places*: where the next message will be put and where the next one lies, with how many there were,
 * in one 64-bit word each. One store of such a word is all that commits a put, and one a take.
 *
 * What a lock guards is consistent at any instant but for a few things that a process is just about
 * to change; these it writes down first, and whoever takes the lock over from the dead mends them. */
#ifndef BROOD_SRC_QUEUE_H
#define BROOD_SRC_QUEUE_H

#include <brood/queue.h>

#include "guard.h"
#include "segment.h"

#define BROOD_QUEUE_LINE 128 /* bytes that processors pass on at once, two lines' worth */

#define BROOD_QUEUE_GRANULE ((size_t)16 * 1024)
#define BROOD_QUEUE_STRIP ((size_t)64 * 1024) /* small messages lie in strips, one behind another */
#define BROOD_QUEUE_STRIP_GRANULES 4
#define BROOD_QUEUE_CHUNK ((size_t)1024 * 1024) /* is reserved, and given back, at once */
#define BROOD_QUEUE_CHUNK_GRANULES 64
#define BROOD_QUEUE_SMALL_MAX ((size_t)4096) /* larger messages are copied without the lock */
#define BROOD_QUEUE_UNIT 8                   /* bytes: places count in these */
#define BROOD_QUEUE_CAPACITY_MAX ((uint64_t)16 << 30)

/* ---- places ---- */

static inline uint64_t brood_queue_place(uint64_t unit, uint32_t count)
{
    return unit << 32 | count;
}

static inline uint32_t brood_queue_unit(uint64_t place)
{
    return (uint32_t)(place >> 32);
}

static inline uint32_t brood_queue_count(uint64_t place)
{
    return (uint32_t)place;
}

/* ---- what a granule is used for: a kind in the lowest bits, and a tag, or of a loan the process ----
 *
 * Who wants a free granule takes it by compare-and-swap, so a state belongs to one process, or to the
 * holder of a lock, at a time. A tag is never used again soon: an old intention to free a granule
 * does not fit its next use. */
#define BROOD_GRANULE_FREE UINT32_C(0)
#define BROOD_GRANULE_LOANED UINT32_C(1) /* to a process that fills it, or reads it */
#define BROOD_GRANULE_STRIP UINT32_C(2)
#define BROOD_GRANULE_QUEUED UINT32_C(3) /* it has a message, or a part of one */
#define BROOD_GRANULE_KIND UINT32_C(7)
#define BROOD_GRANULE_TAG_SHIFT 3

/* ---- in shared memory ---- */

/* Where threads sleep. A waker hands out tokens under the gate's lock, one to a sleeper: who puts a
 * hundred messages while the sleeper is on its way wakes it once. A token that died with its sleeper
 * costs one wake-up for nobody. */
typedef struct brood_queue_gate {
    brood_word sleepers;
    uint32_t tokens; /* up to `sleepers` */
    brood_word turn; /* the word that is slept on: changes with every token */
} brood_queue_gate;

/* What is about to happen to some granules, so that it can be finished or undone. */
typedef struct brood_queue_intent {
    brood_word64 what;   /* first granule and state, 0: nothing */
    uint64_t commit;     /* the place that makes it true */
    uint32_t count;      /* granules */
    uint32_t reserved32; /* zero */
} brood_queue_intent;

/* Under put_lock. */
typedef struct brood_queue_put_side {
    brood_word64 tail;
    uint64_t seen_head; /* it may have moved on since */
    brood_queue_gate items;
    uint32_t tag; /* the last one */
    uint32_t armed;
    uint32_t raised;
    brood_queue_intent strip; /* to be used: true once the tail lies in it */
    brood_queue_intent block; /* to be queued: true once the tail is `commit` */
} brood_queue_put_side;

/* Under get_lock. */
typedef struct brood_queue_get_side {
    brood_word64 head;
    brood_word64 seen_tail;
    brood_queue_gate slots;   /* those who wait for messages to be fewer */
    brood_queue_gate room;    /* and for memory; woken all at once */
    brood_queue_gate idle;    /* those who wait for everything to be done, too */
    brood_word done;          /* messages */
    brood_word settled_row;   /* whose count is taken down for it; 0: nobody's */
    uint32_t settled_done;    /* true once `done` is this: */
    uint32_t settled_count;   /* then that is its count */
    brood_queue_intent strip; /* to be freed: true once the head lies elsewhere */
    brood_queue_intent block; /* to be loaned: true once the head is `commit` */
} brood_queue_get_side;

#define BROOD_QUEUE_OPEN UINT32_C(0)
#define BROOD_QUEUE_DRAINING UINT32_C(1)
#define BROOD_QUEUE_STOPPED UINT32_C(2)

typedef struct brood_queue_shared {
    /* Never change. */
    uint64_t capacity;
    uint64_t maxsize; /* UINT64_MAX: no limit */
    uint32_t granules;
    uint32_t joinable;
    /* Seldom change. */
    brood_word shutdown; /* under put_lock */
    brood_word polled;   /* somebody has waited for the flag */
    brood_word lowest;   /* free granules are not below this, as far as is known */
    brood_word top;      /* chunks that were ever reserved are below this */
    _Alignas(BROOD_QUEUE_LINE) brood_word put_lock;
    _Alignas(BROOD_QUEUE_LINE) brood_queue_put_side put;
    _Alignas(BROOD_QUEUE_LINE) brood_word get_lock;
    _Alignas(BROOD_QUEUE_LINE) brood_queue_get_side get;
    _Alignas(BROOD_QUEUE_LINE) uint32_t taken[BROOD_SEGMENT_ROWS]; /* and not done, by row */
    /* Behind it: a state per granule, whether it is reserved per chunk, the granules. */
} brood_queue_shared;

/* ---- a message in a strip: a header of 8 bytes, then the bytes, or where they are ---- */

#define BROOD_QUEUE_BYTES UINT32_C(1) /* `low` bytes follow */
#define BROOD_QUEUE_BLOCK UINT32_C(2) /* a brood_queue_record follows */
#define BROOD_QUEUE_JUMP UINT32_C(3)  /* the next one is at unit `low`, in another strip */

static inline uint64_t brood_queue_header(uint32_t kind, uint32_t low)
{
    return (uint64_t)kind << 32 | low;
}

typedef struct brood_queue_record {
    uint64_t size;
    uint32_t first; /* granule */
    uint32_t state; /* of its granules */
} brood_queue_record;

/* ---- in this process ---- */

struct brood_queue {
    brood_atomic refs; /* under BROOD_LOCK_SEGMENTS when they become 0 */
    brood_segment *segment;
    brood_queue_shared *shared;
    brood_word *states;
    brood_word *reserved;
    unsigned char *store;
    uint32_t granules; /* as it was when it was checked */
    uint32_t maxsize;
    size_t message_max; /* bytes */
    bool joinable;
    brood_os_flag flag;
    long flag_since;         /* the generation (fork.h) in which its handles came */
    brood_atomic closed;     /* for our puts */
    brood_atomic watched;    /* the flag's handle was given away */
    brood_word put_patience; /* see brood_queue_look */
    brood_word get_patience;
    brood_word haste; /* how often in a row few messages were found: see queue_get.c */
    brood_word calm;
    brood_word size_hint; /* bytes of the message that was taken last */
};

/// brood_queue_begin_slowly is behind brood_queue_begin.
int brood_queue_begin_slowly(brood_queue *queue, uint32_t *me);

/// brood_queue_begin is what every call does first: `*me` is our lock word's value. Who has an
/// identity has not been forked since, and so has the queue's handles.
static inline int brood_queue_begin(brood_queue *queue, uint32_t *me)
{
    const uint32_t identity =
        queue != NULL ? brood_word_load_relaxed(&queue->segment->identity) : 0;
    const uint32_t thread = brood_thread_number;

    *me = identity | thread;
    return identity != 0 && thread != 0 ? 0 : brood_queue_begin_slowly(queue, me);
}

/// brood_queue_wait_put and _get are behind brood_queue_lock_put and _get.
int brood_queue_wait_put(brood_queue *queue, uint32_t me, int64_t deadline_ns);
int brood_queue_wait_get(brood_queue *queue, uint32_t me, int64_t deadline_ns);

/// brood_queue_lock_put and _get take one of the locks, and mend what a dead holder has left. They
/// wait at least a second, whatever the time limit says, since nobody holds them for long; one who
/// does was stopped: BROOD_ETIMEDOUT.
static inline int brood_queue_lock_put(brood_queue *queue, uint32_t me, int64_t deadline_ns)
{
    return brood_guard_try(&queue->shared->put_lock, me)
               ? 0
               : brood_queue_wait_put(queue, me, deadline_ns);
}

static inline int brood_queue_lock_get(brood_queue *queue, uint32_t me, int64_t deadline_ns)
{
    return brood_guard_try(&queue->shared->get_lock, me)
               ? 0
               : brood_queue_wait_get(queue, me, deadline_ns);
}

static inline void brood_queue_unlock_put(brood_queue *queue)
{
    brood_guard_unlock(queue->segment, &queue->shared->put_lock);
}

static inline void brood_queue_unlock_get(brood_queue *queue)
{
    brood_guard_unlock(queue->segment, &queue->shared->get_lock);
}

/// brood_queue_is_empty tells whether there is nothing to take.
bool brood_queue_is_empty(const brood_queue *queue);

/// brood_queue_damaged says BROOD_EBROKEN.
int brood_queue_damaged(void);

/* ---- granules: queue_store.c ---- */

static inline size_t brood_queue_granules_of(size_t size)
{
    return (size + BROOD_QUEUE_GRANULE - 1) / BROOD_QUEUE_GRANULE;
}

static inline unsigned char *brood_queue_granule(const brood_queue *queue, uint32_t first)
{
    return queue->store + (size_t)first * BROOD_QUEUE_GRANULE;
}

/// brood_queue_take_strip finds memory for small messages, with put_lock held; the intent to use it
/// stands in put.strip. BROOD_EFULL (without words): no room. BROOD_ENOMEM: none in the system.
int brood_queue_take_strip(brood_queue *queue, uint32_t *first);

/// brood_queue_new_state returns a state of this kind with a new tag, with put_lock held.
uint32_t brood_queue_new_state(brood_queue *queue, uint32_t kind);

/// brood_queue_take_block finds `count` granules for one message and loans them, with put_lock held.
/// BROOD_EFULL (without words): no room. They can be written to after brood_queue_reserve.
int brood_queue_take_block(brood_queue *queue, uint32_t me, uint32_t count, uint32_t *first);

/// brood_queue_reserve makes granules usable; they are ours.
int brood_queue_reserve(brood_queue *queue, uint32_t first, uint32_t count);

/// brood_queue_give frees those of `count` granules that are in `state`, and tells whether a chunk
/// became free with it.
bool brood_queue_give(brood_queue *queue, uint32_t first, uint32_t count, uint32_t state);

/// brood_queue_trim gives memory back that an idle queue does not need, at most so much more than
/// `size` bytes, without a lock. It tells whether it did.
bool brood_queue_trim(brood_queue *queue, uint32_t me, size_t size);

/// brood_queue_reap frees the loans of processes that have ended; true if there were any.
bool brood_queue_reap(brood_queue *queue);

/// brood_queue_sweep is brood_segment_kind's.
void brood_queue_sweep(brood_segment *segment, uint32_t identity);

/* ---- gates: queue_gate.c ---- */

/// brood_queue_owes hands out up to `most` tokens to sleepers who have none and returns how many, with
/// the gate's lock held; the caller then wakes as many with brood_queue_wake, without it.
static inline uint32_t brood_queue_owes(brood_queue_gate *gate, uint32_t most)
{
    const uint32_t sleepers = brood_word_load_relaxed(&gate->sleepers);
    uint32_t count = sleepers > gate->tokens ? sleepers - gate->tokens : 0;

    if (count == 0) {
        return 0;
    }
    count = count < most ? count : most;
    gate->tokens += count;
    (void)brood_word_add(&gate->turn, 1);
    return count;
}

static inline void brood_queue_wake(brood_queue *queue, brood_queue_gate *gate, uint32_t count)
{
    if (count > 0) {
        brood_segment_wake(queue->segment, &gate->turn, count);
    }
}

static inline void brood_queue_learn(brood_word *word, uint32_t x)
{
    if (brood_word_load_relaxed(word) != x) {
        brood_word_store(word, x);
    }
}

/* How often to look before sleeping: the more often the more it has paid lately. Now and again it is
 * as long as a sleeper takes to wake up: two that answer each other would otherwise both sleep each
 * time, and never see that the other would answer at once. The lower half of a patience is how often,
 * the upper one counts the waits. */
#define BROOD_QUEUE_LEAST_PATIENCE UINT32_C(8)
#define BROOD_QUEUE_TRIES 16
#define BROOD_QUEUE_WAKE_UP_NS 50000

typedef struct brood_queue_look {
    uint32_t left;    /* looks until there is no more, or until the clock is asked */
    int64_t until_ns; /* 0: no more */
} brood_queue_look;

static inline brood_queue_look brood_queue_look_out(brood_word *patience)
{
    const uint32_t most = brood_spin_count();
    const uint32_t now = brood_word_load_relaxed(patience) + (UINT32_C(1) << 16);
    const uint32_t count = now & UINT16_MAX;
    brood_queue_look look = {count > most ? most : count, 0};

    brood_word_store(patience, now);
    if (most > 0 && (now >> 16) % BROOD_QUEUE_TRIES == 0) {
        look.until_ns = brood_os_now() + BROOD_QUEUE_WAKE_UP_NS;
    }
    return look;
}

/* Rests a moment; false: it has been enough. */
static inline bool brood_queue_look_on(brood_queue_look *look)
{
    if (look->left == 0) {
        if (look->until_ns == 0 || brood_os_now() >= look->until_ns) {
            return false;
        }
        look->left = BROOD_QUEUE_LEAST_PATIENCE;
    }
    look->left--;
    brood_os_relax();
    return true;
}

static inline void brood_queue_learn_patience(brood_word *patience, bool paid)
{
    const uint32_t now = brood_word_load_relaxed(patience);
    const uint32_t most = brood_spin_count();
    uint32_t count = now & UINT16_MAX;

    count = paid ? count * 2 : count / 2;
    count = count < BROOD_QUEUE_LEAST_PATIENCE ? BROOD_QUEUE_LEAST_PATIENCE : count;
    count = count < most ? count : most;
    brood_queue_learn(patience, (now & ~(uint32_t)UINT16_MAX) | count);
}

/* Which lock a gate has. */
typedef enum brood_queue_side {
    BROOD_QUEUE_PUT_SIDE,
    BROOD_QUEUE_GET_SIDE
} brood_queue_side;

/* One thread's wait. It is at no gate, or at one, and was handed a token or not. */
typedef struct brood_queue_wait {
    brood_queue *queue;
    uint32_t me;
    int64_t deadline_ns;
    brood_queue_gate *gate;
    brood_queue_side side;
    uint32_t turn;
    brood_queue_gate *owed; /* the gate whose token we have and have not made use of */
} brood_queue_wait;

/// brood_queue_wait_at is called after a try that has failed for what `gate` is for. The first time it
/// only goes to the gate, so that nothing can be missed by the try that has to follow; then it sleeps
/// and leaves the gate. `row`: see brood_segment_sleep.
int brood_queue_wait_at(brood_queue_wait *wait, brood_queue_gate *gate, brood_queue_side side,
                        uint32_t row);

/// brood_queue_wait_end leaves the gate. A token that was not `used` goes to another sleeper.
void brood_queue_wait_end(brood_queue_wait *wait, bool used);

/// brood_queue_wake_all wakes all who sleep at a gate.
int brood_queue_wake_all(brood_queue *queue, uint32_t me, brood_queue_gate *gate,
                         brood_queue_side side);

/// brood_queue_room_came wakes those who wait for memory, after some became free without a lock.
void brood_queue_room_came(brood_queue *queue, uint32_t me);

/* ---- taking: queue_get.c ---- */

typedef struct brood_queue_taking {
    void *data; /* where to; NULL: nowhere, the message is discarded */
    size_t room;
    size_t size; /* of the message */
} brood_queue_taking;

/// brood_queue_discard takes all that is left after a shutdown and drops it.
int brood_queue_discard(brood_queue *queue, uint32_t me);

/// brood_queue_take waits for a message and takes it. BROOD_ETOOSMALL (without words): it stays the
/// first, `taking->size` is its size. BROOD_EEMPTY (without words).
int brood_queue_take(brood_queue *queue, uint32_t me, brood_queue_taking *taking,
                     int64_t deadline_ns);

/* ---- brood_wait: queue_wait.c ---- */

/// brood_queue_arm lets the flag tell of what is put from now on, and sets `*ready` if there is
/// something to take, or never will be.
int brood_queue_arm(brood_queue *queue, uint32_t me, bool *ready);

/// brood_queue_settle takes the flag down if there is nothing to take.
void brood_queue_settle(brood_queue *queue, uint32_t me);

/// brood_queue_raise puts the flag up for somebody who waits for it, with put_lock held.
static inline void brood_queue_raise(brood_queue *queue)
{
    brood_queue_put_side *put = &queue->shared->put;

    if (put->armed != 0 && put->raised == 0) {
        brood_os_flag_raise(&queue->flag);
        put->raised = 1;
    }
}

int brood_queue_watch(brood_queue *queue, brood_os_waitable *thing);
bool brood_queue_confirm(const brood_queue *queue);
int brood_queue_waitable(brood_queue *queue, brood_handle *out);

/* ---- on the way ---- */

#define BROOD_QUEUE_HANDLES 3 /* of the segment, and the flag's: the last one may be none */

/// brood_queue_handles sets `handles` to what has to travel along.
int brood_queue_handles(const brood_queue *queue, brood_os_handle handles[BROOD_QUEUE_HANDLES]);

/// brood_queue_load finds or makes the queue with this segment's id, with a reference. Handles that
/// were needed are BROOD_NO_HANDLE then.
int brood_queue_load(brood_queue **out, const unsigned char id[BROOD_SEGMENT_ID],
                     brood_os_handle *handles[BROOD_QUEUE_HANDLES]);

#endif

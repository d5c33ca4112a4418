/* The memory of a queue: granules, what they are used for, and when the system gives and takes them.
 *
 * The lowest free ones are taken first, so a short queue keeps using the same memory, which is in the
 * processors' caches. Only who has put_lock takes granules for messages; who gives memory back to the
 * system takes them, too, while it does so, and everybody frees its own without a lock. */
#include <stdlib.h>

#include "error.h"
#include "fault.h"
#include "queue.h"

#define KEPT_CHUNKS 2                        /* that are free and stay */
#define TRIM_SIZE ((size_t)16 * 1024 * 1024) /* given back at once, and what was just freed */
#define FIRST_OF(chunk) ((chunk) * (uint32_t)BROOD_QUEUE_CHUNK_GRANULES)

static bool is_free(const brood_queue *queue, uint32_t granule)
{
    return brood_word_load_relaxed(&queue->states[granule]) == BROOD_GRANULE_FREE;
}

static uint32_t chunk_of(uint32_t granule)
{
    return granule / BROOD_QUEUE_CHUNK_GRANULES;
}

/* The granule behind the last one of a chunk. */
static uint32_t end_of(const brood_queue *queue, uint32_t chunk)
{
    const uint32_t end = FIRST_OF(chunk + 1);

    return end < queue->granules ? end : queue->granules;
}

/* ---- taking ---- */

static void undo(brood_queue *queue, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        brood_word_store(&queue->states[first + i], BROOD_GRANULE_FREE);
    }
}

/* All or none. */
static bool claim(brood_queue *queue, uint32_t first, uint32_t count, uint32_t state)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!brood_word_cas(&queue->states[first + i], BROOD_GRANULE_FREE, state)) {
            undo(queue, first, i);
            return false;
        }
    }
    return true;
}

static void raise_word(brood_word *word, uint32_t least)
{
    uint32_t now = brood_word_load(word);

    while (now < least && !brood_word_cas(word, now, least)) {
        now = brood_word_load(word);
    }
}

static void lower_word(brood_word *word, uint32_t most)
{
    uint32_t now = brood_word_load(word);

    while (now > most && !brood_word_cas(word, now, most)) {
        now = brood_word_load(word);
    }
}

static bool is_reserved(const brood_queue *queue, uint32_t chunk)
{
    return brood_word_load(&queue->reserved[chunk]) != 0;
}

static int reserve_chunk(brood_queue *queue, uint32_t chunk)
{
    const uint32_t first = FIRST_OF(chunk);
    const size_t offset =
        (size_t)(brood_queue_granule(queue, first) - (unsigned char *)queue->segment->data);
    const size_t size = (size_t)(end_of(queue, chunk) - first) * BROOD_QUEUE_GRANULE;
    const int rc = brood_segment_reserve(queue->segment, offset, size);

    if (rc == 0) {
        raise_word(&queue->shared->top, chunk + 1);
        brood_word_store(&queue->reserved[chunk], 1);
    }
    return rc;
}

int brood_queue_reserve(brood_queue *queue, uint32_t first, uint32_t count)
{
    int rc = 0;

    for (uint32_t chunk = chunk_of(first); rc == 0 && chunk <= chunk_of(first + count - 1);
         chunk++) {
        rc = is_reserved(queue, chunk) ? 0 : reserve_chunk(queue, chunk);
    }
    return rc;
}

/* A search for free granules from `at` to `end`. */
typedef struct search {
    uint32_t at;
    uint32_t end;
    uint32_t lowest; /* the first free one that was seen, or `end` */
} search;

static void see(search *over, uint32_t granule)
{
    if (granule < over->lowest) {
        over->lowest = granule;
    }
}

/* The next strip that is free; false: none. */
static bool find_strip(const brood_queue *queue, search *over)
{
    for (; over->at + BROOD_QUEUE_STRIP_GRANULES <= over->end;
         over->at += BROOD_QUEUE_STRIP_GRANULES) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < BROOD_QUEUE_STRIP_GRANULES; i++) {
            if (is_free(queue, over->at + i)) {
                see(over, over->at + i);
                count++;
            }
        }
        if (count == BROOD_QUEUE_STRIP_GRANULES) {
            return true;
        }
    }
    return false;
}

/* The next run of `count` free ones, from `*first` on; false: none. */
static bool find_run(const brood_queue *queue, search *over, uint32_t count, uint32_t *first)
{
    uint32_t run = 0;

    while (over->at < over->end) {
        if (is_free(queue, over->at)) {
            see(over, over->at);
            run++;
        } else {
            run = 0;
        }
        over->at++;
        if (run == count) {
            *first = over->at - count;
            return true;
        }
    }
    return false;
}

static search search_from(const brood_queue *queue, uint32_t at)
{
    const search over = {at / BROOD_QUEUE_STRIP_GRANULES * BROOD_QUEUE_STRIP_GRANULES,
                         queue->granules, queue->granules};
    return over;
}

/* What is below was looked at and taken; unless somebody has freed something there meanwhile. */
static void learn(brood_queue *queue, uint32_t before, const search *over, uint32_t first,
                  uint32_t count)
{
    const uint32_t lowest = over->lowest < first ? over->lowest : first + count;

    (void)brood_word_cas(&queue->shared->lowest, before, lowest);
}

static uint32_t lowest_of(const brood_queue *queue)
{
    const uint32_t lowest = brood_word_load(&queue->shared->lowest);

    return lowest < queue->granules ? lowest : 0;
}

static void intend(brood_queue_intent *intent, uint32_t first, uint32_t state)
{
    brood_word64_store(&intent->what, (uint64_t)first << 32 | state);
}

/* With `thrifty` only where memory is there already. */
static int take_strip(brood_queue *queue, uint32_t from, bool thrifty, uint32_t state,
                      uint32_t *first)
{
    search over = search_from(queue, from);
    brood_queue_intent *intent = &queue->shared->put.strip;

    for (; find_strip(queue, &over); over.at += BROOD_QUEUE_STRIP_GRANULES) {
        int rc = 0;
        if (thrifty && !is_reserved(queue, chunk_of(over.at))) {
            continue;
        }
        intend(intent, over.at, state);
        if (!claim(queue, over.at, BROOD_QUEUE_STRIP_GRANULES, state)) {
            continue;
        }
        rc = brood_queue_reserve(queue, over.at, BROOD_QUEUE_STRIP_GRANULES);
        if (rc) {
            undo(queue, over.at, BROOD_QUEUE_STRIP_GRANULES);
            brood_word64_store(&intent->what, 0);
            return rc;
        }
        learn(queue, from, &over, over.at, BROOD_QUEUE_STRIP_GRANULES);
        *first = over.at;
        return 0;
    }
    brood_word64_store(&intent->what, 0);
    return BROOD_EFULL;
}

/* A new tag in a state of this kind. */
uint32_t brood_queue_new_state(brood_queue *queue, uint32_t kind)
{
    uint32_t tag = queue->shared->put.tag + 1;

    tag = (tag << BROOD_GRANULE_TAG_SHIFT) == 0 ? 1 : tag;
    queue->shared->put.tag = tag;
    return tag << BROOD_GRANULE_TAG_SHIFT | kind;
}

int brood_queue_take_strip(brood_queue *queue, uint32_t *first)
{
    const uint32_t lowest = lowest_of(queue);
    const uint32_t state = brood_queue_new_state(queue, BROOD_GRANULE_STRIP);
    int rc = take_strip(queue, lowest, false, state, first);

    if (rc == BROOD_EFULL && lowest > 0) {
        rc = take_strip(queue, 0, false, state, first);
    }
    if (rc == BROOD_ENOMEM && take_strip(queue, 0, true, state, first) == 0) {
        rc = 0;
    }
    return rc;
}

static bool take_run(brood_queue *queue, uint32_t from, uint32_t count, uint32_t state,
                     uint32_t *first)
{
    search over = search_from(queue, from);

    while (find_run(queue, &over, count, first)) {
        if (claim(queue, *first, count, state)) {
            learn(queue, from, &over, *first, count);
            return true;
        }
    }
    return false;
}

int brood_queue_take_block(brood_queue *queue, uint32_t me, uint32_t count, uint32_t *first)
{
    const uint32_t lowest = lowest_of(queue);
    const uint32_t state = (me & BROOD_PROCESS_BITS) | BROOD_GRANULE_LOANED;

    return take_run(queue, lowest, count, state, first) ||
                   (lowest > 0 && take_run(queue, 0, count, state, first))
               ? 0
               : BROOD_EFULL;
}

/* ---- giving ---- */

static bool is_chunk_free(const brood_queue *queue, uint32_t chunk)
{
    const uint32_t end = end_of(queue, chunk);

    for (uint32_t i = FIRST_OF(chunk); i < end; i++) {
        if (!is_free(queue, i)) {
            return false;
        }
    }
    return true;
}

bool brood_queue_give(brood_queue *queue, uint32_t first, uint32_t count, uint32_t state)
{
    bool freed = false;

    for (uint32_t i = first; i < first + count; i++) {
        (void)brood_word_cas(&queue->states[i], state, BROOD_GRANULE_FREE);
    }
    lower_word(&queue->shared->lowest, first);
    for (uint32_t chunk = chunk_of(first); !freed && chunk <= chunk_of(first + count - 1);
         chunk++) {
        freed = is_chunk_free(queue, chunk);
    }
    return freed;
}

static uint32_t top_of(const brood_queue *queue)
{
    const uint32_t top = brood_word_load(&queue->shared->top);
    const uint32_t most = chunk_of(queue->granules - 1) + 1;

    return top < most ? top : most;
}

/* How many chunks there are too many. */
static uint32_t count_idle(const brood_queue *queue, uint32_t top)
{
    uint32_t idle = 0;
    uint32_t used = 0;

    for (uint32_t chunk = 0; chunk < top; chunk++) {
        if (is_reserved(queue, chunk)) {
            const bool is_idle = is_chunk_free(queue, chunk);
            idle += is_idle;
            used += !is_idle;
        }
    }
    used -= used > 0; /* the one that small messages always have */
    return idle > KEPT_CHUNKS + used ? idle - KEPT_CHUNKS - used : 0;
}

/* Whoever dies in here leaves loans, of which the sweep makes free granules again, and a chunk that
 * is reserved once more before it is used. */
static bool discard_chunk(brood_queue *queue, uint32_t me, uint32_t chunk)
{
    const uint32_t first = FIRST_OF(chunk);
    const uint32_t count = end_of(queue, chunk) - first;

    if (!claim(queue, first, count, (me & BROOD_PROCESS_BITS) | BROOD_GRANULE_LOANED)) {
        return false;
    }
    if (is_reserved(queue, chunk)) {
        brood_word_store(&queue->reserved[chunk], 0);
        brood_segment_discard(
            queue->segment,
            (size_t)(brood_queue_granule(queue, first) - (unsigned char *)queue->segment->data),
            (size_t)count * BROOD_QUEUE_GRANULE);
    }
    BROOD_STOP("queue-trimmed");
    undo(queue, first, count);
    lower_word(&queue->shared->lowest, first);
    return true;
}

bool brood_queue_trim(brood_queue *queue, uint32_t me, size_t size)
{
    const uint32_t most = (uint32_t)((TRIM_SIZE + size) / BROOD_QUEUE_CHUNK);
    const uint32_t top = top_of(queue);
    uint32_t idle = top > KEPT_CHUNKS ? count_idle(queue, top) : 0;
    bool any = false;

    idle = idle < most ? idle : most;
    for (uint32_t chunk = top; idle > 0 && chunk > 0; chunk--) {
        if (is_reserved(queue, chunk - 1) && is_chunk_free(queue, chunk - 1) &&
            discard_chunk(queue, me, chunk - 1)) {
            any = true;
            idle--;
        }
    }
    return any;
}

/* ---- loans of the dead ---- */

static void sweep_granules(brood_queue *queue, uint32_t identity)
{
    const uint32_t state = identity | BROOD_GRANULE_LOANED;

    for (uint32_t i = 0; i < FIRST_OF(top_of(queue)) && i < queue->granules; i++) {
        if (brood_word_load_relaxed(&queue->states[i]) == state &&
            brood_word_cas(&queue->states[i], state, BROOD_GRANULE_FREE)) {
            lower_word(&queue->shared->lowest, i);
        }
    }
}

void brood_queue_sweep(brood_segment *segment, uint32_t identity)
{
    brood_queue *queue = segment->user;

    if (queue != NULL) {
        sweep_granules(queue, identity);
        brood_guard_sweep(segment, &queue->shared->put_lock, identity);
        brood_guard_sweep(segment, &queue->shared->get_lock, identity);
    }
}

bool brood_queue_reap(brood_queue *queue)
{
    const uint32_t end = FIRST_OF(top_of(queue));
    uint32_t living = 0; /* whose loan was looked at last */
    bool any = false;

    for (uint32_t i = 0; i < end && i < queue->granules; i++) {
        const uint32_t state = brood_word_load(&queue->states[i]);
        if ((state & BROOD_GRANULE_KIND) != BROOD_GRANULE_LOANED || state == living) {
            continue;
        }
        if (brood_segment_word_is_dead(queue->segment, state & BROOD_PROCESS_BITS)) {
            sweep_granules(queue, state & BROOD_PROCESS_BITS);
            any = true;
        } else {
            living = state;
        }
    }
    return any;
}

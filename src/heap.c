#include "heap.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "fault.h"
#include "fork.h"
#include "locks.h"
#include "log.h"
#include "object.h"

#define FIRST_SIZE ((size_t)1024 * 1024) /* of a heap's cells; each next one is twice as large, */
#define LAST_SIZE ((size_t)64 * 1024 * 1024) /* up to this */
#define STEP ((size_t)64 * 1024)             /* is reserved at once */
#define HELD_ROWS 64                         /* those below have a bit */
#define REAP_MAX 64                          /* cells looked at for one that is wanted */
#define REUSED UINT64_C(1)                   /* among the holders: see claim_cell */

/* The beginning of the user's part. Cells lie behind it without gaps. */
typedef struct heap_head {
    brood_word64 used; /* bytes of it that are cells, and this */
} heap_head;

/* What this process knows of a heap: its objects, by the number of their cell's first unit. */
typedef struct heap_user {
    size_t count;
    brood_heap_object *objects[]; /* under BROOD_LOCK_SEGMENTS */
} heap_user;

static brood_cell *cell_at(const brood_segment *segment, uint64_t offset)
{
    return (brood_cell *)((char *)segment->data + offset);
}

static uint64_t used_of(const brood_segment *segment)
{
    const uint64_t used = brood_word64_load(&((heap_head *)segment->data)->used);

    return used < segment->size ? used : segment->size;
}

/* ---- the segment's kind ---- */

static uint64_t bit_of(uint32_t row)
{
    return UINT64_C(1) << row % HELD_ROWS;
}

/* Who holds cells is not swept here: the row may be another process's before a slow sweeper is done.
 * See join_heap. */
static void sweep_heap(brood_segment *segment, uint32_t identity)
{
    const uint64_t used = used_of(segment);
    uint64_t at = BROOD_CELL_UNIT;

    while (at + sizeof(brood_cell) <= used) {
        brood_cell *cell = cell_at(segment, at);
        const brood_heap_kind *kind = brood_heap_kind_of(cell->kind);
        if (cell->size < BROOD_CELL_UNIT || cell->size > used - at) {
            return; /* somebody wrote where nobody may */
        }
        if (kind != NULL && sizeof *cell + kind->payload <= cell->size) {
            kind->sweep(segment, cell, identity);
        }
        at += cell->size;
    }
}

/* It tells whether the cell was not being reused at that moment. */
static bool hold(brood_segment *segment, brood_cell *cell)
{
    const uint32_t row = segment->number;

    if (row < HELD_ROWS) {
        return (brood_word64_or(&cell->holders, bit_of(row)) & REUSED) == 0;
    }
    (void)brood_word_add(&cell->others, 1);
    return (brood_word64_load(&cell->holders) & REUSED) == 0;
}

static void unhold(brood_segment *segment, brood_cell *cell)
{
    if (segment->number < HELD_ROWS) {
        (void)brood_word64_and(&cell->holders, ~bit_of(segment->number));
    }
}

/* The row is ours, and those who had it before hold nothing any more. */
static void forget_holders(brood_segment *segment)
{
    const uint64_t used = used_of(segment);
    uint64_t at = BROOD_CELL_UNIT;

    while (segment->number < HELD_ROWS && at + sizeof(brood_cell) <= used) {
        brood_cell *cell = cell_at(segment, at);
        if (cell->size < BROOD_CELL_UNIT || cell->size > used - at) {
            return; /* somebody wrote where nobody may */
        }
        if ((brood_word64_load_relaxed(&cell->holders) & bit_of(segment->number)) != 0) {
            unhold(segment, cell);
        }
        at += cell->size;
    }
}

/* What a forked child has is counted now, or belongs to somebody else already. */
static void join_heap(brood_segment *segment)
{
    const heap_user *user = segment->user;

    forget_holders(segment);
    for (size_t i = 0; user != NULL && i < user->count; i++) {
        brood_heap_object *object = user->objects[i];
        if (object == NULL) {
            continue;
        }
        if (!hold(segment, object->cell) ||
            brood_word_load(&object->cell->generation) != object->generation) {
            unhold(segment, object->cell);
            object->generation = 0; /* of no cell: it is closed */
        }
    }
}

static const brood_segment_kind heap_kind = {1, "heap of shared objects", sweep_heap, join_heap};

/* With BROOD_LOCK_SEGMENTS held. */
static int make_user(brood_segment *segment)
{
    const size_t count = segment->size / BROOD_CELL_UNIT;
    heap_user *user = segment->user;

    if (user == NULL) {
        user = BROOD_ALLOC(calloc(1, sizeof *user + count * sizeof user->objects[0]));
        if (user == NULL) {
            return brood_fail_nomem("shared objects");
        }
        user->count = count;
        segment->user = user;
        segment->free_user = free;
    }
    return 0;
}

static brood_heap_object **entry_of(const brood_segment *segment, uint64_t offset)
{
    return &((heap_user *)segment->user)->objects[offset / BROOD_CELL_UNIT];
}

/* ---- handing out cells: this process's own heaps, under BROOD_LOCK_HEAP ---- */

/* A cell that is not used by us any more: free, or to be looked at again. */
typedef struct spare {
    brood_segment *segment;
    uint64_t offset;
    struct spare *next;
} spare;

static struct {
    long generation;        /* a forked child begins anew */
    brood_segment *current; /* where the next new cell lies; with a reference for good */
    size_t size;            /* of the current one */
    size_t reserved;        /* bytes of it */
    spare *spares;          /* oldest first */
    spare **last;
} heap;

/* Whether all of these rows, but for the mark, are of processes that have ended. */
static bool all_ended(const brood_segment *segment, uint64_t holders)
{
    for (uint32_t row = 1; row < HELD_ROWS; row++) {
        if ((holders & bit_of(row)) != 0 && brood_segment_runs(segment, row)) {
            return false;
        }
    }
    return true;
}

/* Takes the cell for reuse if nobody has it, nor any message. Whoever sends it has it at that time
 * and counts the message before that is raised; whoever receives it holds it before the message is
 * done. So if nothing is on its way, then nobody holds it, and nobody has sent it in between, nobody
 * can come to it any more but a forked child of a holder that has not been counted. Such a one sees
 * the mark, or we see it. */
static bool claim_cell(const brood_segment *segment, brood_cell *cell)
{
    const brood_heap_kind *kind = brood_heap_kind_of(cell->kind);
    const uint32_t sent = brood_word_load(&cell->sent);
    uint64_t holders;

    if (kind == NULL || brood_word_load(&cell->in_flight) != 0) {
        return false;
    }
    holders = brood_word64_load(&cell->holders);
    if (!all_ended(segment, holders) || kind->busy(cell) ||
        !brood_word64_cas(&cell->holders, holders, REUSED)) {
        return false;
    }
    if (brood_word_load(&cell->sent) == sent && brood_word_load(&cell->others) == 0 &&
        all_ended(segment, holders)) {
        return true;
    }
    (void)brood_word64_or(&cell->holders, holders);
    (void)brood_word64_and(&cell->holders, ~REUSED);
    return false;
}

/* Takes a spare cell of this kind and size that nobody uses. The ones that are looked at in vain go
 * to the end of the list. */
static bool take_spare(brood_segment **segment, uint64_t *offset, uint32_t kind, uint32_t size)
{
    spare *end = NULL;

    for (size_t i = 0; i < REAP_MAX && heap.spares != NULL && heap.spares != end; i++) {
        spare *one = heap.spares;
        brood_cell *cell = cell_at(one->segment, one->offset);
        heap.spares = one->next;
        if (heap.spares == NULL) {
            heap.last = &heap.spares;
        }
        if (cell->kind == kind && cell->size == size && claim_cell(one->segment, cell)) {
            *segment = one->segment;
            *offset = one->offset;
            free(one);
            return true;
        }
        end = end != NULL ? end : one;
        one->next = NULL;
        *heap.last = one;
        heap.last = &one->next;
    }
    return false;
}

static int make_heap(void)
{
    const size_t next = heap.current == NULL ? FIRST_SIZE : heap.size * 2;
    const size_t size = next < LAST_SIZE ? next : LAST_SIZE;
    brood_segment *segment = NULL;
    int rc = brood_segment_new(&segment, &heap_kind, size, STEP);

    if (rc == 0) {
        brood_word64_store(&((heap_head *)segment->data)->used, BROOD_CELL_UNIT);
        heap.current = segment;
        heap.size = size;
        heap.reserved = STEP;
    }
    return rc;
}

static int reserve_cells(uint64_t end)
{
    const size_t more = (size_t)(end - heap.reserved + STEP - 1) / STEP * STEP;
    int rc;

    if (end <= heap.reserved) {
        return 0;
    }
    rc = brood_segment_reserve(heap.current, heap.reserved, more);
    if (rc == 0) {
        heap.reserved += more;
    }
    return rc;
}

/* A new one at the end. */
static int take_new(brood_segment **segment, uint64_t *offset, uint32_t kind, uint32_t size)
{
    uint64_t at = heap.current != NULL ? used_of(heap.current) : 0;
    brood_cell *cell;
    int rc = 0;

    if (heap.current == NULL || at + size > heap.size) {
        rc = make_heap();
        at = BROOD_CELL_UNIT;
    }
    if (rc == 0) {
        rc = reserve_cells(at + size);
    }
    if (rc) {
        return rc;
    }
    cell = cell_at(heap.current, at);
    cell->kind = kind;
    cell->size = size;
    brood_word64_store(&((heap_head *)heap.current->data)->used, at + size);
    *segment = heap.current;
    *offset = at;
    return 0;
}

static int take_cell(brood_segment **segment, uint64_t *offset, uint32_t kind, uint32_t size)
{
    int rc = 0;

    brood_locks_take(BROOD_LOCK_HEAP);
    if (heap.generation != brood_generation() || heap.last == NULL) {
        heap.generation = brood_generation();
        heap.current = NULL;
        heap.spares = NULL;
        heap.last = &heap.spares;
    }
    if (!take_spare(segment, offset, kind, size)) {
        rc = take_new(segment, offset, kind, size);
    }
    if (rc == 0) {
        brood_segment_ref(*segment);
    }
    brood_locks_give(BROOD_LOCK_HEAP);
    return rc;
}

static void give_cell(brood_segment *segment, uint64_t offset)
{
    spare *one = malloc(sizeof *one);

    if (one == NULL) {
        return; /* the cell is lost until the process ends */
    }
    *one = (spare){segment, offset, NULL};
    brood_locks_take(BROOD_LOCK_HEAP);
    *heap.last = one;
    heap.last = &one->next;
    brood_locks_give(BROOD_LOCK_HEAP);
}

/* ---- objects ---- */

static brood_heap_object *make_object(const brood_heap_kind *kind)
{
    brood_heap_object *object = BROOD_ALLOC(calloc(1, kind->object_size));

    if (object != NULL) {
        brood_atomic_store(&object->refs, 1);
        object->kind = kind;
        object->maker = -1;
    }
    return object;
}

int brood_heap_new(brood_heap_object **out, const brood_heap_kind *kind, size_t payload)
{
    const size_t least = payload > kind->payload ? payload : kind->payload;
    const size_t size =
        (sizeof(brood_cell) + least + BROOD_CELL_UNIT - 1) / BROOD_CELL_UNIT * BROOD_CELL_UNIT;
    brood_heap_object *object = make_object(kind);
    uint32_t me;
    int rc;

    if (object == NULL) {
        return brood_fail_nomem("a shared object");
    }
    rc = take_cell(&object->segment, &object->offset, (uint32_t)kind->kind, (uint32_t)size);
    if (rc) {
        free(object);
        return rc;
    }
    object->cell = cell_at(object->segment, object->offset);
    object->maker = brood_generation();
    memset(brood_cell_payload(object->cell), 0, object->cell->size - sizeof *object->cell);
    object->generation = brood_word_add(&object->cell->generation, 1) + 1;
    (void)brood_word64_and(&object->cell->holders, ~REUSED);
    rc = brood_segment_me(object->segment, &me);
    if (rc == 0) {
        brood_locks_take(BROOD_LOCK_SEGMENTS);
        rc = make_user(object->segment);
        if (rc == 0) {
            *entry_of(object->segment, object->offset) = object;
            (void)hold(object->segment, object->cell);
        }
        brood_locks_give(BROOD_LOCK_SEGMENTS);
    }
    if (rc) {
        give_cell(object->segment, object->offset);
        brood_segment_free(object->segment);
        free(object);
        return rc;
    }
    *out = object;
    return 0;
}

/* Who has no row yet has to be counted before it looks. */
int brood_heap_enter(const brood_heap_object *object, const brood_heap_kind *kind, uint32_t *me)
{
    int rc;

    if (object == NULL) {
        return brood_fail(BROOD_EINVAL, "the %s is NULL", brood_kind_name((int)kind->kind));
    }
    rc = brood_segment_me(object->segment, me);
    if (rc) {
        return rc;
    }
    if (brood_word_load_relaxed(&object->cell->generation) != object->generation) {
        return brood_fail(BROOD_ECLOSED, "the %s was given up by the process that made it",
                          brood_kind_name((int)kind->kind));
    }
    return 0;
}

int brood_heap_check(const brood_heap_object *object, const brood_heap_kind *kind)
{
    uint32_t me;

    return brood_heap_enter(object, kind, &me);
}

brood_heap_object *brood_heap_ref(brood_heap_object *object)
{
    if (object != NULL) {
        (void)brood_atomic_add(&object->refs, 1);
    }
    return object;
}

/* This process lets go of the cell, unless that is another object's by now. With BROOD_LOCK_SEGMENTS
 * held. */
static void let_go(brood_heap_object *object)
{
    brood_segment *segment = object->segment;
    brood_heap_object **entry = entry_of(segment, object->offset);

    if (*entry != object) {
        return;
    }
    *entry = NULL;
    if (segment->generation == brood_generation() && segment->number != 0) {
        unhold(segment, object->cell);
    }
}

/* Who holds what cannot be reached any more keeps it from everybody. */
static void warn_of_holder(const brood_heap_object *object)
{
    const brood_heap_kind *kind = object->kind;
    const uint32_t ours = brood_word_load(&object->segment->identity);

    if (kind->held_by != NULL && ours != 0 && kind->held_by(object->cell, ours)) {
        brood_log(BROOD_LOG_WARNING, "%s is freed by a process that holds it",
                  brood_kind_a((int)kind->kind));
    } else if (object->maker == brood_generation() && kind->busy(object->cell)) {
        brood_log(BROOD_LOG_WARNING, "%s is freed by its maker while somebody holds it",
                  brood_kind_a((int)kind->kind));
    }
}

void brood_heap_free(brood_heap_object *object)
{
    bool last;

    if (object == NULL) {
        return;
    }
    brood_locks_take(BROOD_LOCK_SEGMENTS);
    last = brood_atomic_add(&object->refs, -1) == 0;
    if (last) {
        let_go(object);
    }
    brood_locks_give(BROOD_LOCK_SEGMENTS);
    if (!last) {
        return;
    }
    warn_of_holder(object);
    if (object->kind->fini != NULL) {
        object->kind->fini(object);
    }
    if (object->maker == brood_generation()) {
        give_cell(object->segment, object->offset);
    }
    brood_segment_free(object->segment);
    free(object);
}

/* ---- on the way ---- */

void brood_heap_pack(const brood_heap_object *object, brood_heap_goods *goods)
{
    *goods = BROOD_HEAP_GOODS_NONE;
    if (object->kind->pack != NULL) {
        object->kind->pack(object, goods);
    }
}

int brood_heap_send(brood_heap_object *object, brood_heap_id *id)
{
    uint32_t me;
    int rc = brood_segment_me(object->segment, &me);

    if (rc == 0) {
        rc = brood_heap_check(object, object->kind);
    }
    if (rc) {
        return rc;
    }
    (void)brood_word_add(&object->cell->in_flight, 1);
    (void)brood_word_add(&object->cell->sent, 1);
    memcpy(id->segment, object->segment->id, sizeof id->segment);
    id->offset = object->offset;
    id->generation = object->generation;
    return 0;
}

void brood_heap_unsend(brood_heap_object *object)
{
    (void)brood_word_add(&object->cell->in_flight, UINT32_MAX);
}

static int check_id(const brood_segment *segment, const brood_heap_kind *kind,
                    const brood_heap_id *id)
{
    const uint64_t used = used_of(segment);
    const brood_cell *cell;

    if (id->offset < BROOD_CELL_UNIT || id->offset % BROOD_CELL_UNIT != 0 || id->offset >= used ||
        used - id->offset < sizeof(brood_cell)) {
        return brood_fail(BROOD_EDECODE, "%s lies outside of its shared memory",
                          brood_kind_a((int)kind->kind));
    }
    cell = cell_at(segment, id->offset);
    if (cell->kind != (uint32_t)kind->kind || cell->size > used - id->offset ||
        cell->size < sizeof *cell + kind->payload) {
        return brood_fail(BROOD_EDECODE, "what came as %s is something else",
                          brood_kind_a((int)kind->kind));
    }
    if (brood_word_load(&cell->generation) != id->generation) {
        return brood_fail(BROOD_ECLOSED, "the %s was given up by the process that made it",
                          brood_kind_name((int)kind->kind));
    }
    return 0;
}

/* With the lock held. */
static int enter_locked(brood_segment *segment, const brood_heap_id *id, brood_heap_goods *goods,
                        brood_heap_object **fresh, brood_heap_object **out)
{
    brood_heap_object **entry = entry_of(segment, id->offset);
    brood_heap_object *here = *entry;
    int rc = 0;

    if (here == NULL || here->generation != id->generation) {
        here = *fresh;
    }
    if (here->kind->arrive != NULL) {
        rc = here->kind->arrive(here, goods);
    }
    if (rc) {
        return rc;
    }
    if (here == *fresh) {
        *entry = here;
        *fresh = NULL;
        (void)hold(segment, here->cell);
    } else {
        (void)brood_heap_ref(here);
    }
    *out = here;
    return 0;
}

/* The object that is here already, or `fresh`, which is then taken. */
static int enter(brood_segment *segment, const brood_heap_id *id, brood_heap_goods *goods,
                 brood_heap_object **fresh, brood_heap_object **out)
{
    int rc;

    brood_locks_take(BROOD_LOCK_SEGMENTS);
    rc = make_user(segment);
    if (rc == 0) {
        rc = enter_locked(segment, id, goods, fresh, out);
    }
    brood_locks_give(BROOD_LOCK_SEGMENTS);
    return rc;
}

int brood_heap_load(brood_heap_object **out, const brood_heap_kind *kind, const brood_heap_id *id,
                    brood_os_handle *handle, brood_heap_goods *goods)
{
    brood_segment *segment = NULL;
    brood_heap_object *fresh = make_object(kind);
    uint32_t me;
    int rc = fresh != NULL ? brood_segment_attach(&segment, &heap_kind, id->segment, handle)
                           : brood_fail_nomem("a shared object");

    if (rc == 0) {
        rc = brood_segment_me(segment, &me);
    }
    if (rc == 0) {
        rc = check_id(segment, kind, id);
    }
    if (rc == 0) {
        fresh->segment = segment;
        fresh->offset = id->offset;
        fresh->cell = cell_at(segment, id->offset);
        fresh->generation = id->generation;
        rc = enter(segment, id, goods, &fresh, out);
    }
    if (rc == 0) {
        (void)brood_word_add(&(*out)->cell->in_flight, UINT32_MAX);
        if (fresh == NULL) {
            segment = NULL; /* the object has the reference */
        }
    }
    brood_segment_free(segment);
    free(fresh);
    return rc;
}

/* Arrays. Each has a cell in shared memory (heap.h), by which it is known wherever it arrives. Small
 * ones have their items in it; the items of a larger one are a block of their own. */
#include "array.h"

#include <string.h>

#include "error.h"
#include "locks.h"
#include "options.h"

#define SMALL_MAX BROOD_CELL_PAYLOAD_MAX

struct brood_array {
    brood_heap_object shared; /* first */
    bool settled;             /* the rest is set, and stays; under BROOD_LOCK_KNOWN */
    brood_array_state state;  /* with references of its own */
};

/* ---- the kind ---- */

static void sweep_array(brood_segment *segment, brood_cell *cell, uint32_t identity)
{
    (void)segment;
    (void)cell;
    (void)identity;
}

static bool array_is_busy(const brood_cell *cell)
{
    (void)cell;
    return false;
}

static void fini_array(brood_heap_object *shared)
{
    brood_array *array = (brood_array *)shared;

    brood_lock_free(array->state.lock);
    brood_memory_free(array->state.memory);
}

const brood_heap_kind brood_array_kind = {
    BROOD_ARRAY, 0, sizeof(brood_array), sweep_array, array_is_busy, fini_array, NULL, NULL, NULL,
};

/* ---- types ---- */

static bool is_type(char letter, size_t size)
{
    switch (letter) {
    case 'i':
    case 'u':
        return size == 1 || size == 2 || size == 4 || size == 8;
    case 'f':
        return size == 4 || size == 8;
    default:
        return letter == 'x' && size > 0;
    }
}

/* "4-byte signed integers" */
static const char *name_of(char letter)
{
    switch (letter) {
    case 'i':
        return "signed integers";
    case 'u':
        return "unsigned integers";
    case 'f':
        return "floats";
    default:
        return "structures";
    }
}

/* Bytes of all items; false if that is more than there can be. */
static bool measure(size_t *out, const brood_array_state *state)
{
    if (state->item_size == 0 || state->count > (size_t)PTRDIFF_MAX / state->item_size) {
        return false;
    }
    *out = state->item_size * state->count;
    return true;
}

/* ---- make ---- */

/* Cells are used again by arrays of the same size, so there should not be too many sizes: up to 256
 * bytes all, above four in each doubling. */
static size_t round_up(size_t size)
{
    size_t step = BROOD_CELL_UNIT;

    while (step * 8 <= size) {
        step *= 2;
    }
    return size <= 256 ? size : (size + step - 1) / step * step;
}

static int make_lock(brood_lock **out, const brood_array_options *options)
{
    if (options->raw) {
        return 0;
    }
    if (options->lock == NULL) {
        return brood_rlock_new(out, NULL);
    }
    *out = brood_lock_ref(options->lock);
    return 0;
}

static int make(brood_array **out, brood_array_state *state, const brood_array_options *options)
{
    brood_heap_object *shared = NULL;
    size_t size = 0;
    size_t payload;
    int rc;

    if (!measure(&size, state)) {
        return brood_fail_nomem("so large an array");
    }
    payload = round_up(size);
    if (payload > SMALL_MAX) {
        rc = brood_memory_new(&state->memory, size, NULL);
        payload = 0;
    } else {
        rc = 0;
    }
    if (rc == 0) {
        rc = make_lock(&state->lock, options);
    }
    if (rc == 0) {
        rc = brood_heap_new(&shared, &brood_array_kind, payload);
    }
    if (rc == 0) {
        *out = (brood_array *)shared;
    }
    return rc;
}

int brood_array_new_(brood_array **out, char letter, size_t item_size, size_t count,
                     const brood_array_options *options)
{
    brood_array_options chosen;
    brood_array_state state = {letter, item_size, count, NULL, NULL};
    brood_array *array = NULL;
    int rc;

    if (out == NULL) {
        return brood_fail(BROOD_EINVAL, "there is no place for the array: out is NULL");
    }
    *out = NULL;
    rc = brood_options_read(&chosen, sizeof chosen, options, "array");
    if (rc) {
        return rc;
    }
    if (!is_type(letter, item_size)) {
        return brood_fail(BROOD_EINVAL, "an array of %zu-byte items of kind '%c'", item_size,
                          letter >= ' ' && letter <= '~' ? letter : '?');
    }
    if (chosen.raw && chosen.lock != NULL) {
        return brood_fail(BROOD_EINVAL, "an array is raw or has a lock, not both");
    }
    rc = make(&array, &state, &chosen);
    if (rc) {
        brood_lock_free(state.lock);
        brood_memory_free(state.memory);
        return rc;
    }
    array->state = state;
    array->settled = true;
    *out = array;
    return 0;
}

/* ---- use ---- */

void *brood_array_data_(const brood_array *array, char letter, size_t item_size)
{
    uint32_t me;

    if (array == NULL) {
        (void)brood_fail(BROOD_EINVAL, "the array is NULL");
        return NULL;
    }
    if (letter != array->state.letter || item_size != array->state.item_size) {
        (void)brood_fail(BROOD_ETYPE, "an array of %zu-byte %s, not of %zu-byte %s",
                         array->state.item_size, name_of(array->state.letter), item_size,
                         name_of(letter));
        return NULL;
    }
    /* A forked child is counted among those who have the array when it first uses it. */
    if (brood_segment_me(array->shared.segment, &me) ||
        brood_heap_check(&array->shared, &brood_array_kind)) {
        return NULL;
    }
    return array->state.memory != NULL ? brood_memory_data(array->state.memory)
                                       : brood_cell_payload(array->shared.cell);
}

size_t brood_array_count(const brood_array *array)
{
    return array != NULL ? array->state.count : 0;
}

brood_lock *brood_array_lock(const brood_array *array)
{
    return array != NULL ? array->state.lock : NULL;
}

brood_array *brood_array_ref(brood_array *array)
{
    return (brood_array *)brood_heap_ref(array != NULL ? &array->shared : NULL);
}

void brood_array_free(brood_array *array)
{
    brood_heap_free(array != NULL ? &array->shared : NULL);
}

/* ---- travel ---- */

void brood_array_describe(const brood_array *array, brood_array_state *state)
{
    *state = array->state;
}

/* Whether the items lie in what came. What stands in the cell itself may change at any time. */
static bool is_there(const brood_heap_object *shared, const brood_array_state *state)
{
    size_t size = 0;

    if (!is_type(state->letter, state->item_size) || !measure(&size, state)) {
        return false;
    }
    if (state->memory != NULL) {
        return brood_memory_size(state->memory) >= size && !brood_memory_read_only(state->memory);
    }
    return shared->cell->size >= sizeof(brood_cell) &&
           size <= shared->cell->size - sizeof(brood_cell) &&
           size <= shared->segment->size - shared->offset - sizeof(brood_cell);
}

static bool is_same(const brood_array_state *a, const brood_array_state *b)
{
    return a->letter == b->letter && a->item_size == b->item_size && a->count == b->count &&
           a->lock == b->lock && a->memory == b->memory;
}

int brood_array_arrive(brood_heap_object *shared, const brood_array_state *state)
{
    brood_array *array = (brood_array *)shared;
    bool settled;
    bool same;

    if (!is_there(shared, state)) {
        return brood_fail(BROOD_EDECODE, "an array whose items are not all there");
    }
    brood_locks_take(BROOD_LOCK_KNOWN);
    settled = array->settled;
    if (!settled) {
        array->state = *state;
        array->settled = true;
    }
    same = is_same(&array->state, state);
    brood_locks_give(BROOD_LOCK_KNOWN);
    if (!same) {
        return brood_fail(BROOD_EDECODE, "an array that is another one here");
    }
    if (settled) { /* it has its own references */
        brood_lock_free(state->lock);
        brood_memory_free(state->memory);
    }
    return 0;
}

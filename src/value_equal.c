#include <brood/value.h>

#include "codec.h"

static bool is_number(brood_value value)
{
    return value.kind == BROOD_BOOL || value.kind == BROOD_INT || value.kind == BROOD_UINT ||
           value.kind == BROOD_FLOAT;
}

/* Whether a double is exactly this integer. Both limits are powers of two: no rounding. */
static bool is_exactly(double x, brood_value integer)
{
    if (integer.kind == BROOD_UINT) {
        return x >= 0 && x < 18446744073709551616.0 && (uint64_t)x == integer.as.u64 &&
               (double)(uint64_t)x == x;
    }
    return x >= -9223372036854775808.0 && x < 9223372036854775808.0 &&
           (int64_t)x == integer.as.i64 && (double)(int64_t)x == x;
}

static bool equal_numbers(brood_value a, brood_value b)
{
    if (a.kind == BROOD_FLOAT && b.kind == BROOD_FLOAT) {
        return a.as.f64 == b.as.f64;
    }
    if (a.kind == BROOD_FLOAT) {
        return is_exactly(a.as.f64, b);
    }
    if (b.kind == BROOD_FLOAT) {
        return is_exactly(b.as.f64, a);
    }
    if (a.kind == BROOD_UINT || b.kind == BROOD_UINT) {
        return a.kind == b.kind && a.as.u64 == b.as.u64;
    }
    return a.as.i64 == b.as.i64;
}

/* ---- containers, one frame for each pair that is compared ----
 *
 * Two values are compared at most once for each time that their containers are: hostile nesting
 * would double the time at each level otherwise. Only a dict's keys are compared up to four times,
 * and no dict is inside a key. */

typedef enum phase {
    ITEMS,    /* items in order */
    MEMBERS,  /* items of a set: each one somewhere in the other */
    KEYS,     /* are a dict's keys the same in the same order? */
    VALUES,   /* then their values are, */
    FIND,     /* else each key of the first is looked for in the second, from the end, */
    FOUND,    /* with its value, */
    BACK,     /* and each key of the second in the first */
    SHADOWED, /* a value differs: is its key there once more, behind it? */
} phase;

typedef struct frame {
    const brood_value *a;
    const brood_value *b;
    size_t i;
    size_t j;
    phase phase;
    phase resume; /* where SHADOWED came from */
} frame;

/* What a frame wants next: two values compared, or to end. */
typedef struct wish {
    const brood_value *a;
    const brood_value *b;
    bool ends;
    bool equal;
} wish;

static wish end_with(bool equal)
{
    return (wish){NULL, NULL, true, equal};
}

static wish compare(const brood_value *a, const brood_value *b)
{
    return (wish){a, b, false, false};
}

static size_t count_of(const brood_value *value)
{
    return brood_value_count(*value);
}

static const brood_value *key_of(const brood_value *dict, size_t index)
{
    return &dict->as.items[2 * index];
}

static wish go_on_items(frame *f)
{
    return f->i < count_of(f->a) ? compare(&f->a->as.items[f->i], &f->b->as.items[f->i])
                                 : end_with(true);
}

static wish after_items(frame *f, bool equal)
{
    f->i++;
    return equal ? go_on_items(f) : end_with(false);
}

/* Sets in the same order take one comparison an item. An item that is there twice (Python never
 * sends such a set) only has to be somewhere in the other. */
static wish go_on_members(frame *f)
{
    size_t count = count_of(f->a);

    if (f->i == count || f->j == count) {
        return end_with(f->i == count);
    }
    return compare(&f->a->as.items[f->i], &f->b->as.items[(f->i + f->j) % count]);
}

static wish after_members(frame *f, bool equal)
{
    f->i += equal;
    f->j = equal ? 0 : f->j + 1;
    return go_on_members(f);
}

static wish go_on_back(frame *f)
{
    if (f->i == count_of(f->b) || f->j == 0) {
        return end_with(f->i == count_of(f->b));
    }
    return compare(key_of(f->b, f->i), key_of(f->a, f->j - 1));
}

static wish go_on_find(frame *f)
{
    if (f->i == count_of(f->a)) {
        f->phase = BACK;
        f->i = 0;
        f->j = count_of(f->a);
        return go_on_back(f);
    }
    return f->j > 0 ? compare(key_of(f->a, f->i), key_of(f->b, f->j - 1)) : end_with(false);
}

static wish start_find(frame *f, size_t i)
{
    f->phase = FIND;
    f->i = i;
    f->j = count_of(f->b);
    return go_on_find(f);
}

static wish go_on_values(frame *f)
{
    if (f->i == count_of(f->a)) {
        return end_with(true);
    }
    return compare(key_of(f->a, f->i) + 1, key_of(f->b, f->i) + 1);
}

static wish go_on_keys(frame *f)
{
    if (f->i == count_of(f->a)) {
        f->phase = VALUES;
        f->i = 0;
        return go_on_values(f);
    }
    return compare(key_of(f->a, f->i), key_of(f->b, f->i));
}

static wish go_on_shadowed(frame *f)
{
    return f->j > f->i ? compare(key_of(f->a, f->i), key_of(f->a, f->j)) : end_with(false);
}

/* A pair of the first dict is settled. */
static wish next_pair(frame *f, phase from)
{
    if (from == FOUND) {
        return start_find(f, f->i + 1);
    }
    f->phase = VALUES;
    f->i++;
    return go_on_values(f);
}

static wish after_value(frame *f, bool equal)
{
    if (equal) {
        return next_pair(f, f->phase);
    }
    f->resume = f->phase;
    f->phase = SHADOWED;
    f->j = count_of(f->a) - 1;
    return go_on_shadowed(f);
}

static wish after_find(frame *f, bool equal)
{
    if (equal) {
        f->phase = FOUND;
        return compare(key_of(f->a, f->i) + 1, key_of(f->b, f->j - 1) + 1);
    }
    f->j--;
    return go_on_find(f);
}

static wish after_back(frame *f, bool equal)
{
    f->i += equal;
    f->j = equal ? count_of(f->a) : f->j - 1;
    return go_on_back(f);
}

static wish after_keys(frame *f, bool equal)
{
    f->i++;
    return equal ? go_on_keys(f) : start_find(f, 0);
}

static wish after_shadowed(frame *f, bool equal)
{
    if (equal) {
        return next_pair(f, f->resume);
    }
    f->j--;
    return go_on_shadowed(f);
}

/* `equal` is what came of the last wish. */
static wish go_on(frame *f, bool equal)
{
    switch (f->phase) {
    case ITEMS:
        return after_items(f, equal);
    case MEMBERS:
        return after_members(f, equal);
    case KEYS:
        return after_keys(f, equal);
    case VALUES:
    case FOUND:
        return after_value(f, equal);
    case FIND:
        return after_find(f, equal);
    case BACK:
        return after_back(f, equal);
    case SHADOWED:
    default:
        return after_shadowed(f, equal);
    }
}

/* Two containers of the same kind. */
static wish start(frame *f, const brood_value *a, const brood_value *b)
{
    bool set = a->kind == BROOD_LIST_KIND && (a->flags & BROOD_VALUE_SET) != 0;
    bool other_set = b->kind == BROOD_LIST_KIND && (b->flags & BROOD_VALUE_SET) != 0;

    *f = (frame){a, b, 0, 0, ITEMS, ITEMS};
    if (a->kind == BROOD_DICT_KIND) {
        f->phase = KEYS;
        return a->size == b->size ? go_on_keys(f) : start_find(f, 0);
    }
    if (a->size != b->size || set != other_set) {
        return end_with(false);
    }
    f->phase = set ? MEMBERS : ITEMS;
    return set ? go_on_members(f) : go_on_items(f);
}

static bool is_container(const brood_value *value)
{
    return value->kind == BROOD_LIST_KIND || value->kind == BROOD_TUPLE_KIND ||
           value->kind == BROOD_DICT_KIND;
}

static bool equal_leaves(const brood_value *a, const brood_value *b)
{
    if (is_number(*a) && is_number(*b)) {
        return equal_numbers(*a, *b);
    }
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case BROOD_NONE:
        return true;
    case BROOD_STR:
    case BROOD_BYTES:
        return a->size == b->size &&
               (a->size == 0 || memcmp(a->as.data, b->as.data, (size_t)a->size) == 0);
    case BROOD_FUNCTION:
        return a->as.function == b->as.function;
    case BROOD_HANDLE:
        return brood_as_handle(*a) == brood_as_handle(*b);
    default:
        return a->as.object == b->as.object;
    }
}

bool brood_value_equal(brood_value a, brood_value b)
{
    frame frames[BROOD_DEPTH_MAX];
    size_t depth = 0;
    wish next = compare(&a, &b);

    for (;;) {
        while (!next.ends) {
            if (!is_container(next.a) || next.a->kind != next.b->kind) {
                next = end_with(equal_leaves(next.a, next.b));
            } else if (depth == BROOD_DEPTH_MAX) {
                return false; /* what arrives is never deeper */
            } else {
                depth++;
                next = start(&frames[depth - 1], next.a, next.b);
                depth -= next.ends;
            }
        }
        while (next.ends) {
            if (depth == 0) {
                return next.equal;
            }
            next = go_on(&frames[depth - 1], next.equal);
            depth -= next.ends;
        }
    }
}

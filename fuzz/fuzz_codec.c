/* Decoding of any bytes: it fails or gives a value that can be encoded, decoded again as the same
 * value, and then encoded as the same bytes. With and without persistent ids, from bytes that may be
 * changed and from such that may not. Memory is bounded. */
#include "fuzz.h"

#include <string.h>

#include <brood.h>

#include "codec.h"
#include "memory.h"

#define MOST_IDS 64
#define MOST_COMPARED 20000 /* values; bytes can stand for a million */
#define FEW 500             /* for what may take quadratic time */

/* ---- persistent ids: each different one is an object ---- */

typedef struct objects {
    brood_value ids[MOST_IDS];
    size_t count;
} objects;

static bool same_leaf(const brood_value *a, const brood_value *b)
{
    if (a->kind != b->kind || a->flags != b->flags || a->size != b->size) {
        return false;
    }
    if (a->kind == BROOD_STR || a->kind == BROOD_BYTES) {
        return a->size == 0 || memcmp(a->as.data, b->as.data, (size_t)a->size) == 0;
    }
    return a->as.u64 == b->as.u64;
}

static bool same_id(const brood_value *a, const brood_value *b)
{
    if (a->kind != BROOD_TUPLE_KIND || b->kind != BROOD_TUPLE_KIND) {
        return a->kind != BROOD_TUPLE_KIND && b->kind != BROOD_TUPLE_KIND && same_leaf(a, b);
    }
    for (size_t i = 0; a->size == b->size && i < a->size; i++) {
        if (!same_leaf(&a->as.items[i], &b->as.items[i])) {
            return false;
        }
    }
    return a->size == b->size;
}

static bool is_scalar(const brood_value *value)
{
    return value->kind <= BROOD_BYTES;
}

static void check_id(const brood_value *id)
{
    FUZZ_CHECK(is_scalar(id) || id->kind == BROOD_TUPLE_KIND);
    for (size_t i = 0; id->kind == BROOD_TUPLE_KIND && i < id->size; i++) {
        FUZZ_CHECK(is_scalar(&id->as.items[i]));
    }
}

static int load(void *user, brood_arena *arena, brood_value id, brood_value *object)
{
    objects *all = user;
    size_t at = 0;

    (void)arena;
    check_id(&id);
    while (at < all->count && !same_id(&all->ids[at], &id)) {
        at++;
    }
    if (at == MOST_IDS) {
        return BROOD_EMODULE;
    }
    if (at == all->count) {
        all->ids[all->count++] = id;
    }
    /* Nobody looks behind the pointer. */
    *object = brood_object_(BROOD_CONNECTION, &all->ids[at]);
    return 0;
}

static int save(void *user, brood_value object, brood_value *id)
{
    const objects *all = user;
    const brood_value *kept = object.as.object;

    FUZZ_CHECK(object.kind == BROOD_CONNECTION);
    FUZZ_CHECK(kept >= all->ids && kept < all->ids + all->count);
    *id = *kept;
    return 0;
}

/* ---- are two values the same, to the bit? ---- */

typedef struct comparison {
    size_t count; /* values compared so far */
    bool has_nan;
} comparison;

static void compare(comparison *c, const brood_value *a, const brood_value *b)
{
    if (c->count++ >= MOST_COMPARED) {
        return;
    }
    if (a->kind == BROOD_STR) {
        FUZZ_CHECK(((const char *)a->as.data)[a->size] == '\0');
        FUZZ_CHECK(((const char *)b->as.data)[b->size] == '\0');
    }
    if (is_scalar(a) || a->kind > BROOD_DICT_KIND) {
        FUZZ_CHECK(same_leaf(a, b));
        c->has_nan = c->has_nan || (a->kind == BROOD_FLOAT && a->as.f64 != a->as.f64);
        return;
    }
    FUZZ_CHECK(a->kind == b->kind && a->flags == b->flags && a->size == b->size);
    FUZZ_CHECK((a->flags & ~BROOD_VALUE_SET) == 0);
    FUZZ_CHECK(a->kind != BROOD_DICT_KIND || a->size % 2 == 0);
    for (size_t i = 0; i < a->size; i++) {
        compare(c, &a->as.items[i], &b->as.items[i]); /* at most BROOD_DEPTH_MAX deep */
    }
}

/* What users have for it. */
static void compare_as_users(brood_value a, brood_value b)
{
    char shown[256];
    char other[sizeof shown];
    const size_t size = brood_value_print(a, shown, sizeof shown);
    brood_message *copy = NULL;

    FUZZ_CHECK(brood_value_equal(a, b));
    FUZZ_CHECK(brood_value_print(b, other, sizeof other) == size);
    FUZZ_CHECK(strcmp(shown, other) == 0);
    FUZZ_CHECK(brood_message_new(&copy, a) == 0);
    FUZZ_CHECK(brood_value_equal(a, brood_message_value(copy)));
    brood_message_free(copy);
}

/* ---- round trips ---- */

static int reserve(void *user, size_t size, void **data)
{
    brood_view *view = user;

    FUZZ_CHECK(view->data == NULL);
    *data = malloc(size);
    FUZZ_CHECK(*data != NULL);
    *view = (brood_view){*data, size};
    return 0;
}

static int encode(brood_value value, objects *all, brood_view *out)
{
    const brood_saver saver = {NULL, save, all};
    const brood_room room = {reserve, out};
    int rc = brood_codec_encode(value, all != NULL ? &saver : NULL, &room);

    FUZZ_CHECK((rc == 0) == (out->data != NULL));
    return rc;
}

/* `own` is NULL or a copy of the bytes. */
static int decode(brood_arena *arena, const void *data, void *own, size_t size, objects *all,
                  brood_value *out)
{
    const brood_loader loader = {load, all};
    int rc = 0;

    *out = brood_int(-1);
    fuzz_memory_start();
    rc = own != NULL
             ? brood_codec_decode_in_place(own, size, all != NULL ? &loader : NULL, arena, out)
             : brood_codec_decode(data, size, all != NULL ? &loader : NULL, arena, out);
    FUZZ_CHECK(fuzz_memory_most() <= FUZZ_DECODE_MAX(size));
    if (rc != 0) {
        FUZZ_CHECK(out->kind == BROOD_INT && out->as.i64 == -1);
        FUZZ_CHECK(rc == BROOD_EDECODE || rc == BROOD_ERANGE ||
                   (rc == BROOD_EMODULE && all != NULL && all->count == MOST_IDS));
        FUZZ_CHECK(rc == BROOD_EMODULE || brood_last_error()->error == rc);
    }
    return rc;
}

/* The value is of `size` bytes. */
static void check_value(brood_value value, size_t size, objects *all)
{
    brood_arena arena = BROOD_ARENA_NONE;
    brood_view first = {NULL, 0};
    brood_view second = {NULL, 0};
    brood_value again;
    comparison c = {0, false};
    int rc = encode(value, all, &first);

    if (rc != 0) {
        /* The limit follows the size, and the shortest form may be much shorter. */
        FUZZ_CHECK(rc == BROOD_ETOOBIG && brood_codec_total_max(size) > brood_codec_total_max(0));
        return;
    }
    FUZZ_CHECK(decode(&arena, first.data, NULL, first.size, all, &again) == 0);
    compare(&c, &value, &again);
    if (c.count < FEW && !c.has_nan && all == NULL) {
        compare_as_users(value, again);
    }
    FUZZ_CHECK(encode(again, all, &second) == 0);
    FUZZ_CHECK(first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
    brood_arena_release(&arena);
    free((void *)(uintptr_t)first.data);
    free((void *)(uintptr_t)second.data);
}

/* Decoding in place does what `rc` and `value` say of the other. */
static void check_in_place(const uint8_t *data, size_t size, objects *all, int rc,
                           const brood_value *value)
{
    brood_arena arena = BROOD_ARENA_NONE;
    brood_value own_value;
    comparison c = {0, false};
    void *own = malloc(size > 0 ? size : 1);

    FUZZ_CHECK(own != NULL);
    memcpy(own, data, size);
    FUZZ_CHECK(decode(&arena, NULL, own, size, all, &own_value) == rc);
    if (rc == 0) {
        compare(&c, value, &own_value);
    }
    brood_arena_release(&arena);
    free(own);
}

static void check_bytes(const uint8_t *data, size_t size, bool with_ids)
{
    static objects all;
    brood_arena arena = BROOD_ARENA_NONE;
    brood_value value;
    int rc = 0;

    all.count = 0;
    rc = decode(&arena, data, NULL, size, with_ids ? &all : NULL, &value);
    if (rc == 0) {
        check_value(value, size, with_ids ? &all : NULL);
    }
    check_in_place(data, size, with_ids ? &all : NULL, rc, &value);
    brood_arena_release(&arena);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    fuzz_memory_init();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_bytes(data, size, false);
    check_bytes(data, size, true);
    return 0;
}

#include "unpack_slot.h"

#include <float.h>
#include <stdio.h>

#include "error.h"
#include "object.h"
#include "utf8.h"

#define SHOWN_SIZE 40 /* bytes of a text that are worth showing */
#define WORDS_SIZE 256

/* ---- words ---- */

static void describe_place(char words[WORDS_SIZE], const brood_unpack_place *place)
{
    if (place->name == NULL) {
        (void)snprintf(words, WORDS_SIZE, "%s %zu", place->noun, place->number);
    } else {
        (void)snprintf(words, WORDS_SIZE, "%s %zu ('%.*s')", place->noun, place->number,
                       (int)(place->name_size < 100 ? place->name_size : 100), place->name);
    }
}

/* What arrived may be huge: no more than its beginning is looked at. */
static void describe_value(char words[WORDS_SIZE], brood_value value)
{
    char text[WORDS_SIZE / 2 + SHOWN_SIZE];
    const char *kind = brood_kind_name(value.kind);
    const char *more = "";

    switch (value.kind) {
    case BROOD_STR:
    case BROOD_BYTES:
        if (value.size > SHOWN_SIZE) {
            value.size = brood_utf8_cut(value.as.data, SHOWN_SIZE);
            more = "...";
        }
        break;
    case BROOD_LIST_KIND:
    case BROOD_TUPLE_KIND:
    case BROOD_DICT_KIND:
        kind = (value.flags & BROOD_VALUE_SET) != 0 ? "set" : kind;
        (void)snprintf(words, WORDS_SIZE, "%s of %zu", kind, brood_value_count(value));
        return;
    case BROOD_BOOL:
    case BROOD_INT:
    case BROOD_UINT:
    case BROOD_FLOAT:
        break;
    default:
        (void)snprintf(words, WORDS_SIZE, "%s", kind);
        return;
    }
    (void)brood_value_print(value, text, sizeof text);
    (void)snprintf(words, WORDS_SIZE, "%s %s%s", kind, text, more);
}

static int fail_to_take(int error, const brood_unpack_place *place, const char *what,
                        brood_value got)
{
    char where[WORDS_SIZE];
    char value[WORDS_SIZE];

    describe_place(where, place);
    describe_value(value, got);
    return brood_fail(error, "%s takes %s, got %s", where, what, value);
}

static int fail_type(const brood_slot *slot, brood_value value, const brood_unpack_place *place)
{
    static const char *const takes[] = {
        [BROOD_SLOT_BOOL_] = "a bool",         [BROOD_SLOT_SIGNED_] = "an int",
        [BROOD_SLOT_UNSIGNED_] = "an int",     [BROOD_SLOT_FLOAT_] = "a float",
        [BROOD_SLOT_STR_] = "a str",           [BROOD_SLOT_VIEW_] = "a str or bytes",
        [BROOD_SLOT_FUNCTION_] = "a function",
    };
    char words[WORDS_SIZE];

    if (slot->type < sizeof takes / sizeof takes[0] && takes[slot->type] != NULL) {
        return fail_to_take(BROOD_ETYPE, place, takes[slot->type], value);
    }
    (void)snprintf(words, sizeof words, "%s", brood_kind_a(slot->detail));
    return fail_to_take(BROOD_ETYPE, place, words, value);
}

/* ---- numbers ---- */

static uint64_t largest_unsigned(unsigned size)
{
    return size >= 8 ? UINT64_MAX : ((uint64_t)1 << 8 * size) - 1;
}

static int check_signed(const brood_slot *slot, brood_value value, const brood_unpack_place *place)
{
    int64_t largest = (int64_t)(largest_unsigned(slot->detail) / 2);
    char words[WORDS_SIZE];

    if (value.kind != BROOD_INT && value.kind != BROOD_UINT && value.kind != BROOD_BOOL) {
        return fail_type(slot, value, place);
    }
    if (value.kind != BROOD_UINT && value.as.i64 <= largest && value.as.i64 >= -largest - 1) {
        return 0;
    }
    (void)snprintf(words, sizeof words, "an int from %lld to %lld", (long long)(-largest - 1),
                   (long long)largest);
    return fail_to_take(BROOD_ERANGE, place, words, value);
}

static int check_unsigned(const brood_slot *slot, brood_value value,
                          const brood_unpack_place *place)
{
    uint64_t largest = largest_unsigned(slot->detail);
    char words[WORDS_SIZE];

    if (value.kind != BROOD_INT && value.kind != BROOD_UINT && value.kind != BROOD_BOOL) {
        return fail_type(slot, value, place);
    }
    if ((value.kind == BROOD_UINT || value.as.i64 >= 0) && value.as.u64 <= largest) {
        return 0;
    }
    (void)snprintf(words, sizeof words, "an int from 0 to %llu", (unsigned long long)largest);
    return fail_to_take(BROOD_ERANGE, place, words, value);
}

static int check_float(const brood_slot *slot, brood_value value, const brood_unpack_place *place)
{
    double x = brood_as_float(value, 0);
    bool finite = x - x == 0;

    if (value.kind != BROOD_FLOAT && value.kind != BROOD_INT && value.kind != BROOD_UINT) {
        return fail_type(slot, value, place);
    }
    if (slot->detail == sizeof(float) && finite && (x > (double)FLT_MAX || x < -(double)FLT_MAX)) {
        return fail_to_take(BROOD_ERANGE, place, "a float of 4 bytes", value);
    }
    return 0;
}

static int check_bool(const brood_slot *slot, brood_value value, const brood_unpack_place *place)
{
    if (value.kind == BROOD_BOOL) {
        return 0;
    }
    /* C11's `true` is an int. */
    if (value.kind == BROOD_INT || value.kind == BROOD_UINT) {
        return value.as.u64 <= 1
                   ? 0
                   : fail_to_take(BROOD_ERANGE, place, "a bool, or an int that is 0 or 1", value);
    }
    return fail_type(slot, value, place);
}

static int check_str(const brood_slot *slot, brood_value value, const brood_unpack_place *place)
{
    if (value.kind == BROOD_NONE) {
        return 0;
    }
    if (value.kind != BROOD_STR) {
        return fail_type(slot, value, place);
    }
    if (value.size > 0 && memchr(value.as.data, 0, (size_t)value.size) != NULL) {
        return fail_to_take(BROOD_ERANGE, place, "a str without zero bytes", value);
    }
    return 0;
}

/* ---- all ---- */

int brood_unpack_check(const brood_slot *slot, brood_value value, const brood_unpack_place *place)
{
    char where[WORDS_SIZE];
    bool fits = false;

    if (slot->out == NULL) {
        describe_place(where, place);
        return brood_fail(BROOD_EINVAL, "%s has nowhere to go: its pointer is NULL", where);
    }
    switch (slot->type) {
    case BROOD_SLOT_BOOL_:
        return check_bool(slot, value, place);
    case BROOD_SLOT_SIGNED_:
        return check_signed(slot, value, place);
    case BROOD_SLOT_UNSIGNED_:
        return check_unsigned(slot, value, place);
    case BROOD_SLOT_FLOAT_:
        return check_float(slot, value, place);
    case BROOD_SLOT_STR_:
        return check_str(slot, value, place);
    case BROOD_SLOT_VIEW_:
        fits = value.kind == BROOD_STR || value.kind == BROOD_BYTES;
        break;
    case BROOD_SLOT_VALUE_:
        fits = true;
        break;
    case BROOD_SLOT_FUNCTION_:
        fits = value.kind == BROOD_FUNCTION;
        break;
    case BROOD_SLOT_OBJECT_:
        fits = value.kind == slot->detail;
        break;
    default:
        return brood_fail(BROOD_EINVAL, "a place of unknown type %d", slot->type);
    }
    return fits ? 0 : fail_type(slot, value, place);
}

static void store_number(const brood_slot *slot, brood_value value)
{
    uint8_t x8 = (uint8_t)value.as.u64;
    uint16_t x16 = (uint16_t)value.as.u64;
    uint32_t x32 = (uint32_t)value.as.u64;

    switch (slot->detail) {
    case 1:
        memcpy(slot->out, &x8, sizeof x8);
        break;
    case 2:
        memcpy(slot->out, &x16, sizeof x16);
        break;
    case 4:
        memcpy(slot->out, &x32, sizeof x32);
        break;
    default:
        memcpy(slot->out, &value.as.u64, sizeof value.as.u64);
        break;
    }
}

static void store_float(const brood_slot *slot, brood_value value)
{
    double x = brood_as_float(value, 0);

    if (slot->detail == sizeof(float)) {
        *(float *)slot->out = (float)x;
    } else {
        *(double *)slot->out = x;
    }
}

void brood_unpack_store(const brood_slot *slot, brood_value value)
{
    switch (slot->type) {
    case BROOD_SLOT_BOOL_:
        *(bool *)slot->out = value.as.u64 != 0;
        break;
    case BROOD_SLOT_SIGNED_:
    case BROOD_SLOT_UNSIGNED_:
        store_number(slot, value);
        break;
    case BROOD_SLOT_FLOAT_:
        store_float(slot, value);
        break;
    case BROOD_SLOT_STR_:
        *(const char **)slot->out = value.kind == BROOD_STR ? value.as.data : NULL;
        break;
    case BROOD_SLOT_VIEW_:
        *(brood_view *)slot->out = brood_as_view(value);
        break;
    case BROOD_SLOT_VALUE_:
        *(brood_value *)slot->out = value;
        break;
    case BROOD_SLOT_FUNCTION_:
        *(brood_function *)slot->out = value.as.function;
        break;
    default:
        /* A pointer to one of the opaque structs: they all look the same. */
        memcpy(slot->out, &value.as.object, sizeof value.as.object);
        break;
    }
}

#include "codec_write.h"

#include "bytes.h"
#include "sharing.h"

/* Bytes of the shortest two's complement. */
static size_t long_size(const brood_value *value)
{
    uint64_t x = value->as.u64;
    size_t size = 1;

    if (value->kind == BROOD_UINT) {
        return 9; /* the sign needs another byte */
    }
    x = value->as.i64 < 0 ? ~x : x;
    while (x >= 0x80) {
        x >>= 8;
        size++;
    }
    return size;
}

static bool fits_int32(const brood_value *value)
{
    return value->kind != BROOD_UINT && value->as.i64 >= INT32_MIN && value->as.i64 <= INT32_MAX;
}

static size_t int_size(const brood_value *value)
{
    if (!fits_int32(value)) {
        return 2 + long_size(value);
    }
    if (value->as.i64 < 0 || value->as.i64 > UINT16_MAX) {
        return 5;
    }
    return value->as.i64 <= UINT8_MAX ? 2 : 3;
}

static uint64_t sized_size(uint64_t size)
{
    if (size <= UINT8_MAX) {
        return 2 + size;
    }
    return size <= UINT32_MAX ? 5 + size : 9 + size;
}

uint64_t brood_codec_leaf_size(const brood_value *value)
{
    switch (value->kind) {
    case BROOD_INT:
    case BROOD_UINT:
        return int_size(value);
    case BROOD_FLOAT:
        return 9;
    case BROOD_STR:
    case BROOD_BYTES:
        return sized_size(value->size);
    default:
        return 1;
    }
}

static unsigned char *write_long(unsigned char *at, const brood_value *value)
{
    size_t size = long_size(value);
    unsigned char words[16] = {0};

    brood_put_le64(words, value->as.u64);
    at[0] = BROOD_OP_LONG1;
    at[1] = (unsigned char)size;
    memcpy(at + 2, words, size);
    return at + 2 + size;
}

static unsigned char *write_int(unsigned char *at, const brood_value *value)
{
    switch (int_size(value)) {
    case 2:
        at[0] = BROOD_OP_BININT1;
        at[1] = (unsigned char)value->as.u64;
        return at + 2;
    case 3:
        at[0] = BROOD_OP_BININT2;
        brood_put_le16(at + 1, (uint16_t)value->as.u64);
        return at + 3;
    case 5:
        at[0] = BROOD_OP_BININT;
        brood_put_le32(at + 1, (uint32_t)value->as.u64);
        return at + 5;
    default:
        return write_long(at, value);
    }
}

static unsigned char *write_float(unsigned char *at, double x)
{
    uint64_t bits = 0;

    memcpy(&bits, &x, sizeof bits);
    at[0] = BROOD_OP_BINFLOAT;
    brood_put_be64(at + 1, bits);
    return at + 9;
}

static unsigned char *write_sized(unsigned char *at, const brood_value *value)
{
    bool text = value->kind == BROOD_STR;
    uint64_t size = value->size;

    if (size <= UINT8_MAX) {
        at[0] = text ? BROOD_OP_SHORT_BINUNICODE : BROOD_OP_SHORT_BINBYTES;
        at[1] = (unsigned char)size;
        at += 2;
    } else if (size <= UINT32_MAX) {
        at[0] = text ? BROOD_OP_BINUNICODE : BROOD_OP_BINBYTES;
        brood_put_le32(at + 1, (uint32_t)size);
        at += 5;
    } else {
        at[0] = text ? BROOD_OP_BINUNICODE8 : BROOD_OP_BINBYTES8;
        brood_put_le64(at + 1, size);
        at += 9;
    }
    if (size > 0) {
        memcpy(at, value->as.data, (size_t)size);
    }
    return at + size;
}

unsigned char *brood_codec_write_leaf(unsigned char *at, const brood_value *value)
{
    switch (value->kind) {
    case BROOD_INT:
    case BROOD_UINT:
        return write_int(at, value);
    case BROOD_FLOAT:
        return write_float(at, value->as.f64);
    case BROOD_STR:
    case BROOD_BYTES:
        return write_sized(at, value);
    case BROOD_BOOL:
        *at = value->as.i64 != 0 ? BROOD_OP_NEWTRUE : BROOD_OP_NEWFALSE;
        return at + 1;
    default:
        *at = BROOD_OP_NONE;
        return at + 1;
    }
}

static bool is_plain(const brood_value *value)
{
    if (value->kind > BROOD_BYTES || (value->flags & BROOD_VALUE_NAMED) != 0) {
        return false;
    }
    return value->kind <= BROOD_FLOAT ||
           (value->size < BROOD_SHARING_TEXT_MIN && (value->size == 0 || value->as.data != NULL));
}

const brood_value *brood_codec_count_plain(const brood_value *item, const brood_value *end,
                                           uint64_t *size)
{
    uint64_t sum = *size;

    for (; item < end && is_plain(item); item++) {
        sum += brood_codec_leaf_size(item);
    }
    *size = sum;
    return item;
}

const brood_value *brood_codec_write_plain(const brood_value *item, const brood_value *end,
                                           unsigned char **at)
{
    unsigned char *place = *at;

    for (; item < end && is_plain(item); item++) {
        place = brood_codec_write_leaf(place, item);
    }
    *at = place;
    return item;
}

size_t brood_codec_opening(unsigned char *out, const brood_value *value, bool frozen)
{
    unsigned char opcodes[2] = {BROOD_OP_EMPTY_LIST, BROOD_OP_MARK};
    size_t size = value->size > 1 ? 2 : 1;

    if (value->kind == BROOD_TUPLE_KIND) {
        opcodes[0] = value->size == 0 ? BROOD_OP_EMPTY_TUPLE : BROOD_OP_MARK;
        size = value->size == 0 || value->size > 3 ? 1 : 0;
    } else if (value->kind == BROOD_DICT_KIND) {
        opcodes[0] = BROOD_OP_EMPTY_DICT;
        size = value->size > 2 ? 2 : 1;
    } else if (frozen) {
        opcodes[0] = BROOD_OP_MARK;
        size = 1;
    } else if ((value->flags & BROOD_VALUE_SET) != 0) {
        opcodes[0] = BROOD_OP_EMPTY_SET;
        size = value->size > 0 ? 2 : 1;
    }
    for (size_t i = 0; out != NULL && i < size; i++) {
        out[i] = opcodes[i];
    }
    return size;
}

uint8_t brood_codec_closing(const brood_value *value, bool frozen)
{
    if (frozen) {
        return BROOD_OP_FROZENSET;
    }
    if (value->size == 0) {
        return 0;
    }
    if (value->kind == BROOD_TUPLE_KIND) {
        return (uint8_t)(value->size <= 3 ? BROOD_OP_TUPLE1 + (value->size - 1) : BROOD_OP_TUPLE);
    }
    if (value->kind == BROOD_DICT_KIND) {
        return value->size == 2 ? BROOD_OP_SETITEM : BROOD_OP_SETITEMS;
    }
    if ((value->flags & BROOD_VALUE_SET) != 0) {
        return BROOD_OP_ADDITEMS;
    }
    return value->size == 1 ? BROOD_OP_APPEND : BROOD_OP_APPENDS;
}

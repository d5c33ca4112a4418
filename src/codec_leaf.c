#include "codec_leaf.h"

#include "bytes.h"
#include "error.h"
#include "little_endian.h"
#include "opcode.h"
#include "utf8.h"

/* Written field by field: a value is copied soon, and a processor waits when it has to read at once
 * what was just written in other pieces. */
static inline void set_bits(brood_value *out, uint8_t kind, uint64_t bits)
{
    out->kind = kind;
    out->flags = 0;
    out->reserved16 = 0;
    out->reserved32 = 0;
    out->as.u64 = bits;
    out->size = 0;
}

static inline void set_data(brood_value *out, uint8_t kind, const void *data, size_t size)
{
    set_bits(out, kind, 0);
    out->as.data = data;
    out->size = size;
}

static int fail_long(size_t offset)
{
    return brood_fail(BROOD_ERANGE, "the integer at byte %zu does not fit into 64 bits", offset);
}

/* Two's complement, little-endian, of any size: what does not change the value is left out. */
static int read_long(brood_value *out, const unsigned char *in, size_t size, size_t offset)
{
    bool negative = size > 0 && in[size - 1] >= 0x80;
    unsigned char filler = negative ? 0xff : 0;
    uint64_t x = negative ? UINT64_MAX : 0;

    while (size > 8 && in[size - 1] == filler) {
        size--;
    }
    if (size > 8) {
        return fail_long(offset);
    }
    for (size_t i = size; i > 0; i--) {
        x = x << 8 | in[i - 1];
    }
    if (negative && x <= (uint64_t)INT64_MAX) {
        return fail_long(offset);
    }
    set_bits(out, !negative && x > (uint64_t)INT64_MAX ? BROOD_UINT : BROOD_INT, x);
    return 0;
}

static int read_str(brood_value *out, const unsigned char *in, size_t size, brood_arena *arena)
{
    const char *text = size > 0 ? brood_arena_text(arena, in, size) : "";

    if (text == NULL) {
        return brood_fail_nomem("decoding");
    }
    set_data(out, BROOD_STR, text, size);
    if (!brood_utf8_valid(in, size)) {
        out->flags = BROOD_VALUE_SURROGATE;
    }
    return 0;
}

static int read_sized(brood_value *out, const unsigned char **at, size_t offset, brood_arena *arena)
{
    const unsigned char *in = *at;
    unsigned argument = brood_opcode_forms[in[0]] & BROOD_FORM_ARGUMENT;
    const unsigned char *bytes = in + 1 + (argument == BROOD_FORM_EIGHT ? 8 : argument);
    size_t size = 0;

    if (argument == 1) {
        size = in[1];
    } else {
        /* The scan has seen that all of it is there. */
        size = argument == 4 ? brood_get_le32(in + 1) : (size_t)brood_get_le64(in + 1);
    }
    *at = bytes + size;
    switch (in[0]) {
    case BROOD_OP_SHORT_BINUNICODE:
    case BROOD_OP_BINUNICODE:
    case BROOD_OP_BINUNICODE8:
        return read_str(out, bytes, size, arena);
    case BROOD_OP_LONG1:
    case BROOD_OP_LONG4:
        return read_long(out, bytes, size, offset);
    default:
        set_data(out, BROOD_BYTES, bytes, size);
        return 0;
    }
}

int brood_codec_read_leaf(brood_value *out, const unsigned char **at, size_t offset,
                          brood_arena *arena)
{
    const unsigned char *in = *at;

    switch (in[0]) {
    case BROOD_OP_NONE:
        set_bits(out, BROOD_NONE, 0);
        *at = in + 1;
        return 0;
    case BROOD_OP_NEWTRUE:
    case BROOD_OP_NEWFALSE:
        set_bits(out, BROOD_BOOL, in[0] == BROOD_OP_NEWTRUE);
        *at = in + 1;
        return 0;
    case BROOD_OP_BININT1:
        set_bits(out, BROOD_INT, in[1]);
        *at = in + 2;
        return 0;
    case BROOD_OP_BININT2:
        set_bits(out, BROOD_INT, brood_get_le16(in + 1));
        *at = in + 3;
        return 0;
    case BROOD_OP_BININT:
        set_bits(out, BROOD_INT, (uint64_t)(int64_t)(int32_t)brood_get_le32(in + 1));
        *at = in + 5;
        return 0;
    case BROOD_OP_BINFLOAT:
        /* The bits are the double's. */
        set_bits(out, BROOD_FLOAT, brood_get_be64(in + 1));
        *at = in + 9;
        return 0;
    default:
        return read_sized(out, at, offset, arena);
    }
}

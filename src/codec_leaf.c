#include "codec_leaf.h"

#include "bytes.h"
#include "error.h"
#include "little_endian.h"
#include "opcode.h"
#include "utf8.h"

static double read_double(const unsigned char *in)
{
    uint64_t bits = brood_get_be64(in);
    double x = 0;

    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Two's complement, little-endian, of any size: what does not change the value is left out. */
static int read_long(brood_value *out, const unsigned char *in, size_t size, size_t offset)
{
    bool negative = size > 0 && in[size - 1] >= 0x80;
    unsigned char filler = negative ? 0xff : 0;
    uint64_t x = 0;

    while (size > 8 && in[size - 1] == filler) {
        size--;
    }
    if (size > 8) {
        return brood_fail(BROOD_ERANGE, "the integer at byte %zu does not fit into 64 bits",
                          offset);
    }
    x = negative ? UINT64_MAX : 0;
    for (size_t i = size; i > 0; i--) {
        x = x << 8 | in[i - 1];
    }
    if (!negative) {
        *out = brood_uint(x);
        return 0;
    }
    if (x <= (uint64_t)INT64_MAX) {
        return brood_fail(BROOD_ERANGE, "the integer at byte %zu does not fit into 64 bits",
                          offset);
    }
    *out = brood_int(-(int64_t)(UINT64_MAX - x) - 1);
    return 0;
}

static int read_str(brood_value *out, const unsigned char *in, size_t size, brood_arena *arena)
{
    const char *text = size > 0 ? brood_arena_text(arena, in, size) : "";

    if (text == NULL) {
        return brood_fail_nomem("decoding");
    }
    *out = brood_text(text, size);
    if (!brood_utf8_valid(text, size)) {
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
        *out = brood_bytes(bytes, size);
        return 0;
    }
}

int brood_codec_read_leaf(brood_value *out, const unsigned char **at, size_t offset,
                          brood_arena *arena)
{
    const unsigned char *in = *at;

    switch (in[0]) {
    case BROOD_OP_NONE:
        *out = brood_none();
        *at = in + 1;
        return 0;
    case BROOD_OP_NEWTRUE:
    case BROOD_OP_NEWFALSE:
        *out = brood_bool(in[0] == BROOD_OP_NEWTRUE);
        *at = in + 1;
        return 0;
    case BROOD_OP_BININT1:
        *out = brood_int(in[1]);
        *at = in + 2;
        return 0;
    case BROOD_OP_BININT2:
        *out = brood_int(brood_get_le16(in + 1));
        *at = in + 3;
        return 0;
    case BROOD_OP_BININT:
        *out = brood_int((int32_t)brood_get_le32(in + 1));
        *at = in + 5;
        return 0;
    case BROOD_OP_BINFLOAT:
        *out = brood_float(read_double(in + 1));
        *at = in + 9;
        return 0;
    default:
        return read_sized(out, at, offset, arena);
    }
}

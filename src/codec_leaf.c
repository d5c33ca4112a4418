#include "codec_leaf.h"

#include "bytes.h"
#include "error.h"
#include "little_endian.h"
#include "opcode.h"
#include "utf8.h"

#define LARGE_TEXT ((size_t)512) /* from there on moving it costs more than noting its end */

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

static int fail_long(const brood_codec_reader *r, const unsigned char *at)
{
    return brood_fail(BROOD_ERANGE,
                      "opcode %s at byte %zu has an integer that does not fit into 64 bits",
                      brood_opcode_name(at[0]), (size_t)(at - r->data));
}

/* Two's complement, little-endian, of any size: what does not change the value is left out. Returns
 * whether it fits. */
static bool read_long(brood_value *out, const unsigned char *in, size_t size)
{
    bool negative = size > 0 && in[size - 1] >= 0x80;
    unsigned char filler = negative ? 0xff : 0;
    uint64_t x = negative ? UINT64_MAX : 0;

    while (size > 8 && in[size - 1] == filler) {
        size--;
    }
    if (size > 8) {
        return false;
    }
    for (size_t i = size; i > 0; i--) {
        x = x << 8 | in[i - 1];
    }
    if (negative && x <= (uint64_t)INT64_MAX) {
        return false;
    }
    set_bits(out, !negative && x > (uint64_t)INT64_MAX ? BROOD_UINT : BROOD_INT, x);
    return true;
}

/* The byte behind it is the next opcode's, which is still to run. */
static const char *terminate_later(brood_codec_reader *r, unsigned char *text, size_t size)
{
    brood_codec_place *end = brood_arena_alloc(r->arena, sizeof *end);

    if (end == NULL) {
        return NULL;
    }
    end->at = text + size;
    end->next = r->ends;
    r->ends = end;
    return (const char *)text;
}

static const char *terminate(brood_codec_reader *r, const unsigned char *in, size_t size)
{
    unsigned char *text = NULL;

    if (r->own == NULL) {
        return brood_arena_text(r->arena, in, size);
    }
    text = r->own + (in - r->data);
    if (size >= LARGE_TEXT && !r->early) {
        return terminate_later(r, text, size);
    }
    /* The argument in front becomes a byte shorter: nobody reads it again. */
    memmove(text - 1, text, size);
    text[size - 1] = '\0';
    return (const char *)text - 1;
}

static int read_str(brood_codec_reader *r, brood_value *out, const unsigned char *in, size_t size)
{
    bool valid = brood_utf8_valid(in, size);
    const char *text = size > 0 ? terminate(r, in, size) : "";

    if (text == NULL) {
        return brood_fail_nomem("decoding");
    }
    set_data(out, BROOD_STR, text, size);
    out->flags = valid ? 0 : BROOD_VALUE_SURROGATE;
    return 0;
}

/* What has its size in front of it. */
static int read_sized(brood_codec_reader *r, brood_value *out, unsigned argument)
{
    const unsigned char *in = r->at;
    const unsigned char *bytes = in + 1 + argument;
    size_t size = in[1];

    if (argument > 1) {
        /* The scan has seen that all of it is there. */
        size = argument == 4 ? brood_get_le32(in + 1) : (size_t)brood_get_le64(in + 1);
    }
    r->at = bytes + size;
    switch (in[0]) {
    case BROOD_OP_SHORT_BINUNICODE:
    case BROOD_OP_BINUNICODE:
    case BROOD_OP_BINUNICODE8:
        return read_str(r, out, bytes, size);
    case BROOD_OP_LONG1:
    case BROOD_OP_LONG4:
        return read_long(out, bytes, size) ? 0 : fail_long(r, in);
    default:
        set_data(out, BROOD_BYTES, bytes, size);
        return 0;
    }
}

/* The leaf at `at` if it has no size of its own; returns how many bytes it takes, 0 for another
 * opcode. */
static inline size_t read_fixed(brood_value *out, const unsigned char *at)
{
    switch (at[0]) {
    case BROOD_OP_NONE:
        set_bits(out, BROOD_NONE, 0);
        return 1;
    case BROOD_OP_NEWTRUE:
    case BROOD_OP_NEWFALSE:
        set_bits(out, BROOD_BOOL, at[0] == BROOD_OP_NEWTRUE);
        return 1;
    case BROOD_OP_BININT1:
        set_bits(out, BROOD_INT, at[1]);
        return 2;
    case BROOD_OP_BININT2:
        set_bits(out, BROOD_INT, brood_get_le16(at + 1));
        return 3;
    case BROOD_OP_BININT:
        set_bits(out, BROOD_INT, (uint64_t)(int64_t)(int32_t)brood_get_le32(at + 1));
        return 5;
    case BROOD_OP_BINFLOAT:
        /* The bits are the double's. */
        set_bits(out, BROOD_FLOAT, brood_get_be64(at + 1));
        return 9;
    default:
        return 0;
    }
}

int brood_codec_read_leaves(brood_codec_reader *r, brood_value **top, const brood_value *end)
{
    brood_value *out = *top;
    int rc = 0;

    while (rc == 0 && out < end) {
        size_t size = read_fixed(out, r->at);
        if (size > 0) {
            r->at += size;
        } else {
            unsigned form = brood_opcode_forms[r->at[0]];
            if ((form & BROOD_FORM_LEAF) == 0) {
                break;
            }
            form &= BROOD_FORM_ARGUMENT;
            rc = read_sized(r, out, form == BROOD_FORM_EIGHT ? 8 : form);
        }
        out++;
    }
    *top = out;
    return rc;
}

#include "codec_scan.h"

#include <stdbool.h>

#include <brood/base.h>

#include "error.h"
#include "little_endian.h"
#include "opcode.h"

typedef struct scanner {
    const unsigned char *data;
    size_t size;
    size_t at;        /* of the next byte */
    size_t start;     /* of the opcode that is looked at */
    size_t frame_end; /* 0: not in a frame */
} scanner;

static int fail_at(const scanner *s, const char *words)
{
    return brood_fail(BROOD_EDECODE, "opcode %s at byte %zu %s",
                      brood_opcode_name(s->data[s->start]), s->start, words);
}

static int fail_refused(const scanner *s)
{
    uint8_t byte = s->data[s->start];

    if (brood_opcode_name(byte) == NULL) {
        return brood_fail(BROOD_EDECODE, "0x%02x at byte %zu is not an opcode", byte, s->start);
    }
    return fail_at(s, "is not data");
}

static uint64_t read_argument(const unsigned char *in, size_t size)
{
    switch (size) {
    case 1:
        return in[0];
    case 2:
        return brood_get_le16(in);
    case 4:
        return brood_get_le32(in);
    default:
        return brood_get_le64(in);
    }
}

/* Sets `*argument` and goes behind the opcode and all that belongs to it. */
static int skip_argument(scanner *s, unsigned form, uint64_t *argument)
{
    size_t size = form & BROOD_FORM_ARGUMENT;

    size = size == BROOD_FORM_EIGHT ? 8 : size;
    if (size == 0) {
        return 0;
    }
    if (size > s->size - s->at) {
        return fail_at(s, "is cut off");
    }
    *argument = read_argument(s->data + s->at, size);
    s->at += size;
    if ((form & BROOD_FORM_SIZED) != 0) {
        if (*argument > s->size - s->at) {
            return fail_at(s, "is cut off");
        }
        s->at += (size_t)*argument;
    }
    return 0;
}

static int enter_frame(scanner *s, uint64_t size)
{
    if (s->frame_end != 0) {
        return fail_at(s, "is within another frame");
    }
    if (size > s->size - s->at) {
        return fail_at(s, "is cut off");
    }
    s->frame_end = size > 0 ? s->at + (size_t)size : 0;
    return 0;
}

static int check_frame(scanner *s)
{
    if (s->frame_end != 0 && s->at > s->frame_end) {
        return fail_at(s, "goes beyond its frame");
    }
    if (s->at == s->frame_end) {
        s->frame_end = 0;
    }
    return 0;
}

static void count_put(brood_codec_counts *counts, uint32_t index)
{
    counts->puts++;
    if (index > counts->index) {
        counts->index = index;
    }
}

/* What the form does not tell about an opcode. */
static int look_at_opcode(scanner *s, brood_codec_counts *counts, uint64_t argument)
{
    switch (s->data[s->start]) {
    case BROOD_OP_LONG_BINPUT:
        counts->long_puts++;
        count_put(counts, (uint32_t)argument);
        return 0;
    case BROOD_OP_BINPUT:
        count_put(counts, (uint32_t)argument);
        return 0;
    case BROOD_OP_BINPERSID:
        counts->ids++;
        return 0;
    case BROOD_OP_MEMOIZE:
        counts->puts++;
        return 0;
    case BROOD_OP_FRAME:
        return enter_frame(s, argument);
    case BROOD_OP_PROTO:
        return fail_at(s, "is not at the beginning");
    case BROOD_OP_STOP:
        return s->at == s->size ? 0 : fail_at(s, "is not at the end");
    default:
        return 0;
    }
}

static int scan_opcodes(scanner *s, brood_codec_counts *counts)
{
    for (;;) {
        uint64_t argument = 0;
        unsigned form = 0;
        int rc = 0;

        if (s->at == s->size) {
            return brood_fail(BROOD_EDECODE, "the bytes end at byte %zu without STOP", s->size);
        }
        s->start = s->at++;
        form = brood_opcode_forms[s->data[s->start]];
        if (form == 0) {
            return fail_refused(s);
        }
        rc = skip_argument(s, form, &argument);
        if (rc == 0 && s->frame_end != 0) {
            rc = check_frame(s);
        }
        if (rc != 0) {
            return rc;
        }
        if ((form & BROOD_FORM_PUSH) != 0) {
            counts->pushes++;
            counts->gets += (form & BROOD_FORM_GET) != 0;
            continue;
        }
        rc = look_at_opcode(s, counts, argument);
        if (rc != 0 || s->data[s->start] == BROOD_OP_STOP) {
            return rc;
        }
    }
}

int brood_codec_scan(const void *data, size_t size, brood_codec_counts *out)
{
    scanner s = {data, size, 2, 0, 0};
    brood_codec_counts counts = {0, 0, 0, 0, 0, 0};
    int rc = 0;

    if (size < 2 || s.data[0] != BROOD_OP_PROTO) {
        return brood_fail(BROOD_EDECODE, size == 0 ? "there are no bytes to decode"
                                                   : "the bytes do not begin with PROTO");
    }
    if (s.data[1] < 2 || s.data[1] > 5) {
        return brood_fail(BROOD_EDECODE,
                          "opcode PROTO at byte 0 has %d, which is not one of 2 to 5", s.data[1]);
    }
    rc = scan_opcodes(&s, &counts);
    if (rc == 0) {
        *out = counts;
    }
    return rc;
}

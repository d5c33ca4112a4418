#include "utf8.h"

#include <string.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)

static bool is_rest(unsigned char byte)
{
    return (byte & 0xc0u) == 0x80u;
}

/* The length that the first byte announces, 0 for one that cannot be first. */
static size_t length_from(unsigned char first)
{
    if (first < 0x80) {
        return 1;
    }
    if (first < 0xc2) {
        return 0;
    }
    if (first < 0xe0) {
        return 2;
    }
    if (first < 0xf0) {
        return 3;
    }
    return first < 0xf5 ? 4 : 0;
}

size_t brood_utf8_next(const void *data, size_t size, uint32_t *point)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = data;
    size_t length = length_from(bytes[0]);
    uint32_t value = 0;

    if (length == 0 || length > size) {
        return 0;
    }
    value = length == 1 ? bytes[0] : bytes[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (!is_rest(bytes[i])) {
            return 0;
        }
        value = value << 6 | (bytes[i] & 0x3fu);
    }
    if (value < smallest[length] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) {
        return 0;
    }
    *point = value;
    return length;
}

/* How many ASCII bytes there are at the beginning, up to a block that has another. */
static size_t skip_ascii(const unsigned char *data, size_t size)
{
    uint64_t words[8];
    unsigned char bits = 0;
    size_t at = 0;

    for (; size - at >= sizeof words; at += sizeof words) {
        memcpy(words, data + at, sizeof words);
        if (((words[0] | words[1] | words[2] | words[3] | words[4] | words[5] | words[6] |
              words[7]) &
             HIGH_BITS) != 0) {
            break;
        }
    }
    for (; size - at >= sizeof words[0]; at += sizeof words[0]) {
        memcpy(words, data + at, sizeof words[0]);
        if ((words[0] & HIGH_BITS) != 0) {
            return at;
        }
    }
    for (size_t i = at; i < size; i++) {
        bits |= data[i];
    }
    return bits < 0x80 ? size : at;
}

bool brood_utf8_valid(const void *data, size_t size)
{
    const unsigned char *at = data;

    while (size > 0) {
        size_t ascii = skip_ascii(at, size);
        uint32_t point = 0;
        size_t length = 0;

        at += ascii;
        size -= ascii;
        if (size == 0) {
            return true;
        }
        length = at[0] < 0x80 ? 1 : brood_utf8_next(at, size, &point);
        if (length == 0) {
            return false;
        }
        at += length;
        size -= length;
    }
    return true;
}

size_t brood_utf8_cut(const void *data, size_t size)
{
    const unsigned char *bytes = data;
    size_t start = size;

    while (start > 0 && size - start < 3 && is_rest(bytes[start - 1])) {
        start--;
    }
    if (start > 0 && length_from(bytes[start - 1]) > size - (start - 1)) {
        return start - 1;
    }
    return size;
}

#include "frame.h"

#include "bytes.h"
#include "error.h"

#define SHORT_MAX ((uint64_t)0x7fffffff)
#define LONG_MARK 0xffffffffu /* -1 */

size_t brood_frame_write(unsigned char header[BROOD_FRAME_LONG], uint64_t size)
{
    if (size <= SHORT_MAX) {
        brood_put_be32(header, (uint32_t)size);
        return BROOD_FRAME_SHORT;
    }
    brood_put_be32(header, LONG_MARK);
    brood_put_be64(header + BROOD_FRAME_SHORT, size);
    return BROOD_FRAME_LONG;
}

int brood_frame_peek(const unsigned char *header, size_t have, uint64_t *size)
{
    uint32_t first;
    uint64_t wide;

    if (have < BROOD_FRAME_SHORT) {
        return 0;
    }
    first = brood_get_be32(header);
    if (first <= SHORT_MAX) {
        *size = first;
        return BROOD_FRAME_SHORT;
    }
    if (first != LONG_MARK) {
        return BROOD_EDECODE;
    }
    if (have < BROOD_FRAME_LONG) {
        return 0;
    }
    wide = brood_get_be64(header + BROOD_FRAME_SHORT);
    if (wide > (uint64_t)INT64_MAX) {
        return BROOD_EDECODE;
    }
    *size = wide;
    return BROOD_FRAME_LONG;
}

int brood_frame_read(const unsigned char *header, size_t have, uint64_t *size)
{
    const int rc = brood_frame_peek(header, have, size);
    uint32_t first;

    if (rc >= 0) {
        return rc;
    }
    first = brood_get_be32(header);
    if (first == LONG_MARK) {
        return brood_fail(rc, "a message header says a length beyond 2^63 bytes");
    }
    return brood_fail(rc, "a message header says a length of %ld bytes",
                      -(long)(0xffffffffu - first) - 1);
}

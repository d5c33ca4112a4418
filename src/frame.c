#include "frame.h"

#include "bytes.h"
#include "error.h"

#define SHORT_MAX ((uint64_t)0x7fffffff)
#define LONG_MARK 0xffffffffu     /* -1 */
#define ANNOUNCE_MARK 0xfffffffeu /* -2 */

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

size_t brood_frame_announce(unsigned char header[BROOD_FRAME_LONG], uint32_t handles,
                            uint32_t filler)
{
    brood_put_be32(header, ANNOUNCE_MARK);
    brood_put_be32(header + 4, handles);
    brood_put_be32(header + 8, filler);
    return BROOD_FRAME_LONG;
}

static bool may_announce(uint32_t handles, uint32_t filler)
{
    return handles > 0 && handles <= BROOD_FRAME_HANDLES_MAX && filler <= BROOD_FRAME_FILLER_MAX;
}

int brood_frame_peek(const unsigned char *header, size_t have, brood_frame *frame)
{
    uint32_t first;
    uint64_t rest;

    if (have < BROOD_FRAME_SHORT) {
        return 0;
    }
    first = brood_get_be32(header);
    if (first <= SHORT_MAX) {
        *frame = (brood_frame){first, 0};
        return BROOD_FRAME_SHORT;
    }
    if (first < ANNOUNCE_MARK) {
        return BROOD_EDECODE;
    }
    if (have < BROOD_FRAME_LONG) {
        return 0;
    }
    rest = brood_get_be64(header + BROOD_FRAME_SHORT);
    if (first == LONG_MARK ? rest > (uint64_t)INT64_MAX
                           : !may_announce((uint32_t)(rest >> 32), (uint32_t)rest)) {
        return BROOD_EDECODE;
    }
    *frame = (brood_frame){first == LONG_MARK ? rest : (uint32_t)rest,
                           first == LONG_MARK ? 0 : (uint32_t)(rest >> 32)};
    return BROOD_FRAME_LONG;
}

int brood_frame_read(const unsigned char *header, size_t have, brood_frame *frame)
{
    const int rc = brood_frame_peek(header, have, frame);
    uint32_t first;

    if (rc >= 0) {
        return rc;
    }
    first = brood_get_be32(header);
    if (first == LONG_MARK) {
        return brood_fail(rc, "a message header says a length beyond 2^63 bytes");
    }
    if (first == ANNOUNCE_MARK) {
        return brood_fail(rc, "a message header announces %lu handles behind %lu bytes",
                          (unsigned long)brood_get_be32(header + 4),
                          (unsigned long)brood_get_be32(header + 8));
    }
    return brood_fail(rc, "a message header says a length of %ld bytes",
                      -(long)(0xffffffffu - first) - 1);
}

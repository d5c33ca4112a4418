/* Numbers in a fixed byte order. */
#ifndef BROOD_SRC_BYTES_H
#define BROOD_SRC_BYTES_H

#include <stdint.h>

static inline void brood_put_be32(unsigned char *out, uint32_t x)
{
    for (int i = 0; i < 4; i++) {
        out[i] = (unsigned char)(x >> (24 - 8 * i));
    }
}

static inline void brood_put_be64(unsigned char *out, uint64_t x)
{
    brood_put_be32(out, (uint32_t)(x >> 32));
    brood_put_be32(out + 4, (uint32_t)x);
}

static inline uint32_t brood_get_be32(const unsigned char *in)
{
    return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

static inline uint64_t brood_get_be64(const unsigned char *in)
{
    return (uint64_t)brood_get_be32(in) << 32 | brood_get_be32(in + 4);
}

#endif

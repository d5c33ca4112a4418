/* Numbers in the pickle format's byte order. */
#ifndef BROOD_SRC_LITTLE_ENDIAN_H
#define BROOD_SRC_LITTLE_ENDIAN_H

#include <stdint.h>

static inline uint16_t brood_get_le16(const unsigned char *in)
{
    return (uint16_t)(in[0] | in[1] << 8);
}

static inline uint32_t brood_get_le32(const unsigned char *in)
{
    return (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}

static inline uint64_t brood_get_le64(const unsigned char *in)
{
    return (uint64_t)brood_get_le32(in + 4) << 32 | brood_get_le32(in);
}

static inline void brood_put_le16(unsigned char *out, uint16_t x)
{
    out[0] = (unsigned char)x;
    out[1] = (unsigned char)(x >> 8);
}

static inline void brood_put_le32(unsigned char *out, uint32_t x)
{
    out[0] = (unsigned char)x;
    out[1] = (unsigned char)(x >> 8);
    out[2] = (unsigned char)(x >> 16);
    out[3] = (unsigned char)(x >> 24);
}

static inline void brood_put_le64(unsigned char *out, uint64_t x)
{
    brood_put_le32(out, (uint32_t)x);
    brood_put_le32(out + 4, (uint32_t)(x >> 32));
}

#endif

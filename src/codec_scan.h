/* Decoding, first pass: are the bytes opcodes that are data, complete, and how many are they? */
#ifndef BROOD_SRC_CODEC_SCAN_H
#define BROOD_SRC_CODEC_SCAN_H

#include <stddef.h>
#include <stdint.h>

typedef struct brood_codec_counts {
    size_t pushes;    /* the stack never holds more */
    size_t puts;      /* into the memo */
    size_t long_puts; /* those of them with an index of 4 bytes */
    size_t gets;      /* from the memo */
    size_t ids;       /* of objects */
    uint32_t index;   /* the largest that is put explicitly */
} brood_codec_counts;

/// brood_codec_scan checks that `data` begins with PROTO 2 to 5, that each opcode is data and has
/// all its bytes, that frames hold together, and that the first STOP is the last byte. It counts
/// what is there. BROOD_EDECODE with the opcode's name and offset otherwise.
int brood_codec_scan(const void *data, size_t size, brood_codec_counts *out);

#endif

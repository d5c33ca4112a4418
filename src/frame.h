/* Framing of messages in a stream: a 4-byte big-endian signed length, or -1 and an 8-byte
 * big-endian length (CPython's multiprocessing.connection, since 3.8). Pure: bytes in, bytes out. */
#ifndef BROOD_SRC_FRAME_H
#define BROOD_SRC_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define BROOD_FRAME_SHORT 4 /* bytes of a header for less than 2 GiB */
#define BROOD_FRAME_LONG 12 /* bytes of any other */

/// brood_frame_write writes the header of a message of `size` bytes and returns the header's size.
size_t brood_frame_write(unsigned char header[BROOD_FRAME_LONG], uint64_t size);

/// brood_frame_read reads a header from the `have` bytes that are there. It returns the header's
/// size and sets `*size`; 0 when more bytes are needed; or BROOD_EDECODE for a length that no
/// sender writes.
int brood_frame_read(const unsigned char *header, size_t have, uint64_t *size);

/// brood_frame_peek does the same and leaves the thread's last failure alone.
int brood_frame_peek(const unsigned char *header, size_t have, uint64_t *size);

#endif

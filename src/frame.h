/* Framing of messages in a stream: a 4-byte big-endian signed length, or -1 and an 8-byte
 * big-endian length (CPython's multiprocessing.connection, since 3.8). Pure: bytes in, bytes out.
 *
 * Ours alone: -2, the number of handles that belong to the next message, and the number of filler
 * bytes behind this, 4 bytes each. Behind the filler stands a mark for each group of handles, or one
 * that calls it off. */
#ifndef BROOD_SRC_FRAME_H
#define BROOD_SRC_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BROOD_FRAME_SHORT 4 /* bytes of a header for less than 2 GiB */
#define BROOD_FRAME_LONG 12 /* bytes of any other */

#define BROOD_FRAME_HANDLES_MAX (1u << 20)
#define BROOD_FRAME_FILLER_MAX (1u << 16)

#define BROOD_FRAME_GROUP 'h' /* marks */
#define BROOD_FRAME_CALLED_OFF 'c'

typedef struct brood_frame {
    uint64_t size;    /* bytes of the message, or of the filler */
    uint32_t handles; /* that are announced; 0: it is the header of a message */
} brood_frame;

/// brood_frame_write writes the header of a message of `size` bytes and returns the header's size.
size_t brood_frame_write(unsigned char header[BROOD_FRAME_LONG], uint64_t size);

/// brood_frame_announce writes the header that announces handles and returns its size.
size_t brood_frame_announce(unsigned char header[BROOD_FRAME_LONG], uint32_t handles,
                            uint32_t filler);

/// brood_frame_read reads a header from the `have` bytes that are there. It returns the header's
/// size and sets `*frame`; 0 when more bytes are needed; or BROOD_EDECODE for what no sender writes.
int brood_frame_read(const unsigned char *header, size_t have, brood_frame *frame);

/// brood_frame_peek does the same and leaves the thread's last failure alone.
int brood_frame_peek(const unsigned char *header, size_t have, brood_frame *frame);

#endif

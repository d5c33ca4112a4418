/* Bytes with their owner: heap memory, or a mapped section. */
#ifndef BROOD_SRC_BUFFER_H
#define BROOD_SRC_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct brood_buffer {
    void *data;
    size_t size;
    void (*release)(void *data, size_t size); /* NULL: borrowed */
} brood_buffer;

#define BROOD_BUFFER_NONE ((brood_buffer){NULL, 0, NULL})

/// brood_buffer_new allocates `size` bytes (0 too), not filled.
int brood_buffer_new(brood_buffer *out, size_t size);

/// brood_buffer_new_zeroed allocates `size` zero bytes (0 too).
int brood_buffer_new_zeroed(brood_buffer *out, size_t size);

/// brood_buffer_is_ours tells whether it was made by brood_buffer_new, so that nobody else sees what
/// is written into it.
bool brood_buffer_is_ours(const brood_buffer *buffer);

/// brood_buffer_release frees what it owns and makes it BROOD_BUFFER_NONE.
void brood_buffer_release(brood_buffer *buffer);

#endif

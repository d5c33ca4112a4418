#include "buffer.h"

#include <stdlib.h>

#include "error.h"
#include "fault.h"

static void free_bytes(void *data, size_t size)
{
    (void)size;
    free(data);
}

static int take_bytes(brood_buffer *out, void *data, size_t size)
{
    if (data == NULL) {
        return brood_fail_nomem("a message");
    }
    out->data = data;
    out->size = size;
    out->release = free_bytes;
    return 0;
}

int brood_buffer_new(brood_buffer *out, size_t size)
{
    /* malloc(0) may return NULL. */
    return take_bytes(out, BROOD_ALLOC(malloc(size > 0 ? size : 1)), size);
}

int brood_buffer_new_zeroed(brood_buffer *out, size_t size)
{
    return take_bytes(out, BROOD_ALLOC(calloc(1, size > 0 ? size : 1)), size);
}

bool brood_buffer_is_ours(const brood_buffer *buffer)
{
    return buffer->release == free_bytes;
}

void brood_buffer_release(brood_buffer *buffer)
{
    if (buffer->release != NULL) {
        buffer->release(buffer->data, buffer->size);
    }
    *buffer = BROOD_BUFFER_NONE;
}

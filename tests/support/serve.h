/* The fork server without its user; in C, since the library's own headers are. */
#pragma once

#include <brood.h>

BROOD_BEGIN_C

/// serve_request fills in a request as the library makes it and returns its size; `out` has room for
/// SERVE_REQUEST_MAX.
size_t serve_request(void *out, uint64_t counter, const void *key);

/// serve_is_reply tells whether these bytes are the answer that there is a child.
bool serve_is_reply(const void *data, size_t size);

/// serve runs the server, whose children end with exit code 7.
int serve(int control);

#define SERVE_REQUEST_MAX 256
#define SERVE_KEY 32

BROOD_END_C

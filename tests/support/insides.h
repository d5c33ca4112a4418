/* What tests do below the public API; in C, since the library's own headers are. */
#pragma once

#include <brood.h>

BROOD_BEGIN_C

/// inside_send_raw writes bytes into a connection's stream without a header.
int inside_send_raw(brood_connection *connection, const void *data, size_t size);

/// inside_pid is this process's id.
int64_t inside_pid(void);

BROOD_END_C

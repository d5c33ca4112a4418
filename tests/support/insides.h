/* What tests do below the public API; in C, since the library's own headers are. */
#pragma once

#include <brood.h>

BROOD_BEGIN_C

/// inside_send_raw writes bytes into a connection's stream without a header.
int inside_send_raw(brood_connection *connection, const void *data, size_t size);

/// inside_pid is this process's id.
int64_t inside_pid(void);

/// inside_authkey copies this process's authentication key (room for 1,024 bytes); 0 when it fails.
size_t inside_authkey(void *key);

/// inside_foreign makes an object of any process as one that another process told about: by number,
/// or with a handle of it where the system has such.
int inside_foreign(brood_process **out, int64_t pid, const char *name, bool with_handle);

/// inside_foreign_handle does it with a copy of a handle.
int inside_foreign_handle(brood_process **out, int64_t pid, brood_handle handle);

/// inside_earlier makes an object of a process that began before the one that has the number now.
int inside_earlier(brood_process **out, int64_t pid);

/// inside_retell makes an object of what `process` would be sent as.
int inside_retell(brood_process **out, brood_process *process);

BROOD_END_C

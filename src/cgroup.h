/* Limits of Linux control groups (v1 and v2), read from the texts that the system shows. Pure: the
 * files come from whoever asks. */
#ifndef BROOD_SRC_CGROUP_H
#define BROOD_SRC_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"

typedef struct brood_cgroup_files {
    /// `read` fills `*out` with a file's text; false if there is none. The caller releases it.
    bool (*read)(void *user, const char *path, brood_buffer *out);
    void *user;
} brood_cgroup_files;

/// brood_cgroup_cpus returns how many processors' time the group of this process and the groups
/// above it may use, rounded up; 0 if none of them has a limit.
int64_t brood_cgroup_cpus(const brood_cgroup_files *files);

/// brood_cgroup_memory returns how many bytes more they may use, at least 1, when the system could
/// swap `swap` bytes out; 0 if none of them has a limit. What files are kept in memory counts as
/// free.
int64_t brood_cgroup_memory(const brood_cgroup_files *files, int64_t swap);

#endif

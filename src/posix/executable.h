/* The file this program runs from. */
#ifndef BROOD_SRC_POSIX_EXECUTABLE_H
#define BROOD_SRC_POSIX_EXECUTABLE_H

#include <stddef.h>

#define BROOD_POSIX_PATH_MAX 4096

/// brood_posix_executable sets `path` (room for `size` bytes) to what runs this program again.
int brood_posix_executable(char *path, size_t size);

#endif

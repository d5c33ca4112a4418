/* The file this program runs from. */
#ifndef BROOD_SRC_POSIX_EXECUTABLE_H
#define BROOD_SRC_POSIX_EXECUTABLE_H

#define BROOD_POSIX_PATH_MAX 4096

/// brood_posix_executable sets `path` to what runs this program again.
int brood_posix_executable(char path[BROOD_POSIX_PATH_MAX]);

#endif

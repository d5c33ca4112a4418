/* The file this program runs from. */
#include "posix.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "executable.h"

#if defined(__linux__)

#define SELF "/proc/self/exe"

/* The real path shows the program's name in lists of processes; the link works even when the file
 * was replaced or deleted meanwhile. */
int brood_posix_executable(char path[BROOD_POSIX_PATH_MAX])
{
    struct stat ours;
    struct stat named;
    const ssize_t length = readlink(SELF, path, BROOD_POSIX_PATH_MAX - 1);

    if (length > 0 && length < BROOD_POSIX_PATH_MAX - 1) {
        path[length] = '\0';
        if (stat(SELF, &ours) == 0 && stat(path, &named) == 0 && ours.st_dev == named.st_dev &&
            ours.st_ino == named.st_ino) {
            return 0;
        }
    }
    strcpy(path, SELF);
    return 0;
}

#elif defined(__APPLE__)
#include <mach-o/dyld.h>

int brood_posix_executable(char path[BROOD_POSIX_PATH_MAX])
{
    uint32_t size = BROOD_POSIX_PATH_MAX;

    if (_NSGetExecutablePath(path, &size) != 0) {
        return brood_fail(BROOD_ESYSTEM, "this program's path is longer than %d bytes",
                          BROOD_POSIX_PATH_MAX);
    }
    return 0;
}

#else
#include <sys/sysctl.h>

int brood_posix_executable(char path[BROOD_POSIX_PATH_MAX])
{
    const int name[4] = {CTL_KERN, KERN_PROC, KERN_PROC_PATHNAME, -1};
    size_t size = BROOD_POSIX_PATH_MAX;

    if (sysctl(name, 4, path, &size, NULL, 0) != 0) {
        return brood_posix_error(errno, "find this program's path");
    }
    return 0;
}

#endif

/* The file this program runs from. */
#include "posix.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "executable.h"

#if defined(__linux__)
#include <sys/auxv.h>

#define SELF "/proc/self/exe"

/* Where /proc is not mounted: the path this program was started by. Should another file have it by
 * now, the child finds that its identity is another. */
static bool remember(char *path, size_t size)
{
    const char *started_as = (const char *)(uintptr_t)getauxval(AT_EXECFN);

    if (started_as == NULL || started_as[0] != '/' || strlen(started_as) >= size) {
        return false;
    }
    memcpy(path, started_as, strlen(started_as) + 1);
    return true;
}

/* What was found by the first start, so that later ones need only look whether it is still so: as
 * long as we run no other file gets our file's number. It is written once. */
static struct {
    brood_atomic writers;
    brood_atomic is_there;
    struct stat file;
    char path[BROOD_POSIX_PATH_MAX];
} known;

static bool is_at(const struct stat *file, const char *path)
{
    struct stat named;

    return stat(path, &named) == 0 && file->st_dev == named.st_dev && file->st_ino == named.st_ino;
}

static void know(const struct stat *file, const char *path)
{
    if (brood_atomic_load(&known.writers) == 0 && brood_atomic_add(&known.writers, 1) == 1) {
        known.file = *file;
        memcpy(known.path, path, strlen(path) + 1);
        brood_atomic_store(&known.is_there, 1);
    }
}

/* The real path shows the program's name in lists of processes; the link works even when the file
 * was replaced or deleted meanwhile. */
int brood_posix_executable(char *path, size_t size)
{
    struct stat ours;
    ssize_t length;

    if (brood_atomic_load(&known.is_there) != 0 && is_at(&known.file, known.path)) {
        memcpy(path, known.path, strlen(known.path) + 1);
        return 0;
    }
    length = readlink(SELF, path, size - 1);
    if (length > 0 && (size_t)length < size - 1) {
        path[length] = '\0';
        if (stat(SELF, &ours) == 0 && is_at(&ours, path)) {
            know(&ours, path);
            return 0;
        }
    }
    if (length < 0 && errno == ENOENT && remember(path, size)) {
        return 0;
    }
    memcpy(path, SELF, sizeof SELF);
    return 0;
}

#elif defined(__APPLE__)
#include <mach-o/dyld.h>

int brood_posix_executable(char *path, size_t size)
{
    uint32_t room = (uint32_t)size;

    if (_NSGetExecutablePath(path, &room) != 0) {
        return brood_fail(BROOD_ESYSTEM, "this program's path is longer than %zu bytes", size);
    }
    return 0;
}

#else
#include <sys/sysctl.h>

int brood_posix_executable(char *path, size_t size)
{
    const int name[4] = {CTL_KERN, KERN_PROC, KERN_PROC_PATHNAME, -1};
    if (sysctl(name, 4, path, &size, NULL, 0) != 0) {
        return brood_posix_error(errno, "find this program's path");
    }
    return 0;
}

#endif

/* Not made real: a link may be there to be changed. */
static int make_absolute(char **out, const char *path)
{
    char folder[BROOD_POSIX_PATH_MAX];
    char *copy;
    size_t room;

    folder[0] = '\0';
    if (path[0] != '/' &&
        BROOD_SYS_AS("getcwd", ENOENT, NULL, getcwd(folder, sizeof folder)) == NULL) {
        return brood_posix_error(errno, "find the current folder");
    }
    room = strlen(folder) + 1 + strlen(path) + 1;
    copy = BROOD_ALLOC(malloc(room));
    if (copy == NULL) {
        return brood_fail_nomem("the path of an executable");
    }
    (void)snprintf(copy, room, "%s%s%s", folder, path[0] != '/' ? "/" : "", path);
    *out = copy;
    return 0;
}

int brood_os_executable_find(char **out, const char *path)
{
    struct stat info;
    char *found = NULL;
    int rc = make_absolute(&found, path);

    if (rc) {
        return rc;
    }
    if (BROOD_SYS("stat", EIO, stat(found, &info)) < 0) {
        rc = brood_posix_error(errno, "find the executable %.200s", found);
    } else if (!S_ISREG(info.st_mode)) {
        rc = brood_fail(BROOD_EINVAL, "the executable %.200s is no file", found);
    } else if (access(found, X_OK) < 0) {
        rc = brood_posix_error(errno, "run the executable %.200s", found);
    }
    if (rc) {
        free(found);
        return rc;
    }
    *out = found;
    return 0;
}

/* Handlers of a library that stays run at the program's exit, as the program's own. */
void brood_os_at_exit(void (*handler)(void))
{
    (void)atexit(handler);
}

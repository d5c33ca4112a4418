#include "posix.h"

#include <stdio.h>
#include <string.h>

static int translate(int errnum)
{
    switch (errnum) {
    case ENOMEM:
    case ENOSPC:
        return BROOD_ENOMEM;
    case EACCES:
    case EPERM:
        return BROOD_EACCES;
    case ENOENT:
        return BROOD_ENOENT;
    case EEXIST:
        return BROOD_EEXIST;
    default:
        return BROOD_ESYSTEM;
    }
}

/* strerror is not safe from several threads, and strerror_r has two forms. */
static void describe(char *out, size_t size, int errnum)
{
#if defined(__GLIBC__)
    char room[128];
    (void)snprintf(out, size, "%s", strerror_r(errnum, room, sizeof room));
#else
    if (strerror_r(errnum, out, size) != 0) {
        (void)snprintf(out, size, "error %d", errnum);
    }
#endif
}

int brood_posix_error(int errnum, const char *format, ...)
{
    char what[BROOD_WORDS_SIZE];
    char why[128];
    va_list list;

    va_start(list, format);
    (void)vsnprintf(what, sizeof what, format, list);
    va_end(list);
    describe(why, sizeof why, errnum);
    return brood_fail_system(translate(errnum), errnum, "%s: %s", what, why);
}

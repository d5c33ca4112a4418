/* The limit of file sizes (RLIMIT_FSIZE) holds for shared memory, too, and whoever goes over it gets
 * a signal that ends the program. Here it is an error like others. */
#include "posix.h"

#include <sys/resource.h>

void brood_posix_file_limit_begin(brood_posix_file_limit *limit)
{
    struct rlimit now;

    limit->held = getrlimit(RLIMIT_FSIZE, &now) != 0 || now.rlim_cur != RLIM_INFINITY;
    if (limit->held) {
        brood_posix_hold_signal(&limit->signal, SIGXFSZ);
    }
}

void brood_posix_file_limit_end(const brood_posix_file_limit *limit)
{
    if (limit->held) {
        brood_posix_drop_signal(&limit->signal);
    }
}

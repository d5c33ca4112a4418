#include "posix.h"

#include <time.h>

#define NS_PER_S ((int64_t)1000 * 1000 * 1000)
#define NS_PER_MS ((int64_t)1000 * 1000)

int64_t brood_os_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec + 1;
}

int brood_posix_left_ms(int64_t deadline_ns, int most)
{
    int64_t left;

    if (deadline_ns == INT64_MAX) {
        return most;
    }
    if (deadline_ns == 0) {
        return 0;
    }
    left = deadline_ns - brood_os_now();
    if (left <= 0) {
        return 0;
    }
    left = (left + NS_PER_MS - 1) / NS_PER_MS;
    return left < most ? (int)left : most;
}

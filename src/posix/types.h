/* What the seam keeps by value on Unix. */
#ifndef BROOD_SRC_POSIX_TYPES_H
#define BROOD_SRC_POSIX_TYPES_H

#include <pthread.h>

typedef struct brood_os_mutex {
    pthread_mutex_t mutex;
} brood_os_mutex;

typedef struct brood_os_condition {
    pthread_cond_t condition; /* on the monotonic clock */
} brood_os_condition;

#define BROOD_OS_MUTEX_INIT       \
    {                             \
        PTHREAD_MUTEX_INITIALIZER \
    }

/* Linux takes 253 descriptors in one message. */
#define BROOD_OS_GROUP_MAX ((size_t)250)
#define BROOD_OS_TICKET_SIZE ((size_t)0)

static inline void brood_os_prefetch(const void *address)
{
#if defined(__x86_64__)
    /* By the builtin compilers only fetch it to be read. */
    __asm__ volatile("prefetchw %0" : : "m"(*(const char *)address));
#else
    __builtin_prefetch(address, 1);
#endif
}

#endif

/* What the seam keeps by value on Windows: room for what <windows.h> would say. */
#ifndef BROOD_SRC_WIN32_TYPES_H
#define BROOD_SRC_WIN32_TYPES_H

#if defined(_MSC_VER)
#include <intrin.h>
#endif

typedef struct brood_os_mutex {
    void *srw; /* SRWLOCK */
} brood_os_mutex;

typedef struct brood_os_condition {
    void *variable; /* CONDITION_VARIABLE */
} brood_os_condition;

#define BROOD_OS_MUTEX_INIT \
    {                       \
        0                   \
    }

#define BROOD_OS_GROUP_MAX ((size_t)1 << 20)
#define BROOD_OS_TICKET_SIZE ((size_t)32)

static inline void brood_os_prefetch(const void *address)
{
#if defined(__GNUC__) && defined(__x86_64__)
    /* By the builtin compilers only fetch it to be read. */
    __asm__ volatile("prefetchw %0" : : "m"(*(const char *)address));
#elif defined(_M_X64)
    _m_prefetchw(address);
#else
    (void)address;
#endif
}

#endif

/* What the seam keeps by value on Windows: room for what <windows.h> would say. */
#ifndef BROOD_SRC_WIN32_TYPES_H
#define BROOD_SRC_WIN32_TYPES_H

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

#endif

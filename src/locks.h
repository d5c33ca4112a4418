/* The library's locks for what there is once per process, in one place: a fork has to take them all,
 * so that the child finds nothing half changed and nothing held by a thread that it does not have.
 *
 * They are taken in this order where one is held while another is taken. None is held while the
 * program's code runs (but a log sink), nor while something waits. A mutex of one object is taken
 * before all of these; after a fork the objects of before have a way of their own (fork.h). */
#ifndef BROOD_SRC_LOCKS_H
#define BROOD_SRC_LOCKS_H

#include "platform.h"

typedef enum brood_lock_id {
    BROOD_LOCK_INIT,
    BROOD_LOCK_CONTEXT,
    BROOD_LOCK_FORKSERVER,
    BROOD_LOCK_CURRENT,
    BROOD_LOCK_POOLS,
    BROOD_LOCK_TRACE,
    BROOD_LOCK_PROGRESS,
    BROOD_LOCK_AUTHKEY,
    BROOD_LOCK_WATCHDOG,
    BROOD_LOCK_CHILDREN,
    BROOD_LOCK_MODULES,
    BROOD_LOCK_NAMES,
    BROOD_LOCK_HEAP,
    BROOD_LOCK_SEGMENTS,
    BROOD_LOCK_KNOWN,
    BROOD_LOCK_CONNECTION,  /* see brood_connection_check */
    BROOD_LOCK_MEMORY_NAME, /* src/posix/memory.c, where shared memory has to have one */
    BROOD_LOCK_LOG,
    BROOD_LOCK_COUNT
} brood_lock_id;

extern brood_os_mutex brood_locks[BROOD_LOCK_COUNT];

static inline void brood_locks_take(brood_lock_id id)
{
    brood_os_mutex_lock(&brood_locks[id]);
}

static inline void brood_locks_give(brood_lock_id id)
{
    brood_os_mutex_unlock(&brood_locks[id]);
}

#endif

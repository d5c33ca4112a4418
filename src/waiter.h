/* Threads in brood_wait, as the objects they wait for know them. */
#ifndef BROOD_SRC_WAITER_H
#define BROOD_SRC_WAITER_H

#include "platform.h"

/// brood_waiter stands in an object's list while a thread waits for that object. List and waiter are
/// guarded by the object's mutex.
typedef struct brood_waiter {
    brood_os_waker *waker; /* NULL: its thread only looks and never sleeps */
    struct brood_waiter *next;
    struct brood_waiter **link; /* what points here */
    bool listed;                /* in a list; only its own thread sets and reads it */
} brood_waiter;

/// brood_waiter_enlist puts it into a list, unless it is in it already.
static inline void brood_waiter_enlist(brood_waiter **list, brood_waiter *waiter)
{
    if (!waiter->listed) {
        waiter->listed = true;
        waiter->next = *list;
        waiter->link = list;
        if (*list != NULL) {
            (*list)->link = &waiter->next;
        }
        *list = waiter;
    }
}

/// brood_waiter_dismiss takes it out of its list.
static inline void brood_waiter_dismiss(brood_waiter *waiter)
{
    *waiter->link = waiter->next;
    if (waiter->next != NULL) {
        waiter->next->link = waiter->link;
    }
    waiter->listed = false;
}

/// brood_waiters_wake lets all in a list look again.
static inline void brood_waiters_wake(const brood_waiter *list)
{
    for (; list != NULL; list = list->next) {
        if (list->waker != NULL) {
            brood_os_waker_raise(list->waker);
        }
    }
}

#endif

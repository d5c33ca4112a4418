#include "watchdog.h"

#include "locks.h"
#include "process_object.h"

static struct {
    int64_t owner; /* a fork has a copy of this, but not the thread */
    brood_os_condition changed;
    bool ready; /* `changed` can be used */
    bool runs;
    long holds;
    long news; /* counts what the thread has to look at */
} watchdog;

static void watch(void *argument)
{
    (void)argument;
    brood_locks_take(BROOD_LOCK_WATCHDOG);
    while (watchdog.holds > 0) {
        const long seen = watchdog.news;
        int64_t next;

        brood_locks_give(BROOD_LOCK_WATCHDOG);
        next = brood_children_expire();
        brood_locks_take(BROOD_LOCK_WATCHDOG);
        if (watchdog.news == seen && watchdog.holds > 0) {
            (void)brood_os_condition_wait(&watchdog.changed, &brood_locks[BROOD_LOCK_WATCHDOG],
                                          next);
        }
    }
    watchdog.runs = false;
    brood_locks_give(BROOD_LOCK_WATCHDOG);
}

/* The caller holds the lock. */
static int hold(void)
{
    int rc = 0;

    if (watchdog.owner != brood_os_pid()) {
        watchdog.owner = brood_os_pid();
        watchdog.ready = false;
        watchdog.runs = false;
        watchdog.holds = 0;
    }
    if (!watchdog.ready) {
        rc = brood_os_condition_init(&watchdog.changed);
        watchdog.ready = rc == 0;
    }
    if (rc == 0 && !watchdog.runs) {
        rc = brood_os_thread_start(watch, NULL);
        watchdog.runs = rc == 0;
    }
    if (rc == 0) {
        watchdog.holds++;
    }
    return rc;
}

int brood_watchdog_hold(void)
{
    int rc;

    brood_locks_take(BROOD_LOCK_WATCHDOG);
    rc = hold();
    brood_locks_give(BROOD_LOCK_WATCHDOG);
    return rc;
}

static void change(long holds)
{
    brood_locks_take(BROOD_LOCK_WATCHDOG);
    if (watchdog.owner == brood_os_pid()) {
        watchdog.holds += holds;
        watchdog.news++;
        brood_os_condition_wake_all(&watchdog.changed);
    }
    brood_locks_give(BROOD_LOCK_WATCHDOG);
}

void brood_watchdog_look(void)
{
    change(0);
}

void brood_watchdog_release(void)
{
    change(-1);
}

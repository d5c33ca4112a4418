#include "init.h"

#include <sodium.h>
#include <stdlib.h>

#include "child.h"
#include "error.h"
#include "executable.h"
#include "fork.h"
#include "locks.h"
#include "platform.h"
#include "pool_object.h"
#include "process_object.h"

#define LINGER_NS (INT64_C(2) * 1000 * 1000 * 1000)

static bool initialised; /* brood_init was called */
static bool hosted;      /* brood_init_host was */
static bool ready;

/* After the first process's children have ended nobody is left who could fetch a handle. */
void brood_finish(void)
{
    brood_pools_end();
    brood_children_end();
    brood_trace_finish();
    if (brood_parent_is_set()) {
        brood_os_handles_linger(LINGER_NS);
    }
}

void brood_init_(int argc, char **argv, int (*at_exit)(void (*)(void)))
{
    bool first;

    brood_locks_take(BROOD_LOCK_INIT);
    first = !initialised;
    initialised = true;
    brood_locks_give(BROOD_LOCK_INIT);
    if (!first) {
        return;
    }
    (void)
        brood_fork_watch(); /* the host may fork before the first start, which tells if it failed */
    (void)at_exit(brood_finish);
    if (brood_os_child_marked(argc, argv)) {
        exit(brood_child_run());
    }
}

void brood_init_host(void)
{
    bool first;

    brood_locks_take(BROOD_LOCK_INIT);
    first = !initialised && !hosted;
    hosted = true;
    brood_locks_give(BROOD_LOCK_INIT);
    if (first) {
        brood_os_at_exit(brood_finish);
    }
}

static int set_up(void)
{
    if (sodium_init() < 0) {
        return brood_fail(BROOD_ESYSTEM, "libsodium cannot be set up: no random numbers");
    }
    return brood_fork_watch();
}

int brood_ready(void)
{
    int rc = 0;

    brood_locks_take(BROOD_LOCK_INIT);
    if (!initialised && !brood_executable_chosen()) {
        rc = brood_fail(
            BROOD_ENOTINIT,
            "brood_init(argc, argv); is missing: it is the first statement of main; a plug-in "
            "calls brood_set_executable");
    } else if (!ready) {
        rc = set_up();
        ready = rc == 0;
    }
    brood_locks_give(BROOD_LOCK_INIT);
    return rc;
}

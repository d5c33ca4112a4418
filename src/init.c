#include "init.h"

#include <sodium.h>
#include <stdlib.h>

#include "child.h"
#include "error.h"
#include "locks.h"
#include "platform.h"
#include "process_object.h"

static bool initialised; /* brood_init was called */
static bool ready;

static void at_program_exit(void)
{
    brood_children_join();
}

void brood_init_(int argc, char **argv, int (*at_exit)(void (*)(void)))
{
    bool first;

    brood_lock(BROOD_LOCK_INIT);
    first = !initialised;
    initialised = true;
    brood_unlock(BROOD_LOCK_INIT);
    if (!first) {
        return;
    }
    (void)at_exit(at_program_exit);
    if (brood_os_child_marked(argc, argv)) {
        exit(brood_child_run());
    }
}

static int set_up(void)
{
    if (sodium_init() < 0) {
        return brood_fail(BROOD_ESYSTEM, "libsodium cannot be set up: no random numbers");
    }
    return brood_os_setup();
}

int brood_ready(void)
{
    int rc = 0;

    brood_lock(BROOD_LOCK_INIT);
    if (!initialised) {
        rc = brood_fail(BROOD_ENOTINIT,
                        "brood_init(argc, argv); is missing: it is the first statement of main");
    } else if (!ready) {
        rc = set_up();
        ready = rc == 0;
    }
    brood_unlock(BROOD_LOCK_INIT);
    return rc;
}

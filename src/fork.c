/* Forks: brood_fork, and what every fork does to the library.
 *
 * A forked child has one thread, the one that forked, and a copy of all objects. Around the fork all
 * locks of the process are held (locks.h), so what they guard is whole in the child. The lock of an
 * object may be held in the child by a thread that is not there: an object remembers in which
 * generation it was made, and puts itself right, or says that it is the parent's, when it is first
 * used in a later one. */
#include "fork.h"

#include <brood/process.h>

#include "error.h"
#include "forkserver.h"
#include "init.h"
#include "locks.h"
#include "log.h"
#include "platform.h"
#include "process_object.h"
#include "segment.h"

static brood_atomic generation;
static brood_atomic lost_before; /* what is older has no handles here */
static brood_atomic warned;

static void lock_all(void)
{
    for (int id = 0; id < BROOD_LOCK_COUNT; id++) {
        brood_locks_take((brood_lock_id)id);
    }
}

static void unlock_all(void)
{
    for (int id = BROOD_LOCK_COUNT; id > 0; id--) {
        brood_locks_give((brood_lock_id)(id - 1));
    }
}

static void begin_child(void)
{
    (void)brood_atomic_add(&generation, 1);
    brood_segments_forget();
    brood_forkserver_leave();
    unlock_all();
}

int brood_fork_watch(void)
{
    static const brood_os_fork_hooks hooks = {lock_all, unlock_all, begin_child};

    return brood_os_setup(&hooks);
}

long brood_generation(void)
{
    return brood_atomic_load(&generation);
}

bool brood_fork_lost(long since)
{
    return since < brood_atomic_load(&lost_before);
}

void brood_fork_began(void)
{
    brood_atomic_store(&lost_before, brood_generation());
}

void brood_fork_warn(void)
{
    long threads;

    if (brood_log_level_now() < BROOD_LOG_WARNING || brood_atomic_load(&warned) != 0) {
        return; /* to count them costs a system call */
    }
    threads = brood_os_thread_count();
    if (threads > 1 && brood_atomic_add(&warned, 1) == 1) {
        brood_log(BROOD_LOG_WARNING,
                  "fork of a process with %ld threads: the child has one of them, and what the "
                  "others were doing is never finished there; the start methods spawn and "
                  "forkserver are safe",
                  threads);
    }
}

int64_t brood_fork(void)
{
    const int64_t parent = brood_os_pid();
    int64_t pid = 0;
    int rc = brood_ready();

    if (rc) {
        return rc;
    }
    brood_fork_warn();
    rc = brood_os_fork(&pid);
    if (rc) {
        return rc;
    }
    if (pid == 0) {
        brood_children_forget();
        brood_parent_set(parent, brood_process_name(brood_current_process()));
    }
    return pid;
}

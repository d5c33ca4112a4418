/* This process and the one that started it, as process objects. */
#include <stdio.h>
#include <string.h>

#include "fork.h"
#include "locks.h"
#include "log.h"
#include "process_object.h"
#include "words.h"

static brood_process current = {
    .refs = 1,
    .relation = BROOD_PROCESS_CURRENT,
    .name = "MainProcess",
    .os = {.sentinel = BROOD_NO_HANDLE},
    .mutex = BROOD_OS_MUTEX_INIT,
};
static char identity[BROOD_NAME_SIZE]; /* "" in the first process */
static brood_atomic child_count;

static brood_process parent = {
    .refs = 1,
    .relation = BROOD_PROCESS_FOREIGN,
    .os = {.sentinel = BROOD_NO_HANDLE},
    .mutex = BROOD_OS_MUTEX_INIT,
};
static int64_t parent_pid; /* 0: nobody's child */
static bool parent_known;  /* the system was asked about it */

void brood_current_set(const char *name, const char *identity_text, bool daemon)
{
    current.daemon = daemon;
    brood_put_words(current.name, sizeof current.name, name);
    brood_put_words(identity, sizeof identity, identity_text);
    brood_atomic_store(&child_count, 0);
    brood_log_name(current.name);
}

void brood_current_next_child(char out[BROOD_NAME_SIZE])
{
    (void)snprintf(out, BROOD_NAME_SIZE, "%s%s%ld", identity, identity[0] ? ":" : "",
                   brood_atomic_add(&child_count, 1));
}

/* In a forked child the object is that of our parent's parent, and its lock may be held. */
static void forget_parent(void)
{
    if (parent.os.pidfd && !brood_fork_lost(parent.generation)) {
        brood_os_handle_close(parent.os.sentinel);
    }
    parent.os = BROOD_OS_PROCESS_NONE;
    parent.ended = false;
    parent.failed = false;
    parent_known = false;
    brood_os_mutex_init(&parent.mutex);
    parent.generation = brood_generation();
}

void brood_parent_set(int64_t pid, const char *name)
{
    forget_parent();
    brood_put_words(parent.name, sizeof parent.name, name);
    parent_pid = pid;
}

bool brood_parent_is_set(void)
{
    return parent_pid != 0;
}

brood_process *brood_current_process(void)
{
    return &current;
}

/* Only a child that asks pays for what it takes to watch its parent. */
brood_process *brood_parent_process(void)
{
    bool known;

    brood_locks_take(BROOD_LOCK_CURRENT);
    known = parent_pid != 0 && parent.generation == brood_generation();
    if (known && !parent_known) {
        brood_os_process_parent(&parent.os, parent_pid);
        parent_known = true;
    }
    brood_locks_give(BROOD_LOCK_CURRENT);
    return known ? &parent : NULL;
}

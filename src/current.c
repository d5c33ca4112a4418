/* This process and the one that started it, as process objects. */
#include <stdio.h>
#include <string.h>

#include "locks.h"
#include "log.h"
#include "process_object.h"

static brood_process current = {
    .refs = 1,
    .relation = BROOD_PROCESS_CURRENT,
    .name = "MainProcess",
    .os = {.sentinel = BROOD_NO_HANDLE},
    .mutex = BROOD_OS_MUTEX_INIT,
};
static char identity[BROOD_NAME_SIZE]; /* "" in the first process */

static brood_process parent = {
    .refs = 1,
    .relation = BROOD_PROCESS_FOREIGN,
    .os = {.sentinel = BROOD_NO_HANDLE},
    .mutex = BROOD_OS_MUTEX_INIT,
};
static int64_t parent_pid; /* 0: nobody's child */
static bool parent_known;  /* the system was asked about it */

void brood_current_set(const char *name, const char *identity_text)
{
    (void)snprintf(current.name, sizeof current.name, "%s", name);
    (void)snprintf(identity, sizeof identity, "%s", identity_text);
    brood_log_name(current.name);
}

const char *brood_current_identity(void)
{
    return identity;
}

void brood_parent_set(int64_t pid, const char *name)
{
    (void)snprintf(parent.name, sizeof parent.name, "%s", name);
    parent_pid = pid;
}

brood_process *brood_current_process(void)
{
    return &current;
}

/* Only a child that asks pays for what it takes to watch its parent. */
brood_process *brood_parent_process(void)
{
    bool known;

    brood_lock(BROOD_LOCK_CURRENT);
    known = parent_pid != 0;
    if (known && !parent_known) {
        brood_os_process_parent(&parent.os, parent_pid);
        parent_known = true;
    }
    brood_unlock(BROOD_LOCK_CURRENT);
    return known ? &parent : NULL;
}

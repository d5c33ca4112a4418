/* The children of this process. */
#include <stdio.h>
#include <stdlib.h>

#include "deadline.h"
#include "fault.h"
#include "forkserver.h"
#include "locks.h"
#include "process_object.h"

#define QUIET_NS ((int64_t)1000 * 1000 * 1000) /* waited at exit without a word */

/* Every child that was not collected stands here with one reference, so that it is reaped even
 * when the program lets go of it. */
static struct {
    brood_process *first;
    int64_t owner; /* after a plain fork of the host they are somebody else's children */
} children;

void brood_children_add(brood_process *process)
{
    brood_locks_take(BROOD_LOCK_CHILDREN);
    if (children.owner != brood_os_pid()) {
        children.owner = brood_os_pid();
        children.first = NULL;
    }
    process->next = children.first;
    children.first = brood_process_ref(process);
    brood_locks_give(BROOD_LOCK_CHILDREN);
}

void brood_children_remove(brood_process *process)
{
    bool found = false;

    brood_locks_take(BROOD_LOCK_CHILDREN);
    for (brood_process **at = &children.first; *at != NULL; at = &(*at)->next) {
        if (*at == process) {
            *at = process->next;
            found = true;
            break;
        }
    }
    brood_locks_give(BROOD_LOCK_CHILDREN);
    if (found) {
        brood_process_free(process);
    }
}

brood_process *brood_children_find(int64_t pid)
{
    brood_process *found = NULL;

    brood_locks_take(BROOD_LOCK_CHILDREN);
    for (brood_process *at = children.first; at != NULL && found == NULL; at = at->next) {
        if (children.owner == brood_os_pid() && at->os.pid == pid) {
            found = brood_process_ref(at);
        }
    }
    brood_locks_give(BROOD_LOCK_CHILDREN);
    return found;
}

static size_t count_children(void)
{
    size_t count = 0;

    for (const brood_process *at = children.first; at != NULL; at = at->next) {
        count++;
    }
    return count;
}

/* All children that were not collected, oldest first, with a reference to each. */
static int list_children(brood_process ***out, size_t *count)
{
    brood_process **list = NULL;
    size_t left = 0;

    brood_locks_take(BROOD_LOCK_CHILDREN);
    if (children.owner == brood_os_pid()) {
        left = count_children();
    }
    *count = left;
    if (left > 0) {
        list = BROOD_ALLOC(malloc(left * sizeof(brood_process *)));
    }
    if (list != NULL) {
        for (brood_process *at = children.first; at != NULL; at = at->next) {
            list[--left] = brood_process_ref(at);
        }
    }
    brood_locks_give(BROOD_LOCK_CHILDREN);
    *out = list;
    return list == NULL && left > 0 ? brood_fail_nomem("the list of children") : 0;
}

int brood_active_children(brood_process ***out, size_t *count)
{
    brood_process **list = NULL;
    size_t all = 0;
    size_t alive = 0;
    int rc;

    if (out == NULL || count == NULL) {
        return brood_fail(BROOD_EINVAL, "there is no place for the list of children");
    }
    *out = NULL;
    *count = 0;
    rc = list_children(&list, &all);
    if (rc) {
        return rc;
    }
    for (size_t i = 0; i < all; i++) {
        if (brood_process_wait(list[i], BROOD_DEADLINE_PASSED) == 0 || list[i]->hidden) {
            brood_process_free(list[i]);
        } else {
            list[alive++] = list[i]; /* also one that the system says nothing about */
        }
    }
    if (alive == 0) {
        free(list);
        list = NULL;
    }
    *out = list;
    *count = alive;
    return 0;
}

void brood_processes_free(brood_process **processes, size_t count)
{
    for (size_t i = 0; processes != NULL && i < count; i++) {
        brood_process_free(processes[i]);
    }
    free(processes);
}

void brood_children_forget(void)
{
    brood_process *process;

    brood_locks_take(BROOD_LOCK_CHILDREN);
    process = children.first;
    children.first = NULL;
    brood_locks_give(BROOD_LOCK_CHILDREN);
    while (process != NULL) {
        brood_process *next = process->next;
        brood_process_free(process);
        process = next;
    }
}

/* Any child that is left and that we have to wait for, referenced. */
static brood_process *first_to_join(bool hidden)
{
    brood_process *found = NULL;

    brood_locks_take(BROOD_LOCK_CHILDREN);
    for (brood_process *at = children.first; at != NULL && found == NULL; at = at->next) {
        if (children.owner == brood_os_pid() && !at->outlives && at->hidden == hidden) {
            found = brood_process_ref(at);
        }
    }
    brood_locks_give(BROOD_LOCK_CHILDREN);
    return found;
}

/* A child that has to be killed by now, referenced; else `*next` is when the next one has to be. */
static brood_process *take_expired(int64_t now_ns, int64_t *next)
{
    brood_process *found = NULL;

    brood_locks_take(BROOD_LOCK_CHILDREN);
    *next = BROOD_DEADLINE_NEVER;
    for (brood_process *at = children.first; at != NULL && found == NULL; at = at->next) {
        if (children.owner != brood_os_pid() || at->deadline_ns == 0) {
            continue;
        }
        if (at->deadline_ns <= now_ns) {
            at->deadline_ns = 0;
            found = brood_process_ref(at);
        } else if (at->deadline_ns < *next) {
            *next = at->deadline_ns;
        }
    }
    brood_locks_give(BROOD_LOCK_CHILDREN);
    return found;
}

int64_t brood_children_expire(void)
{
    int64_t next;
    brood_process *process;

    while ((process = take_expired(brood_os_now(), &next)) != NULL) {
        brood_process_expire(process);
        brood_process_free(process);
    }
    return next;
}

/* Takes children off the list that have ended and that only the list knew: they would stay
 * zombies. Nobody else can come to know them, so they need no reference meanwhile. */
static brood_process *take_forgotten(void)
{
    brood_process *taken = NULL;
    brood_process **at = &children.first;

    brood_locks_take(BROOD_LOCK_CHILDREN);
    while (children.owner == brood_os_pid() && *at != NULL) {
        brood_process *process = *at;
        if (brood_atomic_load(&process->refs) == 1 &&
            brood_os_process_wait(&process->os, BROOD_DEADLINE_PASSED) == 0) {
            *at = process->next;
            process->next = taken;
            taken = process;
        } else {
            at = &process->next;
        }
    }
    brood_locks_give(BROOD_LOCK_CHILDREN);
    return taken;
}

void brood_children_reap(void)
{
    brood_process *process = take_forgotten();

    while (process != NULL) {
        brood_process *next = process->next;
        brood_process_collect(process);
        brood_process_free(process);
        process = next;
    }
}

/* Whoever wonders why the program does not end is told. */
static int join_one(brood_process *process)
{
    int rc = brood_process_wait(process, brood_os_now() + QUIET_NS);

    if (rc == BROOD_ETIMEDOUT) {
        char line[BROOD_NAME_SIZE + 64];
        const int length = snprintf(line, sizeof line, "brood: waiting for %s (pid %lld) to end\n",
                                    process->name, (long long)process->os.pid);
        brood_os_write_error(line, length > 0 ? (size_t)length : 0);
        rc = brood_process_wait(process, BROOD_DEADLINE_NEVER);
    }
    return rc;
}

static void terminate_daemonic(void)
{
    brood_process **list = NULL;
    size_t count = 0;

    if (list_children(&list, &count) == 0) {
        for (size_t i = 0; i < count; i++) {
            if (list[i]->daemon || list[i]->helper) {
                (void)brood_process_terminate(list[i]);
            }
        }
        brood_processes_free(list, count);
    }
}

static void join_all(bool hidden)
{
    brood_process *process;

    while ((process = first_to_join(hidden)) != NULL) {
        if (join_one(process) != 0) {
            brood_children_remove(process); /* the system cannot tell: do not ask for ever */
        }
        brood_process_free(process);
    }
}

void brood_children_end(void)
{
    terminate_daemonic();
    join_all(false);
    brood_forkserver_let_go(); /* it tells how its children ended, so it goes last */
    join_all(true);
}

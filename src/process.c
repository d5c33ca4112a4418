#include "process_object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deadline.h"
#include "fault.h"
#include "fork.h"
#include "message.h"
#include "unparcel.h"

static bool is_current(const brood_process *process)
{
    return process->relation == BROOD_PROCESS_CURRENT;
}

/* Made before a fork: its lock may be held by a thread that is not here. */
static bool is_stranger(const brood_process *process)
{
    return !is_current(process) && process->generation != brood_generation();
}

brood_process *brood_process_new(brood_process_relation relation, const char *name)
{
    brood_process *process = BROOD_ALLOC(calloc(1, sizeof *process));

    if (process == NULL) {
        (void)brood_fail_nomem("a process object");
        return NULL;
    }
    brood_atomic_store(&process->refs, 1);
    brood_os_mutex_init(&process->mutex);
    process->generation = brood_generation();
    process->relation = relation;
    process->os = BROOD_OS_PROCESS_NONE;
    (void)snprintf(process->name, sizeof process->name, "%s", name);
    return process;
}

int brood_process_check(const brood_process *process)
{
    if (process == NULL) {
        return brood_fail(BROOD_EINVAL, "the process is NULL");
    }
    if (is_stranger(process)) {
        return brood_fail(BROOD_EINVAL,
                          "%s (pid %lld) is known to the process that this one was forked from, "
                          "not here",
                          process->name, (long long)process->os.pid);
    }
    return 0;
}

static bool has_ended(brood_process *process)
{
    bool ended;

    brood_os_mutex_lock(&process->mutex);
    ended = process->ended;
    brood_os_mutex_unlock(&process->mutex);
    return ended;
}

bool brood_process_is_over(brood_process *process)
{
    return has_ended(process) || brood_os_process_wait(&process->os, BROOD_DEADLINE_PASSED) == 0;
}

int brood_process_wait(brood_process *process, int64_t deadline_ns)
{
    bool first = false;
    int rc = brood_process_check(process);

    if (rc) {
        return rc;
    }
    if (has_ended(process)) {
        return 0;
    }
    rc = brood_os_process_wait(&process->os, deadline_ns);
    if (rc) {
        return rc;
    }
    brood_os_mutex_lock(&process->mutex);
    if (!process->ended) {
        brood_process_collect(process);
        first = true;
    }
    brood_os_mutex_unlock(&process->mutex);
    if (first) {
        brood_children_remove(process);
    }
    return 0;
}

int brood_process_join(brood_process *process, int64_t timeout_ms)
{
    int64_t deadline_ns;
    int rc = brood_process_check(process);

    if (rc == 0 && is_current(process)) {
        rc = brood_fail(BROOD_EDEADLK, "%s would wait for its own end", process->name);
    }
    if (rc == 0) {
        rc = brood_deadline(&deadline_ns, timeout_ms);
    }
    return rc ? rc : brood_process_wait(process, deadline_ns);
}

bool brood_process_is_alive(brood_process *process)
{
    if (process == NULL) {
        return false;
    }
    return is_current(process) ||
           brood_process_wait(process, BROOD_DEADLINE_PASSED) == BROOD_ETIMEDOUT;
}

int brood_process_exitcode(brood_process *process, int *exitcode)
{
    int rc = brood_process_check(process);

    if (rc) {
        return rc;
    }
    if (brood_process_is_alive(process)) {
        return brood_fail(BROOD_ERUNNING, "%s (pid %lld) still runs", process->name,
                          (long long)brood_process_pid(process));
    }
    *exitcode = process->exitcode;
    return 0;
}

const brood_failure *brood_process_failure(brood_process *process)
{
    if (process == NULL || brood_process_is_alive(process) || !process->failed) {
        return NULL;
    }
    return &process->failure;
}

static int read_result(brood_process *process, brood_message **out)
{
    brood_buffer copy = BROOD_BUFFER_NONE;
    brood_unparcel unparcel; /* it has functions only */
    brood_loader loader;
    int rc;

    if (process->result.size == 0) {
        return brood_message_new(out, brood_none());
    }
    brood_unparcel_init(&unparcel, NULL, 0);
    loader = brood_unparcel_loader(&unparcel);
    rc = brood_buffer_new(&copy, process->result.size);
    if (rc == 0) {
        memcpy(copy.data, process->result.data, copy.size);
        rc = brood_message_from_buffer(out, &copy, &loader);
    }
    brood_buffer_release(&copy);
    brood_unparcel_close(&unparcel);
    return rc;
}

int brood_process_result(brood_process *process, brood_message **out, int64_t timeout_ms)
{
    int rc;

    if (out == NULL) {
        return brood_fail(BROOD_EINVAL, "there is no place for the result: out is NULL");
    }
    *out = NULL;
    if (process != NULL && process->relation != BROOD_PROCESS_CHILD) {
        return brood_fail(BROOD_EINVAL, "the result of %s (pid %lld) goes to its parent only",
                          process->name, (long long)brood_process_pid(process));
    }
    rc = brood_process_join(process, timeout_ms);
    if (rc) {
        return rc;
    }
    return process->failed ? brood_fail_as(&process->failure) : read_result(process, out);
}

int64_t brood_process_pid(const brood_process *process)
{
    if (process == NULL) {
        return 0;
    }
    return is_current(process) ? brood_os_pid() : process->os.pid;
}

const char *brood_process_name(const brood_process *process)
{
    return process != NULL ? process->name : "";
}

bool brood_process_daemon(const brood_process *process)
{
    return process != NULL && process->daemon;
}

brood_handle brood_process_sentinel(const brood_process *process)
{
    return process != NULL && !brood_fork_lost(process->generation) ? process->os.sentinel
                                                                    : BROOD_NO_HANDLE;
}

brood_process *brood_process_ref(brood_process *process)
{
    if (process != NULL) {
        (void)brood_atomic_add(&process->refs, 1);
    }
    return process;
}

void brood_process_free(brood_process *process)
{
    if (process == NULL || brood_atomic_add(&process->refs, -1) > 0) {
        return;
    }
    if (brood_fork_lost(process->generation)) {
        process->os.sentinel = BROOD_NO_HANDLE; /* the number may be something else here */
    }
    brood_os_process_close(&process->os);
    if (!is_stranger(process)) {
        brood_os_mutex_fini(&process->mutex);
    }
    brood_buffer_release(&process->left);
    free(process);
}

/* The ways to stop a process. */
#include "deadline.h"
#include "process_object.h"

static int need_other(const brood_process *process)
{
    const int rc = brood_process_check(process);

    if (rc == 0 && process->relation == BROOD_PROCESS_CURRENT) {
        return brood_fail(BROOD_EINVAL, "%s ends by exit, not by its process object",
                          process->name);
    }
    return rc;
}

/* The caller holds the process's mutex. */
static int stop_running(brood_process *process, brood_os_stop how)
{
    if (process->ended) {
        return 0;
    }
    if (how == BROOD_OS_INTERRUPT && process->relation == BROOD_PROCESS_CHILD) {
        brood_os_process_ask(&process->os);
    }
    return brood_os_process_stop(&process->os, how);
}

static int stop(brood_process *process, brood_os_stop how)
{
    int rc = need_other(process);

    if (rc == 0) {
        brood_os_mutex_lock(&process->mutex);
        rc = stop_running(process, how);
        brood_os_mutex_unlock(&process->mutex);
    }
    return rc;
}

int brood_process_interrupt(brood_process *process)
{
    return stop(process, BROOD_OS_INTERRUPT);
}

int brood_process_terminate(brood_process *process)
{
    return stop(process, BROOD_OS_TERMINATE);
}

int brood_process_kill(brood_process *process)
{
    return stop(process, BROOD_OS_KILL);
}

void brood_process_expire(brood_process *process)
{
    brood_os_mutex_lock(&process->mutex);
    process->expired = !process->ended && stop_running(process, BROOD_OS_KILL) == 0;
    brood_os_mutex_unlock(&process->mutex);
}

/* ---- in steps ---- */

static int ask(brood_process *process)
{
    brood_os_mutex_lock(&process->mutex);
    if (!process->ended) {
        brood_os_process_ask(&process->os);
    }
    brood_os_mutex_unlock(&process->mutex);
    return 0;
}

static int check_step(const brood_process *process, const brood_stop_step *step, size_t number)
{
    if (step->action < BROOD_STOP_ASK || step->action > BROOD_STOP_KILL) {
        return brood_fail(BROOD_EINVAL, "step %zu of a stop has action %d, which is none", number,
                          (int)step->action);
    }
    if (step->wait_ms < BROOD_FOREVER) {
        return brood_fail(BROOD_EINVAL, "step %zu of a stop waits %lld ms", number,
                          (long long)step->wait_ms);
    }
    if (step->action == BROOD_STOP_ASK && process->relation != BROOD_PROCESS_CHILD) {
        return brood_fail(BROOD_EINVAL, "only its parent can ask %s (pid %lld) to stop",
                          process->name, (long long)process->os.pid);
    }
    return 0;
}

static int take_step(brood_process *process, const brood_stop_step *step)
{
    int rc;

    switch (step->action) {
    case BROOD_STOP_ASK:
        rc = ask(process);
        break;
    case BROOD_STOP_TERMINATE:
        rc = brood_process_terminate(process);
        break;
    default:
        rc = brood_process_kill(process);
        break;
    }
    return rc ? rc : brood_process_join(process, step->wait_ms);
}

int brood_process_stop(brood_process *process, const brood_stop_step *steps, size_t count)
{
    static const brood_stop_step usual[] = {
        {BROOD_STOP_ASK, 1000}, {BROOD_STOP_TERMINATE, 1000}, {BROOD_STOP_KILL, BROOD_FOREVER}};
    int rc = need_other(process);

    if (steps == NULL && count == 0) {
        steps = usual;
        count = sizeof usual / sizeof usual[0];
    }
    if (rc == 0 && (steps == NULL || count == 0)) {
        rc = brood_fail(BROOD_EINVAL, "a stop of %zu steps%s", count,
                        steps == NULL ? " at NULL" : "");
    }
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = check_step(process, &steps[i], i + 1);
    }
    if (rc) {
        return rc;
    }
    rc = BROOD_ETIMEDOUT;
    for (size_t i = 0; rc == BROOD_ETIMEDOUT && i < count; i++) {
        rc = take_step(process, &steps[i]);
    }
    return rc;
}

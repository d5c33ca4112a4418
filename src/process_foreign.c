/* Processes that another process told us about. */
#include "process_object.h"

int brood_process_identify(brood_os_identity *out, brood_process *process)
{
    int rc = brood_process_check(process);

    if (rc) {
        return rc;
    }
    if (process->relation == BROOD_PROCESS_CURRENT) {
        return brood_os_self_identify(out);
    }
    brood_os_mutex_lock(&process->mutex); /* it is not collected meanwhile */
    rc = brood_os_process_identify(out, &process->os);
    brood_os_mutex_unlock(&process->mutex);
    return rc;
}

/* A number cannot be used again while its process is our child, or ourselves. */
static brood_process *find_known(int64_t pid)
{
    brood_process *found;

    if (pid == brood_os_pid()) {
        return brood_process_ref(brood_current_process());
    }
    found = brood_children_find(pid);
    /* The fork server reaps its own as soon as they end. */
    if (found != NULL && found->os.server != NULL && brood_process_is_over(found)) {
        brood_process_free(found);
        found = NULL;
    }
    return found;
}

int brood_process_of_identity(brood_process **out, const char *name,
                              const brood_os_identity *identity)
{
    brood_process *process = identity->born != BROOD_OS_ENDED ? find_known(identity->pid) : NULL;
    int rc;

    if (process != NULL) {
        brood_os_handle_close(identity->handle);
        *out = process;
        return 0;
    }
    process = brood_process_new(BROOD_PROCESS_FOREIGN, name);
    if (process == NULL) {
        return brood_last_error()->error;
    }
    rc = brood_os_process_adopt(&process->os, identity);
    if (rc) {
        brood_process_free(process);
        return rc;
    }
    *out = process;
    return 0;
}

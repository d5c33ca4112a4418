/* Children of the fork server. For the system they are the server's, which tells how they ended: in
 * the report's page, before it reaps them, or behind the report on the channel. If it is killed they
 * live on, and the system's first process reaps them. */
#include "posix.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#define NS_PER_MS ((int64_t)1000 * 1000)
#define LOOKS 30
#define SLICE_MS 20                              /* between looks */
#define PATIENCE_NS ((int64_t)10000 * NS_PER_MS) /* with a server that lives but says nothing */

/* The server keeps the channel until it has told everything; without it the child alone does. */
static bool has_ended(const brood_os_process *process)
{
    return brood_posix_lifeline_cut((int)process->sentinel) ||
           !brood_posix_runs(process->pid, process->born);
}

int brood_posix_served_wait(const brood_os_process *process, int64_t deadline_ns)
{
    struct pollfd one = {(int)process->sentinel, 0, 0}; /* only the end, not the report */

    while (!has_ended(process)) {
        const int left = brood_posix_left_ms(deadline_ns, SLICE_MS);
        if (left == 0) {
            return brood_fail(BROOD_ETIMEDOUT, "process %lld still runs", (long long)process->pid);
        }
        (void)poll(&one, 1, left);
    }
    return 0;
}

int brood_posix_served_signal(const brood_os_process *process, int signum)
{
    int rc;

    if (!process->pidfd && has_ended(process)) {
        return 0;
    }
    rc = process->pidfd ? brood_posix_pidfd_signal((int)process->sentinel, signum)
                        : BROOD_SYS("kill", EPERM, kill((pid_t)process->pid, signum));
    if (rc < 0 && errno != ESRCH) {
        return brood_posix_error(errno, "stop process %lld", (long long)process->pid);
    }
    return 0;
}

/* ---- with a process descriptor ---- */

static bool is_reaped(const brood_os_process *process)
{
    return brood_posix_pidfd_signal((int)process->sentinel, 0) < 0 && errno == ESRCH;
}

/* The server tells before it reaps. So who was reaped without a word was not by the server. */
static bool await_status(const brood_os_process *process, int *status)
{
    const int64_t limit = brood_os_now() + PATIENCE_NS;
    int64_t slice = NS_PER_MS;

    /* The server was woken together with us: mostly it takes no longer than to go to sleep. */
    for (int i = 0; i < LOOKS; i++) {
        if (brood_posix_report_ended(process->report, status, 0)) {
            return true;
        }
        brood_os_yield();
    }
    while (!brood_posix_report_ended(process->report, status, slice)) {
        const bool nobody_tells = is_reaped(process) || brood_posix_server_over(process->server);
        if (nobody_tells || brood_os_now() > limit) {
            return brood_posix_report_ended(process->report, status, 0) ||
                   brood_posix_pidfd_status((int)process->sentinel, status) == 0;
        }
        slice = SLICE_MS * NS_PER_MS;
    }
    return true;
}

/* ---- without: everything comes over the channel ---- */

/* A report that came before the status. */
typedef struct left {
    brood_buffer report;
    brood_failure failure; /* error 0: it could be read, or there is none */
    char words[BROOD_WORDS_SIZE];
} left;

int brood_posix_served_open(brood_os_process *process)
{
    process->left = BROOD_ALLOC(calloc(1, sizeof(left)));
    return process->left != NULL ? 0 : brood_fail_nomem("the report of a process");
}

/* Keeps the report and returns true with the status, or false at the end without one. */
static bool read_channel(const brood_os_process *process, int *status, bool *end)
{
    left *kept = process->left;
    char found = 'r';

    while (found == 'r') {
        brood_buffer report = BROOD_BUFFER_NONE;
        const int rc = brood_posix_report_next((int)process->sentinel, &report, status, &found);
        if (rc) {
            kept->failure = *brood_last_error();
            (void)snprintf(kept->words, sizeof kept->words, "%s", kept->failure.message);
            kept->failure.message = kept->words;
        } else if (found == 'r') {
            brood_buffer_release(&kept->report);
            kept->report = report;
        }
    }
    *end = found == 0;
    return found == 's';
}

static bool read_status(const brood_os_process *process, int *status)
{
    const int64_t limit = brood_os_now() + PATIENCE_NS;
    struct pollfd one = {(int)process->sentinel, POLLIN, 0};
    bool over = false;
    bool end = false;

    while (!read_channel(process, status, &end)) {
        if (end || over || brood_os_now() > limit) {
            return false;
        }
        over = brood_posix_server_over(process->server); /* then one more look */
        (void)poll(&one, 1, over ? 0 : SLICE_MS);
    }
    return true;
}

int brood_posix_served_report(brood_os_process *process, brood_buffer *out)
{
    left *kept = process->left;

    if (kept == NULL) {
        return 0;
    }
    *out = kept->report;
    kept->report = BROOD_BUFFER_NONE;
    return kept->failure.error != 0 ? brood_fail_as(&kept->failure) : 0;
}

/* ---- both ---- */

void brood_posix_served_collect(brood_os_process *process, brood_os_status *out)
{
    int status = 0;

    if (process->pidfd && process->report != NULL ? await_status(process, &status)
                                                  : read_status(process, &status)) {
        brood_posix_set_status(out, status);
    }
}

void brood_posix_served_close(brood_os_process *process)
{
    left *kept = process->left;

    if (kept != NULL) {
        brood_buffer_release(&kept->report);
        free(kept);
        process->left = NULL;
    }
    brood_os_server_free(process->server);
    process->server = NULL;
}

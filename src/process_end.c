/* How a process ended: its status from the system and its report, put together. */
#include <stdio.h>

#include "log.h"
#include "process_object.h"
#include "report.h"
#include "watchdog.h"

#define KILLED 9 /* SIGKILL */

static const char *signal_name(int signum)
{
    static const struct {
        int signum;
        const char *name;
    } known[] = {{1, "SIGHUP"},   {2, "SIGINT"},  {3, "SIGQUIT"}, {4, "SIGILL"},
                 {6, "SIGABRT"},  {8, "SIGFPE"},  {9, "SIGKILL"}, {11, "SIGSEGV"},
                 {13, "SIGPIPE"}, {15, "SIGTERM"}}; /* the same on all our systems */

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].signum == signum) {
            return known[i].name;
        }
    }
    return "a signal";
}

static void set_failure(brood_process *process, int error, int code, const char *words)
{
    process->failed = true;
    process->failure.size = sizeof process->failure;
    process->failure.error = error;
    process->failure.code = code;
    process->failure.pid = process->os.pid;
    process->failure.exitcode = process->exitcode;
    (void)snprintf(process->words, sizeof process->words, "%.255s (pid %lld) %s", process->name,
                   (long long)process->os.pid, words);
    process->failure.message = process->words;
}

static void judge_reported(brood_process *process, const brood_report *report)
{
    char words[BROOD_WORDS_SIZE + 64];

    if (report->code < 0) {
        (void)snprintf(words, sizeof words, "failed: %s", report->words);
        set_failure(process, report->code, 0, words);
    } else if (report->code > 0) {
        (void)snprintf(words, sizeof words, "returned %d%s%s", report->code,
                       report->words[0] ? ": " : "", report->words);
        set_failure(process, BROOD_ETASK, report->code, words);
    } else if (process->exitcode != 0) {
        (void)snprintf(words, sizeof words, "exited with code %d after its function had returned 0",
                       process->exitcode);
        set_failure(process, BROOD_ETASK, process->exitcode, words);
    } else {
        process->result = report->result;
    }
}

static void judge(brood_process *process, const brood_os_status *status, const brood_report *report)
{
    char words[BROOD_WORDS_SIZE];

    process->exitcode = status->exitcode;
    if (!status->known && report != NULL) {
        process->exitcode = report->code < 0 ? 1 : report->code; /* as it told us itself */
    }
    if (!status->known && report == NULL) {
        set_failure(process, BROOD_EWORKER, 0,
                    process->relation == BROOD_PROCESS_FOREIGN
                        ? "ended, status unknown: only its parent is told"
                        : "ended, status unknown: somebody else reaped it");
    } else if (process->expired && process->exitcode == -KILLED) {
        (void)snprintf(words, sizeof words, "was killed: its deadline of %lld ms had passed",
                       (long long)process->deadline_ms);
        set_failure(process, BROOD_EWORKER, 0, words);
    } else if (process->exitcode < 0) {
        (void)snprintf(words, sizeof words, "was ended by signal %d (%s)%s", -process->exitcode,
                       signal_name(-process->exitcode),
                       report != NULL ? " after its function had returned" : "");
        set_failure(process, BROOD_EWORKER, 0, words);
    } else if (report != NULL) {
        judge_reported(process, report);
    } else if (process->exitcode > 0) {
        (void)snprintf(words, sizeof words, "exited with code %d before its function returned",
                       process->exitcode);
        set_failure(process, BROOD_ETASK, process->exitcode, words);
    }
    process->failure.system_code = status->system_code;
}

void brood_process_collect(brood_process *process)
{
    brood_os_status status;
    brood_report report;
    int rc = 0;

    brood_os_process_collect(&process->os, &status);
    if (process->relation == BROOD_PROCESS_CHILD) {
        rc = brood_os_process_report(&process->os, &process->left);
    }
    if (rc == 0 && process->left.size > 0) {
        rc = brood_report_read(&report, process->left.data, process->left.size);
    }
    judge(process, &status, rc == 0 && process->left.size > 0 ? &report : NULL);
    if (rc && !process->failed) {
        set_failure(process, rc, 0, brood_last_error()->message);
    }
    process->ended = true;
    if (process->deadline_ms > 0) {
        brood_watchdog_release();
    }
    brood_log(BROOD_LOG_INFO, "%s (pid %lld) ended with exit code %d", process->name,
              (long long)process->os.pid, process->exitcode);
}

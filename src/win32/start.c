#include "win32.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../quoting.h"

/* The parent's side of a start: a plan, filled by small steps and undone in one place.
 *
 * Any other thread of the program may start a program of its own that inherits all inheritable
 * handles. Therefore the child inherits from us one empty section and its standard streams; all
 * else is put into its handle table while it is suspended, and the section then says where. */

#define INHERITED_MAX 4 /* the hint and the three standard streams */

typedef struct start_plan {
    const brood_os_start *start;
    HANDLE job;
    wchar_t *program;
    wchar_t *line;
    brood_os_section hint;
    brood_os_section secret;
    brood_win32_report *report;
    HANDLE report_section;
    HANDLE inherited[INHERITED_MAX]; /* inheritable: the hint first */
    DWORD inherited_count;
    STARTUPINFOEXW startup;
    bool attributes_ready;
    PROCESS_INFORMATION child;
} start_plan;

/* ---- the job: children die with this process ---- */

static brood_os_mutex job_mutex = BROOD_OS_MUTEX_INIT;
static HANDLE our_job;

/* Break-away is allowed for programs that are meant to live on. */
static int make_job(HANDLE *out)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits;
    HANDLE job = BROOD_WIN("CreateJobObjectW", ERROR_NO_SYSTEM_RESOURCES, NULL,
                           CreateJobObjectW(NULL, NULL));

    if (job == NULL) {
        return brood_win32_error(GetLastError(), "make a job object");
    }
    memset(&limits, 0, sizeof limits);
    limits.BasicLimitInformation.LimitFlags =
        JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_BREAKAWAY_OK;
    if (!BROOD_WIN("SetInformationJobObject", ERROR_NO_SYSTEM_RESOURCES, FALSE,
                   SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits,
                                           sizeof limits))) {
        const int rc = brood_win32_error(GetLastError(), "set the limits of a job object");
        brood_win32_close(job);
        return rc;
    }
    *out = job;
    return 0;
}

/* One job for all children; never closed, so that it ends with the process and not before. */
static int find_job(start_plan *plan)
{
    int rc = 0;

    if (plan->start->outlive) {
        return 0;
    }
    brood_os_mutex_lock(&job_mutex);
    if (our_job == NULL) {
        rc = make_job(&our_job);
    }
    plan->job = our_job;
    brood_os_mutex_unlock(&job_mutex);
    return rc;
}

/* ---- what the child inherits ---- */

static int make_hint(start_plan *plan)
{
    const HANDLE self = GetCurrentProcess();
    HANDLE copy = NULL;
    int rc = brood_os_section_create(&plan->hint, sizeof(brood_win32_hint));

    if (rc) {
        return rc;
    }
    /* The child's copy cannot write. */
    if (!BROOD_WIN("DuplicateHandle", ERROR_NOT_ENOUGH_MEMORY, FALSE,
                   DuplicateHandle(self, brood_win32_handle(plan->hint.handle), self, &copy,
                                   FILE_MAP_READ, TRUE, 0))) {
        return brood_win32_error(GetLastError(), "make a handle that a child inherits");
    }
    plan->inherited[plan->inherited_count++] = copy;
    return 0;
}

/* A stream that is absent or closed is absent in the child. Each copy has a value of its own: the
 * list of inherited handles may name none twice. */
static int share_stream(start_plan *plan, HANDLE *out, DWORD which)
{
    const HANDLE self = GetCurrentProcess();
    const HANDLE stream = GetStdHandle(which);
    HANDLE copy = NULL;

    if (!brood_win32_valid(stream)) {
        return 0;
    }
    if (!BROOD_WIN("DuplicateHandle", ERROR_NOT_ENOUGH_MEMORY, FALSE,
                   DuplicateHandle(self, stream, self, &copy, 0, TRUE, DUPLICATE_SAME_ACCESS))) {
        return GetLastError() == ERROR_INVALID_HANDLE
                   ? 0
                   : brood_win32_error(GetLastError(), "share a standard stream with a child");
    }
    plan->inherited[plan->inherited_count++] = copy;
    *out = copy;
    return 0;
}

static int share_streams(start_plan *plan)
{
    STARTUPINFOW *startup = &plan->startup.StartupInfo;
    int rc;

    startup->cb = sizeof plan->startup;
    startup->dwFlags = STARTF_USESTDHANDLES;
    rc = share_stream(plan, &startup->hStdInput, STD_INPUT_HANDLE);
    if (rc == 0) {
        rc = share_stream(plan, &startup->hStdOutput, STD_OUTPUT_HANDLE);
    }
    if (rc == 0) {
        rc = share_stream(plan, &startup->hStdError, STD_ERROR_HANDLE);
    }
    return rc;
}

/* It is born into the job: were it assigned later, our death in between would leave it. */
static int list_job(start_plan *plan)
{
    if (plan->job == NULL) {
        return 0;
    }
    if (!BROOD_WIN("UpdateProcThreadAttribute", ERROR_NOT_ENOUGH_MEMORY, FALSE,
                   UpdateProcThreadAttribute(plan->startup.lpAttributeList, 0,
                                             PROC_THREAD_ATTRIBUTE_JOB_LIST, &plan->job,
                                             sizeof plan->job, NULL, NULL))) {
        return brood_win32_error(GetLastError(), "name the job of a child");
    }
    return 0;
}

static int list_attributes(start_plan *plan)
{
    LPPROC_THREAD_ATTRIBUTE_LIST list;
    SIZE_T size = 0;

    (void)InitializeProcThreadAttributeList(NULL, 2, 0, &size); /* says how much it needs */
    list = BROOD_ALLOC(malloc(size));
    if (list == NULL) {
        return brood_fail_nomem("the attributes of a process");
    }
    plan->startup.lpAttributeList = list;
    if (!BROOD_WIN("InitializeProcThreadAttributeList", ERROR_NOT_ENOUGH_MEMORY, FALSE,
                   InitializeProcThreadAttributeList(list, 2, 0, &size))) {
        return brood_win32_error(GetLastError(), "prepare the attributes of a process");
    }
    plan->attributes_ready = true;
    if (!BROOD_WIN("UpdateProcThreadAttribute", ERROR_NOT_ENOUGH_MEMORY, FALSE,
                   UpdateProcThreadAttribute(list, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST,
                                             plan->inherited,
                                             plan->inherited_count * sizeof(HANDLE), NULL, NULL))) {
        return brood_win32_error(GetLastError(), "list the handles that a child inherits");
    }
    return list_job(plan);
}

/* ---- the child ---- */

static int write_line(start_plan *plan)
{
    wchar_t marker[sizeof BROOD_WIN32_MARKER];
    wchar_t number[17];
    const wchar_t *arguments[3];
    size_t i;

    for (i = 0; i < sizeof BROOD_WIN32_MARKER; i++) {
        marker[i] = (wchar_t)BROOD_WIN32_MARKER[i];
    }
    (void)swprintf(number, sizeof number / sizeof number[0], L"%llx",
                   (unsigned long long)(uintptr_t)plan->inherited[0]);
    arguments[0] = plan->program;
    arguments[1] = marker;
    arguments[2] = number;
    return brood_command_line_join(&plan->line, arguments, 3);
}

static int find_program(start_plan *plan)
{
    return plan->start->executable != NULL
               ? brood_win32_wide(&plan->program, plan->start->executable)
               : brood_win32_module_path(&plan->program, NULL);
}

/* A job that we are in may be somebody else's and keep all of its processes. */
static int fail_create(const start_plan *plan, DWORD code)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits;

    if (plan->start->outlive && code == ERROR_ACCESS_DENIED &&
        QueryInformationJobObject(NULL, JobObjectExtendedLimitInformation, &limits, sizeof limits,
                                  NULL) &&
        (limits.BasicLimitInformation.LimitFlags &
         (JOB_OBJECT_LIMIT_BREAKAWAY_OK | JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK)) == 0) {
        return brood_fail_system(BROOD_EACCES, (int64_t)code,
                                 "start a process that outlives this one: the job object that this "
                                 "program runs in lets no process leave "
                                 "(JOB_OBJECT_LIMIT_BREAKAWAY_OK is missing)");
    }
    return brood_win32_error(code, "start %s",
                             plan->start->executable != NULL ? plan->start->executable
                                                             : "this program's executable");
}

static int create_child(start_plan *plan)
{
    DWORD flags = CREATE_SUSPENDED | EXTENDED_STARTUPINFO_PRESENT | CREATE_UNICODE_ENVIRONMENT;

    if (plan->start->outlive) {
        flags |= CREATE_BREAKAWAY_FROM_JOB;
    }

    /* Without a console of ours the system would open a window for the child's. */
    if (GetConsoleCP() == 0) {
        flags |= DETACHED_PROCESS;
    }
    if (!BROOD_WIN("CreateProcessW", ERROR_NO_SYSTEM_RESOURCES, FALSE,
                   CreateProcessW(plan->program, plan->line, NULL, NULL, TRUE, flags, NULL, NULL,
                                  &plan->startup.StartupInfo, &plan->child))) {
        memset(&plan->child, 0, sizeof plan->child);
        return fail_create(plan, GetLastError());
    }
    BROOD_STOP("parent-started");
    return 0;
}

/* ---- what is put into the suspended child ---- */

static int give(const start_plan *plan, uint64_t *out, HANDLE source, DWORD access, DWORD options)
{
    HANDLE theirs = NULL;

    if (!BROOD_WIN("DuplicateHandle", ERROR_NOT_ENOUGH_MEMORY, FALSE,
                   DuplicateHandle(GetCurrentProcess(), source, plan->child.hProcess, &theirs,
                                   access, FALSE, options))) {
        return brood_win32_error(GetLastError(), "give a child handle 0x%llx",
                                 (unsigned long long)(uintptr_t)source);
    }
    *out = (uint64_t)(uintptr_t)theirs;
    return 0;
}

/* The caller's handles. The system would take -1 for this process. */
static int give_handles(const start_plan *plan, brood_win32_secret *secret)
{
    const brood_os_start *start = plan->start;
    size_t i;

    for (i = 0; i < start->handle_count; i++) {
        const HANDLE handle = brood_win32_handle(start->handles[i]);
        int rc;

        if (!brood_win32_valid(handle)) {
            return brood_fail(BROOD_EINVAL, "handle %zu of a start is none", i);
        }
        rc = give(plan, &secret->handles[i], handle, 0, DUPLICATE_SAME_ACCESS);
        if (rc) {
            return rc;
        }
    }
    secret->handle_count = start->handle_count;
    return 0;
}

static int make_secret(start_plan *plan)
{
    const size_t count = plan->start->handle_count;
    const size_t fixed = sizeof(brood_win32_secret) + plan->start->body.size;

    if (count > (SIZE_MAX - fixed) / sizeof(uint64_t)) {
        return brood_fail_nomem("the handles of a start");
    }
    return brood_os_section_create(&plan->secret, fixed + count * sizeof(uint64_t));
}

static int make_report(start_plan *plan)
{
    return brood_win32_report_new(&plan->report, &plan->report_section);
}

static int fill_secret(start_plan *plan)
{
    brood_win32_secret *secret = plan->secret.data;
    const brood_view *body = &plan->start->body;
    int rc = 0;

    if (body->size == 0) {
        rc = give(plan, &secret->section, brood_win32_handle(plan->start->section), FILE_MAP_READ,
                  0);
    }
    if (rc == 0) {
        rc = give(plan, &secret->report, plan->report_section, FILE_MAP_READ | FILE_MAP_WRITE, 0);
    }
    if (rc == 0) {
        /* For a report that is too large for the page: it has to be in our table before the
         * child ends. It is also what the child knows us by. */
        rc = give(plan, &secret->parent, GetCurrentProcess(),
                  PROCESS_DUP_HANDLE | PROCESS_TERMINATE | PROCESS_QUERY_LIMITED_INFORMATION |
                      SYNCHRONIZE,
                  0);
    }
    if (rc == 0) {
        rc = give_handles(plan, secret);
    }
    if (rc) {
        return rc;
    }
    if (body->size > 0) {
        memcpy(&secret->handles[secret->handle_count], body->data, body->size);
    }
    secret->body_size = body->size;
    memcpy(secret->nonce, brood_win32_report_nonce(plan->report), sizeof secret->nonce);
    memcpy(secret->record, plan->start->record, plan->start->record_size);
    secret->record_size = plan->start->record_size;
    secret->secret_size = plan->start->secret.size;
    if (secret->secret_size > 0) {
        memcpy(secret->secret, plan->start->secret.data, plan->start->secret.size);
    }
    secret->magic = BROOD_WIN32_SECRET_MAGIC;
    return 0;
}

static int send_secret(start_plan *plan)
{
    brood_win32_hint *hint = plan->hint.data;
    int rc = give(plan, &hint->secret, brood_win32_handle(plan->secret.handle),
                  FILE_MAP_READ | FILE_MAP_WRITE, 0);

    if (rc) {
        return rc;
    }
    hint->magic = BROOD_WIN32_HINT_MAGIC;
    if (BROOD_WIN("ResumeThread", ERROR_ACCESS_DENIED, (DWORD)-1,
                  ResumeThread(plan->child.hThread)) == (DWORD)-1) {
        return brood_win32_error(GetLastError(), "let a child run");
    }
    /* It has a handle of its own, so this only ends our view of it. */
    brood_os_section_close(&plan->secret);
    BROOD_STOP("parent-sent");
    return 0;
}

/* ---- all of it ---- */

/* A suspended process ends at once; when this returns it is gone. */
static void end_child(start_plan *plan)
{
    if (plan->child.hProcess != NULL) {
        (void)TerminateProcess(plan->child.hProcess, BROOD_WIN32_KILLED);
        (void)WaitForSingleObject(plan->child.hProcess, 5000);
    }
}

static void release(start_plan *plan)
{
    DWORD i;

    brood_win32_close(plan->child.hThread);
    brood_win32_close(plan->child.hProcess);
    if (plan->attributes_ready) {
        DeleteProcThreadAttributeList(plan->startup.lpAttributeList);
    }
    free(plan->startup.lpAttributeList);
    for (i = 0; i < plan->inherited_count; i++) {
        brood_win32_close(plan->inherited[i]);
    }
    brood_win32_close(plan->report_section);
    brood_win32_report_free(plan->report);
    if (plan->secret.data != NULL) {
        SecureZeroMemory(plan->secret.data, plan->secret.size);
    }
    brood_os_section_close(&plan->secret);
    brood_os_section_close(&plan->hint);
    free(plan->line);
    free(plan->program);
}

int brood_os_process_start(brood_os_process *out, const brood_os_start *start)
{
    static int (*const steps[])(start_plan *) = {
        find_job,   find_program,    make_secret,  make_report, make_hint,   share_streams,
        write_line, list_attributes, create_child, fill_secret, send_secret,
    };
    start_plan plan;
    int rc = 0;
    size_t i;

    memset(&plan, 0, sizeof plan);
    plan.start = start;
    plan.hint = BROOD_OS_SECTION_NONE;
    plan.secret = BROOD_OS_SECTION_NONE;
    for (i = 0; i < sizeof steps / sizeof steps[0] && rc == 0; i++) {
        rc = steps[i](&plan);
    }
    if (rc) {
        end_child(&plan);
        goto done;
    }
    *out = BROOD_OS_PROCESS_NONE;
    out->pid = (int64_t)plan.child.dwProcessId;
    out->sentinel = (brood_os_handle)plan.child.hProcess;
    out->report = plan.report;
    plan.child.hProcess = NULL;
    plan.report = NULL;

done:
    release(&plan);
    return rc;
}

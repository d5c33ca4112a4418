/* Processes that are not our children, by a handle of the process. */
#include "win32.h"

#define RIGHTS (SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION | PROCESS_TERMINATE)

/* When it was created, 0 if the system does not tell. */
static uint64_t born_of(HANDLE process)
{
    FILETIME born;
    FILETIME other[3];

    if (!GetProcessTimes(process, &born, &other[0], &other[1], &other[2])) {
        return 0;
    }
    return (uint64_t)born.dwHighDateTime << 32 | born.dwLowDateTime;
}

static int identify(brood_os_identity *out, HANDLE process, int64_t pid)
{
    const HANDLE self = GetCurrentProcess();
    HANDLE copy = NULL;

    if (!BROOD_WIN("DuplicateHandle", ERROR_NOT_ENOUGH_MEMORY, FALSE,
                   DuplicateHandle(self, process, self, &copy, RIGHTS, FALSE, 0))) {
        return brood_win32_error(GetLastError(), "duplicate the handle of process %lld",
                                 (long long)pid);
    }
    out->pid = pid;
    out->born = born_of(copy);
    out->handle = (brood_os_handle)copy;
    return 0;
}

int brood_os_process_identify(brood_os_identity *out, const brood_os_process *process)
{
    if (process->sentinel == BROOD_NO_HANDLE) {
        *out = (brood_os_identity){process->pid, BROOD_OS_ENDED, BROOD_NO_HANDLE};
        return 0;
    }
    return identify(out, brood_win32_handle(process->sentinel), process->pid);
}

int brood_os_self_identify(brood_os_identity *out)
{
    return identify(out, GetCurrentProcess(), brood_os_pid());
}

/* Without a handle: the number may be another process's by now. */
static int open_by_number(brood_os_process *process)
{
    const HANDLE handle = BROOD_WIN("OpenProcess", ERROR_ACCESS_DENIED, NULL,
                                    OpenProcess(RIGHTS, FALSE, (DWORD)process->pid));

    if (handle == NULL) {
        if (GetLastError() != ERROR_INVALID_PARAMETER) { /* which is: no such process */
            return brood_win32_error(GetLastError(), "open process %lld", (long long)process->pid);
        }
        process->born = BROOD_OS_ENDED;
        return 0;
    }
    if (process->born != 0 && born_of(handle) != process->born) {
        brood_win32_close(handle);
        process->born = BROOD_OS_ENDED;
        return 0;
    }
    process->sentinel = (brood_os_handle)handle;
    return 0;
}

int brood_os_process_adopt(brood_os_process *out, const brood_os_identity *identity)
{
    brood_os_process process = BROOD_OS_PROCESS_NONE;
    int rc = 0;

    if (identity->pid <= 0 || identity->pid > (int64_t)UINT32_MAX) {
        return brood_fail(BROOD_EHANDLE, "%lld is no process", (long long)identity->pid);
    }
    process.pid = identity->pid;
    process.born = identity->born;
    process.foreign = true;
    if (identity->handle != BROOD_NO_HANDLE) {
        if (GetProcessId(brood_win32_handle(identity->handle)) != (DWORD)identity->pid) {
            return brood_fail(BROOD_EHANDLE, "handle 0x%llx is not that of process %lld",
                              (unsigned long long)identity->handle, (long long)identity->pid);
        }
        process.sentinel = identity->handle;
    } else if (process.born != BROOD_OS_ENDED) {
        rc = open_by_number(&process);
    }
    if (rc == 0) {
        process.reaped = process.born == BROOD_OS_ENDED;
        *out = process;
    }
    return rc;
}

void brood_os_process_parent(brood_os_process *out, int64_t pid)
{
    *out = BROOD_OS_PROCESS_NONE;
    out->pid = pid;
    out->foreign = true;
    out->sentinel = (brood_os_handle)brood_win32_report_parent();
}

#include "win32.h"

/* How a crash is told from an exit: the statuses that mean what a signal means on Unix. */
static const struct {
    DWORD status;
    int exitcode;
} crashes[] = {
    {0xC000013Au, -2}, /* Ctrl-C */
    {0xC000001Du, -4}, /* illegal instruction */
    {0xC0000096u, -4}, /* privileged instruction */
    {0x80000003u, -5}, /* breakpoint without a debugger */
    {0x80000004u, -5}, /* single step without a debugger */
    {0x40000015u, -6}, /* fatal application exit */
    {0x80000002u, -7}, /* misaligned data */
    {0xC0000006u, -7}, /* a page could not be read back */
    {0xC000008Du, -8}, /* floating point, down to the next line but three */
    {0xC000008Eu, -8},
    {0xC000008Fu, -8},
    {0xC0000090u, -8},
    {0xC0000091u, -8},
    {0xC0000092u, -8},
    {0xC0000093u, -8},
    {0xC0000094u, -8},  /* integer division by zero */
    {0xC0000095u, -8},  /* integer overflow */
    {0xC0000005u, -11}, /* access violation */
    {0xC000008Cu, -11}, /* array bounds */
    {0xC00000FDu, -11}, /* stack overflow */
    {0xE06D7363u, -6},  /* a C++ exception that nobody caught (Visual C++) */
    {0x20474343u, -6},  /* the same (GCC) */
    {BROOD_WIN32_TERMINATED, -15},
    {BROOD_WIN32_KILLED, -9},
};

/* Other errors of the system (0xC.......: fail-fast, heap corruption, a DLL that is missing) are
 * like abort. What a program chose itself is cut to the 8 bits that Unix keeps; only, a failure
 * must not become a 0 by that. */
static int exitcode_of(DWORD status)
{
    size_t i;

    if (status <= 255) {
        return (int)status;
    }
    for (i = 0; i < sizeof crashes / sizeof crashes[0]; i++) {
        if (crashes[i].status == status) {
            return crashes[i].exitcode;
        }
    }
    if (status >> 28 == 0xC) {
        return -6;
    }
    return (status & 255) != 0 ? (int)(status & 255) : 255;
}

int brood_os_process_wait(brood_os_process *process, int64_t deadline_ns)
{
    int rc;

    if (process->born == BROOD_OS_ENDED) {
        return 0;
    }
    rc = brood_win32_wait(brood_win32_handle(process->sentinel), deadline_ns, "wait for a process");
    return rc != BROOD_ETIMEDOUT
               ? rc
               : brood_fail(rc, "process %lld still runs", (long long)process->pid);
}

void brood_os_process_collect(brood_os_process *process, brood_os_status *out)
{
    DWORD status = 0;

    process->reaped = true;
    /* No fault point: it has no way to fail with a handle of ours. */
    out->known = process->sentinel != BROOD_NO_HANDLE &&
                 GetExitCodeProcess(brood_win32_handle(process->sentinel), &status);
    out->exitcode = out->known ? exitcode_of(status) : 255;
    out->system_code = (int64_t)status;
    out->killed_by_us =
        out->known && (status == BROOD_WIN32_TERMINATED || status == BROOD_WIN32_KILLED);
}

int brood_os_process_stop(brood_os_process *process, brood_os_stop how)
{
    const HANDLE handle = brood_win32_handle(process->sentinel);
    const UINT status = how == BROOD_OS_KILL ? BROOD_WIN32_KILLED : BROOD_WIN32_TERMINATED;
    DWORD ended_with = STILL_ACTIVE;
    DWORD code;

    if (process->reaped) {
        return 0;
    }
    if (how == BROOD_OS_INTERRUPT) {
        return process->foreign
                   ? brood_fail(BROOD_ENOTSUP, "only its parent can interrupt process %lld",
                                (long long)process->pid)
                   : 0; /* there are no signals: it was asked */
    }
    if (BROOD_WIN("TerminateProcess", ERROR_ACCESS_DENIED, FALSE,
                  TerminateProcess(handle, status))) {
        return 0;
    }
    code = GetLastError();
    /* "Access denied" is also the answer for one that has ended or just does. */
    if (code == ERROR_ACCESS_DENIED && GetExitCodeProcess(handle, &ended_with) &&
        ended_with != STILL_ACTIVE) {
        return 0;
    }
    return brood_win32_error(code, "end process %lld", (long long)process->pid);
}

void brood_os_process_close(brood_os_process *process)
{
    brood_win32_report_free(process->report);
    process->report = NULL;
    brood_os_handle_close(process->sentinel);
    process->sentinel = BROOD_NO_HANDLE;
}

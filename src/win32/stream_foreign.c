/* Handles that the program opened itself and wants messages over. */
#include "win32.h"

#include <winternl.h>

#define FILE_MODE_INFORMATION_CLASS ((FILE_INFORMATION_CLASS)16)
#define SYNCHRONOUS_MODES 0x30u /* FILE_SYNCHRONOUS_IO_ALERT and _NONALERT */

/* Handles without FILE_FLAG_OVERLAPPED do one thing at a time: a thread that reads would hold up one
 * that writes, and neither could be given a time limit. */
static int check_overlapped(HANDLE handle)
{
    IO_STATUS_BLOCK status;
    ULONG mode = 0;

    if (NtQueryInformationFile(handle, &status, &mode, sizeof mode, FILE_MODE_INFORMATION_CLASS) <
        0) {
        return brood_fail(BROOD_ENOTSUP, "how handle 0x%llx was opened cannot be found out",
                          (unsigned long long)(uintptr_t)handle);
    }
    if ((mode & SYNCHRONOUS_MODES) != 0) {
        return brood_fail(BROOD_ENOTSUP,
                          "handle 0x%llx was opened without FILE_FLAG_OVERLAPPED: waiting for it "
                          "could not end",
                          (unsigned long long)(uintptr_t)handle);
    }
    return 0;
}

static int check_direction(HANDLE handle, bool readable, bool writable)
{
    PUBLIC_OBJECT_BASIC_INFORMATION facts;

    if (NtQueryObject(handle, ObjectBasicInformation, &facts, sizeof facts, NULL) < 0) {
        return 0; /* then the first call tells */
    }
    if (readable && (facts.GrantedAccess & FILE_READ_DATA) == 0) {
        return brood_fail(BROOD_EINVAL, "handle 0x%llx cannot be read from",
                          (unsigned long long)(uintptr_t)handle);
    }
    if (writable && (facts.GrantedAccess & FILE_WRITE_DATA) == 0) {
        return brood_fail(BROOD_EINVAL, "handle 0x%llx cannot be written to",
                          (unsigned long long)(uintptr_t)handle);
    }
    return 0;
}

/* An end that only sends may not tell more about itself than that it is a pipe, or a socket. */
static int check_kind(HANDLE handle)
{
    DWORD flags = 0;

    if (BROOD_WIN("GetNamedPipeInfo", ERROR_INVALID_FUNCTION, FALSE,
                  GetNamedPipeInfo(handle, &flags, NULL, NULL, NULL)) ||
        (GetLastError() == ERROR_ACCESS_DENIED && GetFileType(handle) == FILE_TYPE_PIPE)) {
        return 0;
    }
    return brood_fail(BROOD_EINVAL, "handle 0x%llx is no pipe",
                      (unsigned long long)(uintptr_t)handle);
}

int brood_os_stream_check(brood_os_handle handle, bool readable, bool writable)
{
    const HANDLE native = brood_win32_handle(handle);
    int rc = brood_os_handle_check(handle);

    if (rc == 0) {
        rc = check_kind(native);
    }
    if (rc == 0) {
        rc = check_direction(native, readable, writable);
    }
    return rc ? rc : check_overlapped(native);
}

void brood_os_stream_settle(brood_os_handle handle)
{
    (void)SetHandleInformation(brood_win32_handle(handle), HANDLE_FLAG_INHERIT, 0);
}

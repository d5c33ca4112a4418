#include "win32.h"

#include <bcrypt.h>

void brood_win32_close(HANDLE handle)
{
    const DWORD kept = GetLastError();

    if (brood_win32_valid(handle)) {
        (void)CloseHandle(handle);
    }
    SetLastError(kept);
}

int brood_os_handle_check(brood_os_handle handle)
{
    DWORD flags = 0;

    /* The system would take some negative numbers for this process or this thread. */
    if (handle <= 0 || !BROOD_WIN("GetHandleInformation", ERROR_INVALID_HANDLE, FALSE,
                                  GetHandleInformation(brood_win32_handle(handle), &flags))) {
        return brood_fail(BROOD_EINVAL, "handle 0x%llx is not open",
                          (unsigned long long)(uintptr_t)handle);
    }
    return 0;
}

int brood_win32_event(HANDLE *out)
{
    const HANDLE event = BROOD_WIN("CreateEventW", ERROR_NO_SYSTEM_RESOURCES, NULL,
                                   CreateEventW(NULL, TRUE, FALSE, NULL));

    if (event == NULL) {
        return brood_win32_error(GetLastError(), "make an event");
    }
    *out = event;
    return 0;
}

int brood_os_handle_duplicate(brood_os_handle *out, brood_os_handle handle)
{
    const HANDLE source = brood_win32_handle(handle);
    const HANDLE self = GetCurrentProcess();
    HANDLE copy = NULL;

    /* The system would take -1 for this process and duplicate that. */
    if (!brood_win32_valid(source)) {
        return brood_fail(BROOD_EINVAL, "duplicate a handle: there is none");
    }
    if (!BROOD_WIN("DuplicateHandle", ERROR_NOT_ENOUGH_MEMORY, FALSE,
                   DuplicateHandle(self, source, self, &copy, 0, FALSE, DUPLICATE_SAME_ACCESS))) {
        return brood_win32_error(GetLastError(), "duplicate handle 0x%llx",
                                 (unsigned long long)(uintptr_t)source);
    }
    *out = (brood_os_handle)copy;
    return 0;
}

void brood_os_handle_close(brood_os_handle handle)
{
    brood_win32_close(brood_win32_handle(handle));
}

int brood_win32_random(void *data, size_t size)
{
    const NTSTATUS status =
        BROOD_FAULT("BCryptGenRandom", (NTSTATUS)0xC0000001L,
                    BCryptGenRandom(NULL, data, (ULONG)size, BCRYPT_USE_SYSTEM_PREFERRED_RNG));

    if (status < 0) {
        return brood_fail_system(BROOD_ESYSTEM, (int64_t)(uint32_t)status,
                                 "make random bytes: status 0x%08lx", (unsigned long)status);
    }
    return 0;
}

int64_t brood_os_pid(void)
{
    return (int64_t)GetCurrentProcessId();
}

/* A console shows bytes in a code page of its own, but wide characters rightly. */
static bool write_console(HANDLE console, const char *text, size_t size)
{
    wchar_t wide[1024];
    DWORD mode;
    DWORD written;
    int length;

    if (!GetConsoleMode(console, &mode) || size > sizeof wide / sizeof wide[0]) {
        return false;
    }
    length =
        MultiByteToWideChar(CP_UTF8, 0, text, (int)size, wide, (int)(sizeof wide / sizeof wide[0]));
    return length > 0 && WriteConsoleW(console, wide, (DWORD)length, &written, NULL);
}

void brood_os_write_error(const char *text, size_t size)
{
    const HANDLE out = GetStdHandle(STD_ERROR_HANDLE);

    if (!brood_win32_valid(out) || write_console(out, text, size)) {
        return;
    }
    while (size > 0) {
        const DWORD part = size < 65536 ? (DWORD)size : 65536;
        DWORD written = 0;

        if (!WriteFile(out, text, part, &written, NULL) || written == 0) {
            return;
        }
        text += written;
        size -= written;
    }
}

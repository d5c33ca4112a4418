/* Files that are written, and the terminal. */
#include "win32.h"

#include <stdlib.h>

bool brood_os_error_is_terminal(void)
{
    DWORD mode;

    return GetConsoleMode(GetStdHandle(STD_ERROR_HANDLE), &mode) != 0;
}

void brood_os_ignore_interrupts(void)
{
    (void)SetConsoleCtrlHandler(NULL, TRUE);
}

int brood_os_file_create(brood_os_handle *out, const char *path)
{
    wchar_t *wide = NULL;
    HANDLE file;
    int rc = brood_win32_wide(&wide, path);

    if (rc) {
        return rc;
    }
    file = BROOD_WIN("CreateFileW", ERROR_ACCESS_DENIED, INVALID_HANDLE_VALUE,
                     CreateFileW(wide, GENERIC_WRITE, FILE_SHARE_READ, NULL, CREATE_ALWAYS,
                                 FILE_ATTRIBUTE_NORMAL, NULL));
    if (file == INVALID_HANDLE_VALUE) {
        rc = brood_win32_error(GetLastError(), "create the file %s", path);
    } else {
        *out = (brood_os_handle)file;
    }
    free(wide);
    return rc;
}

int brood_os_file_write(brood_os_handle file, const void *data, size_t size)
{
    const char *at = data;

    while (size > 0) {
        const DWORD part = size < (1u << 30) ? (DWORD)size : 1u << 30;
        DWORD written = 0;
        if (!BROOD_WIN("WriteFile", ERROR_DISK_FULL, FALSE,
                       WriteFile(brood_win32_handle(file), at, part, &written, NULL))) {
            return brood_win32_error(GetLastError(), "write to a file");
        }
        at += written;
        size -= written;
    }
    return 0;
}

#include "win32.h"

#include <stdio.h>

static int translate(DWORD code)
{
    switch (code) {
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
    case ERROR_NO_SYSTEM_RESOURCES:
    case ERROR_NONPAGED_SYSTEM_RESOURCES:
    case ERROR_PAGED_SYSTEM_RESOURCES:
    case ERROR_COMMITMENT_LIMIT:
    case ERROR_COMMITMENT_MINIMUM:
    case ERROR_WORKING_SET_QUOTA:
    case ERROR_PAGEFILE_QUOTA:
    case ERROR_NOT_ENOUGH_QUOTA:
    case ERROR_HANDLE_DISK_FULL:
    case ERROR_DISK_FULL:
        return BROOD_ENOMEM;
    case ERROR_ACCESS_DENIED:
    case ERROR_NETWORK_ACCESS_DENIED:
    case ERROR_PRIVILEGE_NOT_HELD:
        return BROOD_EACCES;
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
    case ERROR_BAD_PATHNAME:
    case ERROR_MOD_NOT_FOUND:
        return BROOD_ENOENT;
    case ERROR_FILE_EXISTS:
    case ERROR_ALREADY_EXISTS:
        return BROOD_EEXIST;
    default:
        return BROOD_ESYSTEM;
    }
}

/* Puts the system's words for `code` into `out`: UTF-8, one line, no full stop. */
static void describe(char *out, int size, DWORD code)
{
    wchar_t words[256];
    DWORD length =
        FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS |
                           FORMAT_MESSAGE_MAX_WIDTH_MASK, /* line ends become spaces */
                       NULL, code, 0, words, (DWORD)(sizeof words / sizeof words[0]), NULL);
    int bytes;

    while (length > 0 && (words[length - 1] <= L' ' || words[length - 1] == L'.')) {
        length--;
    }
    bytes = length == 0
                ? 0
                : WideCharToMultiByte(CP_UTF8, 0, words, (int)length, out, size - 1, NULL, NULL);
    if (bytes > 0) {
        out[bytes] = 0;
    } else {
        (void)snprintf(out, (size_t)size, "system error %lu", (unsigned long)code);
    }
}

int brood_win32_error(DWORD code, const char *format, ...)
{
    char what[BROOD_WORDS_SIZE];
    char why[256];
    va_list list;

    va_start(list, format);
    (void)vsnprintf(what, sizeof what, format, list);
    va_end(list);
    describe(why, (int)sizeof why, code);
    return brood_fail_system(translate(code), (int64_t)code, "%s: %s", what, why);
}

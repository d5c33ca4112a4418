#include "win32.h"

#include <stdlib.h>

/* Absolute, as the system sees it now. */
static int make_absolute(wchar_t **out, const wchar_t *path)
{
    const DWORD room = GetFullPathNameW(path, 0, NULL, NULL);
    wchar_t *full;

    if (room == 0) {
        return brood_win32_error(GetLastError(), "find an executable");
    }
    full = BROOD_ALLOC(malloc((size_t)room * sizeof *full));
    if (full == NULL) {
        return brood_fail_nomem("the path of an executable");
    }
    if (GetFullPathNameW(path, room, full, NULL) == 0) {
        const int rc = brood_win32_error(GetLastError(), "find an executable");
        free(full);
        return rc;
    }
    *out = full;
    return 0;
}

static int check_file(const wchar_t *path, const char *words)
{
    const DWORD attributes = BROOD_WIN("GetFileAttributesW", ERROR_ACCESS_DENIED,
                                       INVALID_FILE_ATTRIBUTES, GetFileAttributesW(path));

    if (attributes == INVALID_FILE_ATTRIBUTES) {
        return brood_win32_error(GetLastError(), "find the executable %.200s", words);
    }
    if (attributes & FILE_ATTRIBUTE_DIRECTORY) {
        return brood_fail(BROOD_EINVAL, "the executable %.200s is no file", words);
    }
    return 0;
}

int brood_os_executable_find(char **out, const char *path)
{
    wchar_t *wide = NULL;
    wchar_t *full = NULL;
    int rc = brood_win32_wide(&wide, path);

    if (rc == 0) {
        rc = make_absolute(&full, wide);
    }
    if (rc == 0) {
        rc = check_file(full, path);
    }
    if (rc == 0) {
        rc = brood_win32_utf8(out, full);
    }
    free(full);
    free(wide);
    return rc;
}

/* Handlers of a DLL run when all threads were ended: a child that waits for one of them would be
 * waited for in vain. Without a handler children end with this process, by their job. */
void brood_os_at_exit(void (*handler)(void))
{
    static const char here = 0;
    brood_os_module module;

    if (brood_os_module_of(&module, &here) == 0 && module.is_main) {
        (void)atexit(handler);
    }
}

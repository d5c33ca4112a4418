#include "win32.h"

#include <stdlib.h>

/* Texts between UTF-8, which the library speaks, and the system's UTF-16. */

int brood_win32_wide(wchar_t **out, const char *text)
{
    const int length = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
    wchar_t *wide;

    if (length <= 0) {
        return brood_fail(BROOD_EINVAL, "the name is not UTF-8");
    }
    wide = BROOD_ALLOC(malloc((size_t)length * sizeof *wide));
    if (wide == NULL) {
        return brood_fail_nomem("a name");
    }
    (void)MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, wide, length);
    *out = wide;
    return 0;
}

int brood_win32_utf8(char **out, const wchar_t *text)
{
    const int size =
        WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, text, -1, NULL, 0, NULL, NULL);
    char *copy;

    if (size <= 0) {
        return brood_fail(BROOD_EMODULE, "the name of a file has no form in UTF-8");
    }
    copy = BROOD_ALLOC(malloc((size_t)size));
    if (copy == NULL) {
        return brood_fail_nomem("a name");
    }
    (void)WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, text, -1, copy, size, NULL, NULL);
    *out = copy;
    return 0;
}

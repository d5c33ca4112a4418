#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <shellapi.h>
#include <stdlib.h>

static char *narrow(const wchar_t *text)
{
    int size = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
    char *out = size > 0 ? malloc((size_t)size) : NULL;
    if (out != NULL) {
        (void)WideCharToMultiByte(CP_UTF8, 0, text, -1, out, size, NULL, NULL);
    }
    return out;
}

static wchar_t *widen(const char *text)
{
    int count = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
    wchar_t *out = NULL;
    if (count <= 0) {
        errno = EINVAL;
        return NULL;
    }
    out = malloc((size_t)count * sizeof *out);
    if (out != NULL) {
        (void)MultiByteToWideChar(CP_UTF8, 0, text, -1, out, count);
    }
    return out;
}

char **example_arguments(int argc, char **argv)
{
    /* main's arguments went through the code page, which does not have every letter. */
    wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), &argc);
    (void)argv;
    if (wide == NULL) {
        return NULL;
    }
    char **out = calloc((size_t)argc + 1, sizeof *out);
    for (int i = 0; out != NULL && i < argc; i++) {
        out[i] = narrow(wide[i]);
        if (out[i] == NULL) {
            return NULL; /* the program ends now */
        }
    }
    (void)LocalFree(wide);
    return out;
}

bool example_is_terminal(FILE *stream)
{
    return _isatty(_fileno(stream)) != 0;
}

FILE *example_open(const char *name)
{
    wchar_t *wide = widen(name);
    FILE *file = NULL;
    if (wide == NULL) {
        return NULL;
    }
    DWORD attributes = GetFileAttributesW(wide);
    if (attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0) {
        errno = EISDIR; /* the C library would say "permission denied" */
    } else {
        file = _wfopen(wide, L"rb");
    }
    free(wide);
    if (file != NULL) {
        (void)setvbuf(file, NULL, _IONBF, 0);
    }
    return file;
}

int64_t example_file_size(const char *name)
{
    wchar_t *wide = widen(name);
    WIN32_FILE_ATTRIBUTE_DATA data;
    if (wide == NULL) {
        return 0;
    }
    BOOL found = GetFileAttributesExW(wide, GetFileExInfoStandard, &data);
    free(wide);
    if (!found || (data.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0) {
        return 0;
    }
    return (int64_t)(((uint64_t)data.nFileSizeHigh << 32) | data.nFileSizeLow);
}

void example_binary(FILE *stream)
{
    (void)_setmode(_fileno(stream), _O_BINARY);
}

#include "win32.h"

#include <stdlib.h>
#include <string.h>

#include "pe.h"

/* A DLL's file before it is loaded: mapped as the loader would, and nothing of it runs. */

#define PREFIX L"\\\\?\\" /* without it the system takes no long path */
#define PREFIX_LENGTH 4

static bool is_letter(wchar_t c)
{
    return (c >= L'A' && c <= L'Z') || (c >= L'a' && c <= L'z');
}

/* On a drive, or of another machine: a path that says all itself. */
static bool is_drive(const wchar_t *path)
{
    return is_letter(path[0]) && path[1] == L':' && path[2] == L'\\';
}

static int system_path(wchar_t **out, const char *path)
{
    wchar_t *wide = NULL;
    wchar_t *grown;
    size_t length;
    int rc = brood_win32_wide(&wide, path);

    if (rc) {
        return rc;
    }
    length = wcslen(wide);
    if (!is_drive(wide) && wcsncmp(wide, L"\\\\", 2) != 0) {
        free(wide);
        return brood_fail(BROOD_EMODULE, "its path is not absolute");
    }
    if (length >= MAX_PATH && is_drive(wide)) {
        grown = BROOD_ALLOC(realloc(wide, (length + PREFIX_LENGTH + 1) * sizeof *wide));
        if (grown == NULL) {
            free(wide);
            return brood_fail_nomem("a library's path");
        }
        wide = grown;
        memmove(wide + PREFIX_LENGTH, wide, (length + 1) * sizeof *wide);
        memcpy(wide, PREFIX, PREFIX_LENGTH * sizeof *wide);
    }
    *out = wide;
    return 0;
}

/* Nobody may write, rename or remove it while we look: what is checked is what is loaded. */
static int open_file(HANDLE *out, const wchar_t *path)
{
    const HANDLE file =
        BROOD_WIN("CreateFileW", ERROR_SHARING_VIOLATION, INVALID_HANDLE_VALUE,
                  CreateFileW(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL));

    if (file == INVALID_HANDLE_VALUE) {
        return brood_win32_error(GetLastError(), "open it");
    }
    *out = file;
    return 0;
}

static int map_file(void **out, HANDLE file)
{
    const HANDLE section =
        BROOD_WIN("CreateFileMappingW", ERROR_NO_SYSTEM_RESOURCES, NULL,
                  CreateFileMappingW(file, NULL, PAGE_READONLY | SEC_IMAGE, 0, 0, NULL));
    void *view = NULL;
    int rc = 0;

    if (section == NULL) {
        return brood_win32_error(GetLastError(), "read it");
    }
    view = BROOD_WIN("MapViewOfFile", ERROR_NOT_ENOUGH_MEMORY, NULL,
                     MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0));
    if (view == NULL) {
        rc = brood_win32_error(GetLastError(), "map it");
    }
    brood_win32_close(section);
    if (rc == 0) {
        *out = view;
    }
    return rc;
}

static bool is_ours(const void *view)
{
    const IMAGE_NT_HEADERS *ours = brood_win32_pe_headers(GetModuleHandleW(NULL));
    const IMAGE_NT_HEADERS *theirs = brood_win32_pe_headers(view);

    return theirs->FileHeader.Machine == ours->FileHeader.Machine &&
           (theirs->FileHeader.Characteristics & IMAGE_FILE_DLL) != 0;
}

int brood_os_image_open(brood_os_image *out, const char *path)
{
    wchar_t *wide = NULL;
    HANDLE file = INVALID_HANDLE_VALUE;
    void *view = NULL;
    int rc = system_path(&wide, path);

    if (rc) {
        return rc;
    }
    rc = open_file(&file, wide);
    if (rc == 0) {
        rc = map_file(&view, file);
    }
    if (rc == 0 && !is_ours(view)) {
        rc = brood_fail(BROOD_EMODULE, "it is no library of this system");
    }
    free(wide);
    if (rc) {
        if (view != NULL) {
            (void)UnmapViewOfFile(view);
        }
        brood_win32_close(file);
        return rc;
    }
    brood_win32_pe_identity(out->identity, &out->identity_size, view);
    out->file = (brood_os_handle)file;
    out->map = view;
    return 0;
}

int brood_os_image_code(const brood_os_image *image, brood_os_visit visit, void *user)
{
    return brood_win32_pe_code(image->map, brood_win32_handle(image->file), visit, user);
}

/* What it needs is looked for beside it, beside the program and in the system's folder, never in
 * the current folder or along PATH, where anybody may have put something. */
int brood_os_image_load(const brood_os_image *image, const char *path)
{
    const DWORD flags = LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_DEFAULT_DIRS;
    wchar_t *wide = NULL;
    int rc = system_path(&wide, path);

    (void)image;
    if (rc) {
        return rc;
    }
    if (BROOD_WIN("LoadLibraryExW", ERROR_NOT_ENOUGH_MEMORY, NULL,
                  LoadLibraryExW(wide, NULL, flags)) == NULL) {
        rc = brood_win32_error(GetLastError(), "load it");
    }
    free(wide);
    return rc;
}

void brood_os_image_close(brood_os_image *image)
{
    (void)UnmapViewOfFile(image->map);
    image->map = NULL;
    brood_win32_close(brood_win32_handle(image->file));
    image->file = BROOD_NO_HANDLE;
}

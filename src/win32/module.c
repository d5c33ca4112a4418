#include "win32.h"

#include <psapi.h>
#include <stdlib.h>
#include <string.h>

#include "pe.h"

/* Modules of the process, from the headers that the loader left at their beginning. */

static void fill_module(brood_os_module *out, HMODULE module)
{
    memset(out, 0, sizeof *out);
    out->base = (const unsigned char *)module;
    out->size = brood_win32_pe_headers(out->base)->OptionalHeader.SizeOfImage;
    out->is_main = module == GetModuleHandleW(NULL);
    brood_win32_pe_identity(out->identity, &out->identity_size, out->base);
}

int brood_os_module_main(brood_os_module *out)
{
    fill_module(out, GetModuleHandleW(NULL));
    return 0;
}

int brood_os_module_of(brood_os_module *out, const void *address)
{
    HMODULE module = NULL;

    if (!BROOD_WIN("GetModuleHandleExW", ERROR_MOD_NOT_FOUND, FALSE,
                   GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                                          GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                                      (LPCWSTR)address, &module))) {
        return brood_fail_system(BROOD_EMODULE, (int64_t)GetLastError(),
                                 "the function at %p is in no program or library: only code that "
                                 "was loaded from a file travels",
                                 address);
    }
    fill_module(out, module);
    return 0;
}

/* The library's own DLL must stay: children and exit handlers may need it after a FreeLibrary. */
static int stay_loaded(void)
{
    static const char here = 0;
    HMODULE module = NULL;

    if (!BROOD_WIN("GetModuleHandleExW", ERROR_MOD_NOT_FOUND, FALSE,
                   GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                                          GET_MODULE_HANDLE_EX_FLAG_PIN,
                                      (LPCWSTR)&here, &module))) {
        return brood_win32_error(GetLastError(), "keep the library loaded");
    }
    return 0;
}

int brood_os_setup(const brood_os_fork_hooks *hooks)
{
    (void)hooks; /* nobody forks here */
    return stay_loaded();
}

/* ---- all modules ---- */

static int list_handles(HMODULE **out, size_t *count)
{
    HMODULE *handles = NULL;
    DWORD room = 64 * sizeof *handles;
    DWORD size = 0;

    for (;;) {
        HMODULE *grown = BROOD_ALLOC(realloc(handles, room));
        if (grown == NULL) {
            free(handles);
            return brood_fail_nomem("the list of modules");
        }
        handles = grown;
        if (!BROOD_WIN("EnumProcessModules", ERROR_NOT_ENOUGH_MEMORY, FALSE,
                       K32EnumProcessModules(GetCurrentProcess(), handles, room, &size))) {
            const int rc = brood_win32_error(GetLastError(), "list this process's modules");
            free(handles);
            return rc;
        }
        if (size <= room) {
            *out = handles;
            *count = size / sizeof *handles;
            return 0;
        }
        room = size + 16 * (DWORD)sizeof *handles; /* some may come meanwhile */
    }
}

int brood_os_module_list(brood_os_module **out, size_t *count)
{
    HMODULE *handles = NULL;
    size_t listed = 0;
    size_t n = 0;
    size_t i;
    brood_os_module *modules;
    int rc = list_handles(&handles, &listed);

    if (rc) {
        return rc;
    }
    modules = BROOD_ALLOC(malloc((listed + 1) * sizeof *modules));
    if (modules == NULL) {
        free(handles);
        return brood_fail_nomem("the list of modules");
    }
    for (i = 0; i < listed; i++) {
        HMODULE module = NULL;
        /* Held while it is read: another thread may just be unloading it. */
        if (GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, (LPCWSTR)handles[i],
                               &module)) {
            fill_module(&modules[n++], module);
            (void)FreeLibrary(module);
        }
    }
    free(handles);
    *out = modules;
    *count = n;
    return 0;
}

/* ---- changes ---- */

typedef void(CALLBACK *dll_notification)(ULONG reason, const void *data, void *context);
typedef LONG(NTAPI *register_notification)(ULONG flags, dll_notification callback, void *context,
                                           void **cookie);

static volatile LONG changes;
static bool changes_told;
static INIT_ONCE changes_once = INIT_ONCE_STATIC_INIT;

static void CALLBACK count_change(ULONG reason, const void *data, void *context)
{
    (void)reason;
    (void)data;
    (void)context;
    (void)InterlockedIncrement(&changes);
}

/* Our code has to stay where it is called from. */
static BOOL CALLBACK watch_changes(INIT_ONCE *once, void *parameter, void **context)
{
    const FARPROC found =
        GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "LdrRegisterDllNotification");
    register_notification registers = NULL;
    void *cookie = NULL;

    (void)once;
    (void)parameter;
    (void)context;
    if (found != NULL && stay_loaded() == 0) {
        memcpy(&registers, &found, sizeof registers);
        changes_told = registers(0, count_change, NULL, &cookie) == 0;
    }
    return TRUE;
}

uint64_t brood_os_module_changes(void)
{
    (void)InitOnceExecuteOnce(&changes_once, watch_changes, NULL, NULL);
    if (!changes_told) {
        return (uint64_t)InterlockedIncrement(&changes); /* take it that there were */
    }
    return (uint64_t)InterlockedCompareExchange(&changes, 0, 0);
}

/* ---- one module ---- */

bool brood_os_module_executable(const brood_os_module *module, uint64_t offset)
{
    const IMAGE_NT_HEADERS *headers = brood_win32_pe_headers(module->base);
    const IMAGE_SECTION_HEADER *section = IMAGE_FIRST_SECTION(headers);
    WORD i;

    for (i = 0; i < headers->FileHeader.NumberOfSections; i++, section++) {
        if (offset >= section->VirtualAddress &&
            offset - section->VirtualAddress < section->Misc.VirtualSize) {
            return (section->Characteristics & IMAGE_SCN_MEM_EXECUTE) != 0;
        }
    }
    return false;
}

int brood_win32_module_path(wchar_t **out, HMODULE module)
{
    wchar_t *path = NULL;
    DWORD room = 128;

    for (;;) {
        wchar_t *grown = BROOD_ALLOC(realloc(path, room * sizeof *path));
        DWORD length;

        if (grown == NULL) {
            free(path);
            return brood_fail_nomem("the path of a program");
        }
        path = grown;
        length = BROOD_WIN("GetModuleFileNameW", ERROR_NOT_ENOUGH_MEMORY, 0u,
                           GetModuleFileNameW(module, path, room));
        if (length == 0) {
            const int rc = brood_win32_error(GetLastError(), "find the file of a module");
            free(path);
            return rc;
        }
        if (length < room) {
            *out = path;
            return 0;
        }
        room *= 2; /* it was cut */
    }
}

int brood_os_module_path(char **out, const brood_os_module *module)
{
    wchar_t *path = NULL;
    int rc = brood_win32_module_path(&path, (HMODULE)(uintptr_t)module->base);

    if (rc == 0) {
        rc = brood_win32_utf8(out, path);
        free(path);
    }
    return rc;
}

int brood_os_module_code(const brood_os_module *module, brood_os_visit visit, void *user)
{
    HANDLE file = INVALID_HANDLE_VALUE;
    wchar_t *path = NULL;
    int rc = brood_win32_module_path(&path, (HMODULE)(uintptr_t)module->base);

    if (rc) {
        return rc;
    }
    file = BROOD_WIN("CreateFileW", ERROR_SHARING_VIOLATION, INVALID_HANDLE_VALUE,
                     CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL,
                                 OPEN_EXISTING, 0, NULL));
    if (file == INVALID_HANDLE_VALUE) {
        rc = brood_win32_error(GetLastError(), "open the file of a module");
    } else {
        rc = brood_win32_pe_code(module->base, file, visit, user);
    }
    brood_win32_close(file);
    free(path);
    return rc;
}

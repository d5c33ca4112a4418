#include "win32.h"

#include <stdlib.h>
#include <string.h>

/* Modules are read by the headers that the loader left at their beginning. */

#define CODEVIEW_SIZE 20 /* of the id: a GUID and an age */
#define PIECE_SIZE 65536

static const IMAGE_NT_HEADERS *headers_of(const unsigned char *base)
{
    const IMAGE_DOS_HEADER *dos = (const IMAGE_DOS_HEADER *)base;

    return (const IMAGE_NT_HEADERS *)(base + dos->e_lfanew);
}

static void fill_module(brood_os_module *out, HMODULE module)
{
    out->base = (const unsigned char *)module;
    out->size = headers_of(out->base)->OptionalHeader.SizeOfImage;
    out->is_main = module == GetModuleHandleW(NULL);
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
                                 "no module of this program is at address %p", address);
    }
    fill_module(out, module);
    return 0;
}

/* The library's own DLL must stay: children and exit handlers may need it after a FreeLibrary. */
int brood_os_setup(void)
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

bool brood_os_module_executable(const brood_os_module *module, uint64_t offset)
{
    const IMAGE_NT_HEADERS *headers = headers_of(module->base);
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

/* Copies `size` bytes that the headers say are at `rva`; false if they lie outside. */
static bool copy_image(const brood_os_module *module, void *out, uint64_t rva, size_t size)
{
    if (rva == 0 || rva > module->size || size > module->size - rva) {
        return false;
    }
    memcpy(out, module->base + rva, size);
    return true;
}

int brood_os_module_identity(const brood_os_module *module,
                             unsigned char identity[BROOD_OS_IDENTITY_MAX], size_t *size)
{
    const IMAGE_DATA_DIRECTORY *directory =
        &headers_of(module->base)->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_DEBUG];
    IMAGE_DEBUG_DIRECTORY entry;
    unsigned char codeview[4 + CODEVIEW_SIZE];
    uint64_t at;

    *size = 0;
    for (at = 0; at + sizeof entry <= directory->Size; at += sizeof entry) {
        if (copy_image(module, &entry, directory->VirtualAddress + at, sizeof entry) &&
            entry.Type == IMAGE_DEBUG_TYPE_CODEVIEW && entry.SizeOfData >= sizeof codeview &&
            copy_image(module, codeview, entry.AddressOfRawData, sizeof codeview) &&
            memcmp(codeview, "RSDS", 4) == 0) {
            memcpy(identity, codeview + 4, CODEVIEW_SIZE);
            *size = CODEVIEW_SIZE;
            break;
        }
    }
    return 0;
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
            const int rc = brood_win32_error(GetLastError(), "find this program's executable");
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

/* Shows `left` bytes of the file from `offset` on. */
static int show_file(HANDLE file, uint64_t offset, uint64_t left, unsigned char *piece,
                     void (*visit)(void *user, const void *data, size_t size), void *user)
{
    while (left > 0) {
        const DWORD wanted = left < PIECE_SIZE ? (DWORD)left : PIECE_SIZE;
        OVERLAPPED place;
        DWORD got = 0;

        memset(&place, 0, sizeof place);
        place.Offset = (DWORD)offset;
        place.OffsetHigh = (DWORD)(offset >> 32);
        if (!BROOD_WIN("ReadFile", ERROR_NO_SYSTEM_RESOURCES, FALSE,
                       ReadFile(file, piece, wanted, &got, &place)) ||
            got == 0) {
            return brood_win32_error(GetLastError(), "read this program's executable");
        }
        visit(user, piece, got);
        offset += got;
        left -= got;
    }
    return 0;
}

/* The headers as loaded tell the build: should another file have taken this one's place, its
 * sections' bytes come under headers that do not fit. */
static int show_sections(const brood_os_module *module, HANDLE file,
                         void (*visit)(void *user, const void *data, size_t size), void *user)
{
    const IMAGE_NT_HEADERS *headers = headers_of(module->base);
    const IMAGE_SECTION_HEADER *section = IMAGE_FIRST_SECTION(headers);
    unsigned char *piece = BROOD_ALLOC(malloc(PIECE_SIZE));
    int rc = 0;
    WORD i;

    if (piece == NULL) {
        return brood_fail_nomem("reading a program's code");
    }
    visit(user, &headers->FileHeader.TimeDateStamp, sizeof headers->FileHeader.TimeDateStamp);
    visit(user, &headers->OptionalHeader.SizeOfImage, sizeof headers->OptionalHeader.SizeOfImage);
    for (i = 0; i < headers->FileHeader.NumberOfSections && rc == 0; i++, section++) {
        if (section->Characteristics & IMAGE_SCN_MEM_EXECUTE) {
            visit(user, section, sizeof *section);
            rc = show_file(file, section->PointerToRawData, section->SizeOfRawData, piece, visit,
                           user);
        }
    }
    free(piece);
    return rc;
}

/* From the file: in memory the loader has moved addresses, differently in each process. */
int brood_os_module_code(const brood_os_module *module,
                         void (*visit)(void *user, const void *data, size_t size), void *user)
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
        rc = brood_win32_error(GetLastError(), "open this program's executable");
        goto done;
    }
    rc = show_sections(module, file, visit, user);

done:
    brood_win32_close(file);
    free(path);
    return rc;
}

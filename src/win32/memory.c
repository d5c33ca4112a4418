#include "win32.h"

/* Sections that the pagefile backs. Their memory is committed when they are made, so writing to
 * them cannot fail later. */

int brood_os_section_create(brood_os_section *out, size_t size)
{
    const uint64_t bytes = size;
    int rc = 0;
    void *data;
    DWORD code;
    HANDLE section;

    if (size > SIZE_MAX / 2) { /* rounding it up must not make it small */
        return brood_fail_nomem("shared memory");
    }
    section = BROOD_WIN("CreateFileMappingW", ERROR_COMMITMENT_LIMIT, NULL,
                        CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE,
                                           (DWORD)(bytes >> 32), (DWORD)bytes, NULL));
    if (section == NULL) {
        /* Only the size can be what is wrong with these arguments. */
        code = GetLastError() == ERROR_INVALID_PARAMETER ? ERROR_NOT_ENOUGH_MEMORY : GetLastError();
        return brood_win32_error(code, "reserve %zu bytes of shared memory", size);
    }
    data = BROOD_WIN("MapViewOfFile", ERROR_NOT_ENOUGH_MEMORY, NULL,
                     MapViewOfFile(section, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, size));
    if (data == NULL) {
        rc = brood_win32_error(GetLastError(), "map %zu bytes of shared memory", size);
        goto done;
    }
    out->handle = (brood_os_handle)section;
    out->data = data;
    out->size = size;
    section = NULL;

done:
    brood_win32_close(section);
    return rc;
}

int brood_os_section_create_sparse(brood_os_section *out, size_t size, size_t reserved)
{
    const uint64_t bytes = size;
    brood_os_section section = {BROOD_NO_HANDLE, NULL, size};
    HANDLE handle;
    int rc;

    if (size > SIZE_MAX / 2) {
        return brood_fail_nomem("shared memory");
    }
    handle = BROOD_WIN("CreateFileMappingW", ERROR_COMMITMENT_LIMIT, NULL,
                       CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE | SEC_RESERVE,
                                          (DWORD)(bytes >> 32), (DWORD)bytes, NULL));
    if (handle == NULL) {
        return brood_win32_error(GetLastError(), "make %zu bytes of shared memory", size);
    }
    section.handle = (brood_os_handle)handle;
    section.data = BROOD_WIN("MapViewOfFile", ERROR_NOT_ENOUGH_MEMORY, NULL,
                             MapViewOfFile(handle, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, size));
    rc = section.data != NULL
             ? brood_os_section_reserve(&section, 0, reserved)
             : brood_win32_error(GetLastError(), "map %zu bytes of shared memory", size);
    if (rc) {
        brood_os_section_close(&section);
        return rc;
    }
    *out = section;
    return 0;
}

int brood_os_section_open(brood_os_section *out, brood_os_handle handle)
{
    MEMORY_BASIC_INFORMATION facts;
    const HANDLE section = brood_win32_handle(handle);
    char *data = NULL;
    size_t size = 0;

    if (brood_win32_valid(section)) {
        data = BROOD_WIN("MapViewOfFile", ERROR_NOT_ENOUGH_MEMORY, NULL,
                         MapViewOfFile(section, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, 0));
    }
    if (data == NULL) {
        return brood_fail_system(BROOD_EINVAL, GetLastError(), "handle %llx is not shared memory",
                                 (unsigned long long)handle);
    }
    /* Reserved and committed parts are regions of their own. */
    while (VirtualQuery(data + size, &facts, sizeof facts) != 0 && facts.AllocationBase == data) {
        size += facts.RegionSize;
    }
    *out = (brood_os_section){handle, data, size};
    return 0;
}

int brood_os_section_reserve(const brood_os_section *section, size_t offset, size_t size)
{
    /* Committed in one view is committed in all. */
    if (size > 0 && BROOD_WIN("VirtualAlloc", ERROR_COMMITMENT_LIMIT, NULL,
                              VirtualAlloc((char *)section->data + offset, size, MEM_COMMIT,
                                           PAGE_READWRITE)) == NULL) {
        return brood_win32_error(GetLastError(), "reserve %zu bytes of shared memory", size);
    }
    return 0;
}

void brood_os_section_discard(const brood_os_section *section, size_t offset, size_t size)
{
    /* The commitment stays; the contents need not be kept in memory or written anywhere. */
    (void)VirtualAlloc((char *)section->data + offset, size, MEM_RESET, PAGE_READWRITE);
}

int brood_os_section_seal(brood_os_section *section)
{
    const HANDLE self = GetCurrentProcess();
    HANDLE sealed = NULL;

    if (section->data != NULL) {
        (void)UnmapViewOfFile(section->data);
        section->data = NULL;
    }
    /* From here on no handle of it can write, in no process. */
    if (!BROOD_WIN("DuplicateHandle", ERROR_NOT_ENOUGH_MEMORY, FALSE,
                   DuplicateHandle(self, brood_win32_handle(section->handle), self, &sealed,
                                   FILE_MAP_READ, FALSE, 0))) {
        return brood_win32_error(GetLastError(), "seal shared memory");
    }
    brood_win32_close(brood_win32_handle(section->handle));
    section->handle = (brood_os_handle)sealed;
    return 0;
}

void brood_os_section_close(brood_os_section *section)
{
    if (section->data != NULL) {
        (void)UnmapViewOfFile(section->data);
    }
    brood_win32_close(brood_win32_handle(section->handle));
    *section = BROOD_OS_SECTION_NONE;
}

void *brood_win32_view(HANDLE section, DWORD access, size_t size)
{
    MEMORY_BASIC_INFORMATION facts;
    void *data = NULL;

    if (!brood_win32_valid(section)) {
        SetLastError(ERROR_INVALID_HANDLE);
        return NULL;
    }
    /* The whole of it: a view of more than there is fails with "access denied", a misleading word.
     * Uncommitted pages, which a section made elsewhere may have, would crash their reader. */
    data = MapViewOfFile(section, access, 0, 0, 0);
    if (data == NULL) {
        return NULL;
    }
    if (VirtualQuery(data, &facts, sizeof facts) == 0 || facts.State != MEM_COMMIT ||
        facts.Type != MEM_MAPPED || facts.RegionSize < size) {
        (void)UnmapViewOfFile(data);
        SetLastError(ERROR_INVALID_DATA);
        return NULL;
    }
    return data;
}

static void unmap(void *data, size_t size)
{
    (void)size;
    (void)UnmapViewOfFile(data);
}

int brood_os_section_read(brood_buffer *out, brood_os_handle handle, size_t size)
{
    void *data = BROOD_WIN("MapViewOfFile", ERROR_NOT_ENOUGH_MEMORY, NULL,
                           brood_win32_view(brood_win32_handle(handle), FILE_MAP_READ, size));

    if (data == NULL) {
        if (GetLastError() == ERROR_INVALID_DATA) {
            return brood_fail(BROOD_EINVAL, "shared memory has less than the announced %zu bytes",
                              size);
        }
        return brood_win32_error(GetLastError(), "map %zu bytes of shared memory", size);
    }
    out->data = data;
    out->size = size;
    out->release = unmap;
    return 0;
}

/* Shared memory that the program uses: sections of the pagefile, which are committed when they are
 * made and never shrink. The system rounds their sizes up to pages; with a handle the size travels
 * along, and a block with a name has it in its last bytes. */
#include "win32.h"

#include <stdlib.h>

/* The end of the last page of a block with a name. Somebody else's section has none. */
typedef struct tail {
    uint64_t magic;
    uint64_t size;      /* as it was asked for */
    uint64_t read_only; /* for all but who made it */
} tail;

#define TAIL_MAGIC UINT64_C(0x6b636f6c62647262)

static const DWORD both_ways = FILE_MAP_READ | FILE_MAP_WRITE;

/* `*region` is what the system made of the size. */
static tail *find_tail(void *data, size_t *region)
{
    MEMORY_BASIC_INFORMATION facts;

    if (VirtualQuery(data, &facts, sizeof facts) == 0 || facts.RegionSize < sizeof(tail)) {
        *region = 0;
        return NULL;
    }
    *region = facts.RegionSize;
    return (tail *)((char *)data + facts.RegionSize - sizeof(tail));
}

/* ---- create ---- */

typedef struct making {
    const wchar_t *name; /* or NULL */
    size_t size;
    bool read_only;
    HANDLE section;
    void *data;
} making;

/* What is asked for cannot be had because something has the name: as a section, as another kind of
 * object, or as one that we may not even open. */
static int fail_to_create(const making *m, DWORD code)
{
    if (code == ERROR_INVALID_PARAMETER) { /* only the size can be what is wrong */
        code = ERROR_NOT_ENOUGH_MEMORY;
    }
    if (m->name != NULL && (code == ERROR_INVALID_HANDLE || code == ERROR_ACCESS_DENIED)) {
        code = ERROR_ALREADY_EXISTS;
    }
    return brood_win32_error(code, "reserve %zu bytes of shared memory", m->size);
}

/* Nobody can open it by its name while it is being made, and no copy of a handle that can only read
 * gets more rights than that has: for both, nobody has any rights but by the handles there are. */
static int create_section(making *m)
{
    const uint64_t bytes = (uint64_t)m->size + (m->name != NULL ? sizeof(tail) : 0);
    brood_win32_access nobody;
    DWORD code;
    const int rc = brood_win32_only_us(&nobody, 0, "shared memory");

    if (rc) {
        return rc;
    }
    SetLastError(ERROR_SUCCESS);
    m->section =
        BROOD_WIN("CreateFileMappingW", ERROR_COMMITMENT_LIMIT, NULL,
                  CreateFileMappingW(INVALID_HANDLE_VALUE, &nobody.attributes, PAGE_READWRITE,
                                     (DWORD)(bytes >> 32), (DWORD)bytes, m->name));
    code = GetLastError();
    return m->section == NULL || code == ERROR_ALREADY_EXISTS ? fail_to_create(m, code) : 0;
}

static int open_to_others(const making *m)
{
    const DWORD mask = m->read_only ? SECTION_MAP_READ | SECTION_QUERY : SECTION_ALL_ACCESS;
    brood_win32_access us;
    const int rc = brood_win32_only_us(&us, mask, "shared memory");

    if (rc) {
        return rc;
    }
    if (!BROOD_WIN(
            "SetKernelObjectSecurity", ERROR_NOT_ENOUGH_MEMORY, FALSE,
            SetKernelObjectSecurity(m->section, DACL_SECURITY_INFORMATION, &us.descriptor))) {
        return brood_win32_error(GetLastError(), "say who may open shared memory");
    }
    return 0;
}

static int publish(const making *m)
{
    size_t region = 0;
    tail *end = find_tail(m->data, &region);

    if (end == NULL) {
        return brood_win32_error(GetLastError(), "look at shared memory");
    }
    *end = (tail){TAIL_MAGIC, m->size, m->read_only ? 1 : 0};
    return open_to_others(m);
}

static int weaken(making *m)
{
    const HANDLE self = GetCurrentProcess();
    HANDLE reader = NULL;

    if (!BROOD_WIN("DuplicateHandle", ERROR_NOT_ENOUGH_MEMORY, FALSE,
                   DuplicateHandle(self, m->section, self, &reader, FILE_MAP_READ, FALSE, 0))) {
        return brood_win32_error(GetLastError(), "open shared memory for reading");
    }
    brood_win32_close(m->section);
    m->section = reader;
    return 0;
}

static int make(making *m)
{
    int rc;

    if (m->size > SIZE_MAX / 2) { /* rounding it up must not make it small */
        return brood_fail_nomem("shared memory");
    }
    rc = create_section(m);
    if (rc) {
        return rc;
    }
    m->data = BROOD_WIN("MapViewOfFile", ERROR_NOT_ENOUGH_MEMORY, NULL,
                        MapViewOfFile(m->section, both_ways, 0, 0, 0));
    if (m->data == NULL) {
        return brood_win32_error(GetLastError(), "map %zu bytes of shared memory", m->size);
    }
    if (m->name != NULL) {
        rc = publish(m);
    }
    return rc == 0 && m->read_only ? weaken(m) : rc;
}

int brood_os_block_create(brood_os_section *out, size_t size, const char *name, bool read_only)
{
    wchar_t *wide = NULL;
    making m = {NULL, size, read_only, NULL, NULL};
    int rc = name != NULL ? brood_win32_wide(&wide, name) : 0;

    m.name = wide;
    rc = rc ? rc : make(&m);
    free(wide);
    if (rc) {
        if (m.data != NULL) {
            (void)UnmapViewOfFile(m.data);
        }
        brood_win32_close(m.section);
        return rc;
    }
    *out = (brood_os_section){(brood_os_handle)m.section, m.data, size};
    return 0;
}

/* ---- open ---- */

/* The size that was asked for, or all there is of a section that is not ours. */
static int measure(size_t *size, void *data, const char *name, bool read_only)
{
    size_t region = 0;
    const tail *end = find_tail(data, &region);

    if (end == NULL) {
        return brood_win32_error(GetLastError(), "look at shared memory %s", name);
    }
    *size = region;
    if (end->magic == TAIL_MAGIC && end->size > 0 && end->size <= region - sizeof(tail)) {
        if (!read_only && end->read_only != 0) {
            return brood_fail(BROOD_EACCES, "shared memory %s can only be read", name);
        }
        *size = (size_t)end->size;
    }
    return 0;
}

static int open_section(HANDLE *out, const char *name, DWORD access)
{
    wchar_t *wide = NULL;
    DWORD code;
    const int rc = brood_win32_wide(&wide, name);

    if (rc) {
        return rc;
    }
    *out = BROOD_WIN("OpenFileMappingW", ERROR_NO_SYSTEM_RESOURCES, NULL,
                     OpenFileMappingW(access, FALSE, wide));
    code = GetLastError();
    free(wide);
    if (*out == NULL) {
        /* Another kind of object with this name is no such memory. */
        return brood_win32_error(code == ERROR_INVALID_HANDLE ? ERROR_FILE_NOT_FOUND : code,
                                 "open shared memory %s", name);
    }
    return 0;
}

int brood_os_block_open(brood_os_section *out, const char *name, bool read_only)
{
    const DWORD access = read_only ? FILE_MAP_READ : both_ways;
    HANDLE section = NULL;
    void *data = NULL;
    size_t size = 0;
    int rc = open_section(&section, name, access);

    if (rc) {
        return rc;
    }
    data = BROOD_WIN("MapViewOfFile", ERROR_NOT_ENOUGH_MEMORY, NULL,
                     brood_win32_view(section, access, 1));
    rc = data != NULL ? measure(&size, data, name, read_only)
                      : brood_win32_error(GetLastError(), "map shared memory %s", name);
    if (rc) {
        if (data != NULL) {
            (void)UnmapViewOfFile(data);
        }
        brood_win32_close(section);
        return rc;
    }
    *out = (brood_os_section){(brood_os_handle)section, data, size};
    return 0;
}

int brood_os_block_unlink(const char *name)
{
    (void)name; /* it is gone with the last handle */
    return 0;
}

/* ---- adopt ---- */

int brood_os_block_adopt(brood_os_section *out, brood_os_handle handle, size_t size, bool read_only,
                         bool named)
{
    const DWORD access = read_only ? FILE_MAP_READ : both_ways;
    void *data = BROOD_WIN("MapViewOfFile", ERROR_NOT_ENOUGH_MEMORY, NULL,
                           brood_win32_view(brood_win32_handle(handle), access, size));
    const DWORD code = GetLastError();

    (void)named;
    if (data != NULL) {
        *out = (brood_os_section){handle, data, size};
        return 0;
    }
    switch (code) {
    case ERROR_INVALID_DATA:
        return brood_fail(BROOD_EHANDLE, "shared memory has less than the announced %zu bytes",
                          size);
    case ERROR_INVALID_HANDLE:
    case ERROR_ACCESS_DENIED:
        return brood_fail(BROOD_EHANDLE, "a handle that is no shared memory, or cannot be written "
                                         "to where that was announced");
    default:
        return brood_win32_error(code, "map %zu bytes of shared memory", size);
    }
}

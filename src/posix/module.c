/* Modules of the process, from their program headers. */
#include "posix.h"

#include <elf.h>
#include <link.h>
#include <string.h>

typedef struct search {
    const unsigned char *address; /* NULL: the program itself */
    brood_os_module *out;
    bool first;
    bool found;
} search;

typedef struct segment_walk {
    const brood_os_module *module;
    void (*segment)(void *user, const struct dl_phdr_info *info, const ElfW(Phdr) * header);
    void *user;
} segment_walk;

/* Where a module begins and ends: the span of its loaded segments. */
static void measure(const struct dl_phdr_info *info, brood_os_module *out)
{
    uintptr_t low = UINTPTR_MAX;
    uintptr_t high = 0;

    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        const uintptr_t start = (uintptr_t)(info->dlpi_addr + header->p_vaddr);
        if (header->p_type == PT_LOAD) {
            low = start < low ? start : low;
            high = start + header->p_memsz > high ? start + header->p_memsz : high;
        }
    }
    out->base = (const unsigned char *)low; /* NOLINT: an address of the loader's */
    out->size = high > low ? high - low : 0;
}

static int visit_module(struct dl_phdr_info *info, size_t size, void *user)
{
    search *s = user;
    brood_os_module module;

    (void)size;
    measure(info, &module);
    module.is_main = s->first;
    s->first = false;
    if (s->address == NULL ||
        (s->address >= module.base && (size_t)(s->address - module.base) < module.size)) {
        *s->out = module;
        s->found = true;
        return 1;
    }
    return 0;
}

int brood_os_module_main(brood_os_module *out)
{
    search s = {NULL, out, true, false};

    (void)dl_iterate_phdr(visit_module, &s);
    return s.found ? 0 : brood_fail(BROOD_ESYSTEM, "the loader lists no program");
}

int brood_os_module_of(brood_os_module *out, const void *address)
{
    search s = {address, out, true, false};

    (void)dl_iterate_phdr(visit_module, &s);
    return s.found ? 0
                   : brood_fail(BROOD_EMODULE, "the function at %p lies in no loaded module",
                                (const void *)address);
}

static int visit_segments(struct dl_phdr_info *info, size_t size, void *user)
{
    const segment_walk *walk = user;
    brood_os_module module;

    (void)size;
    measure(info, &module);
    if (module.base != walk->module->base) {
        return 0;
    }
    for (int i = 0; i < info->dlpi_phnum; i++) {
        walk->segment(walk->user, info, &info->dlpi_phdr[i]);
    }
    return 1;
}

static void walk_segments(const brood_os_module *module,
                          void (*segment)(void *, const struct dl_phdr_info *, const ElfW(Phdr) *),
                          void *user)
{
    segment_walk walk = {module, segment, user};

    (void)dl_iterate_phdr(visit_segments, &walk);
}

typedef struct probe {
    const unsigned char *address;
    bool executable;
} probe;

static const unsigned char *start_of(const struct dl_phdr_info *info, const ElfW(Phdr) * header)
{
    return (const unsigned char *)(uintptr_t)(info->dlpi_addr + header->p_vaddr);
}

static void probe_segment(void *user, const struct dl_phdr_info *info, const ElfW(Phdr) * header)
{
    probe *p = user;
    const unsigned char *start = start_of(info, header);

    if (header->p_type == PT_LOAD && (header->p_flags & PF_X) != 0 && p->address >= start &&
        (size_t)(p->address - start) < header->p_filesz) {
        p->executable = true;
    }
}

bool brood_os_module_executable(const brood_os_module *module, uint64_t offset)
{
    probe p = {module->base + offset, false};

    if (offset >= module->size) {
        return false;
    }
    walk_segments(module, probe_segment, &p);
    return p.executable;
}

typedef struct identity_search {
    unsigned char *identity;
    size_t size;
} identity_search;

static size_t aligned(size_t n)
{
    return (n + 3) & ~(size_t)3;
}

static void find_build_id(void *user, const struct dl_phdr_info *info, const ElfW(Phdr) * header)
{
    identity_search *found = user;
    const unsigned char *at = start_of(info, header);
    size_t left = header->p_memsz;
    ElfW(Nhdr) note;

    while (header->p_type == PT_NOTE && found->size == 0 && left >= sizeof note) {
        size_t whole;
        memcpy(&note, at, sizeof note);
        whole = sizeof note + aligned(note.n_namesz) + aligned(note.n_descsz);
        if (whole > left) {
            return;
        }
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
            memcmp(at + sizeof note, "GNU", 4) == 0 && note.n_descsz <= BROOD_OS_IDENTITY_MAX) {
            memcpy(found->identity, at + sizeof note + 4, note.n_descsz);
            found->size = note.n_descsz;
        }
        at += whole;
        left -= whole;
    }
}

int brood_os_module_identity(const brood_os_module *module,
                             unsigned char identity[BROOD_OS_IDENTITY_MAX], size_t *size)
{
    identity_search found = {identity, 0};

    walk_segments(module, find_build_id, &found);
    *size = found.size;
    return 0;
}

typedef struct code_visit {
    void (*visit)(void *user, const void *data, size_t size);
    void *user;
} code_visit;

static void visit_code(void *user, const struct dl_phdr_info *info, const ElfW(Phdr) * header)
{
    const code_visit *code = user;

    if (header->p_type == PT_LOAD && (header->p_flags & PF_X) != 0) {
        code->visit(code->user, start_of(info, header), header->p_filesz);
    }
}

int brood_os_module_code(const brood_os_module *module,
                         void (*visit)(void *user, const void *data, size_t size), void *user)
{
    code_visit code = {visit, user};

    walk_segments(module, visit_code, &code);
    return 0;
}

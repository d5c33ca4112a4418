/* Modules of the process, from the program headers that the loader lists. */
#include "elf_format.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "executable.h"

static const unsigned char *start_of(const struct dl_phdr_info *info,
                                     const brood_posix_segment *header)
{
    return (const unsigned char *)(uintptr_t)(info->dlpi_addr + header->p_vaddr);
}

/* Whether `address` is in what is loaded of the segment. */
static bool covers(const struct dl_phdr_info *info, const brood_posix_segment *header,
                   const unsigned char *address, size_t size)
{
    const uintptr_t start = (uintptr_t)start_of(info, header);

    return header->p_type == PT_LOAD && (uintptr_t)address >= start &&
           (uintptr_t)address - start < size;
}

/* Where a module begins: at the lowest of its segments. */
static const unsigned char *base_of(const struct dl_phdr_info *info)
{
    uintptr_t low = UINTPTR_MAX;

    for (int i = 0; i < info->dlpi_phnum; i++) {
        const brood_posix_segment *header = &info->dlpi_phdr[i];
        const uintptr_t start = (uintptr_t)start_of(info, header);
        if (header->p_type == PT_LOAD && start < low) {
            low = start;
        }
    }
    return (const unsigned char *)low; /* NOLINT: an address of the loader's */
}

static void describe(brood_os_module *out, const struct dl_phdr_info *info, bool is_main)
{
    memset(out, 0, sizeof *out);
    out->base = base_of(info);
    out->is_main = is_main;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const brood_posix_segment *header = &info->dlpi_phdr[i];
        const uintptr_t end = (uintptr_t)start_of(info, header) + header->p_memsz;
        if (header->p_type == PT_LOAD && end - (uintptr_t)out->base > out->size) {
            out->size = end - (uintptr_t)out->base;
        }
        if (header->p_type == PT_NOTE && out->identity_size == 0) {
            brood_posix_elf_build_id(out->identity, &out->identity_size, start_of(info, header),
                                     header->p_memsz, header->p_align);
        }
    }
}

/* ---- all modules; the program is the first ---- */

typedef struct search {
    const unsigned char *address; /* NULL: the program itself */
    brood_os_module *out;
    bool first;
    bool found;
} search;

static bool holds(const struct dl_phdr_info *info, const unsigned char *address)
{
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (covers(info, &info->dlpi_phdr[i], address, info->dlpi_phdr[i].p_memsz)) {
            return true;
        }
    }
    return false;
}

static int visit_module(struct dl_phdr_info *info, size_t size, void *user)
{
    search *s = user;
    const bool is_main = s->first;

    (void)size;
    s->first = false;
    if (s->address == NULL || holds(info, s->address)) {
        describe(s->out, info, is_main);
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

    if (address != NULL) {
        (void)dl_iterate_phdr(visit_module, &s);
    }
    return s.found
               ? 0
               : brood_fail(BROOD_EMODULE,
                            "the function at %p is in no program or library: only code that was "
                            "loaded from a file travels",
                            address);
}

typedef struct listing {
    brood_os_module *modules;
    size_t count;
    size_t room;
    bool failed;
} listing;

static int list_module(struct dl_phdr_info *info, size_t size, void *user)
{
    listing *list = user;

    (void)size;
    if (list->count == list->room) {
        const size_t room = list->room == 0 ? 32 : list->room * 2;
        brood_os_module *grown = BROOD_ALLOC(realloc(list->modules, room * sizeof *grown));
        if (grown == NULL) {
            list->failed = true;
            return 1;
        }
        list->modules = grown;
        list->room = room;
    }
    describe(&list->modules[list->count], info, list->count == 0);
    list->count++;
    return 0;
}

int brood_os_module_list(brood_os_module **out, size_t *count)
{
    listing list = {NULL, 0, 0, false};

    (void)dl_iterate_phdr(list_module, &list);
    if (list.failed) {
        free(list.modules);
        return brood_fail_nomem("the list of modules");
    }
    *out = list.modules;
    *count = list.count;
    return 0;
}

static int count_changes(struct dl_phdr_info *info, size_t size, void *user)
{
    static brood_atomic asked;
    uint64_t *changes = user;

    if (size >= offsetof(struct dl_phdr_info, dlpi_subs) + sizeof info->dlpi_subs) {
        *changes = (uint64_t)info->dlpi_adds + (uint64_t)info->dlpi_subs;
    } else {
        *changes = (uint64_t)brood_atomic_add(&asked, 1); /* not told: take it that there were */
    }
    return 1;
}

uint64_t brood_os_module_changes(void)
{
    uint64_t changes = 0;

    (void)dl_iterate_phdr(count_changes, &changes);
    return changes;
}

/* ---- one module ---- */

typedef struct segment_walk {
    const brood_os_module *module;
    int (*segment)(void *user, const struct dl_phdr_info *info, const brood_posix_segment *header);
    void *user;
    bool found;
    int rc;
} segment_walk;

static int visit_segments(struct dl_phdr_info *info, size_t size, void *user)
{
    segment_walk *walk = user;

    (void)size;
    if (base_of(info) != walk->module->base) {
        return 0;
    }
    walk->found = true;
    for (int i = 0; i < info->dlpi_phnum && walk->rc == 0; i++) {
        walk->rc = walk->segment(walk->user, info, &info->dlpi_phdr[i]);
    }
    return 1;
}

/* The loader keeps the module while it is walked through. */
static int walk_segments(const brood_os_module *module,
                         int (*segment)(void *, const struct dl_phdr_info *,
                                        const brood_posix_segment *),
                         void *user)
{
    segment_walk walk = {module, segment, user, false, 0};

    (void)dl_iterate_phdr(visit_segments, &walk);
    if (!walk.found) {
        return brood_fail(BROOD_EMODULE, "the library was unloaded");
    }
    return walk.rc;
}

typedef struct probe {
    const unsigned char *address;
    bool executable;
} probe;

static int probe_segment(void *user, const struct dl_phdr_info *info,
                         const brood_posix_segment *header)
{
    probe *p = user;

    if ((header->p_flags & PF_X) != 0 && covers(info, header, p->address, header->p_filesz)) {
        p->executable = true;
    }
    return 0;
}

bool brood_os_module_executable(const brood_os_module *module, uint64_t offset)
{
    probe p = {module->base + offset, false};

    return offset < module->size && walk_segments(module, probe_segment, &p) == 0 && p.executable;
}

typedef struct code_visit {
    brood_os_visit visit;
    void *user;
} code_visit;

static int check_segment(void *user, const struct dl_phdr_info *info,
                         const brood_posix_segment *header)
{
    (void)user;
    if (header->p_type == PT_DYNAMIC &&
        brood_posix_elf_moves_code(start_of(info, header), header->p_memsz)) {
        return brood_posix_elf_fail_moved();
    }
    return header->p_type == PT_LOAD && (header->p_flags & PF_X) != 0
               ? brood_posix_elf_check_code(header)
               : 0;
}

static int show_segment(void *user, const struct dl_phdr_info *info,
                        const brood_posix_segment *header)
{
    const code_visit *code = user;

    if (header->p_type == PT_LOAD && (header->p_flags & PF_X) != 0) {
        code->visit(code->user, start_of(info, header), header->p_filesz);
    }
    return 0;
}

int brood_os_module_code(const brood_os_module *module, brood_os_visit visit, void *user)
{
    code_visit code = {visit, user};
    int rc = walk_segments(module, check_segment, NULL);

    if (rc == 0) {
        rc = walk_segments(module, show_segment, &code);
    }
    return rc;
}

/* ---- where its file is ---- */

static int fail_no_file(const char *name)
{
    return brood_fail(BROOD_EMODULE, "%.200s has no file from which it could be loaded again",
                      name);
}

static int copy_path(char **out, const char *path)
{
    char *copy = BROOD_ALLOC(strdup(path));

    if (copy == NULL) {
        return brood_fail_nomem("the path of a library");
    }
    *out = copy;
    return 0;
}

#if defined(BROOD_HAVE_PROC_MAPS)

#define DELETED " (deleted)"
#define MEMFD "/memfd:"

/* The kernel follows a file that is renamed, knows where it is after a chdir, and adds words when
 * it was removed: then another may have its place. It writes a line's end as \012. */
static int clean_path(char **out, char *path)
{
    const size_t words = sizeof DELETED - 1;
    size_t size;
    char *end = strstr(path, "\\012");

    while (end != NULL && access(path, F_OK) != 0) {
        *end = '\n';
        memmove(end + 1, end + 4, strlen(end + 4) + 1);
        end = strstr(end + 1, "\\012");
    }
    size = strlen(path);
    if (size > words && strcmp(path + size - words, DELETED) == 0 && access(path, F_OK) != 0) {
        path[size - words] = '\0';
    }
    if (path[0] != '/' || strncmp(path, MEMFD, sizeof MEMFD - 1) == 0) {
        return fail_no_file(path[0] != '\0' ? path : "a library");
    }
    return copy_path(out, path);
}

/* Sets `*path` to where the name begins in the line of the mapping that holds `base`. */
static bool is_mapping_of(char *line, const unsigned char *base, char **path)
{
    unsigned long start = 0;
    unsigned long end = 0;
    int at = 0;

    if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %n", &start, &end, &at) != 2 || at == 0 ||
        (uintptr_t)base < start || (uintptr_t)base >= end) {
        return false;
    }
    *path = line + at;
    (*path)[strcspn(*path, "\n")] = '\0';
    return true;
}

/* Leaves `*out` alone where there is no /proc. */
static int ask_kernel(char **out, const brood_os_module *module)
{
    FILE *maps = BROOD_SYS_AS("fopen", EMFILE, NULL, fopen("/proc/self/maps", "re"));
    char *line = NULL;
    char *path = NULL;
    size_t room = 0;
    int rc = 0;

    if (maps == NULL) {
        return errno == ENOENT ? 0 : brood_posix_error(errno, "read /proc/self/maps");
    }
    while (path == NULL && getline(&line, &room, maps) >= 0) {
        if (!is_mapping_of(line, module->base, &path)) {
            path = NULL;
        }
    }
    rc = path != NULL ? clean_path(out, path) : 0;
    free(line);
    (void)fclose(maps);
    return rc;
}

#else

static int ask_kernel(char **out, const brood_os_module *module)
{
    (void)out;
    (void)module;
    return 0;
}

#endif

static int copy_name(void *user, const struct dl_phdr_info *info, const brood_posix_segment *header)
{
    char **name = user;

    (void)header;
    return *name != NULL ? 0 : copy_path(name, info->dlpi_name);
}

/* The loader has the name by which it was asked, perhaps from another folder. */
static int ask_loader(char **out, const brood_os_module *module)
{
    char *name = NULL;
    char *real = NULL;
    int rc = walk_segments(module, copy_name, &name);

    if (rc) {
        return rc;
    }
    real = realpath(name, NULL);
    if (real == NULL && name[0] == '/') {
        *out = name; /* it was removed; another may come in its place */
        return 0;
    }
    if (real == NULL) {
        rc = fail_no_file(name);
    } else {
        *out = real;
    }
    free(name);
    return rc;
}

static int ask_program(char **out)
{
    char path[BROOD_POSIX_PATH_MAX];
    const int rc = brood_posix_executable(path, sizeof path);

    return rc ? rc : copy_path(out, path);
}

int brood_os_module_path(char **out, const brood_os_module *module)
{
    char *path = NULL;
    int rc = ask_kernel(&path, module);

    if (rc == 0 && path == NULL) {
        rc = module->is_main ? ask_program(&path) : ask_loader(&path, module);
    }
    if (rc == 0) {
        *out = path;
    }
    return rc;
}

/* Handlers of forks and of the exit, and the system when a parent has died, call code of ours. */
int brood_posix_stay(void)
{
    static const char here = 0;
    brood_os_module module;
    char *name = NULL;
    int rc = brood_os_module_of(&module, &here);

    if (rc || module.is_main) {
        return rc;
    }
    rc = walk_segments(&module, copy_name, &name);
    if (rc) {
        return rc;
    }
    if (BROOD_SYS_AS("dlopen", ENOMEM, NULL,
                     dlopen(name, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE)) == NULL) {
        rc = brood_fail(BROOD_ESYSTEM, "keep the library %.200s loaded: the loader refuses", name);
    }
    free(name);
    return rc;
}

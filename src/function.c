#include "function.h"

#include <string.h>

#include "error.h"
#include "function_name.h"
#include "module.h"

/* The places of a reference's fields. */
enum {
    KIND,
    IDENTITY,
    OFFSET,
    IN_PROGRAM,
    PATH,
    NAME,
    FIELDS
};

#define FUNCTION "function"
#define EXPORT "export"

/* A function pointer is not an object pointer in C; on our systems both are addresses. */
static const void *address_of(brood_function function)
{
    const void *address = NULL;

    memcpy(&address, &function, sizeof function);
    return address;
}

static brood_function function_at(uintptr_t address)
{
    brood_function function;

    memcpy(&function, &address, sizeof function);
    return function;
}

static bool is_kind(brood_value id, const char *kind)
{
    const brood_view view = brood_as_view(brood_value_at(id, KIND));

    return view.size == strlen(kind) && memcmp(view.data, kind, view.size) == 0;
}

bool brood_function_concerns(brood_value id)
{
    return is_kind(id, FUNCTION) || is_kind(id, EXPORT);
}

int brood_function_save(brood_arena *arena, brood_function function, brood_value *id)
{
    const char *name = brood_function_name(function);
    brood_module module;
    brood_value *fields;
    int rc;

    if (function == NULL) {
        return brood_fail(BROOD_EMODULE, "NULL is no function");
    }
    rc = brood_module_of(&module, arena, address_of(function));
    if (rc) {
        return rc;
    }
    fields = brood_arena_alloc(arena, FIELDS * sizeof *fields);
    if (fields == NULL) {
        return brood_fail_nomem("a function reference");
    }
    fields[KIND] = brood_str(FUNCTION);
    fields[IDENTITY] = brood_view_value(module.identity);
    fields[OFFSET] =
        brood_uint((uint64_t)((uintptr_t)address_of(function) - (uintptr_t)module.os.base));
    fields[IN_PROGRAM] = brood_bool(module.os.is_main);
    fields[PATH] = brood_view_value(module.path);
    fields[NAME] = name != NULL ? brood_str(name) : brood_none();
    *id = brood_tuple(fields, FIELDS);
    return 0;
}

/* ---- loading ---- */

/* Says why the program's own function is not here. */
static int fail_other_program(brood_view theirs)
{
    char their_room[BROOD_MODULE_WORDS];
    char our_room[BROOD_MODULE_WORDS];
    brood_arena arena = BROOD_ARENA_NONE;
    brood_view ours = {NULL, 0};
    int rc = brood_module_program_path(&ours, &arena);

    if (rc == 0 && theirs.size > 0 && ours.size > 0 &&
        (ours.size != theirs.size || memcmp(ours.data, theirs.data, ours.size) != 0)) {
        rc = brood_fail(BROOD_EMODULE,
                        "the function is in the program %s itself, and this process runs %s: only "
                        "functions of shared libraries travel there",
                        brood_module_words(their_room, theirs), brood_module_words(our_room, ours));
    } else {
        rc = brood_fail(BROOD_EMODULE, "the program's file is not the one that the function is in: "
                                       "it was replaced meanwhile");
    }
    brood_arena_release(&arena);
    return rc;
}

static int fail_not_loaded(brood_view path)
{
    char room[BROOD_MODULE_WORDS];

    return brood_fail(BROOD_EMODULE,
                      "the library %s, which has the function, is not loaded here, or is another "
                      "build of it",
                      path.size > 0 ? brood_module_words(room, path) : "without a file");
}

static int find_module(brood_os_module *out, brood_value id, bool may_load)
{
    const brood_view identity = brood_as_view(brood_value_at(id, IDENTITY));
    const brood_view path = brood_as_view(brood_value_at(id, PATH));
    bool found = false;
    int rc = brood_module_find(out, identity, path, &found);

    if (rc || found) {
        return rc;
    }
    if (brood_as_bool(brood_value_at(id, IN_PROGRAM), false)) {
        return fail_other_program(path);
    }
    return may_load ? brood_module_load(out, identity, path) : fail_not_loaded(path);
}

static int load_by_place(brood_value id, bool may_load, brood_function *function)
{
    const uint64_t offset = brood_as_uint(brood_value_at(id, OFFSET), UINT64_MAX);
    brood_os_module module;
    char room[BROOD_MODULE_WORDS];
    int rc = find_module(&module, id, may_load);

    if (rc) {
        return rc;
    }
    if (!brood_os_module_executable(&module, offset)) {
        return brood_fail(BROOD_EMODULE, "there is no function at offset 0x%llx of %s",
                          (unsigned long long)offset,
                          module.is_main
                              ? "the program"
                              : brood_module_words(room, brood_as_view(brood_value_at(id, PATH))));
    }
    *function = function_at((uintptr_t)module.base + (uintptr_t)offset);
    return 0;
}

static int load_by_name(brood_view name, brood_function *function)
{
    char room[BROOD_MODULE_WORDS];
    const brood_function found = brood_function_find(name);

    if (found == NULL) {
        return brood_fail(BROOD_ENOENT, "no function is exported here as \"%s\"",
                          brood_module_words(room, name));
    }
    *function = found;
    return 0;
}

int brood_function_load(brood_value id, bool may_load, brood_function *function)
{
    const brood_view name = brood_as_view(brood_value_at(id, NAME));
    brood_function named;
    int rc;

    if (is_kind(id, EXPORT)) {
        return load_by_name(brood_as_view(brood_value_at(id, 1)), function);
    }
    rc = load_by_place(id, may_load, function);
    if (rc == BROOD_EMODULE && name.size > 0) {
        named = brood_function_find(name);
        if (named != NULL) {
            *function = named;
            rc = 0;
        }
    }
    return rc;
}

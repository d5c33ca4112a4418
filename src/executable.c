#include "executable.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "forkserver.h"
#include "init.h"
#include "locks.h"
#include "module.h"

static char *chosen; /* malloc'ed; NULL: this program's own file */

int brood_set_executable(const char *path)
{
    char *found = NULL;
    char *before;

    if (path != NULL) {
        const int rc = path[0] != '\0'
                           ? brood_os_executable_find(&found, path)
                           : brood_fail(BROOD_EINVAL, "an executable's path has a byte at least");
        if (rc) {
            return rc;
        }
        brood_init_host();
    }
    brood_locks_take(BROOD_LOCK_CONTEXT);
    before = chosen;
    chosen = found;
    brood_locks_give(BROOD_LOCK_CONTEXT);
    free(before);
    brood_forkserver_let_go(); /* it runs the program of before */
    return 0;
}

bool brood_executable_chosen(void)
{
    bool is_chosen;

    brood_locks_take(BROOD_LOCK_CONTEXT);
    is_chosen = chosen != NULL;
    brood_locks_give(BROOD_LOCK_CONTEXT);
    return is_chosen;
}

int brood_executable(const char **out, brood_arena *arena)
{
    const char *copy = NULL;
    bool is_chosen;

    brood_locks_take(BROOD_LOCK_CONTEXT);
    is_chosen = chosen != NULL;
    if (is_chosen) {
        copy = brood_arena_text(arena, chosen, strlen(chosen));
    }
    brood_locks_give(BROOD_LOCK_CONTEXT);
    if (is_chosen && copy == NULL) {
        return brood_fail_nomem("the path of an executable");
    }
    *out = copy;
    return 0;
}

/* ---- one library in both processes ---- */

static int find_library(brood_module *out, brood_arena *arena)
{
    int (*const here)(brood_value) = brood_library_check;
    const void *address = NULL;

    memcpy(&address, &here, sizeof address);
    return brood_module_of(out, arena, address);
}

int brood_library_describe(brood_value *out, brood_arena *arena)
{
    brood_module module;
    brood_value *fields;
    const int rc = find_library(&module, arena);

    if (rc) {
        return rc;
    }
    fields = brood_arena_alloc(arena, 2 * sizeof *fields);
    if (fields == NULL) {
        return brood_fail_nomem("a start message");
    }
    fields[0] = brood_view_value(module.identity);
    fields[1] = brood_view_value(module.path);
    *out = brood_tuple(fields, 2);
    return 0;
}

int brood_library_check(brood_value theirs)
{
    const brood_view identity = brood_as_view(brood_value_at(theirs, 0));
    brood_arena arena = BROOD_ARENA_NONE;
    brood_module ours;
    char their_room[BROOD_MODULE_WORDS];
    char our_room[BROOD_MODULE_WORDS];
    int rc;

    if (theirs.kind == BROOD_NONE) {
        return 0;
    }
    rc = find_library(&ours, &arena);
    if (rc == 0 && (identity.size != ours.identity.size ||
                    memcmp(identity.data, ours.identity.data, identity.size) != 0)) {
        rc = brood_fail(BROOD_EMODULE,
                        "both processes have to use one build of the shared library brood: it is "
                        "in %s here, in %s in the parent",
                        brood_module_words(our_room, ours.path),
                        brood_module_words(their_room, brood_as_view(brood_value_at(theirs, 1))));
    }
    brood_arena_release(&arena);
    return rc;
}

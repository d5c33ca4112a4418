#include "module.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "fault.h"
#include "locks.h"
#include "utf8.h"

#define HASH_SIZE 32

typedef struct module_id {
    unsigned char bytes[BROOD_OS_IDENTITY_MAX];
    size_t size;
} module_id;

/* What was learned of a module. */
typedef struct known {
    brood_os_module os;
    module_id identity;
    char *path; /* NULL: not asked, or none */
    bool only;  /* no other loaded module has its identity */
} known;

/* The lock is never held while the system is asked: its loader may be running a library's
 * constructor that waits for us. */
static bool program_known;
static known program; /* does not change once it is known */
static known *libraries;
static size_t library_count;
static uint64_t library_changes; /* of the loader, up to which the libraries are known */

/* ---- identities ---- */

static void hash_piece(void *user, const void *data, size_t size)
{
    (void)crypto_generichash_update(user, data, size);
}

static bool is_same(const module_id *id, brood_view wanted)
{
    return wanted.size > 0 && id->size == wanted.size &&
           memcmp(id->bytes, wanted.data, wanted.size) == 0;
}

/* Shows the code of a module or of an image. */
typedef int (*show_code)(const void *whose, brood_os_visit visit, void *user);

static int show_module(const void *module, brood_os_visit visit, void *user)
{
    return brood_os_module_code(module, visit, user);
}

static int show_image(const void *image, brood_os_visit visit, void *user)
{
    return brood_os_image_code(image, visit, user);
}

/* Not every linker leaves an id; then the code itself is one (1.3 ms per MB). */
static int identify(module_id *out, const unsigned char *id, size_t id_size, show_code show,
                    const void *whose)
{
    crypto_generichash_state state;
    int rc;

    memcpy(out->bytes, id, id_size);
    out->size = id_size;
    if (id_size > 0) {
        return 0;
    }
    (void)crypto_generichash_init(&state, NULL, 0, HASH_SIZE);
    rc = show(whose, hash_piece, &state);
    if (rc == 0) {
        (void)crypto_generichash_final(&state, out->bytes, HASH_SIZE);
        out->size = HASH_SIZE;
    }
    return rc;
}

static int identify_module(module_id *out, const brood_os_module *module)
{
    return identify(out, module->identity, module->identity_size, show_module, module);
}

static int identify_image(module_id *out, const brood_os_image *image)
{
    return identify(out, image->identity, image->identity_size, show_image, image);
}

/* ---- what is known already ---- */

/* The lock is held. */
static void forget_if_changed(uint64_t changes)
{
    if (changes != library_changes) {
        for (size_t i = 0; i < library_count; i++) {
            free(libraries[i].path);
        }
        free(libraries);
        libraries = NULL;
        library_count = 0;
        library_changes = changes;
    }
}

static bool spans(const known *one, const void *address)
{
    const uintptr_t base = (uintptr_t)one->os.base;

    return (uintptr_t)address >= base && (uintptr_t)address - base < one->os.size;
}

/* The lock is held. */
static known *recall(const void *address)
{
    for (size_t i = 0; i < library_count; i++) {
        if (spans(&libraries[i], address)) {
            return &libraries[i];
        }
    }
    return NULL;
}

/* Keeps what was learned of `one`, and its path, which may be NULL. To forget it costs time only. */
static void keep(const known *one, uint64_t changes)
{
    known *place;

    brood_locks_take(BROOD_LOCK_MODULES);
    forget_if_changed(changes);
    place = recall(one->os.base);
    if (place == NULL) {
        known *grown = BROOD_ALLOC(realloc(libraries, (library_count + 1) * sizeof *grown));
        if (grown != NULL) {
            libraries = grown;
            place = &libraries[library_count++];
            memset(place, 0, sizeof *place);
        }
    }
    if (place == NULL) {
        free(one->path);
    } else {
        place->os = one->os;
        place->identity = one->identity;
        place->only = place->only || one->only;
        if (one->path != NULL) {
            free(place->path);
            place->path = one->path;
        }
    }
    brood_locks_give(BROOD_LOCK_MODULES);
}

static int learn_program(void)
{
    known one;
    int rc;

    brood_locks_take(BROOD_LOCK_MODULES);
    if (program_known) {
        brood_locks_give(BROOD_LOCK_MODULES);
        return 0;
    }
    brood_locks_give(BROOD_LOCK_MODULES);
    memset(&one, 0, sizeof one);
    rc = brood_os_module_main(&one.os);
    if (rc == 0) {
        rc = identify_module(&one.identity, &one.os);
    }
    if (rc) {
        return rc;
    }
    brood_locks_take(BROOD_LOCK_MODULES);
    if (!program_known) {
        program = one;
        program_known = true;
    }
    brood_locks_give(BROOD_LOCK_MODULES);
    return 0;
}

/* ---- from an address to a module ---- */

static int fail_no_code(const void *address, const brood_os_module *module)
{
    char room[BROOD_MODULE_WORDS];
    char *path = NULL;
    const char *words = "a library";

    if (brood_os_module_path(&path, module) == 0) {
        words = brood_module_words(room, (brood_view){path, strlen(path)});
        free(path);
    }
    return brood_fail(BROOD_EMODULE, "the function at %p is in no code: it lies in data of %s",
                      address, words);
}

static int copy_out(brood_module *out, brood_arena *arena, const known *one)
{
    const size_t path_size = one->path != NULL ? strlen(one->path) : 0;
    char *copy = brood_arena_alloc(arena, one->identity.size + path_size + 1);

    if (copy == NULL) {
        return brood_fail_nomem("a function reference");
    }
    memcpy(copy, one->identity.bytes, one->identity.size);
    if (path_size > 0) {
        memcpy(copy + one->identity.size, one->path, path_size);
    }
    out->os = one->os;
    out->identity = (brood_view){copy, one->identity.size};
    out->path = (brood_view){copy + one->identity.size, path_size};
    return 0;
}

/* A path that cannot be had is no failure: who has the module loaded finds it without. */
static char *ask_path(const brood_os_module *module, int *rc)
{
    char *path = NULL;

    *rc = brood_os_module_path(&path, module);
    if (*rc == BROOD_EMODULE) {
        *rc = 0;
    }
    return path;
}

static int describe_program(brood_module *out, brood_arena *arena)
{
    char *path = NULL;
    known copy;
    bool asked;
    int rc;

    brood_locks_take(BROOD_LOCK_MODULES);
    copy = program;
    asked = program.path != NULL;
    brood_locks_give(BROOD_LOCK_MODULES);
    if (!asked) {
        path = ask_path(&copy.os, &rc);
        if (rc) {
            return rc;
        }
        brood_locks_take(BROOD_LOCK_MODULES);
        if (program.path == NULL) {
            program.path = path;
            path = NULL;
        }
        copy = program;
        brood_locks_give(BROOD_LOCK_MODULES);
        free(path);
    }
    return copy_out(out, arena, &copy);
}

static int describe_library(brood_module *out, brood_arena *arena, const void *address)
{
    const uint64_t changes = brood_os_module_changes();
    const known *there;
    known one;
    int rc = 0;

    brood_locks_take(BROOD_LOCK_MODULES);
    forget_if_changed(changes);
    there = recall(address);
    if (there != NULL && there->path != NULL) {
        rc = copy_out(out, arena, there);
        brood_locks_give(BROOD_LOCK_MODULES);
        return rc;
    }
    brood_locks_give(BROOD_LOCK_MODULES);
    memset(&one, 0, sizeof one);
    rc = brood_os_module_of(&one.os, address);
    if (rc == 0) {
        rc = identify_module(&one.identity, &one.os);
    }
    if (rc == 0) {
        one.path = ask_path(&one.os, &rc);
    }
    if (rc == 0) {
        rc = copy_out(out, arena, &one);
    }
    if (rc) {
        free(one.path);
        return rc;
    }
    keep(&one, changes);
    return 0;
}

int brood_module_of(brood_module *out, brood_arena *arena, const void *address)
{
    int rc = learn_program();

    if (rc) {
        return rc;
    }
    rc = spans(&program, address) ? describe_program(out, arena)
                                  : describe_library(out, arena, address);
    if (rc == 0 && !brood_os_module_executable(
                       &out->os, (uint64_t)((uintptr_t)address - (uintptr_t)out->os.base))) {
        rc = fail_no_code(address, &out->os);
    }
    return rc;
}

int brood_module_program_path(brood_view *out, brood_arena *arena)
{
    brood_module module;
    int rc = learn_program();

    if (rc == 0) {
        rc = describe_program(&module, arena);
    }
    if (rc == 0) {
        *out = module.path;
    }
    return rc;
}

/* ---- from an identity to a module ---- */

typedef struct search {
    brood_view identity;
    brood_view path;
    uint64_t changes; /* of the loader, before the modules were listed */
    known found;      /* the best so far */
    size_t count;
} search;

static bool has_path(const brood_os_module *module, brood_view wanted)
{
    char *path = NULL;
    bool same = false;

    if (wanted.size > 0 && brood_os_module_path(&path, module) == 0) {
        same = strlen(path) == wanted.size && memcmp(path, wanted.data, wanted.size) == 0;
        free(path);
    }
    return same;
}

static bool recall_hash(known *one, uint64_t changes)
{
    const known *there;

    brood_locks_take(BROOD_LOCK_MODULES);
    forget_if_changed(changes);
    there = recall(one->os.base);
    if (there != NULL) {
        one->identity = there->identity;
    }
    brood_locks_give(BROOD_LOCK_MODULES);
    return there != NULL;
}

/* Code is hashed once, also if it is not what is looked for: there may be many references to what
 * is not here. */
static int identify_listed(known *one, uint64_t changes)
{
    const bool hashed = one->os.identity_size == 0;
    int rc = 0;

    if (hashed && recall_hash(one, changes)) {
        return 0;
    }
    rc = identify_module(&one->identity, &one->os);
    if (rc == 0 && hashed) {
        keep(one, changes);
    }
    return rc;
}

/* The program itself is none of them: it is known already. */
static void consider(search *s, const brood_os_module *module)
{
    known one;

    memset(&one, 0, sizeof one);
    one.os = *module;
    if (module->is_main || identify_listed(&one, s->changes) != 0 ||
        !is_same(&one.identity, s->identity)) {
        return;
    }
    s->count++;
    if (s->count == 1 || has_path(module, s->path)) {
        s->found = one;
    }
}

/* Ids of the linker cost nothing to compare; code is hashed only when none of them fits and the
 * wanted identity can be a hash. */
static void search_list(search *s, const brood_os_module *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].identity_size > 0) {
            consider(s, &list[i]);
        }
    }
    for (size_t i = 0; i < count && s->identity.size == HASH_SIZE && s->count == 0; i++) {
        if (list[i].identity_size == 0 && has_path(&list[i], s->path)) {
            consider(s, &list[i]);
        }
    }
    if (s->count > 0 || s->identity.size != HASH_SIZE) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (list[i].identity_size == 0) {
            consider(s, &list[i]);
        }
    }
}

static bool recall_identity(brood_os_module *out, brood_view wanted, uint64_t changes)
{
    bool found = false;

    brood_locks_take(BROOD_LOCK_MODULES);
    forget_if_changed(changes);
    for (size_t i = 0; i < library_count && !found; i++) {
        if (libraries[i].only && is_same(&libraries[i].identity, wanted)) {
            *out = libraries[i].os;
            found = true;
        }
    }
    brood_locks_give(BROOD_LOCK_MODULES);
    return found;
}

int brood_module_find(brood_os_module *out, brood_view identity, brood_view path, bool *found)
{
    const uint64_t changes = brood_os_module_changes();
    search s;
    brood_os_module *list = NULL;
    size_t count = 0;
    int rc = learn_program();

    if (rc) {
        return rc;
    }
    *found = true;
    if (is_same(&program.identity, identity)) {
        *out = program.os;
        return 0;
    }
    if (recall_identity(out, identity, changes)) {
        return 0;
    }
    rc = brood_os_module_list(&list, &count);
    if (rc) {
        return rc;
    }
    memset(&s, 0, sizeof s);
    s.identity = identity;
    s.path = path;
    s.changes = changes;
    search_list(&s, list, count);
    free(list);
    *found = s.count > 0;
    if (*found) {
        *out = s.found.os;
        s.found.only = s.count == 1 && s.found.os.identity_size > 0;
        keep(&s.found, changes);
    }
    return 0;
}

/* ---- loading ---- */

/* Whatever the system said: here it means that the function cannot be had. */
static int fail_load(const char *words)
{
    const brood_failure *last = brood_last_error();

    if (last->error == BROOD_ENOMEM) {
        return BROOD_ENOMEM;
    }
    return brood_fail_system(BROOD_EMODULE, last->system_code,
                             "the library %s, which has the function, cannot be loaded: %s", words,
                             last->message);
}

static int fail_replaced(const char *words)
{
    return brood_fail(
        BROOD_EMODULE,
        "the library %s is another build than the one that the function is in: it was "
        "replaced meanwhile",
        words);
}

static int load_path(const char *path, brood_view wanted, const char *words)
{
    brood_os_image image;
    module_id there;
    int rc = brood_os_image_open(&image, path);

    if (rc) {
        return fail_load(words);
    }
    rc = identify_image(&there, &image);
    if (rc) {
        rc = fail_load(words);
    } else if (!is_same(&there, wanted)) {
        rc = fail_replaced(words);
    } else if (brood_os_image_load(&image, path) != 0) {
        rc = fail_load(words);
    }
    brood_os_image_close(&image);
    return rc;
}

int brood_module_load(brood_os_module *out, brood_view identity, brood_view path)
{
    char room[BROOD_MODULE_WORDS];
    const char *words = brood_module_words(room, path);
    char *copy = NULL;
    bool found = false;
    int rc;

    if (path.size == 0 || memchr(path.data, 0, path.size) != NULL) {
        return brood_fail(BROOD_EMODULE, "the function's library is not loaded here, and has no "
                                         "file from which it could be");
    }
    copy = BROOD_ALLOC(malloc(path.size + 1));
    if (copy == NULL) {
        return brood_fail_nomem("a library's path");
    }
    memcpy(copy, path.data, path.size);
    copy[path.size] = '\0';
    rc = load_path(copy, identity, words);
    free(copy);
    if (rc == 0) {
        rc = brood_module_find(out, identity, path, &found);
    }
    if (rc == 0 && !found) {
        rc = fail_replaced(words);
    }
    return rc;
}

/* ---- words ---- */

const char *brood_module_words(char *room, brood_view path)
{
    static const char cut[] = "...";
    const unsigned char *from = path.data;
    size_t left = path.size;
    char *to = room;

    if (left > BROOD_MODULE_WORDS - 1) {
        from += left - (BROOD_MODULE_WORDS - sizeof cut);
        left = BROOD_MODULE_WORDS - sizeof cut;
        memcpy(to, cut, sizeof cut - 1);
        to += sizeof cut - 1;
    }
    while (left > 0) {
        uint32_t point = 0;
        const size_t size = brood_utf8_next(from, left, &point);
        const size_t step = size > 0 ? size : 1;
        if (size == 0 || point < ' ' || point == 0x7f) {
            *to++ = '?';
        } else {
            memcpy(to, from, size);
            to += size;
        }
        from += step;
        left -= step;
    }
    *to = '\0';
    return room;
}

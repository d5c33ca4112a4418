/* Modules by their identity: what the linker left in them, or else BLAKE2b-256 of their code. */
#ifndef BROOD_SRC_MODULE_H
#define BROOD_SRC_MODULE_H

#include "arena.h"
#include "platform.h"

/// brood_module is a module with what finds it in another process. The views live in the arena or
/// for ever.
typedef struct brood_module {
    brood_os_module os;
    brood_view identity;
    brood_view path; /* empty: it has no file that can be opened */
} brood_module;

/// brood_module_of finds the module that has `address` in its code. BROOD_EMODULE, in words, if none
/// has.
int brood_module_of(brood_module *out, brood_arena *arena, const void *address);

/// brood_module_program_path sets `*out` to the path of this program's file.
int brood_module_program_path(brood_view *out, brood_arena *arena);

/// brood_module_find looks for a loaded module with this identity, the one with this path if there
/// are several, and sets `*found`.
int brood_module_find(brood_os_module *out, brood_view identity, brood_view path, bool *found);

/// brood_module_load loads the library at `path`, unless its identity is another: nothing of it runs
/// then. BROOD_EMODULE, in words, if it cannot be loaded or is another one.
int brood_module_load(brood_os_module *out, brood_view identity, brood_view path);

/// brood_module_words makes a path fit for a message: one line of UTF-8, the end of a long one.
/// `room` has BROOD_MODULE_WORDS bytes.
const char *brood_module_words(char *room, brood_view path);

#define BROOD_MODULE_WORDS 100

#endif

/* The program that spawned children run. */
#ifndef BROOD_SRC_EXECUTABLE_H
#define BROOD_SRC_EXECUTABLE_H

#include <brood/context.h>
#include <brood/value.h>

#include "arena.h"

/// brood_executable sets `*out` to a copy of what brood_set_executable chose, NULL if nothing was.
int brood_executable(const char **out, brood_arena *arena);

/// brood_executable_chosen tells whether there is one.
bool brood_executable_chosen(void);

/// brood_library_describe sets `*out` to what tells this build of the library from others.
int brood_library_describe(brood_value *out, brood_arena *arena);

/// brood_library_check compares what the parent described with the library that runs here: two of
/// them in one process would each know half. None is not checked. Errors: BROOD_EMODULE.
int brood_library_check(brood_value theirs);

#endif

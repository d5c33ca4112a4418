/* Functions travel as the identity of their module and the offset in it, see docs/design.md.
 *
 * The reference is the persistent id
 *     ("function", identity, offset, is in the program itself, path of the module, name or none)
 * with identity and path as bytes; the name is the one it was exported with. What only names an
 * exported function is ("export", name). */
#ifndef BROOD_SRC_FUNCTION_H
#define BROOD_SRC_FUNCTION_H

#include <brood/value.h>

#include "arena.h"

/// brood_function_save sets `*id` to plain data that finds `function` in another process.
/// Errors: BROOD_EMODULE for an address that is not in the code of a module.
int brood_function_save(brood_arena *arena, brood_function function, brood_value *id);

/// brood_function_load finds the function again: in the modules that are loaded; then, with
/// `may_load`, in the library that the reference tells to load; then by its name.
///
/// To load a library is to run its code. Only who has proved to be allowed to say what this process
/// runs may have it done, as in a start message. Without `may_load` nothing is loaded.
///
/// Errors: BROOD_EMODULE when the function's module is not here and cannot come, or is another
/// build; BROOD_ENOENT for a name that nobody has exported.
int brood_function_load(brood_value id, bool may_load, brood_function *function);

/// brood_function_concerns tells whether `id` is a reference to a function.
bool brood_function_concerns(brood_value id);

#endif

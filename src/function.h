/* Functions travel as the identity of their module and the offset in it. */
#ifndef BROOD_SRC_FUNCTION_H
#define BROOD_SRC_FUNCTION_H

#include <brood/value.h>

#include "arena.h"

/// brood_function_save sets `*id` to plain data that finds `function` in another process of this
/// program. Errors: BROOD_EMODULE for a function outside the program itself.
int brood_function_save(brood_arena *arena, brood_function function, brood_value *id);

/// brood_function_load finds the function again. Errors: BROOD_EMODULE when the program differs.
int brood_function_load(brood_value id, brood_function *function);

#endif

/* The names that functions were exported with. */
#ifndef BROOD_SRC_FUNCTION_NAME_H
#define BROOD_SRC_FUNCTION_NAME_H

#include <brood/function.h>

/// brood_function_find returns the function that was exported as `name`, or NULL.
brood_function brood_function_find(brood_view name);

/// brood_function_name returns the first name of a function, or NULL. It lives as long as the
/// process.
const char *brood_function_name(brood_function function);

#endif

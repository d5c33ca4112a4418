/* Arguments as a program lists them: positional ones, then named ones. */
#ifndef BROOD_SRC_ARGUMENTS_H
#define BROOD_SRC_ARGUMENTS_H

#include <brood/pack.h>

/// brood_args_split sets `*positional` to how many come before the named ones. Errors: BROOD_EARGS
/// for another order, BROOD_EINVAL.
int brood_args_split(const brood_args *args, size_t *positional);

/// brood_args_named sets `*out` (malloc'ed) to the names and values of the named ones in turn, as a
/// dict has them.
int brood_args_named(brood_value **out, const brood_args *args, size_t positional);

#endif

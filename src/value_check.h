/* What callers can get wrong about a value. */
#ifndef BROOD_SRC_VALUE_CHECK_H
#define BROOD_SRC_VALUE_CHECK_H

#include <brood/value.h>

/// brood_value_check looks at `value` itself, not at its items: BROOD_EINVAL for a named argument
/// that is not in BROOD_ARGS, items or bytes at NULL, a key without a value, or an unknown kind.
int brood_value_check(const brood_value *value);

#endif

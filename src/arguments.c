#include "arguments.h"

#include <stdlib.h>

#include "error.h"
#include "fault.h"

int brood_args_split(const brood_args *args, size_t *positional)
{
    const size_t count = args != NULL ? args->count : 0;
    size_t n = 0;

    if (count > 0 && args->items == NULL) {
        return brood_fail(BROOD_EINVAL, "%zu arguments at NULL", count);
    }
    while (n < count && (args->items[n].flags & BROOD_VALUE_NAMED) == 0) {
        n++;
    }
    for (size_t i = n; i < count; i++) {
        if ((args->items[i].flags & BROOD_VALUE_NAMED) == 0) {
            return brood_fail(BROOD_EARGS, "argument %zu follows a named one: named ones come last",
                              i + 1);
        }
    }
    *positional = n;
    return 0;
}

int brood_args_named(brood_value **out, const brood_args *args, size_t positional)
{
    const size_t count = args != NULL ? args->count - positional : 0;
    brood_value *items = BROOD_ALLOC(malloc((count * 2 + 1) * sizeof *items));

    if (items == NULL) {
        return brood_fail_nomem("named arguments");
    }
    for (size_t i = 0; i < count; i++) {
        items[2 * i] = args->items[positional + i].as.items[0];
        items[2 * i + 1] = args->items[positional + i].as.items[1];
    }
    *out = items;
    return 0;
}

#include "object.h"

#include <brood/connection.h>

const char *brood_kind_name(int kind)
{
    static const char *const names[] = {
        [BROOD_NONE] = "none",
        [BROOD_BOOL] = "bool",
        [BROOD_INT] = "int",
        [BROOD_UINT] = "int", /* one type to whoever reads the words */
        [BROOD_FLOAT] = "float",
        [BROOD_STR] = "str",
        [BROOD_BYTES] = "bytes",
        [BROOD_LIST_KIND] = "list",
        [BROOD_TUPLE_KIND] = "tuple",
        [BROOD_DICT_KIND] = "dict",
        [BROOD_FUNCTION] = "function",
        [BROOD_CONNECTION] = "connection",
    };

    if (kind < 0 || (size_t)kind >= sizeof names / sizeof names[0]) {
        return "unknown kind";
    }
    return names[kind];
}

bool brood_kind_is_object(int kind)
{
    return kind == BROOD_CONNECTION;
}

void brood_object_ref(brood_value value)
{
    if (value.kind == BROOD_CONNECTION) {
        (void)brood_connection_ref(value.as.object);
    }
}

void brood_object_free(brood_value value)
{
    if (value.kind == BROOD_CONNECTION) {
        brood_connection_free(value.as.object);
    }
}

#include "value_check.h"

#include "error.h"
#include "object.h"

int brood_value_check(const brood_value *value)
{
    if ((value->flags & BROOD_VALUE_NAMED) != 0) {
        return brood_fail(BROOD_EINVAL, "a named argument can only be in BROOD_ARGS");
    }
    switch (value->kind) {
    case BROOD_STR:
    case BROOD_BYTES:
    case BROOD_LIST_KIND:
    case BROOD_TUPLE_KIND:
    case BROOD_DICT_KIND:
        if (value->size > 0 && value->as.data == NULL) {
            return brood_fail(BROOD_EINVAL, "%s of size %llu at NULL", brood_kind_a(value->kind),
                              (unsigned long long)value->size);
        }
        if (value->kind == BROOD_DICT_KIND && value->size % 2 != 0) {
            return brood_fail(BROOD_EINVAL, "a dict has a key without a value");
        }
        return 0;
    case BROOD_RESULT:
    case BROOD_RESULTS:
        return brood_fail(BROOD_EINVAL, "what a pool's tasks give can be waited for, not sent");
    default:
        if (value->kind > BROOD_FUNCTION && !brood_kind_is_object(value->kind)) {
            return brood_fail(BROOD_EINVAL, "not a value: its kind is %d", value->kind);
        }
        return 0;
    }
}

#include <brood/value.h>

static bool has_items(brood_value value)
{
    return value.kind == BROOD_LIST_KIND || value.kind == BROOD_TUPLE_KIND ||
           value.kind == BROOD_DICT_KIND;
}

int64_t brood_as_int(brood_value value, int64_t fallback)
{
    return value.kind == BROOD_INT || value.kind == BROOD_BOOL ? value.as.i64 : fallback;
}

uint64_t brood_as_uint(brood_value value, uint64_t fallback)
{
    if (value.kind == BROOD_UINT || value.kind == BROOD_BOOL ||
        (value.kind == BROOD_INT && value.as.i64 >= 0)) {
        return value.as.u64;
    }
    return fallback;
}

double brood_as_float(brood_value value, double fallback)
{
    switch (value.kind) {
    case BROOD_FLOAT:
        return value.as.f64;
    case BROOD_INT:
        return (double)value.as.i64;
    case BROOD_UINT:
        return (double)value.as.u64;
    default:
        return fallback;
    }
}

bool brood_as_bool(brood_value value, bool fallback)
{
    if ((value.kind == BROOD_BOOL || value.kind == BROOD_INT) &&
        (value.as.i64 == 0 || value.as.i64 == 1)) {
        return value.as.i64 == 1;
    }
    return fallback;
}

const char *brood_as_str(brood_value value, const char *fallback)
{
    if (value.kind != BROOD_STR || memchr(value.as.data, 0, (size_t)value.size) != NULL) {
        return fallback;
    }
    return value.as.data;
}

brood_view brood_as_view(brood_value value)
{
    brood_view view = {NULL, 0};

    if (value.kind == BROOD_STR || value.kind == BROOD_BYTES) {
        view.data = value.as.data;
        view.size = (size_t)value.size;
    }
    return view;
}

size_t brood_value_count(brood_value value)
{
    if (!has_items(value)) {
        return 0;
    }
    return (size_t)(value.kind == BROOD_DICT_KIND ? value.size / 2 : value.size);
}

brood_value brood_value_at(brood_value value, size_t index)
{
    if (index >= brood_value_count(value)) {
        return brood_none();
    }
    return value.as.items[value.kind == BROOD_DICT_KIND ? index * 2 + 1 : index];
}

brood_value brood_value_key(brood_value dict, size_t index)
{
    if (dict.kind != BROOD_DICT_KIND || index >= brood_value_count(dict)) {
        return brood_none();
    }
    return dict.as.items[index * 2];
}

brood_value brood_value_get(brood_value dict, const char *key)
{
    size_t size = 0;

    if (dict.kind != BROOD_DICT_KIND || key == NULL) {
        return brood_none();
    }
    size = strlen(key);
    for (size_t i = brood_value_count(dict); i > 0; i--) {
        const brood_value *pair = &dict.as.items[2 * (i - 1)];
        if (pair->kind == BROOD_STR && pair->size == size &&
            (size == 0 || memcmp(pair->as.data, key, size) == 0)) {
            return pair[1];
        }
    }
    return brood_none();
}

#include "options.h"

#include <stdio.h>
#include <string.h>

#include "error.h"

int brood_struct_read(void *out, size_t size, const void *given, const char *type)
{
    const unsigned char *bytes = given;
    size_t given_size;

    memset(out, 0, size);
    memcpy(&given_size, bytes, sizeof given_size);
    if (given_size < sizeof given_size) {
        return brood_fail(BROOD_EINVAL, "%s without its size", type);
    }
    for (size_t i = size; i < given_size; i++) {
        if (bytes[i] != 0) {
            return brood_fail(BROOD_EINVAL, "%s has a field that this version does not know", type);
        }
    }
    memcpy(out, bytes, given_size < size ? given_size : size);
    memcpy(out, &size, sizeof size);
    return 0;
}

int brood_options_read(void *out, size_t size, const void *options, const char *name)
{
    char type[64];
    size_t given;

    if (options == NULL) {
        memset(out, 0, size);
        memcpy(out, &size, sizeof size);
        return 0;
    }
    memcpy(&given, options, sizeof given);
    if (given < sizeof given) {
        return brood_fail(BROOD_EINVAL, "brood_%s_options without its size: use BROOD_OPTIONS(%s)",
                          name, name);
    }
    (void)snprintf(type, sizeof type, "brood_%s_options", name);
    return brood_struct_read(out, size, options, type);
}

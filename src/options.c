#include "options.h"

#include <string.h>

#include "error.h"

int brood_options_read(void *out, size_t size, const void *options, const char *name)
{
    const unsigned char *bytes = options;
    size_t given;

    memset(out, 0, size);
    if (options == NULL) {
        memcpy(out, &size, sizeof size);
        return 0;
    }
    memcpy(&given, bytes, sizeof given);
    if (given < sizeof given) {
        return brood_fail(BROOD_EINVAL, "brood_%s_options without its size: use BROOD_OPTIONS(%s)",
                          name, name);
    }
    for (size_t i = size; i < given; i++) {
        if (bytes[i] != 0) {
            return brood_fail(BROOD_EINVAL,
                              "brood_%s_options has a field that this version does not know", name);
        }
    }
    memcpy(out, bytes, given < size ? given : size);
    memcpy(out, &size, sizeof size);
    return 0;
}

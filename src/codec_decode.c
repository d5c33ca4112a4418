#include "codec.h"

#include "codec_node.h"

int brood_codec_decode(const void *data, size_t size, const brood_loader *loader,
                       brood_arena *arena, brood_value *out)
{
    brood_arena scratch = BROOD_ARENA_NONE;
    brood_codec_counts counts;
    brood_value value;
    int rc = brood_codec_scan(data, size, &counts);

    if (rc != 0) {
        return rc;
    }
    rc = brood_codec_build(data, &counts, loader, arena, &scratch, &value);
    if (rc == 0 && brood_codec_is_container(value)) {
        rc = brood_codec_check(&value, size, arena);
    }
    if (rc == 0) {
        *out = value;
    }
    brood_arena_release(&scratch);
    return rc;
}

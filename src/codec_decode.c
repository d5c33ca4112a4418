#include "codec.h"

#include "codec_node.h"

#define HEAD_SIZE 2 /* PROTO and its number */

static int decode(brood_codec_reader *in, size_t size, const brood_loader *loader, brood_value *out)
{
    brood_arena scratch = BROOD_ARENA_NONE;
    brood_codec_counts counts;
    brood_value value;
    int rc = brood_codec_scan(in->data, size, &counts);

    if (rc != 0) {
        return rc;
    }
    in->at = in->data + HEAD_SIZE;
    in->early = counts.ids > 0; /* loaders read strs */
    rc = brood_codec_build(in, &counts, loader, &scratch, &value);
    if (rc == 0 && brood_codec_is_container(value)) {
        rc = brood_codec_check(&value, size, in->arena);
    }
    for (const brood_codec_place *end = in->ends; rc == 0 && end != NULL; end = end->next) {
        *end->at = '\0';
    }
    if (rc == 0) {
        *out = value;
    }
    brood_arena_release(&scratch);
    return rc;
}

int brood_codec_decode(const void *data, size_t size, const brood_loader *loader,
                       brood_arena *arena, brood_value *out)
{
    brood_codec_reader in = {data, data, NULL, arena, false, NULL};

    return decode(&in, size, loader, out);
}

int brood_codec_decode_in_place(void *data, size_t size, const brood_loader *loader,
                                brood_arena *arena, brood_value *out)
{
    brood_codec_reader in = {data, data, data, arena, false, NULL};

    return decode(&in, size, loader, out);
}

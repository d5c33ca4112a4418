/* The memory that decoding takes: a few opcodes, repeated until what one of them costs weighs more
 * than what any decoding costs. */
#include "memory.h"

#include <string.h>

#include <brood.h>

#include "codec.h"

#define REPEATED ((size_t)128 * 1024)

#define IN_LIST 1  /* bits of the first byte: items of a list, not of tuples; */
#define WITH_IDS 2 /* persistent ids are objects, not refused */
#define OPEN 4     /* what is above MARK stays there: the stack grows, then decoding fails */

static int load(void *user, brood_arena *arena, brood_value id, brood_value *object)
{
    (void)arena;
    FUZZ_CHECK(id.kind <= BROOD_BYTES || id.kind == BROOD_TUPLE_KIND);
    *object = brood_object_(BROOD_CONNECTION, user);
    return 0;
}

static void check_decode(const uint8_t *data, size_t size, bool with_ids)
{
    static int any;
    const brood_loader loader = {load, &any};
    brood_arena arena = BROOD_ARENA_NONE;
    brood_value value;
    int rc = 0;

    fuzz_memory_start();
    rc = brood_codec_decode(data, size, with_ids ? &loader : NULL, &arena, &value);
    FUZZ_CHECK(rc == 0 || rc == BROOD_EDECODE || rc == BROOD_ERANGE);
    FUZZ_CHECK(fuzz_memory_most() <= FUZZ_DECODE_MAX(size));
    brood_arena_release(&arena);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    fuzz_memory_init();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bytes[REPEATED + 8];
    fuzz_input input = {data, size};
    const uint8_t way = fuzz_take(&input);
    const char *begins = (way & IN_LIST) != 0 ? "\x80\5](" : "\x80\5((";
    const char *ends = (way & IN_LIST) != 0 ? "e." : "tt.";
    size_t at = strlen(begins);

    if (input.size == 0) {
        return 0;
    }
    memcpy(bytes, begins, at);
    for (; at + input.size <= REPEATED; at += input.size) {
        memcpy(bytes + at, input.data, input.size);
    }
    ends += (way & OPEN) != 0 ? strlen(ends) - 1 : 0;
    memcpy(bytes + at, ends, strlen(ends));
    check_decode(bytes, at + strlen(ends), (way & WITH_IDS) != 0);
    return 0;
}

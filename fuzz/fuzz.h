/* What the fuzzers have in common. */
#ifndef BROOD_FUZZ_FUZZ_H
#define BROOD_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* An assertion that is there in every build. */
#define FUZZ_CHECK(condition) ((condition) ? (void)0 : fuzz_fail_at(#condition, __FILE__, __LINE__))

static inline void fuzz_fail_at(const char *condition, const char *file, int line)
{
    (void)fprintf(stderr, "%s:%d: not true: %s\n", file, line, condition);
    abort();
}

/* Bytes that are taken from the front; 0 when there are none left. */
typedef struct fuzz_input {
    const uint8_t *data;
    size_t size;
} fuzz_input;

static inline uint8_t fuzz_take(fuzz_input *input)
{
    if (input->size == 0) {
        return 0;
    }
    input->size--;
    return *input->data++;
}

/* libFuzzer calls these. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif

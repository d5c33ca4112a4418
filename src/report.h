/* What a child leaves for its parent at the end: how its function ended, words, and the result.
 *
 * Numbers are big-endian:  0 4 "brpt"   4 4 what the function returned   8 4 bytes of words
 *                          12 4 0                                        16 words, then the result */
#ifndef BROOD_SRC_REPORT_H
#define BROOD_SRC_REPORT_H

#include <stddef.h>

#include <brood/base.h>

#include "error.h"

#define BROOD_REPORT_HEAD 16

typedef struct brood_report {
    int code; /* 0, 1 to 255, or a brood_error */
    char words[BROOD_WORDS_SIZE];
    brood_view result; /* encoded; empty: none */
} brood_report;

/// brood_report_write writes head and words, and returns their size.
size_t brood_report_write(unsigned char out[BROOD_REPORT_HEAD + BROOD_WORDS_SIZE],
                          const brood_report *report);

/// brood_report_read reads a report; the result is borrowed from `data`. Errors: BROOD_EDECODE for
/// bytes that are no report.
int brood_report_read(brood_report *out, const void *data, size_t size);

#endif

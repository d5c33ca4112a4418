#include "report.h"

#include <string.h>

#include "bytes.h"

#define MAGIC 0x62727074u /* "brpt" */
#define AT_CODE 4
#define AT_WORDS_SIZE 8
#define AT_ZERO 12

size_t brood_report_write(unsigned char out[BROOD_REPORT_HEAD + BROOD_WORDS_SIZE],
                          const brood_report *report)
{
    const size_t words_size = strlen(report->words);

    memset(out, 0, BROOD_REPORT_HEAD);
    brood_put_be32(out, MAGIC);
    brood_put_be32(out + AT_CODE, (uint32_t)report->code);
    brood_put_be32(out + AT_WORDS_SIZE, (uint32_t)words_size);
    memcpy(out + BROOD_REPORT_HEAD, report->words, words_size);
    return BROOD_REPORT_HEAD + words_size;
}

static bool valid_code(int64_t code)
{
    return (code >= 0 && code <= 255) || (code <= BROOD_EINVAL && code >= -9999);
}

int brood_report_read(brood_report *out, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    int64_t code;
    uint32_t words_size;

    if (size < BROOD_REPORT_HEAD || brood_get_be32(bytes) != MAGIC) {
        return brood_fail(BROOD_EDECODE, "what the child left is no report");
    }
    code = (int64_t)brood_get_be32(bytes + AT_CODE);
    code = code > INT32_MAX ? code - ((int64_t)1 << 32) : code;
    words_size = brood_get_be32(bytes + AT_WORDS_SIZE);
    if (!valid_code(code) || brood_get_be32(bytes + AT_ZERO) != 0 ||
        words_size >= BROOD_WORDS_SIZE || words_size > size - BROOD_REPORT_HEAD) {
        return brood_fail(BROOD_EDECODE, "the child's report is damaged");
    }
    out->code = (int)code;
    memcpy(out->words, bytes + BROOD_REPORT_HEAD, words_size);
    out->words[words_size] = '\0';
    out->result.data = bytes + BROOD_REPORT_HEAD + words_size;
    out->result.size = size - BROOD_REPORT_HEAD - words_size;
    return 0;
}

/* What a child and its parent read of each other: start records with their signature, and reports.
 * Each answer is compared with a second implementation's. */
#include "fuzz.h"

#include <sodium.h>
#include <string.h>

#include <brood.h>

#include "bootstrap.h"
#include "report.h"

#define HEAD 64 /* what the tag covers of a record, the key included */

static uint64_t number_at(const uint8_t *data, size_t at, size_t size)
{
    uint64_t x = 0;

    for (size_t i = at; i < at + size; i++) {
        x = x << 8 | data[i];
    }
    return x;
}

/* ---- records ---- */

static bool has_form(const uint8_t *record, size_t size, uint32_t handle_count)
{
    return size == BROOD_RECORD_SIZE && memcmp(record, "brood bs\0\0\0\1\0\0\0\0", 16) == 0 &&
           number_at(record, 48, 8) != 0 && number_at(record, 56, 4) == 0 &&
           number_at(record, 60, 4) == handle_count;
}

static bool has_tag(const uint8_t *record, const uint8_t *body, size_t size)
{
    uint8_t *covered = malloc(32 + size);
    unsigned char tag[32];

    FUZZ_CHECK(covered != NULL);
    memcpy(covered, record, 16);
    memcpy(covered + 16, record + 48, 16);
    memcpy(covered + 32, body, size);
    FUZZ_CHECK(crypto_generichash(tag, sizeof tag, covered, 32 + size, record + 16, 32) == 0);
    free(covered);
    return memcmp(tag, record + HEAD, sizeof tag) == 0;
}

/* As the child does it: form, then body, then signature. */
static bool accepts(const uint8_t *record, size_t record_size, uint32_t handle_count,
                    const uint8_t *body, size_t size)
{
    uint64_t announced = 99;
    int rc = brood_record_body_size(record, record_size, handle_count, &announced);

    FUZZ_CHECK((rc == 0) == has_form(record, record_size, handle_count));
    if (rc != 0) {
        FUZZ_CHECK(rc == BROOD_EAUTH && announced == 99);
        return false;
    }
    FUZZ_CHECK(announced == number_at(record, 48, 8));
    if (announced != size) {
        return false;
    }
    rc = brood_record_verify(record, body, size);
    FUZZ_CHECK((rc == 0) == has_tag(record, body, size));
    FUZZ_CHECK(rc == 0 || rc == BROOD_EAUTH);
    return rc == 0;
}

static void check_any_record(const uint8_t *data, size_t size)
{
    const size_t record_size = size < BROOD_RECORD_SIZE ? size : BROOD_RECORD_SIZE;
    const uint8_t *body = data + record_size;
    const uint32_t handle_count = size >= BROOD_RECORD_SIZE ? (uint32_t)number_at(data, 60, 4) : 0;

    (void)accepts(data, record_size, handle_count, body, size - record_size);
    FUZZ_CHECK(!accepts(data, record_size, handle_count + 1, body, size - record_size));
    if (size > record_size) {
        (void)accepts(data, size, handle_count, body, size - record_size);
    }
}

/* A record that is right, and the same with one bit changed, in it or in its body. */
static void check_signed(const uint8_t *data, size_t size)
{
    uint8_t record[BROOD_RECORD_SIZE];
    fuzz_input input = {data, size};
    const uint32_t handle_count = fuzz_take(&input);
    size_t at = fuzz_take(&input);
    uint8_t bit = 0;
    uint8_t *body = NULL;

    at = at << 8 | fuzz_take(&input);
    if (input.size == 0) {
        return;
    }
    bit = (uint8_t)(1u << (at & 7));
    at = (at >> 3) % (BROOD_RECORD_SIZE + input.size);
    body = malloc(input.size);
    FUZZ_CHECK(body != NULL);
    memcpy(body, input.data, input.size);

    brood_record_sign(record, body, input.size, handle_count);
    FUZZ_CHECK(accepts(record, sizeof record, handle_count, body, input.size));
    FUZZ_CHECK(!accepts(record, sizeof record - 1, handle_count, body, input.size));
    FUZZ_CHECK(!accepts(record, sizeof record, handle_count, body, input.size - 1));
    if (at < BROOD_RECORD_SIZE) {
        record[at] ^= bit;
    } else {
        body[at - BROOD_RECORD_SIZE] ^= bit;
    }
    FUZZ_CHECK(!accepts(record, sizeof record, handle_count, body, input.size));
    free(body);
}

/* ---- reports ---- */

static bool is_code(int64_t code)
{
    return (code >= 0 && code <= 255) || (code <= -1001 && code >= -9999);
}

/* Words end at their zero byte when they are written, so those with one inside come out shorter. */
static void check_written_again(const brood_report *report, const uint8_t *data)
{
    unsigned char written[BROOD_REPORT_HEAD + BROOD_WORDS_SIZE];
    const size_t size = brood_report_write(written, report);
    const size_t words_size = number_at(data, 8, 4);
    brood_report again;

    FUZZ_CHECK(size == BROOD_REPORT_HEAD + strlen(report->words));
    FUZZ_CHECK(memcmp(written, data, 8) == 0);
    FUZZ_CHECK(memcmp(written + 12, data + 12, 4) == 0);
    FUZZ_CHECK(
        memcmp(written + BROOD_REPORT_HEAD, data + BROOD_REPORT_HEAD, strlen(report->words)) == 0);
    FUZZ_CHECK(strlen(report->words) <= words_size);
    FUZZ_CHECK(brood_report_read(&again, written, size) == 0);
    FUZZ_CHECK(again.code == report->code && strcmp(again.words, report->words) == 0);
    FUZZ_CHECK(again.result.size == 0);
}

static void check_report(const uint8_t *data, size_t size)
{
    brood_report report;
    int64_t code = size >= 8 ? (int64_t)number_at(data, 4, 4) : 0;
    uint64_t words_size = size >= 12 ? number_at(data, 8, 4) : 0;
    int rc = brood_report_read(&report, data, size);

    code -= code >= INT64_C(0x80000000) ? INT64_C(0x100000000) : 0;
    if (size < 16 || memcmp(data, "brpt", 4) != 0 || !is_code(code) ||
        number_at(data, 12, 4) != 0 || words_size >= BROOD_WORDS_SIZE || words_size > size - 16) {
        FUZZ_CHECK(rc == BROOD_EDECODE);
        return;
    }
    FUZZ_CHECK(rc == 0);
    FUZZ_CHECK(report.code == code);
    FUZZ_CHECK(memcmp(report.words, data + 16, words_size) == 0);
    FUZZ_CHECK(report.words[words_size] == 0);
    FUZZ_CHECK(report.result.size == size - 16 - words_size);
    FUZZ_CHECK((const uint8_t *)report.result.data == data + 16 + words_size);
    check_written_again(&report, data);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    FUZZ_CHECK(sodium_init() >= 0);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_any_record(data, size);
    check_signed(data, size);
    check_report(data, size);
    return 0;
}

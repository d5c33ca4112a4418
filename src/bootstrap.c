#include "bootstrap.h"

#include <sodium.h>
#include <string.h>

#include "bytes.h"
#include "error.h"

#define MAGIC "brood bs"
#define MAGIC_SIZE 8
#define VERSION 1

#define AT_VERSION 8
#define AT_FLAGS 12
#define AT_KEY 16
#define AT_BODY_SIZE 48
#define AT_ZERO 56
#define AT_HANDLES 60
#define AT_TAG 64

#define KEY_SIZE 32
#define TAG_SIZE 32

static void compute_tag(unsigned char tag[TAG_SIZE], const unsigned char *record, const void *body,
                        uint64_t size)
{
    crypto_generichash_state state;

    (void)crypto_generichash_init(&state, record + AT_KEY, KEY_SIZE, TAG_SIZE);
    (void)crypto_generichash_update(&state, record, AT_KEY);
    (void)crypto_generichash_update(&state, record + AT_BODY_SIZE, AT_TAG - AT_BODY_SIZE);
    (void)crypto_generichash_update(&state, body, size);
    (void)crypto_generichash_final(&state, tag, TAG_SIZE);
    sodium_memzero(&state, sizeof state);
}

void brood_record_sign(unsigned char record[BROOD_RECORD_SIZE], const void *body, uint64_t size,
                       uint32_t handle_count)
{
    memset(record, 0, BROOD_RECORD_SIZE);
    memcpy(record, MAGIC, MAGIC_SIZE);
    brood_put_be32(record + AT_VERSION, VERSION);
    randombytes_buf(record + AT_KEY, KEY_SIZE);
    brood_put_be64(record + AT_BODY_SIZE, size);
    brood_put_be32(record + AT_HANDLES, handle_count);
    compute_tag(record + AT_TAG, record, body, size);
}

int brood_record_body_size(const unsigned char *record, size_t record_size, uint32_t handle_count,
                           uint64_t *size)
{
    uint64_t body;

    if (record_size < AT_FLAGS || memcmp(record, MAGIC, MAGIC_SIZE) != 0) {
        return brood_fail(BROOD_EAUTH, "the start record is not brood's");
    }
    if (brood_get_be32(record + AT_VERSION) != VERSION) {
        return brood_fail(BROOD_EAUTH, "the start record has version %u, this library reads %d",
                          (unsigned)brood_get_be32(record + AT_VERSION), VERSION);
    }
    if (record_size != BROOD_RECORD_SIZE) {
        return brood_fail(BROOD_EAUTH, "the start record has %zu bytes instead of %d", record_size,
                          BROOD_RECORD_SIZE);
    }
    body = brood_get_be64(record + AT_BODY_SIZE);
    if (brood_get_be32(record + AT_FLAGS) != 0 || brood_get_be32(record + AT_ZERO) != 0 ||
        body == 0 || body > SIZE_MAX) {
        return brood_fail(BROOD_EAUTH, "the start record has impossible fields");
    }
    if (brood_get_be32(record + AT_HANDLES) != handle_count) {
        return brood_fail(BROOD_EAUTH, "the start record announces %u handles, %u came",
                          (unsigned)brood_get_be32(record + AT_HANDLES), (unsigned)handle_count);
    }
    *size = body;
    return 0;
}

int brood_record_verify(const unsigned char *record, const void *body, uint64_t size)
{
    unsigned char tag[TAG_SIZE];

    compute_tag(tag, record, body, size);
    if (sodium_memcmp(tag, record + AT_TAG, TAG_SIZE) != 0) {
        return brood_fail(BROOD_EAUTH, "the start message's signature is wrong: it was changed on "
                                       "its way");
    }
    return 0;
}

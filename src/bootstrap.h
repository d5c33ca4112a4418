/* The bootstrap message: what a child needs, signed.
 *
 * It has two parts. The record is small and secret and goes over a channel that only parent and
 * child can read: 96 bytes with a fresh key, the body's size and the body's tag. The body is a
 * value (codec.h) in shared memory, without secrets. The tag is keyed BLAKE2b-256 (libsodium's
 * crypto_generichash) over the record's other fields and the body; it is checked in constant time
 * before one byte of the body is decoded. Numbers are big-endian:
 *
 *      0  8  "brood bs"
 *      8  4  version, 1
 *     12  4  flags, 0
 *     16 32  key
 *     48  8  bytes of the body
 *     56  4  0
 *     60  4  number of handles that come along
 *     64 32  tag
 */
#ifndef BROOD_SRC_BOOTSTRAP_H
#define BROOD_SRC_BOOTSTRAP_H

#include <stddef.h>
#include <stdint.h>

#define BROOD_RECORD_SIZE 96

/// brood_record_sign writes a record with a fresh key for a body of `size` > 0 bytes.
void brood_record_sign(unsigned char record[BROOD_RECORD_SIZE], const void *body, uint64_t size,
                       uint32_t handle_count);

/// brood_record_body_size checks a record's form, before there is a body to check, and sets the
/// body's size. Errors: BROOD_EAUTH in words.
int brood_record_body_size(const unsigned char *record, size_t record_size, uint32_t handle_count,
                           uint64_t *size);

/// brood_record_verify checks the tag of a record that has the right form. Errors: BROOD_EAUTH.
int brood_record_verify(const unsigned char *record, const void *body, uint64_t size);

#endif

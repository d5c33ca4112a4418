/* UTF-8. */
#ifndef BROOD_SRC_UTF8_H
#define BROOD_SRC_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// brood_utf8_next returns the length of the character at `data` (`size` > 0 bytes are there) and
/// sets `*point`; 0 if the bytes are not UTF-8 (RFC 3629: no surrogates, nothing longer than it
/// needs to be).
size_t brood_utf8_next(const void *data, size_t size, uint32_t *point);

/// brood_utf8_valid tells whether all of it is UTF-8.
bool brood_utf8_valid(const void *data, size_t size);

/// brood_utf8_cut returns the largest size up to `size` that does not end within a character.
size_t brood_utf8_cut(const void *data, size_t size);

#endif

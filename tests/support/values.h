/* Values as texts and bytes, for tests. */
#pragma once

#include <brood.h>

#include <string>

#include "support/objects.h"

/// Shown is what brood_value_print writes.
std::string Shown(brood_value value);

/// Shown of a message's value; "error: WORDS" for an empty one.
std::string Shown(const Message &message);

/// Encoded is what brood_encode makes, or "error: WORDS".
std::string Encoded(brood_value value);

/// Decoded is what brood_decode makes of `bytes`, or empty.
Message Decoded(const std::string &bytes);

/// DecodeError is the code with which brood_decode refuses `bytes`, 0 if it takes them.
int DecodeError(const std::string &bytes);

/// Pickle is `opcodes` behind PROTO 4 and in front of STOP.
std::string Pickle(const std::string &opcodes);

/// Copy is a deep copy of a value, or empty.
Message Copy(brood_value value);

/// Raw is a string literal with the zero bytes in it.
template <size_t N>
std::string Raw(const char (&text)[N])
{
    return std::string(text, N - 1);
}

/// Little is a number in `size` bytes, the lowest first.
std::string Little(uint64_t x, size_t size);

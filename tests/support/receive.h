/* Receiving, and what came. */
#pragma once

#include "support/native.h"
#include "support/objects.h"

/// Receive returns the next message, or an empty one (the words are in brood_last_error).
inline Message Receive(const Connection &connection, int64_t timeout_ms = kSoon)
{
    brood_message *raw = nullptr;
    const int rc = brood_recv(connection.get(), &raw, timeout_ms);
    return Message(rc == 0 ? raw : nullptr);
}

/// ReceiveError is the code with which receiving fails, 0 if it does not.
inline int ReceiveError(const Connection &connection, int64_t timeout_ms = kSoon)
{
    brood_message *raw = nullptr;
    const int rc = brood_recv(connection.get(), &raw, timeout_ms);
    brood_message_free(raw);
    return rc;
}

/// HandleIn is the handle that is a message's value.
inline brood_handle HandleIn(const Message &message)
{
    return brood_as_handle(brood_message_value(message.get()));
}

/// Ended tells whether a pipe's writers are gone, once what they wrote was read.
inline bool Ended(const NativePipe &pipe)
{
    return NativeRead(pipe.out.get()).empty();
}

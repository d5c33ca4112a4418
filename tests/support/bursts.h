/* A sender and a receiver to try a foreign event loop with. */
#pragma once

#include <functional>

#include "objects.h"

/// ReceiveInLoop receives bursts of messages of all sizes from another thread, the way an event loop
/// does: with BROOD_NOWAIT until that says BROOD_ETIMEDOUT, then `wait` is to wait for
/// brood_waitable_handle. One that is missed makes `wait` wait for ever.
void ReceiveInLoop(const std::function<void(brood_handle)> &wait);

/* Make every step of a piece of code fail. */
#pragma once

#include <functional>

/// ForEachFault runs `body` once as it is, then with each of the fault points that this passed
/// failing once, then with each of them and all later ones failing. `body` checks what has to hold;
/// brood_fault_fired() tells it whether something was made to fail.
void ForEachFault(const std::function<void()> &body);

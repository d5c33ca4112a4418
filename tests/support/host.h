/* A program with habits of its own that uses brood: it is a child of the test, so that it upsets
 * nobody else. */
#pragma once

#include <string>

#include "support/family.h"

/// ExpectItWorks runs `host` in a child and expects it to return 0; the test is skipped if it says
/// by CHILD_NEEDS that the system does not let it be what it wants to be.
void ExpectItWorks(brood_function host);

/// CHILD_NEEDS is a condition without which a host cannot be tried here.
#define CHILD_NEEDS(call, condition)                                           \
    do {                                                                       \
        if (!(condition)) {                                                    \
            return brood_raise(call, 77, "not possible here: %s", #condition); \
        }                                                                      \
    } while (0)

/// StartsWell tells whether a child that does nothing can be started and ends well.
bool StartsWell();

/// StartsWell with arguments and a result of these bytes.
bool StartsWell(const std::string &data);

/// Nothing is a child's function that does nothing.
int Nothing(brood_call *call);

/// GiveBack returns its argument.
int GiveBack(brood_call *call);

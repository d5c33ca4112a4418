#include "support/fault.h"

#include <gtest/gtest.h>

#include "../../src/fault.h"

void ForEachFault(const std::function<void()> &body)
{
    brood_fault_arm(0, BROOD_FAULT_OFF);
    body();
    const long points = brood_fault_count();

    for (const brood_fault_mode mode : {BROOD_FAULT_ONCE, BROOD_FAULT_FROM_NOW_ON}) {
        for (long i = 0; i < points; i++) {
            SCOPED_TRACE(testing::Message()
                         << "fault point " << i << " of " << points
                         << (mode == BROOD_FAULT_ONCE ? ", once" : ", from there on"));
            brood_fault_arm(i, mode);
            body();
            brood_fault_arm(0, BROOD_FAULT_OFF);
            if (testing::Test::HasFatalFailure()) {
                return;
            }
        }
    }
}

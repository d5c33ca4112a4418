/* Whatever fails in a child, before or after its function: the parent is told. */
#include <gtest/gtest.h>

#include <string>

#include "fault.h"
#include "support/family.h"
#include "support/methods.h"
#include "support/objects.h"
#include "support/process_list.h"

namespace {

OVER_METHODS(ChildFault);

/* Returns whether a fault was met so far. */
int TellWhetherAFaultFired(brood_call *call)
{
    brood_connection *connection = nullptr;
    brood_view data = {nullptr, 0};
    const int rc = BROOD_UNPACK(call, &connection, &data);
    return rc ? rc : brood_return(call, brood_bool(brood_fault_fired()));
}

/* Starts a child whose fault point that is; whether its function met no fault and all went well. */
bool IsCleanWith(const std::string &fault, size_t size, int *failures)
{
    const std::string data(size, 'x');
    auto [mine, theirs] = Pipe();
    SetEnvironment("BROOD_TEST_FAULT", fault);
    LetForkserverGo();
    const Process child = Start(TellWhetherAFaultFired,
                                BROOD_ARGS(theirs.get(), brood_bytes(data.data(), data.size())));
    SetEnvironment("BROOD_TEST_FAULT", "");
    EXPECT_TRUE(child) << LastWords();
    Message answer;
    const int rc = Result(child, &answer);
    const std::string words = LastWords();
    int exitcode = -1;
    EXPECT_EQ(0, brood_process_exitcode(child.get(), &exitcode));
    EXPECT_TRUE(rc == 0 || (rc <= BROOD_EINVAL && words != "")) << rc;
    *failures += rc != 0;
    return rc == 0 && !brood_as_bool(brood_message_value(answer.get()), true);
}

void ExpectEveryFaultToBeTold(size_t size)
{
    for (const char *mode : {"", "+"}) { /* once, from then on */
        int failures = 0;
        for (int i = 0, clean = 0; clean < 3; i++) {
            SCOPED_TRACE(testing::Message() << "fault point " << i << mode << " of the child");
            ASSERT_GT(1000, i);
            clean = IsCleanWith(std::to_string(i) + mode, size, &failures) ? clean + 1 : 0;
        }
        EXPECT_LT(3, failures);
    }
}

TEST_P(ChildFault, OfEachKindIsToldToTheParent)
{
    ExpectEveryFaultToBeTold(0);
}

TEST_P(ChildFault, WithMuchDataIsToldToTheParent)
{
    ExpectEveryFaultToBeTold(100000);
}

} // namespace

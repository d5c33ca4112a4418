/* Pools of many workers, and of few resources. */
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "support/fault.h"
#include "support/insides.h"
#include "support/pools.h"
#include "support/process_list.h"
#include "support/usage.h"

namespace {

TEST(ManyWorkers, RunUnderTheUsualLimits)
{
    const size_t wanted = static_cast<size_t>(kMostChildren) < 200 ? 100 : 200;
    const std::string why = WhyNotSoManyProcesses(wanted);
    if (!why.empty()) {
        GTEST_SKIP() << why;
    }
    const UsualLimits limits;
    const Pool pool = NewPool(static_cast<int>(wanted));
    ASSERT_TRUE(pool) << LastWords();
    Message message;
    ASSERT_EQ(0, Map(pool, &message, Square, Numbers(20000))) << LastWords();
    EXPECT_TRUE(IsSquares(message, 20000));
    EXPECT_EQ(wanted, Workers().size());
    for (int i = 0; i < 100; i++) {
        ASSERT_EQ(0, Apply(pool, &message, Square, BROOD_ARGS(i))) << LastWords();
    }
    EXPECT_EQ(0, Joined(pool)) << LastWords();
    EXPECT_TRUE(Workers().empty());
}

} // namespace

/* Pools of many workers, and of few resources. */
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "fault.h"
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

TEST(PoolNew, LeavesNothingBehindWhenAnyStepFails)
{
    ForEachFault([] {
        brood_pool_options options = BROOD_OPTIONS_INIT(pool);
        options.workers = 2;
        brood_pool *raw = nullptr;
        const int rc = brood_pool_new(&raw, &options);
        EXPECT_EQ(rc == 0, raw != nullptr);
        brood_fault_pause(true);
        brood_pool_free(raw);
#if defined(_WIN32) /* even ending a worker was made to fail, and it waits for its parent's end */
        for (const int64_t left : Workers()) {
            EXPECT_NE(0, rc);
            KillHard(left);
        }
#endif
        EXPECT_TRUE(WaitFor([] { return Workers().empty(); }));
        brood_fault_pause(false);
    });
}

TEST(PoolTasks, FailInWordsWhenMemoryIsShort)
{
    const Pool pool = NewPool(1);
    ForEachFault([&] {
        brood_message *raw = nullptr;
        const int rc =
            brood_pool_map(pool.get(), &raw, Square, BROOD_ITEMS(1, 2, 3), kSoon, nullptr);
        EXPECT_EQ(rc == 0, raw != nullptr);
        EXPECT_TRUE(rc == 0 || rc == BROOD_ENOMEM) << LastWords();
        brood_message_free(raw);
        const int applied =
            brood_pool_apply(pool.get(), &raw, Square, BROOD_ARGS(3), kSoon, nullptr);
        EXPECT_TRUE(applied == 0 || applied == BROOD_ENOMEM) << LastWords();
        brood_message_free(raw);
    });
    Message message;
    EXPECT_EQ(0, Apply(pool, &message, Square, BROOD_ARGS(3))) << LastWords();
}

} // namespace

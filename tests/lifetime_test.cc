/* Children die with their parent, on every system and however they were started. What only a Unix
 * has is in posix_lifetime_test.cc. */
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "support/family.h"
#include "support/process_list.h"

namespace {

class Lifetime : public testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(ByWay, Lifetime, testing::ValuesIn(StartWays()),
                         [](const auto &way) { return way.param; });

constexpr size_t kMany = 20;

int HasMany(brood_call *call)
{
    ParentSide side(call);
    for (size_t i = 0; i < kMany; i++) {
        side.Has(Spin);
    }
    return side.Stay();
}

TEST_P(Lifetime, OfManyBusyChildrenEndsWithTheirKilledParent)
{
    Family family(HasMany, GetParam());
    const std::vector<int64_t> pids = family.Receive(kMany);
    ASSERT_EQ(kMany, pids.size()) << family.Words();
    family.Kill();
    EXPECT_TRUE(AllGone(pids));
}

int HasOneFromAThreadThatEnds(brood_call *call)
{
    ParentSide side(call);
    std::thread([&side] { side.Has(Spin); }).join();
    return side.Stay();
}

TEST_P(Lifetime, DoesNotDependOnTheThreadThatStartedTheChild)
{
    Family family(HasOneFromAThreadThatEnds, GetParam());
    const std::vector<int64_t> pids = family.Receive(1);
    ASSERT_EQ(1u, pids.size()) << family.Words();
    for (int i = 0; i < 20; i++) { /* the thread has ended; its child has not */
        ShortPause();
        ASSERT_TRUE(AllAlive(pids));
    }
    family.Kill();
    EXPECT_TRUE(AllGone(pids));
}

int HasOneEachFromManyThreads(brood_call *call)
{
    ParentSide side(call);
    std::vector<std::thread> threads;
    Process children[6];
    for (Process &child : children) {
        threads.emplace_back([&] { child = StartBy(side.way, Spin, BROOD_ARGS(side.connection)); });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    return side.Stay();
}

TEST_P(Lifetime, OfChildrenOfManyThreadsEndsWithTheProcess)
{
    Family family(HasOneEachFromManyThreads, GetParam());
    const std::vector<int64_t> pids = family.Receive(6);
    ASSERT_EQ(6u, pids.size()) << family.Words();
    family.Kill();
    EXPECT_TRUE(AllGone(pids));
}

/* Each starts the next; the last one starts none. */
template <int Depth>
int StartsTheNext(brood_call *call)
{
    ChildSide side(call);
    Process child;
    if (!side.Ready()) {
        return side.rc;
    }
    if constexpr (Depth > 0) {
        child = Start(StartsTheNext<Depth - 1>, BROOD_ARGS(side.connection));
        CHILD_CHECK(call, child);
    }
    SpinForEver();
}

int HasDescendants(brood_call *call)
{
    ParentSide side(call);
    side.Has(StartsTheNext<3>);
    return side.Stay();
}

TEST_P(Lifetime, OfDescendantsEndsInACascade)
{
    Family family(HasDescendants, GetParam());
    const std::vector<int64_t> pids = family.Receive(4);
    ASSERT_EQ(4u, pids.size()) << family.Words();
    family.Kill();
    EXPECT_TRUE(AllGone(pids));
}

TEST_P(Lifetime, OfDescendantsEndsWhenOneInTheMiddleIsKilled)
{
    Family family(HasDescendants, GetParam());
    const std::vector<int64_t> pids = family.Receive(4);
    ASSERT_EQ(4u, pids.size()) << family.Words();
    KillHard(pids[1]);
    EXPECT_TRUE(AllGone({pids[1], pids[2], pids[3]}));
    EXPECT_TRUE(AllAlive({family.Pid(), pids[0]})) << "those above live on";
}

/* The ways a program can end without its exit handlers. */
int LeavesSuddenly(brood_call *call)
{
    ParentSide side(call);
    side.Has(Spin);
    const int rc = side.Stay();
    const std::string how = side.setting;
    if (how == "_exit") {
        std::_Exit(3);
    }
#if !defined(_WIN32) && !defined(__APPLE__) /* which have none */
    if (how == "quick_exit") {
        std::quick_exit(3);
    }
#endif
    if (how == "abort") {
        std::signal(SIGABRT, SIG_DFL);
        std::abort();
    }
    if (how == "crash") {
        __builtin_trap();
    }
    std::_Exit(rc);
}

class SuddenEnd : public testing::TestWithParam<const char *> {};

TEST_P(SuddenEnd, OfTheParentEndsItsChild)
{
    Family family(LeavesSuddenly, "spawn", GetParam());
    const std::vector<int64_t> pids = family.Receive(1);
    ASSERT_EQ(1u, pids.size()) << family.Words();
    family.LetGo();
    family.End();
    EXPECT_TRUE(AllGone(pids));
}

INSTANTIATE_TEST_SUITE_P(Of, SuddenEnd, testing::Values("_exit", "quick_exit", "abort", "crash"));

} // namespace

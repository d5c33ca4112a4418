/* Barrier, between threads. */
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "support/process_list.h"
#include "support/sync.h"

namespace {

TEST(Barrier, LetsAllPassWhenTheLastHasCome)
{
    const Barrier barrier = NewBarrier(3);
    ASSERT_TRUE(barrier) << LastWords();
    EXPECT_EQ(3u, brood_barrier_parties(barrier.get()));
    std::atomic<int> arrived{0};
    std::atomic<int> seen[3] = {};
    InThreads(3, [&](int) {
        for (int round = 1; round <= 200; round++) {
            uint32_t index = 99;
            arrived++;
            ASSERT_EQ(0, brood_barrier_wait(barrier.get(), &index, kSoon)) << LastWords();
            ASSERT_GE(arrived.load(), 3 * round);
            ASSERT_LT(index, 3u);
            seen[index]++;
        }
    });
    for (const std::atomic<int> &count : seen) {
        EXPECT_EQ(200, count.load()) << "each number once in each round";
    }
    EXPECT_EQ(0u, brood_barrier_n_waiting(barrier.get()));
    EXPECT_FALSE(brood_barrier_broken(barrier.get()));
}

/* More come than a round has room for: whoever is too many is of the next one. */
TEST(Barrier, TakesAnyWhoComeAsParties)
{
    const Barrier barrier = NewBarrier(2);
    std::atomic<int> firsts{0};
    std::atomic<int> left{600};
    InThreads(6, [&](int) {
        while (left-- > 0) {
            uint32_t index = 99;
            ASSERT_EQ(0, brood_barrier_wait(barrier.get(), &index, kSoon)) << LastWords();
            firsts += index == 0;
        }
    });
    EXPECT_EQ(300, firsts.load());
}

TEST(Barrier, OfOneNeverWaits)
{
    const Barrier barrier = NewBarrier(1);
    uint32_t index = 99;
    EXPECT_EQ(0, brood_barrier_wait(barrier.get(), &index, BROOD_NOWAIT)) << LastWords();
    EXPECT_EQ(0u, index);
    EXPECT_EQ(0, brood_barrier_wait(barrier.get(), nullptr, BROOD_FOREVER)) << LastWords();
}

std::atomic<int> actions;

int CountActions(brood_call *call)
{
    actions++;
    return static_cast<int>(brood_call_count(call));
}

TEST(Barrier, RunsItsActionOnceARoundBeforeAnyPasses)
{
    const Barrier barrier = NewBarrier(3, CountActions);
    InThreads(3, [&](int) {
        for (int round = 1; round <= 50; round++) {
            ASSERT_EQ(0, brood_barrier_wait(barrier.get(), nullptr, kSoon)) << LastWords();
            ASSERT_GE(actions.load(), round);
            ASSERT_EQ(0, brood_barrier_wait(barrier.get(), nullptr, kSoon)) << LastWords();
        }
    });
    EXPECT_EQ(100, actions.load());
}

int ReturnSeven(brood_call *)
{
    return 7;
}

int RaiseFull(brood_call *call)
{
    return brood_raise(call, BROOD_EFULL, "no room in the action");
}

void ExpectActionFails(brood_function action, int code, const char *words)
{
    const Barrier barrier = NewBarrier(2, action);
    std::atomic<int> failed{0};
    InThreads(2, [&](int) {
        const int rc = brood_barrier_wait(barrier.get(), nullptr, kSoon);
        if (rc != BROOD_EBROKEN) {
            EXPECT_EQ(code, rc);
            EXPECT_NE(std::string::npos, LastWords().find(words)) << LastWords();
            EXPECT_EQ(code == BROOD_ETASK ? 7 : 0, brood_last_error()->code);
            failed++;
        }
    });
    EXPECT_EQ(1, failed.load()) << "only the one that ran it";
    EXPECT_TRUE(brood_barrier_broken(barrier.get()));
}

TEST(Barrier, BreaksWhenItsActionFails)
{
    ExpectActionFails(ReturnSeven, BROOD_ETASK, "returned 7");
    ExpectActionFails(RaiseFull, BROOD_EFULL, "no room in the action");
}

TEST(Barrier, BreaksWhenAPartyWaitsNoLonger)
{
    const Barrier barrier = NewBarrier(3);
    std::thread other(
        [&] { EXPECT_EQ(BROOD_EBROKEN, brood_barrier_wait(barrier.get(), nullptr, kSoon)); });
    ASSERT_TRUE(WaitFor([&] { return brood_barrier_n_waiting(barrier.get()) == 1; }));
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_barrier_wait(barrier.get(), nullptr, 5));
    other.join();
    EXPECT_TRUE(brood_barrier_broken(barrier.get()));
    EXPECT_EQ(BROOD_EBROKEN, brood_barrier_wait(barrier.get(), nullptr, BROOD_FOREVER));
    EXPECT_EQ(0u, brood_barrier_n_waiting(barrier.get()));
}

std::atomic<bool> action_may_end;
std::atomic<bool> action_runs;

int WaitForLeave(brood_call *)
{
    action_runs = true;
    return WaitFor([] { return action_may_end.load(); }) ? 0 : 1;
}

/* Who comes while an action runs is of the next round, and gives up on that one only. */
TEST(Barrier, BreaksAfterTheRoundForWhichAPartyWasTooLate)
{
    const Barrier barrier = NewBarrier(2, WaitForLeave);
    std::vector<std::thread> two;
    action_runs = false;
    action_may_end = false;
    for (int i = 0; i < 2; i++) {
        two.emplace_back([&] {
            EXPECT_EQ(0, brood_barrier_wait(barrier.get(), nullptr, kSoon)) << LastWords();
        });
    }
    EXPECT_TRUE(WaitFor([] { return action_runs.load(); }));
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_barrier_wait(barrier.get(), nullptr, BROOD_NOWAIT));
    EXPECT_FALSE(brood_barrier_broken(barrier.get()));
    action_may_end = true;
    for (std::thread &one : two) {
        one.join();
    }
    EXPECT_TRUE(brood_barrier_broken(barrier.get()));
    EXPECT_EQ(0, brood_barrier_reset(barrier.get())) << LastWords();
    EXPECT_FALSE(brood_barrier_broken(barrier.get()));
    InThreads(2, [&](int) {
        EXPECT_EQ(0, brood_barrier_wait(barrier.get(), nullptr, kSoon)) << LastWords();
    });
    EXPECT_FALSE(brood_barrier_broken(barrier.get())) << "that was said once";
}

TEST(Barrier, HasATimeLimitOfItsOwn)
{
    const Barrier barrier = NewBarrier(2, nullptr, 5);
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_barrier_wait(barrier.get(), nullptr, BROOD_FOREVER));
}

TEST(BarrierReset, SendsAwayWhoWaitsAndBeginsAnew)
{
    const Barrier barrier = NewBarrier(2);
    for (int round = 0; round < 3; round++) {
        std::thread other(
            [&] { EXPECT_EQ(BROOD_EBROKEN, brood_barrier_wait(barrier.get(), nullptr, kSoon)); });
        ASSERT_TRUE(WaitFor([&] { return brood_barrier_n_waiting(barrier.get()) == 1; }));
        ASSERT_EQ(0, brood_barrier_reset(barrier.get())) << LastWords();
        EXPECT_FALSE(brood_barrier_broken(barrier.get()));
        InThreads(2, [&](int) {
            EXPECT_EQ(0, brood_barrier_wait(barrier.get(), nullptr, kSoon)) << LastWords();
        });
        other.join();
    }
}

TEST(BarrierAbort, BreaksUntilReset)
{
    const Barrier barrier = NewBarrier(2);
    std::thread other(
        [&] { EXPECT_EQ(BROOD_EBROKEN, brood_barrier_wait(barrier.get(), nullptr, kSoon)); });
    ASSERT_TRUE(WaitFor([&] { return brood_barrier_n_waiting(barrier.get()) == 1; }));
    brood_barrier_abort(barrier.get());
    other.join();
    EXPECT_TRUE(brood_barrier_broken(barrier.get()));
    EXPECT_EQ(BROOD_EBROKEN, brood_barrier_wait(barrier.get(), nullptr, kSoon));
    ASSERT_EQ(0, brood_barrier_reset(barrier.get()));
    EXPECT_FALSE(brood_barrier_broken(barrier.get()));
}

TEST(Barrier, TakesThousandsOfParties)
{
    EXPECT_TRUE(NewBarrier(4096)) << LastWords();
    const Barrier barrier = NewBarrier(400);
    std::atomic<int> zeros{0};
    InThreads(400, [&](int) {
        uint32_t index = 0;
        EXPECT_EQ(0, brood_barrier_wait(barrier.get(), &index, kSoon)) << LastWords();
        zeros += index == 0;
    });
    EXPECT_EQ(1, zeros.load());
}

TEST(Barrier, RefusesMistakes)
{
    brood_barrier *raw = nullptr;
    brood_barrier_options options = BROOD_OPTIONS_INIT(barrier);
    EXPECT_EQ(BROOD_EINVAL, brood_barrier_new(&raw, 0, nullptr));
    EXPECT_EQ(BROOD_EINVAL, brood_barrier_new(&raw, 4097, nullptr));
    options.timeout_ms = -5;
    EXPECT_EQ(BROOD_EINVAL, brood_barrier_new(&raw, 2, &options));
    options.size = 1;
    EXPECT_EQ(BROOD_EINVAL, brood_barrier_new(&raw, 2, &options));
    EXPECT_EQ(nullptr, raw);
    EXPECT_EQ(BROOD_EINVAL, brood_barrier_new(nullptr, 2, nullptr));
    EXPECT_EQ(BROOD_EINVAL, brood_barrier_wait(nullptr, nullptr, 0));
    EXPECT_EQ(BROOD_EINVAL, brood_barrier_reset(nullptr));
    brood_barrier_abort(nullptr);
    brood_barrier_free(nullptr);
    EXPECT_EQ(0u, brood_barrier_parties(nullptr));
    EXPECT_EQ(0u, brood_barrier_n_waiting(nullptr));
    EXPECT_FALSE(brood_barrier_broken(nullptr));
    const Barrier barrier = NewBarrier(2);
    EXPECT_EQ(BROOD_EINVAL, brood_barrier_wait(barrier.get(), nullptr, -3));
    EXPECT_EQ(0u, brood_barrier_n_waiting(barrier.get()));
}

} // namespace

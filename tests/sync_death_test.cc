/* Processes that are killed at a certain point of what they do with an object, and what the others
 * get: within their time limit the right answer, or the error that says what happened. */
#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "support/methods.h"
#include "support/process_list.h"
#include "support/stop_file.h"
#include "support/sync.h"

namespace {

constexpr int64_t kDeadline = 10000; /* ms, of a survivor */

OVER_METHODS(SyncDeath);

/* Who is started before its turn, since the environment is set while there is one thread only. */
void AwaitTurn()
{
    const char *path = std::getenv("BROOD_TEST_TURN");
    if (path != nullptr) {
        EXPECT_TRUE(WaitFor([&] { return !ReadFile(path).empty(); }));
    }
}

/// Doomed is a child that stops at a point, and is killed there. Its function waits for its turn if
/// it is one that does.
class Doomed {
  public:
    Doomed(const std::string &point, brood_function function, const brood_args *args)
        : stop_(point), turn_(TemporaryFile("turn"))
    {
        SetEnvironment("BROOD_TEST_STOP", stop_.Setting());
        SetEnvironment("BROOD_TEST_TURN", turn_);
        child_ = Start(function, args);
        SetEnvironment("BROOD_TEST_STOP", "");
        SetEnvironment("BROOD_TEST_TURN", "");
        EXPECT_TRUE(child_) << LastWords();
    }
    ~Doomed()
    {
        std::error_code ignored;
        std::filesystem::remove(turn_, ignored);
    }
    Doomed(const Doomed &) = delete;
    Doomed &operator=(const Doomed &) = delete;
    /// Begin says that it is its turn.
    void Begin() const
    {
        std::ofstream(turn_) << "now";
    }
    /// AwaitStop waits until it is there.
    void AwaitStop() const
    {
        Begin();
        EXPECT_EQ(brood_process_pid(child_.get()), stop_.Pid());
    }
    void Kill() const
    {
        brood_process_kill(child_.get());
        EXPECT_EQ(0, brood_process_join(child_.get(), kSoon)) << LastWords();
    }
    void KillThere() const
    {
        AwaitStop();
        Kill();
    }

  private:
    StopFile stop_;
    std::string turn_;
    Process child_;
};

/* ---- Lock ---- */

int LockAndUnlock(brood_call *call)
{
    brood_lock *lock;
    int rc = BROOD_UNPACK(call, &lock);
    rc = rc ? rc : brood_lock_acquire(lock, kSoon);
    return rc ? rc : brood_lock_release(lock);
}

/* Until it has released it while somebody slept, and stopped there. */
int LockAgainAndAgain(brood_call *call)
{
    brood_lock *lock;
    int rc = BROOD_UNPACK(call, &lock);
    while (rc == 0) {
        rc = brood_lock_acquire(lock, kSoon);
        std::this_thread::yield();
        rc = rc ? rc : brood_lock_release(lock);
    }
    return rc;
}

/* The lock is free, and nobody has been told. */
TEST_P(SyncDeath, OfWhoReleasedALockAndDidNotWakeAnybody)
{
    const Lock lock = NewLock();
    const Doomed doomed("guard-unlocked", LockAgainAndAgain, BROOD_ARGS(lock.get()));
    std::atomic<bool> over{false};
    std::vector<std::thread> waiters;
    for (int i = 0; i < 2; i++) {
        waiters.emplace_back([&] {
            while (!over) {
                ASSERT_EQ(0, brood_lock_acquire(lock.get(), kDeadline)) << LastWords();
                ASSERT_EQ(0, brood_lock_release(lock.get()));
            }
        });
    }
    doomed.KillThere();
    over = true;
    for (std::thread &waiter : waiters) {
        waiter.join();
    }
    EXPECT_EQ(0, brood_lock_acquire(lock.get(), kDeadline)) << LastWords();
    EXPECT_EQ(0, brood_lock_release(lock.get()));
}

TEST_P(SyncDeath, OfWhoWasWokenForALockAndDidNotTakeIt)
{
    const Lock lock = NewLock();
    ASSERT_EQ(0, brood_lock_acquire(lock.get(), kDeadline));
    const Doomed doomed("guard-woken", LockAndUnlock, BROOD_ARGS(lock.get()));
    doomed.AwaitStop(); /* its first slice is over */
    std::thread other([&] {
        EXPECT_EQ(0, brood_lock_acquire(lock.get(), kDeadline)) << LastWords();
        EXPECT_EQ(0, brood_lock_release(lock.get()));
    });
    ASSERT_EQ(0, brood_lock_release(lock.get()));
    doomed.Kill();
    other.join();
}

/* ---- Semaphore ---- */

int AcquireOne(brood_call *call)
{
    brood_semaphore *semaphore;
    const int rc = BROOD_UNPACK(call, &semaphore);
    return rc ? rc : brood_semaphore_acquire(semaphore, kSoon);
}

int ReleaseOne(brood_call *call)
{
    brood_semaphore *semaphore;
    const int rc = BROOD_UNPACK(call, &semaphore);
    AwaitTurn();
    return rc ? rc : brood_semaphore_release(semaphore, 1);
}

TEST_P(SyncDeath, OfWhoReleasedASemaphoreAndDidNotWakeAnybody)
{
    const Semaphore semaphore = NewSemaphore(0);
    const Doomed doomed("semaphore-released", ReleaseOne, BROOD_ARGS(semaphore.get()));
    std::thread waiter(
        [&] { EXPECT_EQ(0, brood_semaphore_acquire(semaphore.get(), kDeadline)) << LastWords(); });
    doomed.KillThere();
    waiter.join();
    EXPECT_EQ(0u, brood_semaphore_value(semaphore.get()));
}

TEST_P(SyncDeath, OfWhoWasWokenForASemaphoreAndDidNotTakeIt)
{
    const Semaphore semaphore = NewSemaphore(0);
    const Doomed doomed("semaphore-woken", AcquireOne, BROOD_ARGS(semaphore.get()));
    doomed.AwaitStop();
    std::thread other(
        [&] { EXPECT_EQ(0, brood_semaphore_acquire(semaphore.get(), kDeadline)) << LastWords(); });
    ASSERT_EQ(0, brood_semaphore_release(semaphore.get(), 1));
    doomed.Kill();
    other.join();
}

/* Nobody knows whose permit it was: that is what a lock is for. */
TEST_P(SyncDeath, OfAHolderTakesAPermitAlong)
{
    const Semaphore semaphore = NewSemaphore(1);
    const Process child = Start(AcquireOne, BROOD_ARGS(semaphore.get()));
    EXPECT_EQ(0, Result(child)) << LastWords();
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_semaphore_acquire(semaphore.get(), 5));
}

/* ---- Condition ---- */

int WaitOnce(brood_call *call)
{
    brood_condition *condition;
    int rc = BROOD_UNPACK(call, &condition);
    rc = rc ? rc : brood_lock_acquire(brood_condition_lock(condition), kSoon);
    return rc ? rc : brood_condition_wait(condition, kSoon);
}

int NotifyOne(brood_call *call)
{
    brood_condition *condition;
    int rc = BROOD_UNPACK(call, &condition);
    AwaitTurn();
    rc = rc ? rc : brood_lock_acquire(brood_condition_lock(condition), kSoon);
    return rc ? rc : brood_condition_notify(condition, 1);
}

/* One waits, it is told, and it is as if nobody had ever died. */
template <class Tell>
void ExpectWaiterIsWokenBy(const Condition &condition, Tell tell)
{
    brood_lock *lock = brood_condition_lock(condition.get());
    std::atomic<bool> waiting{false};
    std::thread waiter([&] {
        EXPECT_EQ(0, brood_lock_acquire(lock, kDeadline)) << LastWords();
        waiting = true;
        EXPECT_EQ(0, brood_condition_wait(condition.get(), kDeadline)) << LastWords();
        EXPECT_EQ(0, brood_lock_release(lock));
    });
    EXPECT_TRUE(WaitFor([&] { return waiting.load(); }));
    EXPECT_EQ(0, brood_lock_acquire(lock, kDeadline)) << LastWords();
    EXPECT_EQ(0, tell(condition.get())) << LastWords();
    EXPECT_EQ(0, brood_lock_release(lock));
    waiter.join();
}

/* Two threads that wait, and one that is killed in the middle of notifying one of them, with the
 * lock in its hands. */
void ExpectNotifierDies(const char *point)
{
    const Condition condition = NewCondition();
    const Doomed doomed(point, NotifyOne, BROOD_ARGS(condition.get()));
    brood_lock *lock = brood_condition_lock(condition.get());
    std::atomic<int> waiting{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; i++) {
        threads.emplace_back([&] {
            EXPECT_EQ(0, brood_lock_acquire(lock, kDeadline)) << LastWords();
            waiting++;
            EXPECT_EQ(BROOD_EOWNERDEAD, brood_condition_wait(condition.get(), kSoon))
                << LastWords();
            EXPECT_EQ(BROOD_ENOTOWNER, brood_lock_release(lock)) << "it does not have it";
        });
    }
    ASSERT_TRUE(WaitFor([&] { return waiting == 2; }));
    doomed.KillThere();
    for (std::thread &thread : threads) {
        thread.join();
    }
    EXPECT_EQ(BROOD_EOWNERDEAD, brood_lock_acquire(lock, kDeadline));
    ASSERT_EQ(0, brood_lock_recover(lock, kDeadline)) << LastWords();
    EXPECT_EQ(0, brood_condition_notify_all(condition.get())) << LastWords();
    EXPECT_EQ(0, brood_lock_release(lock));
    ExpectWaiterIsWokenBy(condition,
                          [](brood_condition *told) { return brood_condition_notify(told, 1); });
}

TEST_P(SyncDeath, OfANotifierBeforeAnybodyCouldKnow)
{
    ExpectNotifierDies("condition-notifies");
}

TEST_P(SyncDeath, OfANotifierBeforeItWokeAnybody)
{
    ExpectNotifierDies("condition-notified");
}

/* One waits here, another one is killed while it waits: notify_all reaches who is left, and holds
 * up nobody. */
TEST_P(SyncDeath, OfAWaiterHoldsUpNobody)
{
    const Condition condition = NewCondition();
    const Doomed doomed("condition-woken", WaitOnce, BROOD_ARGS(condition.get()));
    doomed.KillThere(); /* its first slice is over */
    ExpectWaiterIsWokenBy(condition, brood_condition_notify_all);
}

/* What the dead one leaves behind: one wake-up too many, and that is all. */
TEST_P(SyncDeath, OfAWaiterLeavesOneWakeUpAtMost)
{
    const Condition condition = NewCondition();
    brood_lock *lock = brood_condition_lock(condition.get());
    const Doomed doomed("condition-woken", WaitOnce, BROOD_ARGS(condition.get()));
    doomed.KillThere();
    ASSERT_EQ(0, brood_lock_acquire(lock, kDeadline)) << LastWords();
    for (int i = 0; i < 3; i++) {
        EXPECT_EQ(0, brood_condition_notify_all(condition.get()));
        EXPECT_EQ(BROOD_ETIMEDOUT, brood_condition_wait(condition.get(), 5)) << i;
    }
    EXPECT_EQ(0, brood_lock_release(lock));
}

/* ---- Event ---- */

int SetEvent(brood_call *call)
{
    brood_event *event;
    const int rc = BROOD_UNPACK(call, &event);
    AwaitTurn();
    if (rc == 0) {
        brood_event_set(event);
    }
    return rc;
}

/* It is set, and nobody has been told: neither who waits for it alone, nor who waits for several
 * things or has seen its flag down. */
TEST_P(SyncDeath, OfWhoSetAnEventAndDidNotWakeAnybody)
{
    const Event event = NewEvent();
    const Doomed doomed("event-set", SetEvent, BROOD_ARGS(event.get()));
    std::thread alone([&] { EXPECT_EQ(0, brood_event_wait(event.get(), kDeadline)); });
    std::thread together([&] {
        brood_wait_item items[] = {{brood_of(event.get()), false}};
        EXPECT_EQ(0, brood_wait(items, 1, kDeadline)) << LastWords();
    });
    doomed.KillThere();
    alone.join();
    together.join();
    brood_event_clear(event.get());
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_event_wait(event.get(), BROOD_NOWAIT));
}

int WaitForEvent(brood_call *call)
{
    brood_event *event;
    const int rc = BROOD_UNPACK(call, &event);
    return rc ? rc : brood_event_wait(event, kSoon);
}

TEST_P(SyncDeath, OfWhoWaitsForAnEvent)
{
    const Event event = NewEvent();
    const Doomed doomed("event-woken", WaitForEvent, BROOD_ARGS(event.get()));
    doomed.KillThere();
    std::thread other([&] { EXPECT_EQ(0, brood_event_wait(event.get(), kDeadline)); });
    brood_event_set(event.get());
    other.join();
}

/* ---- Barrier ---- */

int MeetOnce(brood_call *call)
{
    brood_barrier *barrier;
    const int rc = BROOD_UNPACK(call, &barrier);
    return rc ? rc : brood_barrier_wait(barrier, nullptr, kSoon);
}

int MeetLast(brood_call *call)
{
    AwaitTurn();
    return MeetOnce(call);
}

/* Of three parties two wait here; the third is killed at the point. */
void ExpectPartyDies(const char *point, int expected, brood_function action = nullptr)
{
    const Barrier barrier = NewBarrier(3, action);
    const Doomed doomed(point, MeetLast, BROOD_ARGS(barrier.get()));
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; i++) {
        threads.emplace_back([&] {
            EXPECT_EQ(expected, brood_barrier_wait(barrier.get(), nullptr, kDeadline))
                << LastWords();
        });
    }
    ASSERT_TRUE(WaitFor([&] { return brood_barrier_n_waiting(barrier.get()) == 2; }));
    doomed.KillThere();
    for (std::thread &thread : threads) {
        thread.join();
    }
    EXPECT_EQ(expected != 0, brood_barrier_broken(barrier.get()));
    EXPECT_EQ(0, brood_barrier_reset(barrier.get())) << LastWords();
    InThreads(3, [&](int) {
        const int rc = brood_barrier_wait(barrier.get(), nullptr, kDeadline);
        EXPECT_EQ(0, rc) << LastWords();
    });
}

TEST_P(SyncDeath, OfTheLastPartyAsItArrives)
{
    ExpectPartyDies("barrier-arrives", BROOD_EBROKEN);
}

TEST_P(SyncDeath, OfTheLastPartyBeforeItHasToldTheOthers)
{
    ExpectPartyDies("barrier-ends", 0);
}

TEST_P(SyncDeath, OfTheLastPartyBeforeItHasWokenTheOthers)
{
    ExpectPartyDies("barrier-ended", 0);
}

/* With a third process that waits, and one that is killed while it does: all that are left learn of
 * it, though the last party never comes. */
TEST_P(SyncDeath, OfAPartyThatWaitsBreaksTheBarrier)
{
    const Barrier barrier = NewBarrier(4);
    const Doomed doomed("barrier-woken", MeetOnce, BROOD_ARGS(barrier.get()));
    std::thread here([&] {
        EXPECT_EQ(BROOD_EBROKEN, brood_barrier_wait(barrier.get(), nullptr, kSoon)) << LastWords();
    });
    if (GetParam() == BROOD_FORKSERVER) { /* its children have the environment of the first one */
        ASSERT_EQ(0, brood_set_start_method(BROOD_SPAWN, true)) << LastWords();
    }
    const Process there = Start(MeetOnce, BROOD_ARGS(barrier.get()));
    ASSERT_TRUE(there) << LastWords();
    ASSERT_TRUE(WaitFor([&] { return brood_barrier_n_waiting(barrier.get()) == 3; }));
    doomed.KillThere();
    here.join();
    EXPECT_EQ(BROOD_EBROKEN, Result(there)) << LastWords();
    EXPECT_TRUE(brood_barrier_broken(barrier.get()));
    EXPECT_EQ(BROOD_EBROKEN, brood_barrier_wait(barrier.get(), nullptr, BROOD_NOWAIT));
}

/* Only one waits, in a process of its own, and dies; then a second comes and must not wait for
 * ever. */
TEST_P(SyncDeath, OfTheOnlyPartyIsSeenByTheNextOne)
{
    const Barrier barrier = NewBarrier(3);
    const Doomed doomed("barrier-woken", MeetOnce, BROOD_ARGS(barrier.get()));
    ASSERT_TRUE(WaitFor([&] { return brood_barrier_n_waiting(barrier.get()) == 1; }));
    doomed.KillThere();
    EXPECT_EQ(BROOD_EBROKEN, brood_barrier_wait(barrier.get(), nullptr, kSoon)) << LastWords();
}

/* Somebody takes the dead one's row before any party has noticed. */
TEST_P(SyncDeath, OfAPartyIsNotHiddenByWhoComesAfterIt)
{
    const Barrier barrier = NewBarrier(3);
    const Doomed doomed("barrier-woken", MeetOnce, BROOD_ARGS(barrier.get()));
    ASSERT_TRUE(WaitFor([&] { return brood_barrier_n_waiting(barrier.get()) == 1; }));
    doomed.KillThere();
    for (int i = 0; i < 70; i++) { /* as many as use up all free rows that are tried first */
        const Process child = Start(
            [](brood_call *call) {
                brood_barrier *other;
                return BROOD_UNPACK(call, &other);
            },
            BROOD_ARGS(barrier.get()));
        ASSERT_EQ(0, Result(child)) << LastWords();
    }
    EXPECT_EQ(BROOD_EBROKEN, brood_barrier_wait(barrier.get(), nullptr, kSoon)) << LastWords();
}

int NeverEnd(brood_call *)
{
    const std::string path = std::getenv("BROOD_TEST_STOP_ACTION");
    FILE *file = fopen(path.c_str(), "w");
    fprintf(file, "%lld\n", 0LL);
    fclose(file);
    for (;;) {
        std::this_thread::yield();
    }
}

TEST_P(SyncDeath, OfWhoRunsTheActionBreaksTheBarrier)
{
    const std::string path = TemporaryFile("action");
    SetEnvironment("BROOD_TEST_STOP_ACTION", path);
    const Barrier barrier = NewBarrier(2, NeverEnd);
    std::thread here([&] {
        EXPECT_EQ(BROOD_EBROKEN, brood_barrier_wait(barrier.get(), nullptr, kSoon)) << LastWords();
    });
    ASSERT_TRUE(WaitFor([&] { return brood_barrier_n_waiting(barrier.get()) == 1; }));
    const Process child = Start(MeetOnce, BROOD_ARGS(barrier.get()));
    ASSERT_TRUE(child) << LastWords();
    ASSERT_TRUE(WaitFor([&] { return !ReadFile(path).empty(); }));
    /* It is a complete round: who comes now waits for its end, and is not counted. */
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_barrier_wait(barrier.get(), nullptr, 5));
    EXPECT_FALSE(brood_barrier_broken(barrier.get()));
    brood_process_kill(child.get());
    here.join();
    EXPECT_EQ(0, brood_process_join(child.get(), kSoon)) << LastWords();
    EXPECT_TRUE(brood_barrier_broken(barrier.get()));
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
}

} // namespace

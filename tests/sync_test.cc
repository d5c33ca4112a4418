/* Semaphore, Condition and Event, between threads; for Barrier see barrier_test.cc. */
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "fault.h"
#include "support/fault.h"
#include "support/process_list.h"
#include "support/sync.h"

namespace {

/* ---- Semaphore ---- */

TEST(Semaphore, CountsDownAndUp)
{
    const Semaphore semaphore = NewSemaphore(2);
    ASSERT_TRUE(semaphore) << LastWords();
    EXPECT_EQ(2u, brood_semaphore_value(semaphore.get()));
    EXPECT_EQ(0, brood_semaphore_acquire(semaphore.get(), BROOD_NOWAIT));
    EXPECT_EQ(0, brood_semaphore_acquire(semaphore.get(), BROOD_FOREVER));
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_semaphore_acquire(semaphore.get(), BROOD_NOWAIT));
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_semaphore_acquire(semaphore.get(), 5));
    EXPECT_EQ(0, brood_semaphore_release(semaphore.get(), 3));
    EXPECT_EQ(3u, brood_semaphore_value(semaphore.get()));
}

TEST(Semaphore, IsReleasedByAnybody)
{
    const Semaphore semaphore = NewSemaphore(1);
    ASSERT_EQ(0, brood_semaphore_acquire(semaphore.get(), BROOD_NOWAIT));
    std::thread([&] { EXPECT_EQ(0, brood_semaphore_release(semaphore.get(), 1)); }).join();
    EXPECT_EQ(0, brood_semaphore_acquire(semaphore.get(), BROOD_NOWAIT));
}

TEST(Semaphore, WakesAsManyAsWereReleased)
{
    const Semaphore semaphore = NewSemaphore(0);
    const Semaphore done = NewSemaphore(0);
    std::thread releaser([&] {
        for (int i = 0; i < 4; i++) {
            EXPECT_EQ(0, brood_semaphore_release(semaphore.get(), 2));
        }
    });
    InThreads(8, [&](int) {
        EXPECT_EQ(0, brood_semaphore_acquire(semaphore.get(), kSoon)) << LastWords();
        EXPECT_EQ(0, brood_semaphore_release(done.get(), 1));
    });
    releaser.join();
    EXPECT_EQ(8u, brood_semaphore_value(done.get()));
    EXPECT_EQ(0u, brood_semaphore_value(semaphore.get()));
}

TEST(Semaphore, IsBoundedIfThatWasAskedFor)
{
    const Semaphore semaphore = NewSemaphore(2, 3);
    ASSERT_TRUE(semaphore) << LastWords();
    EXPECT_EQ(BROOD_ERANGE, brood_semaphore_release(semaphore.get(), 2));
    EXPECT_EQ(2u, brood_semaphore_value(semaphore.get())) << "nothing was released";
    EXPECT_EQ(0, brood_semaphore_release(semaphore.get(), 1));
    EXPECT_EQ(BROOD_ERANGE, brood_semaphore_release(semaphore.get(), 1));
    EXPECT_EQ(BROOD_ERANGE, brood_semaphore_release(semaphore.get(), UINT32_MAX));
    EXPECT_NE(std::string::npos, LastWords().find("maximum is 3")) << LastWords();
}

TEST(Semaphore, DoesNotOverflow)
{
    const Semaphore semaphore = NewSemaphore(INT32_MAX - 1);
    ASSERT_TRUE(semaphore) << LastWords();
    EXPECT_EQ(BROOD_ERANGE, brood_semaphore_release(semaphore.get(), 2));
    EXPECT_EQ(0, brood_semaphore_release(semaphore.get(), 1));
    EXPECT_EQ(BROOD_ERANGE, brood_semaphore_release(semaphore.get(), UINT32_MAX));
    EXPECT_EQ(static_cast<uint32_t>(INT32_MAX), brood_semaphore_value(semaphore.get()));
}

TEST(Semaphore, RefusesMistakes)
{
    brood_semaphore *raw = nullptr;
    EXPECT_EQ(BROOD_ERANGE, brood_semaphore_new(&raw, 4, 3));
    EXPECT_EQ(BROOD_ERANGE, brood_semaphore_new(&raw, UINT32_MAX, 0));
    EXPECT_EQ(nullptr, raw);
    EXPECT_EQ(BROOD_EINVAL, brood_semaphore_new(nullptr, 0, 0));
    EXPECT_EQ(BROOD_EINVAL, brood_semaphore_acquire(nullptr, 0));
    EXPECT_EQ(BROOD_EINVAL, brood_semaphore_release(nullptr, 1));
    const Semaphore semaphore = NewSemaphore(1);
    EXPECT_EQ(BROOD_EINVAL, brood_semaphore_release(semaphore.get(), 0));
    EXPECT_EQ(BROOD_EINVAL, brood_semaphore_acquire(semaphore.get(), -2));
    EXPECT_EQ(1u, brood_semaphore_value(semaphore.get()));
    EXPECT_EQ(0u, brood_semaphore_value(nullptr));
    EXPECT_EQ(nullptr, brood_semaphore_ref(nullptr));
    brood_semaphore_free(nullptr);
}

/* ---- Condition ---- */

/* Takes the lock for a block. */
class Holding {
  public:
    explicit Holding(brood_lock *lock) : lock_(lock)
    {
        EXPECT_EQ(0, brood_lock_acquire(lock, kSoon)) << LastWords();
    }
    ~Holding()
    {
        EXPECT_EQ(0, brood_lock_release(lock_)) << LastWords();
    }
    Holding(const Holding &) = delete;
    Holding &operator=(const Holding &) = delete;

  private:
    brood_lock *lock_;
};

TEST(Condition, NeedsItsLock)
{
    const Condition condition = NewCondition();
    ASSERT_TRUE(condition) << LastWords();
    EXPECT_EQ(BROOD_ENOTOWNER, brood_condition_wait(condition.get(), BROOD_NOWAIT));
    EXPECT_EQ(BROOD_ENOTOWNER, brood_condition_notify(condition.get(), 1));
    EXPECT_EQ(BROOD_ENOTOWNER, brood_condition_notify_all(condition.get()));
    EXPECT_EQ(BROOD_ENOTOWNER, brood_condition_wait_for(
                                   condition.get(), [](void *) { return true; }, nullptr, 0));
    const Holding holding(brood_condition_lock(condition.get()));
    std::thread([&] {
        EXPECT_EQ(BROOD_ENOTOWNER, brood_condition_notify(condition.get(), 1));
        EXPECT_NE(std::string::npos, LastWords().find("another thread or process")) << LastWords();
    }).join();
}

TEST(Condition, DoesNotRememberNotifications)
{
    const Condition condition = NewCondition();
    const Holding holding(brood_condition_lock(condition.get()));
    EXPECT_EQ(0, brood_condition_notify(condition.get(), 5));
    EXPECT_EQ(0, brood_condition_notify_all(condition.get()));
    EXPECT_EQ(0, brood_condition_notify(condition.get(), 0));
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_condition_wait(condition.get(), 5));
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_condition_wait(condition.get(), BROOD_NOWAIT));
}

/* Threads that wait on a condition, and how many of them have been woken. */
class Waiters {
  public:
    Waiters(const Condition &condition, int count) : condition_(condition)
    {
        for (int i = 0; i < count; i++) {
            threads_.emplace_back([this] {
                const Holding holding(brood_condition_lock(condition_.get()));
                waiting_++;
                EXPECT_EQ(0, brood_condition_wait(condition_.get(), kSoon)) << LastWords();
                woken_++;
            });
        }
        EXPECT_TRUE(WaitFor([&] {
            const Holding holding(brood_condition_lock(condition_.get()));
            return waiting_ == count;
        }));
    }
    ~Waiters()
    {
        for (std::thread &thread : threads_) {
            thread.join();
        }
    }
    Waiters(const Waiters &) = delete;
    Waiters &operator=(const Waiters &) = delete;
    bool Become(int woken)
    {
        return WaitFor([&] {
            const Holding holding(brood_condition_lock(condition_.get()));
            return woken_ == woken;
        });
    }

  private:
    const Condition &condition_;
    int waiting_ = 0; /* under the lock, like the next */
    int woken_ = 0;
    std::vector<std::thread> threads_;
};

TEST(ConditionNotify, WakesAsManyAsItSays)
{
    const Condition condition = NewCondition();
    Waiters waiters(condition, 5);
    {
        const Holding holding(brood_condition_lock(condition.get()));
        EXPECT_EQ(0, brood_condition_notify(condition.get(), 2));
    }
    EXPECT_TRUE(waiters.Become(2));
    {
        const Holding holding(brood_condition_lock(condition.get()));
        EXPECT_EQ(0, brood_condition_notify(condition.get(), 1));
        EXPECT_EQ(0, brood_condition_notify(condition.get(), 1)) << "another one, not the same";
    }
    EXPECT_TRUE(waiters.Become(4));
    {
        const Holding holding(brood_condition_lock(condition.get()));
        EXPECT_EQ(0, brood_condition_notify_all(condition.get()));
    }
    EXPECT_TRUE(waiters.Become(5));
}

TEST(ConditionWait, GivesAnRLockUpAndTakesItBackAsItWas)
{
    const Lock lock = NewRLock();
    const Condition condition = NewCondition(lock);
    ASSERT_EQ(lock.get(), brood_condition_lock(condition.get()));
    for (int i = 0; i < 3; i++) {
        ASSERT_EQ(0, brood_lock_acquire(lock.get(), kSoon));
    }
    std::thread notifier([&] {
        const Holding holding(lock.get());
        EXPECT_EQ(0, brood_condition_notify(condition.get(), 1));
    });
    EXPECT_EQ(0, brood_condition_wait(condition.get(), kSoon)) << LastWords();
    notifier.join();
    for (int i = 0; i < 3; i++) {
        EXPECT_EQ(0, brood_lock_release(lock.get())) << i;
    }
    EXPECT_EQ(BROOD_ENOTOWNER, brood_lock_release(lock.get()));
}

TEST(ConditionWaitFor, LooksAgainEachTime)
{
    const Lock lock = NewLock();
    const Condition condition = NewCondition(lock);
    int number = 0;
    std::thread counter([&] {
        for (int i = 0; i < 10; i++) {
            const Holding holding(lock.get());
            number++;
            EXPECT_EQ(0, brood_condition_notify(condition.get(), 1));
        }
    });
    {
        const Holding holding(lock.get());
        EXPECT_EQ(0,
                  brood_condition_wait_for(
                      condition.get(), [](void *user) { return *static_cast<int *>(user) == 10; },
                      &number, kSoon))
            << LastWords();
        EXPECT_EQ(10, number);
    }
    counter.join();
    const Holding holding(lock.get());
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_condition_wait_for(
                                   condition.get(), [](void *) { return false; }, nullptr, 5));
    EXPECT_EQ(0, brood_condition_wait_for(
                     condition.get(), [](void *) { return true; }, nullptr, BROOD_NOWAIT));
    EXPECT_EQ(BROOD_EINVAL,
              brood_condition_wait_for(condition.get(), nullptr, nullptr, BROOD_NOWAIT));
}

TEST(Condition, MovesItemsFromThreadsToThreads)
{
    const Condition condition = NewCondition();
    brood_lock *lock = brood_condition_lock(condition.get());
    struct State {
        int items = 0;
        int taken = 0;
    } state;
    InThreads(6, [&](int index) {
        for (int i = 0; i < 500; i++) {
            const Holding holding(lock);
            if (index % 2 == 0) {
                state.items++;
                ASSERT_EQ(0, brood_condition_notify(condition.get(), 1));
            } else {
                ASSERT_EQ(0, brood_condition_wait_for(
                                 condition.get(),
                                 [](void *user) { return static_cast<State *>(user)->items > 0; },
                                 &state, kSoon))
                    << LastWords();
                state.items--;
                state.taken++;
            }
        }
    });
    EXPECT_EQ(0, state.items);
    EXPECT_EQ(1500, state.taken);
}

TEST(Condition, RefusesMistakes)
{
    brood_condition *raw = nullptr;
    EXPECT_EQ(BROOD_EINVAL, brood_condition_new(nullptr, nullptr));
    EXPECT_EQ(BROOD_EINVAL, brood_condition_wait(nullptr, 0));
    EXPECT_EQ(BROOD_EINVAL, brood_condition_notify(nullptr, 1));
    EXPECT_EQ(nullptr, brood_condition_lock(nullptr));
    EXPECT_EQ(nullptr, brood_condition_ref(nullptr));
    EXPECT_EQ(nullptr, raw);
    brood_condition_free(nullptr);
    const Condition condition = NewCondition();
    const Holding holding(brood_condition_lock(condition.get()));
    EXPECT_EQ(BROOD_EINVAL, brood_condition_wait(condition.get(), -7));
}

/* ---- Event ---- */

TEST(Event, IsSetUntilItIsCleared)
{
    const Event event = NewEvent();
    ASSERT_TRUE(event) << LastWords();
    EXPECT_FALSE(brood_event_is_set(event.get()));
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_event_wait(event.get(), BROOD_NOWAIT));
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_event_wait(event.get(), 5));
    brood_event_set(event.get());
    brood_event_set(event.get());
    EXPECT_TRUE(brood_event_is_set(event.get()));
    EXPECT_EQ(0, brood_event_wait(event.get(), BROOD_FOREVER));
    EXPECT_EQ(0, brood_event_wait(event.get(), BROOD_NOWAIT)) << "still";
    brood_event_clear(event.get());
    EXPECT_FALSE(brood_event_is_set(event.get()));
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_event_wait(event.get(), BROOD_NOWAIT));
}

TEST(EventSet, WakesAllWhoWait)
{
    const Event event = NewEvent();
    std::thread setter([&] { brood_event_set(event.get()); });
    InThreads(8, [&](int) { EXPECT_EQ(0, brood_event_wait(event.get(), kSoon)) << LastWords(); });
    setter.join();
}

TEST(EventWait, IsNotCheatedByAClear)
{
    const Event event = NewEvent();
    std::atomic<bool> over{false};
    std::thread pulse([&] {
        while (!over) {
            brood_event_set(event.get());
            brood_event_clear(event.get());
            std::this_thread::yield();
        }
    });
    for (int i = 0; i < 50; i++) {
        ASSERT_EQ(0, brood_event_wait(event.get(), kSoon)) << LastWords();
    }
    over = true;
    pulse.join();
}

int WaitForOne(const Event &event, int64_t timeout_ms)
{
    brood_wait_item items[] = {{brood_of(event.get()), false}};
    const int rc = brood_wait(items, 1, timeout_ms);
    EXPECT_EQ(rc == 0, items[0].ready);
    return rc;
}

TEST(EventInWait, IsReadyWhileItIsSet)
{
    const Event event = NewEvent();
    EXPECT_EQ(BROOD_ETIMEDOUT, WaitForOne(event, BROOD_NOWAIT));
    EXPECT_EQ(BROOD_ETIMEDOUT, WaitForOne(event, 5));
    brood_event_set(event.get());
    EXPECT_EQ(0, WaitForOne(event, BROOD_FOREVER)) << LastWords();
    EXPECT_EQ(0, WaitForOne(event, BROOD_NOWAIT));
    brood_event_clear(event.get());
    EXPECT_EQ(BROOD_ETIMEDOUT, WaitForOne(event, BROOD_NOWAIT));
}

/* Whether the handle says that it is set. */
bool HandleIsUp(brood_handle handle)
{
    brood_wait_item items[] = {{brood_handle_value(handle), false}};
    const int rc = brood_wait(items, 1, BROOD_NOWAIT);
    EXPECT_TRUE(rc == 0 || rc == BROOD_ETIMEDOUT) << LastWords();
    return rc == 0;
}

TEST(EventInWait, HasAHandleForForeignLoops)
{
    const Event event = NewEvent();
    brood_event_set(event.get());
    brood_handle handle = BROOD_NO_HANDLE;
    ASSERT_EQ(0, brood_waitable_handle(brood_of(event.get()), &handle)) << LastWords();
    EXPECT_TRUE(HandleIsUp(handle)) << "it was set before anybody asked";
    for (int i = 0; i < 3; i++) {
        brood_event_clear(event.get());
        EXPECT_FALSE(HandleIsUp(handle));
        brood_event_set(event.get());
        brood_event_set(event.get());
        EXPECT_TRUE(HandleIsUp(handle));
    }
}

TEST(EventInWait, StaysRightWhenSetAndClearedByMany)
{
    const Event event = NewEvent();
    brood_handle handle = BROOD_NO_HANDLE;
    ASSERT_EQ(0, brood_waitable_handle(brood_of(event.get()), &handle)) << LastWords();
    for (int round = 0; round < 50; round++) {
        InThreads(4, [&](int index) {
            for (int i = 0; i < 20; i++) {
                if ((index + i) % 2 == 0) {
                    brood_event_set(event.get());
                } else {
                    brood_event_clear(event.get());
                }
            }
        });
        ASSERT_EQ(brood_event_is_set(event.get()), HandleIsUp(handle));
    }
}

TEST(EventInWait, WakesThoseWhoWaitForSeveral)
{
    const Event first = NewEvent();
    const Event second = NewEvent();
    std::thread setter([&] { brood_event_set(second.get()); });
    InThreads(3, [&](int) {
        brood_wait_item items[] = {{brood_of(first.get()), false}, {brood_of(second.get()), false}};
        EXPECT_EQ(0, brood_wait(items, 2, kSoon)) << LastWords();
        EXPECT_FALSE(items[0].ready);
        EXPECT_TRUE(items[1].ready);
    });
    setter.join();
}

TEST(Event, RefusesMistakes)
{
    EXPECT_EQ(BROOD_EINVAL, brood_event_new(nullptr));
    EXPECT_EQ(BROOD_EINVAL, brood_event_wait(nullptr, 0));
    EXPECT_FALSE(brood_event_is_set(nullptr));
    brood_event_set(nullptr);
    brood_event_clear(nullptr);
    brood_event_free(nullptr);
    EXPECT_EQ(nullptr, brood_event_ref(nullptr));
    const Event event = NewEvent();
    EXPECT_EQ(BROOD_EINVAL, brood_event_wait(event.get(), -2));
}

/* ---- all of them ---- */

template <class Make>
void ExpectNothingIsLeftBehind(Make make)
{
    ForEachFault([&] {
        const auto object = make();
        EXPECT_EQ(brood_fault_fired(), object == nullptr);
    });
}

TEST(SyncNew, LeavesNothingBehindWhenAnyStepFails)
{
    const Lock lock = NewLock();
    ExpectNothingIsLeftBehind([] { return NewSemaphore(1); });
    ExpectNothingIsLeftBehind([&] { return NewCondition(lock); });
    ExpectNothingIsLeftBehind([] { return NewCondition(); });
    ExpectNothingIsLeftBehind([] { return NewEvent(); });
    ExpectNothingIsLeftBehind([] { return NewBarrier(70); });
}

} // namespace

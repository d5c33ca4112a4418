/* Lock and RLock, between threads. */
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "fault.h"
#include "support/fault.h"
#include "support/sync.h"

namespace {

TEST(LockAcquire, TakesAFreeLock)
{
    const Lock lock = NewLock();
    ASSERT_TRUE(lock) << LastWords();
    EXPECT_FALSE(brood_lock_locked(lock.get()));
    ASSERT_EQ(0, brood_lock_acquire(lock.get(), BROOD_NOWAIT)) << LastWords();
    EXPECT_TRUE(brood_lock_locked(lock.get()));
    EXPECT_EQ(0, brood_lock_release(lock.get())) << LastWords();
    EXPECT_FALSE(brood_lock_locked(lock.get()));
}

TEST(LockAcquire, OfItsOwnerWouldWaitForItself)
{
    const Lock lock = NewLock();
    ASSERT_EQ(0, brood_lock_acquire(lock.get(), BROOD_FOREVER));
    EXPECT_EQ(BROOD_EDEADLK, brood_lock_acquire(lock.get(), BROOD_FOREVER));
    EXPECT_EQ(BROOD_EDEADLK, brood_lock_recover(lock.get(), BROOD_FOREVER));
    EXPECT_EQ(0, brood_lock_release(lock.get()));
}

TEST(LockAcquire, TimesOutWhileAnotherThreadHasIt)
{
    const Lock lock = NewLock();
    ASSERT_EQ(0, brood_lock_acquire(lock.get(), BROOD_FOREVER));
    std::thread([&] {
        EXPECT_EQ(BROOD_ETIMEDOUT, brood_lock_acquire(lock.get(), BROOD_NOWAIT));
        EXPECT_EQ(BROOD_ETIMEDOUT, brood_lock_acquire(lock.get(), 20));
        EXPECT_EQ(BROOD_ENOTOWNER, brood_lock_release(lock.get()));
    }).join();
    EXPECT_EQ(0, brood_lock_release(lock.get()));
    EXPECT_EQ(BROOD_ENOTOWNER, brood_lock_release(lock.get()));
}

TEST(LockAcquire, RefusesWhatIsNoTimeLimit)
{
    const Lock lock = NewLock();
    ASSERT_EQ(0, brood_lock_acquire(lock.get(), BROOD_FOREVER));
    std::thread([&] { EXPECT_EQ(BROOD_EINVAL, brood_lock_acquire(lock.get(), -5)); }).join();
    EXPECT_EQ(BROOD_EINVAL, brood_lock_acquire(nullptr, 0));
    EXPECT_EQ(BROOD_EINVAL, brood_lock_release(nullptr));
    EXPECT_EQ(0, brood_lock_release(lock.get()));
    brood_lock_free(nullptr);
    EXPECT_EQ(nullptr, brood_lock_ref(nullptr));
}

TEST(RLock, IsReleasedAsOftenAsItWasAcquired)
{
    const Lock lock = NewRLock();
    ASSERT_TRUE(lock) << LastWords();
    for (int i = 0; i < 3; i++) {
        ASSERT_EQ(0, brood_lock_acquire(lock.get(), BROOD_NOWAIT)) << LastWords();
    }
    for (int i = 0; i < 3; i++) {
        std::thread([&] {
            EXPECT_EQ(BROOD_ETIMEDOUT, brood_lock_acquire(lock.get(), BROOD_NOWAIT));
        }).join();
        EXPECT_EQ(0, brood_lock_release(lock.get()));
    }
    std::thread([&] {
        EXPECT_EQ(0, brood_lock_acquire(lock.get(), BROOD_NOWAIT));
        EXPECT_EQ(0, brood_lock_release(lock.get()));
    }).join();
    EXPECT_EQ(BROOD_ENOTOWNER, brood_lock_release(lock.get()));
}

TEST(Lock, ExcludesThreadsFromEachOther)
{
    const Lock lock = NewLock();
    int64_t plain = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; t++) {
        threads.emplace_back([&] {
            for (int i = 0; i < 20000; i++) {
                ASSERT_EQ(0, brood_lock_acquire(lock.get(), kSoon)) << LastWords();
                plain++;
                ASSERT_EQ(0, brood_lock_release(lock.get())) << LastWords();
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    EXPECT_EQ(80000, plain);
}

/* Numbers of threads are used again, but not that of one that ended with a lock. */
TEST(Lock, StaysLockedWhenItsThreadEnds)
{
    const Lock lock = NewRLock();
    std::thread([&] { EXPECT_EQ(0, brood_lock_acquire(lock.get(), BROOD_FOREVER)); }).join();
    for (int i = 0; i < 5000; i++) {
        std::thread([&] {
            ASSERT_EQ(BROOD_ETIMEDOUT, brood_lock_acquire(lock.get(), BROOD_NOWAIT));
        }).join();
        if (HasFatalFailure()) {
            return;
        }
    }
}

TEST(LockNew, LeavesNothingBehindWhenAnyStepFails)
{
    ForEachFault([&] {
        brood_lock *raw = nullptr;
        const int rc = brood_lock_new(&raw, nullptr);
        EXPECT_EQ(rc == 0, raw != nullptr);
        brood_lock_free(raw);
    });
}

TEST(LockNew, ChecksItsOptions)
{
    brood_lock *raw = nullptr;
    brood_lock_options options = BROOD_OPTIONS_INIT(lock);
    options.size = 0;
    EXPECT_EQ(BROOD_EINVAL, brood_lock_new(&raw, &options));
    EXPECT_EQ(nullptr, raw);
    EXPECT_EQ(BROOD_EINVAL, brood_lock_new(nullptr, nullptr));
}

} // namespace

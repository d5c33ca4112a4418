/* Lock and RLock between processes, by every start method, and when owners die. */
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "support/leaks.h"
#include "support/methods.h"
#include "support/sync.h"

namespace {

/* ---- values ---- */

TEST(LockValue, IsTheSameObjectWhenItComesBack)
{
    const auto [a, b] = Pipe();
    const Lock lock = NewLock();
    ASSERT_EQ(0, brood_send(a.get(), BROOD_LIST(lock.get(), lock.get()), kSoon)) << LastWords();
    brood_message *raw = nullptr;
    ASSERT_EQ(0, brood_recv(b.get(), &raw, kSoon)) << LastWords();
    const Message message(raw);
    brood_lock *first = nullptr;
    brood_lock *second = nullptr;
    ASSERT_EQ(0, BROOD_UNPACK(raw, &first, &second)) << LastWords();
    EXPECT_EQ(lock.get(), first);
    EXPECT_EQ(lock.get(), second);
}

/* ---- between processes ---- */

OVER_METHODS(LockOverMethods);

int HoldAndTell(brood_call *call)
{
    brood_lock *lock;
    brood_connection *connection;
    int rc = BROOD_UNPACK(call, &lock, &connection);
    if (rc == 0) {
        rc = brood_lock_acquire(lock, kSoon);
    }
    if (rc == 0) {
        rc = brood_send(connection, brood_int(1), kSoon);
    }
    brood_message *raw = nullptr;
    if (rc == 0) {
        rc = brood_recv(connection, &raw, kSoon);
    }
    brood_message_free(raw);
    return rc == 0 ? brood_lock_release(lock) : rc;
}

/* Starts a child that holds `lock` until it is told something. */
Process StartHolder(const Lock &lock, Connection *ours)
{
    auto [mine, theirs] = Pipe();
    Process child = Start(HoldAndTell, BROOD_ARGS(lock.get(), BROOD_GIVE(theirs.get())));
    brood_message *raw = nullptr;
    if (child && brood_recv(mine.get(), &raw, kSoon) != 0) {
        ADD_FAILURE() << LastWords();
    }
    brood_message_free(raw);
    *ours = std::move(mine);
    return child;
}

void Kill(const Process &child)
{
    brood_process_kill(child.get());
    EXPECT_EQ(0, brood_process_join(child.get(), kSoon)) << LastWords();
}

TEST_P(LockOverMethods, IsHeldByAChild)
{
    const Lock lock = NewLock();
    Connection connection;
    const Process child = StartHolder(lock, &connection);
    ASSERT_TRUE(child) << LastWords();
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_lock_acquire(lock.get(), 10));
    EXPECT_EQ(BROOD_ENOTOWNER, brood_lock_release(lock.get()));
    ASSERT_EQ(0, brood_send(connection.get(), brood_none(), kSoon));
    EXPECT_EQ(0, brood_lock_acquire(lock.get(), kSoon)) << LastWords();
    EXPECT_EQ(0, brood_lock_release(lock.get()));
    EXPECT_EQ(0, Result(child)) << LastWords();
}

TEST_P(LockOverMethods, SaysWhenItsOwnerWasKilled)
{
    const Lock lock = NewLock();
    Connection connection;
    const Process child = StartHolder(lock, &connection);
    ASSERT_TRUE(child) << LastWords();
    const int64_t pid = brood_process_pid(child.get());
    Kill(child);
    EXPECT_EQ(BROOD_EOWNERDEAD, brood_lock_acquire(lock.get(), 10000)) << LastWords();
    EXPECT_EQ(pid, brood_last_error()->pid);
    EXPECT_EQ(BROOD_ENOTOWNER, brood_lock_release(lock.get())) << "it was not acquired";
    EXPECT_EQ(BROOD_EOWNERDEAD, brood_lock_acquire(lock.get(), BROOD_NOWAIT));
    EXPECT_EQ(0, brood_lock_recover(lock.get(), 10000)) << LastWords();
    EXPECT_EQ(0, brood_lock_release(lock.get()));
    EXPECT_EQ(0, brood_lock_acquire(lock.get(), BROOD_NOWAIT)) << "it is repaired";
    EXPECT_EQ(0, brood_lock_release(lock.get()));
}

TEST_P(LockOverMethods, GivesItselfSilentlyWhereThatWasAskedFor)
{
    brood_lock_options options = BROOD_OPTIONS_INIT(lock);
    options.recover_silently = true;
    const Lock lock = NewLock(&options);
    Connection connection;
    const Process child = StartHolder(lock, &connection);
    ASSERT_TRUE(child) << LastWords();
    Kill(child);
    EXPECT_EQ(0, brood_lock_acquire(lock.get(), 10000)) << LastWords();
    EXPECT_EQ(0, brood_lock_release(lock.get()));
}

/* All that wait learn of it, not only the first. */
TEST_P(LockOverMethods, WakesAllWaitersWhenItsOwnerWasKilled)
{
    const Lock lock = NewLock();
    Connection connection;
    const Process child = StartHolder(lock, &connection);
    ASSERT_TRUE(child) << LastWords();
    std::vector<std::thread> threads;
    for (int i = 0; i < 5; i++) {
        threads.emplace_back(
            [&] { EXPECT_EQ(BROOD_EOWNERDEAD, brood_lock_acquire(lock.get(), 10000)); });
    }
    Kill(child);
    for (std::thread &thread : threads) {
        thread.join();
    }
}

/* Each adds to a number that it reads and writes in two steps. */
int AddMany(brood_call *call)
{
    brood_lock *lock;
    brood_connection *connection;
    int rounds;
    int rc = BROOD_UNPACK(call, &lock, &connection, &rounds);
    for (int i = 0; rc == 0 && i < rounds; i++) {
        int64_t number = 0;
        size_t size = sizeof number;
        rc = brood_lock_acquire(lock, kSoon);
        if (rc == 0) {
            rc = brood_recv_bytes_into(connection, &number, &size, kSoon);
        }
        number++;
        if (rc == 0) {
            rc = brood_send_bytes(connection, &number, sizeof number, kSoon);
        }
        if (rc == 0) {
            rc = brood_lock_release(lock);
        }
    }
    return rc;
}

/// One connection end used by several processes in turns, which only the lock keeps in order.
TEST_P(LockOverMethods, ExcludesProcessesFromEachOther)
{
    const Lock lock = NewLock();
    auto [mine, theirs] = Pipe();
    const int rounds = 200;
    int64_t number = 0;
    ASSERT_EQ(0, brood_send_bytes(mine.get(), &number, sizeof number, kSoon));
    std::vector<Process> children;
    for (int i = 0; i < 3; i++) {
        children.push_back(Start(AddMany, BROOD_ARGS(lock.get(), theirs.get(), rounds)));
        ASSERT_TRUE(children.back()) << LastWords();
    }
    for (int i = 0; i < 3 * rounds; i++) {
        size_t size = sizeof number;
        ASSERT_EQ(0, brood_recv_bytes_into(mine.get(), &number, &size, kSoon)) << LastWords();
        ASSERT_EQ(i + 1, number);
        ASSERT_EQ(0, brood_send_bytes(mine.get(), &number, sizeof number, kSoon));
    }
    for (const Process &child : children) {
        EXPECT_EQ(0, Result(child)) << LastWords();
    }
}

int UseAll(brood_call *call)
{
    const brood_value all = brood_call_arg(call, 0);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < brood_value_count(all); i++) {
        const brood_value item = brood_value_at(all, i);
        const brood_value one = brood_list(&item, 1);
        brood_lock *lock;
        rc = BROOD_UNPACK(&one, &lock);
        if (rc == 0) {
            rc = brood_lock_acquire(lock, kSoon);
        }
        if (rc == 0) {
            rc = brood_lock_release(lock);
        }
    }
    return rc;
}

TEST_P(LockOverMethods, TenThousandCostAHandfulOfHandles)
{
    const size_t count = 10000;
    const size_t before = ListOpenThings().handles.size();
    for (int round = 0; round < 2; round++) { /* the second uses the cells of the first again */
        std::vector<Lock> locks;
        std::vector<brood_value> values;
        for (size_t i = 0; i < count; i++) {
            locks.push_back(NewLock());
            ASSERT_TRUE(locks.back()) << LastWords();
            values.push_back(brood_of(locks.back().get()));
        }
        std::vector<Process> children;
        for (int i = 0; i < 3; i++) {
            children.push_back(Start(UseAll, BROOD_ARGS(brood_list(values.data(), count))));
            ASSERT_TRUE(children.back()) << LastWords();
        }
        for (const Process &child : children) {
            EXPECT_EQ(0, Result(child)) << LastWords();
        }
        children.clear();
        EXPECT_LE(ListOpenThings().handles.size(), before + 4) << "round " << round;
    }
}

} // namespace

/* Arrays and children of all start methods. */
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "support/family.h"
#include "support/memories.h"
#include "support/methods.h"
#include "support/receive.h"
#include "support/values.h"

namespace {

OVER_METHODS(ArrayInChildren);

template <class T>
Array NewArray(size_t count, bool raw = false)
{
    brood_array_options options = BROOD_OPTIONS_INIT(array);
    brood_array *array = nullptr;
    options.raw = raw;
    const int rc = brood_array_new(&array, T, count, &options);
    return Array(rc == 0 ? array : nullptr);
}

/* ---- arguments ---- */

int AddOne(brood_call *call)
{
    brood_array *array = nullptr;
    int64_t rounds = 0;
    const int rc = BROOD_BIND(call, "array", &array, "rounds", &rounds);
    if (rc) {
        return rc;
    }
    CHILD_CHECK(call, brood_array_data(array, double) == nullptr);
    int64_t *items = brood_array_data(array, int64_t);
    const size_t last = brood_array_count(array) - 1;
    for (int64_t i = 0; i < rounds; i++) {
        CHILD_CHECK(call, brood_lock_acquire(brood_array_lock(array), kSoon) == 0);
        items[last] = items[last] + 1;
        items[0] = items[last];
        CHILD_CHECK(call, brood_lock_release(brood_array_lock(array)) == 0);
    }
    return 0;
}

TEST_P(ArrayInChildren, IsChangedUnderItsLock)
{
    const int64_t rounds = Scaled(20000);
    for (const size_t count : {size_t{1}, size_t{100000}}) {
        const Array array = NewArray<int64_t>(count);
        ASSERT_TRUE(array) << LastWords();
        std::vector<Process> children;
        for (int i = 0; i < 4; i++) {
            children.push_back(
                Start(AddOne, BROOD_ARGS(array.get(), BROOD_NAMED("rounds", rounds))));
            ASSERT_TRUE(children.back()) << LastWords();
        }
        for (const Process &child : children) {
            EXPECT_EQ(0, Result(child)) << LastWords();
        }
        EXPECT_EQ(4 * rounds, brood_array_data(array.get(), int64_t)[0]);
        EXPECT_EQ(4 * rounds, brood_array_data(array.get(), int64_t)[count - 1]);
    }
}

TEST_P(ArrayInChildren, MayBeRaw)
{
    const Array array = NewArray<double>(100, true);
    ASSERT_TRUE(array) << LastWords();
    const Process child = Start(
        [](brood_call *call) {
            brood_array *theirs = nullptr;
            const int rc = BROOD_UNPACK(call, &theirs);
            CHILD_CHECK(call, rc == 0);
            CHILD_CHECK(call, brood_array_lock(theirs) == nullptr);
            CHILD_CHECK(call, brood_array_count(theirs) == 100);
            brood_array_data(theirs, double)[99] = 1.5;
            return 0;
        },
        BROOD_ARGS(array.get()));
    EXPECT_EQ(0, Result(child)) << LastWords();
    EXPECT_EQ(1.5, brood_array_data(array.get(), double)[99]);
}

/* ---- over connections, in both directions ---- */

int Return(brood_call *call)
{
    brood_connection *connection = nullptr;
    const int rc = BROOD_UNPACK(call, &connection);
    if (rc) {
        return rc;
    }
    const Connection mine(brood_connection_ref(connection));
    Array own = NewArray<int>(5);
    CHILD_CHECK(call, own);
    brood_array_data(own.get(), int)[4] = 55;
    for (int i = 0; i < 3; i++) {
        const Message message = Receive(mine);
        brood_array *array = nullptr;
        CHILD_CHECK(call, BROOD_UNPACK(message.get(), &array) == 0);
        brood_array_data(array, int)[0]++;
        CHILD_CHECK(call, brood_send(connection, BROOD_LIST(array, own.get()), kSoon) == 0);
    }
    own.reset(); /* the test has it */
    CHILD_CHECK(call, brood_send(connection, brood_none(), kSoon) == 0);
    return ReceiveError(mine) == BROOD_EEND ? 0 : 1;
}

TEST_P(ArrayInChildren, TravelsInBothDirections)
{
    for (const size_t count : {size_t{3}, size_t{100000}}) {
        auto [mine, theirs] = Pipe();
        const Process child = Start(Return, BROOD_ARGS(BROOD_GIVE(theirs.get())));
        ASSERT_TRUE(child) << LastWords();
        const Array array = NewArray<int>(count);
        Array kept;
        for (int i = 0; i < 3; i++) {
            ASSERT_EQ(0, brood_send(mine.get(), brood_of(array.get()), kSoon)) << LastWords();
            const Message answer = Receive(mine);
            brood_array *same = nullptr;
            brood_array *other = nullptr;
            ASSERT_EQ(0, BROOD_UNPACK(answer.get(), &same, &other)) << LastWords();
            EXPECT_EQ(array.get(), same);
            EXPECT_EQ(i + 1, *brood_array_data(array.get(), int));
            EXPECT_TRUE(kept == nullptr || kept.get() == other);
            kept.reset(brood_array_ref(other));
        }
        EXPECT_EQ("None", Shown(Receive(mine)));
        ASSERT_NE(nullptr, brood_array_data(kept.get(), int)) << LastWords();
        EXPECT_EQ(55, brood_array_data(kept.get(), int)[4]);
        mine.reset();
        EXPECT_EQ(0, Result(child)) << LastWords();
        EXPECT_EQ(55, brood_array_data(kept.get(), int)[4]); /* its maker has ended */
        EXPECT_EQ(0, brood_lock_acquire(brood_array_lock(kept.get()), kSoon)) << LastWords();
        EXPECT_EQ(0, brood_lock_release(brood_array_lock(kept.get())));
    }
}

/* ---- ends ---- */

int HoldAndStay(brood_call *call)
{
    brood_array *array = nullptr;
    brood_connection *connection = nullptr;
    const int rc = BROOD_UNPACK(call, &array, &connection);
    if (rc) {
        return rc;
    }
    CHILD_CHECK(call, brood_lock_acquire(brood_array_lock(array), kSoon) == 0);
    *brood_array_data(array, int) = 1; /* half of it */
    CHILD_CHECK(call, brood_send(connection, brood_none(), kSoon) == 0);
    return brood_poll(connection, BROOD_FOREVER);
}

TEST_P(ArrayInChildren, TellsThatTheOwnerOfItsLockWasKilled)
{
    for (const size_t count : {size_t{1}, size_t{100000}}) {
        const Array array = NewArray<int>(count);
        auto [mine, theirs] = Pipe();
        const Process child = Start(HoldAndStay, BROOD_ARGS(array.get(), BROOD_GIVE(theirs.get())));
        ASSERT_TRUE(Receive(mine)) << LastWords();
        brood_lock *lock = brood_array_lock(array.get());
        EXPECT_EQ(BROOD_ETIMEDOUT, brood_lock_acquire(lock, BROOD_NOWAIT));
        ASSERT_EQ(0, brood_process_kill(child.get()));
        EXPECT_EQ(BROOD_EWORKER, Result(child));
        EXPECT_EQ(BROOD_EOWNERDEAD, brood_lock_acquire(lock, kSoon)) << LastWords();
        EXPECT_EQ(1, *brood_array_data(array.get(), int));
        ASSERT_EQ(0, brood_lock_recover(lock, kSoon)) << LastWords();
        EXPECT_EQ(0, brood_lock_release(lock));
        EXPECT_EQ(0, Result(Start(AddOne, BROOD_ARGS(array.get(), 0)))) << LastWords();
    }
}

int MakeAndStay(brood_call *call)
{
    brood_connection *connection = nullptr;
    int64_t count = 0;
    const int rc = BROOD_UNPACK(call, &connection, &count);
    if (rc) {
        return rc;
    }
    const Array array = NewArray<int>(static_cast<size_t>(count));
    CHILD_CHECK(call, array);
    brood_array_data(array.get(), int)[count - 1] = 5;
    CHILD_CHECK(call, brood_send(connection, brood_of(array.get()), kSoon) == 0);
    return brood_poll(connection, BROOD_FOREVER);
}

TEST_P(ArrayInChildren, IsThereWhenWhoMadeItIsKilled)
{
    for (const int64_t count : {1, 100000}) {
        auto [mine, theirs] = Pipe();
        const Process child = Start(MakeAndStay, BROOD_ARGS(BROOD_GIVE(theirs.get()), count));
        const Message message = Receive(mine);
        brood_array *array = nullptr;
        ASSERT_EQ(0, BROOD_UNPACK(message.get(), &array)) << LastWords();
        ASSERT_EQ(0, brood_process_kill(child.get()));
        EXPECT_EQ(BROOD_EWORKER, Result(child));
        EXPECT_EQ(5, brood_array_data(array, int)[count - 1]);
        EXPECT_EQ(0, brood_lock_acquire(brood_array_lock(array), kSoon)) << LastWords();
        EXPECT_EQ(0, brood_lock_release(brood_array_lock(array)));
        const Process other = Start(
            [](brood_call *call) {
                brood_array *given = nullptr;
                const int rc = BROOD_UNPACK(call, &given);
                CHILD_CHECK(call, rc == 0);
                brood_array_data(given, int)[0] = 6;
                return 0;
            },
            BROOD_ARGS(array));
        EXPECT_EQ(0, Result(other)) << LastWords();
        EXPECT_EQ(6, brood_array_data(array, int)[0]);
    }
}

} // namespace

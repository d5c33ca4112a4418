/* Arrays in one process. */
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fault.h"
#include "support/family.h"
#include "support/fault.h"
#include "support/insides.h"
#include "support/leaks.h"
#include "support/memories.h"
#include "support/native.h"
#include "support/objects.h"
#include "support/receive.h"
#include "support/values.h"

namespace {

struct Odd {
    char bytes[13];
};

template <class T>
Array NewArray(size_t count, bool raw = false, brood_lock *lock = nullptr)
{
    brood_array_options options = BROOD_OPTIONS_INIT(array);
    brood_array *raw_array = nullptr;
    options.raw = raw;
    options.lock = lock;
    const int rc = brood_array_new(&raw_array, T, count, &options);
    return Array(rc == 0 ? raw_array : nullptr);
}

brood_array *ArrayIn(const Message &message)
{
    brood_array *array = nullptr;
    return message && BROOD_UNPACK(message.get(), &array) == 0 ? array : nullptr;
}

/* ---- making ---- */

template <class T>
void ExpectItIsZeroed(size_t count)
{
    const Array array = NewArray<T>(count);
    ASSERT_TRUE(array) << LastWords();
    EXPECT_EQ(count, brood_array_count(array.get()));
    T *items = brood_array_data(array.get(), T);
    ASSERT_NE(nullptr, items) << LastWords();
    EXPECT_EQ(0u, reinterpret_cast<uintptr_t>(items) % 32);
    const char *bytes = reinterpret_cast<const char *>(items);
    EXPECT_TRUE(std::all_of(bytes, bytes + count * sizeof(T), [](char c) { return c == 0; }));
    std::memset(static_cast<void *>(items), 0xff, count * sizeof(T));
}

TEST(ArrayNew, GivesZeroesOfItsType)
{
    for (int again = 0; again < 2; again++) { /* what was used before is zero, too */
        for (const size_t count :
             {size_t{0}, size_t{1}, size_t{3}, size_t{1000}, size_t{5041}, size_t{200000}}) {
            ExpectItIsZeroed<char>(count);
            ExpectItIsZeroed<uint16_t>(count);
            ExpectItIsZeroed<float>(count);
            ExpectItIsZeroed<int64_t>(count);
            ExpectItIsZeroed<Odd>(count);
        }
    }
}

TEST(ArrayNew, RefusesWhatMakesNoSense)
{
    brood_array *raw = nullptr;
    EXPECT_EQ(BROOD_EINVAL, brood_array_new_(nullptr, 'i', 4, 1, nullptr));
    for (const auto &[letter, size] : std::vector<std::pair<char, size_t>>{{'i', 0},
                                                                           {'i', 3},
                                                                           {'i', 16},
                                                                           {'u', 5},
                                                                           {'f', 2},
                                                                           {'f', 16},
                                                                           {'x', 0},
                                                                           {'q', 4},
                                                                           {'\0', 4}}) {
        EXPECT_EQ(BROOD_EINVAL, brood_array_new_(&raw, letter, size, 1, nullptr)) << letter << size;
    }
    brood_array_options options = {};
    EXPECT_EQ(BROOD_EINVAL, brood_array_new(&raw, int, 1, &options)); /* without its size */
    brood_lock *lock = nullptr;
    ASSERT_EQ(0, brood_lock_new(&lock, nullptr)) << LastWords();
    EXPECT_FALSE(NewArray<int>(1, true, lock));
    EXPECT_EQ(BROOD_EINVAL, brood_last_error()->error);
    brood_lock_free(lock);
    EXPECT_EQ(nullptr, raw);
}

TEST(ArrayNew, SaysThatThereIsNotSoMuch)
{
    for (const size_t count : {SIZE_MAX, SIZE_MAX / 8 + 2, SIZE_MAX / 16, SIZE_MAX / 64}) {
        EXPECT_FALSE(NewArray<double>(count));
        EXPECT_EQ(BROOD_ENOMEM, brood_last_error()->error) << LastWords();
    }
}

TEST(ArrayNew, LeavesNothingBehindWhenAnyStepFails)
{
    Array first = NewArray<int>(1); /* the heap is made once */
    ASSERT_TRUE(first) << LastWords();
    for (const size_t count : {size_t{1}, size_t{100000}}) {
        for (const bool raw : {false, true}) {
            ForEachFault([&] {
                const Array array = NewArray<int>(count, raw);
                EXPECT_EQ(brood_fault_fired(), !array) << LastWords();
            });
        }
        ForEachFault([&] {
            const Array array = NewArray<int>(count, false, brood_array_lock(first.get()));
            EXPECT_EQ(brood_fault_fired(), !array) << LastWords();
        });
    }
}

/* ---- types ---- */

TEST(ArrayData, IsOfItsTypeOnly)
{
    const Array array = NewArray<int>(10);
    ASSERT_TRUE(array) << LastWords();
    EXPECT_NE(nullptr, brood_array_data(array.get(), int));
    EXPECT_EQ(brood_array_data(array.get(), int), brood_array_data(array.get(), const int));
    EXPECT_EQ(brood_array_data(array.get(), int), (void *)brood_array_data(array.get(), int32_t));
    EXPECT_EQ(nullptr, brood_array_data(array.get(), unsigned));
    EXPECT_EQ(BROOD_ETYPE, brood_last_error()->error);
    EXPECT_EQ("an array of 4-byte signed integers, not of 4-byte unsigned integers", LastWords());
    EXPECT_EQ(nullptr, brood_array_data(array.get(), float));
    EXPECT_EQ(nullptr, brood_array_data(array.get(), int64_t));
    EXPECT_EQ(nullptr, brood_array_data(array.get(), Odd));
    EXPECT_EQ(nullptr, brood_array_data(static_cast<brood_array *>(nullptr), int));
    EXPECT_EQ(BROOD_EINVAL, brood_last_error()->error);
}

/* ---- locks ---- */

TEST(ArrayLock, IsAnRLockOfItsOwn)
{
    const Array one = NewArray<int>(1);
    const Array two = NewArray<int>(1);
    ASSERT_TRUE(one && two) << LastWords();
    brood_lock *lock = brood_array_lock(one.get());
    ASSERT_NE(nullptr, lock);
    EXPECT_NE(lock, brood_array_lock(two.get()));
    ASSERT_EQ(0, brood_lock_acquire(lock, kSoon)) << LastWords();
    ASSERT_EQ(0, brood_lock_acquire(lock, kSoon)) << LastWords();
    EXPECT_FALSE(brood_lock_locked(brood_array_lock(two.get())));
    std::thread([lock] {
        EXPECT_EQ(BROOD_ETIMEDOUT, brood_lock_acquire(lock, BROOD_NOWAIT));
    }).join();
    EXPECT_EQ(0, brood_lock_release(lock));
    EXPECT_EQ(0, brood_lock_release(lock));
}

TEST(ArrayLock, MayBeSharedOrNone)
{
    brood_lock *lock = nullptr;
    ASSERT_EQ(0, brood_lock_new(&lock, nullptr)) << LastWords();
    const Array one = NewArray<int>(1, false, lock);
    const Array two = NewArray<double>(100000, false, lock);
    EXPECT_EQ(lock, brood_array_lock(one.get()));
    brood_lock_free(lock); /* the arrays keep it */
    EXPECT_EQ(brood_array_lock(one.get()), brood_array_lock(two.get()));
    EXPECT_EQ(0, brood_lock_acquire(brood_array_lock(one.get()), kSoon));
    EXPECT_EQ(0, brood_lock_release(brood_array_lock(two.get())));
    EXPECT_EQ(nullptr, brood_array_lock(NewArray<int>(1, true).get()));
    EXPECT_EQ(nullptr, brood_array_lock(nullptr));
    EXPECT_EQ(0u, brood_array_count(nullptr));
    EXPECT_EQ(nullptr, brood_array_ref(nullptr));
    brood_array_free(nullptr);
}

/* ---- many ---- */

/* In a process of its own: heaps stay until it ends. */
int MakesMany(brood_call *call)
{
    constexpr size_t kCount = 10000;
    const Array warm = NewArray<int>(1);
    const size_t before = ListOpenThings().handles.size();
    std::vector<Array> values;
    std::vector<brood_value> list;
    for (size_t i = 0; i < kCount; i++) {
        values.push_back(NewArray<int64_t>(1));
        CHILD_CHECK(call, values.back());
        *brood_array_data(values.back().get(), int64_t) = static_cast<int64_t>(i);
        list.push_back(brood_of(values.back().get()));
    }
    CHILD_CHECK(call, ListOpenThings().handles.size() <= before + 4);
    for (size_t i = 0; i < kCount; i++) {
        CHILD_CHECK(call, static_cast<int64_t>(i) == *brood_array_data(values[i].get(), int64_t));
    }
    const auto [a, b] = Pipe();
    std::thread sender([&a = a, &list] {
        EXPECT_EQ(0, brood_send(a.get(), brood_list(list.data(), list.size()), kSoon))
            << LastWords();
    });
    const Message message = Receive(b);
    sender.join();
    const brood_value back = brood_message_value(message.get());
    CHILD_CHECK(call, brood_value_count(back) == kCount);
    for (size_t i = 0; i < kCount; i++) {
        CHILD_CHECK(call, brood_value_equal(list[i], brood_value_at(back, i)));
    }
    CHILD_CHECK(call, ListOpenThings().handles.size() <= before + 6);
    return 0;
}

TEST(ManyArrays, CostAHandfulOfHandles)
{
    EXPECT_EQ(0, Result(Start(MakesMany))) << LastWords();
}

TEST(ManyArrays, AreMadeWhereOthersWere)
{
    std::set<void *> places;
    for (int i = 0; i < 1000; i++) {
        const Array array = NewArray<int64_t>(100, true);
        int64_t *items = brood_array_data(array.get(), int64_t);
        ASSERT_NE(nullptr, items) << LastWords();
        ASSERT_TRUE(std::all_of(items, items + 100, [](int64_t x) { return x == 0; }));
        std::fill(items, items + 100, i + 1);
        places.insert(items);
    }
    EXPECT_LE(places.size(), 2u);
}

/* ---- values ---- */

TEST(ArrayValue, IsAnObjectLikeOthers)
{
    const Array array = NewArray<int>(10);
    const Array other = NewArray<int>(10);
    ASSERT_TRUE(array && other) << LastWords();
    EXPECT_EQ("(<array>, 1)", Shown(BROOD_TUPLE(array.get(), 1)));
    EXPECT_TRUE(brood_value_equal(brood_of(array.get()), brood_of(array.get())));
    EXPECT_FALSE(brood_value_equal(brood_of(array.get()), brood_of(other.get())));
    EXPECT_EQ(BROOD_NONE, brood_value_kind(brood_of(static_cast<brood_array *>(nullptr))));
    const brood_value value = brood_of(array.get());
    EXPECT_EQ(BROOD_ARRAY, brood_value_kind(value));
    brood_memory *memory = nullptr;
    EXPECT_EQ(BROOD_ETYPE, BROOD_UNPACK(&value, &memory));
    EXPECT_EQ("error: an array cannot be sent here", Encoded(value));
}

TEST(ArrayOverConnection, IsTheSameObjectWithItsLock)
{
    const auto [a, b] = Pipe();
    for (const size_t count : {size_t{0}, size_t{10}, size_t{100000}}) {
        for (const bool raw : {false, true}) {
            const Array array = NewArray<int>(count, raw);
            ASSERT_TRUE(array) << LastWords();
            brood_lock *lock = brood_array_lock(array.get());
            ASSERT_EQ(0, brood_send(a.get(), BROOD_LIST(array.get(), lock, array.get()), kSoon))
                << LastWords();
            const Message message = Receive(b);
            brood_array *first = nullptr;
            brood_array *second = nullptr;
            brood_value between = brood_none();
            ASSERT_EQ(0, BROOD_UNPACK(message.get(), &first, &between, &second)) << LastWords();
            EXPECT_EQ(array.get(), first);
            EXPECT_EQ(array.get(), second);
            EXPECT_TRUE(brood_value_equal(brood_of(lock), between));
        }
    }
}

TEST(ArrayOverConnection, IsThereAfterItsSenderHasFreedIt)
{
    const auto [a, b] = Pipe();
    for (const size_t count : {size_t{10}, size_t{100000}}) {
        Array array = NewArray<int>(count);
        ASSERT_TRUE(array) << LastWords();
        brood_array_data(array.get(), int)[count - 1] = 7;
        ASSERT_EQ(
            0, brood_send(a.get(), BROOD_LIST(brood_array_lock(array.get()), array.get()), kSoon))
            << LastWords();
        array.reset();
        for (int i = 0; i < 10; i++) { /* nobody gets its place meanwhile */
            const Array other = NewArray<int>(count);
            brood_array_data(other.get(), int)[count - 1] = 8;
        }
        const Message message = Receive(b);
        brood_array *arrived = nullptr;
        brood_lock *lock = nullptr;
        ASSERT_EQ(0, BROOD_UNPACK(message.get(), &lock, &arrived)) << LastWords();
        EXPECT_EQ(count, brood_array_count(arrived));
        EXPECT_EQ(lock, brood_array_lock(arrived));
        EXPECT_EQ(7, brood_array_data(arrived, int)[count - 1]);
        EXPECT_EQ(nullptr, brood_array_data(arrived, float));
    }
}

TEST(ArrayOverConnection, IsSentOrNotWhenAnyStepFails)
{
    for (const size_t count : {size_t{10}, size_t{100000}}) {
        ForEachFault([count] {
            brood_fault_pause(true);
            const auto pipe = Pipe();
            Array array = NewArray<int>(count);
            ASSERT_TRUE(array) << LastWords();
            brood_fault_pause(false);
            const int rc = brood_send(pipe.first.get(), brood_of(array.get()), 1000);
            brood_fault_pause(true);
            EXPECT_EQ(0, brood_send(pipe.first.get(), brood_str("next"), kSoon)) << LastWords();
            array.reset();
            if (rc == 0) {
                EXPECT_EQ("<array>", Shown(Receive(pipe.second)));
            }
            EXPECT_EQ("'next'", Shown(Receive(pipe.second)));
            brood_fault_pause(false);
        });
    }
}

TEST(ArrayOverConnection, IsReceivedOrLostWhenAnyStepFails)
{
    for (const size_t count : {size_t{10}, size_t{100000}}) {
        ForEachFault([count] {
            brood_fault_pause(true);
            const auto pipe = Pipe();
            Array array = NewArray<int>(count);
            ASSERT_TRUE(array) << LastWords();
            ASSERT_EQ(0, brood_send(pipe.first.get(), brood_of(array.get()), kSoon));
            array.reset();
            ASSERT_EQ(0, brood_send(pipe.first.get(), brood_str("next"), kSoon)) << LastWords();
            brood_fault_pause(false);
            const Message first = Receive(pipe.second);
            brood_fault_pause(true);
            Message next = Receive(pipe.second);
            if (next && Shown(next) != "'next'") {
                EXPECT_FALSE(first);
                EXPECT_NE(nullptr, ArrayIn(next));
                next = Receive(pipe.second);
            }
            EXPECT_EQ("'next'", Shown(next)) << LastWords();
            brood_fault_pause(false);
        });
    }
}

TEST(ArrayOverConnection, MayArriveInManyThreadsAtOnce)
{
    constexpr int kThreads = 4;
    const int rounds = static_cast<int>(Scaled(200));
    std::vector<std::pair<Connection, Connection>> pipes;
    for (int i = 0; i < kThreads; i++) {
        pipes.push_back(Pipe());
    }
    for (int round = 0; round < rounds; round++) {
        Array array = NewArray<int>(round % 2 == 0 ? 1 : 100000);
        ASSERT_TRUE(array) << LastWords();
        *brood_array_data(array.get(), int) = round;
        for (const auto &pipe : pipes) {
            ASSERT_EQ(0, brood_send(pipe.first.get(), brood_of(array.get()), kSoon));
        }
        array.reset();
        std::vector<Message> messages(kThreads);
        std::vector<std::thread> threads;
        for (int i = 0; i < kThreads; i++) {
            threads.emplace_back([&, i] { messages[i] = Receive(pipes[i].second); });
        }
        for (std::thread &thread : threads) {
            thread.join();
        }
        for (const Message &message : messages) {
            ASSERT_NE(nullptr, ArrayIn(message));
            EXPECT_EQ(ArrayIn(messages[0]), ArrayIn(message));
            EXPECT_EQ(round, *brood_array_data(ArrayIn(message), int));
        }
    }
}

/* ---- what is no such message ---- */

/* A reference to one array that pretends to be another. */
class Forgery {
  public:
    explicit Forgery(const Array &array) : array_(array)
    {
    }
    std::string letter = "i";
    brood_value item_size = brood_int(4);
    brood_value count = brood_int(10);
    std::vector<brood_value> lock = std::vector<brood_value>(5, brood_none());
    std::vector<brood_value> memory = std::vector<brood_value>(6, brood_none());
    int number = 0;
    std::string Bytes() const
    {
        std::string segment(16, 0);
        uint64_t offset = 0;
        uint32_t generation = 0;
        EXPECT_EQ(0, inside_send_shared(brood_of(array_.get()), &segment[0], &offset, &generation));
        std::vector<brood_value> fields = {
            brood_str("array"),
            brood_int(number),
            brood_int(0),
            brood_bytes(segment.data(), segment.size()),
            brood_uint(offset),
            brood_uint(generation),
            brood_text(letter.data(), letter.size()),
            item_size,
            count,
        };
        fields.insert(fields.end(), lock.begin(), lock.end());
        fields.insert(fields.end(), memory.begin(), memory.end());
        const std::string encoded = Encoded(brood_tuple(fields.data(), fields.size()));
        return encoded.substr(0, encoded.size() - 1) + "Q.";
    }

  private:
    const Array &array_;
};

TEST(HostileArray, IsRefused)
{
    const std::pair<Connection, Connection> ends = Pipe();
    const Connection &a = ends.first;
    const Connection &b = ends.second;
    const Array array = NewArray<int>(10, true);
    const Array locked = NewArray<int>(10);
    const Memory memory = NewMemory(100);
    const Memory reader = NewMemory(100, nullptr, true);
    ASSERT_TRUE(array && locked && memory && reader) << LastWords();
    const auto expect = [&](int error, const Forgery &forgery,
                            brood_handle second = BROOD_NO_HANDLE) {
        const std::string bytes = forgery.Bytes();
        const brood_handle handles[] = {inside_shared_handle(brood_of(array.get())), second};
        ASSERT_EQ(0, inside_send_bytes_with(a.get(), bytes.data(), bytes.size(), handles,
                                            second == BROOD_NO_HANDLE ? 1 : 2));
        EXPECT_EQ(error, ReceiveError(b))
            << Shown(brood_bytes(bytes.data(), bytes.size())) << ": " << LastWords();
    };
    const auto with = [&array](const std::function<void(Forgery &)> &change) {
        Forgery forgery(array);
        change(forgery);
        return forgery;
    };
    expect(0, Forgery(array));
    for (const char *letter : {"u", "f", "x", "q", "", "ii"}) {
        expect(BROOD_EDECODE, with([letter](Forgery &f) { f.letter = letter; }));
    }
    for (const brood_value &size : {brood_int(0), brood_int(3), brood_int(8), brood_int(-4),
                                    brood_uint(UINT64_MAX), brood_none(), brood_str("4")}) {
        expect(BROOD_EDECODE, with([size](Forgery &f) { f.item_size = size; }));
    }
    for (const brood_value &count :
         {brood_int(9), brood_int(11), brood_int(-1), brood_int(INT64_MAX), brood_int(1 << 20),
          brood_uint((UINT64_MAX >> 2) + 1), brood_none()}) {
        expect(BROOD_EDECODE, with([count](Forgery &f) { f.count = count; }));
    }
    expect(BROOD_EDECODE, with([](Forgery &f) { f.number = 1; }));
    for (size_t i = 0; i < 5; i++) {
        expect(BROOD_EDECODE, with([i](Forgery &f) {
                   f.lock.assign(5, brood_int(7));
                   f.lock.resize(i);
               }));
        expect(BROOD_EDECODE, with([i](Forgery &f) { f.lock.assign(5, brood_int(7 + i)); }));
    }
    expect(BROOD_EDECODE, with([](Forgery &f) { f.memory.assign(6, brood_int(0)); }));
    expect(BROOD_EDECODE, with([](Forgery &f) { f.memory.clear(); }));
    /* a lock where there is none; the lock itself is in order, and it is here already */
    std::string segment(16, 0);
    uint64_t offset = 0;
    uint32_t generation = 0;
    ASSERT_EQ(0, inside_send_shared(brood_of(brood_array_lock(locked.get())), &segment[0], &offset,
                                    &generation));
    const brood_value id = brood_bytes(segment.data(), segment.size());
    expect(
        BROOD_EDECODE, with([&](Forgery &f) {
            f.number = 1;
            f.lock = {brood_int(0), brood_int(0), id, brood_uint(offset), brood_uint(generation)};
        }));
    /* an array as a lock, a lock as an array */
    ASSERT_EQ(0, inside_send_shared(brood_of(array.get()), &segment[0], &offset, &generation));
    expect(
        BROOD_EDECODE, with([&](Forgery &f) {
            f.number = 1;
            f.lock = {brood_int(0), brood_int(0), id, brood_uint(offset), brood_uint(generation)};
        }));
    /* blocks that are too small, or for reading only */
    const std::string number(16, 'n');
    const auto block = [&](size_t size, bool read_only) {
        return std::vector<brood_value>{
            brood_int(0),          brood_int(1), brood_uint(size),
            brood_bool(read_only), brood_none(), brood_bytes(number.data(), number.size())};
    };
    expect(BROOD_EDECODE, with([&](Forgery &f) {
               f.number = 1;
               f.memory = block(39, false);
           }),
           inside_memory_handle(memory.get()));
    expect(BROOD_EDECODE, with([&](Forgery &f) {
               f.number = 1;
               f.memory = block(100, true);
           }),
           inside_memory_handle(reader.get()));
    expect(BROOD_EHANDLE, with([&](Forgery &f) {
               f.number = 1;
               f.memory = block(1 << 20, false);
           }),
           inside_memory_handle(memory.get()));
    expect(0, Forgery(array));
    ASSERT_EQ(0, brood_send(a.get(), brood_of(locked.get()), kSoon)) << LastWords();
    EXPECT_EQ("<array>", Shown(Receive(b)));
}

} // namespace

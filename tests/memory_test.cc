/* Shared memory in one process: made, named, opened, sent to itself. */
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fault.h"
#include "support/fault.h"
#include "support/insides.h"
#include "support/memories.h"
#include "support/native.h"
#include "support/objects.h"
#include "support/receive.h"
#include "support/usage.h"
#include "support/values.h"

namespace {

/* The memory of a message that is one. */
brood_memory *MemoryIn(const Message &message)
{
    brood_memory *memory = nullptr;
    return message && BROOD_UNPACK(message.get(), &memory) == 0 ? memory : nullptr;
}

/* ---- making ---- */

TEST(MemoryNew, GivesAsManyZeroBytesAsWereAskedFor)
{
    for (const size_t size : {size_t{1}, size_t{100}, size_t{4095}, size_t{4096}, size_t{4097},
                              size_t{1} << 20, (size_t{9} << 20) + 5}) {
        const Memory memory = NewMemory(size);
        ASSERT_TRUE(memory) << LastWords();
        char *data = Data(memory);
        EXPECT_EQ(size, brood_memory_size(memory.get()));
        EXPECT_EQ(0u, reinterpret_cast<uintptr_t>(data) % 4096);
        EXPECT_TRUE(std::all_of(data, data + size, [](char c) { return c == 0; }));
        std::memset(data, 'x', size);
        EXPECT_EQ('x', data[size - 1]);
        EXPECT_EQ(nullptr, brood_memory_name(memory.get()));
        EXPECT_FALSE(brood_memory_read_only(memory.get()));
    }
}

TEST(MemoryNew, RefusesWhatMakesNoSense)
{
    brood_memory *raw = nullptr;
    EXPECT_EQ(BROOD_EINVAL, brood_memory_new(&raw, 0, nullptr));
    EXPECT_EQ(BROOD_EINVAL, brood_memory_new(nullptr, 1, nullptr));
    EXPECT_EQ(BROOD_EINVAL, brood_memory_open(nullptr, "x", nullptr));
    EXPECT_EQ(BROOD_EINVAL, brood_memory_open(&raw, nullptr, nullptr));
    EXPECT_EQ(BROOD_EINVAL, brood_memory_unlink(nullptr));
    brood_memory_options options = {};
    EXPECT_EQ(BROOD_EINVAL, brood_memory_new(&raw, 1, &options)); /* without its size */
    EXPECT_EQ(BROOD_EINVAL, brood_memory_open(&raw, "x", &options));
    options.size = sizeof options;
    options.name = "y";
    EXPECT_EQ(BROOD_EINVAL, brood_memory_open(&raw, "x", &options));
    EXPECT_EQ(nullptr, raw);
}

TEST(MemoryNew, RefusesNamesThatAreNotPortable)
{
    const std::string longest(200, 'a');
    for (const std::string &name :
         {std::string(), std::string("a/b"), std::string("/a"), std::string("a\\b"),
          std::string("."), std::string(".."), std::string(".a"), std::string("a b"),
          std::string("a\n"), std::string("\xc3\xa4"), longest + "a"}) {
        EXPECT_FALSE(NewMemory(1, name.c_str())) << name;
        EXPECT_EQ(BROOD_EINVAL, brood_last_error()->error) << name << ": " << LastWords();
        EXPECT_FALSE(OpenMemory(name)) << name;
        EXPECT_EQ(BROOD_EINVAL, brood_last_error()->error) << name << ": " << LastWords();
        EXPECT_EQ(BROOD_EINVAL, brood_memory_unlink(name.c_str())) << name;
    }
    EXPECT_FALSE(OpenMemory(longest));
    EXPECT_EQ(BROOD_ENOENT, brood_last_error()->error) << LastWords();
}

TEST(MemoryNew, SaysThatThereIsNotSoMuch)
{
    for (const size_t size : {SIZE_MAX, SIZE_MAX / 2, SIZE_MAX / 2 + 1, SIZE_MAX / 4}) {
        for (const char *name : {static_cast<const char *>(nullptr), "brood-test-too-large"}) {
            EXPECT_FALSE(NewMemory(size, name)) << size;
            EXPECT_EQ(BROOD_ENOMEM, brood_last_error()->error) << size << ": " << LastWords();
        }
    }
    EXPECT_FALSE(OpenMemory("brood-test-too-large"));
}

TEST(MemoryNew, LeavesNothingBehindWhenAnyStepFails)
{
    const MemoryName name;
    for (const bool read_only : {false, true}) {
        ForEachFault([&] {
            const Memory memory = NewMemory(5000, nullptr, read_only);
            EXPECT_EQ(brood_fault_fired(), !memory) << LastWords();
        });
        ForEachFault([&] {
            Memory memory = NewMemory(5000, name.c_str(), read_only);
            EXPECT_EQ(brood_fault_fired(), !memory) << LastWords();
            brood_fault_pause(true);
            EXPECT_EQ(memory != nullptr, OpenMemory(name, true) != nullptr);
            EXPECT_EQ(memory ? 0 : BROOD_ENOENT, kNamesOutliveProcesses || memory
                                                     ? brood_memory_unlink(name.c_str())
                                                     : BROOD_ENOENT);
            brood_fault_pause(false);
        });
    }
}

TEST(MemoryOpen, LeavesNothingBehindWhenAnyStepFails)
{
    const MemoryName name;
    const Memory made = NewMemory(5000, name.c_str());
    ASSERT_TRUE(made) << LastWords();
    for (const bool read_only : {false, true}) {
        ForEachFault([&] {
            const Memory memory = OpenMemory(name, read_only);
            EXPECT_EQ(brood_fault_fired(), !memory) << LastWords();
        });
    }
}

TEST(MemoryNew, MayBeLargerThanFourGibibytes)
{
    constexpr size_t kSize = (size_t{4} << 30) + 12345;
    if (AvailableMemory() < 2 * static_cast<unsigned long long>(kSize)) {
        GTEST_SKIP() << "this machine has not enough memory";
    }
    const Memory memory = NewMemory(kSize);
    ASSERT_TRUE(memory) << LastWords();
    char *data = Data(memory);
    EXPECT_EQ(kSize, brood_memory_size(memory.get()));
    for (const size_t at : {size_t{0}, size_t{1} << 31, size_t{1} << 32, kSize - 1}) {
        EXPECT_EQ(0, data[at]);
        data[at] = 'x';
    }
    EXPECT_EQ('x', data[size_t{1} << 32]);
    const Process child = Start(
        [](brood_call *call) {
            brood_memory *theirs = nullptr;
            const int rc = BROOD_UNPACK(call, &theirs);
            const char *bytes = static_cast<const char *>(brood_memory_data(theirs));
            return rc                                   ? rc
                   : brood_memory_size(theirs) != kSize ? 1
                   : bytes[size_t{1} << 32] != 'x'      ? 2
                   : bytes[kSize - 1] != 'x'            ? 3
                                                        : 0;
        },
        BROOD_ARGS(memory.get()));
    EXPECT_EQ(0, Result(child)) << LastWords();
}

/* ---- names ---- */

TEST(NamedMemory, IsOpenedByItsName)
{
    const MemoryName name;
    const Memory made = NewMemory(5000, name.c_str());
    ASSERT_TRUE(made) << LastWords();
    EXPECT_STREQ(name.c_str(), brood_memory_name(made.get()));
    std::strcpy(Data(made), "here");
    const Memory opened = OpenMemory(name);
    ASSERT_TRUE(opened) << LastWords();
    EXPECT_NE(opened, made);
    EXPECT_EQ(5000u, brood_memory_size(opened.get()));
    EXPECT_STREQ(name.c_str(), brood_memory_name(opened.get()));
    EXPECT_STREQ("here", Data(opened));
    std::strcpy(Data(opened), "there");
    EXPECT_STREQ("there", Data(made));
}

TEST(NamedMemory, HasItsExactSizeWhereverItIsOpened)
{
    for (const size_t size : {size_t{1}, size_t{4070}, size_t{4095}, size_t{4096}, size_t{4097},
                              size_t{65536}, size_t{65537}, size_t{3} << 20}) {
        const MemoryName name;
        const Memory made = NewMemory(size, name.c_str());
        ASSERT_TRUE(made) << LastWords();
        EXPECT_EQ(size, brood_memory_size(made.get()));
        EXPECT_EQ(size, brood_memory_size(OpenMemory(name).get()));
        std::memset(Data(made), 0xff, size);
        EXPECT_EQ(size, brood_memory_size(OpenMemory(name, true).get()));
    }
}

TEST(NamedMemory, IsThereOnlyOnce)
{
    const MemoryName name;
    const Memory made = NewMemory(10, name.c_str());
    ASSERT_TRUE(made) << LastWords();
    for (const bool read_only : {false, true}) {
        EXPECT_FALSE(NewMemory(10, name.c_str(), read_only));
        EXPECT_EQ(BROOD_EEXIST, brood_last_error()->error) << LastWords();
    }
    EXPECT_TRUE(OpenMemory(name)) << LastWords();
    const MemoryName other;
    EXPECT_FALSE(OpenMemory(other));
    EXPECT_EQ(BROOD_ENOENT, brood_last_error()->error) << LastWords();
}

TEST(NamedMemory, GoesOnWithoutItsName)
{
    const MemoryName name;
    Memory first = NewMemory(10, name.c_str());
    ASSERT_TRUE(first) << LastWords();
    Data(first)[0] = '1';
    ASSERT_EQ(0, brood_memory_unlink(name.c_str())) << LastWords();
    if (!kNamesOutliveProcesses) { /* the name is the block's as long as that is there */
        EXPECT_TRUE(OpenMemory(name));
        first.reset();
        EXPECT_FALSE(OpenMemory(name));
        EXPECT_EQ(BROOD_ENOENT, brood_last_error()->error) << LastWords();
        EXPECT_TRUE(NewMemory(10, name.c_str()));
        return;
    }
    EXPECT_EQ(BROOD_ENOENT, brood_memory_unlink(name.c_str())) << LastWords();
    EXPECT_FALSE(OpenMemory(name));
    const Memory second = NewMemory(20, name.c_str());
    ASSERT_TRUE(second) << LastWords();
    EXPECT_EQ(0, Data(second)[0]);
    EXPECT_EQ('1', Data(first)[0]);
}

TEST(NamedMemory, MayBeForReadingOnly)
{
    const MemoryName name;
    const Memory made = NewMemory(10, name.c_str(), true);
    ASSERT_TRUE(made) << LastWords();
    EXPECT_FALSE(brood_memory_read_only(made.get()));
    std::strcpy(Data(made), "text");
    EXPECT_FALSE(OpenMemory(name));
    EXPECT_EQ(BROOD_EACCES, brood_last_error()->error) << LastWords();
    const Memory reader = OpenMemory(name, true);
    ASSERT_TRUE(reader) << LastWords();
    EXPECT_TRUE(brood_memory_read_only(reader.get()));
    EXPECT_STREQ("text", Data(reader));
    EXPECT_FALSE(CanBeWrittenTo(inside_memory_handle(reader.get())));
    EXPECT_FALSE(CanBeWrittenTo(inside_memory_handle(made.get())));
}

/* ---- values ---- */

TEST(MemoryValue, IsAnObjectLikeOthers)
{
    const Memory memory = NewMemory(10);
    const Memory other = NewMemory(10);
    ASSERT_TRUE(memory && other);
    const brood_value value = brood_of(memory.get());
    EXPECT_EQ(BROOD_MEMORY, brood_value_kind(value));
    EXPECT_EQ("[<memory>, 1]", Shown(BROOD_LIST(memory.get(), 1)));
    EXPECT_TRUE(brood_value_equal(value, brood_of(memory.get())));
    EXPECT_FALSE(brood_value_equal(value, brood_of(other.get())));
    EXPECT_EQ(BROOD_NONE, brood_value_kind(brood_of(static_cast<brood_memory *>(nullptr))));
    brood_memory *out = nullptr;
    ASSERT_EQ(0, BROOD_UNPACK(&value, &out)) << LastWords();
    EXPECT_EQ(memory.get(), out);
    brood_connection *connection = nullptr;
    EXPECT_EQ(BROOD_ETYPE, BROOD_UNPACK(&value, &connection));
    EXPECT_NE(std::string::npos, LastWords().find("memory")) << LastWords();
    EXPECT_EQ("error: a memory cannot be sent here", Encoded(value));
}

TEST(MemoryValue, IsKeptByAMessage)
{
    Memory memory = NewMemory(10);
    ASSERT_TRUE(memory);
    std::strcpy(Data(memory), "kept");
    Message copy = Copy(BROOD_LIST(memory.get(), memory.get()));
    memory.reset();
    brood_memory *first = nullptr;
    brood_memory *second = nullptr;
    ASSERT_EQ(0, BROOD_UNPACK(copy.get(), &first, &second)) << LastWords();
    EXPECT_EQ(first, second);
    EXPECT_STREQ("kept", static_cast<const char *>(brood_memory_data(first)));
    memory.reset(brood_memory_ref(first));
    copy.reset();
    EXPECT_STREQ("kept", Data(memory));
}

TEST(MemoryValue, NothingIsAllowedWhereNothingIsThere)
{
    EXPECT_EQ(nullptr, brood_memory_data(nullptr));
    EXPECT_EQ(0u, brood_memory_size(nullptr));
    EXPECT_EQ(nullptr, brood_memory_name(nullptr));
    EXPECT_EQ(nullptr, brood_memory_ref(nullptr));
    EXPECT_FALSE(brood_memory_read_only(nullptr));
    brood_memory_free(nullptr);
}

/* ---- over a connection to oneself ---- */

TEST(MemoryOverConnection, IsTheSameObjectWhereItIsThereAlready)
{
    const auto [a, b] = Pipe();
    const MemoryName name;
    for (const char *chosen : {static_cast<const char *>(nullptr), name.c_str()}) {
        for (const bool read_only : {false, true}) {
            const Memory memory = NewMemory(10, chosen, read_only);
            ASSERT_TRUE(memory) << LastWords();
            ASSERT_EQ(0, brood_send(a.get(), BROOD_LIST(memory.get(), memory.get()), kSoon));
            const Message message = Receive(b);
            brood_memory *first = nullptr;
            brood_memory *second = nullptr;
            ASSERT_EQ(0, BROOD_UNPACK(message.get(), &first, &second)) << LastWords();
            EXPECT_EQ(memory.get(), first);
            EXPECT_EQ(memory.get(), second);
            (void)!brood_memory_unlink(name.c_str());
        }
    }
}

TEST(MemoryOverConnection, IsThereAfterItsSenderHasFreedIt)
{
    const auto [a, b] = Pipe();
    Memory memory = NewMemory(100);
    ASSERT_TRUE(memory);
    std::strcpy(Data(memory), "on its way");
    ASSERT_EQ(0, brood_send(a.get(), brood_of(memory.get()), kSoon)) << LastWords();
    ASSERT_EQ(0, brood_send(a.get(), brood_of(memory.get()), kSoon)) << LastWords();
    memory.reset();
    Message one = Receive(b);
    ASSERT_NE(nullptr, MemoryIn(one)) << LastWords();
    EXPECT_EQ(100u, brood_memory_size(MemoryIn(one)));
    EXPECT_STREQ("on its way", static_cast<const char *>(brood_memory_data(MemoryIn(one))));
    const Message two = Receive(b);
    EXPECT_EQ(MemoryIn(one), MemoryIn(two));
    one.reset();
    EXPECT_STREQ("on its way", static_cast<const char *>(brood_memory_data(MemoryIn(two))));
}

TEST(MemoryOverConnection, OpenedForReadingIsForReading)
{
    const auto [a, b] = Pipe();
    const MemoryName name;
    const Memory made = NewMemory(10, name.c_str());
    Memory reader = OpenMemory(name, true);
    ASSERT_TRUE(made && reader) << LastWords();
    ASSERT_EQ(0, brood_send(a.get(), brood_of(reader.get()), kSoon)) << LastWords();
    reader.reset();
    const Message message = Receive(b);
    ASSERT_NE(nullptr, MemoryIn(message)) << LastWords();
    EXPECT_NE(made.get(), MemoryIn(message)); /* it was opened, not sent */
    EXPECT_TRUE(brood_memory_read_only(MemoryIn(message)));
    EXPECT_STREQ(name.c_str(), brood_memory_name(MemoryIn(message)));
    Data(made)[0] = 'x';
    EXPECT_EQ('x', *static_cast<const char *>(brood_memory_data(MemoryIn(message))));
}

TEST(MemoryOverConnection, IsNotForStrangers)
{
    const auto [a, b] = Pipe();
    const Memory memory = NewMemory(10);
    ASSERT_TRUE(memory);
    inside_distrust(a.get());
    EXPECT_EQ(BROOD_ETYPE, brood_send(a.get(), brood_of(memory.get()), kSoon));
    EXPECT_EQ("a memory cannot be sent to a stranger", LastWords());
}

TEST(MemoryOverConnection, IsSentOrNotWhenAnyStepFails)
{
    ForEachFault([] {
        brood_fault_pause(true);
        const auto pipe = Pipe();
        Memory memory = NewMemory(10);
        ASSERT_TRUE(memory) << LastWords();
        brood_fault_pause(false);
        const int rc = brood_send(pipe.first.get(), brood_of(memory.get()), 1000);
        brood_fault_pause(true);
        EXPECT_EQ(0, brood_send(pipe.first.get(), brood_str("next"), kSoon)) << LastWords();
        memory.reset();
        if (rc == 0) {
            EXPECT_EQ("<memory>", Shown(Receive(pipe.second)));
        }
        EXPECT_EQ("'next'", Shown(Receive(pipe.second)));
        brood_fault_pause(false);
    });
}

TEST(MemoryOverConnection, IsReceivedOrLostWhenAnyStepFails)
{
    const MemoryName name;
    for (const char *chosen : {static_cast<const char *>(nullptr), name.c_str()}) {
        ForEachFault([chosen] {
            brood_fault_pause(true);
            const auto pipe = Pipe();
            Memory memory = NewMemory(10, chosen);
            ASSERT_TRUE(memory) << LastWords();
            (void)!(chosen != nullptr && brood_memory_unlink(chosen));
            ASSERT_EQ(0, brood_send(pipe.first.get(), brood_of(memory.get()), kSoon));
            memory.reset();
            ASSERT_EQ(0, brood_send(pipe.first.get(), brood_str("next"), kSoon)) << LastWords();
            brood_fault_pause(false);
            const Message first = Receive(pipe.second);
            brood_fault_pause(true);
            /* What failed before the message was taken leaves it there. */
            Message next = Receive(pipe.second);
            if (next && Shown(next) != "'next'") {
                EXPECT_FALSE(first);
                EXPECT_NE(nullptr, MemoryIn(next));
                next = Receive(pipe.second);
            }
            EXPECT_EQ("'next'", Shown(next)) << LastWords();
            brood_fault_pause(false);
        });
    }
}

TEST(MemoryOverConnection, MayArriveInManyThreadsAtOnce)
{
    constexpr int kThreads = 4;
    const int rounds = static_cast<int>(Scaled(200));
    std::vector<std::pair<Connection, Connection>> pipes;
    for (int i = 0; i < kThreads; i++) {
        pipes.push_back(Pipe());
    }
    for (int round = 0; round < rounds; round++) {
        Memory memory = NewMemory(8);
        ASSERT_TRUE(memory) << LastWords();
        for (const auto &pipe : pipes) {
            ASSERT_EQ(0, brood_send(pipe.first.get(), brood_of(memory.get()), kSoon));
        }
        memory.reset();
        std::vector<Message> messages(kThreads);
        std::vector<std::thread> threads;
        for (int i = 0; i < kThreads; i++) {
            threads.emplace_back([&, i] { messages[i] = Receive(pipes[i].second); });
        }
        for (std::thread &thread : threads) {
            thread.join();
        }
        for (const Message &message : messages) {
            ASSERT_NE(nullptr, MemoryIn(message));
            EXPECT_EQ(MemoryIn(messages[0]), MemoryIn(message));
        }
    }
}

/* ---- what is no such message ---- */

/* A reference as src/parcel.c writes it. */
std::string Reference(brood_value size, brood_value read_only, brood_value name,
                      const std::string &id, brood_value place = brood_int(0))
{
    const std::string encoded = Encoded(
        BROOD_TUPLE("memory", 0, place, size, read_only, name, brood_bytes(id.data(), id.size())));
    return encoded.substr(0, encoded.size() - 1) + "Q.";
}

TEST(HostileMemory, IsRefused)
{
    const auto [a, b] = Pipe();
    const Memory memory = NewMemory(5000);
    const Memory reader = NewMemory(5000, nullptr, true);
    ASSERT_TRUE(memory && reader);
    NativePipe pipe;
    const std::string id(16, 'i');
    std::string known(16, 0);
    inside_memory_id(memory.get(), &known[0]);
    const brood_value no = brood_bool(false);
    const brood_value none = brood_none();
    const auto expect = [&a = a, &b = b](int error, const std::string &bytes, brood_handle handle) {
        ASSERT_EQ(0, inside_send_bytes_with(a.get(), bytes.data(), bytes.size(), &handle, 1));
        EXPECT_EQ(error, ReceiveError(b))
            << Shown(brood_bytes(bytes.data(), bytes.size())) << ": " << LastWords();
    };
    const brood_handle handle = inside_memory_handle(memory.get());

    expect(0, Reference(brood_int(5000), no, none, id), handle);
    expect(0, Reference(brood_int(10), no, none, id), handle); /* a part of it */
    /* announced too large */
    expect(BROOD_EHANDLE, Reference(brood_int(1 << 20), no, none, id), handle);
    expect(BROOD_EHANDLE, Reference(brood_int(INT64_MAX), no, none, id), handle);
    /* no shared memory, or not for writing */
    expect(BROOD_EHANDLE, Reference(brood_int(10), no, none, id), pipe.in.get());
    expect(BROOD_EHANDLE, Reference(brood_int(10), no, brood_str("name"), id), pipe.in.get());
    expect(BROOD_EHANDLE, Reference(brood_int(10), no, none, id),
           inside_memory_handle(reader.get()));
    /* what cannot be */
    for (const brood_value &size : {brood_int(0), brood_int(-1), brood_uint(UINT64_MAX), none,
                                    brood_str("10"), brood_float(10)}) {
        expect(BROOD_EDECODE, Reference(size, no, none, id), handle);
    }
    expect(BROOD_EDECODE, Reference(brood_int(10), brood_int(0), none, id), handle);
    expect(BROOD_EDECODE, Reference(brood_int(10), no, brood_int(0), id), handle);
    expect(BROOD_EDECODE, Reference(brood_int(10), no, brood_str("../etc/passwd"), id), handle);
    expect(BROOD_EDECODE, Reference(brood_int(10), no, brood_text("a\0b", 3), id), handle);
    expect(BROOD_EDECODE, Reference(brood_int(10), no, none, id + "i"), handle);
    expect(BROOD_EDECODE, Reference(brood_int(10), no, none, ""), handle);
    /* somebody else's number */
    expect(BROOD_EDECODE, Reference(brood_int(10), no, none, known), handle);
    expect(BROOD_EHANDLE, Reference(brood_int(10), no, none, id, brood_int(1)), handle);
    expect(BROOD_EHANDLE, Reference(brood_int(10), no, none, id, none), handle);
    /* and the connection is as before */
    ASSERT_EQ(0, brood_send(a.get(), brood_of(memory.get()), kSoon));
    EXPECT_EQ("<memory>", Shown(Receive(b)));
}

} // namespace

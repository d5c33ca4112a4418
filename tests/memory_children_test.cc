/* Shared memory and children of all start methods. */
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <utility>

#include "support/family.h"
#include "support/memories.h"
#include "support/methods.h"
#include "support/process_list.h"
#include "support/receive.h"
#include "support/values.h"

namespace {

OVER_METHODS(MemoryInChildren);

char *DataOf(brood_memory *memory)
{
    return static_cast<char *>(brood_memory_data(memory));
}

/* ---- arguments ---- */

int Reply(brood_call *call)
{
    brood_memory *memory = nullptr;
    brood_memory *same = nullptr;
    int64_t size = 0;
    const int rc = BROOD_BIND(call, "memory", &memory, "size", &size, "same?", &same);
    if (rc) {
        return rc;
    }
    CHILD_CHECK(call, brood_memory_size(memory) == static_cast<size_t>(size));
    CHILD_CHECK(call, same == nullptr || same == memory);
    CHILD_CHECK(call, !brood_memory_read_only(memory));
    CHILD_CHECK(call, std::strcmp(DataOf(memory), "question") == 0);
    std::strcpy(DataOf(memory), "answer");
    return brood_return(call, brood_str(brood_memory_name(memory)));
}

TEST_P(MemoryInChildren, IsTheSameMemory)
{
    const MemoryName name;
    for (const size_t size : {size_t{100}, size_t{3} << 20}) {
        for (const char *chosen : {static_cast<const char *>(nullptr), name.c_str()}) {
            const Memory memory = NewMemory(size, chosen);
            ASSERT_TRUE(memory) << LastWords();
            std::strcpy(Data(memory), "question");
            const Process child =
                Start(Reply, BROOD_ARGS(memory.get(), size, BROOD_NAMED("same", memory.get())));
            Message answer;
            ASSERT_EQ(0, Result(child, &answer)) << LastWords();
            EXPECT_STREQ("answer", Data(memory));
            EXPECT_EQ(chosen == nullptr ? "None" : "'" + std::string(chosen) + "'", Shown(answer));
            (void)!brood_memory_unlink(name.c_str());
        }
    }
}

TEST_P(MemoryInChildren, MayBeOpenedByName)
{
    const MemoryName name;
    const Memory memory = NewMemory(100, name.c_str());
    ASSERT_TRUE(memory) << LastWords();
    const Process child = Start(
        [](brood_call *call) {
            const char *theirs = nullptr;
            const int rc = BROOD_UNPACK(call, &theirs);
            CHILD_CHECK(call, rc == 0);
            const Memory opened = OpenMemory(theirs);
            CHILD_CHECK(call, opened);
            std::strcpy(Data(opened), "opened");
            return 0;
        },
        BROOD_ARGS(name.c_str()));
    ASSERT_EQ(0, Result(child)) << LastWords();
    EXPECT_STREQ("opened", Data(memory));
}

/* ---- for reading only ---- */

int TryToWrite(brood_call *call)
{
    brood_memory *memory = nullptr;
    bool write = false;
    const int rc = BROOD_UNPACK(call, &memory, &write);
    if (rc) {
        return rc;
    }
    CHILD_CHECK(call, brood_memory_read_only(memory));
    CHILD_CHECK(call, std::strcmp(DataOf(memory), "text") == 0);
    if (write) {
        DataOf(memory)[0] = 'T'; /* ends this process */
    }
    CHILD_CHECK(call, !CanBeWrittenTo(inside_memory_handle(memory)));
    CHILD_CHECK(call, !CanBeMadeWritable(DataOf(memory)));
    return 0;
}

TEST_P(MemoryInChildren, CannotBeWrittenToWhereItIsForReading)
{
    const MemoryName name;
    for (const char *chosen : {static_cast<const char *>(nullptr), name.c_str()}) {
        const Memory memory = NewMemory(10, chosen, true);
        ASSERT_TRUE(memory) << LastWords();
        std::strcpy(Data(memory), "text");
        EXPECT_EQ(0, Result(Start(TryToWrite, BROOD_ARGS(memory.get(), false)))) << LastWords();
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* they print and exit with 1 */
        const Process child = Start(TryToWrite, BROOD_ARGS(memory.get(), true));
        int code = 0;
        EXPECT_EQ(BROOD_EWORKER, Result(child));
        ASSERT_EQ(0, brood_process_exitcode(child.get(), &code)) << LastWords();
        EXPECT_TRUE(code == -11 || code == -10 /* SIGBUS, on some systems */) << code;
#endif
        EXPECT_STREQ("text", Data(memory));
        std::strcpy(Data(memory), "TEXT"); /* we can */
    }
}

/* ---- again and again ---- */

int Compare(brood_call *call)
{
    brood_connection *connection = nullptr;
    const int rc = BROOD_UNPACK(call, &connection);
    if (rc) {
        return rc;
    }
    const Connection mine(brood_connection_ref(connection));
    Memory kept;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 3; i++) {
            const Message message = Receive(mine);
            brood_memory *memory = nullptr;
            CHILD_CHECK(call, BROOD_UNPACK(message.get(), &memory) == 0);
            CHILD_CHECK(call, i == 0 || memory == kept.get());
            CHILD_CHECK(call, DataOf(memory)[0] == round * 3 + i);
            DataOf(memory)[0]++;
            kept.reset(brood_memory_ref(memory));
            CHILD_CHECK(call, brood_send(connection, brood_of(memory), kSoon) == 0);
        }
        kept.reset(); /* and it comes anew */
    }
    return 0;
}

TEST_P(MemoryInChildren, ArrivesAsTheObjectThatIsThere)
{
    auto [mine, theirs] = Pipe();
    const Process child = Start(Compare, BROOD_ARGS(BROOD_GIVE(theirs.get())));
    ASSERT_TRUE(child) << LastWords();
    const Memory memory = NewMemory(10);
    for (int i = 0; i < 6; i++) {
        ASSERT_EQ(0, brood_send(mine.get(), brood_of(memory.get()), kSoon)) << LastWords();
        const Message back = Receive(mine);
        brood_memory *same = nullptr;
        ASSERT_EQ(0, BROOD_UNPACK(back.get(), &same)) << LastWords();
        EXPECT_EQ(memory.get(), same);
        EXPECT_EQ(i + 1, Data(memory)[0]);
    }
    EXPECT_EQ(0, Result(child)) << LastWords();
}

int SendOn(brood_call *call)
{
    brood_memory *memory = nullptr;
    int64_t depth = 0;
    const int rc = BROOD_UNPACK(call, &memory, &depth);
    if (rc) {
        return rc;
    }
    DataOf(memory)[depth] = static_cast<char>('0' + depth);
    return depth == 0 ? 0 : Result(Start(SendOn, BROOD_ARGS(memory, depth - 1)));
}

TEST_P(MemoryInChildren, IsSentOnToTheirChildren)
{
    const Memory memory = NewMemory(10);
    ASSERT_EQ(0, Result(Start(SendOn, BROOD_ARGS(memory.get(), 3)))) << LastWords();
    EXPECT_STREQ("0123", Data(memory));
}

TEST_P(MemoryInChildren, CannotBeAResult)
{
    const Memory memory = NewMemory(10);
    const Process child = Start(
        [](brood_call *call) {
            brood_memory *theirs = nullptr;
            const int rc = BROOD_UNPACK(call, &theirs);
            return rc ? rc : brood_return(call, brood_of(theirs));
        },
        BROOD_ARGS(memory.get()));
    EXPECT_EQ(BROOD_ETYPE, Result(child));
    EXPECT_NE(std::string::npos, LastWords().find("a memory cannot be a result")) << LastWords();
}

/* ---- ends ---- */

/* Makes a block, sends it to the test, and stays. */
int MakeAndStay(brood_call *call)
{
    brood_connection *connection = nullptr;
    const char *name = nullptr;
    const int rc = BROOD_UNPACK(call, &connection, &name);
    if (rc) {
        return rc;
    }
    const Memory memory = NewMemory(1 << 20, name);
    CHILD_CHECK(call, memory);
    std::memset(Data(memory), 'x', 1 << 20);
    CHILD_CHECK(call, brood_send(connection, brood_of(memory.get()), kSoon) == 0);
    return brood_poll(connection, BROOD_FOREVER);
}

TEST_P(MemoryInChildren, IsThereWhenWhoMadeItIsKilled)
{
    const MemoryName name;
    for (const char *chosen : {static_cast<const char *>(nullptr), name.c_str()}) {
        auto [mine, theirs] = Pipe();
        const Process child = Start(MakeAndStay, BROOD_ARGS(BROOD_GIVE(theirs.get()), chosen));
        ASSERT_TRUE(child) << LastWords();
        const Message message = Receive(mine);
        brood_memory *memory = nullptr;
        ASSERT_EQ(0, BROOD_UNPACK(message.get(), &memory)) << LastWords();
        ASSERT_EQ(0, brood_process_kill(child.get()));
        EXPECT_EQ(BROOD_EWORKER, Result(child));
        EXPECT_EQ('x', DataOf(memory)[(1 << 20) - 1]);
        DataOf(memory)[0] = 'y';
        const Process other = Start(SendOn, BROOD_ARGS(memory, 0));
        EXPECT_EQ(0, Result(other)) << LastWords();
        EXPECT_EQ('0', DataOf(memory)[0]);
        if (chosen != nullptr) {
            const Memory opened = OpenMemory(name);
            ASSERT_TRUE(opened) << LastWords();
            EXPECT_EQ('0', Data(opened)[0]);
        }
    }
}

/* What nobody has taken out of a pipe yet goes with the pipe. */
TEST_P(MemoryInChildren, IsGoneWithItsLastOwner)
{
    for (int i = 0; i < 3; i++) {
        auto [mine, theirs] = Pipe();
        const Process child =
            Start(MakeAndStay, BROOD_ARGS(BROOD_GIVE(theirs.get()), static_cast<const char *>("")));
        ASSERT_TRUE(child) << LastWords();
        EXPECT_NE(0, Result(child)); /* the name is bad: nothing was made */
    }
    const MemoryName name;
    auto [mine, theirs] = Pipe();
    const Process child = Start(MakeAndStay, BROOD_ARGS(BROOD_GIVE(theirs.get()), name.c_str()));
    const Message message = Receive(mine);
    ASSERT_TRUE(message) << LastWords();
    ASSERT_EQ(0, brood_process_kill(child.get()));
    EXPECT_EQ(BROOD_EWORKER, Result(child));
    EXPECT_TRUE(OpenMemory(name)) << LastWords();
}

/* ---- a killed sender, at any moment ---- */

int SendForEver(brood_call *call)
{
    brood_connection *connection = nullptr;
    int rc = BROOD_UNPACK(call, &connection);
    while (rc == 0) {
        const Memory memory = NewMemory(5000);
        if (!memory) {
            return brood_last_error()->error;
        }
        std::memset(Data(memory), 'x', 5000);
        rc = brood_send(connection, brood_of(memory.get()), kSoon);
    }
    return rc;
}

TEST_P(MemoryInChildren, ArrivesWholeOrNotAtAllFromOneThatIsKilled)
{
    const long rounds = Scaled(50);
    for (long round = 0; round < rounds; round++) {
        auto [mine, theirs] = Pipe();
        const Process child = Start(SendForEver, BROOD_ARGS(BROOD_GIVE(theirs.get())));
        ASSERT_TRUE(child) << LastWords();
        int rc = 0;
        for (long i = 0; rc == 0; i++) {
            brood_message *raw = nullptr;
            rc = brood_recv(mine.get(), &raw, kSoon);
            const Message message(raw);
            brood_memory *memory = nullptr;
            if (rc == 0) {
                ASSERT_EQ(0, BROOD_UNPACK(message.get(), &memory)) << LastWords();
                ASSERT_EQ('x', DataOf(memory)[4999]);
            }
            if (i == round % 7) {
                ASSERT_EQ(0, brood_process_kill(child.get()));
            }
        }
        EXPECT_TRUE(rc == BROOD_EEND || rc == BROOD_EPEER || rc == BROOD_EHANDLE) << LastWords();
        EXPECT_EQ(BROOD_EWORKER, Result(child));
    }
}

} // namespace

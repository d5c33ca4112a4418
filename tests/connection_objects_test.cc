/* Handles, connections, processes and functions in messages over connections. */
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fault.h"
#include "support/fault.h"
#include "support/insides.h"
#include "support/native.h"
#include "support/objects.h"
#include "support/process_list.h"
#include "support/receive.h"
#include "support/values.h"

namespace {

int Nothing(brood_call *)
{
    return 0;
}

/* ---- each kind ---- */

TEST(HandleOverConnection, IsADuplicateThatTheMessageOwns)
{
    const auto [a, b] = Pipe();
    NativePipe pipe;
    ASSERT_EQ(0, brood_send(a.get(), brood_handle_value(pipe.in.get()), kSoon)) << LastWords();
    EXPECT_TRUE(NativeIsOpen(pipe.in.get()));
    pipe.in.Close();
    Message message = Receive(b);
    ASSERT_TRUE(message) << LastWords();
    EXPECT_FALSE(NativeIsInherited(HandleIn(message)));
    EXPECT_TRUE(NativeWrite(HandleIn(message), "there"));
    EXPECT_EQ("there", NativeRead(pipe.out.get()));
    message.reset();
    EXPECT_TRUE(Ended(pipe));
}

TEST(HandleOverConnection, IsClosedHereWhenItIsGiven)
{
    const auto [a, b] = Pipe();
    NativePipe pipe;
    const brood_handle in = pipe.in.Release();
    ASSERT_EQ(0, brood_send(a.get(), BROOD_GIVE(brood_handle_value(in)), kSoon)) << LastWords();
    EXPECT_FALSE(NativeIsOpen(in));
    Message message = Receive(b);
    ASSERT_TRUE(message) << LastWords();
    EXPECT_TRUE(NativeWrite(HandleIn(message), "x"));
    EXPECT_EQ("x", NativeRead(pipe.out.get()));
    message.reset();
    EXPECT_TRUE(Ended(pipe));
}

TEST(HandleOverConnection, IsSentOnFromAMessage)
{
    const auto [a, b] = Pipe();
    NativePipe pipe;
    ASSERT_EQ(0, brood_send(a.get(), BROOD_GIVE(brood_handle_value(pipe.in.Release())), kSoon));
    Message first = Receive(b);
    ASSERT_TRUE(first) << LastWords();
    const brood_value inside = brood_message_value(first.get());
    ASSERT_EQ(0, brood_send(b.get(), BROOD_LIST(BROOD_GIVE(inside), inside), kSoon));
    EXPECT_TRUE(NativeIsOpen(brood_as_handle(inside)));
    first.reset();
    Message second = Receive(a);
    ASSERT_TRUE(second) << LastWords();
    brood_value one = brood_none();
    brood_value two = brood_none();
    ASSERT_EQ(0, BROOD_UNPACK(second.get(), &one, &two));
    EXPECT_TRUE(brood_value_equal(one, two));
    EXPECT_TRUE(NativeWrite(brood_as_handle(one), "x"));
    EXPECT_EQ("x", NativeRead(pipe.out.get()));
    second.reset();
    EXPECT_TRUE(Ended(pipe));
}

TEST(HandleOverConnection, HasToBeOpen)
{
    const auto [a, b] = Pipe();
    NativePipe pipe;
    const brood_handle gone = pipe.in.get();
    pipe.in.Close();
    EXPECT_EQ(BROOD_EINVAL, brood_send(a.get(), BROOD_LIST(1, brood_handle_value(gone)), kSoon));
    EXPECT_NE(std::string::npos, LastWords().find("is not open")) << LastWords();
    ASSERT_EQ(0, brood_send(a.get(), brood_int(1), kSoon));
    EXPECT_EQ("1", Shown(Receive(b)));
}

TEST(ConnectionOverConnection, TalksOnFromThere)
{
    const auto [a, b] = Pipe();
    const auto [near, far] = Pipe();
    ASSERT_EQ(0, brood_send(a.get(), BROOD_LIST("take this", BROOD_DICT("end", far.get())), kSoon))
        << LastWords();
    EXPECT_FALSE(brood_connection_closed(far.get()));
    const Message message = Receive(b);
    ASSERT_TRUE(message) << LastWords();
    EXPECT_EQ("['take this', {'end': <connection>}]", Shown(message));
    const char *text = nullptr;
    brood_value dict = brood_none();
    ASSERT_EQ(0, BROOD_UNPACK(message.get(), &text, &dict));
    const brood_value end = brood_value_get(dict, "end");
    brood_connection *received = nullptr;
    ASSERT_EQ(0, BROOD_UNPACK(&end, &received)) << LastWords();
    EXPECT_TRUE(brood_connection_readable(received));
    EXPECT_TRUE(brood_connection_writable(received));
    ASSERT_EQ(0, brood_send(received, brood_str("from there"), kSoon));
    EXPECT_EQ("'from there'", Shown(Receive(near)));
    ASSERT_EQ(0, brood_send(far.get(), brood_str("from here"), kSoon));
    EXPECT_EQ("'from here'", Shown(Receive(near)));
}

TEST(ConnectionOverConnection, KeepsItsDirections)
{
    const auto [a, b] = Pipe();
    const auto [reader, writer] = Pipe(BROOD_ONE_WAY);
    ASSERT_EQ(0, brood_send(a.get(), BROOD_TUPLE(reader.get(), writer.get()), kSoon));
    const Message message = Receive(b);
    brood_connection *in = nullptr;
    brood_connection *out = nullptr;
    ASSERT_EQ(0, BROOD_UNPACK(message.get(), &in, &out)) << LastWords();
    EXPECT_TRUE(brood_connection_readable(in) && !brood_connection_writable(in));
    EXPECT_TRUE(!brood_connection_readable(out) && brood_connection_writable(out));
    ASSERT_EQ(0, brood_send_bytes(out, "x", 1, kSoon));
    EXPECT_EQ("x", ReceiveBytes(reader));
}

TEST(ConnectionOverConnection, EndsWithItsNewOwnerWhenItIsGiven)
{
    const auto [a, b] = Pipe();
    const auto [near, far] = Pipe();
    ASSERT_EQ(0, brood_send(a.get(), BROOD_GIVE(far.get()), kSoon)) << LastWords();
    EXPECT_TRUE(brood_connection_closed(far.get()));
    Message message = Receive(b);
    ASSERT_TRUE(message) << LastWords();
    brood_connection *received = nullptr;
    ASSERT_EQ(0, BROOD_UNPACK(message.get(), &received));
    ASSERT_EQ(0, brood_send_bytes(received, "x", 1, kSoon));
    message.reset();
    EXPECT_EQ("x", ReceiveBytes(near));
    EXPECT_EQ(BROOD_EEND, ReceiveError(near));
}

TEST(ConnectionOverConnection, IsBorrowedFromItsMessageUntilItIsReferenced)
{
    const auto [a, b] = Pipe();
    const auto [near, far] = Pipe();
    ASSERT_EQ(0,
              brood_send(a.get(), BROOD_LIST(BROOD_GIVE(far.get()), BROOD_GIVE(far.get())), kSoon))
        << LastWords();
    Message message = Receive(b);
    brood_connection *one = nullptr;
    brood_connection *two = nullptr;
    ASSERT_EQ(0, BROOD_UNPACK(message.get(), &one, &two)) << LastWords();
    EXPECT_EQ(one, two);
    Message copy = Copy(brood_message_value(message.get()));
    const Connection kept(brood_connection_ref(one));
    message.reset();
    ASSERT_EQ(0, brood_send_bytes(kept.get(), "1", 1, kSoon));
    copy.reset();
    ASSERT_EQ(0, brood_send_bytes(kept.get(), "2", 1, kSoon));
    EXPECT_EQ("1", ReceiveBytes(near));
    EXPECT_EQ("2", ReceiveBytes(near));
}

TEST(ConnectionOverConnection, MayTravelOverItself)
{
    const auto [a, b] = Pipe();
    ASSERT_EQ(0, brood_send(a.get(), BROOD_GIVE(a.get()), kSoon)) << LastWords();
    EXPECT_TRUE(brood_connection_closed(a.get()));
    const Message message = Receive(b);
    ASSERT_TRUE(message) << LastWords();
    brood_connection *received = nullptr;
    ASSERT_EQ(0, BROOD_UNPACK(message.get(), &received));
    ASSERT_EQ(0, brood_send_bytes(received, "x", 1, kSoon));
    EXPECT_EQ("x", ReceiveBytes(b));
}

TEST(ConnectionOverConnection, IsNotGivenAwayWhenSendingFails)
{
    auto [a, b] = Pipe();
    const auto [near, far] = Pipe();
    EXPECT_EQ(
        BROOD_EINVAL,
        brood_send(a.get(), BROOD_LIST(BROOD_GIVE(far.get()), brood_bytes(nullptr, 5)), kSoon));
    EXPECT_EQ(BROOD_EINVAL,
              brood_send(a.get(), BROOD_LIST(far.get(), BROOD_GIVE(far.get())), kSoon));
    EXPECT_EQ("a connection is given away and not, in one value", LastWords());
    b.reset();
    NativePipe pipe;
    EXPECT_EQ(BROOD_EPEER, brood_send(a.get(),
                                      BROOD_LIST(BROOD_GIVE(far.get()),
                                                 BROOD_GIVE(brood_handle_value(pipe.in.get()))),
                                      kSoon));
    EXPECT_FALSE(brood_connection_closed(far.get()));
    EXPECT_TRUE(NativeIsOpen(pipe.in.get()));
    ASSERT_EQ(0, brood_send_bytes(far.get(), "x", 1, kSoon));
    EXPECT_EQ("x", ReceiveBytes(near));
}

TEST(ConnectionOverConnection, IsNotGivenAwayWhileAnotherThreadReceives)
{
    const auto [a, b] = Pipe();
    const auto [near, far] = Pipe();
    const auto receiving = far.get();
    std::thread receiver([receiving] {
        brood_message *raw = nullptr;
        EXPECT_EQ(0, brood_recv_bytes(receiving, &raw, 0, kSoon)) << LastWords();
        brood_message_free(raw);
    });
    const bool refused = WaitFor([&, to = a.get()] {
        const int rc =
            brood_send(to, BROOD_LIST(BROOD_GIVE(receiving), brood_bytes(nullptr, 5)), 0);
        return rc == BROOD_EINVAL && LastWords().find("another thread receives") == 0;
    });
    EXPECT_TRUE(refused) << LastWords();
    ASSERT_EQ(0, brood_send_bytes(near.get(), "x", 1, kSoon));
    receiver.join();
    EXPECT_EQ(0, brood_send(a.get(), BROOD_GIVE(receiving), kSoon)) << LastWords();
    EXPECT_EQ(0, ReceiveError(b));
}

TEST(FunctionOverConnection, IsFoundAgain)
{
    const auto [a, b] = Pipe();
    ASSERT_EQ(0, brood_send(a.get(), BROOD_LIST(Nothing, Nothing), kSoon)) << LastWords();
    const Message message = Receive(b);
    brood_function one = nullptr;
    brood_function two = nullptr;
    ASSERT_EQ(0, BROOD_UNPACK(message.get(), &one, &two)) << LastWords();
    EXPECT_EQ(Nothing, one);
    EXPECT_EQ(Nothing, two);
}

/* ---- processes ---- */

int WaitForEnd(brood_call *call)
{
    brood_connection *connection = nullptr;
    const int rc = BROOD_UNPACK(call, &connection);
    return rc ? rc : brood_poll(connection, BROOD_FOREVER);
}

TEST(ProcessOverConnection, IsTheSameObjectToItsParent)
{
    const auto [a, b] = Pipe();
    const auto [near, far] = Pipe();
    const Process child = Start(WaitForEnd, BROOD_ARGS(BROOD_GIVE(far.get())));
    ASSERT_TRUE(child) << LastWords();
    ASSERT_EQ(0, brood_send(a.get(), brood_of(child.get()), kSoon)) << LastWords();
    const Message message = Receive(b);
    brood_process *received = nullptr;
    ASSERT_EQ(0, BROOD_UNPACK(message.get(), &received)) << LastWords();
    EXPECT_EQ(child.get(), received);
    EXPECT_TRUE(brood_process_is_alive(received));
    brood_connection_close(near.get());
    EXPECT_EQ(0, brood_process_join(received, kSoon));
}

/* Receives a process, says what it sees of it, ends it and says what it sees then. */
int WatchAProcess(brood_call *call)
{
    brood_connection *connection = nullptr;
    brood_process *process = nullptr;
    brood_message *message = nullptr;
    int exitcode = 0;
    int rc = BROOD_UNPACK(call, &connection);
    rc = rc ? rc : brood_recv(connection, &message, kSoon);
    rc = rc ? rc : BROOD_UNPACK(message, &process);
    rc = rc ? rc
            : brood_send(connection,
                         BROOD_LIST(brood_process_pid(process), brood_process_name(process),
                                    brood_bool(brood_process_is_alive(process)),
                                    brood_process_join(process, 0)),
                         kSoon);
    rc = rc ? rc : brood_process_kill(process);
    rc = rc ? rc : brood_process_join(process, kSoon);
    rc = rc ? rc : brood_process_exitcode(process, &exitcode);
    brood_message *result = nullptr;
    const int refused = rc ? rc : brood_process_result(process, &result, kSoon);
    rc = rc ? rc
            : brood_send(connection,
                         BROOD_LIST(exitcode, brood_bool(brood_process_is_alive(process)), refused),
                         kSoon);
    brood_message_free(message);
    return rc;
}

TEST(ProcessOverConnection, IsWatchedAndKilledByAnother)
{
    auto [mine, theirs] = Pipe();
    const auto [near, far] = Pipe();
    brood_process_options options = BROOD_OPTIONS_INIT(process);
    options.name = "the victim";
    const Process victim = Start(WaitForEnd, BROOD_ARGS(BROOD_GIVE(far.get())), &options);
    const Process watcher = Start(WatchAProcess, BROOD_ARGS(BROOD_GIVE(theirs.get())));
    ASSERT_TRUE(victim && watcher) << LastWords();
    ASSERT_EQ(0, brood_send(mine.get(), brood_of(victim.get()), kSoon)) << LastWords();
    EXPECT_EQ("[" + std::to_string(brood_process_pid(victim.get())) + ", 'the victim', True, " +
                  std::to_string(BROOD_ETIMEDOUT) + "]",
              Shown(Receive(mine)));
    int64_t seen = 0;
    bool alive = true;
    int refused = 0;
    const Message after = Receive(mine);
    ASSERT_EQ(0, BROOD_UNPACK(after.get(), &seen, &alive, &refused)) << LastWords();
    EXPECT_TRUE(seen == -9 || seen == 255) << seen; /* only its parent may be told */
    EXPECT_FALSE(alive);
    EXPECT_NE(0, refused);
    EXPECT_EQ(0, Result(watcher)) << LastWords();
    int exitcode = 0;
    EXPECT_EQ(BROOD_EWORKER, Result(victim));
    EXPECT_EQ(0, brood_process_exitcode(victim.get(), &exitcode));
    EXPECT_EQ(-9, exitcode);
}

/* ---- many ---- */

TEST(HandlesOverConnection, MayBeMoreThanTheSystemTakesAtOnce)
{
    const auto [a, b] = Pipe();
    constexpr size_t kCount = 600;
    std::vector<NativePipe> pipes(40);
    std::vector<NativeHandle> handles;
    std::vector<brood_value> values;
    for (size_t i = 0; i < kCount; i++) {
        brood_handle copy = BROOD_NO_HANDLE;
        ASSERT_EQ(0, brood_handle_duplicate(&copy, pipes[i % pipes.size()].in.get()));
        handles.emplace_back(copy);
        values.push_back(brood_handle_value(copy));
    }
    ASSERT_EQ(
        0, brood_send(a.get(), BROOD_LIST("many", brood_list(values.data(), values.size())), kSoon))
        << LastWords();
    handles.clear();
    const Message message = Receive(b);
    ASSERT_TRUE(message) << LastWords();
    const char *text = nullptr;
    brood_value list = brood_none();
    ASSERT_EQ(0, BROOD_UNPACK(message.get(), &text, &list));
    ASSERT_EQ(kCount, brood_value_count(list));
    for (size_t i = 0; i < kCount; i += 7) {
        EXPECT_TRUE(NativeWrite(brood_as_handle(brood_value_at(list, i)), "x"));
        EXPECT_EQ("x", NativeRead(pipes[i % pipes.size()].out.get())) << i;
    }
}

/* Small messages are read ahead, a large one is not; the reader has to stop at each handle. */
void SendAmongOthers(brood_connection *to, NativePipe *pipes, int rounds)
{
    const std::string large(100000, 'x');
    for (int round = 0; round < rounds; round++) {
        const brood_value handle = brood_handle_value(pipes[round].in.get());
        EXPECT_EQ(0, brood_send(to, brood_int(round), kSoon));
        EXPECT_EQ(0, brood_send(to, BROOD_LIST("one", handle), kSoon));
        EXPECT_EQ(0, brood_send(to, BROOD_LIST("two", handle, handle), kSoon));
        EXPECT_EQ(0, brood_send(to, BROOD_LIST(large.c_str(), handle), kSoon));
        EXPECT_EQ(0, brood_send(to, brood_str("small"), kSoon));
        pipes[round].in.Close();
    }
}

TEST(HandlesOverConnection, ComeInOrderAmongOtherMessages)
{
    const auto [a, b] = Pipe();
    NativePipe pipes[3];
    std::thread sender(SendAmongOthers, a.get(), pipes, 3);
    for (int round = 0; round < 3; round++) {
        EXPECT_EQ(std::to_string(round), Shown(Receive(b)));
        {
            const Message one = Receive(b);
            const Message two = Receive(b);
            const Message three = Receive(b);
            EXPECT_EQ("['one', <handle>]", Shown(one));
            EXPECT_EQ("['two', <handle>, <handle>]", Shown(two));
            for (const Message *message : {&one, &two, &three}) {
                const brood_value handle = brood_value_at(brood_message_value(message->get()), 1);
                EXPECT_TRUE(NativeWrite(brood_as_handle(handle), "x"));
                EXPECT_EQ("x", NativeRead(pipes[round].out.get()));
            }
        }
        EXPECT_EQ("'small'", Shown(Receive(b)));
    }
    sender.join();
    for (const NativePipe &pipe : pipes) {
        EXPECT_TRUE(Ended(pipe));
    }
}

TEST(HandlesOverConnection, LeaveNothingBehindAfterThousandsOfMessages)
{
    const auto [a, b] = Pipe();
    NativePipe pipe;
    const auto [near, far] = Pipe();
    const brood_value handle = brood_handle_value(pipe.in.get());
    const long rounds = Scaled(20000);
    for (long i = 0; i < rounds; i++) {
        ASSERT_EQ(0, brood_send(a.get(), BROOD_LIST(handle, far.get(), i), kSoon)) << LastWords();
        const Message message = Receive(b);
        ASSERT_TRUE(message) << LastWords();
        if (i % 16 == 0) {
            const brood_value inside = brood_value_at(brood_message_value(message.get()), 0);
            ASSERT_TRUE(NativeWrite(brood_as_handle(inside), "x"));
            ASSERT_EQ("x", NativeRead(pipe.out.get()));
        }
    }
    pipe.in.Close();
    EXPECT_TRUE(Ended(pipe));
    brood_connection_close(far.get());
    EXPECT_EQ(BROOD_EEND, ReceiveError(near));
}

TEST(HandlesOverConnection, TakeTurnsWithManyThreads)
{
    constexpr int kSenders = 3;
    const long rounds = Scaled(2000);
    const auto [a, b] = Pipe();
    const brood_connection *end = a.get();
    std::vector<std::thread> threads;
    std::atomic<long> received{0};
    for (int s = 0; s < kSenders; s++) {
        threads.emplace_back([&, to = const_cast<brood_connection *>(end)] {
            NativePipe pipe;
            for (long i = 0; i < rounds; i++) {
                const brood_value handle = brood_handle_value(pipe.in.get());
                const brood_value plain = brood_int(i);
                EXPECT_EQ(0, brood_send(to, i % 3 == 0 ? plain : handle, kSoon)) << LastWords();
            }
        });
    }
    for (int r = 0; r < 2; r++) {
        threads.emplace_back([&, from = b.get()] {
            brood_message *raw = nullptr;
            while (brood_recv(from, &raw, kSoon) == 0) {
                const brood_handle handle = brood_as_handle(brood_message_value(raw));
                EXPECT_TRUE(handle == BROOD_NO_HANDLE || NativeIsOpen(handle));
                brood_message_free(raw);
                if (++received == kSenders * rounds) {
                    brood_connection_close(from);
                }
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    EXPECT_EQ(kSenders * rounds, received);
}

} // namespace

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "fault.h"
#include "support/fault.h"
#include "support/insides.h"
#include "support/methods.h"
#include "support/objects.h"
#include "support/process_list.h"

namespace {

int SendText(const Connection &connection, const std::string &text, int64_t timeout_ms = kSoon)
{
    return brood_send_bytes(connection.get(), text.data(), text.size(), timeout_ms);
}

std::string Pattern(size_t size)
{
    std::string text(size, '\0');
    uint32_t state = 12345;
    for (char &c : text) {
        state = state * 1664525 + 1013904223;
        c = static_cast<char>(state >> 24);
    }
    return text;
}

TEST(Pipe, CarriesMessagesBothWays)
{
    const auto [a, b] = Pipe();
    ASSERT_EQ(0, SendText(a, "there"));
    ASSERT_EQ(0, SendText(b, "back"));
    EXPECT_EQ("there", ReceiveBytes(b));
    EXPECT_EQ("back", ReceiveBytes(a));
}

TEST(Pipe, KeepsMessagesApartAndInOrder)
{
    const auto [a, b] = Pipe();
    for (const char *text : {"", "one", "", "", "two", "x"}) {
        ASSERT_EQ(0, SendText(a, text));
    }
    for (const char *text : {"", "one", "", "", "two", "x"}) {
        EXPECT_EQ(text, ReceiveBytes(b));
    }
}

TEST(Pipe, OneWayReceivesAtTheFirstEndAndSendsAtTheSecond)
{
    const auto [first, second] = Pipe(BROOD_ONE_WAY);
    ASSERT_EQ(0, SendText(second, "x"));
    EXPECT_EQ("x", ReceiveBytes(first));
    EXPECT_EQ(BROOD_EINVAL, SendText(first, "x"));
    EXPECT_EQ("this end only receives", LastWords());
    EXPECT_EQ("error: this end only sends", ReceiveBytes(second));
    EXPECT_EQ(BROOD_EINVAL, brood_poll(second.get(), 0));
    EXPECT_TRUE(brood_connection_readable(first.get()));
    EXPECT_FALSE(brood_connection_writable(first.get()));
    EXPECT_FALSE(brood_connection_readable(second.get()));
    EXPECT_TRUE(brood_connection_writable(second.get()));
}

TEST(Pipe, RefusesWhatMakesNoSense)
{
    brood_connection *a = nullptr;
    brood_connection *b = nullptr;
    EXPECT_EQ(BROOD_EINVAL, brood_pipe(nullptr, &b, BROOD_DUPLEX));
    EXPECT_EQ(BROOD_EINVAL, brood_pipe(&a, nullptr, BROOD_DUPLEX));
    EXPECT_EQ(BROOD_EINVAL, brood_pipe(&a, &b, static_cast<brood_direction>(2)));
    EXPECT_EQ(nullptr, a);
    EXPECT_EQ(nullptr, b);
    brood_connection_free(nullptr);
    brood_connection_close(nullptr);
    EXPECT_EQ(nullptr, brood_connection_ref(nullptr));
}

TEST(Pipe, LeavesNothingBehindWhenAnyStepFails)
{
    ForEachFault([] {
        brood_connection *a = nullptr;
        brood_connection *b = nullptr;
        const int rc = brood_pipe(&a, &b, BROOD_ONE_WAY);
        EXPECT_EQ(rc == 0, a != nullptr && b != nullptr);
        EXPECT_EQ(brood_fault_fired(), rc != 0);
        brood_connection_free(a);
        brood_connection_free(b);
    });
}

TEST(Send, CarriesValues)
{
    const auto [a, b] = Pipe();
    const brood_value inner[] = {brood_int(1), brood_str("two"), brood_float(3.5), brood_none()};
    ASSERT_EQ(0, brood_send(a.get(), brood_list(inner, 4), kSoon));
    brood_message *raw = nullptr;
    ASSERT_EQ(0, brood_recv(b.get(), &raw, kSoon));
    const Message message(raw);
    EXPECT_TRUE(brood_value_equal(brood_list(inner, 4), brood_message_value(raw)));
}

TEST(Send, CarriesLargeMessagesWhole)
{
    const auto [a, b] = Pipe();
    const std::string text = Pattern(static_cast<size_t>(Scaled(200)) << 20);
    const Connection &from = a;
    std::thread sender([&] { EXPECT_EQ(0, SendText(from, text)); });
    const std::string received = ReceiveBytes(b);
    sender.join();
    EXPECT_TRUE(text == received);
}

TEST(Send, CarriesEverySizeAroundItsBuffers)
{
    const auto [a, b] = Pipe();
    std::vector<size_t> sizes;
    for (const size_t edge : {4, 2048, 4096, 16384, 65536, 131072}) {
        for (size_t size = edge - 13; size <= edge + 13; size++) {
            sizes.push_back(size);
        }
    }
    const std::string text = Pattern(200000);
    std::thread sender([&, &first = a] {
        for (const size_t size : sizes) {
            EXPECT_EQ(0, SendText(first, text.substr(0, size)));
        }
    });
    for (const size_t size : sizes) {
        EXPECT_TRUE(text.substr(0, size) == ReceiveBytes(b)) << size;
    }
    sender.join();
}

TEST(Send, TimesOutWhenNobodyReadsAndSaysTheConnectionIsCut)
{
    const auto [a, b] = Pipe();
    const std::string text = Pattern(64 << 20);
    EXPECT_EQ(BROOD_ETIMEDOUT, SendText(a, text, 50));
    EXPECT_NE(std::string::npos, LastWords().find("bytes")) << LastWords();
    EXPECT_EQ(BROOD_EBROKEN, SendText(a, "more"));
}

TEST(Send, TimesOutCleanlyBeforeItsFirstByte)
{
    const auto [a, b] = Pipe();
    const std::string text = Pattern(1000);
    int sent = 0;
    int rc = 0;
    while ((rc = SendText(a, text, 0)) == 0) {
        sent++;
    }
    EXPECT_TRUE(rc == BROOD_ETIMEDOUT);
    for (int i = 0; i < sent; i++) {
        ASSERT_TRUE(text == ReceiveBytes(b)) << i << " of " << sent;
    }
}

TEST(Send, SaysThatThePeerIsGone)
{
    auto [a, b] = Pipe();
    b.reset();
    EXPECT_EQ(BROOD_EPEER, SendText(a, "x"));
    EXPECT_EQ("send: nobody is at the other end", LastWords());
}

TEST(Recv, SaysTheEndAfterTheLastMessage)
{
    auto [a, b] = Pipe();
    ASSERT_EQ(0, SendText(a, "last"));
    a.reset();
    EXPECT_EQ("last", ReceiveBytes(b));
    brood_message *raw = nullptr;
    EXPECT_EQ(BROOD_EEND, brood_recv(b.get(), &raw, kSoon));
    EXPECT_EQ(BROOD_EEND, brood_recv(b.get(), &raw, 0));
    EXPECT_EQ(nullptr, raw);
    EXPECT_EQ(0, brood_poll(b.get(), 0));
}

TEST(Recv, SaysThatThePeerWentAwayInTheMiddleOfAMessage)
{
    for (const std::string &part : {std::string("\0\0", 2), std::string("\0\0\0\5abc", 7)}) {
        auto [a, b] = Pipe();
        ASSERT_EQ(0, inside_send_raw(a.get(), part.data(), part.size()));
        a.reset();
        brood_message *raw = nullptr;
        EXPECT_EQ(BROOD_EPEER, brood_recv_bytes(b.get(), &raw, 0, kSoon));
        EXPECT_EQ(BROOD_EPEER, brood_recv_bytes(b.get(), &raw, 0, kSoon));
    }
}

TEST(Recv, LosesNothingWhenItsTimeEndsInTheMiddle)
{
    const auto [a, b] = Pipe();
    const std::string bytes("\0\0\0\6abcdef", 10);
    for (size_t i = 0; i < bytes.size(); i++) {
        EXPECT_EQ("error: receive: timed out", ReceiveBytes(b, i % 2 == 0 ? 0 : 3)) << i;
        ASSERT_EQ(0, inside_send_raw(a.get(), &bytes[i], 1));
    }
    EXPECT_EQ("abcdef", ReceiveBytes(b));
}

TEST(Recv, RefusesHostileLengths)
{
    const auto [a, b] = Pipe();
    const unsigned char negative[] = {255, 255, 255, 253};
    brood_message *raw = nullptr;
    ASSERT_EQ(0, inside_send_raw(a.get(), negative, sizeof negative));
    EXPECT_EQ(BROOD_EDECODE, brood_recv_bytes(b.get(), &raw, 0, kSoon));
    EXPECT_EQ(BROOD_EBROKEN, brood_recv_bytes(b.get(), &raw, 0, kSoon));
}

TEST(Recv, DoesNotAllocateWhatALengthOnlyPromises)
{
    const auto [a, b] = Pipe();
    const unsigned char huge[] = {255, 255, 255, 255, 0x40, 0, 0, 0, 0, 0, 0, 0, 'x'};
    brood_message *raw = nullptr;
    ASSERT_EQ(0, inside_send_raw(a.get(), huge, sizeof huge));
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_recv_bytes(b.get(), &raw, 0, 20)) << LastWords();
    EXPECT_EQ(BROOD_ETOOBIG, brood_recv_bytes(b.get(), &raw, 1000, 20)) << LastWords();
}

TEST(Recv, GoesOnAfterAMessageThatIsNoValue)
{
    const auto [a, b] = Pipe();
    ASSERT_EQ(0, SendText(a, "not a value"));
    ASSERT_EQ(0, brood_send(a.get(), brood_int(7), kSoon));
    brood_message *raw = nullptr;
    EXPECT_EQ(BROOD_EDECODE, brood_recv(b.get(), &raw, kSoon));
    EXPECT_EQ(nullptr, raw);
    ASSERT_EQ(0, brood_recv(b.get(), &raw, kSoon));
    EXPECT_EQ(7, brood_as_int(brood_message_value(raw), 0));
    brood_message_free(raw);
}

TEST(RecvBytes, LeavesAMessageOverItsLimitThere)
{
    const auto [a, b] = Pipe();
    ASSERT_EQ(0, SendText(a, "12345"));
    brood_message *raw = nullptr;
    EXPECT_EQ(BROOD_ETOOBIG, brood_recv_bytes(b.get(), &raw, 4, kSoon));
    EXPECT_EQ("a message of 5 bytes where 4 are the most", LastWords());
    ASSERT_EQ(0, brood_recv_bytes(b.get(), &raw, 5, kSoon));
    brood_message_free(raw);
}

TEST(RecvBytesInto, SaysTheSizeItNeedsAndLeavesTheMessageThere)
{
    const auto [a, b] = Pipe();
    ASSERT_EQ(0, SendText(a, "12345"));
    char room[8] = {0};
    size_t size = 4;
    EXPECT_EQ(BROOD_ETOOSMALL, brood_recv_bytes_into(b.get(), room, &size, kSoon));
    EXPECT_EQ(5u, size);
    size = sizeof room;
    ASSERT_EQ(0, brood_recv_bytes_into(b.get(), room, &size, kSoon));
    EXPECT_EQ(5u, size);
    EXPECT_STREQ("12345", room);
}

TEST(RecvBytesInto, LosesNothingWhenItsTimeEndsInTheMiddle)
{
    const auto [a, b] = Pipe();
    char room[8] = {0};
    size_t size = sizeof room;
    ASSERT_EQ(0, inside_send_raw(a.get(), "\0\0\0\4ab", 6));
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_recv_bytes_into(b.get(), room, &size, 5));
    memset(room, 0, sizeof room);
    ASSERT_EQ(0, inside_send_raw(a.get(), "cd", 2));
    size = sizeof room;
    ASSERT_EQ(0, brood_recv_bytes_into(b.get(), room, &size, kSoon)) << LastWords();
    EXPECT_STREQ("abcd", room);
}

TEST(RecvBytesInto, TakesAMessageOfNoBytesWithoutRoom)
{
    const auto [a, b] = Pipe();
    size_t size = 0;
    ASSERT_EQ(0, SendText(a, ""));
    ASSERT_EQ(0, SendText(a, "x"));
    EXPECT_EQ(0, brood_recv_bytes_into(b.get(), nullptr, &size, kSoon));
    EXPECT_EQ(BROOD_ETOOSMALL, brood_recv_bytes_into(b.get(), nullptr, &size, kSoon));
    EXPECT_EQ("x", ReceiveBytes(b));
}

TEST(Poll, TellsWhetherThereIsSomethingToReceive)
{
    const auto [a, b] = Pipe();
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_poll(b.get(), 0));
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_poll(b.get(), 5));
    ASSERT_EQ(0, SendText(a, "x"));
    ASSERT_EQ(0, SendText(a, "y"));
    EXPECT_EQ(0, brood_poll(b.get(), kSoon));
    EXPECT_EQ(0, brood_poll(b.get(), 0));
    EXPECT_EQ("x", ReceiveBytes(b, 0));
    EXPECT_EQ(0, brood_poll(b.get(), 0)); /* the second was read ahead */
    EXPECT_EQ("y", ReceiveBytes(b, 0));
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_poll(b.get(), 0));
}

TEST(ConnectionClose, IsSeenAtBothEnds)
{
    const auto [a, b] = Pipe();
    EXPECT_FALSE(brood_connection_closed(a.get()));
    EXPECT_NE(BROOD_NO_HANDLE, brood_connection_handle(a.get()));
    brood_connection_close(a.get());
    brood_connection_close(a.get());
    EXPECT_TRUE(brood_connection_closed(a.get()));
    EXPECT_EQ(BROOD_NO_HANDLE, brood_connection_handle(a.get()));
    EXPECT_EQ(BROOD_ECLOSED, SendText(a, "x"));
    EXPECT_EQ("error: the connection was closed here", ReceiveBytes(a));
    EXPECT_EQ(BROOD_ECLOSED, brood_poll(a.get(), 0));
    EXPECT_EQ("error: receive: the other end is closed", ReceiveBytes(b));
}

TEST(ConnectionClose, WakesABlockedReceiver)
{
    const auto [a, b] = Pipe();
    std::atomic<bool> started{false};
    const Connection &end = b;
    std::thread receiver([&] {
        started = true;
        EXPECT_EQ("error: the connection was closed here", ReceiveBytes(end, BROOD_FOREVER));
    });
    WaitFor([&] { return started.load(); });
    brood_connection_close(b.get());
    receiver.join();
    EXPECT_EQ(BROOD_EPEER, SendText(a, "x")) << "the stream was closed by the last one out";
}

TEST(ConnectionClose, WakesABlockedPollAndThoseInLineBehindIt)
{
    const auto [a, b] = Pipe();
    const Connection &end = b;
    std::atomic<int> started{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; i++) {
        threads.emplace_back([&] {
            started++;
            EXPECT_EQ(BROOD_ECLOSED, brood_poll(end.get(), BROOD_FOREVER));
        });
        threads.emplace_back([&] {
            started++;
            EXPECT_EQ("error: the connection was closed here", ReceiveBytes(end, BROOD_FOREVER));
        });
    }
    WaitFor([&] { return started == 4; });
    brood_connection_close(b.get());
    for (std::thread &thread : threads) {
        thread.join();
    }
    EXPECT_EQ(BROOD_EPEER, SendText(a, "x")) << "the last one out has closed the stream";
}

TEST(ConnectionClose, WakesABlockedSender)
{
    const auto [a, b] = Pipe();
    const Connection &end = a;
    const std::string text = Pattern(64 << 20);
    std::thread sender([&] { EXPECT_EQ(BROOD_ECLOSED, SendText(end, text, BROOD_FOREVER)); });
    EXPECT_EQ(0, brood_poll(b.get(), kSoon));
    brood_connection_close(a.get());
    sender.join();
}

TEST(Connection, GivesEachOfManyThreadsItsTurn)
{
    const auto [a, b] = Pipe();
    constexpr int kThreads = 4;
    const int count = static_cast<int>(Scaled(2000));
    std::vector<std::thread> threads;
    std::atomic<int> received[kThreads] = {};
    const Connection &from = a;
    const Connection &to = b;
    for (int t = 0; t < kThreads; t++) {
        threads.emplace_back([&from, t, count] {
            for (int i = 0; i < count; i++) {
                EXPECT_EQ(0, SendText(from, std::string(static_cast<size_t>(i % 700), 'a' + t)));
            }
        });
        threads.emplace_back([&to, &received, count] {
            for (int i = 0; i < count; i++) {
                const std::string text = ReceiveBytes(to);
                if (!text.empty()) {
                    const size_t whole =
                        static_cast<size_t>(std::count(text.begin(), text.end(), text[0]));
                    EXPECT_EQ(text.size(), whole);
                    received[text[0] - 'a']++;
                }
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    for (const auto &n : received) {
        EXPECT_EQ(count - (count + 699) / 700, n.load());
    }
}

TEST(Connection, SendsAndReceivesOrFailsCleanlyWhenAnyStepFails)
{
    const auto [a, b] = Pipe();
    const std::string text = Pattern(3000);
    const Connection &from = a;
    const Connection &to = b;
    ForEachFault([&] {
        brood_message *raw = nullptr;
        int rc = brood_send(from.get(), brood_bytes(text.data(), text.size()), kSoon);
        if (rc == 0) {
            rc = brood_recv(to.get(), &raw, kSoon);
            EXPECT_EQ(rc == 0, raw != nullptr);
            if (rc) { /* it is still there, unless it was taken and could not be decoded */
                brood_fault_pause(true);
                if (brood_poll(to.get(), 0) == 0) {
                    (void)ReceiveBytes(to);
                }
                brood_fault_pause(false);
            }
        }
        EXPECT_EQ(brood_fault_fired(), rc != 0);
        brood_message_free(raw);
    });
}

/* ---- with a child ---- */

int Echo(brood_call *call)
{
    brood_connection *connection = nullptr;
    int rc = BROOD_UNPACK(call, &connection);
    while (rc == 0) {
        brood_message *message = nullptr;
        rc = brood_recv(connection, &message, BROOD_FOREVER);
        if (rc == 0) {
            rc = brood_send(connection, brood_message_value(message), BROOD_FOREVER);
        }
        brood_message_free(message);
    }
    return rc == BROOD_EEND ? 0 : rc;
}

OVER_METHODS(ConnectionArgument);

TEST_P(ConnectionArgument, TalksWithAChildInBothDirections)
{
    auto [mine, theirs] = Pipe();
    const Process child = Start(Echo, BROOD_ARGS(BROOD_GIVE(theirs.get())));
    ASSERT_TRUE(child) << LastWords();
    EXPECT_TRUE(brood_connection_closed(theirs.get()));
    for (int i = 0; i < 100; i++) {
        brood_message *raw = nullptr;
        ASSERT_EQ(0, brood_send(mine.get(), brood_int(i), kSoon));
        ASSERT_EQ(0, brood_recv(mine.get(), &raw, kSoon)) << LastWords();
        EXPECT_EQ(i, brood_as_int(brood_message_value(raw), -1));
        brood_message_free(raw);
    }
    mine.reset(); /* the end of the stream ends the child */
    EXPECT_EQ(0, Result(child)) << LastWords();
}

TEST_P(ConnectionArgument, EndsWithItsChild)
{
    auto [mine, theirs] = Pipe();
    const Process child = Start(Echo, BROOD_ARGS(BROOD_GIVE(theirs.get())));
    ASSERT_TRUE(child) << LastWords();
    ASSERT_EQ(0, brood_send(mine.get(), brood_int(1), kSoon));
    ASSERT_EQ(0, brood_poll(mine.get(), kSoon));
    ASSERT_EQ(0, brood_process_kill(child.get()));
    brood_message *raw = nullptr;
    EXPECT_EQ(0, brood_recv(mine.get(), &raw, kSoon));
    brood_message_free(raw);
    EXPECT_EQ(BROOD_EEND, brood_recv(mine.get(), &raw, kSoon));
    EXPECT_EQ(BROOD_EWORKER, Result(child));
}

TEST_P(ConnectionArgument, StaysOpenHereWhenItIsNotGiven)
{
    auto [mine, theirs] = Pipe();
    const Process child = Start(Echo, BROOD_ARGS(theirs.get()));
    ASSERT_TRUE(child) << LastWords();
    EXPECT_FALSE(brood_connection_closed(theirs.get()));
    brood_process_kill(child.get());
    EXPECT_EQ(BROOD_EWORKER, Result(child));
    ASSERT_EQ(0, SendText(theirs, "still ours"));
    EXPECT_EQ("still ours", ReceiveBytes(mine));
}

TEST_P(ConnectionArgument, IsNotGivenAwayWhenTheStartFails)
{
    auto [mine, theirs] = Pipe();
    brood_process *raw = nullptr;
    static int data;
    brood_function nowhere = nullptr;
    void *address = &data;
    memcpy(&nowhere, &address, sizeof nowhere);
    EXPECT_EQ(BROOD_EMODULE,
              brood_process_start(&raw, nowhere, BROOD_ARGS(BROOD_GIVE(theirs.get())), nullptr));
    EXPECT_FALSE(brood_connection_closed(theirs.get()));
    ASSERT_EQ(0, SendText(theirs, "x"));
    EXPECT_EQ("x", ReceiveBytes(mine));
}

TEST_P(ConnectionArgument, TakesWhatWasReadAheadAlong)
{
    auto [mine, theirs] = Pipe();
    for (int i = 0; i < 3; i++) {
        ASSERT_EQ(0, brood_send(mine.get(), brood_int(i), kSoon));
    }
    brood_message *raw = nullptr;
    ASSERT_EQ(0, brood_recv(theirs.get(), &raw, kSoon)); /* reads all three ahead, takes one */
    brood_message_free(raw);
    const Process child = Start(Echo, BROOD_ARGS(BROOD_GIVE(theirs.get())));
    ASSERT_TRUE(child) << LastWords();
    for (int i = 1; i < 3; i++) {
        ASSERT_EQ(0, brood_recv(mine.get(), &raw, kSoon)) << LastWords();
        EXPECT_EQ(i, brood_as_int(brood_message_value(raw), -1));
        brood_message_free(raw);
    }
    mine.reset();
    EXPECT_EQ(0, Result(child));
}

TEST_P(ConnectionArgument, TakesAMessageAlongOfWhichAPartCame)
{
    /* Sizes below, at and above what either side moves at once. */
    for (const size_t size : {5000, 10000, 16000, 20000, 40000, 60000, 100000}) {
        auto [mine, theirs] = Pipe();
        std::string data(size, 'a');
        for (size_t i = 0; i < size; i++) {
            data[i] = static_cast<char>(i * 7 >> 3);
        }
        std::thread sender([&, to = mine.get()] {
            EXPECT_EQ(0, brood_send(to, brood_bytes(data.data(), data.size()), kSoon));
        });
        EXPECT_EQ(0, brood_poll(theirs.get(), kSoon));
        const Process child = Start(Echo, BROOD_ARGS(BROOD_GIVE(theirs.get())));
        EXPECT_TRUE(child) << LastWords();
        sender.join();
        brood_message *raw = nullptr;
        EXPECT_EQ(0, brood_recv(mine.get(), &raw, kSoon)) << LastWords();
        const Message message(raw);
        const brood_view view = brood_as_view(brood_message_value(raw));
        EXPECT_TRUE(data == std::string(static_cast<const char *>(view.data), view.size)) << size;
        mine.reset();
        EXPECT_EQ(0, Result(child)) << size << ": " << LastWords();
    }
}

int CompareTwo(brood_call *call)
{
    brood_connection *a = nullptr;
    brood_connection *b = nullptr;
    brood_connection *c = nullptr;
    const int rc = BROOD_UNPACK(call, &a, &b, &c);
    return rc ? rc : brood_return(call, brood_int((a == b ? 1 : 0) + (a == c ? 2 : 0)));
}

TEST_P(ConnectionArgument, IsOneObjectThereHoweverOftenItIsPassed)
{
    auto [a, b] = Pipe();
    const Process child = Start(CompareTwo, BROOD_ARGS(a.get(), a.get(), b.get()));
    ASSERT_TRUE(child) << LastWords();
    Message answer;
    ASSERT_EQ(0, Result(child, &answer)) << LastWords();
    EXPECT_EQ(1, brood_as_int(brood_message_value(answer.get()), -1));
}

int CountConnections(brood_call *call)
{
    brood_value list;
    int rc = BROOD_UNPACK(call, &list);
    int64_t open = 0;
    for (size_t i = 0; rc == 0 && i < brood_value_count(list); i++) {
        brood_value item = brood_value_at(list, i);
        brood_connection *connection = nullptr;
        rc = BROOD_UNPACK(&item, &connection);
        if (rc == 0 && brood_send(connection, brood_int(static_cast<int64_t>(i)), 1000) == 0) {
            open++;
        }
    }
    return rc ? rc : brood_return(call, brood_int(open));
}

TEST_P(ConnectionArgument, MayBeHundreds)
{
    std::vector<std::pair<Connection, Connection>> pipes;
    std::vector<brood_value> items;
    for (int i = 0; i < 400; i++) {
        pipes.push_back(Pipe(BROOD_ONE_WAY));
        ASSERT_TRUE(pipes.back().second) << LastWords();
        items.push_back(brood_of(pipes.back().second.get()));
    }
    const Process child =
        Start(CountConnections, BROOD_ARGS(brood_list(items.data(), items.size())));
    ASSERT_TRUE(child) << LastWords();
    Message answer;
    ASSERT_EQ(0, Result(child, &answer)) << LastWords();
    EXPECT_EQ(400, brood_as_int(brood_message_value(answer.get()), -1));
    for (size_t i = 0; i < pipes.size(); i++) {
        brood_message *raw = nullptr;
        ASSERT_EQ(0, brood_recv(pipes[i].first.get(), &raw, kSoon)) << LastWords();
        EXPECT_EQ(static_cast<int64_t>(i), brood_as_int(brood_message_value(raw), -1));
        brood_message_free(raw);
    }
}

} // namespace

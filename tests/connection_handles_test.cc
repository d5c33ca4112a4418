/* Handles before their message: those that nobody takes, that come in pieces, or not as they should. */
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "fault.h"
#include "support/fault.h"
#include "support/insides.h"
#include "support/native.h"
#include "support/objects.h"
#include "support/receive.h"
#include "support/values.h"

namespace {

int Nothing(brood_call *)
{
    return 0;
}

/* ---- handles that nobody takes ---- */

TEST(HandlesOverConnection, AreClosedWithBytes)
{
    const auto [a, b] = Pipe();
    NativePipe pipe;
    for (int i = 0; i < 2; i++) {
        ASSERT_EQ(0, brood_send(a.get(), brood_handle_value(pipe.in.get()), kSoon));
    }
    pipe.in.Close();
    ASSERT_EQ(0, brood_send_bytes(a.get(), "next", 4, kSoon));
    EXPECT_NE("", ReceiveBytes(b));
    char room[256];
    size_t size = sizeof room;
    EXPECT_EQ(0, brood_recv_bytes_into(b.get(), room, &size, kSoon)) << LastWords();
    EXPECT_TRUE(Ended(pipe));
    EXPECT_EQ("next", ReceiveBytes(b));
}

TEST(HandlesOverConnection, AreClosedWithAMessageThatIsRefused)
{
    const auto [a, b] = Pipe();
    NativePipe pipe;
    const brood_handle handles[] = {pipe.in.get(), pipe.in.get()};
    const std::string garbage = "this is no value";
    ASSERT_EQ(0, inside_send_bytes_with(a.get(), garbage.data(), garbage.size(), handles, 2));
    const std::string plain = Pickle("K\x01");
    ASSERT_EQ(0, inside_send_bytes_with(a.get(), plain.data(), plain.size(), handles, 2));
    pipe.in.Close();
    EXPECT_EQ(BROOD_EDECODE, ReceiveError(b));
    EXPECT_EQ("1", Shown(Receive(b))); /* it refers to none of them */
    EXPECT_TRUE(Ended(pipe));
}

TEST(HandlesOverConnection, AreClosedWithAConnectionThatNobodyReads)
{
    auto [a, b] = Pipe();
    NativePipe pipe;
    ASSERT_EQ(0, brood_send(a.get(), BROOD_GIVE(brood_handle_value(pipe.in.Release())), kSoon));
    b.reset();
    EXPECT_EQ(BROOD_EEND, ReceiveError(a)); /* on Windows this process learns of it here */
    a.reset();
    EXPECT_TRUE(Ended(pipe));
}

/* References that nothing stands behind: each is an error of that message alone. */
TEST(HandlesOverConnection, HaveToBeThere)
{
    const auto [a, b] = Pipe();
    NativePipe pipe;
    const brood_handle handle = pipe.in.get();
    const std::string handle_id = Raw("\x8c\x06handle");
    const std::string connection_id = Raw("\x8c\nconnection");
    const std::vector<std::pair<std::string, int>> messages = {
        {Pickle("(" + handle_id + Raw("K\x00K\x01tQ")), BROOD_EHANDLE},
        {Pickle("(" + handle_id + Raw("K\x01K\x00tQ")), BROOD_EDECODE}, /* no number 0 before it */
        {Pickle("(" + handle_id + Raw("K\x00tQ")), BROOD_EDECODE},
        {Pickle("(" + handle_id + Raw("K\x00NtQ")), BROOD_EHANDLE},
        {Pickle("(" + connection_id + Raw("K\x00K\x00tQ")), BROOD_EDECODE},
        {Pickle("(" + connection_id + Raw("K\x00K\x00\x88\x88\x88") +
                Raw("C\x00K\x00K\x01K\x00tQ")),
         BROOD_EDECODE}, /* its own handle as one that had arrived */
        {Pickle("(" + connection_id + Raw("K\x00K\x00\x88\x88\x88") +
                Raw("C\x00K\x01K\x05K\x00tQ")),
         BROOD_EHANDLE},
        /* one handle twice, under two numbers */
        {Pickle("(" + ("(" + handle_id + Raw("K\x00K\x00tQ")) +
                ("(" + handle_id + Raw("K\x01K\x00tQ")) + "t"),
         BROOD_EHANDLE},
        /* a number that is another kind's */
        {Pickle("(" + ("(" + handle_id + Raw("K\x00K\x00tQ")) +
                ("(" + connection_id + Raw("K\x00K\x00tQ")) + "t"),
         BROOD_EDECODE},
        {Pickle(Raw("(\x8c\x07processK\x00NK\x00K\x00\x8c\x01xtQ")), BROOD_EHANDLE},
        {Pickle(Raw("(\x8c\x05thingK\x00tQ")), BROOD_EDECODE},
        {Pickle(Raw("NQ")), BROOD_EDECODE},
    };
    for (const auto &message : messages) {
        ASSERT_EQ(0, inside_send_bytes_with(a.get(), message.first.data(), message.first.size(),
                                            &handle, 1));
        EXPECT_EQ(message.second, ReceiveError(b)) << message.first << ": " << LastWords();
        EXPECT_EQ(message.second == BROOD_EDECODE,
                  LastWords().find("opcode BINPERSID at byte ") != std::string::npos)
            << LastWords();
    }
    ASSERT_EQ(0, brood_send(a.get(), brood_handle_value(handle), kSoon));
    pipe.in.Close();
    EXPECT_EQ("<handle>", Shown(Receive(b)));
    EXPECT_TRUE(Ended(pipe));
}

/* ---- in pieces ---- */

/* Comes too early for every piece but the last. */
void ReceiveTooEarly(void *user, int number)
{
    const Connection &reader = *static_cast<const Connection *>(user);
    char room[4];
    size_t size = sizeof room;
    if (number + 1 < INSIDE_SEND_STEPS) {
        EXPECT_EQ(BROOD_ETIMEDOUT, ReceiveError(reader, 0)) << number;
        EXPECT_GT(0, brood_recv_bytes_into(reader.get(), room, &size, 0)) << number;
        EXPECT_EQ(BROOD_ETIMEDOUT, brood_poll(reader.get(), 0)) << number;
    }
}

TEST(HandlesOverConnection, LoseNothingWhenTheTimeEndsInTheMiddle)
{
    auto [a, b] = Pipe();
    Connection reader = std::move(b);
    NativePipe pipe;
    const brood_value handle = brood_handle_value(pipe.in.get());
    for (int round = 0; round < 2; round++) {
        ASSERT_EQ(0, inside_send_slowly(a.get(), BROOD_LIST(handle, "x"), INSIDE_SEND_STEPS,
                                        ReceiveTooEarly, &reader))
            << LastWords();
        const Message message = Receive(reader);
        ASSERT_EQ("[<handle>, 'x']", Shown(message));
        const brood_value inside = brood_value_at(brood_message_value(message.get()), 0);
        EXPECT_TRUE(NativeWrite(brood_as_handle(inside), "x"));
        EXPECT_EQ("x", NativeRead(pipe.out.get()));
    }
    pipe.in.Close();
    EXPECT_TRUE(Ended(pipe));
}

TEST(HandlesOverConnection, SayThatThePeerWentAwayInTheMiddle)
{
    NativePipe pipe;
    for (int last = 0; last + 1 < INSIDE_SEND_STEPS; last++) {
        auto [a, b] = Pipe();
        ASSERT_EQ(0, inside_send_slowly(a.get(), BROOD_LIST(brood_handle_value(pipe.in.get()), "x"),
                                        last, nullptr, nullptr));
        if (last % 2 == 0) {
            EXPECT_EQ(BROOD_ETIMEDOUT, ReceiveError(b, 0));
        }
        a.reset();
        EXPECT_EQ(BROOD_EPEER, ReceiveError(b)) << last;
    }
    pipe.in.Close();
    EXPECT_TRUE(Ended(pipe));
}

/* The reader moves on, to another owner, wherever it stands in a message with handles. */
struct MovingReader {
    Connection reader;
    int which;
    static void Step(void *user, int number)
    {
        auto *self = static_cast<MovingReader *>(user);
        if (number % 3 != self->which || number + 1 == INSIDE_SEND_STEPS) {
            return;
        }
        EXPECT_EQ(BROOD_ETIMEDOUT, ReceiveError(self->reader, 0));
        const auto [here, there] = Pipe();
        EXPECT_EQ(0, brood_send(here.get(), BROOD_GIVE(self->reader.get()), kSoon))
            << number << ": " << LastWords();
        const Message message = Receive(there);
        brood_connection *moved = nullptr;
        EXPECT_EQ(0, BROOD_UNPACK(message.get(), &moved)) << number << ": " << LastWords();
        self->reader = Connection(brood_connection_ref(moved));
    }
};

TEST(HandlesOverConnection, ComeToTheNextOwnerOfTheirConnection)
{
    for (int which = 0; which < 3; which++) {
        SCOPED_TRACE(which);
        NativePipe pipe;
        auto [a, b] = Pipe();
        MovingReader moving = {std::move(b), which};
        const brood_value handle = brood_handle_value(pipe.in.get());
        ASSERT_EQ(0, inside_send_slowly(a.get(), BROOD_LIST(handle, "x"), INSIDE_SEND_STEPS,
                                        MovingReader::Step, &moving))
            << LastWords();
        pipe.in.Close();
        {
            const Message message = Receive(moving.reader);
            ASSERT_EQ("[<handle>, 'x']", Shown(message)) << LastWords();
            const brood_value inside = brood_value_at(brood_message_value(message.get()), 0);
            EXPECT_TRUE(NativeWrite(brood_as_handle(inside), "x"));
            EXPECT_EQ("x", NativeRead(pipe.out.get()));
        }
        EXPECT_TRUE(Ended(pipe));
    }
}

/* ---- what a peer may do wrong ---- */

TEST(HandlesOverConnection, AreRefusedFromStrangersAndNotSentToThem)
{
    const auto [a, b] = Pipe();
    NativePipe pipe;
    inside_distrust(a.get());
    EXPECT_EQ(BROOD_ETYPE, brood_send(a.get(), brood_handle_value(pipe.in.get()), kSoon));
    EXPECT_EQ("a handle cannot be sent to a stranger", LastWords());
    EXPECT_EQ(BROOD_ETYPE, brood_send(a.get(), brood_function_value(Nothing), kSoon));
    ASSERT_EQ(0, brood_send(b.get(), brood_function_value(Nothing), kSoon));
    EXPECT_EQ(BROOD_EDECODE, ReceiveError(a));
    ASSERT_EQ(0, brood_send(b.get(), brood_int(5), kSoon));
    EXPECT_EQ("5", Shown(Receive(a)));
    ASSERT_EQ(0, brood_send(b.get(), brood_handle_value(pipe.in.get()), kSoon));
    EXPECT_EQ(BROOD_EDECODE, ReceiveError(a));
    EXPECT_EQ("a stranger announces 1 handles", LastWords());
    EXPECT_EQ(BROOD_EBROKEN, ReceiveError(a));
    brood_connection_close(a.get());
}

TEST(HandlesOverConnection, AreLostIfTheyDoNotFollowTheirAnnouncement)
{
    const auto [a, b] = Pipe();
    const std::string one = Pickle("K\x01");
    const std::string header = Raw("h\0\0\0") + static_cast<char>(one.size());
    for (const uint32_t filler : {inside_filler_size(), 0u}) {
        ASSERT_EQ(0, inside_announce(a.get(), 3, filler));
        ASSERT_EQ(0, inside_send_raw(a.get(), header.data(), header.size()));
        ASSERT_EQ(0, inside_send_raw(a.get(), one.data(), one.size()));
        ASSERT_EQ(0, brood_send(a.get(), brood_int(2), kSoon));
        EXPECT_GT(0, ReceiveError(b)) << filler;
        EXPECT_EQ("2", Shown(Receive(b))) << filler;
    }
}

TEST(HandlesOverConnection, AreCalledOffByTheirSender)
{
    const auto [a, b] = Pipe();
    ASSERT_EQ(0, inside_announce(a.get(), 3, inside_filler_size()));
    ASSERT_EQ(0, inside_send_raw(a.get(), "c", 1));
    ASSERT_EQ(0, brood_send(a.get(), brood_int(2), kSoon));
    EXPECT_EQ("2", Shown(Receive(b)));
}

TEST(HandlesOverConnection, GarbleTheStreamIfTheirMarkIsWrong)
{
    const auto [a, b] = Pipe();
    ASSERT_EQ(0, inside_announce(a.get(), 3, inside_filler_size()));
    ASSERT_EQ(0, brood_send(a.get(), brood_int(2), kSoon));
    EXPECT_EQ(BROOD_EDECODE, ReceiveError(b));
    EXPECT_EQ(BROOD_EBROKEN, ReceiveError(b));
}

TEST(HandlesOverConnection, AreAnnouncedOnceForAMessage)
{
    const auto [a, b] = Pipe();
    NativePipe pipe;
    ASSERT_EQ(0, inside_send_slowly(a.get(), BROOD_LIST(brood_handle_value(pipe.in.get())), 4,
                                    nullptr, nullptr));
    ASSERT_EQ(0, inside_announce(a.get(), 1, inside_filler_size()));
    EXPECT_EQ(BROOD_EDECODE, ReceiveError(b));
    EXPECT_EQ(BROOD_EBROKEN, ReceiveError(b));
    pipe.in.Close();
    brood_connection_close(b.get());
    EXPECT_TRUE(Ended(pipe));
}

/* ---- when something fails ---- */

TEST(HandlesOverConnection, AreSentWholeOrNotAtAllWhenAnyStepFails)
{
    ForEachFault([] {
        brood_fault_pause(true);
        auto [a, b] = Pipe();
        auto [near, far] = Pipe();
        NativePipe pipe;
        brood_fault_pause(false);
        const int rc = brood_send(
            a.get(), BROOD_LIST(brood_handle_value(pipe.in.get()), BROOD_GIVE(far.get()), Nothing),
            1000);
        brood_fault_pause(true);
        EXPECT_EQ(rc == 0, brood_connection_closed(far.get()));
        pipe.in.Close();
        EXPECT_EQ(0, brood_send(a.get(), brood_str("next"), kSoon)) << LastWords();
        if (rc == 0) {
            EXPECT_EQ("[<handle>, <connection>, <function>]", Shown(Receive(b)));
        }
        EXPECT_EQ("'next'", Shown(Receive(b)));
        EXPECT_TRUE(Ended(pipe));
        far.reset();
        EXPECT_EQ(BROOD_EEND, ReceiveError(near));
        brood_fault_pause(false);
    });
}

TEST(HandlesOverConnection, AreReceivedOrLostCleanlyWhenAnyStepFails)
{
    ForEachFault([] {
        brood_fault_pause(true);
        auto [a, b] = Pipe();
        auto [near, far] = Pipe();
        NativePipe pipe;
        EXPECT_EQ(0, brood_send(a.get(),
                                BROOD_LIST(BROOD_GIVE(brood_handle_value(pipe.in.Release())),
                                           BROOD_GIVE(far.get())),
                                kSoon))
            << LastWords();
        EXPECT_EQ(0, brood_send(a.get(), brood_str("next"), kSoon)) << LastWords();
        brood_fault_pause(false);
        Message first = Receive(b);
        brood_fault_pause(true);
        /* What failed before the message was taken leaves it there; else it is lost as a whole. */
        Message next = first ? Receive(b) : Receive(b);
        if (next && Shown(next) != "'next'") {
            EXPECT_FALSE(first);
            first = std::move(next);
            next = Receive(b);
        }
        EXPECT_EQ("'next'", Shown(next)) << LastWords();
        if (first) {
            EXPECT_EQ("[<handle>, <connection>]", Shown(first));
        }
        first.reset();
        EXPECT_TRUE(Ended(pipe));
        EXPECT_EQ(BROOD_EEND, ReceiveError(near));
        brood_fault_pause(false);
    });
}

} // namespace

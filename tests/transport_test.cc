/* What holds for connections whatever they go over. */
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "support/insides.h"
#include "support/objects.h"
#include "support/process_list.h"
#include "support/transports.h"

namespace {

class OverEveryTransport : public testing::TestWithParam<Transport> {
  protected:
    void SetUp() override
    {
        auto [first, second] = GetParam().make();
        ASSERT_TRUE(first && second) << LastWords();
        sends = std::move(first);
        receives = std::move(second);
    }

    int Send(const std::string &text, int64_t timeout_ms = kSoon) const
    {
        return brood_send_bytes(sends.get(), text.data(), text.size(), timeout_ms);
    }

    Connection sends;
    Connection receives;
};

std::string TextOf(size_t size)
{
    std::string text(size, '\0');
    for (size_t i = 0; i < size; i++) {
        text[i] = static_cast<char>(i * 31 >> 4);
    }
    return text;
}

TEST_P(OverEveryTransport, MessagesOfEverySizeArriveWholeAndInOrder)
{
    const size_t sizes[] = {0,    1,    4,     0,     2044,  2045,  4091,   4092,    4096,
                            8188, 8192, 10000, 65532, 65536, 65540, 300000, 3000000, 5};
    std::thread sender([&] {
        for (const size_t size : sizes) {
            EXPECT_EQ(0, Send(TextOf(size))) << size << ": " << LastWords();
        }
    });
    for (const size_t size : sizes) {
        EXPECT_TRUE(TextOf(size) == ReceiveBytes(receives)) << size;
    }
    sender.join();
}

TEST_P(OverEveryTransport, BothDirectionsAreApart)
{
    if (!GetParam().duplex) {
        EXPECT_FALSE(brood_connection_readable(sends.get()));
        EXPECT_EQ("error: this end only sends", ReceiveBytes(sends));
        EXPECT_EQ(BROOD_EINVAL, brood_send_bytes(receives.get(), "x", 1, kSoon));
        EXPECT_EQ("this end only receives", LastWords());
        return;
    }
    ASSERT_EQ(0, Send("there"));
    ASSERT_EQ(0, brood_send_bytes(receives.get(), "back", 4, kSoon));
    EXPECT_EQ("there", ReceiveBytes(receives));
    EXPECT_EQ("back", ReceiveBytes(sends));
}

TEST_P(OverEveryTransport, NothingIsLostWhenTheReceiversTimeEnds)
{
    const std::string bytes("\0\0\0\6abcdef", 10);
    for (size_t i = 0; i < bytes.size(); i++) {
        EXPECT_EQ("error: receive: timed out", ReceiveBytes(receives, i % 2 == 0 ? 0 : 3)) << i;
        ASSERT_EQ(0, inside_send_raw(sends.get(), &bytes[i], 1));
    }
    EXPECT_EQ("abcdef", ReceiveBytes(receives));
}

TEST_P(OverEveryTransport, ASendThatTimesOutSaysWhatIsLeft)
{
    const std::string text = TextOf(1000);
    int sent = 0;
    int rc = 0;
    while ((rc = Send(text, BROOD_NOWAIT)) == 0) {
        sent++;
    }
    ASSERT_TRUE(rc == BROOD_ETIMEDOUT) << LastWords();
    std::thread receiver([&] {
        for (int i = 0; i < sent; i++) {
            EXPECT_TRUE(text == ReceiveBytes(receives)) << i << " of " << sent;
        }
        if (GetParam().exact) {
            EXPECT_EQ("more", ReceiveBytes(receives));
        }
    });
    rc = Send("more");
    receiver.join();
    /* A part may have left all the same, if there was room for one. */
    EXPECT_TRUE(rc == 0 || (rc == BROOD_EBROKEN && !GetParam().exact)) << LastWords();
}

TEST_P(OverEveryTransport, ASendThatIsCutIsTheLast)
{
    EXPECT_EQ(BROOD_ETIMEDOUT, Send(TextOf(64 << 20), 30));
    EXPECT_EQ(BROOD_EBROKEN, Send("more"));
}

TEST_P(OverEveryTransport, TheEndIsToldAfterTheLastMessage)
{
    ASSERT_EQ(0, Send("last"));
    sends.reset();
    EXPECT_EQ("last", ReceiveBytes(receives));
    EXPECT_EQ("error: receive: the other end is closed", ReceiveBytes(receives));
    EXPECT_EQ("error: receive: the other end is closed", ReceiveBytes(receives, BROOD_NOWAIT));
    EXPECT_EQ(0, brood_poll(receives.get(), BROOD_NOWAIT));
}

TEST_P(OverEveryTransport, AnEndInTheMiddleOfAMessageIsAnotherError)
{
    ASSERT_EQ(0, inside_send_raw(sends.get(), "\0\0\0\5ab", 6));
    sends.reset();
    brood_message *raw = nullptr;
    EXPECT_EQ(BROOD_EPEER, brood_recv_bytes(receives.get(), &raw, 0, kSoon)) << LastWords();
    EXPECT_EQ(BROOD_EPEER, brood_recv_bytes(receives.get(), &raw, 0, kSoon)) << LastWords();
}

TEST_P(OverEveryTransport, SendingToNobodyIsAnError)
{
    receives.reset();
    int rc = 0; /* where there is a network between, the first may not notice */
    EXPECT_TRUE(WaitFor([&] { return (rc = Send("x")) != 0; }));
    EXPECT_TRUE(rc == BROOD_EPEER) << LastWords();
    EXPECT_EQ("send: nobody is at the other end", LastWords());
}

TEST_P(OverEveryTransport, CloseWakesABlockedReceiver)
{
    std::atomic<bool> started{false};
    std::thread receiver([&] {
        started = true;
        EXPECT_EQ("error: the connection was closed here", ReceiveBytes(receives, BROOD_FOREVER));
    });
    EXPECT_TRUE(WaitFor([&] { return started.load(); }));
    brood_connection_close(receives.get());
    receiver.join();
}

TEST_P(OverEveryTransport, CloseWakesABlockedSender)
{
    const std::string text = TextOf(64 << 20);
    std::thread sender([&] {
        EXPECT_EQ(BROOD_ECLOSED, Send(text, BROOD_FOREVER)) << LastWords();
        EXPECT_EQ("the connection was closed here", LastWords());
    });
    EXPECT_EQ(0, brood_poll(receives.get(), kSoon)); /* it has begun */
    brood_connection_close(sends.get());
    sender.join();
}

TEST_P(OverEveryTransport, CanBeWaitedFor)
{
    brood_wait_item item = {brood_of(receives.get()), false};
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_wait(&item, 1, BROOD_NOWAIT));
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_wait(&item, 1, 3));
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_poll(receives.get(), BROOD_NOWAIT));
    std::thread sender([&] {
        EXPECT_EQ(0, Send("1"));
        EXPECT_EQ(0, Send("2"));
    });
    for (const char *text : {"1", "2"}) {
        ASSERT_EQ(0, brood_wait(&item, 1, kSoon)) << LastWords();
        EXPECT_EQ(text, ReceiveBytes(receives));
    }
    sender.join();
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_wait(&item, 1, BROOD_NOWAIT));
    sends.reset();
    EXPECT_EQ(0, brood_wait(&item, 1, kSoon));
}

int SendBack(brood_call *call)
{
    brood_connection *from = nullptr;
    brood_connection *to = nullptr;
    int rc = BROOD_UNPACK(call, &from, &to);
    while (rc == 0) {
        brood_message *message = nullptr;
        rc = brood_recv(from, &message, BROOD_FOREVER);
        if (rc == 0) {
            rc = brood_send(to, brood_message_value(message), BROOD_FOREVER);
        }
        brood_message_free(message);
    }
    return rc == BROOD_EEND ? 0 : rc;
}

TEST_P(OverEveryTransport, BothEndsCanBeGivenToAChild)
{
    auto [to_child, child_receives] = GetParam().make();
    ASSERT_TRUE(to_child && child_receives) << LastWords();
    const Process child =
        Start(SendBack, BROOD_ARGS(BROOD_GIVE(child_receives.get()), BROOD_GIVE(sends.get())));
    ASSERT_TRUE(child) << LastWords();
    for (int i = 0; i < 20; i++) {
        const std::string text = TextOf(static_cast<size_t>(i) * 1000);
        ASSERT_EQ(0, brood_send(to_child.get(), brood_bytes(text.data(), text.size()), kSoon));
        brood_message *raw = nullptr;
        ASSERT_EQ(0, brood_recv(receives.get(), &raw, kSoon)) << LastWords();
        const Message message(raw);
        const brood_view view = brood_as_view(brood_message_value(raw));
        EXPECT_TRUE(text == std::string(static_cast<const char *>(view.data), view.size)) << i;
    }
    to_child.reset();
    EXPECT_EQ(0, Result(child)) << LastWords();
    EXPECT_EQ("error: receive: the other end is closed", ReceiveBytes(receives));
}

/* Fills the transport up, has a send time out, and sends again. Returns how many there were. */
int FillUp(brood_call *call)
{
    brood_connection *to = nullptr;
    brood_connection *filled = nullptr;
    const std::string text = TextOf(1000);
    int rc = BROOD_UNPACK(call, &to, &filled);
    int64_t count = 0;
    while (rc == 0) {
        rc = brood_send_bytes(to, text.data(), text.size(), BROOD_NOWAIT);
        count += rc == 0;
    }
    if (rc == BROOD_ETIMEDOUT) {
        rc = brood_send(filled, brood_int(count), BROOD_FOREVER);
    }
    return rc != 0 ? rc : brood_send_bytes(to, "more", 4, BROOD_FOREVER);
}

/* Others may take a part of a small message. */
class OverExactTransports : public OverEveryTransport {};

std::vector<Transport> ExactTransports()
{
    std::vector<Transport> exact;
    for (const Transport &transport : Transports()) {
        if (transport.exact) {
            exact.push_back(transport);
        }
    }
    return exact;
}

TEST_P(OverExactTransports, ASendThatTimedOutInAChildCanBeMadeAgain)
{
    auto [mine, theirs] = Pipe();
    const Process child = Start(FillUp, BROOD_ARGS(BROOD_GIVE(sends.get()), theirs.get()));
    ASSERT_TRUE(child) << LastWords();
    brood_message *raw = nullptr;
    ASSERT_EQ(0, brood_recv(mine.get(), &raw, kSoon)) << LastWords();
    const int64_t count = brood_as_int(brood_message_value(raw), 0);
    brood_message_free(raw);
    for (int64_t i = 0; i < count; i++) {
        ASSERT_EQ(1000u, ReceiveBytes(receives).size()) << i << " of " << count;
    }
    EXPECT_EQ("more", ReceiveBytes(receives));
    EXPECT_EQ(0, Result(child)) << LastWords();
}

INSTANTIATE_TEST_SUITE_P(Transport, OverEveryTransport, testing::ValuesIn(Transports()),
                         [](const auto &test) { return NameOf(test.param); });
INSTANTIATE_TEST_SUITE_P(Transport, OverExactTransports, testing::ValuesIn(ExactTransports()),
                         [](const auto &test) { return NameOf(test.param); });

} // namespace

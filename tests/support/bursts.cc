#include "support/bursts.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <thread>

#include "support/insides.h"

namespace {

std::string MessageOf(long number)
{
    static const size_t sizes[] = {8, 20, 1000, 9000, 70000, 8, 300000};
    std::string text(sizes[number % 7], 'x');
    std::memcpy(&text[0], &number, sizeof number);
    return text;
}

/* Some in one piece, some in two, some with a pause in which the receiver falls asleep. */
void SendBursts(const Connection &to, long count)
{
    for (long i = 0; i < count; i++) {
        const std::string text = MessageOf(i);
        if (i % 5 == 3) {
            std::this_thread::yield();
        }
        if (text.size() == 20) {
            ASSERT_EQ(0, inside_send_raw(to.get(), "\0\0\0\24", 4));
            std::this_thread::yield();
            ASSERT_EQ(0, inside_send_raw(to.get(), text.data(), text.size()));
        } else {
            ASSERT_EQ(0, brood_send_bytes(to.get(), text.data(), text.size(), kSoon));
        }
    }
}

} // namespace

void ReceiveInLoop(const std::function<void(brood_handle)> &wait)
{
    const long count = Scaled(5000);
    auto [mine, theirs] = Pipe();
    brood_handle handle = BROOD_NO_HANDLE;
    long received = 0;

    /* What was read ahead before there is a loop must not be missed either. */
    ASSERT_EQ(0, inside_send_raw(theirs.get(), "\0\0\0\1a\0\0\0\1b\0\0\0\1c", 15));
    ASSERT_EQ("a", ReceiveBytes(mine));
    ASSERT_EQ(0, brood_waitable_handle(brood_of(mine.get()), &handle)) << LastWords();
    ASSERT_EQ("b", ReceiveBytes(mine, BROOD_NOWAIT));
    ASSERT_EQ("c", ReceiveBytes(mine, BROOD_NOWAIT));

    Connection sends = std::move(theirs);
    std::thread sender([&] {
        SendBursts(sends, count);
        sends.reset();
    });
    int rc = 0;
    while (rc == 0 || rc == BROOD_ETIMEDOUT) {
        brood_message *raw = nullptr;
        rc = brood_recv_bytes(mine.get(), &raw, 0, BROOD_NOWAIT);
        const Message message(raw);
        if (rc == 0) {
            const brood_view view = brood_as_view(brood_message_value(raw));
            EXPECT_TRUE(MessageOf(received) ==
                        std::string(static_cast<const char *>(view.data), view.size))
                << received;
            received++;
        } else if (rc == BROOD_ETIMEDOUT) {
            brood_handle again = BROOD_NO_HANDLE;
            EXPECT_EQ(0, brood_waitable_handle(brood_of(mine.get()), &again));
            EXPECT_EQ(handle, again) << "it is the same for as long as the connection lives";
            wait(handle);
        }
    }
    EXPECT_EQ(BROOD_EEND, rc) << LastWords();
    EXPECT_EQ(count, received);
    sender.join();
}

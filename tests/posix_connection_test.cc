/* Unix only: what a receive takes along of the next message. */
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "fault.h"
#include "support/native.h"
#include "support/objects.h"
#include "support/receive.h"

namespace {

constexpr size_t kLarge = 40000; /* several fit the socket */

std::string Pattern(size_t size, size_t seed)
{
    std::string text(size, '\0');
    for (size_t i = 0; i < size; i++) {
        text[i] = static_cast<char>((i * 7 + seed) >> 3);
    }
    return text;
}

int Send(const Connection &connection, const std::string &text)
{
    return brood_send_bytes(connection.get(), text.data(), text.size(), kSoon);
}

/* The fault points that a thread passes are its system calls and allocations. */
TEST(PosixConnection, TakesOneSystemCallForALargeMessageBehindAnother)
{
    const auto [a, b] = Pipe();
    std::string room(kLarge, '\0');
    for (int i = 0; i < 4; i++) {
        ASSERT_EQ(0, Send(a, Pattern(kLarge, i)));
    }
    for (int i = 0; i < 4; i++) {
        size_t size = room.size();
        brood_fault_arm(0, BROOD_FAULT_OFF);
        ASSERT_EQ(0, brood_recv_bytes_into(b.get(), room.data(), &size, kSoon)) << LastWords();
        if (i > 0) { /* the first makes room, and knows nothing of the size yet */
            EXPECT_EQ(1, brood_fault_count());
        }
        EXPECT_TRUE(Pattern(kLarge, i) == room);
    }
    size_t size = room.size();
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_recv_bytes_into(b.get(), room.data(), &size, BROOD_NOWAIT));
}

/* Whatever comes behind a large message, its beginning is read with that. */
TEST(PosixConnection, TakesUpNothingButTheHeaderOfTheNextMessage)
{
    const std::vector<size_t> sizes = {0, 1, 7, 8, 9, 100, 8192, kLarge, 100000};
    auto [a, b] = Pipe();
    std::thread sender([&, from = a.get()] {
        for (const size_t size : sizes) {
            for (const size_t large : {size_t{16384}, size_t{20000}, kLarge}) {
                const std::string first = Pattern(large, size);
                const std::string second = Pattern(size, large);
                EXPECT_EQ(0, brood_send_bytes(from, first.data(), first.size(), kSoon));
                EXPECT_EQ(0, brood_send_bytes(from, second.data(), second.size(), kSoon));
            }
        }
    });
    for (const size_t size : sizes) {
        for (const size_t large : {size_t{16384}, size_t{20000}, kLarge}) {
            EXPECT_TRUE(Pattern(large, size) == ReceiveBytes(b)) << size;
            EXPECT_TRUE(Pattern(size, large) == ReceiveBytes(b)) << size;
        }
    }
    sender.join();
    a.reset();
    EXPECT_EQ("error: receive: the other end is closed", ReceiveBytes(b));
}

TEST(PosixConnection, LosesNoHandlesBehindALargeMessage)
{
    const auto [a, b] = Pipe();
    for (int i = 0; i < 3; i++) {
        NativePipe pipe;
        ASSERT_EQ(0, Send(a, Pattern(kLarge, i)));
        ASSERT_EQ(0, brood_send(a.get(), brood_handle_value(pipe.in.get()), kSoon)) << LastWords();
        pipe.in.Close();
        EXPECT_TRUE(Pattern(kLarge, i) == ReceiveBytes(b));
        Message message = Receive(b);
        ASSERT_TRUE(message) << LastWords();
        EXPECT_TRUE(NativeWrite(HandleIn(message), "x"));
        EXPECT_EQ("x", NativeRead(pipe.out.get()));
        message.reset();
        EXPECT_TRUE(Ended(pipe));
    }
}

} // namespace

/* Connections at their limits: no bytes, few, very many, and bytes that make no sense. */
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "fault.h"
#include "support/fault.h"
#include "support/insides.h"
#include "support/objects.h"
#include "support/peak_memory.h"
#include "support/usage.h"

namespace {

int Send(const Connection &connection, const std::string &text, int64_t timeout_ms = kSoon)
{
    return brood_send_bytes(connection.get(), text.data(), text.size(), timeout_ms);
}

/* The fault points that a thread passes are its system calls and allocations. */
TEST(Connection, TakesOneSystemCallForASmallMessageEachWay)
{
    const auto [a, b] = Pipe();
    char room[2000];
    const auto points = [](const std::function<int()> &call) {
        brood_fault_arm(0, BROOD_FAULT_OFF);
        EXPECT_EQ(0, call()) << LastWords();
        return brood_fault_count();
    };
    const auto receive = [&, &end = b] {
        size_t size = sizeof room;
        return brood_recv_bytes_into(end.get(), room, &size, kSoon);
    };
    const auto send = [&, &end = a](size_t size) {
        return [&room, &end, size] { return brood_send_bytes(end.get(), room, size, kSoon); };
    };
    ASSERT_EQ(0, send(1)());
    ASSERT_EQ(0, receive()); /* makes room to read ahead */
    for (const size_t size : {0, 1, 64, 2000}) {
        EXPECT_EQ(1, points(send(size))) << size;
        EXPECT_EQ(1, points(receive)) << size;
    }
    for (int i = 0; i < 3; i++) {
        EXPECT_EQ(1, points(send(100)));
    }
    const long all = points(receive) + points(receive) + points(receive);
    EXPECT_LE(all, 3) << "several may have been read ahead";
}

TEST(SendBytes, SendsAPartOfABuffer)
{
    const auto [a, b] = Pipe();
    const char text[] = "0123456789";
    ASSERT_EQ(0, brood_send_bytes(a.get(), text + 3, 4, kSoon));
    EXPECT_EQ("3456", ReceiveBytes(b));
    ASSERT_EQ(0, brood_send_bytes(a.get(), nullptr, 0, kSoon));
    EXPECT_EQ("", ReceiveBytes(b));
    EXPECT_EQ(BROOD_EINVAL, brood_send_bytes(a.get(), nullptr, 1, kSoon));
    EXPECT_EQ(BROOD_EINVAL, brood_send_bytes(nullptr, text, 1, kSoon));
    EXPECT_EQ("the connection is NULL", LastWords());
    EXPECT_EQ(BROOD_EINVAL, Send(a, "x", -7));
}

TEST(RecvBytesInto, ReceivesIntoTheMiddleOfABuffer)
{
    const auto [a, b] = Pipe();
    char room[] = "..........";
    size_t size = sizeof room - 1 - 6;
    ASSERT_EQ(0, Send(a, "abcd"));
    ASSERT_EQ(0, Send(a, "efghi"));
    ASSERT_EQ(0, brood_recv_bytes_into(b.get(), room + 6, &size, kSoon));
    EXPECT_STREQ("......abcd", room);
    size = 4;
    EXPECT_EQ(BROOD_ETOOSMALL, brood_recv_bytes_into(b.get(), room, &size, kSoon));
    EXPECT_EQ("a message of 5 bytes where there is room for 4", LastWords());
    EXPECT_STREQ("......abcd", room);
    EXPECT_EQ("efghi", ReceiveBytes(b)) << "and still there for any other way to receive";
    EXPECT_EQ(BROOD_EINVAL, brood_recv_bytes_into(b.get(), nullptr, &size, kSoon));
    EXPECT_EQ(BROOD_EINVAL, brood_recv_bytes_into(b.get(), room, nullptr, kSoon));
}

TEST(Recv, SaysWhatIsWrongWithEveryBrokenStream)
{
    const struct {
        std::string bytes;
        int rc;
    } streams[] = {
        {std::string("\x80\0\0\0", 4), BROOD_EDECODE},
        {std::string("\xff\xff\xff\xf0", 4), BROOD_EDECODE},
        {std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12), BROOD_EDECODE},
        {std::string("\xff\xff\xff\xff\x80\0\0\0\0\0\0\0", 12), BROOD_EDECODE},
        {std::string("\xff\xff\xff\xff\x7f\xff\xff\xff\xff\xff\xff\xff", 12), BROOD_EPEER},
        {std::string("\x7f\xff\xff\xff"
                     "a",
                     5),
         BROOD_EPEER},
        {std::string("\xff\xff\xff\xff\0\0\0\0\0\0\0", 11), BROOD_EPEER},
        {std::string("\0\0\0", 3), BROOD_EPEER},
        {std::string("\0\0\0\1", 4), BROOD_EPEER},
    };
    const size_t before = PeakMemory();
    for (const auto &stream : streams) {
        auto [a, b] = Pipe();
        ASSERT_EQ(0, inside_send_raw(a.get(), stream.bytes.data(), stream.bytes.size()));
        a.reset();
        brood_message *raw = nullptr;
        EXPECT_EQ(stream.rc, brood_recv(b.get(), &raw, kSoon)) << LastWords();
        EXPECT_EQ(nullptr, raw);
        EXPECT_EQ(stream.rc == BROOD_EDECODE ? BROOD_EBROKEN : BROOD_EPEER,
                  brood_recv(b.get(), &raw, kSoon));
        EXPECT_EQ(0, brood_poll(b.get(), BROOD_NOWAIT)) << "which is something to tell";
    }
    EXPECT_LT(PeakMemory() - before, size_t{64} << 20);
}

/* A length of 64 bits, and beyond what one call of the system moves. */
class LargeMessage : public testing::TestWithParam<uint64_t> {};

TEST_P(LargeMessage, ArrivesWhole)
{
    const uint64_t size = GetParam();
    if (Scaled(100) < 100) {
        GTEST_SKIP() << "only with BROOD_TEST_SCALE=100";
    }
    if (size + (size >> 2) > AvailableMemory()) {
        GTEST_SKIP() << "not enough memory";
    }
    /* Zeros that nobody has written take no memory. */
    const auto freeing = [](unsigned char *data) { std::free(data); };
    const std::unique_ptr<unsigned char, decltype(freeing)> data(
        static_cast<unsigned char *>(std::calloc(1, size)), freeing);
    ASSERT_TRUE(data);
    const uint64_t marks[] = {0, size / 2, 0x7fffffff, 0xffffffff, size - 1};
    for (const uint64_t at : marks) {
        if (at < size) {
            data.get()[at] = static_cast<unsigned char>(at % 251 + 1);
        }
    }
    const auto [a, b] = Pipe();
    const Connection &from = size >> 32 == 0 ? a : b;
    const Connection &to = size >> 32 == 0 ? b : a;
    std::thread sender([&] {
        EXPECT_EQ(0, brood_send_bytes(from.get(), data.get(), size, BROOD_FOREVER)) << LastWords();
        EXPECT_EQ(0, Send(from, "next"));
    });
    brood_message *raw = nullptr;
    EXPECT_EQ(0, brood_recv_bytes(to.get(), &raw, 0, BROOD_FOREVER)) << LastWords();
    const Message message(raw);
    const brood_view view = brood_as_view(brood_message_value(raw));
    EXPECT_EQ(size, view.size);
    for (const uint64_t at : marks) {
        if (at < view.size) {
            EXPECT_EQ(at % 251 + 1, static_cast<const unsigned char *>(view.data)[at]) << at;
        }
    }
    EXPECT_EQ("next", ReceiveBytes(to));
    sender.join();
}

INSTANTIATE_TEST_SUITE_P(Sizes, LargeMessage,
                         testing::Values((uint64_t{1} << 31) + 5, (uint64_t{1} << 32) + 5),
                         [](const auto &size) {
                             return size.param >> 32 != 0 ? "Over4GiB" : "Over2GiB";
                         });

} // namespace

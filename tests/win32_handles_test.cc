/* Tickets that do not say the truth: whoever believes one closes or gives away what it must not. */
#include <gtest/gtest.h>

#include <windows.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "support/insides.h"
#include "support/native.h"
#include "support/objects.h"
#include "support/receive.h"
#include "support/values.h"

namespace {

/* As src/win32/post.c has it. */
struct Ticket {
    uint64_t pid;
    uint64_t section;
    unsigned char nonce[16];
};

/* Sends a message to which one handle belongs, and says where it is to be found. */
int SendTicket(const Connection &to, const Ticket &ticket)
{
    const std::string one = Pickle("K\x01");
    const std::string rest = Raw("h\0\0\0") + static_cast<char>(one.size()) + one;
    const int rc = inside_announce_as(to.get(), 1, &ticket, sizeof ticket);
    return rc ? rc : inside_send_raw(to.get(), rest.data(), rest.size());
}

uint64_t Number(brood_handle handle)
{
    return static_cast<uint64_t>(handle);
}

int WaitForEnd(brood_call *call)
{
    brood_connection *connection = nullptr;
    const int rc = BROOD_UNPACK(call, &connection);
    return rc ? rc : brood_poll(connection, BROOD_FOREVER);
}

class TicketTest : public testing::Test {
  protected:
    void SetUp() override
    {
        section_ = NativeHandle(reinterpret_cast<brood_handle>(
            CreateFileMappingW(INVALID_HANDLE_VALUE, nullptr, PAGE_READWRITE, 0, 4096, nullptr)));
        /* All that a list of handles needs but the nonce: magic, nonce, count, one entry. */
        auto *view = static_cast<uint64_t *>(MapViewOfFile(reinterpret_cast<HANDLE>(section_.get()),
                                                           FILE_MAP_ALL_ACCESS, 0, 0, 4096));
        ASSERT_NE(nullptr, view);
        view[0] = UINT64_C(0x3174736f70646272);
        view[3] = 1;
        view[4] = Number(pipe_.in.get());
        std::memset(view + 1, 7, 16);
        UnmapViewOfFile(view);
        ends_ = Pipe();
    }
    void ExpectLost(const Ticket &ticket, int code = BROOD_EHANDLE)
    {
        ASSERT_EQ(0, SendTicket(ends_.first, ticket));
        EXPECT_EQ(code, ReceiveError(ends_.second)) << LastWords();
        ASSERT_EQ(0, brood_send(ends_.first.get(), brood_int(2), kSoon));
        EXPECT_EQ("2", Shown(Receive(ends_.second)));
        EXPECT_TRUE(NativeIsOpen(section_.get()));
        EXPECT_TRUE(NativeIsOpen(pipe_.in.get()));
        EXPECT_TRUE(NativeIsOpen(pipe_.out.get()));
    }
    NativePipe pipe_;
    NativeHandle section_;
    std::pair<Connection, Connection> ends_;
};

TEST_F(TicketTest, CannotMakeUsTakeFromOurselves)
{
    Ticket ticket = {};
    ticket.pid = GetCurrentProcessId();
    ticket.section = Number(section_.get());
    std::memset(ticket.nonce, 7, sizeof ticket.nonce); /* what the section says, but not our list */
    ExpectLost(ticket);
    ticket.section = Number(pipe_.in.get());
    ExpectLost(ticket);
}

TEST_F(TicketTest, CannotMakeUsTakeWhatIsNoListOfHandles)
{
    const auto [mine, theirs] = Pipe();
    const Process child = Start(WaitForEnd, BROOD_ARGS(BROOD_GIVE(theirs.get())));
    ASSERT_TRUE(child) << LastWords();
    const HANDLE process = reinterpret_cast<HANDLE>(brood_process_sentinel(child.get()));
    HANDLE there = nullptr;
    ASSERT_TRUE(DuplicateHandle(GetCurrentProcess(), reinterpret_cast<HANDLE>(section_.get()),
                                process, &there, 0, FALSE, DUPLICATE_SAME_ACCESS));
    Ticket ticket = {};
    ticket.pid = static_cast<uint64_t>(brood_process_pid(child.get()));
    ticket.section = reinterpret_cast<uint64_t>(there); /* a list, with another nonce */
    ExpectLost(ticket);
    for (const uint64_t value :
         {UINT64_MAX, UINT64_MAX - 1, uint64_t{0}}) { /* its process, thread */
        ticket.section = value;
        ASSERT_EQ(0, SendTicket(ends_.first, ticket));
        EXPECT_NE(0, ReceiveError(ends_.second));
    }
    EXPECT_TRUE(brood_process_is_alive(child.get()));
    brood_connection_close(mine.get());
    EXPECT_EQ(0, Result(child));
}

TEST_F(TicketTest, OfAProcessThatEndedSaysSo)
{
    Ticket ticket = {};
    ticket.pid = 0x7ffffff0;
    ExpectLost(ticket, BROOD_EPEER);
    ticket.pid = UINT64_C(0x100000004);
    ASSERT_EQ(0, SendTicket(ends_.first, ticket));
    EXPECT_NE(0, ReceiveError(ends_.second));
}

} // namespace

#include <gtest/gtest.h>

#include <windows.h>

#include <atomic>
#include <thread>
#include <vector>

#include "fault.h"
#include "support/bursts.h"
#include "support/fault.h"
#include "support/leaks_win32.h"
#include "support/objects.h"

namespace {

constexpr DWORD kLimitMs = static_cast<DWORD>(kSoon);

HANDLE NewEvent(BOOL manual)
{
    return CreateEventW(nullptr, manual, FALSE, nullptr);
}

brood_value ValueOf(HANDLE handle)
{
    return brood_handle_value(reinterpret_cast<brood_handle>(handle));
}

TEST(Win32Wait, WaitsForHandles)
{
    const HANDLE manual = NewEvent(TRUE);
    const HANDLE automatic = NewEvent(FALSE);
    brood_wait_item items[] = {
        {ValueOf(manual), false}, {ValueOf(automatic), false}, {ValueOf(automatic), false}};
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_wait(items, 3, 1));
    std::thread setter([&] { SetEvent(automatic); });
    ASSERT_EQ(0, brood_wait(items, 3, kSoon)) << LastWords();
    setter.join();
    EXPECT_FALSE(items[0].ready);
    EXPECT_TRUE(items[1].ready);
    EXPECT_TRUE(items[2].ready) << "the same handle twice";
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_wait(items, 3, BROOD_NOWAIT)) << "it was taken";
    SetEvent(manual);
    SetEvent(automatic);
    ASSERT_EQ(0, brood_wait(items, 3, kSoon)) << LastWords();
    EXPECT_TRUE(items[0].ready);
    EXPECT_TRUE(items[1].ready);
    ASSERT_EQ(0, brood_wait(items, 3, kSoon));
    EXPECT_TRUE(items[0].ready);
    EXPECT_FALSE(items[1].ready);
    CloseHandle(automatic);
    EXPECT_EQ(BROOD_EINVAL, brood_wait(items, 3, kSoon));
    EXPECT_NE(std::string::npos, LastWords().find("is not open")) << LastWords();
    CloseHandle(manual);
}

TEST(Win32Wait, LosesNoSignalOfHundredsOfEvents)
{
    constexpr size_t kCount = 300;
    std::vector<HANDLE> events;
    std::vector<brood_wait_item> items;
    for (size_t i = 0; i < kCount; i++) {
        events.push_back(NewEvent(FALSE));
        items.push_back({ValueOf(events.back()), false});
    }
    size_t got = 0;
    std::thread setter([&] {
        for (const HANDLE event : events) {
            SetEvent(event);
        }
    });
    while (got < kCount) {
        ASSERT_EQ(0, brood_wait(items.data(), items.size(), kSoon)) << got << ": " << LastWords();
        for (const brood_wait_item &item : items) {
            got += item.ready;
        }
    }
    setter.join();
    EXPECT_EQ(kCount, got);
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_wait(items.data(), items.size(), BROOD_NOWAIT));
    for (const HANDLE event : events) {
        CloseHandle(event);
    }
}

TEST(Win32Wait, LeavesNoEventBehind)
{
    const size_t before = CountEvents();
    {
        std::vector<std::pair<Connection, Connection>> pipes;
        std::vector<brood_wait_item> items;
        for (int i = 0; i < 70; i++) {
            pipes.push_back(Pipe());
            items.push_back({brood_of(pipes.back().first.get()), false});
        }
        ForEachFault([&] {
            const int rc = brood_wait(items.data(), items.size(), 1);
            EXPECT_EQ(brood_fault_fired(), rc != BROOD_ETIMEDOUT) << LastWords();
        });
    }
    EXPECT_EQ(before, CountEvents());
}

void RunAMessageLoop()
{
    MSG message;
    PeekMessageW(&message, nullptr, 0, 0, PM_NOREMOVE); /* gives the thread its queue */
    int posted = 0;
    int got = 0;
    const auto drain = [&] {
        while (PeekMessageW(&message, nullptr, 0, 0, PM_REMOVE)) {
            got += message.message == WM_APP;
        }
    };
    ReceiveInLoop([&](brood_handle handle) {
        const HANDLE native = reinterpret_cast<HANDLE>(handle);
        if (posted < 10 && PostThreadMessageW(GetCurrentThreadId(), WM_APP, 0, 0)) {
            posted++;
        }
        const DWORD which = MsgWaitForMultipleObjects(1, &native, FALSE, kLimitMs, QS_ALLINPUT);
        ASSERT_TRUE(which == WAIT_OBJECT_0 || which == WAIT_OBJECT_0 + 1) << which;
        drain();
    });
    drain();
    EXPECT_GT(posted, 0);
    EXPECT_EQ(posted, got);
}

/* In a thread of its own, with which its queue ends. */
TEST(Win32WaitableHandle, FeedsAMessageLoop)
{
    std::thread(RunAMessageLoop).join();
    EXPECT_FALSE(::testing::Test::HasFailure());
}

/* The system takes back what a thread had begun when that thread ends. */
TEST(Win32WaitableHandle, OutlivesTheThreadThatAskedForIt)
{
    const auto [a, b] = Pipe();
    brood_handle handle = BROOD_NO_HANDLE;
    std::thread([&, &end = b] {
        EXPECT_EQ(0, brood_waitable_handle(brood_of(end.get()), &handle));
        EXPECT_EQ("error: receive: timed out", ReceiveBytes(end, BROOD_NOWAIT));
    }).join();
    const HANDLE native = reinterpret_cast<HANDLE>(handle);
    if (WaitForSingleObject(native, 0) == WAIT_OBJECT_0) { /* a wake-up for nothing */
        EXPECT_EQ("error: receive: timed out", ReceiveBytes(b, BROOD_NOWAIT));
    }
    EXPECT_EQ(static_cast<DWORD>(WAIT_TIMEOUT), WaitForSingleObject(native, 0));
    ASSERT_EQ(0, brood_send_bytes(a.get(), "x", 1, kSoon));
    EXPECT_EQ(static_cast<DWORD>(WAIT_OBJECT_0), WaitForSingleObject(native, kLimitMs));
    EXPECT_EQ("x", ReceiveBytes(b, BROOD_NOWAIT));
}

} // namespace

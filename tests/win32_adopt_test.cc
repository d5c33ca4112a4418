#include <gtest/gtest.h>

#include <windows.h>

#include <string>

#include "fault.h"
#include "support/fault.h"
#include "support/leaks_win32.h"
#include "support/objects.h"
#include "support/transports.h"

namespace {

brood_handle ValueOf(HANDLE handle)
{
    return reinterpret_cast<brood_handle>(handle);
}

HANDLE NewPipe(DWORD access)
{
    static int number;
    const std::wstring name = L"\\\\.\\pipe\\brood-adopt-" +
                              std::to_wstring(GetCurrentProcessId()) + L"-" +
                              std::to_wstring(number++);
    return CreateNamedPipeW(name.c_str(), access, PIPE_TYPE_BYTE | PIPE_WAIT, 1, 4096, 4096, 0,
                            nullptr);
}

TEST(Win32Adopt, RefusesInWordsWhatHasNoMessages)
{
    brood_connection *raw = nullptr;
    const auto refused = [&raw](HANDLE handle, bool readable, bool writable, int error) {
        EXPECT_EQ(error, brood_connection_adopt(&raw, ValueOf(handle), readable, writable));
        EXPECT_EQ(nullptr, raw);
        return LastWords();
    };
    const HANDLE none = INVALID_HANDLE_VALUE;
    EXPECT_NE(std::string::npos, refused(none, true, true, BROOD_EINVAL).find("is not open"));
    EXPECT_EQ("a connection that neither receives nor sends",
              refused(none, false, false, BROOD_EINVAL));

    const HANDLE event = CreateEventW(nullptr, TRUE, FALSE, nullptr);
    EXPECT_NE(std::string::npos, refused(event, true, true, BROOD_EINVAL).find("is no pipe"));
    CloseHandle(event);

    HANDLE ends[2];
    ASSERT_TRUE(CreatePipe(&ends[0], &ends[1], nullptr, 0));
    EXPECT_NE(std::string::npos, refused(ends[0], true, false, BROOD_ENOTSUP)
                                     .find("was opened without FILE_FLAG_OVERLAPPED"));
    CloseHandle(ends[0]);
    CloseHandle(ends[1]);

    const HANDLE inbound = NewPipe(PIPE_ACCESS_INBOUND | FILE_FLAG_OVERLAPPED);
    EXPECT_NE(std::string::npos,
              refused(inbound, true, true, BROOD_EINVAL).find("cannot be written to"));
    CloseHandle(inbound);
    const HANDLE outbound = NewPipe(PIPE_ACCESS_OUTBOUND | FILE_FLAG_OVERLAPPED);
    EXPECT_NE(std::string::npos,
              refused(outbound, true, true, BROOD_EINVAL).find("cannot be read from"));
    CloseHandle(outbound);
}

TEST(Win32Adopt, LeavesTheHandleAloneWhenAnyStepFails)
{
    const size_t before = CountEvents();
    ForEachFault([] {
        brood_connection *raw = nullptr;
        const HANDLE handle = NewPipe(PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED);
        SetHandleInformation(handle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
        const int rc = brood_connection_adopt(&raw, ValueOf(handle), true, true);
        DWORD flags = 0;
        EXPECT_EQ(brood_fault_fired(), rc != 0);
        EXPECT_TRUE(GetHandleInformation(handle, &flags));
        EXPECT_EQ(rc == 0 ? 0u : static_cast<DWORD>(HANDLE_FLAG_INHERIT), flags);
        brood_connection_free(raw);
        if (rc != 0) {
            CloseHandle(handle);
        }
    });
    EXPECT_EQ(before, CountEvents());
}

} // namespace

#include <gtest/gtest.h>

#include <windows.h>

#include <aclapi.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "fault.h"
#include "support/fault.h"
#include "support/leaks_win32.h"
#include "support/objects.h"
#include "support/process_list.h"

namespace {

TEST(Win32Pipe, IsOpenToItsUserOnly)
{
    const auto [first, second] = Pipe();
    ASSERT_TRUE(first) << LastWords();
    PACL acl = nullptr;
    PSECURITY_DESCRIPTOR descriptor = nullptr;
    ASSERT_EQ(static_cast<DWORD>(ERROR_SUCCESS),
              GetSecurityInfo(reinterpret_cast<HANDLE>(brood_connection_handle(first.get())),
                              SE_KERNEL_OBJECT, DACL_SECURITY_INFORMATION, nullptr, nullptr, &acl,
                              nullptr, &descriptor));
    ASSERT_NE(nullptr, acl);
    ASSERT_EQ(1, acl->AceCount);

    union {
        TOKEN_USER user;
        unsigned char room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } us;
    DWORD size = 0;
    HANDLE token = nullptr;
    ASSERT_TRUE(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token));
    EXPECT_TRUE(GetTokenInformation(token, TokenUser, &us, sizeof us, &size));
    CloseHandle(token);

    ACCESS_ALLOWED_ACE *ace = nullptr;
    ASSERT_TRUE(GetAce(acl, 0, reinterpret_cast<void **>(&ace)));
    EXPECT_EQ(ACCESS_ALLOWED_ACE_TYPE, ace->Header.AceType);
    EXPECT_TRUE(EqualSid(us.user.User.Sid, &ace->SidStart));
    LocalFree(descriptor);
}

TEST(Win32Pipe, LeavesNoEventBehindWhenAnyStepFails)
{
    const size_t before = CountEvents();
    ForEachFault([] {
        const auto [first, second] = Pipe();
        if (first) {
            const int rc = brood_send_bytes(first.get(), "x", 1, kSoon);
            EXPECT_EQ(rc != 0, brood_fault_fired());
        }
    });
    EXPECT_EQ(before, CountEvents());
}

/* A write that is taken back reports 0 bytes, also if a reader had a part of it: the port has to
 * see to it that no reader ever has a part. Every message here is one write. */
TEST(Win32Pipe, LosesNothingWhenSendsAreTakenBack)
{
    const long count = Scaled(20000);
    const auto [first, second] = Pipe(BROOD_ONE_WAY);
    ASSERT_TRUE(first) << LastWords();
    brood_connection *const to = second.get();
    long taken_back = 0;
    std::atomic<bool> full{false};
    std::thread sender([&] {
        std::vector<char> message(10000);
        for (long i = 0; i < count; i++) {
            std::memcpy(message.data(), &i, sizeof i);
            /* Sizes that never fit the receiver's buffer evenly. */
            const size_t size = 4000 + static_cast<size_t>(i) * 37 % 6000;
            int rc = BROOD_ETIMEDOUT;
            while (rc == BROOD_ETIMEDOUT) {
                rc = brood_send_bytes(to, message.data(), size, i % 3 == 0 ? 1 : BROOD_NOWAIT);
                taken_back += rc == BROOD_ETIMEDOUT;
                full = full || rc == BROOD_ETIMEDOUT;
            }
            ASSERT_EQ(0, rc) << "message " << i << ": " << LastWords();
        }
    });
    EXPECT_TRUE(WaitFor([&] { return full.load(); })); /* the first is taken back for certain */
    for (long i = 0; i < count; i++) {
        const std::string message = ReceiveBytes(first);
        long number = -1;
        std::memcpy(&number, message.data(), std::min(sizeof number, message.size()));
        if (number != i || message.size() != 4000 + static_cast<size_t>(i) * 37 % 6000) {
            ADD_FAILURE() << "message " << i << " is " << number << " of " << message.size();
            break;
        }
    }
    brood_connection_close(first.get());
    sender.join();
    RecordProperty("taken_back", std::to_string(taken_back));
}

} // namespace

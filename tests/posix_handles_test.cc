/* Descriptors over connections at the system's limits, and across forks. */
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "support/native.h"
#include "support/objects.h"
#include "support/receive.h"
#include "support/values.h"

namespace {

/* Lets this process open `more` descriptors and no others. */
class FewDescriptors {
  public:
    explicit FewDescriptors(int more)
    {
        getrlimit(RLIMIT_NOFILE, &before_);
        std::vector<int> taken;
        for (int i = 0; i <= more; i++) {
            taken.push_back(fcntl(0, F_DUPFD, 0));
        }
        rlimit now = before_;
        now.rlim_cur = static_cast<rlim_t>(taken.back());
        for (const int fd : taken) {
            close(fd);
        }
        setrlimit(RLIMIT_NOFILE, &now);
    }
    ~FewDescriptors()
    {
        setrlimit(RLIMIT_NOFILE, &before_);
    }

  private:
    rlimit before_{};
};

TEST(DescriptorLimit, LosesTheHandlesOfOneMessageAndNoMore)
{
    const auto [a, b] = Pipe();
    NativePipe pipe;
    const brood_value handle = brood_handle_value(pipe.in.get());
    std::vector<NativeHandle> copies;
    for (int i = 0; i < 3; i++) {
        brood_handle copy = BROOD_NO_HANDLE;
        ASSERT_EQ(0, brood_handle_duplicate(&copy, pipe.in.get()));
        copies.emplace_back(copy);
    }
    ASSERT_EQ(0, brood_send(a.get(),
                            BROOD_LIST(brood_handle_value(copies[0].get()),
                                       brood_handle_value(copies[1].get()),
                                       brood_handle_value(copies[2].get())),
                            kSoon))
        << LastWords();
    ASSERT_EQ(0, brood_send(a.get(), brood_int(1), kSoon));
    ASSERT_EQ(0, brood_send(a.get(), handle, kSoon));
    {
        const FewDescriptors few(2);
        EXPECT_EQ(BROOD_EHANDLE, ReceiveError(b)) << LastWords();
        EXPECT_EQ("1", Shown(Receive(b)));
        EXPECT_EQ("<handle>", Shown(Receive(b)));
    }
}

/* Becomes nobody, whose descriptors on their way are counted, and sends until no more may be. */
int SendTooMany(brood_call *)
{
    NativePipe pipe;
    auto [a, b] = Pipe();
    const rlimit few = {64, 64};
    if (setrlimit(RLIMIT_NOFILE, &few) != 0 || (geteuid() == 0 && setuid(65534) != 0)) {
        return 3;
    }
    int sent = 0;
    int rc = 0;
    while (rc == 0 && sent < 1000) {
        rc = brood_send(a.get(), BROOD_LIST(brood_handle_value(pipe.in.get())), 50);
        sent += rc == 0;
    }
    if (rc != BROOD_ETIMEDOUT || LastWords().find("on their way") == std::string::npos) {
        return rc != 0 ? rc : 4;
    }
    rc = brood_send(a.get(), brood_str("next"), kSoon); /* nothing was half sent */
    for (int i = 0; rc == 0 && i < sent; i++) {
        rc = Shown(Receive(b)) == "[<handle>]" ? 0 : 5;
    }
    rc = rc == 0 && Shown(Receive(b)) != "'next'" ? 6 : rc;
    rc = rc ? rc : brood_send(a.get(), BROOD_LIST(brood_handle_value(pipe.in.get())), kSoon);
    return rc == 0 && Shown(Receive(b)) != "[<handle>]" ? 7 : rc;
}

TEST(DescriptorsOnTheirWay, AreWaitedForUntilTheTimeLimit)
{
    const Process child = Start(SendTooMany);
    const int rc = Result(child);
    if (rc == BROOD_ETASK && brood_last_error()->code == 4) {
        GTEST_SKIP() << "this system does not limit the descriptors on their way";
    }
    EXPECT_EQ(0, rc) << LastWords();
}

/* ---- forks ---- */

brood_message *before_fork;

/* The number may be another descriptor's in a copy that was started with the method fork. */
int LookAtAnOldMessage(brood_call *call)
{
    brood_handle handle = BROOD_NO_HANDLE;
    int kept = 0;
    const int rc = BROOD_UNPACK(call, &kept);
    const int fd = open("/dev/null", O_RDONLY);
    handle = brood_as_handle(brood_message_value(before_fork));
    if (rc || handle != BROOD_NO_HANDLE || fd < 0) {
        return rc ? rc : 2;
    }
    if (kept > fd && dup2(fd, kept) != kept) {
        return 3;
    }
    brood_message_free(before_fork);
    before_fork = nullptr;
    return fcntl(kept, F_GETFD) >= 0 ? 0 : 4;
}

TEST(HandleInMessage, IsTheParentsAfterAStartByFork)
{
    NativePipe pipe;
    Message message = Copy(brood_handle_value(pipe.in.get()));
    const brood_context *context = nullptr;
    ASSERT_EQ(0, brood_get_context(&context, "fork")) << LastWords();
    brood_process_options options = BROOD_OPTIONS_INIT(process);
    options.context = context;
    before_fork = message.get();
    const int kept = static_cast<int>(HandleIn(message));
    EXPECT_EQ(0, Result(Start(LookAtAnOldMessage, BROOD_ARGS(kept), &options))) << LastWords();
    EXPECT_TRUE(NativeWrite(HandleIn(message), "x"));
}

} // namespace

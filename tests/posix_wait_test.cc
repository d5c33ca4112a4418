#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/epoll.h>
#endif

#include <atomic>
#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include "support/bursts.h"
#include "support/objects.h"
#include "support/process_list.h"

namespace {

constexpr int kLimitMs = static_cast<int>(kSoon);

TEST(PosixWait, WaitsForDescriptors)
{
    int ends[2];
    ASSERT_EQ(0, pipe(ends));
    const auto [a, b] = Pipe();
    brood_wait_item items[] = {{brood_handle_value(ends[0]), false}, {brood_of(b.get()), false}};
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_wait(items, 2, 1));
    std::thread writer([&] { EXPECT_EQ(1, write(ends[1], "x", 1)); });
    ASSERT_EQ(0, brood_wait(items, 2, kSoon)) << LastWords();
    writer.join();
    EXPECT_TRUE(items[0].ready);
    EXPECT_FALSE(items[1].ready);
    char byte = 0;
    EXPECT_EQ(1, read(ends[0], &byte, 1));
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_wait(items, 2, BROOD_NOWAIT));
    close(ends[1]);
    ASSERT_EQ(0, brood_wait(items, 2, kSoon)) << "the end of a stream counts";
    EXPECT_TRUE(items[0].ready);
    close(ends[0]);
    EXPECT_EQ(BROOD_EINVAL, brood_wait(items, 2, kSoon));
    EXPECT_EQ("descriptor " + std::to_string(ends[0]) + " is not open", LastWords());
}

TEST(PosixWait, TakesMoreItemsThanDescriptorsAreAllowed)
{
    struct rlimit before;
    ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &before));
    const auto [a, b] = Pipe();
    const auto [c, d] = Pipe();
    std::vector<brood_wait_item> items(300, {brood_of(b.get()), false});
    items[7].object = brood_none();
    items[299].object = brood_of(d.get());
    struct rlimit less = before;
    less.rlim_cur = 200;
    ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &less));
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_wait(items.data(), items.size(), 1));
    EXPECT_EQ(0, brood_send_bytes(a.get(), "x", 1, kSoon));
    EXPECT_EQ(0, brood_wait(items.data(), items.size(), kSoon)) << LastWords();
    for (size_t i = 0; i < items.size(); i++) {
        EXPECT_EQ(i != 7 && i != 299, items[i].ready) << i;
    }
    EXPECT_EQ(0, setrlimit(RLIMIT_NOFILE, &before));
}

TEST(PosixWait, GoesOnAfterAForkOfTheHost)
{
    const auto [a, b] = Pipe();
    brood_connection *end = b.get();
    brood_wait_item item = {brood_of(end), false};
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_wait(&item, 1, 1));
    const pid_t pid = fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) { /* close wakes a thread here: not one of the parent's */
        brood_wait_item mine = {brood_of(end), false};
        std::thread closer([end] { brood_connection_close(end); });
        const int rc = brood_wait(&mine, 1, kSoon);
        closer.join();
        _exit(rc == BROOD_ECLOSED ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(pid, waitpid(pid, &status, 0));
    EXPECT_EQ(0, status);
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_wait(&item, 1, BROOD_NOWAIT));
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_wait(&item, 1, 1));
}

TEST(PosixWaitableHandle, FeedsAPollLoop)
{
    ReceiveInLoop([](brood_handle handle) {
        struct pollfd one = {static_cast<int>(handle), POLLIN, 0};
        ASSERT_EQ(1, poll(&one, 1, kLimitMs));
    });
}

#if defined(__linux__)
TEST(PosixWaitableHandle, FeedsAnEdgeTriggeredEpollLoop)
{
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    bool added = false;
    ReceiveInLoop([&](brood_handle handle) {
        struct epoll_event event = {};
        event.events = EPOLLIN | EPOLLET;
        if (!added) {
            ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, static_cast<int>(handle), &event));
            added = true;
        }
        ASSERT_EQ(1, epoll_wait(epoll, &event, 1, kLimitMs));
    });
    close(epoll);
}
#endif

int Nothing(brood_call *)
{
    return 0;
}

TEST(PosixWaitableHandle, TellsOfTheEndOfAProcess)
{
    const Process child = Start(Nothing);
    ASSERT_TRUE(child) << LastWords();
    brood_handle handle = BROOD_NO_HANDLE;
    ASSERT_EQ(0, brood_waitable_handle(brood_of(child.get()), &handle));
    struct pollfd one = {static_cast<int>(handle), POLLIN, 0};
    EXPECT_EQ(1, poll(&one, 1, kLimitMs));
    EXPECT_EQ(0, Result(child));
}

/* Without a process descriptor the sentinel is a channel, which a process may close early and a
 * grandchild may hold open: neither may fool a wait. */
int CloseAllAndWait(brood_call *call)
{
    brood_connection *connection = nullptr;
    brood_message *message = nullptr;
    int rc = BROOD_UNPACK(call, &connection);
    for (int fd = 3; fd < 64; fd++) {
        if (fd != brood_connection_handle(connection)) {
            close(fd);
        }
    }
    rc = rc ? rc : brood_send(connection, brood_none(), BROOD_FOREVER);
    rc = rc ? rc : brood_recv(connection, &message, BROOD_FOREVER);
    brood_message_free(message);
    _exit(rc == BROOD_EEND ? 3 : 4);
}

TEST(PosixWait, IsNotFooledByAChildThatClosesItsDescriptors)
{
    auto [mine, theirs] = Pipe();
    const Process child = Start(CloseAllAndWait, BROOD_ARGS(BROOD_GIVE(theirs.get())));
    ASSERT_TRUE(child) << LastWords();
    brood_wait_item items[] = {{brood_of(child.get()), false}, {brood_of(mine.get()), false}};
    ASSERT_EQ(0, brood_wait(items, 2, kSoon)) << LastWords();
    EXPECT_FALSE(items[0].ready);
    EXPECT_TRUE(items[1].ready);
    brood_message *raw = nullptr;
    ASSERT_EQ(0, brood_recv(mine.get(), &raw, kSoon));
    brood_message_free(raw);
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_wait(items, 2, 60));
    mine.reset();
    ASSERT_EQ(0, brood_wait(items, 1, kSoon)) << LastWords();
    int code = -1;
    EXPECT_EQ(0, brood_process_exitcode(child.get(), &code));
    EXPECT_EQ(3, code);
}

int LeaveAGrandchild(brood_call *call)
{
    brood_connection *connection = nullptr;
    const int rc = BROOD_UNPACK(call, &connection);
    if (rc == 0 && fork() == 0) {
        char byte;
        const int fd = static_cast<int>(brood_connection_handle(connection));
        while (read(fd, &byte, 1) < 0 && (errno == EINTR || errno == EAGAIN)) {
        }
        _exit(0);
    }
    return rc;
}

TEST(PosixWait, IsNotFooledByAGrandchildThatHoldsItsDescriptors)
{
    auto [mine, theirs] = Pipe();
    const Process child = Start(LeaveAGrandchild, BROOD_ARGS(BROOD_GIVE(theirs.get())));
    ASSERT_TRUE(child) << LastWords();
    brood_wait_item items[] = {{brood_of(child.get()), false}, {brood_of(mine.get()), false}};
    ASSERT_EQ(0, brood_wait(items, 2, kSoon)) << LastWords();
    EXPECT_TRUE(items[0].ready);
    EXPECT_FALSE(items[1].ready) << "the grandchild still holds the other end";
    EXPECT_EQ(0, Result(child));
    mine.reset(); /* ends the grandchild */
}

} // namespace

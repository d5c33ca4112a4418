/* Unix only: what is special about children that are copies of their parent, and brood_fork. What
 * holds for all start methods is tested with the others. */
#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include "fault.h"
#include "support/family.h"
#include "support/fault.h"
#include "support/insides.h"
#include "support/methods.h"
#include "support/process_list.h"

namespace {

constexpr const char *kFork = BROOD_FORK;

int Nothing(brood_call *)
{
    return 0;
}

/* ---- the start method ---- */

int memory; /* of this process */

int TellMemory(brood_call *call)
{
    return brood_return(call, brood_int(memory));
}

TEST(ForkedChild, HasItsParentsMemory)
{
    memory = 42;
    const Process forked = StartBy(kFork, TellMemory);
    Message answer;
    ASSERT_EQ(0, Result(forked, &answer)) << LastWords();
    EXPECT_EQ(42, brood_as_int(brood_message_value(answer.get()), 0));
    const Process spawned = StartBy(BROOD_SPAWN, TellMemory);
    ASSERT_EQ(0, Result(spawned, &answer)) << LastWords();
    EXPECT_EQ(0, brood_as_int(brood_message_value(answer.get()), 1));
}

brood_connection *not_sent;

/* The numbers of the parent's descriptors are somebody else's by now. */
int UseWhatWasNotSent(brood_call *call)
{
    std::vector<std::pair<Connection, Connection>> pipes;
    const int parents = open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (int i = 0; i < 30; i++) {
        pipes.push_back(Pipe());
    }
    brood_message *raw = nullptr;
    CHILD_CHECK(call, brood_send(not_sent, brood_int(1), 0) == BROOD_ECLOSED);
    CHILD_CHECK(call, LastWords().find("sent to it as an argument") != std::string::npos);
    CHILD_CHECK(call, brood_recv(not_sent, &raw, 0) == BROOD_ECLOSED);
    CHILD_CHECK(call, brood_poll(not_sent, 0) == BROOD_ECLOSED);
    CHILD_CHECK(call, brood_connection_closed(not_sent));
    CHILD_CHECK(call, brood_connection_handle(not_sent) == BROOD_NO_HANDLE);
    brood_wait_item item = {brood_of(not_sent), false};
    CHILD_CHECK(call, brood_wait(&item, 1, 0) == BROOD_ECLOSED);
    CHILD_CHECK(call, !Start(Nothing, BROOD_ARGS(not_sent)));
    CHILD_CHECK(call, brood_last_error()->error == BROOD_ECLOSED);
    brood_connection_close(not_sent);
    brood_connection_free(not_sent);
    CHILD_CHECK(call, fcntl(parents, F_GETFD) >= 0);
    for (auto &[first, second] : pipes) {
        CHILD_CHECK(call, brood_send_bytes(first.get(), "x", 1, 0) == 0);
        CHILD_CHECK(call, ReceiveBytes(second) == "x");
    }
    return 0;
}

TEST(ForkedChild, IsRefusedConnectionsThatWereNotSent)
{
    auto [mine, theirs] = Pipe();
    not_sent = theirs.get();
    const Process child = StartBy(kFork, UseWhatWasNotSent);
    EXPECT_EQ(0, Result(child)) << LastWords();
    ASSERT_EQ(0, brood_send_bytes(theirs.get(), "still here", 10, kSoon)) << LastWords();
    EXPECT_EQ("still here", ReceiveBytes(mine));
}

brood_process *sibling;

int UseTheParentsProcess(brood_call *call)
{
    int code = 0;
    brood_message *raw = nullptr;
    CHILD_CHECK(call, brood_process_join(sibling, 0) == BROOD_EINVAL);
    CHILD_CHECK(call, LastWords().find("not here") != std::string::npos);
    CHILD_CHECK(call, brood_process_exitcode(sibling, &code) == BROOD_EINVAL);
    CHILD_CHECK(call, brood_process_result(sibling, &raw, 0) == BROOD_EINVAL);
    CHILD_CHECK(call, brood_process_kill(sibling) == BROOD_EINVAL);
    CHILD_CHECK(call, !brood_process_is_alive(sibling));
    CHILD_CHECK(call, brood_process_sentinel(sibling) == BROOD_NO_HANDLE);
    brood_wait_item item = {brood_of(sibling), false};
    CHILD_CHECK(call, brood_wait(&item, 1, 0) == BROOD_EINVAL);
    CHILD_CHECK(call, brood_process_pid(sibling) > 0);
    brood_process **children = nullptr;
    size_t count = 1;
    CHILD_CHECK(call, brood_active_children(&children, &count) == 0 && count == 0);
    brood_process_free(sibling);
    return 0;
}

TEST(ForkedChild, IsRefusedItsParentsProcesses)
{
    auto [mine, theirs] = Pipe();
    const Process busy = StartBy(
        kFork,
        [](brood_call *call) {
            brood_connection *connection = nullptr;
            const int rc = BROOD_UNPACK(call, &connection);
            return rc ? rc : brood_poll(connection, BROOD_FOREVER);
        },
        BROOD_ARGS(BROOD_GIVE(theirs.get())));
    sibling = busy.get();
    const Process child = StartBy(kFork, UseTheParentsProcess);
    EXPECT_EQ(0, Result(child)) << LastWords();
    EXPECT_TRUE(brood_process_is_alive(busy.get()));
    mine.reset();
    EXPECT_EQ(0, Result(busy)) << LastWords();
}

/* A start of its own, by both methods, and its name and its parent's. */
int StartMore(brood_call *call)
{
    brood_process *parent = brood_parent_process();
    CHILD_CHECK(call, parent != nullptr && brood_process_pid(parent) == getppid());
    CHILD_CHECK(call, brood_process_is_alive(parent));
    const std::string name = brood_process_name(brood_current_process());
    for (const std::string &method : StartMethods()) {
        const Process child = StartBy(method, Nothing);
        CHILD_CHECK(call, child);
        CHILD_CHECK(call, std::string(brood_process_name(child.get())).find(name + ":") == 0);
        CHILD_CHECK(call, Result(child) == 0);
    }
    return brood_return(call, brood_str(name.c_str()));
}

TEST(ForkedChild, IsAProcessLikeEveryOther)
{
    for (int i = 0; i < 2; i++) {
        const Process child = StartBy(kFork, StartMore);
        Message answer;
        ASSERT_EQ(0, Result(child, &answer)) << LastWords();
        EXPECT_STREQ(brood_process_name(child.get()),
                     brood_as_str(brood_message_value(answer.get()), ""));
    }
}

TEST(ForkedChild, BeginsWithoutItsParentsLastFailure)
{
    EXPECT_EQ(BROOD_EINVAL, brood_process_join(nullptr, 0));
    testing::internal::CaptureStderr();
    const Process child = StartBy(kFork, [](brood_call *) -> int { return BROOD_EINVAL; });
    EXPECT_EQ(BROOD_EINVAL, Result(child));
    EXPECT_EQ(std::string::npos, LastWords().find("NULL")) << LastWords();
    testing::internal::GetCapturedStderr();
}

TEST(ForkedChild, IsKnownForSureAlsoWhenItEndsAtOnceAndNobodyIsToldOfIt)
{
    signal(SIGCHLD, SIG_IGN);
    for (int i = 0; i < 100; i++) {
        const Process child = StartBy(kFork, [](brood_call *) -> int { _exit(0); });
        ASSERT_TRUE(child) << LastWords();
        EXPECT_EQ(0, brood_process_join(child.get(), kSoon)) << LastWords();
        EXPECT_EQ(0, brood_process_kill(child.get()));
    }
    signal(SIGCHLD, SIG_DFL);
}

/* The numbers that the parent's sanitizer or a test may have open are closed in it, too. */
TEST(ForkedChild, KeepsTheNumbersOfWhatWasSent)
{
    std::vector<std::pair<Connection, Connection>> pipes;
    std::vector<brood_value> items;
    for (int i = 0; i < 300; i++) {
        pipes.push_back(Pipe());
        items.push_back(brood_of(pipes.back().second.get()));
    }
    const Process child = StartBy(
        kFork,
        [](brood_call *call) {
            brood_value list;
            const int rc = BROOD_UNPACK(call, &list);
            for (size_t i = 0; rc == 0 && i < brood_value_count(list); i++) {
                const std::string text = std::to_string(i);
                CHILD_CHECK(call, brood_send_bytes(static_cast<brood_connection *>(
                                                       brood_value_at(list, i).as.object),
                                                   text.data(), text.size(), kSoon) == 0);
            }
            return rc;
        },
        BROOD_ARGS(brood_list(items.data(), items.size())));
    EXPECT_EQ(0, Result(child)) << LastWords();
    for (size_t i = 0; i < pipes.size(); i++) {
        EXPECT_EQ(std::to_string(i), ReceiveBytes(pipes[i].first));
    }
}

/* ---- forks beside threads ---- */

/* Threads do all kinds of things with the library while others fork: nothing in the children may be
 * locked or half changed. */
TEST(Forks, FindTheLibraryInOrderWhateverOtherThreadsAreDoing)
{
    std::atomic<bool> stop{false};
    std::vector<std::thread> busy;
    brood_log_to(
        BROOD_LOG_DEBUG, [](void *, brood_log_level, const char *) {}, nullptr);
    const auto keep = [&](auto once) {
        busy.emplace_back([&stop, once] {
            while (!stop) {
                once();
            }
        });
    };
    keep([] { brood_log(BROOD_LOG_INFO, "busy"); });
    keep([] {
        (void)!brood_set_start_method(BROOD_SPAWN, true);
        (void)brood_get_all_start_methods();
        (void)brood_parent_process();
    });
    keep([] {
        auto [a, b] = Pipe();
        (void)!brood_send(a.get(), brood_int(1), kSoon);
        (void)ReceiveBytes(b);
    });
    keep([] { EXPECT_EQ(0, Result(StartBy(BROOD_SPAWN, Nothing))) << LastWords(); });
    keep([] {
        brood_process **children = nullptr;
        size_t count = 0;
        EXPECT_EQ(0, brood_active_children(&children, &count));
        brood_processes_free(children, count);
    });
    std::vector<std::thread> forking;
    for (int t = 0; t < 3; t++) {
        forking.emplace_back([] {
            for (int i = 0; i < Scaled(200); i++) {
                const Process child = StartBy(kFork, StartMore);
                ASSERT_TRUE(child) << LastWords();
                EXPECT_EQ(0, Result(child)) << LastWords();
            }
        });
    }
    for (std::thread &thread : forking) {
        thread.join();
    }
    stop = true;
    for (std::thread &thread : busy) {
        thread.join();
    }
    brood_log_to_stderr(BROOD_LOG_OFF);
}

/* ThreadSanitizer has a thread of its own, which cannot be told from the program's. */
#if defined(__SANITIZE_THREAD__)
constexpr bool kOneThread = false;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
constexpr bool kOneThread = false;
#else
constexpr bool kOneThread = true;
#endif
#else
constexpr bool kOneThread = true;
#endif

TEST(Forks, AreWarnedOfOnceWhenThereAreThreads)
{
    if (!kOneThread) {
        GTEST_SKIP() << "ThreadSanitizer has a thread of its own";
    }
    std::vector<std::string> lines;
    brood_log_to(
        BROOD_LOG_WARNING,
        [](void *user, brood_log_level, const char *line) {
            static_cast<std::vector<std::string> *>(user)->push_back(line);
        },
        &lines);
    EXPECT_EQ(0, Result(StartBy(kFork, Nothing))) << LastWords();
    EXPECT_TRUE(lines.empty()) << lines[0];
    auto [mine, theirs] = Pipe();
    std::thread other([&end = theirs] { (void)ReceiveBytes(end); });
    for (int i = 0; i < 2; i++) {
        EXPECT_EQ(0, Result(StartBy(kFork, Nothing))) << LastWords();
    }
    mine.reset();
    other.join();
    brood_log_to_stderr(BROOD_LOG_OFF);
    ASSERT_EQ(1u, lines.size());
    EXPECT_NE(std::string::npos, lines[0].find("fork of a process with 2 threads")) << lines[0];
}

/* ---- brood_fork ---- */

/* What a child of brood_fork says with its exit code, or minus the signal. */
int ExitOf(int64_t pid)
{
    int status = 0;
    while (waitpid(static_cast<pid_t>(pid), &status, 0) < 0) {
        if (errno != EINTR) {
            return -1000;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Forks, and lets the child run `work`, which returns its exit code. */
template <class Work>
int64_t ForkToDo(Work work)
{
    const int64_t pid = brood_fork();
    if (pid == 0) {
        _exit(work());
    }
    return pid;
}

#define CHECK_HERE(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "%s:%d: %s; last failure: %s\n", __FILE__, __LINE__, #condition, \
                          LastWords().c_str());                                                    \
            return 1;                                                                              \
        }                                                                                          \
    } while (0)

TEST(Fork, GoesOnInBoth)
{
    const int64_t ours = inside_pid();
    memory = 7;
    const int64_t pid = ForkToDo([ours] { return getppid() == ours ? memory + 1 : 1; });
    ASSERT_LT(0, pid) << LastWords();
    EXPECT_EQ(8, ExitOf(pid));
}

TEST(Fork, KeepsConnectionsUsableInBoth)
{
    auto pipe = Pipe();
    const int64_t pid = ForkToDo([&pipe] {
        CHECK_HERE(brood_send_bytes(pipe.second.get(), "child", 5, kSoon) == 0);
        CHECK_HERE(ReceiveBytes(pipe.second) == "parent");
        pipe.first.reset();
        pipe.second.reset();
        return 0;
    });
    ASSERT_LT(0, pid) << LastWords();
    EXPECT_EQ("child", ReceiveBytes(pipe.first));
    ASSERT_EQ(0, brood_send_bytes(pipe.first.get(), "parent", 6, kSoon)) << LastWords();
    EXPECT_EQ(0, ExitOf(pid));
    pipe.second.reset();
    EXPECT_NE(std::string::npos, ReceiveBytes(pipe.first).find("the other end is closed"));
}

TEST(Fork, MakesAChildThatKnowsItsParentAndHasNoChildren)
{
    auto [mine, theirs] = Pipe();
    const Process busy = Start(
        [](brood_call *call) {
            brood_connection *connection = nullptr;
            const int rc = BROOD_UNPACK(call, &connection);
            return rc ? rc : brood_poll(connection, BROOD_FOREVER);
        },
        BROOD_ARGS(BROOD_GIVE(theirs.get())));
    ASSERT_TRUE(busy) << LastWords();
    const int64_t ours = inside_pid();
    const int64_t pid = ForkToDo([ours, &busy] {
        brood_process *parent = brood_parent_process();
        brood_process **children = nullptr;
        size_t count = 1;
        CHECK_HERE(parent != nullptr && brood_process_pid(parent) == ours);
        CHECK_HERE(brood_process_is_alive(parent));
        CHECK_HERE(std::string("MainProcess") == brood_process_name(parent));
        CHECK_HERE(brood_process_pid(brood_current_process()) == getpid());
        CHECK_HERE(brood_process_join(busy.get(), 0) == BROOD_EINVAL);
        CHECK_HERE(brood_active_children(&children, &count) == 0 && count == 0);
        for (const std::string &method : StartMethods()) {
            CHECK_HERE(Result(StartBy(method, Nothing)) == 0);
        }
        return 0;
    });
    ASSERT_LT(0, pid) << LastWords();
    EXPECT_EQ(0, ExitOf(pid));
    mine.reset();
    EXPECT_EQ(0, Result(busy)) << LastWords();
}

int ForksOne(brood_call *call)
{
    ParentSide side(call);
    const int64_t pid = side.rc == 0 ? brood_fork() : side.rc;
    if (pid == 0) {
        side.Tell(inside_pid());
        SpinForEver();
    }
    side.rc = pid < 0 ? static_cast<int>(pid) : side.rc;
    return side.Stay();
}

TEST(Fork, MakesAChildThatDiesWithItsParent)
{
    for (const std::string &way : StartWays()) {
        Family family(ForksOne, way);
        const std::vector<int64_t> pids = family.Receive(1);
        ASSERT_EQ(1u, pids.size()) << family.Words();
        family.Kill();
        EXPECT_TRUE(AllGone(pids));
    }
}

/* The child of a child is no child of ours: what it ends with is not what ours ends with. */
TEST(Fork, OfAChildLeavesTheReportToTheChild)
{
    for (const std::string &method : StartMethods()) {
        const Process child = StartBy(method, [](brood_call *call) {
            const int64_t pid = brood_fork();
            if (pid == 0) {
                (void)!brood_return(call, brood_int(2));
                return 9; /* goes the way of every target */
            }
            CHILD_CHECK(call, ExitOf(pid) == 9);
            return brood_return(call, brood_int(1));
        });
        Message answer;
        ASSERT_EQ(0, Result(child, &answer)) << LastWords();
        EXPECT_EQ(1, brood_as_int(brood_message_value(answer.get()), 0));
    }
}

TEST(Fork, LosesTheMessageThatAnotherThreadIsReceiving)
{
    auto pipe = Pipe();
    std::string got;
    std::thread receiver([&] { got = ReceiveBytes(pipe.second); });
    /* Half a message, so that the thread is in the middle of it for sure. */
    const unsigned char half[] = {0, 0, 0, 4, 'a', 'b'};
    ASSERT_EQ(0, inside_send_raw(pipe.first.get(), half, sizeof half));
    EXPECT_TRUE(WaitFor([&] {
        pollfd one = {static_cast<int>(brood_connection_handle(pipe.second.get())), POLLIN, 0};
        return poll(&one, 1, 0) == 0;
    }));
    const int64_t pid = ForkToDo([&pipe] {
        brood_message *raw = nullptr;
        CHECK_HERE(brood_recv(pipe.second.get(), &raw, kSoon) == BROOD_EBROKEN);
        CHECK_HERE(brood_send_bytes(pipe.second.get(), "x", 1, kSoon) == 0);
        return 0;
    });
    ASSERT_LT(0, pid) << LastWords();
    EXPECT_EQ(0, ExitOf(pid));
    ASSERT_EQ(0, inside_send_raw(pipe.first.get(), "cd", 2));
    receiver.join();
    EXPECT_EQ("abcd", got);
}

TEST(Fork, LeavesNothingBehindWhenAnyStepFails)
{
    ForEachFault([] {
        const int64_t pid = brood_fork();
        if (pid == 0) {
            _exit(0);
        }
        EXPECT_TRUE(pid > 0 || brood_fault_fired()) << LastWords();
        EXPECT_TRUE(pid > 0 || pid == brood_last_error()->error);
        if (pid > 0) {
            EXPECT_LE(0, ExitOf(pid));
        }
    });
    EXPECT_TRUE(HasNoChildren());
}

/* A plain fork of the host: nothing of ours is in its way, but it is nobody's child of ours. */
TEST(Fork, OfTheHostItselfMayUseTheLibraryToo)
{
    auto pipe = Pipe();
    const pid_t pid = fork();
    if (pid == 0) {
        _exit([&pipe] {
            CHECK_HERE(brood_parent_process() == nullptr);
            CHECK_HERE(brood_send_bytes(pipe.second.get(), "fork", 4, kSoon) == 0);
            for (const std::string &method : StartMethods()) {
                CHECK_HERE(Result(StartBy(method, Nothing)) == 0);
            }
            return 0;
        }());
    }
    EXPECT_EQ("fork", ReceiveBytes(pipe.first));
    EXPECT_EQ(0, ExitOf(pid));
}

} // namespace

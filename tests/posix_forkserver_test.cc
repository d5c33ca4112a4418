/* Unix only: what is special about the fork server and its children. What holds for all start
 * methods is tested with the others. */
#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "config.h"
#include "fault.h"
#include "support/fault.h"
#include "support/insides.h"
#include "support/leaks.h"
#include "support/methods.h"
#include "support/process_list.h"
#include "support/serving.h"

namespace {

int Nothing(brood_call *)
{
    return 0;
}

int Linger(brood_call *call)
{
    brood_connection *connection = nullptr;
    const int rc = BROOD_UNPACK(call, &connection);
    return rc ? rc : brood_poll(connection, BROOD_FOREVER);
}

int steps;

int FirstStep(brood_call *)
{
    steps = steps * 10 + 1;
    return 0;
}

int TellSteps(brood_call *call)
{
    return brood_return(call, brood_int(steps));
}

/* ---- the server ---- */

TEST(Forkserver, IsOneForManyStarts)
{
    const int64_t server = ServersPid();
    EXPECT_NE(inside_pid(), server);
    EXPECT_EQ(server, ServersPid());
    EXPECT_EQ(std::vector<int64_t>{server}, ChildrenOf(inside_pid()));
}

TEST(Forkserver, IsNoneOfTheProgramsChildren)
{
    const Process before = StartBy(BROOD_SPAWN, Nothing);
    const Process child = Serve(Nothing);
    ASSERT_TRUE(before && child) << LastWords();
    const auto number = [](const Process &process) {
        return atoi(brood_process_name(process.get()) + strlen("Process-"));
    };
    EXPECT_EQ(number(before) + 1, number(child)) << "the server is not counted";
    EXPECT_EQ(0, Result(before)) << LastWords();
    EXPECT_EQ(0, Result(child)) << LastWords();
    brood_process **children = nullptr;
    size_t count = 1;
    EXPECT_EQ(0, brood_active_children(&children, &count));
    EXPECT_EQ(0u, count);
}

TEST(Forkserver, HasOneThreadAndNothingOnItsCommandLineButAMarker)
{
    const std::string folder = "/proc/" + std::to_string(ServersPid());
    const std::string line = ReadFile(folder + "/cmdline");
    EXPECT_EQ(std::string("--brood-forkserver\0", 19), line.substr(line.find('\0') + 1));
#if defined(BROOD_HAVE_F_SETSIG) && !defined(__SANITIZE_THREAD__)
    EXPECT_NE(std::string::npos, ReadFile(folder + "/status").find("\nThreads:\t1\n"));
#endif
}

int memory; /* of this process */

TEST(Forkserver, MakesChildrenWithoutThisProcessesMemory)
{
    memory = 42;
    EXPECT_EQ(
        0, AnswerOf(Serve([](brood_call *call) { return brood_return(call, brood_int(memory)); })));
}

int StartMore(brood_call *call)
{
    brood_process *parent = brood_parent_process();
    CHILD_CHECK(call, parent != nullptr && brood_process_pid(parent) != getppid());
    CHILD_CHECK(call, brood_process_is_alive(parent));
    CHILD_CHECK(call, std::string("MainProcess") == brood_process_name(parent));
    const std::string name = brood_process_name(brood_current_process());
    for (int i = 0; i < 2; i++) {
        int number = i * 3;
        for (const std::string &method : StartMethods()) {
            const Process child = StartBy(method, Nothing);
            CHILD_CHECK(call, child);
            CHILD_CHECK(call,
                        brood_process_name(child.get()) == name + ":" + std::to_string(++number));
            CHILD_CHECK(call, Result(child) == 0);
        }
    }
    return brood_return(call, brood_str(name.c_str()));
}

TEST(ServedChild, IsAProcessLikeEveryOther)
{
    for (int i = 0; i < 2; i++) {
        const Process child = Serve(StartMore);
        Message answer;
        ASSERT_EQ(0, Result(child, &answer)) << LastWords();
        EXPECT_STREQ(brood_process_name(child.get()),
                     brood_as_str(brood_message_value(answer.get()), ""));
    }
}

int TellServerOfOnesOwn(brood_call *call)
{
    return brood_return(call, brood_int(ServersPid()));
}

TEST(ServedChild, HasAServerOfItsOwn)
{
    const int64_t server = ServersPid();
    const int64_t other = AnswerOf(Serve(TellServerOfOnesOwn));
    EXPECT_LT(0, other);
    EXPECT_NE(server, other);
    EXPECT_TRUE(WaitFor([other] { return !IsAlive(other); })) << "gone with its user";
    EXPECT_EQ(server, ServersPid());
}

/* Where the end of a process is seen on a socket, that is the other one. */
TEST(Forkserver, LeavesNoSocketInAForkOfTheHost)
{
    size_t before = ListOpenThings().handles.count("socket");
    (void)ServersPid();
#if !defined(BROOD_HAVE_PIDFD)
    before++;
#endif
    EXPECT_EQ(before + 1, ListOpenThings().handles.count("socket"));
    const pid_t pid = fork();
    if (pid == 0) {
        _exit(ListOpenThings().handles.count("socket") == before ? 0 : 1);
    }
    int status = -1;
    EXPECT_EQ(pid, waitpid(pid, &status, 0));
    EXPECT_EQ(0, status);
}

TEST(Forkserver, IsNotSharedWithAForkOfTheHost)
{
    const int64_t server = ServersPid();
    int ends[2];
    ASSERT_EQ(0, pipe2(ends, O_CLOEXEC));
    const pid_t pid = fork();
    if (pid == 0) {
        const int64_t own = ServersPid();
        _exit(write(ends[1], &own, sizeof own) == sizeof own ? 0 : 1);
    }
    int64_t own = 0;
    EXPECT_EQ(static_cast<ssize_t>(sizeof own), read(ends[0], &own, sizeof own));
    waitpid(pid, nullptr, 0);
    close(ends[0]);
    close(ends[1]);
    EXPECT_LT(0, own);
    EXPECT_NE(server, own);
    EXPECT_TRUE(WaitFor([own] { return !IsAlive(own); }));
    EXPECT_EQ(server, ServersPid());
}

int HasAServerAndForks(brood_call *call)
{
    ParentSide side(call);
    side.Tell(ServersPid());
    const pid_t pid = fork();
    if (pid == 0) {
        side.Tell(getpid());
        for (;;) {
            pause();
        }
    }
    return side.Stay();
}

TEST(Forkserver, IsGoneWithItsUserAlsoWhenAForkOfThatLivesOn)
{
    Family family(HasAServerAndForks);
    const std::vector<int64_t> pids = family.Receive(2);
    ASSERT_EQ(2u, pids.size()) << family.Words();
    family.Kill();
    EXPECT_TRUE(AllGone({pids[0]}));
    EXPECT_TRUE(AllAlive({pids[1]}));
    KillHard(pids[1]);
}

TEST(Forkserver, IsLeftAloneByTheTerminal)
{
    const int64_t server = ServersPid();
    for (const int signum : {SIGINT, SIGHUP, SIGQUIT}) {
        kill(static_cast<pid_t>(server), signum);
    }
    EXPECT_EQ(server, ServersPid());
}

TEST(Forkserver, KeepsTheEnvironmentThatItBeganWith)
{
    const auto tell = [](brood_call *call) {
        const char *text = getenv("BROOD_TEST_OF_SERVER");
        return brood_return(call, brood_int(text != nullptr ? atoi(text) : 0));
    };
    SetEnvironment("BROOD_TEST_OF_SERVER", "1");
    EXPECT_EQ(1, AnswerOf(Serve(tell)));
    SetEnvironment("BROOD_TEST_OF_SERVER", "2");
    EXPECT_EQ(1, AnswerOf(Serve(tell)));
    LetForkserverGo();
    EXPECT_EQ(2, AnswerOf(Serve(tell)));
    SetEnvironment("BROOD_TEST_OF_SERVER", "");
}

/* ---- its children ---- */

TEST(ServedChild, CostsItsParentOneDescriptorWhileItRuns)
{
    constexpr size_t kCount = 40;
    (void)ServersPid();
    auto [mine, theirs] = Pipe();
    const size_t before = ListOpenThings().handles.size();
    std::vector<Process> children;
    for (size_t i = 0; i < kCount; i++) {
        children.push_back(Serve(Linger, BROOD_ARGS(theirs.get())));
        ASSERT_TRUE(children.back()) << LastWords();
    }
    EXPECT_GE(before + kCount, ListOpenThings().handles.size());
    theirs.reset();
    mine.reset();
    for (const Process &child : children) {
        EXPECT_EQ(0, Result(child)) << LastWords();
    }
}

TEST(ServedChild, MayEndInEveryWay)
{
    EXPECT_EQ(7, ExitOf(Serve([](brood_call *) -> int { _exit(7); })));
    EXPECT_EQ(8, ExitOf(Serve([](brood_call *) -> int { exit(8); })));
    EXPECT_EQ(255, ExitOf(Serve([](brood_call *) { return 255; })));
    EXPECT_EQ(-SIGKILL, ExitOf(Serve([](brood_call *) { return raise(SIGKILL); })));
    EXPECT_EQ(-SIGTERM, ExitOf(Serve([](brood_call *) { return raise(SIGTERM); })));
}

/* Its server waits for it beside many others. */
TEST(ServedChild, IsToldApartFromOthers)
{
    std::vector<Process> children;
    for (int i = 0; i < 50; i++) {
        children.push_back(Serve(
            [](brood_call *call) {
                int code = 0;
                const int rc = BROOD_UNPACK(call, &code);
                return rc ? rc : code;
            },
            BROOD_ARGS(i)));
    }
    for (int i = 0; i < 50; i++) {
        EXPECT_EQ(i, ExitOf(children[static_cast<size_t>(i)]));
    }
}

/* ---- many at once ---- */

TEST(Forkserver, ServesEightThreadsAtOnce)
{
    std::vector<std::thread> threads;
    std::atomic<int> good{0};
    const long each = Scaled(200);
    for (int t = 0; t < 8; t++) {
        threads.emplace_back([&good, each, t] {
            for (long i = 0; i < each; i++) {
                const int number = static_cast<int>(t * 1000 + i);
                const Process child = Serve(
                    [](brood_call *call) {
                        int x = 0;
                        const int rc = BROOD_UNPACK(call, &x);
                        return rc ? rc : brood_return(call, brood_int(x));
                    },
                    BROOD_ARGS(number));
                good += child && AnswerOf(child) == number;
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    EXPECT_EQ(8 * each, good);
    EXPECT_EQ(1u, ChildrenOf(inside_pid()).size()) << "one server, and it forked for all";
}

TEST(Forkserver, BeginsOnceHoweverManyThreadsStart)
{
    SetPreload({FirstStep});
    std::vector<std::thread> threads;
    std::atomic<int> good{0};
    for (int t = 0; t < 8; t++) {
        threads.emplace_back([&good] { good += AnswerOf(Serve(TellSteps)) == 1; });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    EXPECT_EQ(8, good);
    EXPECT_EQ(1u, ChildrenOf(inside_pid()).size());
}

/* ---- whatever fails ---- */

TEST(Forkserver, LeavesNothingBehindWhenAnyStepOfItsBeginFails)
{
    const brood_function preload[] = {FirstStep};
    ForEachFault([&preload] {
        brood_fault_pause(true);
        ASSERT_EQ(0, brood_set_forkserver_preload(preload, 1));
        brood_fault_pause(false);
        const Process child = Serve(TellSteps);
        const bool fired = brood_fault_fired();
        EXPECT_TRUE(child || fired) << LastWords();
        brood_fault_pause(true);
        if (child) {
            EXPECT_EQ(1, AnswerOf(child));
        }
        brood_fault_pause(false);
    });
    EXPECT_TRUE(HasNoChildren());
}

} // namespace

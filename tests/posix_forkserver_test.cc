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
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "config.h"
#include "fault.h"
#include "support/family.h"
#include "support/fault.h"
#include "support/insides.h"
#include "support/leaks.h"
#include "support/methods.h"
#include "support/process_list.h"
#include "support/stop_file.h"

namespace {

Process Serve(brood_function target, const brood_args *args = nullptr)
{
    return StartBy(BROOD_FORKSERVER, target, args);
}

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

int64_t AnswerOf(const Process &child)
{
    Message answer;
    EXPECT_EQ(0, Result(child, &answer)) << LastWords();
    return brood_as_int(brood_message_value(answer.get()), -1);
}

int TellWhoForkedMe(brood_call *call)
{
    return brood_return(call, brood_int(getppid()));
}

int64_t ServersPid()
{
    return AnswerOf(Serve(TellWhoForkedMe));
}

int ExitOf(const Process &child)
{
    int exitcode = -1000;
    EXPECT_EQ(0, brood_process_join(child.get(), kSoon)) << LastWords();
    EXPECT_EQ(0, brood_process_exitcode(child.get(), &exitcode)) << LastWords();
    return exitcode;
}

void SetPreload(const std::vector<brood_function> &functions)
{
    ASSERT_EQ(0, brood_set_forkserver_preload(functions.data(), functions.size())) << LastWords();
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

/* ---- preload ---- */

int steps;
int signals;

int FirstStep(brood_call *)
{
    steps = steps * 10 + 1;
    return 0;
}

int SecondStep(brood_call *call)
{
    steps = steps * 10 + 2;
    return brood_call_count(call) == 0 ? brood_return(call, brood_str("ignored")) : 1;
}

int TellSteps(brood_call *call)
{
    return brood_return(call, brood_int(steps));
}

TEST(Preload, RunsOnceAndInOrderBeforeTheFirstStart)
{
    SetPreload({FirstStep, SecondStep, FirstStep});
    EXPECT_EQ(0, steps) << "not here";
    const Process child = Serve(TellSteps);
    EXPECT_EQ(121, AnswerOf(child));
    EXPECT_EQ(121, AnswerOf(Serve(TellSteps)));
    EXPECT_EQ(0, AnswerOf(StartBy(BROOD_SPAWN, TellSteps))) << "other methods know nothing of it";
}

TEST(Preload, MayBeChangedForLaterStarts)
{
    auto [mine, theirs] = Pipe();
    SetPreload({FirstStep});
    const int64_t before = ServersPid();
    const Process early = Serve(Linger, BROOD_ARGS(BROOD_GIVE(theirs.get())));
    ASSERT_TRUE(early) << LastWords();
    SetPreload({SecondStep});
    EXPECT_EQ(2, AnswerOf(Serve(TellSteps)));
    EXPECT_TRUE(IsAlive(before)) << "it has a child";
    EXPECT_TRUE(brood_process_is_alive(early.get()));
    mine.reset();
    EXPECT_EQ(0, ExitOf(early));
    EXPECT_TRUE(WaitFor([before] { return !IsAlive(before); }));
    SetPreload({});
    EXPECT_EQ(0, AnswerOf(Serve(TellSteps)));
}

/* Starts fail with that, one after the other, until there is another list. */
void ExpectPreloadError(brood_function function, int error, int code, const std::string &words)
{
    SetPreload({FirstStep, function});
    testing::internal::CaptureStderr();
    for (int i = 0; i < 2; i++) {
        EXPECT_FALSE(Serve(Nothing));
        EXPECT_EQ(error, brood_last_error()->error) << LastWords();
        EXPECT_EQ(code, brood_last_error()->code);
        EXPECT_NE(std::string::npos, LastWords().find(words)) << LastWords();
    }
    EXPECT_EQ("", testing::internal::GetCapturedStderr()) << "the start tells";
    SetPreload({FirstStep});
    EXPECT_EQ(1, AnswerOf(Serve(TellSteps)));
}

TEST(Preload, MakesTheStartFailWithItsOwnWords)
{
    ExpectPreloadError([](brood_call *call) { return brood_raise(call, 3, "no model"); },
                       BROOD_ETASK, 3, "preload function 2 of 2 returned 3: no model");
    ExpectPreloadError([](brood_call *) { return 4; }, BROOD_ETASK, 4,
                       "preload function 2 of 2 returned 4");
    ExpectPreloadError(
        [](brood_call *) {
            brood_connection *one = nullptr;
            return brood_pipe(&one, nullptr, BROOD_DUPLEX);
        },
        BROOD_EINVAL, 0, "preload function 2 of 2");
}

TEST(Preload, ThatEndsItsProcessIsSaidToHaveDoneSo)
{
    ExpectPreloadError([](brood_call *) -> int { _exit(5); }, BROOD_ETASK, 5, "exited with code 5");
    ExpectPreloadError([](brood_call *) -> int { _exit(0); }, BROOD_EWORKER, 0,
                       "ended before it had begun to serve");
    ExpectPreloadError([](brood_call *) { return raise(SIGKILL); }, BROOD_EWORKER, 0, "SIGKILL");
}

#if defined(__linux__)
TEST(Preload, ThatLeavesAThreadBehindIsRefused)
{
    ExpectPreloadError(
        [](brood_call *) {
            std::thread([] {
                for (;;) {
                    pause();
                }
            }).detach();
            return 0;
        },
        BROOD_EINVAL, 0, "have left 1 thread behind");
    SetPreload({[](brood_call *) {
        std::thread([] { steps = 7; }).join();
        return 0;
    }});
    EXPECT_EQ(7, AnswerOf(Serve(TellSteps))) << "one that was joined is no harm";
}
#endif

int opened = -1;

int OpenAndHandle(brood_call *)
{
    opened = open("/dev/null", O_RDONLY);
    signal(SIGUSR1, [](int) { signals++; });
    signal(SIGINT, [](int) { signals++; });
    sigset_t some;
    sigemptyset(&some);
    sigaddset(&some, SIGUSR2);
    sigprocmask(SIG_BLOCK, &some, nullptr);
    return opened >= 0 ? 0 : 1;
}

TEST(Preload, LeavesNoDescriptorsAndNoSignalsToChildren)
{
    SetPreload({OpenAndHandle});
    const Process child = Serve([](brood_call *call) {
        struct sigaction user = {};
        struct sigaction interrupt = {};
        sigset_t blocked;
        sigaction(SIGUSR1, nullptr, &user);
        sigaction(SIGINT, nullptr, &interrupt);
        sigprocmask(SIG_SETMASK, nullptr, &blocked);
        CHILD_CHECK(call, opened >= 0 && fcntl(opened, F_GETFD) < 0);
        CHILD_CHECK(call, user.sa_handler == SIG_DFL && interrupt.sa_handler == SIG_DFL);
        CHILD_CHECK(call, sigismember(&blocked, SIGUSR2) == 0);
        return 0;
    });
    EXPECT_EQ(0, Result(child)) << LastWords();
}

TEST(Preload, PrintsOnce)
{
    int ends[2];
    ASSERT_EQ(0, pipe2(ends, O_CLOEXEC));
    fflush(stdout);
    const int before = dup(1);
    dup2(ends[1], 1);
    SetPreload({[](brood_call *) { return printf("loading, ") > 0 ? 0 : 1; }});
    for (int i = 0; i < 3; i++) {
        const Process child = Serve([](brood_call *) { return printf("served, ") > 0 ? 0 : 1; });
        EXPECT_EQ(0, ExitOf(child));
    }
    LetForkserverGo();
    EXPECT_TRUE(HasNoChildren());
    dup2(before, 1);
    close(before);
    close(ends[1]);
    std::string text(200, '\0');
    text.resize(static_cast<size_t>(read(ends[0], &text[0], text.size())));
    EXPECT_EQ("loading, served, served, served, ", text);
    close(ends[0]);
}

/* The server waits for its own children only, and some of them are not for its user. */
TEST(Preload, MayLeaveAZombieBehind)
{
    SetPreload({[](brood_call *) {
        const pid_t pid = fork();
        if (pid == 0) {
            _exit(1);
        }
        siginfo_t info;
        return waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
    }});
    for (int i = 0; i < 5; i++) {
        EXPECT_EQ(0, ExitOf(Serve(Nothing)));
        EXPECT_EQ(-SIGKILL, ExitOf(Serve([](brood_call *) { return raise(SIGKILL); })));
    }
}

int AskForKey(brood_call *)
{
    char key[1024];
    return inside_authkey(key) == 32 ? 0 : 1;
}

TEST(Preload, ThatAsksForTheKeyDoesNotKeepItForChildren)
{
    SetPreload({AskForKey});
    (void)ServersPid();
    ASSERT_EQ(0, brood_set_authkey("secret", 6));
    EXPECT_EQ(6, AnswerOf(Serve([](brood_call *call) {
                  char key[1024];
                  return brood_return(call, brood_int(static_cast<int64_t>(inside_authkey(key))));
              })));
}

/* ---- it is killed ---- */

TEST(KilledForkserver, IsReplacedByTheNextStart)
{
    for (int i = 0; i < 3; i++) {
        const int64_t server = ServersPid();
        KillHard(server);
        EXPECT_NE(server, ServersPid());
        EXPECT_FALSE(IsAlive(server));
    }
}

TEST(KilledForkserver, RunsItsPreloadAgain)
{
    SetPreload({FirstStep});
    KillHard(ServersPid());
    EXPECT_EQ(1, AnswerOf(Serve(TellSteps)));
}

int LingerAndTell(brood_call *call)
{
    const int rc = Linger(call);
    return rc ? rc : brood_return(call, brood_int(5));
}

TEST(KilledForkserver, LeavesItsChildrenAlive)
{
    auto [mine, theirs] = Pipe();
    const int64_t server = ServersPid();
    std::vector<Process> children;
    for (const brood_function function : {LingerAndTell, Linger, Linger}) {
        children.push_back(Serve(function, BROOD_ARGS(theirs.get())));
        ASSERT_TRUE(children.back()) << LastWords();
    }
    theirs.reset();
    KillHard(server);
    ASSERT_TRUE(WaitFor([server] { return !IsAlive(server); }));
    for (const Process &child : children) {
        EXPECT_EQ(BROOD_ETIMEDOUT, brood_process_join(child.get(), 10)) << LastWords();
        EXPECT_TRUE(IsAlive(brood_process_pid(child.get())));
    }
    /* How it was killed the system may know; nobody else does. */
    ASSERT_EQ(0, brood_process_kill(children[2].get())) << LastWords();
    const int exitcode = ExitOf(children[2]);
    EXPECT_TRUE(exitcode == -SIGKILL || exitcode == 255) << exitcode;
    EXPECT_EQ(BROOD_EWORKER, Result(children[2]));
    if (exitcode == 255) {
        EXPECT_NE(std::string::npos, LastWords().find("status unknown")) << LastWords();
    }
    mine.reset();
    EXPECT_EQ(5, AnswerOf(children[0]));
    EXPECT_EQ(0, ExitOf(children[0])) << "as it told itself";
    EXPECT_EQ(0, ExitOf(children[1]));
}

int HasOneAndKillsTheServer(brood_call *call)
{
    ParentSide side(call);
    const int64_t server = ServersPid();
    side.Has(Spin);
    KillHard(server);
    return side.Stay();
}

TEST(KilledForkserver, LeavesChildrenThatEndWithTheirParentAllTheSame)
{
    Family family(HasOneAndKillsTheServer, BROOD_FORKSERVER);
    const std::vector<int64_t> pids = family.Receive(1);
    ASSERT_EQ(1u, pids.size()) << family.Words();
    family.Kill();
    EXPECT_TRUE(AllGone(pids));
}

/* Kills whatever server this process has, again and again. */
class Killer {
  public:
    Killer() : thread_([this] { Run(); })
    {
    }
    ~Killer()
    {
        stop_ = true;
        thread_.join();
    }
    int Kills() const
    {
        return kills_;
    }

  private:
    void Run()
    {
        while (!stop_) {
            for (const int64_t pid : ChildrenOf(inside_pid())) {
                if (ReadFile("/proc/" + std::to_string(pid) + "/cmdline").find("--brood-forks") !=
                    std::string::npos) {
                    KillHard(pid);
                    kills_++;
                }
            }
        }
    }
    std::atomic<bool> stop_{false};
    std::atomic<int> kills_{0};
    std::thread thread_;
};

/* What a start or its child may say of a server that was killed. */
void ExpectToldRight(const Process &child, int *started)
{
    if (!child) {
        EXPECT_TRUE(brood_last_error()->error == BROOD_EWORKER ||
                    brood_last_error()->error == BROOD_EPEER)
            << LastWords();
        return;
    }
    ++*started;
    const int rc = Result(child);
    EXPECT_TRUE(rc == 0 || rc == BROOD_EWORKER) << LastWords();
}

TEST(KilledForkserver, InTheMiddleOf100StartsHangsNobody)
{
    int started = 0;
    int kills = 0;
    {
        Killer killer;
        for (int i = 0; i < 100 || killer.Kills() < 10; i++) {
            ExpectToldRight(Serve(Nothing), &started);
        }
        kills = killer.Kills();
    }
    RecordProperty("started", started);
    RecordProperty("kills", kills);
    for (int i = 0; i < 3; i++) {
        EXPECT_EQ(0, Result(Serve(Nothing))) << LastWords();
    }
}

TEST(KilledForkserver, UnderManyThreadsHangsNobody)
{
    {
        Killer killer;
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; t++) {
            threads.emplace_back([] {
                int started = 0;
                for (long i = Scaled(200); i > 0; i--) {
                    ExpectToldRight(Serve(Nothing), &started);
                }
            });
        }
        for (std::thread &thread : threads) {
            thread.join();
        }
    }
    EXPECT_EQ(0, Result(Serve(Nothing))) << LastWords();
}

/* Right before the first answer: there may be a child of which nobody has heard. */
TEST(KilledForkserver, AtAnyStageMakesTheStartFailInWords)
{
    for (const char *stage : {"server-child-entered", "server-child-received",
                              "server-child-verified", "server-child-target", "server-forked"}) {
        SCOPED_TRACE(stage);
        const StopFile stop(stage);
        SetEnvironment("BROOD_TEST_STOP", stop.Setting());
        LetForkserverGo();
        Process child;
        std::string words;
        std::thread starter([&] {
            child = Serve(Nothing);
            words = LastWords();
        });
        const int64_t server = stop.Pid();
        const std::vector<int64_t> below = ChildrenOf(server);
        KillHard(server);
        starter.join();
        SetEnvironment("BROOD_TEST_STOP", "");
        EXPECT_FALSE(child);
        EXPECT_NE(std::string::npos, words.find("was ended by signal 9")) << words;
        EXPECT_TRUE(AllGone(below));
        EXPECT_EQ(0, Result(Serve(Nothing))) << LastWords();
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

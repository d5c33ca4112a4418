/* Unix only: the fork server is killed, at whatever moment. Nobody hangs, its children live on. */
#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "support/insides.h"
#include "support/process_list.h"
#include "support/serving.h"
#include "support/stop_file.h"

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

} // namespace

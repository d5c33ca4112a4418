/* Parents and children that are killed at each stage of a start. The library built for tests holds
 * a process still at a named point (BROOD_TEST_STOP=POINT:FILE; it writes its pid into the file). */
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "config.h"
#include "support/insides.h"
#include "support/objects.h"
#include "support/process_list.h"

namespace {

const char *const kChildStages[] = {"child-entered", "child-received", "child-verified",
                                    "child-target"};
const char *const kParentStages[] = {"parent-started", "parent-sent"};

int Spin(brood_call *)
{
    for (;;) {
        std::this_thread::yield();
    }
}

/* A file in which a stopped process says who it is. */
class StopFile {
  public:
    explicit StopFile(const std::string &stage) : path_(TemporaryFile(stage)), stage_(stage)
    {
    }
    ~StopFile()
    {
        Release();
    }
    void Release() const
    {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }
    std::string Setting() const
    {
        return stage_ + ":" + path_;
    }
    int64_t Pid() const
    {
        int64_t pid = 0;
        WaitFor([&] {
            const std::string text = ReadFile(path_);
            pid = !text.empty() && text.back() == '\n' ? std::atoll(text.c_str()) : 0;
            return pid != 0;
        });
        return pid;
    }

  private:
    std::string path_;
    std::string stage_;
};

class KilledChild : public testing::TestWithParam<const char *> {};

TEST_P(KilledChild, IsReportedAndNothingHangs)
{
    const StopFile stop(GetParam());
    SetEnvironment("BROOD_TEST_STOP", stop.Setting());
    const Process child = Start(Spin);
    SetEnvironment("BROOD_TEST_STOP", "");
    ASSERT_TRUE(child) << LastWords();
    ASSERT_EQ(brood_process_pid(child.get()), stop.Pid());
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_process_join(child.get(), 0));
    ASSERT_EQ(0, brood_process_kill(child.get()));
    EXPECT_EQ(BROOD_EWORKER, Result(child));
    EXPECT_EQ(-9, brood_last_error()->exitcode);
}

INSTANTIATE_TEST_SUITE_P(AtEachStage, KilledChild, testing::ValuesIn(kChildStages));

/* Runs in a child, which is the parent that gets killed: sends how many it started, and stays. */
int StartSome(brood_call *call)
{
    brood_connection *connection = nullptr;
    const char *setting = nullptr;
    int count = 0;
    std::vector<Process> children;
    int rc = BROOD_UNPACK(call, &connection, &setting, &count);
    SetEnvironment("BROOD_TEST_STOP", setting != nullptr ? setting : "");
    for (int i = 0; rc == 0 && i < count; i++) {
        children.push_back(Start(Spin));
        rc = children.back() ? 0 : brood_last_error()->error;
    }
    for (size_t i = 0; rc == 0 && i < children.size(); i++) {
        rc = brood_send(connection, brood_int(brood_process_pid(children[i].get())), kSoon);
    }
    return rc ? rc : brood_poll(connection, BROOD_FOREVER);
}

bool AllGone(const std::vector<int64_t> &pids)
{
    for (const int64_t pid : pids) {
        if (!WaitFor([&] { return !IsAlive(pid); })) {
            return false;
        }
    }
    return true;
}

std::vector<int64_t> ReceivePids(const Connection &connection, int count)
{
    std::vector<int64_t> pids;
    for (int i = 0; i < count; i++) {
        brood_message *raw = nullptr;
        if (brood_recv(connection.get(), &raw, kSoon)) {
            break;
        }
        pids.push_back(brood_as_int(brood_message_value(raw), 0));
        brood_message_free(raw);
    }
    return pids;
}

class KilledParent : public testing::TestWithParam<const char *> {};

TEST_P(KilledParent, TakesItsStoppedChildAlong)
{
    const StopFile stop(GetParam());
    auto [mine, theirs] = Pipe();
    const Process parent =
        Start(StartSome, BROOD_ARGS(BROOD_GIVE(theirs.get()), stop.Setting().c_str(), 1));
    ASSERT_TRUE(parent) << LastWords();
    ASSERT_NE(0, stop.Pid());
    const std::vector<int64_t> pids = ChildrenOf(brood_process_pid(parent.get()));
    EXPECT_EQ(1u, pids.size());
    KillHard(brood_process_pid(parent.get()));
    EXPECT_NE(0, Result(parent));
    stop.Release(); /* before it has read anything the child learns of the end when it reads */
    EXPECT_TRUE(AllGone(pids));
}

INSTANTIATE_TEST_SUITE_P(AtEachStageOfTheChild, KilledParent, testing::ValuesIn(kChildStages));
INSTANTIATE_TEST_SUITE_P(AtEachStageOfItsOwn, KilledParent, testing::ValuesIn(kParentStages));

#if !defined(_WIN32) && !defined(BROOD_HAVE_CLOSEFROM_ACTION)

/* Where the library forks and execs itself; elsewhere posix_spawn does, and nothing of ours runs in
 * the child before exec. The parent is inside start meanwhile. */
INSTANTIATE_TEST_SUITE_P(BeforeExec, KilledParent, testing::Values("child-before-exec"));

TEST(KilledChildBeforeExec, LetsTheStartEndAndIsReported)
{
    const StopFile stop("child-before-exec");
    SetEnvironment("BROOD_TEST_STOP", stop.Setting());
    Process child;
    std::thread starter([&] { child = Start(Spin); });
    const int64_t pid = stop.Pid();
    KillHard(pid);
    starter.join();
    SetEnvironment("BROOD_TEST_STOP", "");
    ASSERT_TRUE(child) << LastWords();
    EXPECT_EQ(pid, brood_process_pid(child.get()));
    EXPECT_EQ(BROOD_EWORKER, Result(child));
    EXPECT_EQ(-9, brood_last_error()->exitcode);
}

#endif

TEST(Lifeline, EndsBusyChildrenWithTheirKilledParent)
{
    constexpr int kCount = 5;
    auto [mine, theirs] = Pipe();
    const Process parent = Start(StartSome, BROOD_ARGS(BROOD_GIVE(theirs.get()),
                                                       static_cast<const char *>(nullptr), kCount));
    ASSERT_TRUE(parent) << LastWords();
    const std::vector<int64_t> pids = ReceivePids(mine, kCount);
    ASSERT_EQ(static_cast<size_t>(kCount), pids.size());
    KillHard(brood_process_pid(parent.get()));
    EXPECT_TRUE(AllGone(pids));
    EXPECT_NE(0, Result(parent));
}

int StartFromAThread(brood_call *call)
{
    brood_connection *connection = nullptr;
    Process child;
    int rc = BROOD_UNPACK(call, &connection);
    if (rc == 0) {
        std::thread([&] { child = Start(Spin); }).join();
        rc = brood_send(connection, brood_int(brood_process_pid(child.get())), kSoon);
    }
    return rc ? rc : brood_poll(connection, BROOD_FOREVER);
}

TEST(Lifeline, DoesNotDependOnTheThreadThatStartedTheChild)
{
    auto [mine, theirs] = Pipe();
    const Process parent = Start(StartFromAThread, BROOD_ARGS(BROOD_GIVE(theirs.get())));
    ASSERT_TRUE(parent) << LastWords();
    const std::vector<int64_t> pids = ReceivePids(mine, 1);
    ASSERT_EQ(1u, pids.size());
    for (int i = 0; i < 20; i++) { /* the thread has ended; its child has not */
        ShortPause();
        ASSERT_TRUE(IsAlive(pids[0]));
    }
    KillHard(brood_process_pid(parent.get()));
    EXPECT_TRUE(AllGone(pids));
    EXPECT_NE(0, Result(parent));
}

int StartChain(brood_call *call)
{
    brood_connection *connection = nullptr;
    int depth = 0;
    int rc = BROOD_UNPACK(call, &connection, &depth);
    Process child;
    if (rc == 0) {
        rc = brood_send(connection, brood_int(inside_pid()), kSoon);
    }
    if (rc == 0 && depth > 0) {
        child = Start(StartChain, BROOD_ARGS(connection, depth - 1));
        rc = child ? 0 : brood_last_error()->error;
    }
    return rc ? rc : Spin(call);
}

TEST(Lifeline, EndsGrandchildrenToo)
{
    auto [mine, theirs] = Pipe();
    const Process parent = Start(StartChain, BROOD_ARGS(BROOD_GIVE(theirs.get()), 3));
    ASSERT_TRUE(parent) << LastWords();
    const std::vector<int64_t> pids = ReceivePids(mine, 4);
    ASSERT_EQ(4u, pids.size());
    KillHard(brood_process_pid(parent.get()));
    EXPECT_TRUE(AllGone(pids));
    EXPECT_NE(0, Result(parent));
}

TEST(ProcessStart, DoesNotWaitForTheChild)
{
    const StopFile stop("child-entered");
    const std::string data(static_cast<size_t>(Scaled(256)) << 20, 'a');
    SetEnvironment("BROOD_TEST_STOP", stop.Setting());
    const Process child = Start(Spin, BROOD_ARGS(brood_bytes(data.data(), data.size())));
    SetEnvironment("BROOD_TEST_STOP", "");
    ASSERT_TRUE(child) << LastWords(); /* it came back while the child has read nothing */
    ASSERT_EQ(brood_process_pid(child.get()), stop.Pid());
    ASSERT_EQ(0, brood_process_kill(child.get()));
    EXPECT_EQ(BROOD_EWORKER, Result(child));
}

} // namespace

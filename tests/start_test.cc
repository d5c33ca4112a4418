/* Parents and children that are killed at each stage of a start. The library built for tests holds
 * a process still at a named point (BROOD_TEST_STOP=POINT:FILE; it writes its pid into the file). */
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "config.h"
#include "support/family.h"
#include "support/insides.h"
#include "support/methods.h"
#include "support/process_list.h"
#include "support/stop_file.h"

namespace {

const char *const kChildStages[] = {"child-entered", "child-received", "child-verified",
                                    "child-target"};
const char *const kParentStages[] = {"parent-started", "parent-sent"};

int Linger(brood_call *)
{
    SpinForEver();
}

/* By a start method, held at a stage. */
using MethodAndStage = std::tuple<std::string, const char *>;

class AtAStage : public testing::TestWithParam<MethodAndStage> {
  protected:
    AtAStage() : method(std::get<0>(GetParam())), stage(std::get<1>(GetParam()))
    {
    }
    const std::string method;
    const std::string stage;
};

class KilledChild : public AtAStage {};

TEST_P(KilledChild, IsReportedAndNothingHangs)
{
    const StopFile stop(stage);
    SetEnvironment("BROOD_TEST_STOP", stop.Setting());
    const Process child = StartBy(method, Linger);
    SetEnvironment("BROOD_TEST_STOP", "");
    ASSERT_TRUE(child) << LastWords();
    ASSERT_EQ(brood_process_pid(child.get()), stop.Pid());
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_process_join(child.get(), 0));
    ASSERT_EQ(0, brood_process_kill(child.get()));
    EXPECT_EQ(BROOD_EWORKER, Result(child));
    EXPECT_EQ(-9, brood_last_error()->exitcode);
}

INSTANTIATE_TEST_SUITE_P(AtEachStage, KilledChild,
                         testing::Combine(testing::ValuesIn(StartMethods()),
                                          testing::ValuesIn(kChildStages)));

int HasOneThatStops(brood_call *call)
{
    ParentSide side(call);
    SetEnvironment("BROOD_TEST_STOP", side.setting != nullptr ? side.setting : "");
    side.Has(Spin);
    return side.Stay();
}

class KilledParent : public AtAStage {};

TEST_P(KilledParent, TakesItsStoppedChildAlong)
{
    const StopFile stop(stage);
    Family family(HasOneThatStops, method, stop.Setting());
    ASSERT_NE(0, stop.Pid()) << family.Words();
    const std::vector<int64_t> pids = ChildrenBy(method, family.Pid());
    const std::vector<int64_t> servers = ChildrenOf(family.Pid());
    EXPECT_EQ(1u, pids.size());
    KillHard(family.Pid());
    stop.Release(); /* before it has read anything the child learns of the end when it reads */
    EXPECT_TRUE(AllGone(pids));
    EXPECT_TRUE(AllGone(servers));
}

INSTANTIATE_TEST_SUITE_P(AtEachStageOfTheChild, KilledParent,
                         testing::Combine(testing::ValuesIn(StartMethods()),
                                          testing::ValuesIn(kChildStages)));
INSTANTIATE_TEST_SUITE_P(AtEachStageOfItsOwn, KilledParent,
                         testing::Combine(testing::ValuesIn(StartMethods()),
                                          testing::ValuesIn(kParentStages)));

#if !defined(_WIN32) /* elsewhere nothing is sent one after the other */
/* Asks for its authentication key as soon as it runs. */
int TellsItsKeysSize(brood_call *call)
{
    ChildSide side(call);
    char key[1024];
    if (!side.Ready()) {
        return side.rc;
    }
    return brood_send(side.connection, brood_int(static_cast<int64_t>(inside_authkey(key))), kSoon);
}

int HasOneThatTellsItsKeysSize(brood_call *call)
{
    ParentSide side(call);
    SetEnvironment("BROOD_TEST_STOP", side.setting);
    side.Has(TellsItsKeysSize);
    return side.Stay();
}

class HeldParent : public testing::TestWithParam<std::string> {};

TEST_P(HeldParent, IsWaitedForByAChildThatAsksForItsKey)
{
    const StopFile stop("parent-handed");
    Family family(HasOneThatTellsItsKeysSize, GetParam(), stop.Setting());
    ASSERT_NE(0, family.Receive()) << family.Words(); /* it runs */
    ASSERT_NE(0, stop.Pid());
    stop.Release();
    EXPECT_EQ(32, family.Receive()) << family.Words();
}

INSTANTIATE_TEST_SUITE_P(BySpawnAndServer, HeldParent,
                         testing::Values(BROOD_SPAWN, BROOD_FORKSERVER));
#endif

#if !defined(_WIN32) && !defined(BROOD_HAVE_CLOSEFROM_ACTION)

/* Where the library forks and execs itself; elsewhere posix_spawn does, and nothing of ours runs in
 * the child before exec. The parent is inside start meanwhile. */
INSTANTIATE_TEST_SUITE_P(BeforeExec, KilledParent,
                         testing::Combine(testing::Values(BROOD_SPAWN),
                                          testing::Values("child-before-exec")));

TEST(KilledChildBeforeExec, LetsTheStartEndAndIsReported)
{
    const StopFile stop("child-before-exec");
    SetEnvironment("BROOD_TEST_STOP", stop.Setting());
    Process child;
    std::thread starter([&] { child = Start(Linger); });
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

OVER_METHODS(StartOfAProcess);

TEST_P(StartOfAProcess, DoesNotWaitForTheChild)
{
    const StopFile stop("child-entered");
    const std::string data(static_cast<size_t>(Scaled(256)) << 20, 'a');
    SetEnvironment("BROOD_TEST_STOP", stop.Setting());
    const Process child = Start(Linger, BROOD_ARGS(brood_bytes(data.data(), data.size())));
    SetEnvironment("BROOD_TEST_STOP", "");
    ASSERT_TRUE(child) << LastWords(); /* it came back while the child has read nothing */
    ASSERT_EQ(brood_process_pid(child.get()), stop.Pid());
    ASSERT_EQ(0, brood_process_kill(child.get()));
    EXPECT_EQ(BROOD_EWORKER, Result(child));
}

} // namespace

/* Nothing is left of a family whose parent is killed, at whatever moment. */
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/family.h"
#include "support/insides.h"
#include "support/process_list.h"
#include "support/stop_file.h"

namespace fs = std::filesystem;

namespace {

/* What the test knows of the processes that have to go. */
class Descendants {
  public:
    /* Of the leader of a group. */
    explicit Descendants(int64_t leader) : leader_(leader), known_{leader}
    {
    }
    void Add(int64_t pid)
    {
        known_.insert(pid);
        Look();
    }
    /* Finds those that were started meanwhile. */
    void Look()
    {
        for (const int64_t pid : ProcessesOfGroup(leader_)) {
            known_.insert(pid);
        }
        const std::set<int64_t> before = known_;
        for (const int64_t pid : before) {
            for (const int64_t child : ChildrenOf(pid)) {
                known_.insert(child);
            }
        }
    }
    bool AnyAlive()
    {
        Look();
        for (const int64_t pid : known_) {
            if (IsAlive(pid)) {
                return true;
            }
        }
        return false;
    }
    size_t Count() const
    {
        return known_.size();
    }

  private:
    int64_t leader_;
    std::set<int64_t> known_;
};

/* Names of files in the temporary folder that are not a test's own. */
std::set<std::string> LibrarysFiles()
{
    std::set<std::string> names;
    std::error_code error;
    for (const auto &entry : fs::directory_iterator(fs::temp_directory_path(), error)) {
        const std::string name = entry.path().filename().string();
        if (name.find("brood") != std::string::npos && name.find("brood-test-") != 0) {
            names.insert(name);
        }
    }
    return names;
}

/* A busy process with a busy child. */
int HasABusyChild(brood_call *call)
{
    ChildSide side(call);
    const Process child = Start(Spin, BROOD_ARGS(side.connection));
    CHILD_CHECK(call, child);
    if (!side.Ready()) {
        return side.rc;
    }
    SpinForEver();
}

int Return(brood_call *call)
{
    return ChildSide(call).rc;
}

/* Has two busy families, then starts one more, and somebody is held there. */
int HasFamiliesAndStops(brood_call *call)
{
    ParentSide side(call);
    LeadGroup();
    side.Has(HasABusyChild);
    side.Has(HasABusyChild);
    SetEnvironment("BROOD_TEST_STOP", side.setting);
    LetForkserverGo();
    side.Has(Return);
    return side.Stay();
}

using Moment = std::tuple<std::string, const char *>;

class Orphans : public testing::TestWithParam<Moment> {};

TEST_P(Orphans, AreNotLeftWhenTheParentIsKilled)
{
    const auto &[way, stage] = GetParam();
    const std::set<std::string> files = LibrarysFiles();
    const StopFile stop(stage);
    Family family(HasFamiliesAndStops, way, stop.Setting());
    Descendants descendants(family.Pid());
    for (const int64_t pid : family.Receive(4)) {
        descendants.Add(pid);
    }
    ASSERT_NE(0, stop.Pid()) << family.Words();
    descendants.Look();
    EXPECT_LE(4u, descendants.Count());
    const double killed = SecondsNow();
    family.Kill();
    if (std::string(stage).find("child-entered") != std::string::npos) {
        stop.Release(); /* there it is not bound to its parent yet: that is what it does next */
    }
    EXPECT_TRUE(WaitFor([&] { return !descendants.AnyAlive(); }));
    RecordProperty("milliseconds", static_cast<int>((SecondsNow() - killed) * 1000));
    EXPECT_EQ(0, family.Receive()) << "nobody holds the connection any more";
    EXPECT_EQ(BROOD_EEND, brood_last_error()->error) << LastWords();
    EXPECT_EQ(files, LibrarysFiles());
}

std::string MomentName(const testing::TestParamInfo<Moment> &moment)
{
    std::string name = std::get<0>(moment.param) + "_" + std::get<1>(moment.param);
    for (char &letter : name) {
        letter = letter == '-' ? '_' : letter;
    }
    return name;
}

INSTANTIATE_TEST_SUITE_P(
    AtEachStage, Orphans,
    testing::Combine(testing::ValuesIn(StartWays()),
                     testing::Values("parent-encoded", "parent-started", "parent-sent",
                                     "child-entered", "child-received", "child-verified",
                                     "child-target", "child-reporting", "child-leaving")),
    MomentName);

#if !defined(_WIN32)
/* The begin of the fork server itself. */
INSTANTIATE_TEST_SUITE_P(
    AtEachStageOfTheServer, Orphans,
    testing::Combine(testing::Values(BROOD_FORKSERVER),
                     testing::Values("parent-server-encoded", "parent-server-started",
                                     "parent-server-sent", "server-child-entered",
                                     "server-child-received", "server-child-verified",
                                     "server-child-target", "server-forked")),
    MomentName);
#endif

/* ---- at any moment ---- */

/* Starts and ends families in two threads as fast as it can, and tells of each. */
int NeverRests(brood_call *call)
{
    ParentSide side(call);
    LeadGroup();
    const auto work = [&side](size_t most) -> int {
        std::vector<Process> mine;
        for (int64_t count = 1;; count++) {
            mine.push_back(StartBy(side.way, count % 3 == 0 ? Return : HasABusyChild,
                                   BROOD_ARGS(side.connection)));
            const int rc = brood_send(side.connection, brood_int(count), kSoon);
            if (rc) {
                return rc;
            }
            if (mine.size() > most) {
                (void)brood_process_kill(mine.front().get());
                (void)brood_process_join(mine.front().get(), kSoon);
                mine.erase(mine.begin());
            }
        }
    };
    std::thread(work, 1).detach();
    return work(2);
}

class OrphansByWay : public testing::TestWithParam<std::string> {};

TEST_P(OrphansByWay, AreNotLeftAtWhateverMomentTheParentIsKilled)
{
    const unsigned seed = static_cast<unsigned>(inside_pid());
    std::minstd_rand random(seed);
    int slowest = 0;
    for (long round = Scaled(20); round > 0; round--) {
        Family family(NeverRests, GetParam());
        Descendants descendants(family.Pid());
        for (size_t told = 1 + random() % 8; told > 0; told--) {
            ASSERT_NE(0, family.Receive()) << family.Words();
        }
        const double moment = SecondsNow() + static_cast<double>(random() % 20000) / 1e6;
        while (SecondsNow() < moment) { /* beside busy processes each turn may take long */
            std::this_thread::yield();
        }
        descendants.Look();
        const double killed = SecondsNow();
        family.Kill();
        ASSERT_TRUE(WaitFor([&] { return !descendants.AnyAlive(); })) << "seed " << seed;
        slowest = std::max(slowest, static_cast<int>((SecondsNow() - killed) * 1000));
        while (family.Receive() != 0) {
        }
        ASSERT_EQ(BROOD_EEND, brood_last_error()->error) << LastWords();
    }
    RecordProperty("slowest_milliseconds", slowest);
}

INSTANTIATE_TEST_SUITE_P(ByWay, OrphansByWay, testing::ValuesIn(StartWays()),
                         [](const auto &way) { return way.param; });

} // namespace

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "fault.h"
#include "support/fault.h"
#include "support/objects.h"
#include "support/process_list.h"
#include "support/system_files.h"

namespace {

const char kMountV2[] = "24 30 0:22 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
const char kMountV1[] =
    "33 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 master:2 - cgroup cgroup rw,cpu,cpuacct\n";

TEST(CgroupCpus, AreUnlimitedWhereThereAreNoGroups)
{
    EXPECT_EQ(0, Files({}).Cpus());
    EXPECT_EQ(0, Files({{kGroups, "0::/\n"}}).Cpus());
    EXPECT_EQ(0, Files({{kGroups, "0::/\n"}, {kMounts, ""}}).Cpus());
    EXPECT_EQ(0, Files({{kGroups, "0::/\n"}, {kMounts, kMountV2}}).Cpus());
}

TEST(CgroupCpus, AreTheQuotaOfTheGroupRoundedUp)
{
    const std::pair<const char *, int64_t> limits[] = {
        {"max 100000\n", 0},
        {"100000 100000\n", 1},
        {"100001 100000\n", 2},
        {"150000 100000\n", 2},
        {"1000 100000", 1},
        {"400000 50000\n", 8},
        {"0 100000\n", 0},
        {"100000 0\n", 0},
        {"-5 100000\n", 0},
        {"99999999999999999999 1\n", 0},
        {"100000\n", 0},
        {"\n", 0},
        {"", 0},
        {"ten 100000\n", 0},
        {"100000 100000 7\n", 1},
    };
    for (const auto &[text, cpus] : limits) {
        const Files files = {
            {kGroups, "0::/app\n"}, {kMounts, kMountV2}, {"/sys/fs/cgroup/app/cpu.max", text}};
        EXPECT_EQ(cpus, files.Cpus()) << text;
    }
}

TEST(CgroupCpus, AreTheLeastOfAllGroupsAbove)
{
    const std::string own = "/sys/fs/cgroup/a/b/c/cpu.max";
    const std::string middle = "/sys/fs/cgroup/a/cpu.max";
    const std::string top = "/sys/fs/cgroup/cpu.max";
    const std::pair<const std::string, std::string> groups = {kGroups, "0::/a/b/c\n"};
    const std::pair<const std::string, std::string> mounts = {kMounts, kMountV2};
    EXPECT_EQ(3, Files({groups, mounts, {own, "max 1\n"}, {middle, "300 100\n"}}).Cpus());
    EXPECT_EQ(2, Files({groups, mounts, {own, "200 100\n"}, {middle, "300 100\n"}}).Cpus());
    EXPECT_EQ(1, Files({groups, mounts, {own, "200 100\n"}, {top, "90 100\n"}}).Cpus());
    EXPECT_EQ(0, Files({groups, mounts, {"/sys/fs/cpu.max", "100 100\n"}}).Cpus())
        << "what lies above the mount is not a group";
    EXPECT_EQ(0, Files({groups, mounts, {"/sys/fs/cgroup/a/bb/cpu.max", "100 100\n"}}).Cpus())
        << "nor is a neighbour's limit ours";
}

TEST(CgroupCpus, AreThoseOfVersionOneToo)
{
    const char groups[] = "12:memory:/user\n4:cpu,cpuacct:/docker/x\n3:cpuset:/\n";
    const std::string directory = "/sys/fs/cgroup/cpu,cpuacct/docker";
    const Files nested = {{kGroups, groups},
                          {kMounts, kMountV1},
                          {directory + "/x/cpu.cfs_quota_us", "-1\n"},
                          {directory + "/x/cpu.cfs_period_us", "100000\n"},
                          {directory + "/cpu.cfs_quota_us", "250000\n"},
                          {directory + "/cpu.cfs_period_us", "100000\n"}};
    EXPECT_EQ(3, nested.Cpus());
    const Files no_period = {
        {kGroups, groups}, {kMounts, kMountV1}, {directory + "/x/cpu.cfs_quota_us", "100000\n"}};
    EXPECT_EQ(0, no_period.Cpus());
}

TEST(CgroupCpus, AreTheSmallerWhereBothVersionsAreInUse)
{
    const Files both = {{kGroups, "1:cpu:/old\n0::/new\n"},
                        {kMounts, std::string(kMountV1) + kMountV2},
                        {"/sys/fs/cgroup/new/cpu.max", "400 100\n"},
                        {"/sys/fs/cgroup/cpu,cpuacct/old/cpu.cfs_quota_us", "200000\n"},
                        {"/sys/fs/cgroup/cpu,cpuacct/old/cpu.cfs_period_us", "100000\n"}};
    EXPECT_EQ(2, both.Cpus());
}

TEST(CgroupCpus, AreFoundWhereOnlyAPartOfTheGroupsIsMounted)
{
    const char part[] = "9 8 0:22 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n";
    const std::string limit = "/sys/fs/cgroup/cpu.max";
    const std::string inner = "/sys/fs/cgroup/inner/cpu.max";
    EXPECT_EQ(
        2, Files({{kGroups, "0::/docker/abc/inner\n"}, {kMounts, part}, {inner, "2 1\n"}}).Cpus());
    for (const char *group : {"0::/docker/abc\n", "0::/docker/other\n", "0::/docker/abcd\n",
                              "0::/../elsewhere\n", "0::/\n"}) {
        EXPECT_EQ(2, Files({{kGroups, group}, {kMounts, part}, {limit, "2 1\n"}}).Cpus()) << group;
    }
    const Files several = {
        {kGroups, "0::/docker/abc/inner\n"},
        {kMounts, std::string("7 6 0:22 /other /mnt ro - cgroup2 none rw\n") + part},
        {"/mnt/cpu.max", "1 1\n"},
        {inner, "2 1\n"}};
    EXPECT_EQ(2, several.Cpus()) << "the mount that our group lies in counts";
}

TEST(CgroupCpus, AreFoundUnderAPathWithSpaces)
{
    const Files files = {{kGroups, "0::/a b\n"},
                         {kMounts, "9 8 0:22 / /my\\040groups rw - cgroup2 cgroup2 rw\n"},
                         {"/my groups/a b/cpu.max", "2 1\n"}};
    EXPECT_EQ(2, files.Cpus());
}

TEST(CgroupCpus, AreNotConfusedByDamagedFiles)
{
    const std::string long_path = "0::/" + std::string(5000, 'x') + "\n";
    for (const std::string &groups :
         {std::string(":::\n"), std::string("0\n"), std::string("0:"), std::string("\n\n0::/a"),
          long_path, std::string("1:cpu\n")}) {
        for (const std::string &mounts :
             {std::string("1 2 3 / /m rw - cgroup2\n"), std::string("- - - - - - - - -\n"),
              std::string(5000, ' '), "1 2 3 / /" + std::string(5000, 'm') + " rw - cgroup2 a b\n",
              std::string("1 2 3 / /m\\04 rw a b c d e f g h i j k l m - cgroup2 a b\n")}) {
            const Files files = {{kGroups, groups}, {kMounts, mounts}, {"/m/cpu.max", "1 1\n"}};
            EXPECT_EQ(0, files.Cpus()) << groups << mounts;
        }
    }
}

TEST(CpuCount, IsAtLeastOneAndAtMostWhatTheMachineHas)
{
    EXPECT_GE(brood_cpu_count(), 1);
    EXPECT_LE(brood_cpu_count(), static_cast<int>(std::thread::hardware_concurrency()));
}

TEST(CpuCount, IsAtLeastOneWhenTheSystemDoesNotTell)
{
    ForEachFault([] { EXPECT_GE(brood_cpu_count(), 1); });
}

int CountWithOneProcessor(brood_call *call)
{
    return UseOneProcessor() ? brood_return(call, brood_int(brood_cpu_count()))
                             : brood_return(call, brood_none());
}

TEST(CpuCount, KeepsToTheProcessorsThatWeMayRunOn)
{
    const Process child = Start(CountWithOneProcessor);
    Message answer;
    ASSERT_EQ(0, Result(child, &answer)) << LastWords();
    if (brood_value_kind(brood_message_value(answer.get())) == BROOD_NONE) {
        GTEST_SKIP() << "no affinity here";
    }
    EXPECT_EQ(1, brood_as_int(brood_message_value(answer.get()), 0));
}

} // namespace

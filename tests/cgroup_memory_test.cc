#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "support/system_files.h"

namespace {

using File = std::pair<const std::string, std::string>;

const File kInV2 = {kGroups, "0::/app/worker\n"};
const File kV2 = {kMounts, "24 30 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"};
const std::string kOwn = "/sys/fs/cgroup/app/worker/memory.";
const std::string kAbove = "/sys/fs/cgroup/app/memory.";

TEST(CgroupMemory, IsUnlimitedWhereNoGroupLimitsIt)
{
    EXPECT_EQ(0, Files({}).Memory());
    EXPECT_EQ(0, Files({kInV2, kV2}).Memory());
    EXPECT_EQ(0, Files({kInV2, kV2, {kOwn + "max", "max\n"}, {kOwn + "current", "5\n"}}).Memory());
    EXPECT_EQ(0, Files({kInV2, kV2, {kOwn + "max", "9223372036854771712\n"}}).Memory());
    EXPECT_EQ(0, Files({kInV2, kV2, {kOwn + "max", ""}}).Memory());
    EXPECT_EQ(0, Files({kInV2, kV2, {kOwn + "max", "many\n"}}).Memory());
}

TEST(CgroupMemory, IsWhatIsLeftOfTheLimit)
{
    const File limit = {kOwn + "max", "1000\n"};
    EXPECT_EQ(1000, Files({kInV2, kV2, limit}).Memory());
    EXPECT_EQ(400, Files({kInV2, kV2, limit, {kOwn + "current", "600\n"}}).Memory());
    EXPECT_EQ(1, Files({kInV2, kV2, limit, {kOwn + "current", "1000\n"}}).Memory());
    EXPECT_EQ(1, Files({kInV2, kV2, limit, {kOwn + "current", "2000\n"}}).Memory());
    EXPECT_EQ(1, Files({kInV2, kV2, {kOwn + "max", "0\n"}}).Memory());
}

TEST(CgroupMemory, CountsCachedFilesAsFree)
{
    const File limit = {kOwn + "max", "1000\n"};
    const File used = {kOwn + "current", "900\n"};
    const std::string stat = "anon 500\nfile 350\nshmem 50\ninactive_file 200\nactive_file 100\n";
    EXPECT_EQ(400, Files({kInV2, kV2, limit, used, {kOwn + "stat", stat}}).Memory());
    EXPECT_EQ(100, Files({kInV2, kV2, limit, used, {kOwn + "stat", "active_file"}}).Memory());
    EXPECT_EQ(100, Files({kInV2, kV2, limit, used, {kOwn + "stat", "active_file -9\n"}}).Memory());
}

TEST(CgroupMemory, CountsWhatMayBeSwappedOut)
{
    const File limit = {kOwn + "max", "1000\n"};
    const File used = {kOwn + "current", "900\n"};
    EXPECT_EQ(600, Files({kInV2, kV2, limit, used}).Memory(500));
    const File no_more = {kOwn + "swap.max", "max\n"};
    EXPECT_EQ(600, Files({kInV2, kV2, limit, used, no_more}).Memory(500));
    const File most = {kOwn + "swap.max", "300\n"};
    EXPECT_EQ(400, Files({kInV2, kV2, limit, used, most}).Memory(500));
    EXPECT_EQ(120, Files({kInV2, kV2, limit, used, most}).Memory(20));
    const File swapped = {kOwn + "swap.current", "250\n"};
    EXPECT_EQ(150, Files({kInV2, kV2, limit, used, most, swapped}).Memory(500));
    EXPECT_EQ(100, Files({kInV2, kV2, limit, used, {kOwn + "swap.max", "0\n"}}).Memory(500));
}

TEST(CgroupMemory, IsTheLeastOfAllGroupsAbove)
{
    const File own = {kOwn + "max", "1000\n"};
    const File above = {kAbove + "max", "5000\n"};
    EXPECT_EQ(1000, Files({kInV2, kV2, own, above}).Memory());
    EXPECT_EQ(500, Files({kInV2, kV2, own, above, {kAbove + "current", "4500\n"}}).Memory());
    EXPECT_EQ(1, Files({kInV2, kV2, own, above, {kAbove + "current", "9999\n"}}).Memory());
}

TEST(CgroupMemory, IsReadInVersionOneToo)
{
    const File groups = {kGroups, "4:memory:/app\n3:cpu,cpuacct:/\n0::/\n"};
    const File mounts = {kMounts, "33 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
                                  "34 31 0:30 / /sys/fs/cgroup/memory rw - cgroup c rw,memory\n"};
    const std::string own = "/sys/fs/cgroup/memory/app/memory.";
    const File limit = {own + "limit_in_bytes", "1000\n"};
    const File used = {own + "usage_in_bytes", "700\n"};
    EXPECT_EQ(0, Files({groups, mounts}).Memory());
    EXPECT_EQ(
        0,
        Files({groups, mounts, {own + "limit_in_bytes", "9223372036854771712\n"}, used}).Memory());
    EXPECT_EQ(300, Files({groups, mounts, limit, used}).Memory());
    EXPECT_EQ(800, Files({groups, mounts, limit, used}).Memory(500));
    const File stat = {own + "stat", "inactive_file 1\ntotal_inactive_file 20\n"
                                     "total_active_file 30\n"};
    EXPECT_EQ(350, Files({groups, mounts, limit, used, stat}).Memory());
    EXPECT_EQ(0, Files({groups, mounts, limit, used}).Cpus());
}

} // namespace

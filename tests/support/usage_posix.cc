#include "support/usage.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "support/process_list.h"
#include "support/sanitizer.h"

#if defined(BROOD_SANITIZED)
const long kMostChildren = 100; /* each is ten times as large */
const bool kMemoryIsMeasured = false;
#else
const long kMostChildren = 1000;
const bool kMemoryIsMeasured = true;
#endif

namespace {

constexpr size_t kMebibytesEach = 2;

/* A number in one of the system's files; `otherwise` if there is none ("max"). */
unsigned long long NumberIn(const std::string &path, unsigned long long otherwise)
{
    std::ifstream file(path);
    unsigned long long number = 0;
    return file >> number ? number : otherwise;
}

/* The value of a line "Name: 123 kB". */
unsigned long long FieldIn(const std::string &path, const std::string &name)
{
    const std::string text = ReadFile(path);
    const size_t at = text.find(name);
    return at != std::string::npos ? std::strtoull(text.c_str() + at + name.size(), nullptr, 10)
                                   : 0;
}

/* The lowest limit of processes on the way up from our control group. */
unsigned long long ProcessesLeftInGroup()
{
    unsigned long long left = ~0ULL;
    std::istringstream lines(ReadFile("/proc/self/cgroup"));
    for (std::string line; std::getline(lines, line);) {
        const size_t at = line.rfind(':');
        const bool ours =
            line.compare(0, 3, "0::") == 0 || line.find(":pids:") != std::string::npos;
        const std::string base = line.compare(0, 3, "0::") == 0 ? "" : "/pids";
        for (std::string group = ours ? line.substr(at + 1) : ""; !group.empty();) {
            const std::string folder = "/sys/fs/cgroup" + base + group;
            const unsigned long long most = NumberIn(folder + "/pids.max", ~0ULL);
            const unsigned long long now = NumberIn(folder + "/pids.current", 0);
            left = std::min(left, most > now ? most - now : 0);
            group = group == "/" ? "" : group.substr(0, std::max<size_t>(1, group.rfind('/')));
        }
    }
    return left;
}

} // namespace

std::string WhyNotSoManyProcesses(size_t count)
{
    rlimit limit = {};
    getrlimit(RLIMIT_NPROC, &limit);
    if (geteuid() != 0 && limit.rlim_cur < count * 2) {
        return "the user may have " + std::to_string(limit.rlim_cur) + " processes";
    }
    if (ProcessesLeftInGroup() < count + 50) {
        return "the control group may have " + std::to_string(ProcessesLeftInGroup()) +
               " more processes";
    }
    const unsigned long long free_mib = AvailableMemory() >> 20;
    if (free_mib < count * kMebibytesEach) {
        return std::to_string(free_mib) + " MiB of memory are free";
    }
    return "";
}

unsigned long long AvailableMemory()
{
    return FieldIn("/proc/meminfo", "MemAvailable:") * 1024;
}

size_t ResidentMemory()
{
    return static_cast<size_t>(FieldIn("/proc/self/smaps_rollup", "Rss:")) * 1024;
}

UsualLimits::UsualLimits()
{
    rlimit limit = {};
    getrlimit(RLIMIT_NOFILE, &limit);
    before_ = limit.rlim_cur;
    limit.rlim_cur = std::min<rlim_t>(1024, limit.rlim_max);
    setrlimit(RLIMIT_NOFILE, &limit);
}

UsualLimits::~UsualLimits()
{
    rlimit limit = {};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = before_;
    setrlimit(RLIMIT_NOFILE, &limit);
}

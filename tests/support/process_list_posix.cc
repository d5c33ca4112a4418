#include "support/process_list.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>

#include "config.h"

namespace fs = std::filesystem;

namespace {

/* State and parent from /proc/PID/stat; the name before them may hold anything but ends at the
 * last bracket. */
bool ReadStat(int64_t pid, char *state, long *parent)
{
    const std::string text = ReadFile("/proc/" + std::to_string(pid) + "/stat");
    const size_t end = text.rfind(')');
    return end != std::string::npos &&
           sscanf(text.c_str() + end + 1, " %c %ld", state, parent) == 2;
}

} // namespace

std::vector<int64_t> ChildrenOf(int64_t pid)
{
    std::vector<int64_t> found;
    std::error_code error;
    for (const auto &entry : fs::directory_iterator("/proc", error)) {
        const int64_t other = atoll(entry.path().filename().c_str());
        char state = 'Z';
        long parent = 0;
        if (other > 0 && ReadStat(other, &state, &parent) && parent == pid && state != 'Z') {
            found.push_back(other);
        }
    }
    return found;
}

void LeadGroup()
{
    setpgid(0, 0);
}

std::vector<int64_t> ProcessesOfGroup(int64_t pid)
{
    std::vector<int64_t> found;
    std::error_code error;
    for (const auto &entry : fs::directory_iterator("/proc", error)) {
        const int64_t other = atoll(entry.path().filename().c_str());
        if (other > 0 && getpgid(static_cast<pid_t>(other)) == pid && IsAlive(other)) {
            found.push_back(other);
        }
    }
    return found;
}

bool IsAlive(int64_t pid)
{
    char state = 'Z';
    long parent = 0;
    return ReadStat(pid, &state, &parent) && state != 'Z' && state != 'X';
}

bool IsKnown(int64_t pid)
{
    return kill(static_cast<pid_t>(pid), 0) == 0;
}

void KillHard(int64_t pid)
{
    kill(static_cast<pid_t>(pid), SIGKILL);
}

void SetEnvironment(const std::string &name, const std::string &value)
{
    if (value.empty()) {
        unsetenv(name.c_str());
    } else {
        setenv(name.c_str(), value.c_str(), 1);
    }
}

bool UseOneProcessor()
{
#if defined(BROOD_HAVE_SCHED_GETAFFINITY)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) {
        return false;
    }
    for (int cpu = 0, kept = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &set) && kept++ > 0) {
            CPU_CLR(cpu, &set);
        }
    }
    return sched_setaffinity(0, sizeof set, &set) == 0;
#else
    return false;
#endif
}

#include "support/usage.h"

#include <windows.h>

const long kMostChildren = 100;
const bool kMemoryIsMeasured = false; /* not what the system counts elsewhere */

unsigned long long AvailableMemory()
{
    MEMORYSTATUSEX memory = {};
    memory.dwLength = sizeof memory;
    GlobalMemoryStatusEx(&memory);
    return memory.ullAvailPhys;
}

std::string WhyNotSoManyProcesses(size_t count)
{
    const unsigned long long free_mib = AvailableMemory() >> 20;
    return free_mib < count * 10 ? std::to_string(free_mib) + " MiB of memory are free" : "";
}

size_t ResidentMemory()
{
    return 0;
}

UsualLimits::UsualLimits()
{
    before_ = 0; /* there is no such limit */
}

UsualLimits::~UsualLimits()
{
    before_ = 0;
}

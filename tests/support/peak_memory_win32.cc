#include "support/peak_memory.h"

#include <windows.h>

#include <psapi.h>

size_t PeakMemory()
{
    PROCESS_MEMORY_COUNTERS counters = {};
    const BOOL known = K32GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof counters);
    return known ? counters.PeakWorkingSetSize : 0;
}

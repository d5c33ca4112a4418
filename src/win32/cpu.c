/* How many processors there are for us. */
#include "win32.h"

#define WHOLE 10000 /* the unit of a job's rate: all processors together */

#if !defined(JOB_OBJECT_CPU_RATE_CONTROL_MIN_MAX_RATE)
#define JOB_OBJECT_CPU_RATE_CONTROL_MIN_MAX_RATE 0x10
#endif

static int64_t count_all(void)
{
    return (int64_t)GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
}

/* A process without a mask of its own has all: it is in one group of 64, but its children are
 * spread over the others. */
int64_t brood_os_cpu_count(void)
{
    DWORD_PTR ours = 0;
    DWORD_PTR all = 0;
    int64_t count = 0;

    if (!BROOD_WIN("GetProcessAffinityMask", ERROR_ACCESS_DENIED, FALSE,
                   GetProcessAffinityMask(GetCurrentProcess(), &ours, &all)) ||
        ours == all) {
        return count_all();
    }
    for (; ours != 0; ours &= ours - 1) {
        count++;
    }
    return count;
}

/* Of the innermost job only: the system does not tell of those around it. */
int64_t brood_os_cpu_quota(void)
{
    JOBOBJECT_CPU_RATE_CONTROL_INFORMATION rate;
    int64_t share = 0;

    if (!BROOD_WIN("QueryInformationJobObject", ERROR_ACCESS_DENIED, FALSE,
                   QueryInformationJobObject(NULL, JobObjectCpuRateControlInformation, &rate,
                                             sizeof rate, NULL)) ||
        (rate.ControlFlags & JOB_OBJECT_CPU_RATE_CONTROL_ENABLE) == 0) {
        return 0;
    }
    if ((rate.ControlFlags & JOB_OBJECT_CPU_RATE_CONTROL_MIN_MAX_RATE) != 0) {
        share = rate.CpuRate >> 16; /* MinRate and MaxRate share its place */
    } else if ((rate.ControlFlags & JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP) != 0) {
        share = rate.CpuRate;
    }
    return (count_all() * share + WHOLE - 1) / WHOLE;
}

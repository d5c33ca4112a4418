#include <brood/process.h>

#include "platform.h"

int brood_cpu_count(void)
{
    const int64_t allowed = brood_os_cpu_count();
    const int64_t quota = brood_os_cpu_quota();
    const int64_t count = quota > 0 && quota < allowed ? quota : allowed;

    return count < 1 ? 1 : count > INT32_MAX ? INT32_MAX : (int)count;
}

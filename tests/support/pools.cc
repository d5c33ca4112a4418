#include "support/pools.h"

#include <algorithm>
#include <fstream>

#include "support/family.h"
#include "support/process_list.h"

std::vector<int64_t> Workers()
{
    brood_process **all = nullptr;
    size_t count = 0;
    std::vector<int64_t> pids;
    if (brood_active_children(&all, &count) == 0) {
        for (size_t i = 0; i < count; i++) {
            pids.push_back(brood_process_pid(all[i]));
        }
        brood_processes_free(all, count);
    }
    return pids;
}

int Square(brood_call *call)
{
    int64_t n = 0;
    const int rc = BROOD_UNPACK(call, &n);
    return rc ? rc : brood_return(call, brood_int(n * n));
}

int WhoRuns(brood_call *call)
{
    return brood_return(call, brood_int(brood_process_pid(brood_current_process())));
}

int StayBusy(brood_call *call)
{
    const char *path = nullptr;
    const int rc = BROOD_UNPACK(call, &path);
    if (rc) {
        return rc;
    }
    std::ofstream(path) << brood_process_pid(brood_current_process()) << "\n";
    SpinForEver();
}

int WaitForFile(brood_call *call)
{
    const char *path = nullptr;
    const int rc = BROOD_UNPACK(call, &path);
    if (rc) {
        return rc;
    }
    return WaitFor([&] { return !ReadFile(path).empty(); }) ? 0 : 1;
}

int CountOn(void *user, brood_value *item)
{
    auto *counter = static_cast<Counter *>(user);
    if (counter->next == counter->end) {
        return counter->failure;
    }
    *item = brood_int(counter->next++);
    counter->most_ahead = std::max(counter->most_ahead, counter->next - counter->taken);
    return 0;
}

int RefuseOdd(brood_call *call)
{
    int64_t n = 0;
    const int rc = BROOD_UNPACK(call, &n);
    if (rc) {
        return rc;
    }
    return n % 2 == 1 ? brood_raise(call, BROOD_ERANGE, "%d is odd", static_cast<int>(n))
                      : brood_return(call, brood_int(n));
}

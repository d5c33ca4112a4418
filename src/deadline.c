#include "deadline.h"

#include "error.h"
#include "platform.h"

#define NS_PER_MS ((int64_t)1000 * 1000)

int brood_deadline(int64_t *deadline_ns, int64_t timeout_ms)
{
    int64_t now;

    if (timeout_ms == BROOD_NOWAIT) {
        *deadline_ns = BROOD_DEADLINE_PASSED;
        return 0;
    }
    if (timeout_ms == BROOD_FOREVER) {
        *deadline_ns = BROOD_DEADLINE_NEVER;
        return 0;
    }
    if (timeout_ms < 0) {
        return brood_fail(BROOD_EINVAL,
                          "a time limit of %lld ms: it is 0 or more, or BROOD_FOREVER",
                          (long long)timeout_ms);
    }
    now = brood_os_now();
    *deadline_ns = timeout_ms > (BROOD_DEADLINE_NEVER - now) / NS_PER_MS
                       ? BROOD_DEADLINE_NEVER
                       : now + timeout_ms * NS_PER_MS;
    return 0;
}

bool brood_deadline_passed(int64_t deadline_ns)
{
    return deadline_ns != BROOD_DEADLINE_NEVER &&
           (deadline_ns == BROOD_DEADLINE_PASSED || brood_os_now() >= deadline_ns);
}

int64_t brood_deadline_slice(int64_t deadline_ns)
{
    int64_t slice;

    if (deadline_ns == BROOD_DEADLINE_PASSED) {
        return deadline_ns;
    }
    slice = brood_os_now() + BROOD_SLICE_NS;
    return slice < deadline_ns ? slice : deadline_ns;
}

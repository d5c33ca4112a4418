/* Time limits: milliseconds at the API become one absolute monotonic deadline there. */
#ifndef BROOD_SRC_DEADLINE_H
#define BROOD_SRC_DEADLINE_H

#include <brood/base.h>

#define BROOD_DEADLINE_PASSED ((int64_t)0)
#define BROOD_DEADLINE_NEVER INT64_MAX

/* No sleep lasts longer without a look at what it waits for: a wake-up can be lost with the process
 * that should have sent it, and an end can be closed by another thread. */
#define BROOD_SLICE_NS ((int64_t)100 * 1000 * 1000)

/// brood_deadline sets `*deadline_ns` (brood_os_now's clock) for `timeout_ms` from now.
/// BROOD_NOWAIT gives BROOD_DEADLINE_PASSED without reading the clock, BROOD_FOREVER
/// BROOD_DEADLINE_NEVER; other negative values are BROOD_EINVAL.
int brood_deadline(int64_t *deadline_ns, int64_t timeout_ms);

/// brood_deadline_passed tells whether it is over.
bool brood_deadline_passed(int64_t deadline_ns);

/// brood_deadline_slice returns the earlier of `deadline_ns` and one slice from now.
int64_t brood_deadline_slice(int64_t deadline_ns);

#endif

/* Results of pools in brood_wait. */
#ifndef BROOD_SRC_POOL_WAIT_H
#define BROOD_SRC_POOL_WAIT_H

#include <brood/value.h>

#include "waiter.h"

/// brood_result_watch lists the waiter with a brood_result or brood_results, and says whether it is
/// ready. It has no handle. BROOD_EDEADLK in a callback of its pool.
int brood_result_watch(brood_value object, brood_waiter *waiter, brood_os_waitable *out);
void brood_result_unwatch(brood_value object, brood_waiter *waiter);

#endif

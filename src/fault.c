/* Only in the library built for tests. */
#include "fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform.h"

static BROOD_THREAD_LOCAL long passed;
static BROOD_THREAD_LOCAL long target;
static BROOD_THREAD_LOCAL brood_fault_mode armed;
static BROOD_THREAD_LOCAL bool fired;
static BROOD_THREAD_LOCAL bool paused_here;

void brood_fault_arm(long index, brood_fault_mode mode)
{
    passed = 0;
    target = index;
    armed = mode;
    fired = false;
}

long brood_fault_count(void)
{
    return passed;
}

bool brood_fault_fired(void)
{
    return fired;
}

void brood_fault_pause(bool paused)
{
    paused_here = paused;
}

bool brood_fault_here(const char *point)
{
    const long index = paused_here ? -1 : passed++;
    const bool fails = (armed == BROOD_FAULT_ONCE && index == target) ||
                       (armed == BROOD_FAULT_FROM_NOW_ON && index >= target && index >= 0);

    (void)point;
    fired = fired || fails;
    return fails;
}

void brood_stop_here(const char *point)
{
    const char *wanted = getenv("BROOD_TEST_STOP");
    const size_t length = strlen(point);
    brood_os_mutex mutex = BROOD_OS_MUTEX_INIT;
    brood_os_condition never;
    FILE *file;

    if (wanted == NULL || strncmp(wanted, point, length) != 0 || wanted[length] != ':') {
        return;
    }
    file = fopen(wanted + length + 1, "w");
    if (file != NULL) {
        (void)fprintf(file, "%lld\n", (long long)brood_os_pid());
        (void)fclose(file);
    }
    if (brood_os_condition_init(&never) == 0) {
        brood_os_mutex_lock(&mutex);
        for (;;) {
            (void)brood_os_condition_wait(&never, &mutex, INT64_MAX);
        }
    }
}

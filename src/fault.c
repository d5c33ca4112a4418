/* Only in the library built for tests. */
#include "fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform.h"

#define HOLD_NS ((int64_t)10 * 1000 * 1000) /* between looks whether to go on */

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

void brood_fault_from_environment(void)
{
    const char *wanted = getenv("BROOD_TEST_FAULT");
    char *end = NULL;
    long index;

    if (wanted != NULL && !brood_os_child_serves()) {
        index = strtol(wanted, &end, 10);
        brood_fault_arm(index, *end == '+' ? BROOD_FAULT_FROM_NOW_ON : BROOD_FAULT_ONCE);
    }
}

static bool exists(const char *path)
{
    FILE *file = fopen(path, "r");

    if (file != NULL) {
        (void)fclose(file);
    }
    return file != NULL;
}

static void hold_while(const char *path)
{
    brood_os_mutex mutex = BROOD_OS_MUTEX_INIT;
    brood_os_condition never;

    if (brood_os_condition_init(&never)) {
        return;
    }
    brood_os_mutex_lock(&mutex);
    while (exists(path)) {
        (void)brood_os_condition_wait(&never, &mutex, brood_os_now() + HOLD_NS);
    }
    brood_os_mutex_unlock(&mutex);
    brood_os_condition_fini(&never);
}

void brood_stop_here(const char *point)
{
    const char *wanted = getenv("BROOD_TEST_STOP");
    const size_t length = strlen(point);
    FILE *file;

    if (wanted != NULL && brood_os_child_serves()) { /* its points have names of their own */
        wanted = strncmp(wanted, "server-", 7) == 0 ? wanted + 7 : NULL;
    }
    if (wanted == NULL || strncmp(wanted, point, length) != 0 || wanted[length] != ':') {
        return;
    }
    file = fopen(wanted + length + 1, "w");
    if (file != NULL) {
        (void)fprintf(file, "%lld\n", (long long)brood_os_pid());
        (void)fclose(file);
    }
    hold_while(wanted + length + 1);
}

int64_t brood_slice_here(int64_t ns)
{
    return getenv("BROOD_TEST_NO_SLICES") != NULL ? INT64_MAX / 2 : ns;
}

static brood_fault_watcher watcher;

void brood_fault_watch(brood_fault_watcher watch)
{
    watcher = watch;
}

void brood_watch_here(const char *point, uint64_t number, const void *data, size_t size)
{
    if (watcher != NULL) {
        watcher(point, number, data, size);
    }
}

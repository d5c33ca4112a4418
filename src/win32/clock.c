#include "win32.h"

#define NS_PER_S ((int64_t)1000 * 1000 * 1000)
#define NS_PER_MS ((int64_t)1000 * 1000)
#define WAIT_MS_MAX ((int64_t)0x7fffffff)

int64_t brood_os_now(void)
{
    LARGE_INTEGER frequency;
    LARGE_INTEGER ticks;
    int64_t rest;

    (void)QueryPerformanceFrequency(&frequency); /* neither can fail since Windows XP */
    (void)QueryPerformanceCounter(&ticks);
    /* In two parts: ticks * 10^9 would overflow within minutes. */
    rest = ticks.QuadPart % frequency.QuadPart;
    return ticks.QuadPart / frequency.QuadPart * NS_PER_S + rest * NS_PER_S / frequency.QuadPart +
           1;
}

DWORD brood_win32_left_ms(int64_t deadline_ns)
{
    int64_t left;

    if (deadline_ns == INT64_MAX) {
        return INFINITE;
    }
    if (deadline_ns == 0) {
        return 0;
    }
    left = deadline_ns - brood_os_now();
    if (left <= 0) {
        return 0;
    }
    left = (left - 1) / NS_PER_MS + 1;
    return (DWORD)(left < WAIT_MS_MAX ? left : WAIT_MS_MAX);
}

int brood_win32_wait(HANDLE handle, int64_t deadline_ns, const char *what)
{
    for (;;) {
        const DWORD got = BROOD_WIN("WaitForSingleObject", ERROR_INVALID_HANDLE, WAIT_FAILED,
                                    WaitForSingleObject(handle, brood_win32_left_ms(deadline_ns)));
        if (got == WAIT_OBJECT_0) {
            return 0;
        }
        if (got != WAIT_TIMEOUT) {
            return brood_win32_error(GetLastError(), "%s", what);
        }
        /* The system's ticks are coarse: it may come back a moment early. */
        if (deadline_ns == 0 || brood_os_now() >= deadline_ns) {
            return brood_fail(BROOD_ETIMEDOUT, "%s: timed out", what);
        }
    }
}

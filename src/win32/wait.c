/* Waiting for several things at once. The system waits for 64 handles at most, and not for the same
 * one twice. More are spread over threads, each of which waits for a share; first all are looked at
 * without waiting, so that the threads are only paid for by who has to sleep. (Under Wine that costs
 * a third of what waits in the thread pool do.) */
#include "win32.h"

#include <stdlib.h>
#include <string.h>

#define SHARE ((size_t)MAXIMUM_WAIT_OBJECTS - 1) /* beside the handle that ends the wait */
#define STACK_SIZE ((SIZE_T)65536)

/* ---- wakers ---- */

struct brood_os_waker {
    HANDLE event;
};

static INIT_ONCE waker_once = INIT_ONCE_STATIC_INIT;
static DWORD waker_index = FLS_OUT_OF_INDEXES;

static VOID NTAPI close_waker(PVOID data)
{
    brood_os_waker *waker = data;

    if (waker != NULL) {
        brood_win32_close(waker->event);
        free(waker);
    }
}

static BOOL CALLBACK make_index(PINIT_ONCE once, PVOID parameter, PVOID *context)
{
    (void)once;
    (void)parameter;
    (void)context;
    waker_index = FlsAlloc(close_waker);
    return waker_index != FLS_OUT_OF_INDEXES;
}

static int make_waker(brood_os_waker **out)
{
    brood_os_waker *waker = BROOD_ALLOC(malloc(sizeof *waker));
    int rc;

    if (waker == NULL) {
        return brood_fail_nomem("waiting");
    }
    rc = brood_win32_event(&waker->event);
    if (rc) {
        free(waker);
        return rc;
    }
    if (!BROOD_WIN("FlsSetValue", ERROR_NOT_ENOUGH_MEMORY, FALSE,
                   FlsSetValue(waker_index, waker))) {
        rc = brood_win32_error(GetLastError(), "keep what belongs to a thread");
        close_waker(waker);
        return rc;
    }
    *out = waker;
    return 0;
}

int brood_os_waker_mine(brood_os_waker **out)
{
    brood_os_waker *waker;

    if (!BROOD_WIN("FlsAlloc", ERROR_NOT_ENOUGH_MEMORY, FALSE,
                   InitOnceExecuteOnce(&waker_once, make_index, NULL, NULL))) {
        return brood_win32_error(GetLastError(), "make a place for what belongs to a thread");
    }
    waker = FlsGetValue(waker_index);
    if (waker == NULL) {
        return make_waker(out);
    }
    *out = waker;
    return 0;
}

void brood_os_waker_drop(void)
{
    brood_os_waker *waker = FlsGetValue(waker_index);

    (void)FlsSetValue(waker_index, NULL);
    close_waker(waker);
}

void brood_os_waker_raise(brood_os_waker *waker)
{
    (void)SetEvent(waker->event);
}

/* ---- each handle once ---- */

/* A handle and the things that it is the handle of: those from `first` on in the sorted order. */
typedef struct target {
    HANDLE handle;
    size_t first;
    bool ready;
} target;

typedef struct watch {
    brood_os_waitable **sorted; /* the things that have a handle, by handle */
    size_t sorted_count;
    target *targets;
    size_t count;
} watch;

static int compare_handles(const void *left, const void *right)
{
    const brood_os_handle a = (*(brood_os_waitable *const *)left)->handle;
    const brood_os_handle b = (*(brood_os_waitable *const *)right)->handle;

    return (a > b) - (a < b);
}

static void end_watch(watch *seen)
{
    free(seen->sorted);
    free(seen->targets);
}

static int begin_watch(watch *seen, brood_os_waitable *things, size_t count)
{
    memset(seen, 0, sizeof *seen);
    seen->sorted = BROOD_ALLOC(malloc((count + 1) * sizeof(*seen->sorted)));
    seen->targets = BROOD_ALLOC(malloc((count + 1) * sizeof *seen->targets));
    if (seen->sorted == NULL || seen->targets == NULL) {
        end_watch(seen);
        return brood_fail_nomem("waiting");
    }
    for (size_t i = 0; i < count; i++) {
        if (things[i].handle != BROOD_NO_HANDLE) {
            seen->sorted[seen->sorted_count++] = &things[i];
        }
    }
    qsort(seen->sorted, seen->sorted_count, sizeof(*seen->sorted), compare_handles);
    for (size_t i = 0; i < seen->sorted_count; i++) {
        const HANDLE handle = brood_win32_handle(seen->sorted[i]->handle);
        if (seen->count == 0 || seen->targets[seen->count - 1].handle != handle) {
            seen->targets[seen->count].handle = handle;
            seen->targets[seen->count].first = i;
            seen->targets[seen->count].ready = false;
            seen->count++;
        }
    }
    return 0;
}

/* Marks the things of the targets that are ready. */
static void mark_things(const watch *seen)
{
    for (size_t i = 0; i < seen->count; i++) {
        const size_t end = i + 1 < seen->count ? seen->targets[i + 1].first : seen->sorted_count;
        for (size_t at = seen->targets[i].first; seen->targets[i].ready && at < end; at++) {
            seen->sorted[at]->ready = true;
        }
    }
}

/* ---- looking and sleeping ---- */

static int wait_failed(DWORD code, const target *targets, size_t count)
{
    for (size_t i = 0; code == ERROR_INVALID_HANDLE && i < count; i++) {
        if (WaitForSingleObject(targets[i].handle, 0) == WAIT_FAILED) {
            return brood_fail_system(BROOD_EINVAL, (int64_t)code,
                                     "handle 0x%llx is not open, or nothing to wait for",
                                     (unsigned long long)(uintptr_t)targets[i].handle);
        }
    }
    return brood_win32_error(code, "wait for %zu handles", count);
}

/* Waits until one of up to SHARE targets is signalled, or `end`, which may be NULL. `*first` is that
 * target, or `count`. */
static int sleep_on(target *targets, size_t count, HANDLE end, DWORD limit_ms, size_t *first)
{
    const size_t ends = end != NULL ? 1 : 0;
    HANDLE handles[MAXIMUM_WAIT_OBJECTS];
    DWORD answer;

    handles[0] = end;
    for (size_t i = 0; i < count; i++) {
        handles[ends + i] = targets[i].handle;
    }
    *first = count;
    if (ends + count == 0) {
        return 0;
    }
    answer = BROOD_WIN("WaitForMultipleObjects", ERROR_NOT_ENOUGH_MEMORY, WAIT_FAILED,
                       WaitForMultipleObjects((DWORD)(ends + count), handles, FALSE, limit_ms));
    if (answer == WAIT_FAILED) {
        return wait_failed(GetLastError(), targets, count);
    }
    if (answer == WAIT_TIMEOUT) {
        return 0;
    }
    /* A mutex whose owner died is signalled, too. */
    answer -= answer >= WAIT_ABANDONED_0 ? WAIT_ABANDONED_0 : WAIT_OBJECT_0;
    if (answer >= ends) {
        *first = answer - ends;
        targets[*first].ready = true;
    }
    return 0;
}

/* Marks every target from `at` on that is signalled now. */
static int look_from(watch *seen, size_t at)
{
    while (at < seen->count) {
        const size_t left = seen->count - at;
        const size_t count = left < SHARE ? left : SHARE;
        size_t first;
        const int rc = sleep_on(seen->targets + at, count, NULL, 0, &first);

        if (rc) {
            return rc;
        }
        at += first < count ? first + 1 : count;
    }
    return 0;
}

static bool any_ready(const watch *seen)
{
    for (size_t i = 0; i < seen->count; i++) {
        if (seen->targets[i].ready) {
            return true;
        }
    }
    return false;
}

static bool lower(const brood_os_waker *waker)
{
    const bool raised = waker != NULL && WaitForSingleObject(waker->event, 0) == WAIT_OBJECT_0;

    if (raised) {
        (void)ResetEvent(waker->event);
    }
    return raised;
}

/* Up to 63: one call tells of the first that is ready, or of the waker. */
static int wait_directly(watch *seen, const brood_os_waker *waker, DWORD limit_ms, bool *woken)
{
    size_t first;
    const int rc =
        sleep_on(seen->targets, seen->count, waker != NULL ? waker->event : NULL, limit_ms, &first);

    if (rc) {
        return rc;
    }
    if (first < seen->count) {
        return look_from(seen, first + 1);
    }
    *woken = lower(waker);
    return *woken ? look_from(seen, 0) : 0;
}

/* ---- more than 63: shares ---- */

typedef struct share {
    target *targets;
    size_t count;
    HANDLE stop;  /* ends all shares */
    HANDLE found; /* raised by one that ends */
    HANDLE thread;
} share;

/* What fails here fails again in the look that follows. */
static DWORD WINAPI wait_for_share(LPVOID data)
{
    share *ours = data;
    size_t first;

    (void)sleep_on(ours->targets, ours->count, ours->stop, INFINITE, &first);
    (void)SetEvent(ours->found);
    return 0;
}

static int start_share(share *ours)
{
    ours->thread = BROOD_WIN("CreateThread", ERROR_NOT_ENOUGH_MEMORY, NULL,
                             CreateThread(NULL, STACK_SIZE, wait_for_share, ours,
                                          STACK_SIZE_PARAM_IS_A_RESERVATION, NULL));
    return ours->thread != NULL ? 0
                                : brood_win32_error(GetLastError(), "start a thread that waits");
}

static void join_shares(share *shares, size_t count)
{
    for (size_t i = 0; i < count && shares[i].thread != NULL; i++) {
        (void)WaitForSingleObject(shares[i].thread, INFINITE);
        brood_win32_close(shares[i].thread);
    }
}

/* Ends when one of the shares has found something or the waker is raised. */
static int sleep_in_shares(watch *seen, HANDLE waker, DWORD limit_ms)
{
    const size_t count = (seen->count + SHARE - 1) / SHARE;
    share *shares = BROOD_ALLOC(calloc(count, sizeof *shares));
    HANDLE ends[2] = {NULL, waker};
    HANDLE stop = NULL;
    int rc = shares != NULL ? 0 : brood_fail_nomem("waiting");

    if (rc == 0) {
        rc = brood_win32_event(&ends[0]);
    }
    if (rc == 0) {
        rc = brood_win32_event(&stop);
    }
    for (size_t i = 0; rc == 0 && i < count; i++) {
        const size_t left = seen->count - i * SHARE;
        shares[i].targets = seen->targets + i * SHARE;
        shares[i].count = left < SHARE ? left : SHARE;
        shares[i].stop = stop;
        shares[i].found = ends[0];
        rc = start_share(&shares[i]);
    }
    if (rc == 0 && WaitForMultipleObjects(2, ends, FALSE, limit_ms) == WAIT_FAILED) {
        rc = brood_win32_error(GetLastError(), "wait for the threads that wait");
    }
    if (stop != NULL) {
        (void)SetEvent(stop);
        join_shares(shares, count);
    }
    brood_win32_close(stop);
    brood_win32_close(ends[0]);
    free(shares);
    return rc;
}

static int wait_in_shares(watch *seen, const brood_os_waker *waker, DWORD limit_ms, bool *woken)
{
    int rc = look_from(seen, 0);

    if (rc == 0 && limit_ms > 0 && !any_ready(seen)) {
        rc = sleep_in_shares(seen, waker->event, limit_ms);
        rc = rc ? rc : look_from(seen, 0);
    }
    *woken = lower(waker);
    return rc;
}

/* ---- waiting ---- */

static int wait_for(watch *seen, const brood_os_waker *waker, int64_t deadline_ns)
{
    for (;;) {
        const DWORD limit_ms = brood_win32_left_ms(deadline_ns);
        bool woken = false;
        const int rc = seen->count <= SHARE ? wait_directly(seen, waker, limit_ms, &woken)
                                            : wait_in_shares(seen, waker, limit_ms, &woken);

        if (rc || woken || any_ready(seen)) {
            return rc;
        }
        if (limit_ms == 0) {
            return brood_fail(BROOD_ETIMEDOUT, "wait: timed out");
        }
    }
}

int brood_os_wait(brood_os_waitable *things, size_t count, brood_os_waker *waker,
                  int64_t deadline_ns)
{
    watch seen;
    int rc = begin_watch(&seen, things, count);

    if (rc == 0) {
        rc = wait_for(&seen, waker, deadline_ns);
        mark_things(&seen);
        end_watch(&seen);
    }
    return rc;
}

void brood_os_process_watch(const brood_os_process *process, brood_os_waitable *out)
{
    out->handle = process->sentinel;
    out->hint = process->sentinel == BROOD_NO_HANDLE; /* one that had ended when we heard of it */
}

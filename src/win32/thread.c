#include "win32.h"

#include <process.h>
#include <stddef.h>
#include <stdlib.h>

/* platform.h spares its readers windows.h; both types are one pointer there. */
_Static_assert(sizeof(SRWLOCK) == sizeof(brood_os_mutex), "an SRWLOCK is a pointer");
_Static_assert(sizeof(CONDITION_VARIABLE) == sizeof(brood_os_condition), "so is this");

static PSRWLOCK lock_of(brood_os_mutex *mutex)
{
    return (PSRWLOCK)&mutex->srw;
}

static PCONDITION_VARIABLE variable_of(brood_os_condition *condition)
{
    return (PCONDITION_VARIABLE)&condition->variable;
}

void brood_os_mutex_lock(brood_os_mutex *mutex)
{
    AcquireSRWLockExclusive(lock_of(mutex));
}

void brood_os_mutex_unlock(brood_os_mutex *mutex)
{
    ReleaseSRWLockExclusive(lock_of(mutex));
}

void brood_os_mutex_init(brood_os_mutex *mutex)
{
    InitializeSRWLock(lock_of(mutex));
}

void brood_os_mutex_fini(brood_os_mutex *mutex)
{
    (void)mutex; /* nothing belongs to it */
}

typedef struct work {
    void (*run)(void *argument);
    void *argument;
} work;

static unsigned __stdcall begin(void *argument)
{
    const work todo = *(work *)argument;

    free(argument);
    todo.run(todo.argument);
    return 0;
}

int brood_os_thread_start(void (*run)(void *argument), void *argument)
{
    work *todo = BROOD_ALLOC(malloc(sizeof *todo));
    HANDLE thread;

    if (todo == NULL) {
        return brood_fail_nomem("a thread");
    }
    todo->run = run;
    todo->argument = argument;
    thread = BROOD_WIN("_beginthreadex", ERROR_NOT_ENOUGH_MEMORY, NULL,
                       (HANDLE)_beginthreadex(NULL, 0, begin, todo, 0, NULL));
    if (thread == NULL) {
        const int rc = brood_win32_error(GetLastError(), "start a thread");
        free(todo);
        return rc;
    }
    brood_win32_close(thread);
    return 0;
}

int brood_os_condition_init(brood_os_condition *condition)
{
    InitializeConditionVariable(variable_of(condition));
    return 0;
}

void brood_os_condition_fini(brood_os_condition *condition)
{
    (void)condition;
}

int brood_os_condition_wait(brood_os_condition *condition, brood_os_mutex *mutex,
                            int64_t deadline_ns)
{
    const DWORD ms = brood_win32_left_ms(deadline_ns);

    if (SleepConditionVariableSRW(variable_of(condition), lock_of(mutex), ms, 0)) {
        return 0;
    }
    /* A time limit that is not over yet (a cut one, a coarse tick) is a wake for no reason. */
    if (deadline_ns != 0 && brood_os_now() < deadline_ns) {
        return 0;
    }
    return brood_fail(BROOD_ETIMEDOUT, "wait for another thread: timed out");
}

void brood_os_condition_wake_all(brood_os_condition *condition)
{
    WakeAllConditionVariable(variable_of(condition));
}

/* ---- what a thread is called at its end for ---- */

static INIT_ONCE tag_once = INIT_ONCE_STATIC_INIT;
static DWORD tag_index = FLS_OUT_OF_INDEXES;
static void (*volatile tag_ended)(uintptr_t tag, bool locals);

/* MinGW's thread-local variables may be gone already, and to touch them would make new ones that
 * nobody frees. */
static VOID NTAPI end_tag(PVOID data)
{
    if (data != NULL) {
        tag_ended((uintptr_t)data, false);
    }
}

static BOOL CALLBACK make_tag_index(PINIT_ONCE once, PVOID parameter, PVOID *context)
{
    (void)once;
    (void)parameter;
    (void)context;
    tag_index = FlsAlloc(end_tag);
    return TRUE;
}

int brood_os_thread_tag(uintptr_t tag, void (*ended)(uintptr_t tag, bool locals))
{
    tag_ended = ended;
    (void)InitOnceExecuteOnce(&tag_once, make_tag_index, NULL, NULL);
    if (!BROOD_WIN("FlsSetValue", ERROR_NOT_ENOUGH_MEMORY, FALSE,
                   FlsSetValue(tag_index, (PVOID)tag))) {
        return brood_win32_error(GetLastError(), "note something of this thread");
    }
    return 0;
}

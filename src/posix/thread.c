#include "posix.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define NS_PER_S ((int64_t)1000 * 1000 * 1000)

/* Normal mutexes that are used rightly cannot fail. */
static void check(int rc)
{
    assert(rc == 0);
    (void)rc;
}

void brood_os_mutex_lock(brood_os_mutex *mutex)
{
    check(pthread_mutex_lock(&mutex->mutex));
}

void brood_os_mutex_unlock(brood_os_mutex *mutex)
{
    check(pthread_mutex_unlock(&mutex->mutex));
}

void brood_os_mutex_init(brood_os_mutex *mutex)
{
    check(pthread_mutex_init(&mutex->mutex, NULL));
}

void brood_os_mutex_fini(brood_os_mutex *mutex)
{
    check(pthread_mutex_destroy(&mutex->mutex));
}

typedef struct work {
    void (*run)(void *argument);
    void *argument;
} work;

static atomic_long threads;

static void *begin(void *argument)
{
    const work todo = *(work *)argument;

    free(argument);
    todo.run(todo.argument);
    (void)atomic_fetch_sub(&threads, 1);
    return NULL;
}

long brood_posix_threads(void)
{
    return atomic_load(&threads);
}

void brood_posix_threads_leave(void)
{
    atomic_store(&threads, 0);
}

int brood_os_thread_start(void (*run)(void *argument), void *argument)
{
    work *todo = BROOD_ALLOC(malloc(sizeof *todo));
    pthread_t thread;
    sigset_t all;
    sigset_t before;
    int errnum;

    if (todo == NULL) {
        return brood_fail_nomem("a thread");
    }
    todo->run = run;
    todo->argument = argument;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* the host's signals are for its threads */
    (void)atomic_fetch_add(&threads, 1);
    errnum =
        BROOD_SYS_RETURNS("pthread_create", EAGAIN, pthread_create(&thread, NULL, begin, todo));
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (errnum != 0) {
        (void)atomic_fetch_sub(&threads, 1);
        free(todo);
        return brood_posix_error(errnum, "start a thread");
    }
    (void)pthread_detach(thread);
    return 0;
}

int brood_os_condition_init(brood_os_condition *condition)
{
    int errnum;
#if defined(__APPLE__)
    errnum = BROOD_SYS_RETURNS("pthread_cond_init", ENOMEM,
                               pthread_cond_init(&condition->condition, NULL));
#else
    pthread_condattr_t attributes;

    check(pthread_condattr_init(&attributes));
    check(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC));
    errnum = BROOD_SYS_RETURNS("pthread_cond_init", ENOMEM,
                               pthread_cond_init(&condition->condition, &attributes));
    check(pthread_condattr_destroy(&attributes));
#endif
    return errnum == 0 ? 0 : brood_posix_error(errnum, "make a condition variable");
}

void brood_os_condition_fini(brood_os_condition *condition)
{
    check(pthread_cond_destroy(&condition->condition));
}

int brood_os_condition_wait(brood_os_condition *condition, brood_os_mutex *mutex,
                            int64_t deadline_ns)
{
    struct timespec limit;
    int errnum;

    if (deadline_ns == INT64_MAX) {
        check(pthread_cond_wait(&condition->condition, &mutex->mutex));
        return 0;
    }
#if defined(__APPLE__)
    int64_t left = deadline_ns - brood_os_now();
    left = deadline_ns == 0 || left < 0 ? 0 : left;
    limit.tv_sec = (time_t)(left / NS_PER_S);
    limit.tv_nsec = (long)(left % NS_PER_S);
    errnum = pthread_cond_timedwait_relative_np(&condition->condition, &mutex->mutex, &limit);
#else
    limit.tv_sec = (time_t)(deadline_ns / NS_PER_S);
    limit.tv_nsec = (long)(deadline_ns % NS_PER_S);
    errnum = pthread_cond_timedwait(&condition->condition, &mutex->mutex, &limit);
#endif
    return errnum == ETIMEDOUT ? brood_fail(BROOD_ETIMEDOUT, "wait for another thread: timed out")
                               : 0;
}

void brood_os_condition_wake_all(brood_os_condition *condition)
{
    check(pthread_cond_broadcast(&condition->condition));
}

/* ---- what a thread is called at its end for ---- */

static pthread_once_t tag_once = PTHREAD_ONCE_INIT;
static pthread_key_t tag_key;
static int tag_errnum;
static void (*_Atomic tag_ended)(uintptr_t tag, bool locals);

static void end_tag(void *data)
{
    void (*ended)(uintptr_t, bool) = atomic_load(&tag_ended);

    ended((uintptr_t)data, true);
}

static void make_tag_key(void)
{
    tag_errnum = pthread_key_create(&tag_key, end_tag);
}

int brood_os_thread_tag(uintptr_t tag, void (*ended)(uintptr_t tag, bool locals))
{
    int errnum;

    atomic_store(&tag_ended, ended);
    (void)pthread_once(&tag_once, make_tag_key);
    errnum = tag_errnum != 0 ? tag_errnum
                             : BROOD_SYS_RETURNS("pthread_setspecific", ENOMEM,
                                                 pthread_setspecific(tag_key, (const void *)tag));
    return errnum == 0 ? 0 : brood_posix_error(errnum, "note something of this thread");
}

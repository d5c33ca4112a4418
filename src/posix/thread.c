#include "posix.h"

#include <assert.h>
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

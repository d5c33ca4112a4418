/* What the program has of a job. */
#ifndef BROOD_SRC_POOL_RESULT_H
#define BROOD_SRC_POOL_RESULT_H

#include "pool_object.h"

/* A job by other names: of apply and map, and of imap. */
static inline brood_result *brood_result_of(brood_job *job)
{
    return (brood_result *)job;
}

static inline brood_job *brood_result_job(const brood_result *result)
{
    return (brood_job *)(uintptr_t)result;
}

static inline brood_results *brood_results_of(brood_job *job)
{
    return (brood_results *)job;
}

static inline brood_job *brood_results_job(const brood_results *results)
{
    return (brood_job *)(uintptr_t)results;
}

/// brood_job_finish waits for a job that nobody else knows, and takes its result.
int brood_job_finish(brood_job *job, brood_message **out, int64_t timeout_ms);

#endif

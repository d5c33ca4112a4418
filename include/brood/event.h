/* Event: something has happened, for all who wait for it. See sync.h for what all of these objects
 * have in common.
 *
 * An event can be waited for together with other things (brood_wait, brood_waitable_handle). For
 * that it takes a descriptor in each process that has it, two where the system has no event
 * descriptors; on Windows a handle. From the first time on that somebody waits so, each set and
 * clear costs a system call more. Nobody owns an event: if the one that would have set it dies, it
 * is not set. */
#ifndef BROOD_EVENT_H
#define BROOD_EVENT_H

#include <brood/pack.h>

BROOD_BEGIN_C

/// brood_event_new makes an event that is not set.
///
/// On success `*out` owns it; release it with brood_event_free. On failure `*out` is NULL.
///
/// Errors: BROOD_EINVAL, BROOD_ENOMEM, BROOD_ESYSTEM.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_event_new(brood_event **out);

/// brood_event_set sets it and wakes all who wait. Setting what is set does nothing.
///
/// Threads: safe from any thread, and from signal handlers: it changes words in shared memory with
/// instructions that nothing interrupts, and calls at most futex (or sem_post), write and read; it
/// takes no lock, allocates nothing, touches neither brood_last_error nor errno.
BROOD_API void brood_event_set(brood_event *event);

/// brood_event_clear makes it not set. Who waits now has been woken by the set before.
///
/// Threads: safe from any thread.
BROOD_API void brood_event_clear(brood_event *event);

/// brood_event_is_set tells whether it was set when this was read.
///
/// Threads: safe from any thread, and from signal handlers.
BROOD_API bool brood_event_is_set(const brood_event *event);

/// brood_event_wait waits until it is set, or was set since this call began, even if it has been
/// cleared again.
///
/// Errors: BROOD_ETIMEDOUT; BROOD_EINVAL; BROOD_ECLOSED: a forked child's object that is no more;
/// BROOD_ENOMEM: too many threads or processes.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_event_wait(brood_event *event, int64_t timeout_ms);

/// brood_event_ref adds an owner and returns `event`. NULL gives NULL.
///
/// Threads: safe from any thread.
BROOD_API brood_event *brood_event_ref(brood_event *event);

/// brood_event_free drops an owner. Other processes keep it. NULL is allowed.
///
/// Threads: safe from any thread; the caller's reference may not be used afterwards.
BROOD_API void brood_event_free(brood_event *event);

BROOD_END_C

#endif

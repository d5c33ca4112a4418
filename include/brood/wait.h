/* Waiting for several things at once, here or in a foreign event loop.
 *
 * What can be waited for, and when it is ready:
 * - a connection that receives: when there is something to receive, a message or a part of one, read
 *   ahead or not; at the end of the stream, and where a receive would say what is wrong with it;
 * - a process: when it has ended;
 * - a result of a pool (brood_result): when it is ready; the results of an imap (brood_results): when
 *   brood_results_next has something to say;
 * - a native handle (brood_handle_value): a descriptor when it can be read from without waiting or
 *   its other end is closed (as poll with POLLIN); a HANDLE when it is signalled.
 *
 * "Ready" is a state, not an event: it lasts until somebody has received what is there. A process
 * stays ready. Of the HANDLEs those of which the system says so (auto-reset events, semaphores) lose
 * their state by being waited for; a mutex is nothing to wait for here. */
#ifndef BROOD_WAIT_H
#define BROOD_WAIT_H

#include <brood/connection.h>

BROOD_BEGIN_C

/// brood_wait_item is one of the things to wait for: `object` is brood_of(connection),
/// brood_of(process), brood_of(result), brood_of(results) or brood_handle_value(handle). None is skipped and never ready, so an item is
/// taken out of a list by `item.object = brood_none()`.
typedef struct brood_wait_item {
    brood_value object;
    bool ready; /* set by brood_wait */
} brood_wait_item;

/// brood_wait waits until at least one item is ready and marks all that are; the others are marked
/// not ready. The same object may stand there more than once. There may be thousands, and waiting
/// takes no descriptor for each (on Windows more than 63 take a thread for each 63, while it sleeps).
///
/// When another thread receives what is there in the meantime, a receive that follows has to wait:
/// use BROOD_NOWAIT for it where several threads wait for the same connection. While another thread
/// is in a receive, what comes is for that one, and does not make the connection ready.
///
/// A connection that is closed here, before or while this waits, ends it with BROOD_ECLOSED and words
/// that say which. On failure no item is marked ready. This process itself is BROOD_EDEADLK.
///
/// Without any object to wait for a time limit passes as usual; BROOD_FOREVER is BROOD_EINVAL then.
///
/// Errors: BROOD_ETIMEDOUT; BROOD_ECLOSED; BROOD_EINVAL, also for an end that only sends and for a
/// handle that is not open; BROOD_ETYPE for a value that is nothing to wait for; BROOD_EDEADLK;
/// BROOD_ENOMEM; BROOD_ESYSTEM.
/// Threads: safe from any thread; several may wait for the same objects.
BROOD_MAY_FAIL int brood_wait(brood_wait_item *items, size_t count, int64_t timeout_ms);

/// brood_waitable_handle sets `*out` to a handle for a foreign event loop (poll, epoll, kqueue, GLib,
/// Qt; MsgWaitForMultipleObjects): a descriptor that becomes readable, or a HANDLE that becomes
/// signalled, when the object may be ready. Borrowed from the object, until that is closed or freed.
/// Do not read from it, write to it or reset it.
///
/// It knows nothing of what brood has read ahead. So receive with BROOD_NOWAIT until that says
/// BROOD_ETIMEDOUT, and only then wait for the handle, from the first time on:
///
///     for (;;) {
///         while ((rc = brood_recv(connection, &message, BROOD_NOWAIT)) == 0) {
///             ...
///         }
///         if (rc != BROOD_ETIMEDOUT) {
///             break;
///         }
///         ... wait until the handle is ready, with whatever else there is to wait for ...
///     }
///
/// Then no message is missed; a wake-up for nothing is possible. It holds for one thread that
/// receives; edge-triggered loops are fine. Of a process without a process descriptor (see
/// brood_process_sentinel) the handle tells only roughly: ask brood_process_is_alive, and look now
/// and again. A native handle is its own.
///
/// Errors: BROOD_ECLOSED; BROOD_EINVAL, also for an end that only sends and while another thread
/// receives; BROOD_ENOTSUP for a process of which no handle tells; BROOD_ETYPE; BROOD_ENOMEM;
/// BROOD_ESYSTEM.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_waitable_handle(brood_value object, brood_handle *out);

BROOD_END_C

#endif

/* Queues: many producers and many consumers, in any processes and threads.
 *
 * Messages lie in shared memory. A put returns when its message is committed: the producer may exit
 * at once, there is no thread that feeds anything, and waiting for a producer's end before its
 * messages are taken waits for nothing, as long as the capacity lasts. Messages are taken in the order
 * in which they were committed, whoever put them.
 *
 * A process may be killed at any moment. What it has committed is delivered once, what it has not was
 * never there, and nobody is kept waiting by it. A message that it has taken is gone with it: taken is
 * delivered. What nobody can know is whether a message will ever be put or taken: give such waits a
 * time limit.
 *
 * A queue travels as an argument and over connections; all who have it are equal, and it lives until
 * the last of them has freed it or ended. It has no name that could be left behind. At most 1,023
 * processes may have one queue.
 *
 * Memory is taken from the system when messages need it and given back when they do not: what a queue
 * keeps is 3 MiB at most while it is empty. (Where the system cannot take memory back, on Windows and
 * in Unixes without holes in files, what was once needed stays the queue's.) */
#ifndef BROOD_QUEUE_H
#define BROOD_QUEUE_H

#include <brood/pack.h>

BROOD_BEGIN_C

/// brood_queue_options: zero means the default. Set `size` with BROOD_OPTIONS or BROOD_OPTIONS_INIT.
typedef struct brood_queue_options {
    size_t size;
    size_t maxsize;  /* messages it has at most; 0: no limit but the capacity */
    size_t capacity; /* bytes, counted in blocks of 64 KiB; 0: 1 GiB (64 MiB in 32-bit processes) */
    bool joinable;   /* brood_queue_task_done and brood_queue_join */
} brood_queue_options;

/// brood_queue_new makes an empty queue. `options` may be NULL; that is what other libraries call a
/// simple queue.
///
/// The capacity is address space in every process that has the queue; memory only follows messages.
/// It is at most 16 GiB.
///
/// On success `*out` owns the queue; release it with brood_queue_free. On failure `*out` is NULL.
///
/// Errors: BROOD_EINVAL, BROOD_ENOMEM, BROOD_ESYSTEM.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_queue_new(brood_queue **out, const brood_queue_options *options);

/// brood_queue_put encodes `value` and puts it at the end of the queue; it waits while the queue is
/// full. Functions travel; objects (connections, queues, locks, handles) are BROOD_ENOTSUP in this
/// version.
///
/// Errors: BROOD_EFULL: full, and the time limit was BROOD_NOWAIT; BROOD_ETIMEDOUT: full for all of
/// another time limit; BROOD_ESHUTDOWN: takes no more from anybody; BROOD_ECLOSED: closed by this
/// process; BROOD_ETOOBIG: more than a quarter of the capacity; BROOD_ENOMEM: the system has no memory
/// for it (the queue is as before), or too many processes or threads; BROOD_ENOTSUP, BROOD_ETYPE and
/// the like for the value; BROOD_EBROKEN: somebody has overwritten the queue's memory; BROOD_EHANDLE:
/// in a child of the start method fork that was not sent the queue; BROOD_EINVAL.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_queue_put(brood_queue *queue, brood_value value, int64_t timeout_ms);

/// brood_queue_get takes the first message and decodes it; it waits while the queue is empty.
///
/// On success the message is the caller's. A message that is not a value (brood_queue_put_bytes) is
/// BROOD_EDECODE here and gone; the queue goes on.
///
/// Errors: BROOD_EEMPTY: empty, and the time limit was BROOD_NOWAIT; BROOD_ETIMEDOUT: empty for all of
/// another time limit; BROOD_ESHUTDOWN: empty, and nobody can put any more; BROOD_EDECODE;
/// BROOD_EMODULE for a function that is not here; BROOD_ENOMEM (the message stays the first);
/// BROOD_EBROKEN, BROOD_EHANDLE, BROOD_EINVAL as brood_queue_put.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_queue_get(brood_queue *queue, brood_message **out, int64_t timeout_ms);

/// brood_queue_put_bytes puts `size` bytes (0 too) as they are.
///
/// Errors: as brood_queue_put.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_queue_put_bytes(brood_queue *queue, const void *data, size_t size,
                                         int64_t timeout_ms);

/// brood_queue_get_bytes takes the first message as bytes. Of one that was put as a value these are
/// its encoding, which brood_decode reads.
///
/// Errors: as brood_queue_get, without those of decoding.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_queue_get_bytes(brood_queue *queue, brood_message **out,
                                         int64_t timeout_ms);

/// brood_queue_get_bytes_into takes the first message into `data`, which has room for `*size` bytes,
/// and sets `*size` to the message's. If the room is too small it is BROOD_ETOOSMALL, `*size` is what
/// it takes, and the message stays the first.
///
/// Errors: as brood_queue_get_bytes; BROOD_ETOOSMALL.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_queue_get_bytes_into(brood_queue *queue, void *data, size_t *size,
                                              int64_t timeout_ms);

/// brood_queue_qsize returns how many messages there were when this was read, exactly; 0 for NULL.
///
/// Threads: safe from any thread.
BROOD_API size_t brood_queue_qsize(const brood_queue *queue);

/// brood_queue_empty tells whether there was none.
///
/// Threads: safe from any thread.
BROOD_API bool brood_queue_empty(const brood_queue *queue);

/// brood_queue_full tells whether there were `maxsize`. Without a maxsize it is false: whether a
/// message's bytes find room depends on their number.
///
/// Threads: safe from any thread.
BROOD_API bool brood_queue_full(const brood_queue *queue);

/// brood_queue_task_done says that a message which was taken is done with. Any process may say so, once
/// for each message that was taken; for those of a process that has ended somebody else may.
///
/// Errors: BROOD_EINVAL: everything that was taken is done already, or the queue is not joinable; as
/// brood_queue_put for the rest.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_queue_task_done(brood_queue *queue);

/// brood_queue_join waits until everything that was put is done.
///
/// If a process has ended, or has freed the queue, with messages that it had taken and not done, this
/// is BROOD_EPEER, for every join until brood_queue_task_done was called for them: they will not get
/// done by themselves. failure->pid is the process, where that is still known.
///
/// Errors: BROOD_ETIMEDOUT; BROOD_EPEER; BROOD_EINVAL: the queue is not joinable; as brood_queue_put.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_queue_join(brood_queue *queue, int64_t timeout_ms);

/// brood_queue_close lets this process put no more: puts, those that wait too, are BROOD_ECLOSED. It
/// may go on taking. NULL is allowed.
///
/// Threads: safe from any thread.
/// Fork: a child that is forked later has closed it, too.
BROOD_API void brood_queue_close(brood_queue *queue);

/// brood_queue_shutdown lets nobody put any more. What is there can still be taken, unless it is
/// `immediate`: then it is discarded, and counts as done. Every put and get that waits, and all that
/// come, are BROOD_ESHUTDOWN, gets only once there is nothing to take. A join goes on to wait for
/// what was taken. It may be called again.
///
/// Errors: as brood_queue_put for the queue itself.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_queue_shutdown(brood_queue *queue, bool immediate);

/// brood_queue_ref adds an owner and returns `queue`. NULL gives NULL.
///
/// Threads: safe from any thread.
BROOD_API brood_queue *brood_queue_ref(brood_queue *queue);

/// brood_queue_free drops an owner. Other processes keep the queue and what is in it. NULL is
/// allowed.
///
/// Threads: safe from any thread; the caller's reference may not be used afterwards.
BROOD_API void brood_queue_free(brood_queue *queue);

BROOD_END_C

#endif

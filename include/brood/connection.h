/* Pipes and connections: whole messages between two ends.
 *
 * On the wire a message is a 4-byte big-endian signed length and the bytes; for 2 GiB and more -1
 * and an 8-byte big-endian length (as CPython's multiprocessing.connection since 3.8). Values are
 * pickle protocol 4.
 *
 * Connections, native handles, processes and functions travel in values as well, nested and in any
 * number, over pipes of brood_pipe; never over connections to strangers. The receiver gets objects
 * of its own. One that is given away (BROOD_GIVE) is closed here once it was sent, and takes along
 * what was read ahead. On Windows handles are fetched from the sender when the message is received:
 * a sender that ends keeps them for 2 seconds at most, and what nobody receives stays open in a
 * living one until the other end is closed, or, if this end was closed first, until the sender
 * ends.
 *
 * One reader and one writer make progress side by side; more threads are safe and take turns. One
 * end belongs to one process at a time: what a process has read ahead stays with it. */
#ifndef BROOD_CONNECTION_H
#define BROOD_CONNECTION_H

#include <brood/pack.h>

BROOD_BEGIN_C

typedef enum brood_direction {
    BROOD_DUPLEX,
    BROOD_ONE_WAY
} brood_direction;

/// brood_pipe makes two joined ends. BROOD_DUPLEX: both send and receive. BROOD_ONE_WAY: `*first`
/// receives, `*second` sends (as in Python). Release each with brood_connection_free. On failure
/// both are NULL.
///
/// Errors: BROOD_EINVAL, BROOD_ENOMEM, BROOD_ESYSTEM.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_pipe(brood_connection **first, brood_connection **second,
                              brood_direction direction);

/// brood_send sends a value; what is given away (BROOD_GIVE) is closed here on success. When it
/// fails with BROOD_ETIMEDOUT before the first byte left, the message was not sent and the
/// connection is as before; if the time ends in the middle of a message, the connection can send no
/// more (BROOD_EBROKEN from then on).
///
/// Errors: BROOD_ETIMEDOUT; BROOD_EPEER when the other end is gone; BROOD_ECLOSED; BROOD_EBROKEN;
/// BROOD_EINVAL for an end that only receives, a handle that is not open, or a connection that is
/// given away while another thread uses it; BROOD_ETYPE for an object to a stranger; BROOD_EMODULE;
/// BROOD_ETOOBIG for more than a million handles; BROOD_ENOMEM; BROOD_ESYSTEM.
/// Threads: safe from any thread; senders take turns.
BROOD_MAY_FAIL int brood_send(brood_connection *connection, brood_value value, int64_t timeout_ms);

/// brood_recv receives a value. On success `*out` owns it; else it is NULL. A time limit that ends
/// in the middle of a message loses nothing: the next call goes on.
///
/// Errors: BROOD_ETIMEDOUT; BROOD_EEND after the last message when the other end is closed;
/// BROOD_EPEER when it ended in the middle of a message; BROOD_EDECODE when the bytes are not a
/// value (they are consumed); BROOD_EHANDLE when its handles were lost on their way (the limit of
/// open files) and BROOD_EPEER when they ended with their sender (it is consumed, others may
/// follow); BROOD_EMODULE for a function of a library that is not loaded here; BROOD_ECLOSED;
/// BROOD_EINVAL for an end that only sends; BROOD_ENOMEM; BROOD_ESYSTEM.
/// Threads: safe from any thread; receivers take turns.
BROOD_MAY_FAIL int brood_recv(brood_connection *connection, brood_message **out,
                              int64_t timeout_ms);

/// brood_send_bytes sends `size` bytes as one message; 0 bytes are a message too. A part of a
/// larger buffer is a pointer into it and a size. Failures as brood_send.
///
/// Errors: as brood_send, without BROOD_ETYPE.
/// Threads: safe from any thread; senders take turns.
BROOD_MAY_FAIL int brood_send_bytes(brood_connection *connection, const void *data, size_t size,
                                    int64_t timeout_ms);

/// brood_recv_bytes receives a message whose value is bytes; handles in it are closed. One of more
/// than `maximum` bytes (0: no limit) is BROOD_ETOOBIG; it is still there for the next call.
///
/// Errors: as brood_recv, without BROOD_EDECODE; BROOD_ETOOBIG.
/// Threads: safe from any thread; receivers take turns.
BROOD_MAY_FAIL int brood_recv_bytes(brood_connection *connection, brood_message **out,
                                    size_t maximum, int64_t timeout_ms);

/// brood_recv_bytes_into receives into the caller's room: `*size` is the room before and the
/// message's size after, also on BROOD_ETOOSMALL (the message is still there for the next call). To
/// receive at an offset, pass a pointer into the buffer and the room behind it.
///
/// Errors: as brood_recv, without BROOD_EDECODE; BROOD_ETOOSMALL.
/// Threads: safe from any thread; receivers take turns.
BROOD_MAY_FAIL int brood_recv_bytes_into(brood_connection *connection, void *data, size_t *size,
                                         int64_t timeout_ms);

/// brood_poll waits until a receive has something to take: a whole message, or as much of a large
/// one as is read ahead; the end of the stream; or an error to tell of. It does not come back for
/// the few bytes of a message that dribbles in. For several connections at once there is
/// brood_wait.
///
/// Errors: BROOD_ETIMEDOUT, BROOD_ECLOSED, BROOD_EINVAL, BROOD_ESYSTEM.
/// Threads: safe from any thread; takes turns with receivers.
BROOD_MAY_FAIL int brood_poll(brood_connection *connection, int64_t timeout_ms);

/// brood_connection_adopt makes a connection of a handle that the program opened itself, or was
/// given: messages then go over it as over a pipe of ours. The other side is another connection, or
/// a program that speaks the same framing (see above). At least one of `readable` and `writable` is
/// true. On success the connection owns the handle and closes it; the handle is not inherited by
/// other programs from then on. On failure `*out` is NULL and the handle is still the caller's.
///
/// Unix: stream sockets (not listening ones), pipes, FIFOs, terminals; blocking or not. Time limits
/// of a send hold as long as nobody else writes into the same pipe. Windows: named pipes opened
/// with FILE_FLAG_OVERLAPPED, of bytes or messages; not those of CreatePipe, which cannot be waited
/// for, and not sockets. On a Windows pipe of bytes a send whose time ends while the pipe is full
/// leaves the connection unable to send (BROOD_EBROKEN), even before its first byte.
///
/// Errors: BROOD_EINVAL for a handle that is not open, of another kind, or of the wrong direction;
/// BROOD_ENOTSUP without FILE_FLAG_OVERLAPPED; BROOD_ENOMEM; BROOD_ESYSTEM.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_connection_adopt(brood_connection **out, brood_handle handle,
                                          bool readable, bool writable);

/// brood_connection_handle returns the descriptor or HANDLE underneath, borrowed until close;
/// BROOD_NO_HANDLE afterwards.
///
/// Threads: safe from any thread.
BROOD_API brood_handle brood_connection_handle(const brood_connection *connection);

/// brood_connection_readable tells whether this end receives.
///
/// Threads: safe from any thread.
BROOD_API bool brood_connection_readable(const brood_connection *connection);

/// brood_connection_writable tells whether this end sends.
///
/// Threads: safe from any thread.
BROOD_API bool brood_connection_writable(const brood_connection *connection);

/// brood_connection_close ends this end for every thread of this process: calls from now on are
/// BROOD_ECLOSED, and one that is blocked ends with it within a tenth of a second. The other end
/// sees the end of the stream, once no other process holds this end. The object stays until
/// brood_connection_free. May be called again; NULL is allowed.
///
/// Threads: safe from any thread.
BROOD_API void brood_connection_close(brood_connection *connection);

/// brood_connection_closed tells whether it was closed here.
///
/// Threads: safe from any thread.
BROOD_API bool brood_connection_closed(const brood_connection *connection);

/// brood_connection_ref adds an owner and returns `connection`. NULL gives NULL.
///
/// Threads: safe from any thread.
BROOD_API brood_connection *brood_connection_ref(brood_connection *connection);

/// brood_connection_free drops an owner; the last one closes it. NULL is allowed.
///
/// Threads: safe from any thread; the caller's reference may not be used afterwards.
BROOD_API void brood_connection_free(brood_connection *connection);

BROOD_END_C

#endif

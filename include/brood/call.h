/* The call: what a brood_function receives, and where its result and its failure go. It is valid
 * until the function returns, and so are the strings, views and objects unpacked from it. */
#ifndef BROOD_CALL_H
#define BROOD_CALL_H

#include <brood/pack.h>

BROOD_BEGIN_C

/// brood_call_count returns the number of positional arguments.
///
/// Threads: safe from any thread while the function runs.
BROOD_API size_t brood_call_count(const brood_call *call);

/// brood_call_arg returns a positional argument, none past the end.
///
/// Threads: safe from any thread while the function runs.
BROOD_API brood_value brood_call_arg(const brood_call *call, size_t index);

/// brood_call_named finds a named argument; `*out` is left alone when there is none.
///
/// Threads: safe from any thread while the function runs.
BROOD_API bool brood_call_named(const brood_call *call, const char *name, brood_value *out);

/// brood_return sets the result; the last call counts. It is encoded at once, so locals may be
/// passed: `return brood_return(call, brood_int(sum))`. Returns 0 or a brood_error.
///
/// Functions may be in it. Connections, handles and processes may not, since a result is read when
/// this process has ended: send them over a connection.
///
/// Errors: BROOD_ETYPE for what cannot be a result, BROOD_EMODULE, BROOD_ETOOBIG, BROOD_ENOMEM.
/// Threads: the thread that runs the function.
BROOD_API int brood_return(brood_call *call, brood_value value);

/// brood_return_room makes the result `size` bytes and sets `*data` to them, zero-filled, to be
/// written in place until the function returns: nothing is copied.
///
/// Errors: BROOD_EINVAL, BROOD_ENOMEM.
/// Threads: the thread that runs the function.
BROOD_MAY_FAIL int brood_return_room(brood_call *call, void **data, size_t size);

/// brood_call_cancelled tells whether somebody asked for an end (brood_process_interrupt, or
/// BROOD_STOP_ASK of brood_process_stop). It stays true. A function that may run for long asks now
/// and then; it costs no system call, but the first time and on systems without memfd.
///
/// Threads: safe from any thread while the function runs.
BROOD_API bool brood_call_cancelled(const brood_call *call);

/// brood_raise sets the failure in words (printf rules, at most 500 bytes) and returns `code`, ready
/// for `return`: 1 to 255 is the program's own, negative a brood_error. Another number becomes 255.
///
/// Threads: the thread that runs the function.
BROOD_API int brood_raise(brood_call *call, int code, const char *format, ...) BROOD_PRINTF(3, 4);

BROOD_END_C

#endif

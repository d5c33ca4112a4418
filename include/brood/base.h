/* What every other header needs: errors, timeouts, handles, views, brood_init. */
#ifndef BROOD_BASE_H
#define BROOD_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <brood/export.h>

#define BROOD_VERSION_MAJOR 0
#define BROOD_VERSION_MINOR 1
#define BROOD_VERSION_PATCH 0

BROOD_BEGIN_C

/* Time limits are milliseconds. BROOD_NOWAIT tries once, BROOD_FOREVER waits as long as it takes;
 * any other negative value is BROOD_EINVAL. They are measured on a monotonic clock: setting the
 * system's time changes nothing. */
#define BROOD_FOREVER ((int64_t)-1)
#define BROOD_NOWAIT ((int64_t)0)

/// brood_handle is a file descriptor (Unix) or a HANDLE (Windows); BROOD_NO_HANDLE is none.
typedef intptr_t brood_handle;
#define BROOD_NO_HANDLE ((brood_handle)-1)

/// brood_view is borrowed bytes. The view of a text does not count a final zero byte.
typedef struct brood_view {
    const void *data;
    size_t size; /* bytes */
} brood_view;

/* Opaque objects, reference counted: *_ref adds an owner, *_free drops one. */
typedef struct brood_array brood_array;
typedef struct brood_barrier brood_barrier;
typedef struct brood_call brood_call;
typedef struct brood_condition brood_condition;
typedef struct brood_connection brood_connection;
typedef struct brood_event brood_event;
typedef struct brood_lock brood_lock;
typedef struct brood_memory brood_memory;
typedef struct brood_message brood_message;
typedef struct brood_pool brood_pool;
typedef struct brood_process brood_process;
typedef struct brood_queue brood_queue;
typedef struct brood_result brood_result;
typedef struct brood_results brood_results;
typedef struct brood_semaphore brood_semaphore;

/// brood_function is the unit of work: any function of the program or of its shared libraries,
/// `static` ones too. A child that does not have the library loads it from the file it came from.
///
/// It runs in another process with the arguments in `call`, and returns 0 when it is done, 1 to 255
/// for the program's own codes, or a brood_error (negative). In a process an own code becomes the
/// exit code; a brood_error is printed to stderr in words and becomes exit code 1.
typedef int (*brood_function)(brood_call *call);

/// brood_error is what a failing call returns. Codes are appended, never renumbered; all are
/// <= -1001, so none can be taken for a negative errno or a negative signal number.
typedef enum brood_error {
    BROOD_OK = 0,
    BROOD_EINVAL = -1001,     /* the caller's mistake, see the words */
    BROOD_ENOMEM = -1002,     /* no memory, or no room where something is kept */
    BROOD_ESYSTEM = -1003,    /* the system refused: brood_last_error()->system_code */
    BROOD_ENOTSUP = -1004,    /* not on this system, or not in this version */
    BROOD_ENOTINIT = -1005,   /* brood_init is missing at the top of main */
    BROOD_ETIMEDOUT = -1006,  /* the time limit passed first */
    BROOD_ECLOSED = -1007,    /* this end was closed here */
    BROOD_EEND = -1008,       /* end of stream: the other end is closed and all was read */
    BROOD_EPEER = -1009,      /* the other side went away in the middle */
    BROOD_ESHUTDOWN = -1010,  /* takes no more work */
    BROOD_EFULL = -1011,      /* no room now */
    BROOD_EEMPTY = -1012,     /* nothing there now */
    BROOD_ETOOBIG = -1013,    /* over a limit of ours */
    BROOD_ETOOSMALL = -1014,  /* the room given is too small */
    BROOD_ETYPE = -1015,      /* an argument or value has another type */
    BROOD_ERANGE = -1016,     /* a number or text does not fit */
    BROOD_EARGS = -1017,      /* too few arguments, too many, or an unknown name */
    BROOD_EDECODE = -1018,    /* the bytes are not a value, or not one that is only data */
    BROOD_EAUTH = -1019,      /* a signature or key is wrong */
    BROOD_EEXIST = -1020,     /* exists already */
    BROOD_ENOENT = -1021,     /* does not exist */
    BROOD_EACCES = -1022,     /* no permission */
    BROOD_EMODULE = -1023,    /* the function's module differs, is missing or cannot travel */
    BROOD_EOWNERDEAD = -1024, /* the lock's owner died: not acquired */
    BROOD_ENOTOWNER = -1025,  /* somebody else holds it */
    BROOD_EDEADLK = -1026,    /* would wait for itself */
    BROOD_EBROKEN = -1027,    /* the object cannot be used any more */
    BROOD_ETASK = -1028,      /* the function itself failed: failure->code has its code */
    BROOD_EWORKER = -1029,    /* the process died: the failure has its pid and how */
    BROOD_ECANCELLED = -1030, /* asked to stop */
    BROOD_ERUNNING = -1031,   /* not finished yet */
    BROOD_EHANDLE = -1032,    /* the handle in this message is gone */
    BROOD_EEXPIRED = -1033    /* the task ran longer than it may */
} brood_error;

/// brood_failure says what went wrong, in words and in parts. It is borrowed from the function that
/// returns it.
typedef struct brood_failure {
    size_t size;         /* sizeof(brood_failure) of the library that filled it */
    int error;           /* a brood_error, 0 if there was none */
    int code;            /* the program's own code (brood_raise, positive return), else 0 */
    int64_t system_code; /* errno or GetLastError; of a dead process its raw status; else 0 */
    int64_t pid;         /* the process it happened in; 0 is this one */
    int exitcode;        /* as brood_process_exitcode, where a process ended; else 0 */
    const char *message; /* UTF-8, one line, never NULL */
} brood_failure;

/// brood_last_error returns this thread's last failure, never NULL. It is valid until this thread's
/// next failing brood call, and says error 0 before the first one.
///
/// Threads: safe from any thread; each has its own.
BROOD_API const brood_failure *brood_last_error(void);

/// brood_strerror returns the constant English name of a code, "unknown error" for another number.
///
/// Threads: safe from any thread.
BROOD_API const char *brood_strerror(int error);

/// brood_perror prints "WHAT: last error in words" and a newline to stderr and returns 1, ready for
/// `return` in main. `what` may be NULL.
///
/// Threads: safe from any thread.
BROOD_API int brood_perror(const char *what);

/// brood_version returns MAJOR * 10000 + MINOR * 100 + PATCH of the library that runs.
///
/// Threads: safe from any thread.
BROOD_API int brood_version(void);

/// brood_init_ is behind brood_init.
///
/// Threads: the main thread, before others are started.
BROOD_API void brood_init_(int argc, char **argv, int (*at_exit)(void (*)(void)));

/// brood_init lets a spawned child take over: in a child it does not return. It is the first
/// statement of main; objects constructed before main (C++) exist in children too.
///
/// `argc` and `argv` may be 0 and NULL (WinMain, bindings of other languages): the command line is
/// then asked from the system. It cannot fail: a problem is kept and reported by the first start.
/// Without it every start fails with BROOD_ENOTINIT. Calling it again changes nothing.
///
/// At the program's exit (main returns, or exit is called) daemonic children are terminated, and then
/// all are waited for but those that outlive their parent; after a second a line on stderr says for
/// which. Any other end (_exit, quick_exit, a crash) ends all of them but those. One that waits for this process itself (for the end of a connection that was not
/// freed, say) would never end: end it, or free what it waits for, before main returns.
///
/// Threads: the main thread, before others are started.
static inline void brood_init(int argc, char **argv)
{
    /* The program's own atexit: from a DLL's, handlers run after all threads were ended. */
    brood_init_(argc, argv, atexit);
}

BROOD_END_C

#endif

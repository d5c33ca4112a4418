/* Fault points: in the library built for tests (BROOD_FAULTS) every system call and allocation can
 * be made to fail once or from then on, and a process can be held still at a named place. In every
 * other build the macros are the calls themselves. */
#ifndef BROOD_SRC_FAULT_H
#define BROOD_SRC_FAULT_H

#include <brood/export.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(BROOD_FAULTS)

BROOD_BEGIN_C

typedef enum brood_fault_mode {
    BROOD_FAULT_OFF,
    BROOD_FAULT_ONCE,
    BROOD_FAULT_FROM_NOW_ON
} brood_fault_mode;

/// brood_fault_arm lets this thread's fault point number `index` (from 0, counted from now) fail.
/// Only this thread is affected.
void brood_fault_arm(long index, brood_fault_mode mode);

/// brood_fault_count returns how many fault points this thread passed since it last armed.
long brood_fault_count(void);

/// brood_fault_fired tells whether one failed since this thread last armed.
bool brood_fault_fired(void);

/// brood_fault_pause lets this thread pass fault points uncounted and unharmed until it is called
/// with false: for what a test does beside what it tests.
void brood_fault_pause(bool paused);

/// brood_fault_here counts a fault point and tells whether it has to fail.
bool brood_fault_here(const char *point);

/// brood_fault_from_environment arms this thread as the environment's BROOD_TEST_FAULT says,
/// "INDEX" or "INDEX+" (from then on): for a child, whose faults nobody else can reach. A fork
/// server has none: its children have them.
void brood_fault_from_environment(void);

/// brood_stop_here holds the process still if the environment's BROOD_TEST_STOP is "POINT:FILE": it
/// writes its pid into FILE and goes on when that is removed. A fork server stops at
/// "server-POINT".
void brood_stop_here(const char *point);

/// brood_slice_here returns `ns`, how long to sleep at most without looking again; or for ever, if
/// the environment has BROOD_TEST_NO_SLICES: then a wake-up that gets lost is seen.
int64_t brood_slice_here(int64_t ns);

/// brood_fault_watch has `watch` called where something with a number and bytes is just about to
/// happen; NULL ends that. It is for the whole process.
typedef void (*brood_fault_watcher)(const char *point, uint64_t number, const void *data,
                                    size_t size);
void brood_fault_watch(brood_fault_watcher watch);

void brood_watch_here(const char *point, uint64_t number, const void *data, size_t size);

BROOD_END_C

#define BROOD_FAULT(point, failed, call) (brood_fault_here(point) ? (failed) : (call))
#define BROOD_STOP(point) brood_stop_here(point)
#define BROOD_SLICE(ns) brood_slice_here(ns)
#define BROOD_WATCH(point, number, data, size) brood_watch_here(point, number, data, size)
/* In a forked child: what the test wants to fail is in its own process. */
#define BROOD_FAULT_OFF_HERE() brood_fault_arm(0, BROOD_FAULT_OFF)
/* In any child: what the environment wants to fail. */
#define BROOD_FAULTS_OF_CHILD() brood_fault_from_environment()
#else
#define BROOD_FAULT(point, failed, call) (call)
#define BROOD_STOP(point) ((void)0)
#define BROOD_SLICE(ns) (ns)
#define BROOD_WATCH(point, number, data, size) ((void)0)
#define BROOD_FAULT_OFF_HERE() ((void)0)
#define BROOD_FAULTS_OF_CHILD() ((void)0)
#endif

/* BROOD_ALLOC(call): malloc, calloc or realloc. */
#define BROOD_ALLOC(call) BROOD_FAULT("allocate", NULL, call)

/* In a port: the call itself; under test it may fail with `errnum` (errno) or `code`
 * (GetLastError). BROOD_SYS: -1 and errno; BROOD_SYS_AS: `failed` and errno; BROOD_SYS_RETURNS: for
 * calls that return their error number; BROOD_WIN: `failed` and GetLastError. */
#define BROOD_SYS(point, errnum, call) BROOD_FAULT(point, (errno = (errnum), -1), call)
#define BROOD_SYS_AS(point, errnum, failed, call) \
    BROOD_FAULT(point, (errno = (errnum), failed), call)
#define BROOD_SYS_RETURNS(point, errnum, call) BROOD_FAULT(point, errnum, call)
#define BROOD_WIN(point, code, failed, call) BROOD_FAULT(point, (SetLastError(code), failed), call)

#endif

/* Timelines: a file of Chrome trace events (the format is described in "Trace Event Format", Google,
 * 2016), a row for each worker and a slice for each task. */
#ifndef BROOD_SRC_POOL_TRACE_H
#define BROOD_SRC_POOL_TRACE_H

#include <stddef.h>
#include <stdint.h>

typedef struct brood_trace brood_trace;

/// brood_trace_open begins a file at `path`, or NULL: at the one that BROOD_TRACE names, if this is
/// the first process; `*out` is NULL if there is none. Pools that name the same one write to it
/// together. Errors: the system's.
int brood_trace_open(brood_trace **out, const char *path);

/// brood_trace_close lets go of it; the last one makes the file complete. NULL is allowed here and
/// below.
void brood_trace_close(brood_trace *trace);

/// brood_trace_finish completes the file that BROOD_TRACE names, at the process's exit.
void brood_trace_finish(void);

/// brood_trace_worker names a worker's row.
void brood_trace_worker(brood_trace *trace, int64_t pid, const char *name);

/// brood_trace_task adds the slice of a task; `kind` is a brood_job_kind.
void brood_trace_task(brood_trace *trace, int64_t pid, int kind, size_t index, int64_t began_ns,
                      int64_t ended_ns, int code);

/// brood_trace_death marks the end of a worker, in the middle of a task that began then (0: of none).
void brood_trace_death(brood_trace *trace, int64_t pid, const char *words, int64_t began_ns);

#endif

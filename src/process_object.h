/* Processes, as the rest of the library sees them. */
#ifndef BROOD_SRC_PROCESS_OBJECT_H
#define BROOD_SRC_PROCESS_OBJECT_H

#include <brood/process.h>

#include "buffer.h"
#include "error.h"
#include "platform.h"

#define BROOD_NAME_SIZE 256 /* of a process, with its zero byte */

typedef enum brood_process_relation {
    BROOD_PROCESS_CHILD,   /* started here: we learn how it ended */
    BROOD_PROCESS_CURRENT, /* this process */
    BROOD_PROCESS_FOREIGN  /* our parent, or one that another process told us about */
} brood_process_relation;

struct brood_process {
    brood_atomic refs;
    long generation; /* in which it was made, see fork.h */
    brood_process_relation relation;
    char name[BROOD_NAME_SIZE];
    bool daemon;
    bool outlives;
    bool hidden; /* the fork server: not one of the program's children */
    bool helper; /* ended when this process exits, as daemonic ones are, but may have children */
    int64_t deadline_ms; /* 0: none */
    brood_os_process os;

    brood_os_mutex mutex; /* for the rest */
    bool ended;
    bool expired; /* its deadline had passed, and we killed it */
    int exitcode;
    bool failed;
    brood_failure failure;
    char words[BROOD_WORDS_SIZE];
    brood_buffer left; /* what the child left, with the result in it */
    brood_view result;

    brood_process *next; /* in the list of children; under its lock, like the next */
    int64_t deadline_ns; /* when it has to be killed; 0: not, or that is done */
};

/// brood_work is what a process runs, as a field of its start message.
typedef struct brood_work {
    const char *field; /* "target" or "class" */
    brood_value value;
    const char *name; /* of processes without a name of their own: NAME-1 and so on */
    bool helper;      /* see brood_process */
} brood_work;

/// brood_process_start_work is brood_process_start for any work.
int brood_process_start_work(brood_process **out, const brood_work *work, const brood_args *args,
                             const brood_process_options *options);

/// brood_process_start_server spawns a process of the library's own, which is not one of the
/// program's children and serves.
int brood_process_start_server(brood_process **out, const brood_work *work, const brood_args *args);

/// brood_process_wait waits for the end and collects what is left of the process, once.
int brood_process_wait(brood_process *process, int64_t deadline_ns);

/// brood_process_is_over tells whether it has ended, and collects nothing.
bool brood_process_is_over(brood_process *process);

/// brood_process_collect takes status and report, and judges how it ended. Called once, after the
/// end, by whoever holds the process's mutex or knows that nobody else has the process.
void brood_process_collect(brood_process *process);

/// brood_process_check says BROOD_EINVAL for NULL and for what belongs to another process: a forked
/// child has its parent's objects, but not its children.
int brood_process_check(const brood_process *process);

/// brood_process_options_check looks whether options make sense. Errors: BROOD_EINVAL, BROOD_ENOTSUP.
int brood_process_options_check(const brood_process_options *options);

/// brood_process_expire kills a process whose deadline has passed.
void brood_process_expire(brood_process *process);

/// brood_process_new makes an object with one reference, without a process. NULL: no memory.
brood_process *brood_process_new(brood_process_relation relation, const char *name);

/* ---- current.c: this process and its parent ---- */

/// brood_current_next_child writes what stands behind "Process-" in the default name of the next
/// child: "3" for the third child of the first process, "3:1" for the first child of that one.
void brood_current_next_child(char out[BROOD_NAME_SIZE]);

/// brood_current_set says in a child who it is, before its function runs.
void brood_current_set(const char *name, const char *identity, bool daemon);

/// brood_parent_set says in a child who started it.
void brood_parent_set(int64_t pid, const char *name);

/// brood_parent_is_set tells whether somebody started this process; the system is not asked.
bool brood_parent_is_set(void);

/* ---- process_foreign.c: processes that are told about ---- */

/// brood_process_identify says who a process is, for another process. The handle is the caller's.
int brood_process_identify(brood_os_identity *out, brood_process *process);

/// brood_process_of_identity makes an object of what another process told about a process. One of
/// our own children, and this process, is the object it has here already. On success the handle is
/// ours. Errors: BROOD_EHANDLE if it is no process; BROOD_EACCES, BROOD_ENOMEM.
int brood_process_of_identity(brood_process **out, const char *name,
                              const brood_os_identity *identity);

/* ---- children.c: every child that was not collected, with one reference ---- */

void brood_children_add(brood_process *process);
void brood_children_remove(brood_process *process);

/// brood_children_find returns the child of this number with a reference, NULL if there is none.
brood_process *brood_children_find(int64_t pid);

/// brood_children_forget lets go of all in a forked child: they are its parent's.
void brood_children_forget(void);

/// brood_children_reap collects those that have ended and that the program has let go of: they
/// would stay zombies.
void brood_children_reap(void);

/// brood_children_expire kills those whose deadline has passed and returns the next deadline, or
/// BROOD_DEADLINE_NEVER.
int64_t brood_children_expire(void);

/// brood_children_end ends the daemonic ones, waits for all that still run and do not outlive us, and
/// ends the fork server; at exit.
void brood_children_end(void);

#endif

/* Processes, as the rest of the library sees them. */
#ifndef BROOD_SRC_PROCESS_OBJECT_H
#define BROOD_SRC_PROCESS_OBJECT_H

#include <brood/process.h>

#include "buffer.h"
#include "error.h"
#include "platform.h"

#define BROOD_NAME_SIZE 256 /* of a process, with its zero byte */

struct brood_process {
    brood_atomic refs;
    char name[BROOD_NAME_SIZE];
    brood_os_process os;

    brood_os_mutex mutex; /* for the rest */
    bool ended;
    int exitcode;
    bool failed;
    brood_failure failure;
    char words[BROOD_WORDS_SIZE];
    brood_buffer left; /* what the child left, with the result in it */
    brood_view result;

    brood_process *next; /* in the list of children; its mutex */
};

/// brood_process_wait waits for the end and collects what is left of the process, once.
int brood_process_wait(brood_process *process, int64_t deadline_ns);

/// brood_process_collect takes status and report, and judges how it ended. Called once, after the
/// end, by whoever holds the process's mutex or knows that nobody else has the process.
void brood_process_collect(brood_process *process);

/* ---- children.c: every child that was not collected, with one reference ---- */

void brood_children_add(brood_process *process);
void brood_children_remove(brood_process *process);

/// brood_children_reap collects those that have ended and that the program has let go of: they
/// would stay zombies.
void brood_children_reap(void);

/// brood_children_join waits for all that still run; at exit.
void brood_children_join(void);

#endif

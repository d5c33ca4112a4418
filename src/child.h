/* The child's life: receive, verify, run, report. */
#ifndef BROOD_SRC_CHILD_H
#define BROOD_SRC_CHILD_H

#include "platform.h"

/// brood_child_run does all of it and returns the exit code.
int brood_child_run(void);

/// brood_child_run_served does it in a copy of the fork server, and what else happens at the end of
/// a program.
int brood_child_run_served(void);

/// brood_child_plan is what a copy of the parent finds in its memory.
typedef struct brood_child_plan {
    brood_buffer body;
    brood_view authkey; /* empty: its parent's */
} brood_child_plan;

/// brood_child_run_copy does it in a copy of the parent, with the brood_child_plan `user`; it also
/// does what else happens at the end of a program. `rc` says what went wrong before.
int brood_child_run_copy(brood_os_arrival *arrival, int rc, void *user);

#endif

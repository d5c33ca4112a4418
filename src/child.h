/* The child's life: receive, verify, run, report. */
#ifndef BROOD_SRC_CHILD_H
#define BROOD_SRC_CHILD_H

/// brood_child_run does all of it and returns the exit code.
int brood_child_run(void);

#endif

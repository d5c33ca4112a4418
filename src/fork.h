/* What a fork makes of the library's state: see fork.c. */
#ifndef BROOD_SRC_FORK_H
#define BROOD_SRC_FORK_H

#include <stdbool.h>

/// brood_fork_watch makes every later fork of this process safe, the host's own ones too.
int brood_fork_watch(void);

/// brood_generation returns how many forks lie between the first process and this one. An object
/// keeps the generation in which it was made.
long brood_generation(void);

/// brood_fork_lost tells whether an object of generation `since` lost its handles on the way here:
/// this process was started with the method fork, and has only what was sent to it.
bool brood_fork_lost(long since);

/// brood_fork_began says, in a child that was started with the method fork, that all handles of
/// before are closed.
void brood_fork_began(void);

/// brood_fork_warn logs, once, that this program has several threads and forks.
void brood_fork_warn(void);

#endif

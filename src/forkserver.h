/* The fork server of this process: begun with the first start by it, once more when it has ended. */
#ifndef BROOD_SRC_FORKSERVER_H
#define BROOD_SRC_FORKSERVER_H

#include "process_object.h"

/// brood_forkserver_start is brood_os_process_start by the server; `start` is complete but for that.
int brood_forkserver_start(brood_process *process, brood_os_start *start);

/// brood_forkserver_let_go uses the server that runs no more: it ends with its children.
void brood_forkserver_let_go(void);

/// brood_forkserver_leave lets go of a parent's server right after a fork.
void brood_forkserver_leave(void);

/// brood_forkserver_serve is what the server itself runs: its end of the socket, a list of functions.
int brood_forkserver_serve(brood_call *call);

#endif

/* Processes, as the rest of the library sees them. */
#ifndef BROOD_SRC_PROCESS_H
#define BROOD_SRC_PROCESS_H

#include <brood/process.h>

#define BROOD_NAME_SIZE 256 /* of a process, with its zero byte */

/// brood_processes_join waits for all children of this process that still run; at exit.
void brood_processes_join(void);

#endif

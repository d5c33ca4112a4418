/* Set-up of the library in this process. */
#ifndef BROOD_SRC_INIT_H
#define BROOD_SRC_INIT_H

/// brood_ready makes the library usable for starts: BROOD_ENOTINIT without brood_init and
/// brood_set_executable, or what went wrong when it was set up.
int brood_ready(void);

/// brood_finish is what happens when the program ends: children are waited for.
void brood_finish(void);

/// brood_init_host makes ready for the exit of a program whose main does not call brood_init.
void brood_init_host(void);

#endif

/* Contexts, as the rest of the library sees them. */
#ifndef BROOD_SRC_CONTEXT_H
#define BROOD_SRC_CONTEXT_H

#include <brood/context.h>

#include "platform.h"

/// brood_context_how returns how a context starts processes; NULL is the default context.
brood_os_method brood_context_how(const brood_context *context);

/// brood_start_method_chosen returns the default that somebody chose, or NULL.
const char *brood_start_method_chosen(void);

/// brood_start_method_inherit makes what the parent chose this process's choice; NULL: nothing.
void brood_start_method_inherit(const char *method);

#endif

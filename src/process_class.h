/* Process classes, the child's side. */
#ifndef BROOD_SRC_PROCESS_CLASS_H
#define BROOD_SRC_PROCESS_CLASS_H

#include <brood/call.h>

/// brood_process_class_run makes the state of a class as it came from the parent, runs its body
/// with `call` and releases the state. Returns what the body returned, or why it did not get there.
int brood_process_class_run(brood_value klass, brood_call *call);

#endif

/* Process classes: processes with a state, the C form of subclassing Process. */
#ifndef BROOD_PROCESS_CLASS_H
#define BROOD_PROCESS_CLASS_H

#include <brood/process.h>

BROOD_BEGIN_C

/// brood_process_class says how a state is made here, travels, and is used in the child. Set `size`
/// to sizeof(brood_process_class); `run` is needed, the rest is optional. Everything it points to is
/// only read during brood_process_start_class; its functions travel as a target does.
///
/// `init`, `save` and `load` return 0, or a brood_error or an own code (1 to 255) that ends the
/// start or the child. A state starts as `state_size` zero bytes, aligned for every type.
typedef struct brood_process_class {
    size_t size;
    const char *name;  /* of processes that are given none: NAME-1 and so on; NULL: Process */
    size_t state_size; /* bytes, may be 0 */

    /// init fills the state here, in the parent. NULL: the state is a copy of `state_size` bytes at
    /// `argument`, all zero if that is NULL.
    int (*init)(void *state, const void *argument);

    /// save sets `*out` to a message with what has to travel. NULL: the bytes of the state travel,
    /// which is right for a struct without pointers.
    int (*save)(const void *state, brood_message **out);

    /// load fills the child's state from what save gave; strings and objects in `saved` live until
    /// finalize has returned. NULL: as with save, the bytes.
    int (*load)(void *state, brood_value saved);

    /// run is the body, in the child; what it returns means what it means for a brood_function.
    int (*run)(void *state, brood_call *call);

    /// finalize releases what is in a state: the parent's once the start has succeeded or failed,
    /// and the child's after run. It is not called after an init or load that failed.
    void (*finalize)(void *state);
} brood_process_class;

/// brood_process_start_class starts a process that runs `klass` with a state made from `argument`.
/// All else is as with brood_process_start. Give both or none of `save` and `load`.
///
/// Errors: as brood_process_start; what init or save returned (BROOD_ETASK with failure->code for
/// an own code).
/// Threads: safe from any thread; init, save and finalize run in the caller's.
BROOD_MAY_FAIL int brood_process_start_class(brood_process **out, const brood_process_class *klass,
                                             const void *argument, const brood_args *args,
                                             const brood_process_options *options);

BROOD_END_C

#endif

/* The call that a function receives. */
#ifndef BROOD_SRC_CALL_H
#define BROOD_SRC_CALL_H

#include <brood/call.h>

#include "buffer.h"
#include "error.h"

struct brood_call {
    const brood_value *args; /* positional */
    size_t arg_count;
    const brood_value *named; /* name, value in turn */
    size_t named_count;       /* pairs */
    brood_buffer result;      /* encoded; empty: none */
    bool raised;              /* brood_raise was called: `code` and `words` are set */
    int code;
    char words[BROOD_WORDS_SIZE];
};

/// brood_call_init prepares a call for a tuple of arguments and a dict of named ones, borrowed.
void brood_call_init(brood_call *call, brood_value args, brood_value named);

/// brood_call_fini releases the result.
void brood_call_fini(brood_call *call);

#endif

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
    bool (*asked)(
        const brood_call *call); /* whether this call is to stop; NULL: only all of them */
    const void *lane;            /* of a pool's worker */
    uint32_t entry;
};

/// brood_call_init prepares a call for a tuple of arguments and a dict of named ones, borrowed.
void brood_call_init(brood_call *call, brood_value args, brood_value named);

/// brood_call_fini releases the result.
void brood_call_fini(brood_call *call);

/// brood_call_end says how a function ended that returned `rc`: 0, 1 to 255, or a brood_error, and
/// the words, "" if there are none.
int brood_call_end(const brood_call *call, int rc, char words[BROOD_WORDS_SIZE]);

#endif

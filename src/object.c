#include "object.h"

#include <brood/connection.h>
#include <brood/memory.h>
#include <brood/process.h>
#include <brood/queue.h>
#include <string.h>

#include "handle.h"
#include "heap.h"

/* All kinds that there are. Those from BROOD_CONNECTION on are objects. */
// clang-format off
static const char *const names[] = {
    [BROOD_NONE] = "a none",
    [BROOD_BOOL] = "a bool",
    [BROOD_INT] = "an int",
    [BROOD_UINT] = "an int", /* one type to whoever reads the words */
    [BROOD_FLOAT] = "a float",
    [BROOD_STR] = "a str",
    [BROOD_BYTES] = "a bytes",
    [BROOD_LIST_KIND] = "a list",
    [BROOD_TUPLE_KIND] = "a tuple",
    [BROOD_DICT_KIND] = "a dict",
    [BROOD_FUNCTION] = "a function",
    [BROOD_CONNECTION] = "a connection",
    [BROOD_HANDLE] = "a handle",
    [BROOD_PROCESS] = "a process",
    [BROOD_LOCK] = "a lock",
    [BROOD_QUEUE] = "a queue",
    [BROOD_MEMORY] = "a memory",
    [BROOD_ARRAY] = "an array",
    [BROOD_SEMAPHORE] = "a semaphore",
    [BROOD_CONDITION] = "a condition",
    [BROOD_EVENT] = "an event",
    [BROOD_BARRIER] = "a barrier",
};
// clang-format on

#define KINDS ((int)(sizeof names / sizeof names[0]))

const char *brood_kind_a(int kind)
{
    return kind >= 0 && kind < KINDS ? names[kind] : "an unknown kind";
}

const char *brood_kind_name(int kind)
{
    if (kind == BROOD_RESULT || kind == BROOD_RESULTS) {
        return "result of a pool";
    }
    return strchr(brood_kind_a(kind), ' ') + 1;
}

bool brood_kind_is_object(int kind)
{
    return kind >= BROOD_CONNECTION && kind < KINDS;
}

int brood_object_own(brood_value *value)
{
    brood_handle copy = BROOD_NO_HANDLE;
    int rc;

    if (value->kind != BROOD_HANDLE || (value->flags & BROOD_VALUE_OWNED) != 0) {
        value->flags &= BROOD_VALUE_OWNED;
        brood_object_ref(*value);
        return 0;
    }
    rc = brood_handle_duplicate(&copy, brood_as_handle(*value));
    if (rc) {
        return rc;
    }
    rc = brood_handle_own(value, copy);
    if (rc) {
        brood_handle_close(copy);
    }
    return rc;
}

void brood_object_ref(brood_value value)
{
    switch (value.kind) {
    case BROOD_CONNECTION:
        (void)brood_connection_ref(value.as.object);
        break;
    case BROOD_HANDLE:
        brood_handle_ref(value);
        break;
    case BROOD_PROCESS:
        (void)brood_process_ref(value.as.object);
        break;
    case BROOD_QUEUE:
        (void)brood_queue_ref(value.as.object);
        break;
    case BROOD_MEMORY:
        (void)brood_memory_ref(value.as.object);
        break;
    default:
        if (brood_heap_kind_of(value.kind) != NULL) {
            (void)brood_heap_ref(value.as.object);
        }
        break;
    }
}

void brood_object_free(brood_value value)
{
    switch (value.kind) {
    case BROOD_CONNECTION:
        brood_connection_free(value.as.object);
        break;
    case BROOD_HANDLE:
        brood_handle_unref(value);
        break;
    case BROOD_PROCESS:
        brood_process_free(value.as.object);
        break;
    case BROOD_QUEUE:
        brood_queue_free(value.as.object);
        break;
    case BROOD_MEMORY:
        brood_memory_free(value.as.object);
        break;
    default:
        if (brood_heap_kind_of(value.kind) != NULL) {
            brood_heap_free(value.as.object);
        }
        break;
    }
}

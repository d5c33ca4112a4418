#include "object.h"

#include <brood/connection.h>
#include <brood/process.h>
#include <brood/queue.h>

#include "handle.h"
#include "heap.h"

/* All kinds that there are. Those from BROOD_CONNECTION on are objects. */
// clang-format off
static const char *const names[] = {
    [BROOD_NONE] = "none",
    [BROOD_BOOL] = "bool",
    [BROOD_INT] = "int",
    [BROOD_UINT] = "int", /* one type to whoever reads the words */
    [BROOD_FLOAT] = "float",
    [BROOD_STR] = "str",
    [BROOD_BYTES] = "bytes",
    [BROOD_LIST_KIND] = "list",
    [BROOD_TUPLE_KIND] = "tuple",
    [BROOD_DICT_KIND] = "dict",
    [BROOD_FUNCTION] = "function",
    [BROOD_CONNECTION] = "connection",
    [BROOD_HANDLE] = "handle",
    [BROOD_PROCESS] = "process",
    [BROOD_LOCK] = "lock",
    [BROOD_QUEUE] = "queue",
    [BROOD_SEMAPHORE] = "semaphore",
    [BROOD_CONDITION] = "condition",
    [BROOD_EVENT] = "event",
    [BROOD_BARRIER] = "barrier",
};
// clang-format on

#define KINDS ((int)(sizeof names / sizeof names[0]))

const char *brood_kind_name(int kind)
{
    return kind >= 0 && kind < KINDS ? names[kind] : "unknown kind";
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
    default:
        if (brood_heap_kind_of(value.kind) != NULL) {
            brood_heap_free(value.as.object);
        }
        break;
    }
}

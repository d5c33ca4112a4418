#include "context.h"

#include <string.h>

#include "error.h"
#include "locks.h"
#include "log.h"

#define METHOD_COUNT 3

struct brood_context {
    const char *method;
    brood_os_method how;
};

/* The first is the default. */
static const brood_context contexts[METHOD_COUNT] = {
    {BROOD_SPAWN, BROOD_OS_SPAWN},
    {BROOD_FORK, BROOD_OS_FORK},
    {BROOD_FORKSERVER, BROOD_OS_FORKSERVER},
};

static const brood_context *chosen; /* NULL: the first */
static const char *names[METHOD_COUNT + 1];
static bool listed; /* names is filled, and does not change any more */

static const brood_context *default_context(void)
{
    const brood_context *context;

    brood_locks_take(BROOD_LOCK_CONTEXT);
    context = chosen;
    brood_locks_give(BROOD_LOCK_CONTEXT);
    return context != NULL ? context : &contexts[0];
}

static int find_context(const brood_context **out, const char *method)
{
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        if (strcmp(method, contexts[i].method) != 0) {
            continue;
        }
        if (!brood_os_method_supported(contexts[i].how)) {
            return brood_fail(BROOD_ENOTSUP, "this system does not have the start method %s",
                              method);
        }
        *out = &contexts[i];
        return 0;
    }
    return brood_fail(BROOD_EINVAL,
                      "there is no start method \"%.40s\": it is spawn, fork or forkserver",
                      method);
}

int brood_get_context(const brood_context **out, const char *method)
{
    if (out == NULL) {
        return brood_fail(BROOD_EINVAL, "there is no place for the context: out is NULL");
    }
    *out = NULL;
    if (method == NULL) {
        *out = default_context();
        return 0;
    }
    return find_context(out, method);
}

const char *brood_context_method(const brood_context *context)
{
    return context != NULL ? context->method : brood_get_start_method();
}

brood_os_method brood_context_how(const brood_context *context)
{
    return context != NULL ? context->how : default_context()->how;
}

int brood_set_start_method(const char *method, bool force)
{
    const brood_context *wanted = NULL;
    int rc = 0;

    if (method == NULL && !force) {
        return brood_fail(BROOD_EINVAL, "no start method to set: NULL resets it, with force");
    }
    if (method != NULL) {
        rc = find_context(&wanted, method);
    }
    if (rc) {
        return rc;
    }
    brood_locks_take(BROOD_LOCK_CONTEXT);
    if (chosen != NULL && !force) {
        rc = brood_fail(BROOD_EEXIST, "the start method was chosen already: it is %s",
                        chosen->method);
    } else {
        chosen = wanted;
    }
    brood_locks_give(BROOD_LOCK_CONTEXT);
    return rc;
}

const char *brood_get_start_method(void)
{
    return default_context()->method;
}

const char *brood_start_method_chosen(void)
{
    const char *method;

    brood_locks_take(BROOD_LOCK_CONTEXT);
    method = chosen != NULL ? chosen->method : NULL;
    brood_locks_give(BROOD_LOCK_CONTEXT);
    return method;
}

void brood_start_method_inherit(const char *method)
{
    if (brood_set_start_method(method, true) != 0) {
        brood_log(BROOD_LOG_WARNING, "the parent's default: %s", brood_last_error()->message);
    }
}

const char *const *brood_get_all_start_methods(void)
{
    size_t count = 0;

    brood_locks_take(BROOD_LOCK_CONTEXT);
    for (size_t i = 0; i < METHOD_COUNT && !listed; i++) {
        if (brood_os_method_supported(contexts[i].how)) {
            names[count++] = contexts[i].method;
        }
    }
    listed = true;
    brood_locks_give(BROOD_LOCK_CONTEXT);
    return names;
}

/* A fork server is a spawned child with a function of ours (brood_forkserver_serve), which runs the
 * preload functions and then serves. What goes wrong before that is its failure, as with any child,
 * and the failure of the start that began it. */
#include "forkserver.h"

#include <brood/context.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "child.h"
#include "error.h"
#include "fault.h"
#include "fork.h"
#include "locks.h"
#include "log.h"

#define TRIES 5 /* of a start whose server is killed again and again */
#define GRACE_NS ((int64_t)1000 * 1000 * 1000)
#define END_NS ((int64_t)10 * 1000 * 1000 * 1000)
#define OWN_CODE_MAX 255

static struct {
    brood_os_server *now; /* NULL: none */
    long generation;      /* of the process whose it is */
    brood_function *preload;
    size_t preload_count;
} forkserver;

/* ---- which server ---- */

/* Takes it out, for the caller to finish and free; NULL if it is not the one in use. Any: NULL. */
static brood_os_server *take_out(const brood_os_server *which)
{
    brood_os_server *taken = NULL;

    brood_locks_take(BROOD_LOCK_FORKSERVER);
    if (which == NULL || forkserver.now == which) {
        taken = forkserver.now;
        forkserver.now = NULL;
    }
    brood_locks_give(BROOD_LOCK_FORKSERVER);
    return taken;
}

static void give_up(const brood_os_server *which)
{
    brood_os_server *taken = take_out(which);

    if (taken != NULL) {
        brood_os_server_finish(taken);
        brood_os_server_free(taken);
    }
}

void brood_forkserver_let_go(void)
{
    give_up(NULL);
}

void brood_forkserver_leave(void)
{
    if (forkserver.now != NULL) {
        brood_os_server_leave(forkserver.now);
    }
}

/* Sets `*out` to the server with a reference. `*control` is set if there was none: then the caller
 * has to begin it, while others may ask it already. */
static int hold(brood_os_server **out, brood_os_handle *control)
{
    brood_os_server *parents = NULL;
    int rc = 0;

    brood_locks_take(BROOD_LOCK_FORKSERVER);
    if (forkserver.now != NULL && forkserver.generation != brood_generation()) {
        parents = forkserver.now;
        forkserver.now = NULL;
    }
    if (forkserver.now == NULL) {
        rc = brood_os_server_new(&forkserver.now, control);
        forkserver.generation = brood_generation();
    }
    if (rc == 0) {
        *out = brood_os_server_ref(forkserver.now);
    }
    brood_locks_give(BROOD_LOCK_FORKSERVER);
    brood_os_server_free(parents);
    return rc;
}

/* ---- its begin ---- */

/* The list may change meanwhile. */
static int copy_preload(brood_value **out, size_t *count)
{
    brood_value *values;

    brood_locks_take(BROOD_LOCK_FORKSERVER);
    *count = forkserver.preload_count;
    values = BROOD_ALLOC(malloc((*count + 1) * sizeof *values));
    for (size_t i = 0; values != NULL && i < *count; i++) {
        values[i] = brood_function_value(forkserver.preload[i]);
    }
    brood_locks_give(BROOD_LOCK_FORKSERVER);
    *out = values;
    return values != NULL ? 0 : brood_fail_nomem("the preload functions");
}

static int begin(brood_process **out, brood_os_handle control)
{
    brood_value *functions = NULL;
    size_t count = 0;
    int rc = copy_preload(&functions, &count);

    if (rc == 0) {
        const brood_value items[] = {brood_handle_value(control), brood_list(functions, count)};
        const brood_args args = {items, 2};
        const brood_work work = {"target", brood_function_value(brood_forkserver_serve),
                                 "forkserver", false};
        rc = brood_process_start_server(out, &work, &args);
    }
    free(functions);
    return rc;
}

/* ---- a start ---- */

/* Why a server that we began never served. */
static int fail_as_server(brood_process *server)
{
    if (brood_process_wait(server, brood_os_now() + END_NS) != 0) {
        (void)brood_process_kill(server);
        return brood_fail(BROOD_EBROKEN,
                          "%s (pid %lld) does not serve: something closed its "
                          "descriptors",
                          server->name, (long long)server->os.pid);
    }
    if (server->failed) {
        return brood_fail_as(&server->failure);
    }
    return brood_fail(BROOD_EWORKER, "%s (pid %lld) ended before it had begun to serve",
                      server->name, (long long)server->os.pid);
}

static int start_once(brood_process *process, brood_os_start *start)
{
    brood_os_server *server = NULL;
    brood_os_handle control = BROOD_NO_HANDLE;
    brood_process *began = NULL;
    int rc = hold(&server, &control);

    if (rc) {
        return rc;
    }
    if (control != BROOD_NO_HANDLE) {
        rc = begin(&began, control);
        brood_os_handle_close(control);
        if (rc) {
            give_up(server);
            (void)brood_fail_prefix("begin the fork server");
        }
    }
    if (rc == 0) {
        start->server = server;
        rc = brood_os_process_start(&process->os, start);
        if (rc == BROOD_EPEER) {
            give_up(server);
            rc = began != NULL ? fail_as_server(began) : rc;
        }
    }
    brood_process_free(began);
    brood_os_server_free(server);
    return rc;
}

/* Nothing has run when the server ended before it had answered, so the start can be tried again. */
int brood_forkserver_start(brood_process *process, brood_os_start *start)
{
    int rc = start_once(process, start);

    for (int i = 1; rc == BROOD_EPEER && i < TRIES; i++) {
        brood_log(BROOD_LOG_WARNING, "the fork server has ended: another one begins");
        rc = start_once(process, start);
    }
    return rc;
}

/* ---- preload ---- */

static int check_functions(const brood_function *functions, size_t count)
{
    if (functions == NULL && count > 0) {
        return brood_fail(BROOD_EINVAL, "%zu preload functions at NULL", count);
    }
    for (size_t i = 0; i < count; i++) {
        if (functions[i] == NULL) {
            return brood_fail(BROOD_EINVAL, "preload function %zu is NULL", i + 1);
        }
    }
    return 0;
}

int brood_set_forkserver_preload(const brood_function *functions, size_t count)
{
    brood_function *copy = NULL;
    brood_function *before;
    int rc = check_functions(functions, count);

    if (rc) {
        return rc;
    }
    if (!brood_os_method_supported(BROOD_OS_FORKSERVER)) {
        return brood_fail(BROOD_ENOTSUP, "this system does not have the start method %s",
                          BROOD_FORKSERVER);
    }
    if (count > 0) {
        copy = BROOD_ALLOC(count <= SIZE_MAX / sizeof(brood_function)
                               ? malloc(count * sizeof(brood_function))
                               : NULL);
        if (copy == NULL) {
            return brood_fail_nomem("the preload functions");
        }
        memcpy(copy, functions, count * sizeof(brood_function));
    }
    brood_locks_take(BROOD_LOCK_FORKSERVER);
    before = forkserver.preload;
    forkserver.preload = copy;
    forkserver.preload_count = count;
    brood_locks_give(BROOD_LOCK_FORKSERVER);
    free(before);
    brood_forkserver_let_go();
    return 0;
}

/* ---- in the server ---- */

static int run_preload(brood_call *call, brood_value function, size_t number, size_t count)
{
    brood_call own;
    int rc;

    brood_call_init(&own, brood_none(), brood_none());
    rc = function.kind == BROOD_FUNCTION ? function.as.function(&own)
                                         : brood_fail(BROOD_EDECODE, "it is no function");
    if (rc != 0) {
        const char *words = own.raised && own.code == rc ? own.words
                            : rc < 0 && brood_last_error()->error == rc
                                ? brood_last_error()->message
                            : rc < 0 ? brood_strerror(rc)
                                     : "";
        rc = brood_raise(call, rc, "preload function %zu of %zu returned %d%s%.300s", number, count,
                         rc, words[0] != '\0' ? ": " : "", words);
    }
    brood_call_fini(&own);
    return rc;
}

/* A thread that was joined may still be counted for a moment. */
static int check_threads(brood_call *call, long before)
{
    const int64_t limit = brood_os_now() + GRACE_NS;
    long now = brood_os_thread_count();

    while (now > before && brood_os_now() < limit) {
        now = brood_os_thread_count();
    }
    if (now <= before) {
        return 0;
    }
    return brood_raise(call, BROOD_EINVAL,
                       "the preload functions have left %ld %s behind: a fork has only the thread "
                       "that forks, so the fork server has to have one only",
                       now - before, now - before == 1 ? "thread" : "threads");
}

int brood_forkserver_serve(brood_call *call)
{
    const long threads = brood_os_thread_count();
    const brood_value control = brood_call_arg(call, 0);
    const brood_value functions = brood_call_arg(call, 1);
    const size_t count = brood_value_count(functions);
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = run_preload(call, brood_value_at(functions, i), i + 1, count);
    }
    if (rc == 0) {
        rc = check_threads(call, threads);
    }
    return rc ? rc : brood_os_serve(brood_as_handle(control), brood_child_run_served);
}

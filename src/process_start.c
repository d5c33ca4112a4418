/* Starting a process: the arguments become a signed message in shared memory. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "authkey.h"
#include "bootstrap.h"
#include "child.h"
#include "codec.h"
#include "context.h"
#include "deadline.h"
#include "executable.h"
#include "fault.h"
#include "fork.h"
#include "forkserver.h"
#include "init.h"
#include "log.h"
#include "message.h"
#include "options.h"
#include "parcel.h"
#include "process_object.h"
#include "watchdog.h"

static brood_process *new_child(const brood_work *work, const char *identity,
                                const brood_process_options *wanted)
{
    char usual[BROOD_NAME_SIZE];
    const char *name = wanted->name;
    brood_process *process;

    if (name == NULL) {
        const size_t room = sizeof usual - strlen(work->name) - 2;
        (void)snprintf(usual, sizeof usual, "%s-%.*s", work->name, (int)room, identity);
        name = usual;
    }
    process = brood_process_new(BROOD_PROCESS_CHILD, name);
    if (process != NULL) {
        /* To inherit is not to be one: a daemonic process has no children. */
        process->daemon = wanted->daemon == 1;
        process->outlives = wanted->outlive_parent;
        process->helper = work->helper;
        process->deadline_ms = wanted->deadline_ms;
    }
    return process;
}

/* A small body goes along with the record; a larger one is encoded straight into shared memory: one
 * copy, whatever the size. */
typedef struct start_body {
    brood_os_section section;
    void *data;
    size_t size;
    unsigned char small[BROOD_OS_BODY_MAX];
} start_body;

static int reserve_body(void *user, size_t size, void **data)
{
    start_body *room = user;
    int rc = 0;

    room->size = size;
    room->data = room->small;
    if (size > sizeof room->small) {
        rc = brood_os_section_create(&room->section, size);
        room->data = room->section.data;
    }
    *data = room->data;
    return rc;
}

/* What the child is told, beside its arguments. */
typedef struct order {
    const brood_process *process;
    const char *identity;
    brood_os_method method;
    const char *executable;
    brood_value library; /* ours, if the child runs another program */
    const brood_work *work;
    const brood_args *args;
    brood_view authkey; /* empty: ours */
    bool serves;        /* the fork server itself */
} order;

static int encode_order(const order *wanted, const brood_value *named, size_t positional,
                        const brood_saver *saver, const brood_room *room)
{
    const brood_args *args = wanted->args;
    const brood_value parent[] = {brood_int(brood_os_pid()),
                                  brood_str(brood_current_process()->name)};
    const brood_value items[] = {
        brood_str(wanted->work->field),
        wanted->work->value,
        brood_str("args"),
        brood_tuple(args ? args->items : NULL, positional),
        brood_str("named"),
        brood_dict(named, args ? args->count - positional : 0),
        brood_str("name"),
        brood_str(wanted->process->name),
        brood_str("identity"),
        brood_str(wanted->identity),
        brood_str("parent"),
        brood_tuple(parent, 2),
        brood_str("daemon"),
        brood_bool(wanted->process->daemon),
        brood_str("log"),
        brood_int(brood_log_level_now()),
        brood_str("method"),
        brood_str(brood_start_method_chosen()),
        brood_str("library"),
        wanted->library,
    };

    return brood_codec_encode(brood_dict(items, sizeof items / sizeof items[0] / 2), saver, room);
}

static int write_body(const brood_room *room, brood_parcel *parcel, const order *wanted)
{
    const brood_saver saver = brood_parcel_saver(parcel);
    brood_value *named = NULL;
    size_t positional = 0;
    int rc = brood_args_split(wanted->args, &positional);

    if (rc == 0) {
        rc = brood_args_named(&named, wanted->args, positional);
    }
    if (rc == 0) {
        rc = encode_order(wanted, named, positional, &saver, room);
    }
    free(named);
    return rc;
}

static int choose_authkey(unsigned char out[BROOD_AUTHKEY_MAX], size_t *size, brood_view given)
{
    if (given.size == 0) {
        return brood_authkey_copy(out, size);
    }
    memcpy(out, given.data, given.size);
    *size = given.size;
    return 0;
}

static int start_process(brood_process *process, brood_os_start *start, brood_parcel *parcel)
{
    int rc;

    start->handles = parcel->handles;
    start->handle_count = parcel->handle_count;
    start->outlive = process->outlives;
    BROOD_STOP(start->serves ? "parent-server-encoded" : "parent-encoded");
    rc = start->method == BROOD_OS_FORKSERVER ? brood_forkserver_start(process, start)
                                              : brood_os_process_start(&process->os, start);
    if (rc == 0) {
        brood_parcel_give(parcel);
    }
    return rc;
}

static int launch_program(brood_process *process, brood_parcel *parcel, const order *wanted)
{
    unsigned char record[BROOD_RECORD_SIZE];
    unsigned char authkey[BROOD_AUTHKEY_MAX];
    size_t authkey_size = 0;
    start_body body;
    const brood_room room = {reserve_body, &body};
    brood_os_start start = {.method = wanted->method};
    int rc;

    body.section = BROOD_OS_SECTION_NONE;
    rc = choose_authkey(authkey, &authkey_size, wanted->authkey);
    if (rc == 0) {
        rc = write_body(&room, parcel, wanted);
    }
    if (rc) {
        goto done;
    }
    brood_record_sign(record, body.data, body.size, (uint32_t)parcel->handle_count);
    start.body = (brood_view){body.data, body.size};
    if (body.data != body.small) {
        start.body = (brood_view){NULL, 0};
        rc = brood_os_section_seal(&body.section);
    }
    if (rc) {
        goto done;
    }
    start.executable = wanted->executable;
    start.serves = wanted->serves;
    start.record = record;
    start.record_size = sizeof record;
    start.section = body.section.handle;
    start.secret = (brood_view){authkey, authkey_size};
    rc = start_process(process, &start, parcel);

done:
    sodium_memzero(record, sizeof record);
    sodium_memzero(authkey, authkey_size);
    brood_os_section_close(&body.section);
    return rc;
}

/* Only a spawned child runs another program; then both need to have the same library. */
static int find_executable(order *wanted, brood_arena *arena)
{
    int rc = 0;

    if (wanted->method == BROOD_OS_SPAWN) {
        rc = brood_executable(&wanted->executable, arena);
    }
    if (rc == 0 && wanted->executable != NULL) {
        rc = brood_library_describe(&wanted->library, arena);
    }
    return rc;
}

/* A copy of this process finds the body in its memory: nothing is shared, so nothing is signed. Our
 * authentication key is there as well, once there is one. */
static int launch_copy(brood_process *process, brood_parcel *parcel, const order *wanted)
{
    brood_child_plan plan = {BROOD_BUFFER_NONE, wanted->authkey};
    const brood_room room = brood_room_of_buffer(&plan.body);
    brood_os_start start = {.method = wanted->method};
    int rc = brood_authkey_ready();

    if (rc == 0) {
        rc = write_body(&room, parcel, wanted);
    }
    if (rc == 0) {
        brood_fork_warn();
        start.run = brood_child_run_copy;
        start.user = &plan;
        rc = start_process(process, &start, parcel);
    }
    brood_buffer_release(&plan.body);
    return rc;
}

static int launch(brood_process *process, const order *wanted)
{
    brood_parcel parcel;
    int rc;

    brood_parcel_init(&parcel, true);
    rc = wanted->method == BROOD_OS_FORK ? launch_copy(process, &parcel, wanted)
                                         : launch_program(process, &parcel, wanted);
    brood_parcel_release(&parcel);
    return rc;
}

/* Whether this process may have children, and these. */
static int may_start(const brood_process_options *wanted)
{
    int rc = brood_process_options_check(wanted);

    if (rc == 0 && brood_current_process()->daemon) {
        rc = brood_fail(BROOD_EINVAL, "%s is daemonic: such processes have no children",
                        brood_current_process()->name);
    }
    return rc ? rc : brood_ready();
}

/* A child with a deadline is watched from its first moment, or not started. */
static int launch_watched(brood_process *process, const order *wanted)
{
    int rc = process->deadline_ms > 0 ? brood_watchdog_hold() : 0;

    if (rc) {
        return rc;
    }
    rc = launch(process, wanted);
    if (rc == 0 && process->deadline_ms > 0) {
        rc = brood_deadline(&process->deadline_ns, process->deadline_ms);
    } else if (process->deadline_ms > 0) {
        brood_watchdog_release();
    }
    return rc;
}

int brood_process_start_work(brood_process **out, const brood_work *work, const brood_args *args,
                             const brood_process_options *options)
{
    brood_process_options wanted;
    char identity[BROOD_NAME_SIZE];
    order orders = {.identity = identity, .library = brood_none(), .work = work, .args = args};
    brood_arena arena = BROOD_ARENA_NONE;
    brood_process *process;
    int rc = brood_options_read(&wanted, sizeof wanted, options, "process");

    if (rc == 0) {
        rc = may_start(&wanted);
    }
    if (rc) {
        return rc;
    }
    brood_children_reap();
    brood_current_next_child(identity);
    process = new_child(work, identity, &wanted);
    if (process == NULL) {
        return brood_last_error()->error;
    }
    orders.process = process;
    orders.method = brood_context_how(wanted.context);
    orders.authkey = wanted.authkey;
    rc = find_executable(&orders, &arena);
    if (rc == 0) {
        rc = launch_watched(process, &orders);
    }
    brood_arena_release(&arena);
    if (rc) {
        brood_process_free(process);
        return rc;
    }
    brood_children_add(process);
    if (process->deadline_ms > 0) {
        brood_watchdog_look();
    }
    brood_log(BROOD_LOG_INFO, "started %s (pid %lld)", process->name, (long long)process->os.pid);
    *out = process;
    return 0;
}

int brood_process_start_server(brood_process **out, const brood_work *work, const brood_args *args)
{
    order orders = {.identity = work->name,
                    .method = BROOD_OS_SPAWN,
                    .library = brood_none(),
                    .work = work,
                    .args = args,
                    .serves = true};
    brood_arena arena = BROOD_ARENA_NONE;
    brood_process *process = brood_process_new(BROOD_PROCESS_CHILD, work->name);
    int rc;

    if (process == NULL) {
        return brood_last_error()->error;
    }
    process->hidden = true;
    orders.process = process;
    rc = find_executable(&orders, &arena);
    if (rc == 0) {
        rc = launch(process, &orders);
    }
    brood_arena_release(&arena);
    if (rc) {
        brood_process_free(process);
        return rc;
    }
    brood_children_add(process);
    brood_log(BROOD_LOG_INFO, "began %s (pid %lld)", process->name, (long long)process->os.pid);
    *out = process;
    return 0;
}

int brood_process_start(brood_process **out, brood_function target, const brood_args *args,
                        const brood_process_options *options)
{
    const brood_work work = {"target", brood_function_value(target), "Process", false};

    if (out == NULL || target == NULL) {
        return brood_fail(BROOD_EINVAL, "brood_process_start needs a function and a place for the "
                                        "process");
    }
    *out = NULL;
    return brood_process_start_work(out, &work, args, options);
}

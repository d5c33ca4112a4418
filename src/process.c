#include "process.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bootstrap.h"
#include "codec.h"
#include "deadline.h"
#include "error.h"
#include "fault.h"
#include "init.h"
#include "log.h"
#include "message.h"
#include "options.h"
#include "parcel.h"
#include "platform.h"
#include "report.h"

struct brood_process {
    brood_atomic refs;
    char name[BROOD_NAME_SIZE];
    brood_os_process os;

    brood_os_mutex mutex; /* for the rest */
    bool ended;
    int exitcode;
    bool failed;
    brood_failure failure;
    char words[BROOD_WORDS_SIZE];
    brood_buffer left; /* what the child left, with the result in it */
    brood_view result;

    brood_process *next; /* in the list of children; its mutex */
};

/* ---- the children of this process ---- */

/* Every child that was not collected stands here with one reference, so that it is reaped even
 * when the program lets go of it. */
static struct {
    brood_os_mutex mutex;
    brood_process *first;
    int64_t owner; /* after a plain fork of the host they are somebody else's children */
} children = {BROOD_OS_MUTEX_INIT, NULL, 0};

static void add_child(brood_process *process)
{
    brood_os_mutex_lock(&children.mutex);
    if (children.owner != brood_os_pid()) {
        children.owner = brood_os_pid();
        children.first = NULL;
    }
    process->next = children.first;
    children.first = brood_process_ref(process);
    brood_os_mutex_unlock(&children.mutex);
}

static void remove_child(brood_process *process)
{
    bool found = false;

    brood_os_mutex_lock(&children.mutex);
    for (brood_process **at = &children.first; *at != NULL; at = &(*at)->next) {
        if (*at == process) {
            *at = process->next;
            found = true;
            break;
        }
    }
    brood_os_mutex_unlock(&children.mutex);
    if (found) {
        brood_process_free(process);
    }
}

/* Any child that is left, referenced. */
static brood_process *first_child(void)
{
    brood_process *found = NULL;

    brood_os_mutex_lock(&children.mutex);
    if (children.owner == brood_os_pid()) {
        found = brood_process_ref(children.first);
    }
    brood_os_mutex_unlock(&children.mutex);
    return found;
}

/* Takes children off the list that have ended and that only the list knew: they would stay
 * zombies. Nobody else can come to know them, so they need no reference meanwhile. */
static brood_process *take_forgotten(void)
{
    brood_process *taken = NULL;
    brood_process **at = &children.first;

    brood_os_mutex_lock(&children.mutex);
    while (children.owner == brood_os_pid() && *at != NULL) {
        brood_process *process = *at;
        if (brood_atomic_load(&process->refs) == 1 &&
            brood_os_process_wait(&process->os, BROOD_DEADLINE_PASSED) == 0) {
            *at = process->next;
            process->next = taken;
            taken = process;
        } else {
            at = &process->next;
        }
    }
    brood_os_mutex_unlock(&children.mutex);
    return taken;
}

/* ---- the end of one ---- */

static const char *signal_name(int signum)
{
    static const struct {
        int signum;
        const char *name;
    } known[] = {{1, "SIGHUP"},   {2, "SIGINT"},  {3, "SIGQUIT"}, {4, "SIGILL"},
                 {6, "SIGABRT"},  {8, "SIGFPE"},  {9, "SIGKILL"}, {11, "SIGSEGV"},
                 {13, "SIGPIPE"}, {15, "SIGTERM"}}; /* the same on all our systems */

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].signum == signum) {
            return known[i].name;
        }
    }
    return "a signal";
}

static void set_failure(brood_process *process, int error, int code, const char *words)
{
    process->failed = true;
    process->failure.size = sizeof process->failure;
    process->failure.error = error;
    process->failure.code = code;
    process->failure.pid = process->os.pid;
    process->failure.exitcode = process->exitcode;
    (void)snprintf(process->words, sizeof process->words, "%.255s (pid %lld) %.200s", process->name,
                   (long long)process->os.pid, words);
    process->failure.message = process->words;
}

static void judge_reported(brood_process *process, const brood_report *report)
{
    char words[BROOD_WORDS_SIZE + 64];

    if (report->code < 0) {
        (void)snprintf(words, sizeof words, "failed: %s", report->words);
        set_failure(process, report->code, 0, words);
    } else if (report->code > 0) {
        (void)snprintf(words, sizeof words, "returned %d%s%s", report->code,
                       report->words[0] ? ": " : "", report->words);
        set_failure(process, BROOD_ETASK, report->code, words);
    } else if (process->exitcode != 0) {
        (void)snprintf(words, sizeof words, "exited with code %d after its function had returned 0",
                       process->exitcode);
        set_failure(process, BROOD_ETASK, process->exitcode, words);
    } else {
        process->result = report->result;
    }
}

static void judge(brood_process *process, const brood_os_status *status, const brood_report *report)
{
    char words[BROOD_WORDS_SIZE];

    process->exitcode = status->exitcode;
    if (!status->known && report != NULL) {
        process->exitcode = report->code < 0 ? 1 : report->code; /* as it told us itself */
    }
    if (!status->known && report == NULL) {
        set_failure(process, BROOD_EWORKER, 0, "ended, status unknown: somebody else reaped it");
    } else if (process->exitcode < 0) {
        (void)snprintf(words, sizeof words, "was ended by signal %d (%s)%s", -process->exitcode,
                       signal_name(-process->exitcode),
                       report != NULL ? " after its function had returned" : "");
        set_failure(process, BROOD_EWORKER, 0, words);
    } else if (report != NULL) {
        judge_reported(process, report);
    } else if (process->exitcode > 0) {
        (void)snprintf(words, sizeof words, "exited with code %d before its function returned",
                       process->exitcode);
        set_failure(process, BROOD_ETASK, process->exitcode, words);
    }
    process->failure.system_code = status->system_code;
}

/* Called once, with the mutex, after the end. */
static void collect(brood_process *process)
{
    brood_os_status status;
    brood_report report;
    int rc;

    brood_os_process_collect(&process->os, &status);
    rc = brood_os_process_report(&process->os, &process->left);
    if (rc == 0 && process->left.size > 0) {
        rc = brood_report_read(&report, process->left.data, process->left.size);
    }
    judge(process, &status, rc == 0 && process->left.size > 0 ? &report : NULL);
    if (rc && !process->failed) {
        set_failure(process, rc, 0, brood_last_error()->message);
    }
    process->ended = true;
    brood_log(BROOD_LOG_INFO, "%s (pid %lld) ended with exit code %d", process->name,
              (long long)process->os.pid, process->exitcode);
}

static bool has_ended(brood_process *process)
{
    bool ended;

    brood_os_mutex_lock(&process->mutex);
    ended = process->ended;
    brood_os_mutex_unlock(&process->mutex);
    return ended;
}

static int wait_until(brood_process *process, int64_t deadline_ns)
{
    bool first = false;
    int rc;

    if (has_ended(process)) {
        return 0;
    }
    rc = brood_os_process_wait(&process->os, deadline_ns);
    if (rc) {
        return rc;
    }
    brood_os_mutex_lock(&process->mutex);
    if (!process->ended) {
        collect(process);
        first = true;
    }
    brood_os_mutex_unlock(&process->mutex);
    if (first) {
        remove_child(process);
    }
    return 0;
}

static void reap_forgotten(void)
{
    brood_process *process = take_forgotten();

    while (process != NULL) {
        brood_process *next = process->next;
        collect(process);
        brood_process_free(process);
        process = next;
    }
}

void brood_processes_join(void)
{
    brood_process *process;

    while ((process = first_child()) != NULL) {
        if (wait_until(process, BROOD_DEADLINE_NEVER) != 0) {
            remove_child(process); /* the system cannot tell: do not ask for ever */
        }
        brood_process_free(process);
    }
}

/* ---- start ---- */

static int valid_name(const char *name)
{
    if (name != NULL && (name[0] == '\0' || strlen(name) >= BROOD_NAME_SIZE)) {
        return brood_fail(BROOD_EINVAL, "a process's name has 1 to %d bytes", BROOD_NAME_SIZE - 1);
    }
    return 0;
}

static brood_process *new_process(const char *name)
{
    static brood_atomic counter;
    brood_process *process = BROOD_ALLOC(calloc(1, sizeof *process));

    if (process == NULL) {
        (void)brood_fail_nomem("a process object");
        return NULL;
    }
    brood_atomic_store(&process->refs, 1);
    brood_os_mutex_init(&process->mutex);
    process->os.sentinel = BROOD_NO_HANDLE;
    if (name != NULL) {
        (void)snprintf(process->name, sizeof process->name, "%s", name);
    } else {
        (void)snprintf(process->name, sizeof process->name, "Process-%ld",
                       brood_atomic_add(&counter, 1));
    }
    return process;
}

/* Positional arguments come first, then named ones. */
static int split_args(const brood_args *args, size_t *positional)
{
    const size_t count = args != NULL ? args->count : 0;
    size_t n = 0;

    if (count > 0 && args->items == NULL) {
        return brood_fail(BROOD_EINVAL, "%zu arguments at NULL", count);
    }
    while (n < count && (args->items[n].flags & BROOD_VALUE_NAMED) == 0) {
        n++;
    }
    for (size_t i = n; i < count; i++) {
        if ((args->items[i].flags & BROOD_VALUE_NAMED) == 0) {
            return brood_fail(BROOD_EARGS, "argument %zu follows a named one: named ones come last",
                              i + 1);
        }
    }
    *positional = n;
    return 0;
}

/* The names and values of named arguments in turn, as a dict has them. */
static int collect_named(brood_value **out, const brood_args *args, size_t positional)
{
    const size_t count = args != NULL ? args->count - positional : 0;
    brood_value *items = BROOD_ALLOC(malloc((count * 2 + 1) * sizeof *items));

    if (items == NULL) {
        return brood_fail_nomem("named arguments");
    }
    for (size_t i = 0; i < count; i++) {
        items[2 * i] = args->items[positional + i].as.items[0];
        items[2 * i + 1] = args->items[positional + i].as.items[1];
    }
    *out = items;
    return 0;
}

static int reserve_section(void *user, size_t size, void **data)
{
    brood_os_section *section = user;
    const int rc = brood_os_section_create(section, size);

    *data = section->data;
    return rc;
}

/* Encodes the body straight into shared memory: one copy, whatever the size. */
static int write_body(brood_os_section *body, brood_parcel *parcel, const brood_process *process,
                      brood_function target, const brood_args *args)
{
    const brood_room room = {reserve_section, body};
    const brood_saver saver = brood_parcel_saver(parcel);
    brood_value *named = NULL;
    size_t positional;
    int rc = split_args(args, &positional);

    if (rc == 0) {
        rc = collect_named(&named, args, positional);
    }
    if (rc == 0) {
        const brood_value items[] = {
            brood_str("target"), brood_function_value(target),
            brood_str("args"),   brood_tuple(args ? args->items : NULL, positional),
            brood_str("named"),  brood_dict(named, args ? args->count - positional : 0),
            brood_str("name"),   brood_str(process->name),
            brood_str("log"),    brood_int(brood_log_level_now()),
        };
        rc = brood_codec_encode(brood_dict(items, sizeof items / sizeof items[0] / 2), &saver,
                                &room);
    }
    free(named);
    return rc;
}

static int launch(brood_process *process, brood_function target, const brood_args *args)
{
    unsigned char record[BROOD_RECORD_SIZE];
    brood_os_section body = BROOD_OS_SECTION_NONE;
    brood_parcel parcel = BROOD_PARCEL_NONE;
    brood_os_start start;
    int rc = write_body(&body, &parcel, process, target, args);

    if (rc) {
        goto done;
    }
    brood_record_sign(record, body.data, body.size, (uint32_t)parcel.count);
    rc = brood_os_section_seal(&body);
    if (rc) {
        goto done;
    }
    start.record = record;
    start.record_size = sizeof record;
    start.body = body.handle;
    start.handles = parcel.handles;
    start.handle_count = parcel.count;
    rc = brood_os_process_start(&process->os, &start);
    if (rc == 0) {
        brood_parcel_give(&parcel);
    }

done:
    sodium_memzero(record, sizeof record);
    brood_parcel_release(&parcel);
    brood_os_section_close(&body);
    return rc;
}

int brood_process_start(brood_process **out, brood_function target, const brood_args *args,
                        const brood_process_options *options)
{
    brood_process_options wanted;
    brood_process *process;
    int rc;

    if (out == NULL || target == NULL) {
        return brood_fail(BROOD_EINVAL, "brood_process_start needs a function and a place for the "
                                        "process");
    }
    *out = NULL;
    rc = brood_options_read(&wanted, sizeof wanted, options, "process");
    if (rc == 0) {
        rc = valid_name(wanted.name);
    }
    if (rc == 0) {
        rc = brood_ready();
    }
    if (rc) {
        return rc;
    }
    reap_forgotten();
    process = new_process(wanted.name);
    if (process == NULL) {
        return brood_last_error()->error;
    }
    rc = launch(process, target, args);
    if (rc) {
        brood_process_free(process);
        return rc;
    }
    add_child(process);
    brood_log(BROOD_LOG_INFO, "started %s (pid %lld)", process->name, (long long)process->os.pid);
    *out = process;
    return 0;
}

/* ---- use ---- */

static int need_process(const brood_process *process)
{
    return process != NULL ? 0 : brood_fail(BROOD_EINVAL, "the process is NULL");
}

int brood_process_join(brood_process *process, int64_t timeout_ms)
{
    int64_t deadline_ns;
    int rc = need_process(process);

    if (rc == 0) {
        rc = brood_deadline(&deadline_ns, timeout_ms);
    }
    return rc ? rc : wait_until(process, deadline_ns);
}

bool brood_process_is_alive(brood_process *process)
{
    return process != NULL && wait_until(process, BROOD_DEADLINE_PASSED) == BROOD_ETIMEDOUT;
}

int brood_process_exitcode(brood_process *process, int *exitcode)
{
    int rc = need_process(process);

    if (rc) {
        return rc;
    }
    if (brood_process_is_alive(process)) {
        return brood_fail(BROOD_ERUNNING, "%s (pid %lld) still runs", process->name,
                          (long long)process->os.pid);
    }
    *exitcode = process->exitcode;
    return 0;
}

const brood_failure *brood_process_failure(brood_process *process)
{
    if (process == NULL || brood_process_is_alive(process) || !process->failed) {
        return NULL;
    }
    return &process->failure;
}

static int read_result(brood_process *process, brood_message **out)
{
    brood_buffer copy = BROOD_BUFFER_NONE;
    int rc;

    if (process->result.size == 0) {
        return brood_message_new(out, brood_none());
    }
    rc = brood_buffer_new(&copy, process->result.size);
    if (rc == 0) {
        memcpy(copy.data, process->result.data, copy.size);
        rc = brood_message_from_buffer(out, &copy, NULL);
    }
    brood_buffer_release(&copy);
    return rc;
}

int brood_process_result(brood_process *process, brood_message **out, int64_t timeout_ms)
{
    int rc;

    if (out == NULL) {
        return brood_fail(BROOD_EINVAL, "there is no place for the result: out is NULL");
    }
    *out = NULL;
    rc = brood_process_join(process, timeout_ms);
    if (rc) {
        return rc;
    }
    return process->failed ? brood_fail_as(&process->failure) : read_result(process, out);
}

int64_t brood_process_pid(const brood_process *process)
{
    return process != NULL ? process->os.pid : 0;
}

const char *brood_process_name(const brood_process *process)
{
    return process != NULL ? process->name : "";
}

brood_handle brood_process_sentinel(const brood_process *process)
{
    return process != NULL ? process->os.sentinel : BROOD_NO_HANDLE;
}

static int stop(brood_process *process, brood_os_stop how)
{
    int rc = need_process(process);

    if (rc == 0) {
        brood_os_mutex_lock(&process->mutex);
        rc = process->ended ? 0 : brood_os_process_stop(&process->os, how);
        brood_os_mutex_unlock(&process->mutex);
    }
    return rc;
}

int brood_process_terminate(brood_process *process)
{
    return stop(process, BROOD_OS_TERMINATE);
}

int brood_process_kill(brood_process *process)
{
    return stop(process, BROOD_OS_KILL);
}

brood_process *brood_process_ref(brood_process *process)
{
    if (process != NULL) {
        (void)brood_atomic_add(&process->refs, 1);
    }
    return process;
}

void brood_process_free(brood_process *process)
{
    if (process == NULL || brood_atomic_add(&process->refs, -1) > 0) {
        return;
    }
    brood_os_process_close(&process->os);
    brood_os_mutex_fini(&process->mutex);
    brood_buffer_release(&process->left);
    free(process);
}

#include "child.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authkey.h"
#include "bootstrap.h"
#include "call.h"
#include "context.h"
#include "error.h"
#include "executable.h"
#include "fault.h"
#include "fork.h"
#include "init.h"
#include "log.h"
#include "message.h"
#include "platform.h"
#include "process_class.h"
#include "process_object.h"
#include "report.h"
#include "unparcel.h"
#include "words.h"

#define EXIT_BROOD_ERROR 1
#define LARGE_BODY ((uint64_t)1 << 20)

/* ---- the end ---- */

/* `name` is empty as long as the parent has not said what it is. */
static void print_failure(const char *name, const char *words)
{
    char line[BROOD_WORDS_SIZE + BROOD_NAME_SIZE + 8];
    const int length = name[0] != '\0' ? snprintf(line, sizeof line, "%s: %s\n", name, words)
                                       : snprintf(line, sizeof line, "brood child %lld: %s\n",
                                                  (long long)brood_os_pid(), words);

    if (length > 0) {
        (void)fflush(stdout); /* what the function printed comes first */
        brood_os_write_error(line, (size_t)length);
    }
}

/* Leaves the report; one that is too large for the system becomes a failure that says so. */
static void leave_report(brood_report *report)
{
    unsigned char head[BROOD_REPORT_HEAD + BROOD_WORDS_SIZE];
    brood_view pieces[2] = {{head, 0}, {NULL, 0}};
    int rc;

    pieces[0].size = brood_report_write(head, report);
    pieces[1] = report->result;
    rc = brood_os_child_report(pieces);
    if (rc == 0 || rc == BROOD_EPEER) { /* nobody to tell: this is a fork of a child */
        return;
    }
    report->code = rc;
    report->result.size = 0;
    (void)snprintf(report->words, sizeof report->words, "the result is lost: %.400s",
                   brood_last_error()->message);
    pieces[0].size = brood_report_write(head, report);
    pieces[1].size = 0;
    if (brood_os_child_report(pieces) != 0) {
        brood_log(BROOD_LOG_ERROR, "no report to the parent: %s", brood_last_error()->message);
    }
}

static int exit_code(int code)
{
    return code < 0 ? EXIT_BROOD_ERROR : code;
}

/* ---- the start ---- */

typedef struct start {
    brood_os_arrival arrival;
    brood_message *message;
    char name[BROOD_NAME_SIZE];
} start;

static int open_body(start *s, brood_buffer *body, uint64_t size)
{
    if (s->arrival.body.size == 0) {
        return brood_os_section_read(body, s->arrival.section, (size_t)size);
    }
    if (s->arrival.body.size != size) {
        return brood_fail(BROOD_EAUTH, "%zu bytes came where %llu were announced",
                          s->arrival.body.size, (unsigned long long)size);
    }
    *body = s->arrival.body;
    s->arrival.body = BROOD_BUFFER_NONE;
    return 0;
}

static int verify(start *s, brood_buffer *body)
{
    uint64_t size;
    int rc = brood_record_body_size(s->arrival.record, s->arrival.record_size,
                                    (uint32_t)s->arrival.handle_count, &size);

    if (rc == 0) {
        rc = open_body(s, body, size);
    }
    /* Without sodium_init its hash works, with the plain implementation. To choose another takes
     * 30 us on virtual machines, a twentieth of a start: only a large body is worth it. */
    if (rc == 0 && size >= LARGE_BODY && sodium_init() < 0) {
        rc = brood_fail(BROOD_ESYSTEM, "libsodium cannot be set up");
    }
    if (rc == 0) {
        rc = brood_record_verify(s->arrival.record, body->data, size);
    }
    sodium_memzero(s->arrival.record, sizeof s->arrival.record);
    brood_os_handle_close(s->arrival.section);
    s->arrival.section = BROOD_NO_HANDLE;
    return rc;
}

/* Takes the body over, and the handles that came with it. */
static int decode(start *s, brood_buffer *body)
{
    brood_unparcel unparcel;
    brood_loader loader;
    int rc;

    brood_unparcel_init(&unparcel, s->arrival.handles, s->arrival.handle_count);
    s->arrival.handles = NULL;
    s->arrival.handle_count = 0;
    unparcel.may_load = true; /* the parent says what we run */
    loader = brood_unparcel_loader(&unparcel);
    rc = brood_message_from_buffer(&s->message, body, &loader);
    brood_unparcel_close(&unparcel);
    return rc;
}

static void close_rest(start *s)
{
    for (size_t i = 0; i < s->arrival.handle_count; i++) {
        brood_os_handle_close(s->arrival.handles[i]);
    }
    brood_buffer_release(&s->arrival.body);
    free(s->arrival.handles);
    s->arrival.handles = NULL;
    s->arrival.handle_count = 0;
}

static int receive(start *s, brood_buffer *body)
{
    int rc = brood_os_child_receive(&s->arrival);

    BROOD_STOP("child-received");
    return rc ? rc : verify(s, body);
}

static void settle(start *s)
{
    const brood_value value = brood_message_value(s->message);
    const char *method = brood_as_str(brood_value_get(value, "method"), NULL);
    const brood_value parent = brood_value_get(value, "parent");
    const int64_t level = brood_as_int(brood_value_get(value, "log"), BROOD_LOG_OFF);

    brood_put_words(s->name, sizeof s->name,
                    brood_as_str(brood_value_get(value, "name"), "Process"));
    brood_current_set(s->name, brood_as_str(brood_value_get(value, "identity"), ""),
                      brood_as_bool(brood_value_get(value, "daemon"), false));
    brood_parent_set(brood_as_int(brood_value_at(parent, 0), 0),
                     brood_as_str(brood_value_at(parent, 1), ""));
    brood_log_to_stderr((brood_log_level)level);
    brood_start_method_inherit(method);
}

static int run_work(start *s, brood_call *call)
{
    const brood_value value = brood_message_value(s->message);
    const brood_value target = brood_value_get(value, "target");
    const brood_value klass = brood_value_get(value, "class");

    if (target.kind != BROOD_FUNCTION && klass.kind != BROOD_TUPLE_KIND) {
        return brood_fail(BROOD_EDECODE, "the start message names no function");
    }
    brood_call_init(call, brood_value_get(value, "args"), brood_value_get(value, "named"));
    brood_log(BROOD_LOG_INFO, "runs its function");
    BROOD_STOP("child-target");
    return target.kind == BROOD_FUNCTION ? target.as.function(call)
                                         : brood_process_class_run(klass, call);
}

static void end(start *s, brood_call *call, brood_report *report, int rc)
{
    report->code = brood_call_end(call, rc, report->words);
    /* Nobody who waits for a fork server needs to look there. */
    if (rc < 0 && rc != BROOD_EPEER && !brood_os_child_serves()) {
        print_failure(s->name, report->words);
    }
    report->result.data = call->result.data;
    report->result.size = rc == 0 ? call->result.size : 0;
    brood_message_free(s->message); /* its connections end before the parent sees ours */
    s->message = NULL;
    BROOD_STOP("child-reporting");
    leave_report(report);
    BROOD_STOP("child-leaving");
    brood_call_fini(call);
}

/* With the body at hand, or `rc` why it is not, to the end; returns the exit code. */
static int live(start *s, brood_buffer *body, int rc)
{
    brood_call call;
    brood_report report;

    memset(&call, 0, sizeof call);
    memset(&report, 0, sizeof report);
    if (rc == 0) {
        rc = decode(s, body);
    }
    brood_buffer_release(body);
    close_rest(s);
    if (rc == 0) {
        BROOD_STOP("child-verified");
        settle(s);
        rc = brood_library_check(brood_value_get(brood_message_value(s->message), "library"));
    }
    if (rc == 0) {
        rc = run_work(s, &call);
    }
    end(s, &call, &report, rc);
    return exit_code(report.code);
}

static start *begin(void)
{
    static start s; /* 1 KiB and more: not on a thread's stack, and there is only one */

    memset(&s, 0, sizeof s);
    s.arrival.section = BROOD_NO_HANDLE;
    BROOD_STOP("child-entered");
    BROOD_FAULTS_OF_CHILD();
    return &s;
}

/* What a copy of another process has to forget of that one. */
static void leave_original(void)
{
    randombytes_close(); /* the source may have been a descriptor */
    brood_fork_began();
}

int brood_child_run(void)
{
    start *s = begin();
    brood_buffer body = BROOD_BUFFER_NONE;
    const int rc = receive(s, &body);

    return live(s, &body, rc);
}

int brood_child_run_served(void)
{
    start *s = begin();
    brood_buffer body = BROOD_BUFFER_NONE;
    int rc;
    int code;

    leave_original();
    brood_fail_forget();
    rc = receive(s, &body);
    if (rc == 0) {
        rc = brood_authkey_renew();
    }
    code = live(s, &body, rc);
    brood_finish();
    return code;
}

int brood_child_run_copy(brood_os_arrival *arrival, int rc, void *user)
{
    brood_child_plan *plan = user;
    start *s = begin();
    int code;

    leave_original();
    if (rc == 0) {
        brood_fail_forget(); /* what failed before was in the parent */
    }
    s->arrival = *arrival;
    BROOD_STOP("child-received");
    if (rc == 0 && plan->authkey.size > 0) {
        rc = brood_set_authkey(plan->authkey.data, plan->authkey.size);
    }
    code = live(s, &plan->body, rc);
    brood_finish();
    return code;
}

#include "pool_trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "fault.h"
#include "locks.h"
#include "log.h"
#include "platform.h"
#include "pool_object.h"

#define BUFFER_SIZE ((size_t)64 * 1024)
#define EVENT_SIZE ((size_t)2048) /* at most, with words */

struct brood_trace {
    brood_trace *next; /* of all that are open, under BROOD_LOCK_TRACE */
    char *path;
    long users;
    brood_os_handle file;
    brood_os_mutex mutex; /* for what follows */
    bool failed;          /* to write: said once */
    bool any;
    size_t used;
    char buffer[BUFFER_SIZE];
};

static brood_trace *traces;

/* ---- open and close ---- */

/* The environment names one file for the whole program: a child's would overwrite it. */
static const char *usual_path(void)
{
    const char *path = brood_parent_is_set() ? NULL : getenv("BROOD_TRACE");

    return path != NULL && path[0] != '\0' ? path : NULL;
}

static void flush(brood_trace *trace)
{
    if (trace->used > 0 && !trace->failed &&
        brood_os_file_write(trace->file, trace->buffer, trace->used) != 0) {
        trace->failed = true;
        brood_log(BROOD_LOG_ERROR, "the trace %s ends early: %s", trace->path,
                  brood_last_error()->message);
    }
    trace->used = 0;
}

static void complete(brood_trace *trace)
{
    memcpy(trace->buffer + trace->used, trace->any ? "\n]\n" : "[]\n", 3);
    trace->used += 3;
    flush(trace);
    brood_os_handle_close(trace->file);
    brood_os_mutex_fini(&trace->mutex);
    free(trace->path);
    free(trace);
}

static int create(brood_trace **out, const char *path)
{
    brood_trace *trace = BROOD_ALLOC(malloc(sizeof *trace));
    int rc;

    if (trace == NULL) {
        return brood_fail_nomem("a trace");
    }
    memset(trace, 0, offsetof(brood_trace, buffer));
    trace->path = BROOD_ALLOC(malloc(strlen(path) + 1));
    rc = trace->path != NULL ? brood_os_file_create(&trace->file, path)
                             : brood_fail_nomem("a trace");
    if (rc) {
        free(trace->path);
        free(trace);
        return rc;
    }
    (void)strcpy(trace->path, path);
    brood_os_mutex_init(&trace->mutex);
    trace->next = traces;
    traces = trace;
    *out = trace;
    return 0;
}

/* With the lock held. */
static int open_locked(brood_trace **out, const char *path, bool usual)
{
    brood_trace *trace = traces;
    int rc = 0;

    while (trace != NULL && strcmp(trace->path, path) != 0) {
        trace = trace->next;
    }
    if (trace == NULL) {
        rc = create(&trace, path);
        if (rc == 0 && usual) {
            trace->users++; /* it stays open until brood_trace_finish */
        }
    }
    if (rc == 0) {
        trace->users++;
        *out = trace;
    }
    return rc;
}

int brood_trace_open(brood_trace **out, const char *path)
{
    const bool usual = path == NULL;
    int rc = 0;

    path = usual ? usual_path() : path;
    *out = NULL;
    if (path != NULL) {
        brood_locks_take(BROOD_LOCK_TRACE);
        rc = open_locked(out, path, usual);
        brood_locks_give(BROOD_LOCK_TRACE);
    }
    return rc;
}

void brood_trace_close(brood_trace *trace)
{
    bool last;

    if (trace == NULL) {
        return;
    }
    brood_locks_take(BROOD_LOCK_TRACE);
    last = --trace->users == 0;
    for (brood_trace **link = &traces; last && *link != NULL; link = &(*link)->next) {
        if (*link == trace) {
            *link = trace->next;
            break;
        }
    }
    brood_locks_give(BROOD_LOCK_TRACE);
    if (last) {
        complete(trace);
    }
}

void brood_trace_finish(void)
{
    const char *path = usual_path();
    brood_trace *trace;

    if (path == NULL) {
        return;
    }
    brood_locks_take(BROOD_LOCK_TRACE);
    trace = traces;
    while (trace != NULL && strcmp(trace->path, path) != 0) {
        trace = trace->next;
    }
    brood_locks_give(BROOD_LOCK_TRACE);
    brood_trace_close(trace);
}

/* ---- events ---- */

/* JSON's text; the words are UTF-8, or nearly. */
static void write_text(char *out, size_t size, const char *text)
{
    size_t n = 0;

    for (; *text != '\0' && n + 7 < size; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            out[n++] = '\\';
            out[n++] = (char)c;
        } else if (c < 0x20 || c >= 0x7f) {
            n += (size_t)snprintf(out + n, size - n, "\\u%04x", c < 0x20 ? c : 0xfffdu);
        } else {
            out[n++] = (char)c;
        }
    }
    out[n] = '\0';
}

static void add(brood_trace *trace, const char *event, size_t size)
{
    brood_os_mutex_lock(&trace->mutex);
    if (trace->used + size + 8 > BUFFER_SIZE) {
        flush(trace);
    }
    memcpy(trace->buffer + trace->used, trace->any ? ",\n" : "[\n", 2);
    memcpy(trace->buffer + trace->used + 2, event, size);
    trace->used += size + 2;
    trace->any = true;
    brood_os_mutex_unlock(&trace->mutex);
}

static double microseconds(int64_t ns)
{
    return (double)ns / 1000;
}

void brood_trace_worker(brood_trace *trace, int64_t pid, const char *name)
{
    char event[EVENT_SIZE];
    char text[600];

    if (trace != NULL) {
        write_text(text, sizeof text, name);
        add(trace, event,
            (size_t)snprintf(event, sizeof event,
                             "{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":%lld,\"tid\":%lld,"
                             "\"args\":{\"name\":\"%s (pid %lld)\"}}",
                             (long long)brood_os_pid(), (long long)pid, text, (long long)pid));
    }
}

void brood_trace_task(brood_trace *trace, int64_t pid, int kind, size_t index, int64_t began_ns,
                      int64_t ended_ns, int code)
{
    static const char *const names[] = {"apply", "map", "imap"};
    char event[EVENT_SIZE];

    if (trace != NULL && began_ns != 0) {
        add(trace, event,
            (size_t)snprintf(event, sizeof event,
                             "{\"ph\":\"X\",\"name\":\"%s %zu\",\"cat\":\"%s\",\"pid\":%lld,"
                             "\"tid\":%lld,\"ts\":%.3f,\"dur\":%.3f,\"args\":{\"code\":%d}}",
                             names[kind], index, code == 0 ? "task" : "failed",
                             (long long)brood_os_pid(), (long long)pid, microseconds(began_ns),
                             microseconds(ended_ns - began_ns), code));
    }
}

void brood_trace_death(brood_trace *trace, int64_t pid, const char *words, int64_t began_ns)
{
    const int64_t now = brood_os_now();
    char event[EVENT_SIZE];
    char text[1200];

    if (trace == NULL) {
        return;
    }
    write_text(text, sizeof text, words);
    if (began_ns != 0) {
        add(trace, event,
            (size_t)snprintf(event, sizeof event,
                             "{\"ph\":\"X\",\"name\":\"lost\",\"cat\":\"lost\",\"pid\":%lld,"
                             "\"tid\":%lld,\"ts\":%.3f,\"dur\":%.3f,\"args\":{\"words\":\"%s\"}}",
                             (long long)brood_os_pid(), (long long)pid, microseconds(began_ns),
                             microseconds(now - began_ns), text));
    }
    add(trace, event,
        (size_t)snprintf(event, sizeof event,
                         "{\"ph\":\"i\",\"s\":\"t\",\"name\":\"worker ended\",\"cat\":\"death\","
                         "\"pid\":%lld,\"tid\":%lld,\"ts\":%.3f,\"args\":{\"words\":\"%s\"}}",
                         (long long)brood_os_pid(), (long long)pid, microseconds(now), text));
}

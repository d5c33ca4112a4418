#include "win32.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A stream is a named pipe without a guessable name, overlapped on both sides.
 *
 * A write that does not fit into the pipe waits, and is taken back when its time is over. The
 * system then says 0 bytes even if the reader had some of them already, which would put the two
 * sides out of step. Hence the pipe carries messages ("units"), and a reader always takes a whole
 * one: a write that is taken back then was not read at all. What the caller of a read has no room
 * for is kept here for the next. Units mean nothing beyond that: to the callers it is a stream.
 *
 * A foreign pipe may carry bytes without units. There a write that was taken back may have left in
 * part, so it is not taken back before its time, and then nobody can tell. */

#define UNIT_MAX 65536
#define JOIN_MAX 16384                      /* what is copied to leave as one unit; on the stack */
#define PIPE_BUFFER ((DWORD)(4 * UNIT_MAX)) /* a writer may be so far ahead */
#define SLICE_NS ((int64_t)100 * 1000 * 1000) /* no wait is longer, see platform.h */

/* brood_os_stream.kind */
#define KIND_UNITS 0
#define KIND_BYTES 1

/* What brood_os_stream.read_event points to. */
typedef struct reader {
    HANDLE closing; /* signalled from brood_os_stream_interrupt on; also for the writer */
    HANDLE event;
    unsigned char *unit; /* UNIT_MAX bytes, made at the first read that needs it */
    size_t start;        /* of what is left in it */
    size_t end;

    HANDLE armed_event; /* made when the stream is first waited for */
    OVERLAPPED armed;   /* a read of no bytes, which ends when there is something to read */
    bool is_armed;      /* it was begun, and its end was not taken yet */
} reader;

static reader *reader_of(const brood_os_stream *stream)
{
    return (reader *)stream->read_event;
}

/* ---- making ends ---- */

static void free_reader(reader *ours)
{
    brood_win32_close(ours->closing);
    brood_win32_close(ours->armed_event);
    brood_win32_close(ours->event);
    free(ours->unit);
    free(ours);
}

static int make_stream(brood_os_stream *out, brood_os_handle handle, int kind)
{
    HANDLE write_event = NULL;
    reader *made = BROOD_ALLOC(calloc(1, sizeof *made));
    int rc;

    if (made == NULL) {
        return brood_fail_nomem("a stream");
    }
    rc = brood_win32_event(&made->event);
    if (rc == 0) {
        rc = brood_win32_event(&made->closing);
    }
    if (rc == 0) {
        rc = brood_win32_event(&write_event);
    }
    if (rc) {
        free_reader(made);
        return rc;
    }
    out->handle = handle;
    out->read_event = (brood_os_handle)made;
    out->write_event = (brood_os_handle)write_event;
    out->kind = kind;
    return 0;
}

int brood_os_stream_adopt(brood_os_stream *out, brood_os_handle handle)
{
    DWORD flags = 0;
    const bool units = GetNamedPipeInfo(brood_win32_handle(handle), &flags, NULL, NULL, NULL) &&
                       (flags & PIPE_TYPE_MESSAGE) != 0;

    return make_stream(out, handle, units ? KIND_UNITS : KIND_BYTES);
}

void brood_os_stream_interrupt(brood_os_stream *stream)
{
    (void)SetEvent(reader_of(stream)->closing);
}

/* The system writes into `armed` until it is over. */
static void disarm(const brood_os_stream *stream)
{
    const HANDLE pipe = brood_win32_handle(stream->handle);
    reader *ours = reader_of(stream);
    DWORD count;

    if (ours->is_armed) {
        (void)CancelIoEx(pipe, &ours->armed);
        (void)GetOverlappedResult(pipe, &ours->armed, &count, TRUE);
        ours->is_armed = false;
    }
}

void brood_os_stream_close(brood_os_stream *stream)
{
    if (stream->handle != BROOD_NO_HANDLE) {
        brood_win32_posts_forget_pipe(brood_win32_handle(stream->handle));
    }
    if (stream->read_event != BROOD_NO_HANDLE) {
        disarm(stream);
        free_reader(reader_of(stream));
    }
    brood_os_handle_close(stream->write_event);
    brood_os_handle_close(stream->handle);
    *stream = BROOD_OS_STREAM_NONE;
}

/* ---- making a pair ---- */

static void put_name(wchar_t *out, const unsigned char *random, size_t size)
{
    static const wchar_t prefix[] = L"\\\\.\\pipe\\brood-";
    static const wchar_t digits[] = L"0123456789abcdef";
    size_t i;

    memcpy(out, prefix, sizeof prefix);
    out += sizeof prefix / sizeof prefix[0] - 1;
    for (i = 0; i < size; i++) {
        *out++ = digits[random[i] >> 4];
        *out++ = digits[random[i] & 15];
    }
    *out = 0;
}

/* The name lives until the second end is opened: there is one instance, for one client. */
static int make_pipe(HANDLE *first, HANDLE *second, bool duplex)
{
    const DWORD access = duplex ? PIPE_ACCESS_DUPLEX : PIPE_ACCESS_INBOUND;
    /* Attributes tell whether the other end is still open, and what kind of pipe it is. */
    const DWORD opposite =
        duplex ? GENERIC_READ | GENERIC_WRITE : GENERIC_WRITE | FILE_READ_ATTRIBUTES;
    DWORD mode = PIPE_READMODE_MESSAGE;
    unsigned char random[16];
    wchar_t name[64];
    brood_win32_access us;
    int rc = brood_win32_random(random, sizeof random);

    if (rc == 0) {
        rc = brood_win32_only_us(&us, FILE_ALL_ACCESS, "a pipe");
    }
    if (rc) {
        return rc;
    }
    put_name(name, random, sizeof random);
    *first = BROOD_WIN(
        "CreateNamedPipeW", ERROR_NO_SYSTEM_RESOURCES, INVALID_HANDLE_VALUE,
        CreateNamedPipeW(name, access | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE,
                         PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE | PIPE_WAIT |
                             PIPE_REJECT_REMOTE_CLIENTS,
                         1, PIPE_BUFFER, PIPE_BUFFER, 0, &us.attributes));
    if (*first == INVALID_HANDLE_VALUE) {
        return brood_win32_error(GetLastError(), "make a pipe");
    }
    *second = BROOD_WIN(
        "CreateFileW", ERROR_NO_SYSTEM_RESOURCES, INVALID_HANDLE_VALUE,
        CreateFileW(name, opposite, 0, NULL, OPEN_EXISTING,
                    FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL));
    if (*second == INVALID_HANDLE_VALUE) {
        return brood_win32_error(GetLastError(), "open the other end of a pipe");
    }
    if (duplex && !BROOD_WIN("SetNamedPipeHandleState", ERROR_NO_SYSTEM_RESOURCES, FALSE,
                             SetNamedPipeHandleState(*second, &mode, NULL, NULL))) {
        return brood_win32_error(GetLastError(), "set how a pipe is read");
    }
    return 0;
}

int brood_os_stream_pair(brood_os_stream *first, brood_os_stream *second, bool duplex)
{
    HANDLE ends[2] = {INVALID_HANDLE_VALUE, INVALID_HANDLE_VALUE};
    brood_os_stream one = BROOD_OS_STREAM_NONE;
    brood_os_stream two = BROOD_OS_STREAM_NONE;
    int rc = make_pipe(&ends[0], &ends[1], duplex);

    if (rc) {
        goto done;
    }
    rc = make_stream(&one, (brood_os_handle)ends[0], KIND_UNITS);
    if (rc) {
        goto done;
    }
    ends[0] = INVALID_HANDLE_VALUE;
    rc = make_stream(&two, (brood_os_handle)ends[1], KIND_UNITS);
    if (rc) {
        goto done;
    }
    ends[1] = INVALID_HANDLE_VALUE;
    *first = one;
    *second = two;
    one = BROOD_OS_STREAM_NONE;

done:
    brood_os_stream_close(&one);
    brood_win32_close(ends[0]);
    brood_win32_close(ends[1]);
    return rc;
}

/* ---- moving bytes ---- */

static int64_t earlier_of_slice(int64_t deadline_ns)
{
    const int64_t slice = deadline_ns == 0 ? 0 : brood_os_now() + SLICE_NS;

    return slice < deadline_ns ? slice : deadline_ns;
}

/* Waits for an operation's end; BROOD_ETIMEDOUT also when the stream is to be closed. */
static int wait_for_end(HANDLE event, HANDLE closing, const char *what, int64_t deadline_ns)
{
    const HANDLE both[2] = {event, closing};

    for (;;) {
        const DWORD got =
            BROOD_WIN("WaitForMultipleObjects", ERROR_INVALID_HANDLE, WAIT_FAILED,
                      WaitForMultipleObjects(2, both, FALSE, brood_win32_left_ms(deadline_ns)));
        if (got == WAIT_OBJECT_0) {
            return 0;
        }
        if (got != WAIT_TIMEOUT && got != WAIT_OBJECT_0 + 1) {
            return brood_win32_error(GetLastError(), "%s", what);
        }
        /* The system's ticks are coarse: it may come back a moment early. */
        if (got == WAIT_OBJECT_0 + 1 || deadline_ns == 0 || brood_os_now() >= deadline_ns) {
            return brood_fail(BROOD_ETIMEDOUT, "%s: timed out", what);
        }
    }
}

/* Waits for an operation whose start gave `code`, 0 for success, and takes it back when the time is
 * over. Returns GetLastError's code of its end and sets `*count`; ERROR_OPERATION_ABORTED with
 * `*rc` set when it was taken back. */
static DWORD finish(const brood_os_stream *stream, OVERLAPPED *operation, const char *what,
                    DWORD code, DWORD *count, int64_t deadline_ns, int *rc)
{
    const HANDLE pipe = brood_win32_handle(stream->handle);

    *count = 0;
    *rc = 0;
    if (code != ERROR_SUCCESS && code != ERROR_IO_PENDING && code != ERROR_MORE_DATA) {
        return code;
    }
    if (code == ERROR_IO_PENDING) {
        *rc = wait_for_end(operation->hEvent, reader_of(stream)->closing, what, deadline_ns);
        if (*rc) {
            (void)CancelIoEx(pipe, operation);
        }
    }
    /* Only after this has the system let go of the bytes and of `operation`. It may have ended well
     * just before it was to be taken back. */
    if (GetOverlappedResult(pipe, operation, count, TRUE)) {
        return ERROR_SUCCESS;
    }
    return GetLastError();
}

/* Receives one unit; the rest of one that is no unit of ours, and longer, stays for the next. */
static int receive(const brood_os_stream *stream, void *data, size_t size, size_t *got,
                   int64_t deadline_ns)
{
    const HANDLE pipe = brood_win32_handle(stream->handle);
    const DWORD room = size < 0x40000000 ? (DWORD)size : 0x40000000;
    OVERLAPPED operation;
    DWORD count;
    DWORD code;
    int rc;

    do {
        memset(&operation, 0, sizeof operation);
        operation.hEvent = reader_of(stream)->event;
        code = BROOD_WIN("ReadFile", ERROR_NO_SYSTEM_RESOURCES, FALSE,
                         ReadFile(pipe, data, room, NULL, &operation))
                   ? ERROR_SUCCESS
                   : GetLastError();
        code =
            finish(stream, &operation, "receive", code, &count, earlier_of_slice(deadline_ns), &rc);
        if (rc == BROOD_ETIMEDOUT && deadline_ns != 0) {
            brood_win32_posts_sweep();
        }
    } while (code == ERROR_SUCCESS && count == 0); /* an empty message of a stranger */

    switch (code) {
    case ERROR_SUCCESS:
    case ERROR_MORE_DATA:
        *got = count;
        return 0;
    case ERROR_BROKEN_PIPE:
    case ERROR_PIPE_NOT_CONNECTED:
    case ERROR_HANDLE_EOF:
        return brood_fail(BROOD_EEND, "receive: the other end is closed");
    default:
        return rc ? rc : brood_win32_error(code, "receive");
    }
}

/* Armed, and nothing came since. */
static bool is_quiet(const reader *ours)
{
    return ours->is_armed && !HasOverlappedIoCompleted(&ours->armed);
}

static size_t take_kept(reader *from, void *data, size_t size)
{
    const size_t left = from->end - from->start;
    const size_t taken = size < left ? size : left;

    memcpy(data, from->unit + from->start, taken);
    from->start += taken;
    return taken;
}

int brood_os_stream_read(brood_os_stream *stream, void *data, size_t size, size_t *got,
                         int64_t deadline_ns)
{
    reader *ours = reader_of(stream);

    if (ours->start == ours->end) {
        size_t count = 0;
        int rc;

        if (deadline_ns == 0 && is_quiet(ours)) {
            return brood_fail(BROOD_ETIMEDOUT, "receive: timed out");
        }
        disarm(stream);
        if (size >= UNIT_MAX) {
            return receive(stream, data, size, got, deadline_ns);
        }
        if (ours->unit == NULL) {
            ours->unit = BROOD_ALLOC(malloc(UNIT_MAX));
        }
        if (ours->unit == NULL) {
            return brood_fail_nomem("reading from a pipe");
        }
        rc = receive(stream, ours->unit, UNIT_MAX, &count, deadline_ns);
        if (rc) {
            return rc;
        }
        ours->start = 0;
        ours->end = count;
    }
    *got = take_kept(ours, data, size);
    return 0;
}

int brood_os_stream_read_on(brood_os_stream *stream, void *data, size_t size, void *ahead,
                            size_t room, size_t *got, int64_t deadline_ns)
{
    (void)ahead; /* one buffer to a call */
    (void)room;
    return brood_os_stream_read(stream, data, size, got, deadline_ns);
}

brood_view brood_os_stream_unread(const brood_os_stream *stream)
{
    const reader *ours = reader_of(stream);
    brood_view kept = {NULL, 0};

    if (ours->start < ours->end) {
        kept.data = ours->unit + ours->start;
        kept.size = ours->end - ours->start;
    }
    return kept;
}

/* ---- waiting for bytes ---- */

/* A read of no bytes ends when there is something, and takes nothing of it. Unlike a read with room
 * it may stay begun for as long as one likes: nothing is lost when it is taken back. */
static void begin_to_wait(const brood_os_stream *stream, bool *there)
{
    static char no_room;
    reader *ours = reader_of(stream);

    memset(&ours->armed, 0, sizeof ours->armed);
    ours->armed.hEvent = ours->armed_event;
    if (!ReadFile(brood_win32_handle(stream->handle), &no_room, 0, NULL, &ours->armed) &&
        GetLastError() == ERROR_IO_PENDING) {
        ours->is_armed = true;
        return;
    }
    /* There are bytes, or it is the end: what failed here fails again in a read. */
    (void)SetEvent(ours->armed_event);
    *there = true;
}

int brood_os_stream_arm(brood_os_stream *stream, brood_os_waitable *out)
{
    reader *ours = reader_of(stream);
    int rc = 0;

    if (ours->armed_event == NULL) {
        rc = brood_win32_event(&ours->armed_event);
    }
    if (rc) {
        return rc;
    }
    out->handle = (brood_os_handle)ours->armed_event;
    out->hint = false;
    if (ours->start < ours->end) {
        out->ready = true;
    } else if (!is_quiet(ours)) {
        disarm(stream);
        begin_to_wait(stream, &out->ready);
    }
    return 0;
}

bool brood_os_stream_confirm(brood_os_stream *stream)
{
    reader *ours = reader_of(stream);
    DWORD count;

    /* The system takes a thread's reads back when the thread ends. */
    return !ours->is_armed ||
           (HasOverlappedIoCompleted(&ours->armed) &&
            (GetOverlappedResult(brood_win32_handle(stream->handle), &ours->armed, &count, FALSE) ||
             GetLastError() != ERROR_OPERATION_ABORTED));
}

/* ---- writing ---- */

/* Chooses what leaves as one unit: as it lies there, or both pieces joined in `room`. */
static brood_view next_unit(const brood_view pieces[2], unsigned char room[JOIN_MAX])
{
    brood_view unit = pieces[0].size > 0 ? pieces[0] : pieces[1];

    if (pieces[0].size > 0 && pieces[0].size < JOIN_MAX && pieces[1].size > 0) {
        const size_t left = JOIN_MAX - pieces[0].size;
        const size_t second = pieces[1].size < left ? pieces[1].size : left;

        memcpy(room, pieces[0].data, pieces[0].size);
        memcpy(room + pieces[0].size, pieces[1].data, second);
        unit.data = room;
        unit.size = pieces[0].size + second;
    }
    unit.size = unit.size < UNIT_MAX ? unit.size : UNIT_MAX;
    return unit;
}

int brood_os_stream_write(brood_os_stream *stream, const brood_view pieces[2], size_t *sent,
                          int64_t deadline_ns)
{
    const HANDLE pipe = brood_win32_handle(stream->handle);
    unsigned char room[JOIN_MAX];
    const brood_view unit = next_unit(pieces, room);
    OVERLAPPED operation;
    DWORD count;
    DWORD code;
    int rc;

    assert(unit.size > 0);
    memset(&operation, 0, sizeof operation);
    operation.hEvent = brood_win32_handle(stream->write_event);
    code = BROOD_WIN("WriteFile", ERROR_NO_SYSTEM_RESOURCES, FALSE,
                     WriteFile(pipe, unit.data, (DWORD)unit.size, NULL, &operation))
               ? ERROR_SUCCESS
               : GetLastError();
    code = finish(stream, &operation, "send", code, &count,
                  stream->kind == KIND_UNITS ? earlier_of_slice(deadline_ns) : deadline_ns, &rc);
    switch (code) {
    case ERROR_SUCCESS:
        *sent = count;
        return 0;
    case ERROR_NO_DATA:
    case ERROR_BROKEN_PIPE:
    case ERROR_PIPE_NOT_CONNECTED:
        return brood_fail_system(BROOD_EPEER, (int64_t)code, "send: nobody is at the other end");
    default:
        if (rc && stream->kind == KIND_BYTES) {
            *sent = 1; /* perhaps */
        }
        return rc ? rc : brood_win32_error(code, "send");
    }
}

#include "win32.h"

#include <stdlib.h>
#include <string.h>
#include <winternl.h>

/* Handles on their way to another process. A pipe cannot carry them, and the system does not tell
 * who is at its other end (it knows who made it). So the sender keeps duplicates in its own table, a
 * post, and sends a ticket: its process id, its handle of a section, and a nonce. The receiver gets
 * the section from the sender's table, and the handles that are listed there, which thereby leave
 * that table.
 *
 * Whoever changes a handle's `taken` in the section from 0 has to close or to fetch it, and nobody
 * else may. (A receiver killed between the two leaves the handle in the sender.) Fetched is only from
 * a process of the same user that has a section with the nonce there; from ourselves we take what our
 * own list says, not what a section says that others may have written to.
 *
 * A post ends when all was taken; when the other end of the pipe is closed; with the process. Posts
 * are looked through when another one is made, and while this process waits for something to read. */

#define SHARED_MAGIC UINT64_C(0x3174736f70646272)
#define LINGER_MS 5

typedef struct entry {
    uint64_t handle; /* in the sender */
    volatile LONG taken;
    uint32_t unused;
} entry;

typedef struct shared {
    uint64_t magic;
    unsigned char nonce[BROOD_WIN32_NONCE_SIZE];
    uint64_t count;
    entry entries[];
} shared;

typedef struct ticket {
    uint64_t pid;
    uint64_t section; /* the sender's handle */
    unsigned char nonce[BROOD_WIN32_NONCE_SIZE];
} ticket;

_Static_assert(sizeof(ticket) == BROOD_OS_TICKET_SIZE, "a ticket");
_Static_assert(sizeof(ticket) <= BROOD_OS_TICKET_ROOM, "a ticket");

typedef struct post {
    struct post *next;
    HANDLE pipe; /* our end; NULL once it is closed here */
    brood_os_section section;
    shared *shared; /* the section's view: only `taken` is believed */
    unsigned char nonce[BROOD_WIN32_NONCE_SIZE];
    size_t count;
    HANDLE handles[];
} post;

static SRWLOCK guard = SRWLOCK_INIT; /* for the list and what is in it */
static post *posts;

static size_t size_for(size_t count)
{
    return sizeof(shared) + count * sizeof(entry);
}

/* ---- one post; called with the lock, or before anybody else knows it ---- */

static bool take_entry(shared *from, size_t index)
{
    return InterlockedExchange(&from->entries[index].taken, 1) == 0;
}

static void free_post(post *ended)
{
    for (size_t i = 0; i < ended->count; i++) {
        if (take_entry(ended->shared, i)) {
            brood_win32_close(ended->handles[i]);
        }
    }
    brood_os_section_close(&ended->section);
    free(ended);
}

static bool all_taken(const post *p)
{
    for (size_t i = 0; i < p->count; i++) {
        if (InterlockedCompareExchange(&p->shared->entries[i].taken, 0, 0) == 0) {
            return false;
        }
    }
    return true;
}

/* Whether nobody has the other end any more. */
static bool is_broken(HANDLE pipe)
{
    struct {
        ULONG type, configuration, most, instances, in_quota, readable, out_quota, writable, state,
            end;
    } facts;
    const FILE_INFORMATION_CLASS pipe_local_information = (FILE_INFORMATION_CLASS)24;
    const ULONG connected = 3;
    IO_STATUS_BLOCK status;

    return pipe != NULL &&
           NtQueryInformationFile(pipe, &status, &facts, sizeof facts, pipe_local_information) >=
               0 &&
           facts.state != connected;
}

static bool has_ended(const post *p)
{
    return all_taken(p) || is_broken(p->pipe);
}

/* ---- the list ---- */

static bool is_there(void)
{
    bool there;

    AcquireSRWLockShared(&guard);
    there = posts != NULL;
    ReleaseSRWLockShared(&guard);
    return there;
}

void brood_win32_posts_sweep(void)
{
    post *ended = NULL;

    if (!is_there()) {
        return;
    }
    AcquireSRWLockExclusive(&guard);
    for (post **at = &posts; *at != NULL;) {
        post *here = *at;
        if (has_ended(here)) {
            *at = here->next;
            here->next = ended;
            ended = here;
        } else {
            at = &here->next;
        }
    }
    ReleaseSRWLockExclusive(&guard);
    while (ended != NULL) {
        post *next = ended->next;
        free_post(ended);
        ended = next;
    }
}

void brood_win32_posts_forget_pipe(HANDLE pipe)
{
    brood_win32_posts_sweep();
    AcquireSRWLockExclusive(&guard);
    for (post *at = posts; at != NULL; at = at->next) {
        at->pipe = at->pipe == pipe ? NULL : at->pipe;
    }
    ReleaseSRWLockExclusive(&guard);
}

void brood_os_handles_linger(int64_t most_ns)
{
    const int64_t deadline_ns = brood_os_now() + most_ns;

    brood_win32_posts_sweep();
    while (is_there() && brood_os_now() < deadline_ns) {
        Sleep(LINGER_MS);
        brood_win32_posts_sweep();
    }
}

static post *remove_post(const ticket *of)
{
    post *found = NULL;

    AcquireSRWLockExclusive(&guard);
    for (post **at = &posts; *at != NULL && found == NULL;) {
        if (memcmp((*at)->nonce, of->nonce, sizeof of->nonce) == 0) {
            found = *at;
            *at = found->next;
        } else {
            at = &(*at)->next;
        }
    }
    ReleaseSRWLockExclusive(&guard);
    return found;
}

/* ---- the sender's side ---- */

static int duplicate_into(post *p, const brood_os_handle *handles, size_t count)
{
    while (p->count < count) {
        brood_os_handle copy = BROOD_NO_HANDLE;
        const int rc = brood_os_handle_duplicate(&copy, handles[p->count]);
        if (rc) {
            return rc;
        }
        p->handles[p->count] = brood_win32_handle(copy);
        p->shared->entries[p->count].handle = (uint64_t)(uintptr_t)copy;
        p->count++;
    }
    return 0;
}

static int new_post(post **out, const brood_os_handle *handles, size_t count)
{
    post *p = BROOD_ALLOC(malloc(sizeof *p + count * sizeof p->handles[0]));
    int rc;

    if (p == NULL) {
        return brood_fail_nomem("handles to be sent");
    }
    p->count = 0;
    p->section = BROOD_OS_SECTION_NONE;
    rc = brood_win32_random(p->nonce, sizeof p->nonce);
    if (rc == 0) {
        rc = brood_os_section_create(&p->section, size_for(count));
    }
    if (rc) {
        free(p);
        return rc;
    }
    p->shared = p->section.data;
    p->shared->magic = SHARED_MAGIC;
    p->shared->count = count;
    memcpy(p->shared->nonce, p->nonce, sizeof p->nonce);
    rc = duplicate_into(p, handles, count);
    if (rc) {
        free_post(p);
        return rc;
    }
    *out = p;
    return 0;
}

int brood_os_handles_offer(brood_os_offer *offer, brood_os_stream *stream,
                           const brood_os_handle *handles, size_t count)
{
    ticket written;
    post *made = NULL;
    int rc;

    brood_win32_posts_sweep();
    rc = new_post(&made, handles, count);
    if (rc) {
        return rc;
    }
    written.pid = GetCurrentProcessId();
    written.section = (uint64_t)(uintptr_t)made->section.handle;
    memcpy(written.nonce, made->nonce, sizeof written.nonce);
    memcpy(offer->ticket, &written, sizeof written);
    offer->handles = handles;
    offer->count = count;
    offer->filler.data = offer->ticket;
    offer->filler.size = sizeof written;

    made->pipe = brood_win32_handle(stream->handle);
    AcquireSRWLockExclusive(&guard);
    made->next = posts;
    posts = made;
    ReleaseSRWLockExclusive(&guard);
    return 0;
}

void brood_os_handles_withdraw(brood_os_offer *offer)
{
    ticket written;
    post *found;

    memcpy(&written, offer->ticket, sizeof written);
    found = remove_post(&written);
    if (found != NULL) {
        free_post(found);
    }
}

/* ---- the receiver's side ---- */

static int fail_lost(const char *why)
{
    return brood_fail(BROOD_EHANDLE, "the handles in a message are lost: %s", why);
}

/* From our own list: the section may have been written to by others. */
static int take_from_ourselves(brood_os_handle *handles, size_t count, const ticket *t)
{
    post *found = remove_post(t);
    size_t taken = 0;

    if (found == NULL) {
        return fail_lost("they were taken before");
    }
    while (found->count == count && taken < count && take_entry(found->shared, taken)) {
        handles[taken] = (brood_os_handle)found->handles[taken];
        taken++;
    }
    free_post(found);
    if (taken < count) {
        while (taken > 0) {
            brood_os_handle_close(handles[--taken]);
        }
        return fail_lost("they were taken before");
    }
    return 0;
}

static bool same_user(HANDLE process)
{
    union {
        TOKEN_USER user;
        unsigned char room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } ours, theirs;
    HANDLE token = NULL;
    DWORD size = 0;
    bool same;

    if (!OpenProcessToken(process, TOKEN_QUERY, &token)) {
        return false;
    }
    same = GetTokenInformation(token, TokenUser, &theirs, sizeof theirs, &size) &&
           GetTokenInformation(GetCurrentProcessToken(), TokenUser, &ours, sizeof ours, &size) &&
           EqualSid(ours.user.User.Sid, theirs.user.User.Sid);
    brood_win32_close(token);
    return same;
}

static int open_sender(HANDLE *out, const ticket *t)
{
    const HANDLE process =
        BROOD_WIN("OpenProcess", ERROR_ACCESS_DENIED, NULL,
                  OpenProcess(PROCESS_DUP_HANDLE | PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE,
                              FALSE, t->pid <= UINT32_MAX ? (DWORD)t->pid : 0));

    if (process == NULL) {
        return GetLastError() == ERROR_INVALID_PARAMETER
                   ? brood_fail(BROOD_EPEER, "the process that sent handles has ended")
                   : brood_win32_error(GetLastError(), "open process %llu, which sent handles",
                                       (unsigned long long)t->pid);
    }
    if (!same_user(process)) {
        brood_win32_close(process);
        return fail_lost("their sender is another user's");
    }
    *out = process;
    return 0;
}

/* Sets `*copy` to a handle of ours for one of the sender's. */
static bool copy_from(HANDLE sender, uint64_t value, DWORD access, DWORD options, HANDLE *copy)
{
    const HANDLE source = (HANDLE)(uintptr_t)value;

    /* Small negative numbers stand for a process or thread itself. */
    return (intptr_t)value > 0 &&
           DuplicateHandle(sender, source, GetCurrentProcess(), copy, access, FALSE, options);
}

static int fail_to_copy(HANDLE sender, const char *what)
{
    const DWORD code = GetLastError();

    return WaitForSingleObject(sender, 0) == WAIT_OBJECT_0
               ? brood_fail(BROOD_EPEER, "the process that sent handles has ended")
               : brood_win32_error(code, "fetch %s", what);
}

static int open_shared(shared **out, HANDLE sender, const ticket *t, size_t count)
{
    HANDLE section = NULL;
    shared *view;

    if (!BROOD_WIN("DuplicateHandle", ERROR_NOT_ENOUGH_MEMORY, FALSE,
                   copy_from(sender, t->section, FILE_MAP_READ | FILE_MAP_WRITE, 0, &section))) {
        return fail_to_copy(sender, "the list of handles in a message");
    }
    view = BROOD_WIN("MapViewOfFile", ERROR_NOT_ENOUGH_MEMORY, NULL,
                     brood_win32_view(section, FILE_MAP_READ | FILE_MAP_WRITE, size_for(count)));
    brood_win32_close(section);
    if (view == NULL) {
        return brood_win32_error(GetLastError(), "map the list of handles in a message");
    }
    if (view->magic != SHARED_MAGIC || view->count != count ||
        memcmp(view->nonce, t->nonce, sizeof t->nonce) != 0) {
        (void)UnmapViewOfFile(view);
        return fail_lost("there is no list of them where it is said to be");
    }
    *out = view;
    return 0;
}

/* Every handle leaves the sender's table, also when one before it could not be fetched. */
static int fetch_all(brood_os_handle *handles, size_t count, HANDLE sender, shared *list)
{
    int rc = 0;

    for (size_t i = 0; i < count; i++) {
        HANDLE copy = NULL;
        handles[i] = BROOD_NO_HANDLE;
        if (!take_entry(list, i)) {
            rc = rc ? rc : fail_lost("they were taken before");
        } else if (BROOD_WIN("DuplicateHandle", ERROR_NOT_ENOUGH_MEMORY, FALSE,
                             copy_from(sender, list->entries[i].handle, 0,
                                       DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE, &copy))) {
            handles[i] = (brood_os_handle)copy;
        } else {
            rc = rc ? rc : fail_to_copy(sender, "a handle in a message");
        }
    }
    for (size_t i = 0; rc && i < count; i++) {
        brood_os_handle_close(handles[i]);
    }
    return rc;
}

int brood_os_handles_fetch(brood_os_handle *handles, size_t count,
                           const unsigned char bytes[BROOD_OS_TICKET_ROOM])
{
    HANDLE sender = NULL;
    shared *list = NULL;
    ticket t;
    int rc;

    memcpy(&t, bytes, sizeof t);
    if (t.pid == GetCurrentProcessId()) {
        return take_from_ourselves(handles, count, &t);
    }
    rc = open_sender(&sender, &t);
    if (rc) {
        return rc;
    }
    rc = open_shared(&list, sender, &t, count);
    if (rc == 0) {
        rc = fetch_all(handles, count, sender, list);
        (void)UnmapViewOfFile(list);
    }
    brood_win32_close(sender);
    return rc;
}

/* ---- what only the other port needs ---- */

int brood_os_stream_write_group(brood_os_stream *stream, const brood_view pieces[2],
                                const brood_os_group *group, size_t *sent, int64_t deadline_ns)
{
    (void)group; /* they were posted */
    return brood_os_stream_write(stream, pieces, sent, deadline_ns);
}

int brood_os_stream_read_group(brood_os_stream *stream, unsigned char *byte,
                               brood_os_handle *handles, size_t count, size_t *got,
                               int64_t deadline_ns)
{
    size_t size = 0;

    (void)handles;
    (void)count;
    *got = 0;
    return brood_os_stream_read(stream, byte, 1, &size, deadline_ns);
}

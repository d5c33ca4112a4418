/* Shared between the files of the Windows port (Windows 10 and later, x64). */
#ifndef BROOD_SRC_WIN32_WIN32_H
#define BROOD_SRC_WIN32_WIN32_H

#if !defined(_WIN32_WINNT)
#define _WIN32_WINNT 0x0A00
#endif
#if !defined(WIN32_LEAN_AND_MEAN)
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>

#include "../error.h"
#include "../fault.h"
#include "../platform.h"

/* argv[1] of a child; argv[2] is the value of the one handle that it inherits, in hex. */
#define BROOD_WIN32_MARKER "--brood-child"

#define BROOD_WIN32_NONCE_SIZE 16

/* The ends that we give to children, as exit codes that no program would choose. */
#define BROOD_WIN32_TERMINATED 0x10000u
#define BROOD_WIN32_KILLED 0x10009u

/// brood_win32_handle is `handle` as the system wants it.
static inline HANDLE brood_win32_handle(brood_os_handle handle)
{
    return (HANDLE)handle;
}

/// brood_win32_valid tells a handle from what stands for none: the system uses both NULL and -1,
/// which is also the name of this process where a handle is asked for.
static inline bool brood_win32_valid(HANDLE handle)
{
    return handle != NULL && handle != INVALID_HANDLE_VALUE;
}

/// brood_win32_close closes a handle, an invalid one allowed, and keeps GetLastError.
void brood_win32_close(HANDLE handle);

/* Who may open an object: the user that this thread acts for, and nobody else. */
typedef struct brood_win32_access {
    SECURITY_ATTRIBUTES attributes;
    SECURITY_DESCRIPTOR descriptor;
    union {
        TOKEN_USER user;
        unsigned char room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } owner;
    union {
        ACL acl;
        unsigned char room[sizeof(ACL) + sizeof(ACCESS_ALLOWED_ACE) + SECURITY_MAX_SID_SIZE];
    } access;
} brood_win32_access;

/// brood_win32_only_us fills it in; it does not move then. `mask` is what that user may do, 0 for
/// nothing beyond what the handles can do that there are. `what` is for the words.
int brood_win32_only_us(brood_win32_access *us, DWORD mask, const char *what);

/// brood_win32_event makes an event that stays signalled until it is reset; not signalled.
int brood_win32_event(HANDLE *out);

/// brood_win32_error translates a GetLastError; the words (printf rules) say what was tried on
/// what.
int brood_win32_error(DWORD code, const char *format, ...) BROOD_PRINTF(2, 3);

/// brood_win32_random fills `size` bytes with what nobody can guess.
int brood_win32_random(void *data, size_t size);

/// brood_win32_wait waits until `handle` is signalled. `what` is done by that is for the words.
int brood_win32_wait(HANDLE handle, int64_t deadline_ns, const char *what);

/// brood_win32_left_ms returns the milliseconds until `deadline_ns`, rounded up, as the system's
/// waits want them. A very long time is cut, so look at the clock again after a wait.
DWORD brood_win32_left_ms(int64_t deadline_ns);

/// brood_win32_view maps all of a section (`access`: FILE_MAP_READ, FILE_MAP_WRITE or both) and
/// returns the view, or NULL and GetLastError: ERROR_INVALID_DATA for a section that does not have
/// `size` bytes. UnmapViewOfFile ends it. It is no fault point itself.
void *brood_win32_view(HANDLE section, DWORD access, size_t size);

/// brood_win32_wide sets `*out` (malloc'ed) to UTF-8 in the system's form. BROOD_EINVAL for what is
/// not UTF-8.
int brood_win32_wide(wchar_t **out, const char *text);

/// brood_win32_utf8 does the opposite. BROOD_EMODULE for a file name that is half a character.
int brood_win32_utf8(char **out, const wchar_t *text);

/// brood_win32_module_path sets `*out` (malloc'ed) to the path of a module's file.
int brood_win32_module_path(wchar_t **out, HMODULE module);

/* ---- what a child is sent: start.c to child.c ---- */

/* The one inherited section. It is empty while a stranger's start may still copy it by accident,
 * and never holds a secret. */
typedef struct brood_win32_hint {
    uint64_t magic;
    uint64_t secret; /* the child's handle of the section with brood_win32_secret */
} brood_win32_hint;

#define BROOD_WIN32_HINT_MAGIC UINT64_C(0x31746e6968647262)

/* All handles are values in the child. */
typedef struct brood_win32_secret {
    uint64_t magic;
    uint64_t section; /* with the body; 0: it is here, behind the handles */
    uint64_t body_size;
    uint64_t report; /* the section with the report page */
    uint64_t parent; /* the parent's process */
    uint64_t record_size;
    uint64_t handle_count;
    uint64_t secret_size;
    unsigned char nonce[BROOD_WIN32_NONCE_SIZE]; /* for reports */
    unsigned char record[BROOD_OS_RECORD_MAX];
    unsigned char secret[BROOD_OS_SECRET_MAX]; /* stays here until somebody asks for it */
    uint64_t handles[];                        /* handle_count of them, then body_size bytes */
} brood_win32_secret;

#define BROOD_WIN32_SECRET_MAGIC UINT64_C(0x3174657263657364)

/* ---- post.c: handles on their way to other processes ---- */

/// brood_win32_posts_sweep ends those that were taken or whose receiver is gone.
void brood_win32_posts_sweep(void);

/// brood_win32_posts_forget_pipe is called before one of our ends is closed.
void brood_win32_posts_forget_pipe(HANDLE pipe);

/* ---- report.c: what a child leaves for its parent ---- */

typedef struct brood_win32_report brood_win32_report;

/// brood_win32_report_new makes the parent's side. `*section` is for the child; its handle is the
/// caller's, its view stays with the report.
int brood_win32_report_new(brood_win32_report **out, HANDLE *section);

/// brood_win32_report_nonce returns the bytes that tell this child's report from other memory.
const unsigned char *brood_win32_report_nonce(const brood_win32_report *report);

/// brood_win32_report_free drops what the child left and what it may still leave; NULL is allowed.
void brood_win32_report_free(brood_win32_report *report);

/// brood_win32_report_bind tells the child's side where reports go. It takes both handles over,
/// on failure too.
int brood_win32_report_bind(HANDLE section, HANDLE parent,
                            const unsigned char nonce[BROOD_WIN32_NONCE_SIZE]);

/// brood_win32_report_parent returns the parent's process, borrowed; NULL without one.
HANDLE brood_win32_report_parent(void);

#endif

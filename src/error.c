#include "error.h"

#include <stdio.h>
#include <string.h>

#include "platform.h"

static BROOD_THREAD_LOCAL char words[BROOD_WORDS_SIZE];
static BROOD_THREAD_LOCAL brood_failure last;

static const char *const names[] = {
    "invalid argument",      /* BROOD_EINVAL */
    "out of memory",         /* BROOD_ENOMEM */
    "system error",          /* BROOD_ESYSTEM */
    "not supported",         /* BROOD_ENOTSUP */
    "brood_init is missing", /* BROOD_ENOTINIT */
    "timed out",             /* BROOD_ETIMEDOUT */
    "closed here",           /* BROOD_ECLOSED */
    "end of stream",         /* BROOD_EEND */
    "peer is gone",          /* BROOD_EPEER */
    "shut down",             /* BROOD_ESHUTDOWN */
    "full",                  /* BROOD_EFULL */
    "empty",                 /* BROOD_EEMPTY */
    "too big",               /* BROOD_ETOOBIG */
    "room too small",        /* BROOD_ETOOSMALL */
    "wrong type",            /* BROOD_ETYPE */
    "out of range",          /* BROOD_ERANGE */
    "wrong arguments",       /* BROOD_EARGS */
    "cannot be decoded",     /* BROOD_EDECODE */
    "authentication failed", /* BROOD_EAUTH */
    "exists already",        /* BROOD_EEXIST */
    "does not exist",        /* BROOD_ENOENT */
    "permission denied",     /* BROOD_EACCES */
    "module mismatch",       /* BROOD_EMODULE */
    "owner died",            /* BROOD_EOWNERDEAD */
    "not the owner",         /* BROOD_ENOTOWNER */
    "would deadlock",        /* BROOD_EDEADLK */
    "broken",                /* BROOD_EBROKEN */
    "task failed",           /* BROOD_ETASK */
    "worker died",           /* BROOD_EWORKER */
    "cancelled",             /* BROOD_ECANCELLED */
    "still running",         /* BROOD_ERUNNING */
    "handle is gone",        /* BROOD_EHANDLE */
    "ran for too long"       /* BROOD_EEXPIRED */
};

#define NAME_COUNT ((int)(sizeof names / sizeof names[0]))

const char *brood_strerror(int error)
{
    if (error == BROOD_OK) {
        return "no error";
    }
    return error <= BROOD_EINVAL && error > BROOD_EINVAL - NAME_COUNT ? names[BROOD_EINVAL - error]
                                                                      : "unknown error";
}

/* The new words may be made of the old ones, so they are put together aside. */
static int keep(int error, int64_t system_code, const char *text)
{
    memset(&last, 0, sizeof last);
    last.size = sizeof last;
    last.error = error;
    last.system_code = system_code;
    if (text != words) { /* as when the last failure is told again */
        (void)snprintf(words, sizeof words, "%s", text);
    }
    last.message = words;
    return error;
}

static void format_words(char *out, const char *format, va_list list)
{
    if (vsnprintf(out, BROOD_WORDS_SIZE, format, list) < 0) {
        (void)snprintf(out, BROOD_WORDS_SIZE, "%s", format);
    }
}

int brood_fail(int error, const char *format, ...)
{
    char text[BROOD_WORDS_SIZE];
    va_list list;

    va_start(list, format);
    format_words(text, format, list);
    va_end(list);
    return keep(error, 0, text);
}

int brood_fail_system(int error, int64_t system_code, const char *format, ...)
{
    char text[BROOD_WORDS_SIZE];
    va_list list;

    va_start(list, format);
    format_words(text, format, list);
    va_end(list);
    return keep(error, system_code, text);
}

int brood_fail_of_process(int error, int64_t pid, const char *format, ...)
{
    char text[BROOD_WORDS_SIZE];
    va_list list;

    va_start(list, format);
    format_words(text, format, list);
    va_end(list);
    (void)keep(error, 0, text);
    last.pid = pid;
    return error;
}

int brood_fail_as(const brood_failure *failure)
{
    const brood_failure copy = *failure;

    (void)keep(copy.error, copy.system_code, copy.message);
    last.code = copy.code;
    last.pid = copy.pid;
    last.exitcode = copy.exitcode;
    return last.error;
}

int brood_fail_nomem(const char *what)
{
    return brood_fail(BROOD_ENOMEM, "no memory for %s", what);
}

int brood_fail_prefix(const char *what)
{
    char text[BROOD_WORDS_SIZE];

    (void)snprintf(text, sizeof text, "%s: %s", what, brood_last_error()->message);
    memcpy(words, text, sizeof words);
    return last.error;
}

void brood_fail_forget(void)
{
    (void)keep(BROOD_OK, 0, brood_strerror(BROOD_OK));
}

const brood_failure *brood_last_error(void)
{
    if (last.message == NULL) {
        brood_fail_forget();
    }
    return &last;
}

int brood_perror(const char *what)
{
    char line[BROOD_WORDS_SIZE + 256];
    const brood_failure *failure = brood_last_error();
    int length;

    if (what != NULL) {
        length = snprintf(line, sizeof line, "%.200s: %s\n", what, failure->message);
    } else {
        length = snprintf(line, sizeof line, "%s\n", failure->message);
    }
    if (length > 0) {
        const size_t size = (size_t)length < sizeof line ? (size_t)length : sizeof line - 1;
        brood_os_write_error(line, size);
    }
    return 1;
}

int brood_version(void)
{
    return BROOD_VERSION_MAJOR * 10000 + BROOD_VERSION_MINOR * 100 + BROOD_VERSION_PATCH;
}

#include "win32.h"

#include <stdlib.h>
#include <string.h>

#include "../quoting.h"

/* The child's side of a start. All that it needs is there before its first instruction runs. */

/* What argv[2] said; 0 if it said nothing of use. */
static uint64_t hint_value;

/* Where the long-lived secret is, unmapped. */
static HANDLE kept_section;
static size_t kept_size;

/* Reads hex digits, nothing else; 0 for what is no number. */
static uint64_t parse_hex(const char *text)
{
    uint64_t value = 0;
    size_t i;

    for (i = 0; text[i] != 0; i++) {
        const char *digits = "0123456789abcdef";
        const char *digit = strchr(digits, text[i]);

        if (digit == NULL || i == 16) {
            return 0;
        }
        value = value << 4 | (uint64_t)(digit - digits);
    }
    return value;
}

/* Copies argument `index` of this process's command line; false if it is absent, long, or not
 * ASCII, so it cannot be ours. */
static bool copy_argument(char *out, size_t room, size_t index)
{
    wchar_t wide[32];
    size_t i = 0;

    if (!brood_command_line_argument(GetCommandLineW(), index, wide,
                                     sizeof wide / sizeof wide[0])) {
        return false;
    }
    do {
        if (i == room || wide[i] > 127) {
            return false;
        }
        out[i] = (char)wide[i];
    } while (wide[i++] != 0);
    return true;
}

bool brood_os_child_marked(int argc, char **argv)
{
    char marker[32];
    char number[32];

    if (argc > 0) {
        if (argc < 2 || strcmp(argv[1], BROOD_WIN32_MARKER) != 0) {
            return false;
        }
        hint_value = argc > 2 ? parse_hex(argv[2]) : 0;
        return true;
    }
    if (!copy_argument(marker, sizeof marker, 1) || strcmp(marker, BROOD_WIN32_MARKER) != 0) {
        return false;
    }
    hint_value = copy_argument(number, sizeof number, 2) ? parse_hex(number) : 0;
    return true;
}

/* A program that somebody runs with our marker by hand ends up here too. */
static int fail_foreign(void)
{
    return brood_fail(BROOD_EAUTH, "%s is for programs that brood starts: nothing was sent here",
                      BROOD_WIN32_MARKER);
}

/* Finds the section with the secret. The number may name any handle, or none: it is closed only
 * if it is ours. */
static int read_hint(HANDLE *secret)
{
    const HANDLE section = (HANDLE)(uintptr_t)hint_value;
    const void *view =
        BROOD_WIN("MapViewOfFile", ERROR_NOT_ENOUGH_MEMORY, NULL,
                  brood_win32_view(section, FILE_MAP_READ, sizeof(brood_win32_hint)));
    brood_win32_hint hint;

    if (view == NULL) {
        const DWORD code = GetLastError();
        return code == ERROR_NOT_ENOUGH_MEMORY ? brood_win32_error(code, "map what the parent sent")
                                               : fail_foreign();
    }
    memcpy(&hint, view, sizeof hint);
    (void)UnmapViewOfFile(view);
    if (hint.magic != BROOD_WIN32_HINT_MAGIC) {
        return fail_foreign();
    }
    brood_win32_close(section);
    *secret = (HANDLE)(uintptr_t)hint.secret;
    return 0;
}

/* Maps the secret section and checks that all of it is there. */
static int map_secret(brood_win32_secret **out, HANDLE section)
{
    const DWORD access = FILE_MAP_READ | FILE_MAP_WRITE; /* it is wiped after use */
    brood_win32_secret *secret = BROOD_WIN("MapViewOfFile", ERROR_NOT_ENOUGH_MEMORY, NULL,
                                           brood_win32_view(section, access, sizeof *secret));
    MEMORY_BASIC_INFORMATION facts;
    size_t room;

    if (secret == NULL) {
        return brood_win32_error(GetLastError(), "map what the parent sent");
    }
    room = VirtualQuery(secret, &facts, sizeof facts) != 0 ? facts.RegionSize : 0;
    if (room < sizeof *secret || secret->magic != BROOD_WIN32_SECRET_MAGIC ||
        secret->record_size == 0 || secret->record_size > sizeof secret->record ||
        secret->body_size > BROOD_OS_BODY_MAX || secret->secret_size > sizeof secret->secret ||
        secret->handle_count > (room - sizeof *secret) / sizeof(uint64_t) ||
        secret->body_size >
            room - sizeof *secret - (size_t)secret->handle_count * sizeof(uint64_t)) {
        (void)UnmapViewOfFile(secret);
        return fail_foreign();
    }
    *out = secret;
    return 0;
}

static int copy_handles(brood_os_handle **out, const brood_win32_secret *secret)
{
    const size_t count = (size_t)secret->handle_count;
    brood_os_handle *handles = NULL;
    size_t i;

    if (count > 0) {
        handles = BROOD_ALLOC(malloc(count * sizeof *handles));
        if (handles == NULL) {
            return brood_fail_nomem("the handles of a start");
        }
    }
    for (i = 0; i < count; i++) {
        handles[i] = (brood_os_handle)secret->handles[i];
    }
    *out = handles;
    return 0;
}

static int copy_body(brood_buffer *out, const brood_win32_secret *secret)
{
    int rc = 0;

    if (secret->body_size > 0) {
        rc = brood_buffer_new(out, (size_t)secret->body_size);
    }
    if (rc == 0 && secret->body_size > 0) {
        memcpy(out->data, &secret->handles[secret->handle_count], out->size);
    }
    return rc;
}

static void close_sent(const brood_win32_secret *secret)
{
    size_t i;

    if (secret->section != 0) {
        brood_os_handle_close((brood_os_handle)secret->section);
    }
    for (i = 0; i < (size_t)secret->handle_count; i++) {
        brood_os_handle_close((brood_os_handle)secret->handles[i]);
    }
}

/* Wipes what was used and keeps the section if the long-lived secret is in it. Returns the handle to
 * close. */
static HANDLE keep_secret(brood_win32_secret *secret, HANDLE section, int rc)
{
    SecureZeroMemory(secret->record, sizeof secret->record);
    SecureZeroMemory(secret->nonce, sizeof secret->nonce);
    if (rc != 0 || secret->secret_size == 0) {
        SecureZeroMemory(secret->secret, sizeof secret->secret);
        return section;
    }
    kept_section = section;
    kept_size = (size_t)secret->secret_size;
    return NULL;
}

/* The life of this process is bound to the parent's already: it was born into the parent's job. */
int brood_os_child_receive(brood_os_arrival *out)
{
    HANDLE section = NULL;
    brood_win32_secret *secret = NULL;
    brood_os_handle *handles = NULL;
    int rc = read_hint(&section);

    if (rc) {
        return rc;
    }
    rc = map_secret(&secret, section);
    if (rc) {
        goto done;
    }
    /* First, so that the parent can be told what went wrong from here on. */
    rc = brood_win32_report_bind((HANDLE)(uintptr_t)secret->report,
                                 (HANDLE)(uintptr_t)secret->parent, secret->nonce);
    if (rc == 0) {
        rc = copy_body(&out->body, secret);
    }
    if (rc == 0) {
        rc = copy_handles(&handles, secret);
    }
    if (rc) {
        close_sent(secret);
        goto done;
    }
    memcpy(out->record, secret->record, (size_t)secret->record_size);
    out->record_size = (size_t)secret->record_size;
    if (secret->section != 0) {
        out->section = (brood_os_handle)secret->section;
    }
    out->handles = handles;
    out->handle_count = (size_t)secret->handle_count;

done:
    if (secret != NULL) {
        section = keep_secret(secret, section, rc);
        (void)UnmapViewOfFile(secret);
    }
    brood_win32_close(section);
    return rc;
}

int brood_os_child_secret(unsigned char secret[BROOD_OS_SECRET_MAX], size_t *size)
{
    brood_win32_secret *view = NULL;

    if (kept_size > 0) {
        view = BROOD_WIN("MapViewOfFile", ERROR_NOT_ENOUGH_MEMORY, NULL,
                         brood_win32_view(kept_section, FILE_MAP_READ, sizeof *view));
        if (view == NULL) {
            return brood_win32_error(GetLastError(), "map the secret from the parent");
        }
        memcpy(secret, view->secret, kept_size);
        (void)UnmapViewOfFile(view);
    }
    *size = kept_size;
    return 0;
}

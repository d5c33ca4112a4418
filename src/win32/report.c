#include "win32.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* What a child leaves for its parent. A small report lies in a page that both share from the start.
 * A larger one gets a section of its own, whose handle the child puts into the parent's table: what
 * is only in the child's ends with the child. One word says how far it is; whoever changes it from
 * AWAY to CLOSED has to close that handle. (A child killed between the two steps leaves the handle
 * in the parent until the parent ends.)
 *
 * The parent believes nothing it finds there: the page is copied before it is checked, and a handle
 * is used, or closed, only if the section behind it carries this child's nonce. */

#define PAGE_SIZE 4096

/* States of a page. */
#define EMPTY 0L
#define HERE 1L   /* in the page */
#define AWAY 2L   /* in a section of its own */
#define CLOSED 3L /* the parent has it or wants none */

typedef struct page_head {
    uint64_t size;    /* of the report */
    uint64_t section; /* AWAY: the parent's handle */
    unsigned char nonce[BROOD_WIN32_NONCE_SIZE];
} page_head;

typedef struct page {
    volatile LONG state;
    volatile LONG asked; /* by the parent, to stop */
    page_head head;
    unsigned char data[PAGE_SIZE - 2 * sizeof(uint32_t) - sizeof(page_head)];
} page;

/* In front of the report in a section of its own. */
typedef struct away_head {
    uint64_t size;
    unsigned char nonce[BROOD_WIN32_NONCE_SIZE];
} away_head;

_Static_assert(sizeof(page) == PAGE_SIZE, "a page");

/* ---- the parent's side ---- */

struct brood_win32_report {
    page *page;
    unsigned char nonce[BROOD_WIN32_NONCE_SIZE];
};

int brood_win32_report_new(brood_win32_report **out, HANDLE *section)
{
    brood_os_section shared = BROOD_OS_SECTION_NONE;
    brood_win32_report *report = BROOD_ALLOC(malloc(sizeof *report));
    int rc;

    if (report == NULL) {
        return brood_fail_nomem("a process");
    }
    rc = brood_win32_random(report->nonce, sizeof report->nonce);
    if (rc == 0) {
        rc = brood_os_section_create(&shared, sizeof(page));
    }
    if (rc) {
        free(report);
        return rc;
    }
    report->page = shared.data;
    *section = brood_win32_handle(shared.handle);
    *out = report;
    return 0;
}

const unsigned char *brood_win32_report_nonce(const brood_win32_report *report)
{
    return report->nonce;
}

/* Maps the section that `head` names if it is one that this child made; else NULL. */
static const away_head *view_away(const brood_win32_report *report, const page_head *head)
{
    const HANDLE section = (HANDLE)(uintptr_t)head->section;
    const away_head *away;

    if (memcmp(head->nonce, report->nonce, sizeof report->nonce) != 0 ||
        head->size > SIZE_MAX - sizeof *away) {
        SetLastError(ERROR_INVALID_DATA);
        return NULL;
    }
    away = brood_win32_view(section, FILE_MAP_READ, sizeof *away + (size_t)head->size);
    if (away != NULL && (away->size != head->size ||
                         memcmp(away->nonce, report->nonce, sizeof report->nonce) != 0)) {
        (void)UnmapViewOfFile(away);
        SetLastError(ERROR_INVALID_DATA);
        return NULL;
    }
    return away;
}

static int fail_damaged(void)
{
    return brood_fail(BROOD_EDECODE, "what the process left for its parent is damaged");
}

static int copy_here(const brood_win32_report *report, const page_head *head, brood_buffer *out)
{
    brood_buffer buffer = BROOD_BUFFER_NONE;
    int rc;

    if (memcmp(head->nonce, report->nonce, sizeof report->nonce) != 0 ||
        head->size > sizeof report->page->data) {
        return fail_damaged();
    }
    rc = brood_buffer_new(&buffer, (size_t)head->size);
    if (rc == 0) {
        memcpy(buffer.data, report->page->data, buffer.size);
        *out = buffer;
    }
    return rc;
}

/* The handle stays open, for the close, when this fails. */
static int copy_away(const brood_win32_report *report, const page_head *head, brood_buffer *out)
{
    brood_buffer buffer = BROOD_BUFFER_NONE;
    const away_head *away =
        BROOD_WIN("MapViewOfFile", ERROR_NOT_ENOUGH_MEMORY, NULL, view_away(report, head));
    int rc;

    if (away == NULL) {
        const DWORD code = GetLastError();
        return code == ERROR_INVALID_DATA || code == ERROR_INVALID_HANDLE
                   ? fail_damaged()
                   : brood_win32_error(code, "read what a process left for its parent");
    }
    rc = brood_buffer_new(&buffer, (size_t)head->size);
    if (rc == 0) {
        memcpy(buffer.data, away + 1, buffer.size);
        *out = buffer;
    }
    (void)UnmapViewOfFile(away);
    return rc;
}

/* Closes the page for the child and a large report's handle that is in our table by now. */
static void close_page(brood_win32_report *report)
{
    page_head head;
    const away_head *away;

    if (InterlockedExchange(&report->page->state, CLOSED) != AWAY) {
        return;
    }
    head = report->page->head;
    away = view_away(report, &head);
    if (away != NULL) {
        (void)UnmapViewOfFile(away);
        brood_win32_close((HANDLE)(uintptr_t)head.section);
    }
}

int brood_os_process_report(brood_os_process *process, brood_buffer *out)
{
    brood_win32_report *report = process->report;
    brood_buffer buffer = BROOD_BUFFER_NONE;
    const LONG state = InterlockedCompareExchange(&report->page->state, EMPTY, EMPTY);
    page_head head;
    int rc = 0;

    head = report->page->head;
    if (state == HERE) {
        rc = copy_here(report, &head, &buffer);
    } else if (state == AWAY) {
        rc = copy_away(report, &head, &buffer);
    }
    if (rc == 0) {
        close_page(report);
        *out = buffer;
    }
    return rc;
}

void brood_win32_report_free(brood_win32_report *report)
{
    if (report == NULL) {
        return;
    }
    close_page(report);
    (void)UnmapViewOfFile(report->page);
    free(report);
}

/* ---- the child's side ---- */

static struct {
    page *page; /* NULL: not started by brood */
    HANDLE parent;
    unsigned char nonce[BROOD_WIN32_NONCE_SIZE];
} ours;

int brood_win32_report_bind(HANDLE section, HANDLE parent,
                            const unsigned char nonce[BROOD_WIN32_NONCE_SIZE])
{
    void *view = BROOD_WIN("MapViewOfFile", ERROR_NOT_ENOUGH_MEMORY, NULL,
                           brood_win32_view(section, FILE_MAP_READ | FILE_MAP_WRITE, sizeof(page)));

    if (view == NULL) {
        const int rc = brood_win32_error(GetLastError(), "map the page for reports");
        brood_win32_close(section);
        brood_win32_close(parent);
        return rc;
    }
    brood_win32_close(section);
    ours.page = view;
    ours.parent = parent;
    memcpy(ours.nonce, nonce, sizeof ours.nonce);
    return 0;
}

HANDLE brood_win32_report_parent(void)
{
    return ours.parent;
}

void brood_os_process_ask(brood_os_process *process)
{
    brood_win32_report *report = process->report;

    (void)InterlockedExchange(&report->page->asked, 1);
}

bool brood_os_child_asked(void)
{
    return ours.page != NULL && InterlockedOr(&ours.page->asked, 0) != 0;
}

static void join(unsigned char *out, const brood_view pieces[2])
{
    size_t i;

    for (i = 0; i < 2; i++) {
        if (pieces[i].size > 0) {
            memcpy(out, pieces[i].data, pieces[i].size);
            out += pieces[i].size;
        }
    }
}

static void leave_here(const brood_view pieces[2])
{
    ours.page->head.size = pieces[0].size + pieces[1].size;
    memcpy(ours.page->head.nonce, ours.nonce, sizeof ours.nonce);
    join(ours.page->data, pieces);
    (void)InterlockedCompareExchange(&ours.page->state, HERE, EMPTY);
}

/* Takes back a handle that nobody will close over there. */
static void take_back(HANDLE theirs)
{
    HANDLE copy = NULL;

    if (DuplicateHandle(ours.parent, theirs, GetCurrentProcess(), &copy, 0, FALSE,
                        DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE)) {
        brood_win32_close(copy);
    }
}

static int leave_away(const brood_view pieces[2])
{
    const size_t size = pieces[0].size + pieces[1].size;
    brood_os_section section = BROOD_OS_SECTION_NONE;
    away_head *away;
    HANDLE theirs = NULL;
    int rc;

    if (size < pieces[0].size || size > SIZE_MAX - sizeof *away) {
        return brood_fail_nomem("a report");
    }
    rc = brood_os_section_create(&section, sizeof *away + size);
    if (rc) {
        return rc;
    }
    away = section.data;
    away->size = size;
    memcpy(away->nonce, ours.nonce, sizeof away->nonce);
    join((unsigned char *)(away + 1), pieces);
    if (!BROOD_WIN("DuplicateHandle", ERROR_NOT_ENOUGH_MEMORY, FALSE,
                   DuplicateHandle(GetCurrentProcess(), brood_win32_handle(section.handle),
                                   ours.parent, &theirs, FILE_MAP_READ, FALSE, 0))) {
        rc = brood_win32_error(GetLastError(), "leave %zu bytes for the parent", size);
        goto done;
    }
    ours.page->head.size = size;
    ours.page->head.section = (uint64_t)(uintptr_t)theirs;
    memcpy(ours.page->head.nonce, ours.nonce, sizeof ours.nonce);
    if (InterlockedCompareExchange(&ours.page->state, AWAY, EMPTY) != EMPTY) {
        take_back(theirs);
    }

done:
    brood_os_section_close(&section);
    return rc;
}

int brood_os_child_report(const brood_view pieces[2])
{
    if (ours.page == NULL) {
        return brood_fail(BROOD_EPEER, "leave a report: there is no parent");
    }
    if (InterlockedCompareExchange(&ours.page->state, EMPTY, EMPTY) != EMPTY) {
        return 0; /* the parent does not want it any more */
    }
    if (pieces[0].size > sizeof ours.page->data ||
        pieces[1].size > sizeof ours.page->data - pieces[0].size) {
        return leave_away(pieces);
    }
    leave_here(pieces);
    return 0;
}

/* What a child leaves for its parent: its result or its failure, once, at the end.
 *
 * Where there is memfd it lies in a growing shared file of which the parent holds only a view of
 * the first page, no descriptor: a thousand running children cost the parent a thousand process
 * descriptors and nothing else, and a child never waits for its parent to read. The file cannot
 * shrink (sealed), so the first page is always there; what lies behind is copied by the kernel,
 * which answers with an error where a crashed child's header promises more than there is.
 *
 * Elsewhere the channel stays open and the report is a message on it: report_channel.c. */
#include "posix.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAGIC 0x74726f7065726221u /* "!breport" */
#define PAGE 4096

/* What the parent tells the child, in front of the report. */
typedef struct page_words {
    _Atomic uint32_t known; /* not 0: the parent holds a descriptor of the process, so it may end */
    _Atomic uint32_t asked; /* not 0: it is to stop */
    _Atomic uint32_t ended; /* ENDED and the status, of a child of the fork server */
    uint32_t unused;
} page_words;

typedef struct report_head {
    uint64_t magic; /* written last */
    uint64_t size;
} report_head;

#define ENDED 0x80000000u

#define HEAD_AT sizeof(page_words)
#define REPORT_AT (HEAD_AT + sizeof(report_head))

#define ASK 'a' /* over the channel: one byte behind the secret */

/* The child's side. */
static uint32_t bound_how;
static int bound_fd = -1;
static int secret_fd = -1; /* the secret can be read here, and stays */
static size_t secret_size;
static unsigned char saved_secret[BROOD_OS_SECRET_MAX]; /* in a fork that has no such descriptor */
static bool secret_is_saved;

static void forget_asked(void);

void brood_posix_report_bind(const brood_posix_parcel *parcel, int channel)
{
    bound_how = parcel->report;
    bound_fd = parcel->report == BROOD_POSIX_REPORT_MEMORY ? parcel->report_fd : channel;
    secret_size = parcel->secret_size;
    secret_fd = secret_size > 0 ? channel : -1;
    secret_is_saved = false;
    if (secret_fd < 0 && bound_fd != channel) {
        brood_posix_close(channel);
    }
    forget_asked();
}

/* The descriptors of a forked process's parent are not its own: it is not asked, and leaves no
 * report. The secret it may still want. */
void brood_posix_report_leave(void)
{
    if (secret_fd >= 0 && secret_fd == bound_fd) {
        secret_is_saved =
            recv(secret_fd, saved_secret, secret_size, MSG_PEEK) == (ssize_t)secret_size;
        secret_fd = -1;
    }
    brood_posix_close(bound_fd);
    bound_fd = -1;
    forget_asked();
}

/* It is the last that the parent sends: it may still be on its way, and comes in one piece. */
static ssize_t read_secret(unsigned char *secret)
{
    ssize_t n;

    if (secret_is_saved) {
        memcpy(secret, saved_secret, secret_size);
        return (ssize_t)secret_size;
    }
    do {
        n = BROOD_SYS("recv", EIO, recv(secret_fd, secret, secret_size, MSG_PEEK));
    } while (n < 0 && errno == EINTR);
    return n;
}

int brood_os_child_secret(unsigned char secret[BROOD_OS_SECRET_MAX], size_t *size)
{
    const ssize_t n = secret_size > 0 ? read_secret(secret) : 0;

    if (n < 0) {
        return brood_posix_error(errno, "read the secret from the parent");
    }
    if ((size_t)n != secret_size) {
        return brood_fail(BROOD_EAUTH, "the secret from the parent is cut short");
    }
    *size = secret_size;
    return 0;
}

#if defined(BROOD_HAVE_MEMFD) && defined(BROOD_HAVE_PROCESS_VM_READV)
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>

/* Sets the size for good. Where no file may be so large (RLIMIT_FSIZE) there is no such memory. */
static int set_size(int file)
{
    brood_posix_file_limit limit;
    int rc = 0;

    brood_posix_file_limit_begin(&limit);
    if (BROOD_SYS("ftruncate", ENOSPC, ftruncate(file, PAGE)) < 0 ||
        BROOD_SYS("fcntl", EINVAL, fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL)) < 0) {
        rc = errno == EFBIG ? brood_fail(BROOD_ENOTSUP, "no file may be as large as a report")
                            : brood_posix_error(errno, "prepare shared memory for the report");
    }
    brood_posix_file_limit_end(&limit);
    return rc;
}

int brood_posix_report_create(void **page, int *fd)
{
    int rc = 0;
    void *data;
    int file =
        brood_posix_move(BROOD_SYS("memfd_create", EMFILE,
                                   memfd_create("brood-report", MFD_CLOEXEC | MFD_ALLOW_SEALING)),
                         3);

    if (file < 0) {
        return brood_posix_error(errno, "create shared memory for the report");
    }
    rc = set_size(file);
    if (rc) {
        goto done;
    }
    data = BROOD_SYS_AS("mmap", ENOMEM, MAP_FAILED,
                        mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
    if (data == MAP_FAILED) {
        rc = brood_posix_error(errno, "map shared memory for the report");
        goto done;
    }
    *page = data;
    *fd = file;
    file = -1;

done:
    brood_posix_close(file);
    return rc;
}

void brood_posix_report_close(void *page)
{
    if (page != NULL) {
        (void)munmap(page, PAGE);
    }
}

int brood_posix_report_tell(void *page, int fd)
{
    const page_words words = {1, 0, 0, 0};

    if (BROOD_SYS("pwrite", ENOSPC, pwrite(fd, &words, sizeof words, 0)) != sizeof words) {
        return brood_posix_error(errno, "tell a child that it may go on");
    }
    (void)syscall(SYS_futex, page, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
    return 0;
}

bool brood_posix_report_await(void *page, int lifeline)
{
    const struct timespec slice = {0, 20L * 1000 * 1000};
    const page_words *words = page;

    while (atomic_load(&words->known) == 0) {
        if (lifeline >= 0 && brood_posix_lifeline_cut(lifeline)) {
            return atomic_load(&words->known) != 0; /* it may have ended right after */
        }
        (void)syscall(SYS_futex, page, FUTEX_WAIT, 0, &slice, NULL, 0);
    }
    return true;
}

/* ---- how a child of the fork server ended: its parent there writes it, ours reads it ---- */

/* Memory that a full system does not have would crash the server. */
int brood_posix_report_touch(int fd)
{
    const char zero = 0;

    return BROOD_SYS("pwrite", ENOSPC, pwrite(fd, &zero, 1, 0)) == 1
               ? 0
               : brood_posix_error(errno, "reserve shared memory for the report");
}

void *brood_posix_report_map(int fd)
{
    void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (page == MAP_FAILED) {
        return NULL;
    }
    (void)madvise(page, PAGE, MADV_DONTFORK);
    return page;
}

void brood_posix_report_end(void *page, int status)
{
    page_words *words = page;

    atomic_store(&words->ended, ENDED | (uint32_t)status);
    (void)syscall(SYS_futex, &words->ended, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

bool brood_posix_report_ended(void *page, int *status, int64_t wait_ns)
{
    const struct timespec slice = {0, (long)wait_ns};
    page_words *words = page;
    uint32_t ended = atomic_load(&words->ended);

    if (ended == 0 && wait_ns > 0) {
        (void)syscall(SYS_futex, &words->ended, FUTEX_WAIT, 0, &slice, NULL, 0);
        ended = atomic_load(&words->ended);
    }
    *status = (int)(ended & ~ENDED);
    return ended != 0;
}

static int write_at(int fd, const void *data, size_t size, off_t offset)
{
    size_t done = 0;

    while (done < size) {
        const ssize_t n =
            BROOD_SYS("pwrite", ENOSPC,
                      pwrite(fd, (const char *)data + done, size - done, offset + (off_t)done));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return brood_posix_error(errno, "leave a report of %zu bytes", size);
        }
        done += (size_t)n;
    }
    return 0;
}

static int write_report(const brood_view pieces[2])
{
    const report_head head = {MAGIC, pieces[0].size + pieces[1].size};
    int rc = write_at(bound_fd, pieces[0].data, pieces[0].size, REPORT_AT);

    if (rc == 0) {
        rc =
            write_at(bound_fd, pieces[1].data, pieces[1].size, (off_t)(REPORT_AT + pieces[0].size));
    }
    return rc ? rc : write_at(bound_fd, &head, sizeof head, HEAD_AT);
}

static int report_in_memory(const brood_view pieces[2])
{
    brood_posix_file_limit limit;
    int rc;

    brood_posix_file_limit_begin(&limit);
    rc = write_report(pieces);
    brood_posix_file_limit_end(&limit);
    return rc;
}

static int copy_page(brood_buffer *out, const void *page, size_t size)
{
    const int rc = brood_buffer_new(out, size);

    if (rc == 0) {
        memcpy(out->data, (const char *)page + REPORT_AT, size);
    }
    return rc;
}

/* Widens the view and lets the kernel copy, which cannot crash us. */
static int copy_long(brood_buffer *out, void **page, size_t size)
{
    const size_t total = REPORT_AT + size;
    struct iovec to;
    struct iovec from;
    ssize_t n;
    int rc = 0;
    void *wide = MAP_FAILED;

    if (size <= SIZE_MAX / 2) {
        wide =
            BROOD_SYS_AS("mremap", ENOMEM, MAP_FAILED, mremap(*page, PAGE, total, MREMAP_MAYMOVE));
    }
    if (wide == MAP_FAILED) {
        return brood_posix_error(errno, "map a report of %zu bytes", size);
    }
    *page = NULL;
    rc = brood_buffer_new(out, size);
    for (size_t done = 0; rc == 0 && done < size; done += (size_t)n) {
        to.iov_base = (char *)out->data + done;
        to.iov_len = size - done;
        from.iov_base = (char *)wide + REPORT_AT + done;
        from.iov_len = size - done;
        n = BROOD_SYS("process_vm_readv", EFAULT, process_vm_readv(getpid(), &to, 1, &from, 1, 0));
        if (n <= 0) {
            rc = brood_posix_error(errno, "read the child's report of %zu bytes", size);
            brood_buffer_release(out);
        }
    }
    (void)munmap(wide, total);
    return rc;
}

static int take_from_memory(brood_os_process *process, brood_buffer *out)
{
    report_head head;
    int rc;

    memcpy(&head, (const char *)process->report + HEAD_AT, sizeof head);
    if (head.magic != MAGIC) {
        return 0;
    }
    if (head.size <= PAGE - REPORT_AT) {
        return copy_page(out, process->report, (size_t)head.size);
    }
    rc = copy_long(out, &process->report, (size_t)head.size);
    return rc;
}

static void ask_in_memory(void *page)
{
    atomic_store(&((page_words *)page)->asked, 1);
}

static _Atomic(page_words *) asked_page;

static void forget_asked(void)
{
    brood_posix_report_close(atomic_exchange(&asked_page, NULL));
}

/* Only a program that asks has the page mapped. */
static page_words *map_asked(void)
{
    page_words *page = atomic_load(&asked_page);
    page_words *other = NULL;

    if (page != NULL) {
        return page;
    }
    page = BROOD_SYS_AS("mmap", ENOMEM, MAP_FAILED,
                        mmap(NULL, PAGE, PROT_READ, MAP_SHARED, bound_fd, 0));
    if (page == MAP_FAILED) {
        return NULL;
    }
    if (!atomic_compare_exchange_strong(&asked_page, &other, page)) {
        brood_posix_report_close(page); /* another thread was faster */
        page = other;
    }
    return page;
}

static bool asked_in_memory(void)
{
    page_words *page = map_asked();
    uint32_t asked = 0;

    if (page != NULL) {
        return atomic_load(&page->asked) != 0;
    }
    return pread(bound_fd, &asked, sizeof asked, offsetof(page_words, asked)) > 0 && asked != 0;
}

#else

static void forget_asked(void)
{
}

static void ask_in_memory(void *page)
{
    (void)page;
}

static bool asked_in_memory(void)
{
    return false;
}

int brood_posix_report_create(void **page, int *fd)
{
    (void)page;
    (void)fd;
    return brood_fail(BROOD_ENOTSUP, "no shared memory that can grow on this system");
}

void brood_posix_report_close(void *page)
{
    (void)page;
}

int brood_posix_report_tell(void *page, int fd)
{
    (void)page;
    (void)fd;
    return 0;
}

bool brood_posix_report_await(void *page, int lifeline)
{
    (void)page;
    (void)lifeline;
    return true;
}

int brood_posix_report_touch(int fd)
{
    (void)fd;
    return 0;
}

void *brood_posix_report_map(int fd)
{
    (void)fd;
    errno = ENOSYS;
    return NULL;
}

void brood_posix_report_end(void *page, int status)
{
    (void)page;
    (void)status;
}

bool brood_posix_report_ended(void *page, int *status, int64_t wait_ns)
{
    (void)page;
    (void)status;
    (void)wait_ns;
    return false;
}

static int report_in_memory(const brood_view pieces[2])
{
    (void)pieces;
    return brood_fail(BROOD_ENOTSUP, "no shared memory that can grow on this system");
}

static int take_from_memory(brood_os_process *process, brood_buffer *out)
{
    (void)process;
    (void)out;
    return 0;
}

#endif

/* ---- wherever it goes ---- */

int brood_os_child_report(const brood_view pieces[2])
{
    if (bound_fd < 0) {
        return brood_fail(BROOD_EPEER, "there is no parent to report to");
    }
    if (bound_how == BROOD_POSIX_REPORT_MEMORY) {
        return report_in_memory(pieces);
    }
    return brood_posix_report_send(bound_fd, pieces);
}

void brood_os_process_ask(brood_os_process *process)
{
    const char ask = ASK;

    if (process->report != NULL) {
        ask_in_memory(process->report);
    } else if (
        !process->asked) { /* once, so that it cannot fill the channel of one that never looks */
        process->asked = true;
        (void)brood_posix_send_fds((int)process->sentinel, &ask, 1, NULL, 0);
    }
}

bool brood_os_child_asked(void)
{
    unsigned char ahead[BROOD_OS_SECRET_MAX + 1];
    ssize_t n;

    if (bound_fd < 0) {
        return false;
    }
    if (bound_how == BROOD_POSIX_REPORT_MEMORY) {
        return asked_in_memory();
    }
    n = recv(bound_fd, ahead, secret_size + 1, MSG_PEEK | MSG_DONTWAIT);
    sodium_memzero(ahead, sizeof ahead);
    return n > (ssize_t)secret_size;
}

int brood_os_process_report(brood_os_process *process, brood_buffer *out)
{
    int status;
    char found;
    int rc;

    *out = BROOD_BUFFER_NONE;
    if (process->server != NULL && process->report == NULL) {
        return brood_posix_served_report(process, out);
    }
    if (process->report == NULL) {
        return brood_posix_report_next((int)process->sentinel, out, &status, &found);
    }
    rc = take_from_memory(process, out);
    brood_posix_report_close(process->report); /* the object may be kept for long */
    process->report = NULL;
    return rc;
}

/* What a child leaves for its parent: its result or its failure, once, at the end.
 *
 * Where there is memfd it lies in a growing shared file of which the parent holds only a view of
 * the first page, no descriptor: a thousand running children cost the parent a thousand process
 * descriptors and nothing else, and a child never waits for its parent to read. The file cannot
 * shrink (sealed), so the first page is always there; what lies behind is copied by the kernel,
 * which answers with an error where a crashed child's header promises more than there is.
 *
 * Elsewhere the channel stays open: a short report is a message, a long one a message with a
 * section. */
#include "posix.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAGIC 0x74726f7065726221u /* "!breport" */
#define PAGE 4096
#define INLINE_MAX 2048 /* bytes that fit any socket's buffer */

/* What the parent tells the child, in front of the report. */
typedef struct page_words {
    _Atomic uint32_t known; /* not 0: the parent holds a descriptor of the process, so it may end */
    uint32_t unused[3];
} page_words;

typedef struct report_head {
    uint64_t magic; /* written last */
    uint64_t size;
} report_head;

#define HEAD_AT sizeof(page_words)
#define REPORT_AT (HEAD_AT + sizeof(report_head))

/* The child's side. */
static uint32_t bound_how;
static int bound_fd = -1;

void brood_posix_report_bind(const brood_posix_parcel *parcel, int channel)
{
    bound_how = parcel->report;
    if (parcel->report == BROOD_POSIX_REPORT_MEMORY) {
        bound_fd = parcel->report_fd;
        brood_posix_close(channel);
    } else {
        bound_fd = channel;
    }
}

void brood_posix_report_leave(void)
{
    brood_posix_close(bound_fd);
    bound_fd = -1;
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
    data =
        BROOD_SYS_AS("mmap", ENOMEM, MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0));
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
    const page_words words = {1, {0}};

    if (BROOD_SYS("pwrite", ENOSPC, pwrite(fd, &words, sizeof words, 0)) != sizeof words) {
        return brood_posix_error(errno, "tell a child that it may go on");
    }
    (void)syscall(SYS_futex, page, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
    return 0;
}

void brood_posix_report_await(void *page)
{
    const struct timespec slice = {0, 20L * 1000 * 1000};
    const page_words *words = page;

    while (atomic_load(&words->known) == 0) {
        (void)syscall(SYS_futex, page, FUTEX_WAIT, 0, &slice, NULL, 0);
    }
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

#else

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

void brood_posix_report_await(void *page)
{
    (void)page;
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

/* ---- over the channel ---- */

static void join_pieces(void *out, const brood_view pieces[2])
{
    for (int i = 0; i < 2; i++) {
        if (pieces[i].size > 0) {
            memcpy(out, pieces[i].data, pieces[i].size);
            out = (char *)out + pieces[i].size;
        }
    }
}

static int report_short(const brood_view pieces[2], size_t size)
{
    unsigned char message[sizeof(report_head) + INLINE_MAX];
    const report_head head = {MAGIC, size};

    memcpy(message, &head, sizeof head);
    join_pieces(message + sizeof head, pieces);
    return brood_posix_send_fds(bound_fd, message, sizeof head + size, NULL, 0);
}

static int report_long(const brood_view pieces[2], size_t size)
{
    const report_head head = {MAGIC, size};
    brood_os_section section = BROOD_OS_SECTION_NONE;
    int fd;
    int rc = brood_os_section_create(&section, size);

    if (rc) {
        return rc;
    }
    join_pieces(section.data, pieces);
    rc = brood_os_section_seal(&section);
    fd = (int)section.handle;
    if (rc == 0) {
        rc = brood_posix_send_fds(bound_fd, &head, sizeof head, &fd, 1);
    }
    brood_os_section_close(&section);
    return rc;
}

int brood_os_child_report(const brood_view pieces[2])
{
    const size_t size = pieces[0].size + pieces[1].size;

    if (bound_fd < 0) {
        return brood_fail(BROOD_EPEER, "there is no parent to report to");
    }
    if (bound_how == BROOD_POSIX_REPORT_MEMORY) {
        return report_in_memory(pieces);
    }
    return size <= INLINE_MAX ? report_short(pieces, size) : report_long(pieces, size);
}

static int copy_section(brood_buffer *out, int fd, size_t size)
{
    brood_buffer view = BROOD_BUFFER_NONE;
    int rc = brood_os_section_read(&view, fd, size);

    if (rc) {
        return rc;
    }
    rc = brood_buffer_new(out, size);
    if (rc == 0) {
        memcpy(out->data, view.data, size);
    }
    brood_buffer_release(&view);
    return rc;
}

static int take_from_channel(brood_os_process *process, brood_buffer *out)
{
    unsigned char message[sizeof(report_head) + INLINE_MAX];
    report_head head;
    int fds[BROOD_POSIX_FDS_MAX];
    size_t got = 0;
    size_t count = 0;
    int rc = brood_posix_receive_fds((int)process->sentinel, message, sizeof message, MSG_DONTWAIT,
                                     &got, fds, &count);

    if (rc) {
        return brood_last_error()->system_code == EAGAIN ? 0 : rc;
    }
    if (got >= sizeof head) {
        memcpy(&head, message, sizeof head);
        if (head.magic == MAGIC && count == 1 && head.size > 0 && head.size < SIZE_MAX) {
            rc = copy_section(out, fds[0], (size_t)head.size);
        } else if (head.magic == MAGIC && head.size == got - sizeof head) {
            rc = brood_buffer_new(out, (size_t)head.size);
            if (rc == 0) {
                memcpy(out->data, message + sizeof head, (size_t)head.size);
            }
        }
    }
    for (size_t i = 0; i < count; i++) {
        brood_posix_close(fds[i]);
    }
    return rc;
}

int brood_os_process_report(brood_os_process *process, brood_buffer *out)
{
    int rc;

    *out = BROOD_BUFFER_NONE;
    if (process->report == NULL) {
        return take_from_channel(process, out);
    }
    rc = take_from_memory(process, out);
    brood_posix_report_close(process->report); /* the object may be kept for long */
    process->report = NULL;
    return rc;
}

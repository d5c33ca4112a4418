/* Shared memory that the program uses. Without a name it is a sealed memfd, where there is one; with
 * a name it is what shm_open makes of it, which Linux does not let be sealed. */
#include "posix.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(BROOD_HAVE_MEMFD) && !defined(F_SEAL_FUTURE_WRITE)
#define F_SEAL_FUTURE_WRITE 0x0010 /* Linux 5.1 */
#endif

#define NAME_SIZE 256 /* with the slash and the zero byte */

/* What is being made, with what has to be undone. */
typedef struct making {
    const char *path; /* in the system's list of names; NULL: it has none */
    int fd;
    int reader; /* -1, or what can only be read from: then that is what others get */
    void *data;
} making;

/* ---- names ---- */

static int put_slash(char path[NAME_SIZE], const char *name)
{
    const int size = snprintf(path, NAME_SIZE, "/%s", name);

    return size > 0 && size < NAME_SIZE
               ? 0
               : brood_fail(BROOD_EINVAL, "the name \"%.40s...\" is too long for shared memory",
                            name);
}

static bool is_same_object(int a, int b)
{
    struct stat one;
    struct stat two;

    return fstat(a, &one) == 0 && fstat(b, &two) == 0 && one.st_dev == two.st_dev &&
           one.st_ino == two.st_ino;
}

/* Nobody can open it while it is being made: who comes too early is told by size or mode, which
 * root does not care about. */
static int open_with_name(making *m, bool read_only)
{
    m->fd = BROOD_SYS("shm_open", EMFILE, shm_open(m->path, O_RDWR | O_CREAT | O_EXCL, 0600));
    if (m->fd < 0) {
        const int rc = brood_posix_error(errno, "create shared memory %s", m->path);
        m->path = NULL; /* it is not ours */
        return rc;
    }
    if (read_only) {
        m->reader = BROOD_SYS("shm_open", EMFILE, shm_open(m->path, O_RDONLY, 0));
        if (m->reader < 0 || !is_same_object(m->fd, m->reader)) {
            return brood_posix_error(m->reader < 0 ? errno : ENOENT,
                                     "open shared memory %s for reading", m->path);
        }
    }
    (void)fchmod(m->fd, 0);
    m->fd = brood_posix_move(m->fd, 3);
    m->reader = brood_posix_move(m->reader, 3);
    if (m->fd < 0 || (read_only && m->reader < 0)) {
        return brood_posix_error(errno, "create shared memory %s", m->path);
    }
    return 0;
}

/* ---- create ---- */

/* A limit of file sizes is a lack of room like others to whoever asked for memory. */
static int fail_to_reserve(int errnum, size_t size)
{
    brood_failure failure;

    (void)brood_posix_error(errnum, "reserve %zu bytes of shared memory", size);
    failure = *brood_last_error();
    if (errnum == EFBIG || errnum == EDQUOT) {
        failure.error = BROOD_ENOMEM;
    }
    return brood_fail_as(&failure);
}

static int map(void **out, int fd, size_t size, bool read_only)
{
    const int access = read_only ? PROT_READ : PROT_READ | PROT_WRITE;
    void *const data =
        BROOD_SYS_AS("mmap", ENOMEM, MAP_FAILED, mmap(NULL, size, access, MAP_SHARED, fd, 0));

    if (data == MAP_FAILED) {
        return brood_posix_error(errno, "map %zu bytes of shared memory", size);
    }
    *out = data;
    return 0;
}

#if defined(BROOD_HAVE_MEMFD)
/* A kernel before 5.1 knows no such seal. Another descriptor that cannot write is what there is
 * then; a receiver could only get around it by opening the file once more. */
static int open_reader(making *m)
{
    char path[40];

    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", m->fd);
    m->reader = brood_posix_move(BROOD_SYS("open", EMFILE, open(path, O_RDONLY | O_CLOEXEC)), 3);
    return m->reader >= 0 ? 0 : brood_posix_error(errno, "open shared memory for reading");
}

/* Our view is made already, so it may go on writing. */
static int seal(making *m, bool read_only)
{
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    int rc = BROOD_SYS("fcntl", EBUSY,
                       fcntl(m->fd, F_ADD_SEALS, read_only ? seals | F_SEAL_FUTURE_WRITE : seals));

    if (rc < 0 && errno == EINVAL && read_only) {
        rc = BROOD_SYS("fcntl", EBUSY, fcntl(m->fd, F_ADD_SEALS, seals));
        if (rc == 0) {
            return open_reader(m);
        }
    }
    return rc < 0 ? brood_posix_error(errno, "seal shared memory") : 0;
}
#else
static int seal(making *m, bool read_only)
{
    (void)m;
    (void)read_only;
    return 0;
}
#endif

static int make(making *m, size_t size, bool read_only)
{
    int errnum;
    int rc = m->path != NULL ? open_with_name(m, read_only)
                             : brood_posix_open_memory(&m->fd, &m->reader, read_only);

    if (rc) {
        return rc;
    }
    errnum = brood_posix_reserve(m->fd, 0, size);
    if (errnum != 0) {
        return fail_to_reserve(errnum, size);
    }
    rc = map(&m->data, m->fd, size, false);
    if (rc == 0 && m->path == NULL) {
        rc = seal(m, read_only);
    }
    return rc;
}

int brood_os_block_create(brood_os_section *out, size_t size, const char *name, bool read_only)
{
    char path[NAME_SIZE];
    making m = {NULL, -1, -1, NULL};
    int rc = 0;

    if (name != NULL) {
        rc = put_slash(path, name);
        m.path = path;
    }
    rc = rc ? rc : make(&m, size, read_only);
    if (rc) {
        if (m.data != NULL) {
            (void)munmap(m.data, size);
        }
        if (m.path != NULL && m.fd >= 0) {
            (void)shm_unlink(m.path);
        }
        brood_posix_close(m.fd);
        brood_posix_close(m.reader);
        return rc;
    }
    if (m.path != NULL) {
        (void)fchmod(m.fd, read_only ? 0400 : 0600); /* from here on it can be opened */
    }
    if (m.reader >= 0) {
        brood_posix_close(m.fd);
        m.fd = m.reader;
    }
    *out = (brood_os_section){m.fd, m.data, size};
    return 0;
}

/* ---- open ---- */

/* How large it is, once it is made. */
static int look_at(size_t *size, int fd, const char *path, bool read_only)
{
    struct stat facts;

    if (BROOD_SYS("fstat", EBADF, fstat(fd, &facts)) < 0) {
        return brood_posix_error(errno, "look at shared memory %s", path);
    }
    if (facts.st_size <= 0 || (facts.st_mode & 0400) == 0) {
        return brood_fail(BROOD_ENOENT, "shared memory %s is not there yet: it is being made",
                          path);
    }
    if (!read_only && (facts.st_mode & 0200) == 0) { /* root could */
        return brood_fail(BROOD_EACCES, "shared memory %s can only be read", path);
    }
    if ((uintmax_t)facts.st_size > (uintmax_t)PTRDIFF_MAX) {
        return brood_fail_nomem("a view of so much shared memory");
    }
    *size = (size_t)facts.st_size;
    return 0;
}

int brood_os_block_open(brood_os_section *out, const char *name, bool read_only)
{
    char path[NAME_SIZE];
    brood_os_section block = BROOD_OS_SECTION_NONE;
    int fd;
    int rc = put_slash(path, name);

    if (rc) {
        return rc;
    }
    fd = BROOD_SYS("shm_open", EMFILE, shm_open(path, read_only ? O_RDONLY : O_RDWR, 0));
    fd = brood_posix_move(fd, 3);
    if (fd < 0) {
        return brood_posix_error(errno, "open shared memory %s", path);
    }
    rc = look_at(&block.size, fd, path, read_only);
    rc = rc ? rc : map(&block.data, fd, block.size, read_only);
    if (rc) {
        brood_posix_close(fd);
        return rc;
    }
    block.handle = fd;
    *out = block;
    return 0;
}

int brood_os_block_unlink(const char *name)
{
    char path[NAME_SIZE];
    int rc = put_slash(path, name);

    if (rc == 0 && BROOD_SYS("shm_unlink", EACCES, shm_unlink(path)) < 0) {
        rc = brood_posix_error(errno, "unlink shared memory %s", path);
    }
    return rc;
}

/* ---- adopt ---- */

/* A file that somebody cuts off takes the pages away from under whoever reads them. */
static bool can_shrink(int fd)
{
#if defined(BROOD_HAVE_MEMFD)
    const int seals = fcntl(fd, F_GET_SEALS);

    return seals < 0 || (seals & F_SEAL_SHRINK) == 0;
#else
    (void)fd;
    return false;
#endif
}

int brood_os_block_adopt(brood_os_section *out, brood_os_handle handle, size_t size, bool read_only,
                         bool named)
{
    const int fd = (int)handle;
    brood_os_section block = {handle, NULL, size};
    struct stat facts;
    int rc;

    if (BROOD_SYS("fstat", EBADF, fstat(fd, &facts)) < 0) {
        return brood_posix_error(errno, "look at shared memory");
    }
    if (facts.st_size < 0 || (uintmax_t)facts.st_size < size) {
        return brood_fail(BROOD_EHANDLE, "shared memory of %lld bytes where %zu were announced",
                          (long long)facts.st_size, size);
    }
    if (!named && can_shrink(fd)) {
        return brood_fail(BROOD_EHANDLE, "shared memory that could shrink, or none at all");
    }
    rc = map(&block.data, fd, size, read_only);
    if (rc) {
        const int64_t why = brood_last_error()->system_code;
        if (why == EACCES || why == EPERM || why == ENODEV) {
            return brood_fail(BROOD_EHANDLE, "a handle that is no shared memory, or cannot be "
                                             "written to where that was announced");
        }
        return rc;
    }
    *out = block;
    return 0;
}

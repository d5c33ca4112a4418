#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../locks.h"

#if defined(BROOD_HAVE_MEMFD)
int brood_posix_open_memory(int *fd, int *reader, bool read_only)
{
    const int made = brood_posix_move(
        BROOD_SYS("memfd_create", EMFILE, memfd_create("brood", MFD_CLOEXEC | MFD_ALLOW_SEALING)),
        3);

    (void)read_only;
    if (made < 0) {
        return brood_posix_error(errno, "create shared memory");
    }
    *fd = made;
    *reader = -1;
    return 0;
}

void brood_posix_forget_memory(int64_t pid)
{
    (void)pid;
}
#else
/* Shared memory has a name here, for the moment between two system calls. It is its process's, which
 * has only one at a time: so whoever learns of the end of a process knows what it may have left. */
static void name_of(char *name, size_t size, int64_t pid)
{
    (void)snprintf(name, size, "/brood-%lld", (long long)pid);
}

static bool is_same(int fd, int other)
{
    struct stat one;
    struct stat two;

    return fstat(fd, &one) == 0 && fstat(other, &two) == 0 && one.st_ino == two.st_ino;
}

/* Returns an error number. */
static int open_as(const char *name, int *fd, int *reader, bool read_only)
{
    int errnum = 0;

    *reader = -1;
    *fd = BROOD_SYS("shm_open", EMFILE, shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600));
    if (*fd < 0) {
        return errno;
    }
    if (read_only) {
        *reader = BROOD_SYS("shm_open", EMFILE, shm_open(name, O_RDONLY, 0));
        errnum = *reader < 0 ? errno : is_same(*fd, *reader) ? 0 : EEXIST;
    }
    (void)shm_unlink(name);
    if (errnum == 0) {
        *fd = brood_posix_move(*fd, 3);
        *reader = *reader >= 0 ? brood_posix_move(*reader, 3) : -1;
        errnum = *fd < 0 || (read_only && *reader < 0) ? errno : 0;
    }
    if (errnum != 0) {
        brood_posix_close(*fd);
        brood_posix_close(*reader);
        *fd = -1; /* callers close what they have */
        *reader = -1;
    }
    return errnum;
}

int brood_posix_open_memory(int *fd, int *reader, bool read_only)
{
    char name[32];
    int errnum;

    brood_locks_take(BROOD_LOCK_MEMORY_NAME);
    name_of(name, sizeof name, (int64_t)getpid());
    errnum = open_as(name, fd, reader, read_only);
    if (errnum == EEXIST) { /* from one that was killed and had our number */
        (void)shm_unlink(name);
        errnum = open_as(name, fd, reader, read_only);
    }
    /* It is somebody else's, or was taken away by one who has our number in another namespace. */
    if (errnum == EEXIST || errnum == EACCES || errnum == ENOENT) {
        (void)snprintf(name, sizeof name, "/brood-%08x%08x", randombytes_random(),
                       randombytes_random());
        errnum = open_as(name, fd, reader, read_only);
    }
    brood_locks_give(BROOD_LOCK_MEMORY_NAME);
    return errnum == 0 ? 0 : brood_posix_error(errnum, "create shared memory");
}

void brood_posix_forget_memory(int64_t pid)
{
    char name[32];

    name_of(name, sizeof name, pid);
    (void)shm_unlink(name);
}
#endif

static int reserve(int fd, size_t offset, size_t size)
{
    const int errnum = brood_posix_reserve(fd, offset, size);

    return errnum == 0 ? 0 : brood_posix_error(errnum, "reserve %zu bytes of shared memory", size);
}

int brood_os_section_create(brood_os_section *out, size_t size)
{
    void *data;
    int none;
    int fd = -1;
    int rc = brood_posix_open_memory(&fd, &none, false);

    if (rc == 0) {
        rc = reserve(fd, 0, size);
    }
    if (rc) {
        goto done;
    }
    data = BROOD_SYS_AS("mmap", ENOMEM, MAP_FAILED,
                        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    if (data == MAP_FAILED) {
        rc = brood_posix_error(errno, "map %zu bytes of shared memory", size);
        goto done;
    }
    out->handle = fd;
    out->data = data;
    out->size = size;
    fd = -1;

done:
    brood_posix_close(fd);
    return rc;
}

static int map_all(brood_os_section *out, int fd, size_t size)
{
    void *data = BROOD_SYS_AS("mmap", ENOMEM, MAP_FAILED,
                              mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));

    if (data == MAP_FAILED) {
        return brood_posix_error(errno, "map %zu bytes of shared memory", size);
    }
    *out = (brood_os_section){fd, data, size};
    return 0;
}

static int set_size(int fd, size_t size)
{
    brood_posix_file_limit limit;
    int rc = 0;

    if (size > (size_t)INT64_MAX / 2) {
        return brood_fail_nomem("shared memory");
    }
    brood_posix_file_limit_begin(&limit);
    if (BROOD_SYS("ftruncate", ENOSPC, ftruncate(fd, (off_t)size)) < 0) {
        rc = brood_posix_error(errno, "size shared memory to %zu bytes", size);
    }
    brood_posix_file_limit_end(&limit);
    return rc;
}

/* Nobody can take pages away that others read. */
static void fix_size(int fd)
{
#if defined(BROOD_HAVE_MEMFD)
    (void)fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
#else
    (void)fd;
#endif
}

int brood_os_section_create_sparse(brood_os_section *out, size_t size, size_t reserved)
{
    brood_os_section section = BROOD_OS_SECTION_NONE;
    int none;
    int fd = -1;
    int rc = brood_posix_open_memory(&fd, &none, false);

    if (rc == 0) {
        rc = set_size(fd, size);
    }
    if (rc == 0) {
        rc = reserve(fd, 0, reserved);
    }
    if (rc == 0) {
        fix_size(fd);
        rc = map_all(&section, fd, size);
    }
    if (rc) {
        brood_posix_close(fd);
        return rc;
    }
    *out = section;
    return 0;
}

int brood_os_section_open(brood_os_section *out, brood_os_handle handle)
{
    struct stat facts;

    if (BROOD_SYS("fstat", EBADF, fstat((int)handle, &facts)) < 0) {
        return brood_posix_error(errno, "look at shared memory");
    }
    if (!S_ISREG(facts.st_mode) || facts.st_size <= 0 || (uint64_t)facts.st_size > SIZE_MAX / 2) {
        return brood_fail(BROOD_EINVAL, "descriptor %d is not shared memory", (int)handle);
    }
    return map_all(out, (int)handle, (size_t)facts.st_size);
}

int brood_os_section_reserve(const brood_os_section *section, size_t offset, size_t size)
{
    return reserve((int)section->handle, offset, size);
}

void brood_os_section_discard(const brood_os_section *section, size_t offset, size_t size)
{
#if defined(BROOD_HAVE_PUNCH_HOLE)
    (void)fallocate((int)section->handle, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
                    (off_t)size);
#else
    (void)section;
    (void)offset;
    (void)size;
#endif
}

int brood_os_section_seal(brood_os_section *section)
{
    if (section->data != NULL) {
        (void)munmap(section->data, section->size);
        section->data = NULL;
    }
#if defined(BROOD_HAVE_MEMFD)
    if (BROOD_SYS("fcntl", EBUSY,
                  fcntl((int)section->handle, F_ADD_SEALS,
                        F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)) < 0) {
        return brood_posix_error(errno, "seal shared memory");
    }
#endif
    return 0;
}

void brood_os_section_close(brood_os_section *section)
{
    if (section->data != NULL) {
        (void)munmap(section->data, section->size);
    }
    brood_posix_close((int)section->handle);
    *section = BROOD_OS_SECTION_NONE;
}

static void unmap(void *data, size_t size)
{
    (void)munmap(data, size);
}

int brood_os_section_read(brood_buffer *out, brood_os_handle handle, size_t size)
{
    struct stat facts;
    void *data;

    if (BROOD_SYS("fstat", EBADF, fstat((int)handle, &facts)) < 0) {
        return brood_posix_error(errno, "look at shared memory");
    }
    if (facts.st_size < 0 || (uint64_t)facts.st_size < size) {
        return brood_fail(BROOD_EINVAL, "shared memory of %lld bytes where %zu were announced",
                          (long long)facts.st_size, size);
    }
    data = BROOD_SYS_AS("mmap", ENOMEM, MAP_FAILED,
                        mmap(NULL, size, PROT_READ, MAP_PRIVATE, (int)handle, 0));
    if (data == MAP_FAILED) {
        return brood_posix_error(errno, "map %zu bytes of shared memory", size);
    }
    out->data = data;
    out->size = size;
    out->release = unmap;
    return 0;
}

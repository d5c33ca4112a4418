#include "posix.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(BROOD_HAVE_MEMFD)
static int open_unnamed(void)
{
    return BROOD_SYS("memfd_create", EMFILE,
                     memfd_create("brood", MFD_CLOEXEC | MFD_ALLOW_SEALING));
}
#else
static int open_unnamed(void)
{
    char name[32];
    const unsigned a = randombytes_random();
    const unsigned b = randombytes_random();
    int fd;

    (void)snprintf(name, sizeof name, "/brood-%08x%08x", a, b);
    fd = BROOD_SYS("shm_open", EMFILE, shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600));
    if (fd >= 0) {
        (void)shm_unlink(name);
    }
    return fd;
}
#endif

/* Sparse memory would crash the one who first writes to it on a full system. */
static int reserve_pages(int fd, size_t size)
{
#if defined(BROOD_HAVE_POSIX_FALLOCATE)
    int errnum;

    do {
        errnum = BROOD_SYS_RETURNS("posix_fallocate", ENOSPC, posix_fallocate(fd, 0, (off_t)size));
    } while (errnum == EINTR);
    return errnum == 0 ? 0 : brood_posix_error(errnum, "reserve %zu bytes of shared memory", size);
#else
    if (BROOD_SYS("ftruncate", ENOSPC, ftruncate(fd, (off_t)size)) < 0) {
        return brood_posix_error(errno, "size shared memory to %zu bytes", size);
    }
    return 0;
#endif
}

static int reserve(int fd, size_t size)
{
    brood_posix_file_limit limit;
    int rc;

    brood_posix_file_limit_begin(&limit);
    rc = reserve_pages(fd, size);
    brood_posix_file_limit_end(&limit);
    return rc;
}

int brood_os_section_create(brood_os_section *out, size_t size)
{
    int rc = 0;
    void *data;
    int fd = brood_posix_move(open_unnamed(), 3);

    if (fd < 0) {
        return brood_posix_error(errno, "create shared memory");
    }
    rc = reserve(fd, size);
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

/* Making sure that the system has the memory behind a shared memory object. Sparse memory would crash
 * the one who first writes to it on a full system. */
#include "posix.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE ((size_t)2 << 20)        /* reserved at a time */
#define LOOK_EVERY ((size_t)256 << 20) /* at the room there is */
#define LOOK_LEAST ((size_t)8 << 20)   /* smaller ones fit, or nothing does */

#if defined(BROOD_HAVE_POSIX_FALLOCATE)
/* A signal undoes a call from its beginning, so the calls are short. */
static int reserve_piece(int fd, off_t from, size_t size)
{
    int errnum;

    do {
        errnum =
            BROOD_SYS_RETURNS("posix_fallocate", ENOSPC, posix_fallocate(fd, from, (off_t)size));
    } while (errnum == EINTR);
    return errnum;
}
#else
/* What is written to is there. Where such objects are not written to, none has room of its own that
 * could be full. */
static int fill(int fd, off_t from, off_t end)
{
    static const char zeros[64 * 1024];

    while (from < end) {
        const off_t rest = end - from;
        const size_t size = rest < (off_t)sizeof zeros ? (size_t)rest : sizeof zeros;
        const ssize_t n = BROOD_SYS("pwrite", ENOSPC, pwrite(fd, zeros, size, from));
        if (n < 0 && errno != EINTR) {
            return errno == ENOSPC || errno == ENOMEM || errno == EFBIG || errno == EDQUOT ? errno
                                                                                           : 0;
        }
        from += n > 0 ? n : 0;
    }
    return 0;
}

/* Somebody may use what is there already. */
static int reserve_piece(int fd, off_t from, size_t size)
{
    const off_t end = from + (off_t)size;
    struct stat facts;

    if (BROOD_SYS("fstat", EBADF, fstat(fd, &facts)) < 0) {
        return errno;
    }
    if (facts.st_size >= end) {
        return 0;
    }
    if (BROOD_SYS("ftruncate", ENOSPC, ftruncate(fd, end)) < 0) {
        return errno;
    }
    return fill(fd, facts.st_size > from ? facts.st_size : from, end);
}
#endif

/* Not all of what there is: others want a little, too. */
static bool is_too_much(size_t size)
{
    const uint64_t room = brood_posix_room();

    return room > 0 && size > room - room / 32;
}

static int reserve_pages(int fd, size_t offset, size_t size)
{
    const off_t end = (off_t)(offset + size);
    int errnum = 0;

    if (offset + size < size || end <= 0 || (uintmax_t)end != offset + size) {
        return ENOMEM;
    }
    for (size_t done = 0; done < size && errnum == 0; done += PIECE) {
        const size_t rest = size - done;
        if (size >= LOOK_LEAST && done % LOOK_EVERY == 0 && is_too_much(rest)) {
            return ENOMEM;
        }
        errnum = reserve_piece(fd, (off_t)(offset + done), rest < PIECE ? rest : PIECE);
    }
    return errnum;
}

int brood_posix_reserve(int fd, size_t offset, size_t size)
{
    brood_posix_file_limit limit;
    int errnum;

    brood_posix_file_limit_begin(&limit);
    errnum = reserve_pages(fd, offset, size);
    brood_posix_file_limit_end(&limit);
    return errnum;
}

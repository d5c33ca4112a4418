/* A library's file before it is loaded. */
#include "elf_format.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE_SIZE ((size_t)65536)
#define NOTES_MAX ((size_t)65536) /* a segment of notes that is larger is not looked at */
#define SEGMENTS_MAX 4096

/* The headers of its segments. */
typedef struct segments {
    size_t count;
    brood_posix_segment headers[];
} segments;

static int fail_no_library(void)
{
    return brood_fail(BROOD_EMODULE, "it is no library of this system");
}

static int read_at(int fd, void *data, size_t size, uint64_t offset)
{
    unsigned char *to = data;

    while (size > 0) {
        const ssize_t got = BROOD_SYS("pread", EIO, pread(fd, to, size, (off_t)offset));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return brood_posix_error(errno, "read it");
        }
        if (got == 0) {
            return fail_no_library();
        }
        to += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return 0;
}

/* This very program's class and byte order, as its own header would have them. */
static bool is_ours(const ElfW(Ehdr) * header)
{
    const uint16_t probe = 1;
    const bool little = *(const unsigned char *)&probe == 1;

    return memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
           header->e_ident[EI_CLASS] == (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) &&
           header->e_ident[EI_DATA] == (little ? ELFDATA2LSB : ELFDATA2MSB) &&
           header->e_phentsize == sizeof(brood_posix_segment) && header->e_phnum > 0 &&
           header->e_phnum <= SEGMENTS_MAX;
}

static int read_segments(segments **out, int fd)
{
    ElfW(Ehdr) header;
    segments *all;
    int rc = read_at(fd, &header, sizeof header, 0);

    if (rc == 0 && !is_ours(&header)) {
        rc = fail_no_library();
    }
    if (rc) {
        return rc;
    }
    all = BROOD_ALLOC(malloc(sizeof *all + header.e_phnum * sizeof all->headers[0]));
    if (all == NULL) {
        return brood_fail_nomem("the headers of a library");
    }
    all->count = header.e_phnum;
    rc = read_at(fd, all->headers, all->count * sizeof all->headers[0], header.e_phoff);
    if (rc) {
        free(all);
        return rc;
    }
    *out = all;
    return 0;
}

/* Reads what the file has of a small segment. */
static int read_segment(unsigned char **out, int fd, const brood_posix_segment *header)
{
    unsigned char *data = BROOD_ALLOC(malloc(header->p_filesz > 0 ? header->p_filesz : 1));
    int rc;

    if (data == NULL) {
        return brood_fail_nomem("a part of a library");
    }
    rc = read_at(fd, data, header->p_filesz, header->p_offset);
    if (rc) {
        free(data);
        return rc;
    }
    *out = data;
    return 0;
}

static int find_identity(brood_os_image *image, const segments *all, int fd)
{
    unsigned char *notes = NULL;
    int rc = 0;

    image->identity_size = 0;
    for (size_t i = 0; i < all->count && rc == 0 && image->identity_size == 0; i++) {
        const brood_posix_segment *header = &all->headers[i];
        if (header->p_type != PT_NOTE || header->p_filesz > NOTES_MAX) {
            continue;
        }
        rc = read_segment(&notes, fd, header);
        if (rc == 0) {
            brood_posix_elf_build_id(image->identity, &image->identity_size, notes,
                                     header->p_filesz, header->p_align);
            free(notes);
        }
    }
    return rc;
}

/* Not to be held up by what is no file, a named pipe say. */
static int open_file(int *out, const char *path)
{
    struct stat info;
    const int fd =
        BROOD_SYS("open", EMFILE, open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    int rc = 0;

    if (fd < 0) {
        return brood_posix_error(errno, "open it");
    }
    if (BROOD_SYS("fstat", EIO, fstat(fd, &info)) < 0) {
        rc = brood_posix_error(errno, "look at it");
    } else if (!S_ISREG(info.st_mode)) {
        rc = fail_no_library();
    }
    if (rc) {
        brood_posix_close(fd);
        return rc;
    }
    *out = fd;
    return 0;
}

int brood_os_image_open(brood_os_image *out, const char *path)
{
    segments *all = NULL;
    int fd = -1;
    int rc = 0;

    if (path[0] != '/') {
        return brood_fail(BROOD_EMODULE, "its path is not absolute");
    }
    rc = open_file(&fd, path);
    if (rc == 0) {
        rc = read_segments(&all, fd);
    }
    if (rc == 0) {
        rc = find_identity(out, all, fd);
    }
    if (rc) {
        free(all);
        brood_posix_close(fd);
        return rc;
    }
    out->file = fd;
    out->map = all;
    return 0;
}

static int check_segments(const segments *all, int fd)
{
    unsigned char *dynamic = NULL;
    int rc = 0;

    for (size_t i = 0; i < all->count && rc == 0; i++) {
        const brood_posix_segment *header = &all->headers[i];
        if (header->p_type == PT_LOAD && (header->p_flags & PF_X) != 0) {
            rc = brood_posix_elf_check_code(header);
        } else if (header->p_type == PT_DYNAMIC) {
            rc = header->p_filesz > NOTES_MAX ? fail_no_library()
                                              : read_segment(&dynamic, fd, header);
            if (rc == 0 && brood_posix_elf_moves_code(dynamic, header->p_filesz)) {
                rc = brood_posix_elf_fail_moved();
            }
            free(dynamic);
            dynamic = NULL;
        }
    }
    return rc;
}

static int show_file(int fd, const brood_posix_segment *header, unsigned char *piece,
                     brood_os_visit visit, void *user)
{
    uint64_t done = 0;
    int rc = 0;

    while (done < header->p_filesz && rc == 0) {
        const uint64_t left = header->p_filesz - done;
        const size_t size = left < PIECE_SIZE ? (size_t)left : PIECE_SIZE;
        rc = read_at(fd, piece, size, header->p_offset + done);
        if (rc == 0) {
            visit(user, piece, size);
        }
        done += size;
    }
    return rc;
}

int brood_os_image_code(const brood_os_image *image, brood_os_visit visit, void *user)
{
    const segments *all = image->map;
    const int fd = (int)image->file;
    unsigned char *piece = NULL;
    int rc = check_segments(all, fd);

    if (rc) {
        return rc;
    }
    piece = BROOD_ALLOC(malloc(PIECE_SIZE));
    if (piece == NULL) {
        return brood_fail_nomem("reading a library's code");
    }
    for (size_t i = 0; i < all->count && rc == 0; i++) {
        const brood_posix_segment *header = &all->headers[i];
        if (header->p_type == PT_LOAD && (header->p_flags & PF_X) != 0) {
            rc = show_file(fd, header, piece, visit, user);
        }
    }
    free(piece);
    return rc;
}

/* By its path, not by the open file: the library finds its folder ($ORIGIN) and is the same one
 * when the function opens it again. Should another file come to be there now, the caller sees by
 * its identity that it is another. */
int brood_os_image_load(const brood_os_image *image, const char *path)
{
    const char *words;

    (void)image;
    if (BROOD_SYS_AS("dlopen", ENOMEM, NULL, dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)) !=
        NULL) {
        return 0;
    }
    words = dlerror();
    return brood_fail(BROOD_EMODULE, "%s", words != NULL ? words : "the loader says no reason");
}

void brood_os_image_close(brood_os_image *image)
{
    free(image->map);
    image->map = NULL;
    brood_posix_close((int)image->file);
    image->file = BROOD_NO_HANDLE;
}

/* Files that are written, and the terminal. */
#include "posix.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

bool brood_os_error_is_terminal(void)
{
    return isatty(STDERR_FILENO) == 1;
}

void brood_os_ignore_interrupts(void)
{
    (void)signal(SIGINT, SIG_IGN);
}

int brood_os_file_create(brood_os_handle *out, const char *path)
{
    const int fd = brood_posix_move(BROOD_SYS("open", EACCES,
                                              open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                                                   S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH)),
                                    3);

    if (fd < 0) {
        return brood_posix_error(errno, "create the file %s", path);
    }
    *out = fd;
    return 0;
}

int brood_os_file_write(brood_os_handle file, const void *data, size_t size)
{
    const char *at = data;

    while (size > 0) {
        const ssize_t n = BROOD_SYS("write", ENOSPC, write((int)file, at, size));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return brood_posix_error(errno, "write to a file");
        }
        at += n;
        size -= (size_t)n;
    }
    return 0;
}

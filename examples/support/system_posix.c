#define _POSIX_C_SOURCE 200809L

#include "system.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char **example_arguments(int argc, char **argv)
{
    (void)argc;
    return argv;
}

bool example_is_terminal(FILE *stream)
{
    return isatty(fileno(stream)) == 1;
}

FILE *example_open(const char *name)
{
    FILE *file = fopen(name, "rb");
    if (file != NULL) {
        (void)setvbuf(file, NULL, _IONBF, 0);
    }
    return file;
}

int64_t example_file_size(const char *name)
{
    struct stat status;
    /* /dev/fd/3 or /proc/self/... is another file, or none, in another process. */
    if (strncmp(name, "/dev/", 5) == 0 || strncmp(name, "/proc/", 6) == 0) {
        return -1;
    }
    if (stat(name, &status) != 0) {
        return 0;
    }
    return S_ISREG(status.st_mode) ? (int64_t)status.st_size : -1;
}

void example_binary(FILE *stream)
{
    (void)stream; /* they always do */
}

/* How much memory there is for us. Shared memory that the system cannot give does not fail when it
 * is reserved: the kernel ends a process instead, and mostly the one that asked. */
#include "posix.h"

#include <stdlib.h>
#include <string.h>

#include "../cgroup.h"

#if defined(__linux__)
/* "NAME:   NUMBER kB" in bytes; -1 if it is not there. */
static int64_t find_line(const brood_buffer *text, const char *name)
{
    const char *at = text->data;
    const char *const end = at + text->size;
    const size_t length = strlen(name);

    while (at != NULL && at < end) {
        if ((size_t)(end - at) > length && memcmp(at, name, length) == 0 && at[length] == ':') {
            int64_t number = 0;
            at += length + 1;
            while (at < end && *at == ' ') {
                at++;
            }
            while (at < end && *at >= '0' && *at <= '9' && number < INT64_MAX / 20480) {
                number = number * 10 + (*at++ - '0');
            }
            return number * 1024;
        }
        at = memchr(at, '\n', (size_t)(end - at));
        at = at != NULL ? at + 1 : NULL;
    }
    return -1;
}

uint64_t brood_posix_room(void)
{
    const brood_cgroup_files files = {brood_posix_system_file, NULL};
    brood_buffer text = BROOD_BUFFER_NONE;
    int64_t free_now = -1;
    int64_t swap = 0;
    int64_t group;

    if (brood_posix_system_file(NULL, "/proc/meminfo", &text)) {
        free_now = find_line(&text, "MemAvailable");
        swap = find_line(&text, "SwapFree");
        swap = swap > 0 ? swap : 0;
    }
    brood_buffer_release(&text);
    free_now = free_now > 0 ? free_now + swap : 0;
    group = brood_cgroup_memory(&files, swap);
    if (group > 0 && (free_now == 0 || group < free_now)) {
        free_now = group;
    }
    return (uint64_t)free_now;
}
#else
uint64_t brood_posix_room(void)
{
    return 0;
}
#endif

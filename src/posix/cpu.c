/* How many processors there are for us. */
#include "posix.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "../cgroup.h"

#define CPUS_FIRST 1024 /* what a set has room for at first */
#define CPUS_MOST ((size_t)1 << 20)
#define FILE_FIRST 4096
#define FILE_MOST ((size_t)1 << 22)

#if defined(BROOD_HAVE_SCHED_GETAFFINITY)
/* 0 if the set cannot be asked for. */
static int64_t count_affinity(void)
{
    int64_t found = 0;

    /* The system refuses a set that is smaller than its own. */
    for (size_t room = CPUS_FIRST; room <= CPUS_MOST && found == 0; room *= 2) {
        const size_t size = CPU_ALLOC_SIZE(room);
        cpu_set_t *set = BROOD_ALLOC(CPU_ALLOC(room));
        if (set == NULL) {
            return 0;
        }
        if (BROOD_SYS("sched_getaffinity", EINVAL, sched_getaffinity(0, size, set)) == 0) {
            found = CPU_COUNT_S(size, set);
        } else if (errno != EINVAL) {
            room = CPUS_MOST;
        }
        CPU_FREE(set);
    }
    return found;
}
#else
static int64_t count_affinity(void)
{
    return 0;
}
#endif

int64_t brood_os_cpu_count(void)
{
    const int64_t allowed = count_affinity();

    return allowed > 0 ? allowed : sysconf(_SC_NPROCESSORS_ONLN);
}

#if defined(__linux__)
static void free_text(void *data, size_t size)
{
    (void)size;
    free(data);
}

/* Reads to the end, or what there is room for: files of the system do not tell their size. */
static bool read_all(int fd, brood_buffer *out)
{
    size_t room = 0;
    char *text = NULL;
    ssize_t n = 1;

    while (n > 0 && room < FILE_MOST) {
        if (out->size == room) {
            char *larger = BROOD_ALLOC(realloc(text, room = room == 0 ? FILE_FIRST : room * 2));
            if (larger == NULL) {
                free(text);
                return false;
            }
            text = larger;
        }
        do {
            n = BROOD_SYS("read", EIO, read(fd, text + out->size, room - out->size));
        } while (n < 0 && errno == EINTR);
        out->size += n > 0 ? (size_t)n : 0;
    }
    out->data = text;
    out->release = free_text;
    return n >= 0;
}

bool brood_posix_system_file(void *user, const char *path, brood_buffer *out)
{
    const int fd = BROOD_SYS("open", EMFILE, open(path, O_RDONLY | O_CLOEXEC));
    bool done;

    (void)user;
    *out = BROOD_BUFFER_NONE;
    if (fd < 0) {
        return false;
    }
    done = read_all(fd, out);
    brood_posix_close(fd);
    if (!done) {
        brood_buffer_release(out);
    }
    return done;
}

int64_t brood_os_cpu_quota(void)
{
    const brood_cgroup_files files = {brood_posix_system_file, NULL};

    return brood_cgroup_cpus(&files);
}
#else
int64_t brood_os_cpu_quota(void)
{
    return 0;
}
#endif

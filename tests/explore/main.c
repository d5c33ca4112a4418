/* explore SCENARIO...: goes through all states of these; without one it lists them. Each scenario
 * runs in a process of its own. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* dl_iterate_phdr */
#endif

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "world.h"

static void *need(void *found, const char *what)
{
    if (found == NULL) {
        (void)fprintf(stderr, "explore: %s\n", what);
        exit(2);
    }
    return found;
}

/* There is room for more threads than scenarios have. */
static void leave_out_threads(explore_image *image, uintptr_t start, uintptr_t end)
{
    const uintptr_t threads = (uintptr_t)image->layout->threads;
    const uintptr_t gap = threads + image->layout->threads_used;
    const uintptr_t behind = threads + image->layout->threads_size;

    image->data[0] = (unsigned char *)start;
    image->size[0] = gap - start;
    image->data[1] = (unsigned char *)behind;
    image->size[1] = end - behind;
}

/* What a library writes to: of its segments the writable one, without what is read-only after the
 * library was loaded. */
static int find_data(struct dl_phdr_info *info, size_t size, void *user)
{
    explore_image *image = user;
    uintptr_t start = 0;
    uintptr_t end = 0;
    uintptr_t fixed = 0;
    bool is_it = false;

    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        const uintptr_t first = (uintptr_t)info->dlpi_addr + (uintptr_t)header->p_vaddr;
        const uintptr_t last = first + header->p_memsz;
        if (header->p_type == PT_GNU_RELRO) {
            fixed = last;
        } else if (header->p_type == PT_LOAD && (header->p_flags & PF_W) != 0) {
            start = first;
            end = last;
            is_it =
                (uintptr_t)image->thread_number >= first && (uintptr_t)image->thread_number < last;
        }
    }
    if (!is_it) {
        return 0;
    }
    start = (fixed > start && fixed < end ? fixed : start) + 7;
    leave_out_threads(image, start / 8 * 8, (end + 7) / 8 * 8);
    return 1;
}

/* The copies lie beside the program. */
static void load_image(unsigned p)
{
    explore_image *image = &explore_set.images[p];
    char path[4096] = "";
    char *end = path;
    void *library;

    if (readlink("/proc/self/exe", path, sizeof path - 32) > 0 && strrchr(path, '/') != NULL) {
        end = strrchr(path, '/') + 1;
    }
    (void)snprintf(end, 32, "libexplored_%u.so", p);
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);

    (void)need(library, library == NULL ? dlerror() : "");
    image->scenarios = need(dlsym(library, "explore_scenarios"), "no scenarios");
    image->layout = need(dlsym(library, "explore_segment_layout"), "no layout");
    image->thread_number = need(dlsym(library, "brood_thread_number"), "no thread's number");
    image->heap = need(aligned_alloc(64, EXPLORE_HEAP), "no memory");
    memset(image->heap, 0, EXPLORE_HEAP);
    (void)dl_iterate_phdr(find_data, image);
    (void)need(image->data[0], "the library's memory is not to be found");
}

static void explore(const explore_scenario *scenario, size_t index)
{
    struct timespec began;
    struct timespec ended;
    explore_figures figures;

    for (unsigned t = 0; t < EXPLORE_THREADS; t++) {
        explore_set.stacks[t] =
            mmap(NULL, EXPLORE_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (explore_set.stacks[t] == MAP_FAILED) {
            exit(2);
        }
    }
    explore_board()[EXPLORE_BOARD - 1] = index;
    (void)clock_gettime(CLOCK_MONOTONIC, &began);
    explore_world_begin(scenario, index);
    explore_all(&figures);
    (void)clock_gettime(CLOCK_MONOTONIC, &ended);
    (void)printf(
        "%s: %llu states, %llu moves, %llu ends, depth %zu, %zu bytes, %.2f s\n", scenario->name,
        (unsigned long long)figures.states, (unsigned long long)figures.moves,
        (unsigned long long)figures.ends, figures.depth, figures.bytes,
        (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9);
    if (scenario->objected != NULL) {
        (void)printf("%s: is wrong, and nothing was found\n", scenario->name);
        exit(1);
    }
}

/* Scenarios change everything: each has a process of its own. */
static int explore_apart(const explore_scenario *scenario, size_t index)
{
    int status = 0;
    pid_t child;

    (void)fflush(stdout);
    child = fork();
    if (child == 0) {
        explore(scenario, index);
        (void)fflush(stdout);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0) {
        return 2;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
    const explore_scenario *scenarios;
    const char *scale = getenv("BROOD_TEST_SCALE");
    const bool full = scale != NULL && atoi(scale) >= 100;
    int result = 0;

    for (unsigned p = 0; p < EXPLORE_PROCESSES; p++) {
        load_image(p);
    }
    scenarios = explore_set.images[0].scenarios;
    for (size_t i = 0; scenarios[i].name != NULL; i++) {
        bool wanted = false;
        for (int a = 1; a < argc; a++) {
            const size_t length = strlen(argv[a]);
            wanted = wanted || strncmp(scenarios[i].name, argv[a], length) == 0;
        }
        if (argc == 1) {
            (void)printf("%-24s %s\n", scenarios[i].name, scenarios[i].claim);
        } else if (wanted && (full || !scenarios[i].large)) {
            const int rc = explore_apart(&scenarios[i], i);
            result = rc > result ? rc : result;
        }
    }
    return result;
}

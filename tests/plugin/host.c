/* A program that knows nothing of brood and loads a plug-in that does:
 *     host PLUGIN MODE [ARGUMENT]...
 * The modes are those of host.py, and `own`, which runs a function of this program in a child. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(_WIN32)
#include <windows.h>
#else
#include <dlfcn.h>
#include <signal.h>
#endif

typedef int (*host_function)(void *call);

static struct {
    int (*use)(const char *executable);
    int (*sum)(int max, int64_t *sum);
    int (*map)(int max, int64_t *sum);
    int (*run)(host_function function);
    int (*spin)(int64_t *pid);
    int (*leave)(const char *path);
    const char *(*words)(void);
} plugin;

static void find(void *library, const char *name, void *function, size_t size)
{
#if defined(_WIN32)
    const FARPROC found = GetProcAddress((HMODULE)library, name);
#else
    void *found = dlsym(library, name);
#endif
    memcpy(function, &found, size);
}

static void *load(const char *path)
{
#if defined(_WIN32)
    void *library = (void *)LoadLibraryA(path);
#else
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
#endif

    if (library == NULL) {
        (void)fprintf(stderr, "cannot load %s\n", path);
        exit(3);
    }
    find(library, "plugin_use", &plugin.use, sizeof plugin.use);
    find(library, "plugin_sum", &plugin.sum, sizeof plugin.sum);
    find(library, "plugin_map", &plugin.map, sizeof plugin.map);
    find(library, "plugin_run", &plugin.run, sizeof plugin.run);
    find(library, "plugin_spin", &plugin.spin, sizeof plugin.spin);
    find(library, "plugin_leave", &plugin.leave, sizeof plugin.leave);
    find(library, "plugin_words", &plugin.words, sizeof plugin.words);
    return library;
}

static void unload(void *library)
{
#if defined(_WIN32)
    (void)FreeLibrary((HMODULE)library);
#else
    (void)dlclose(library);
#endif
}

static void die(void)
{
#if defined(_WIN32)
    (void)TerminateProcess(GetCurrentProcess(), 1);
#else
    (void)raise(SIGKILL);
#endif
}

static int own_function(void *call)
{
    (void)call;
    return 0;
}

static int run_mode(void *library, const char *mode, char **arguments)
{
    int64_t number = 0;
    int rc = 0;

    if (strcmp(mode, "none") != 0) {
        rc = plugin.use(arguments[0]);
    }
    if (rc == 0 && (strcmp(mode, "sum") == 0 || strcmp(mode, "none") == 0)) {
        rc = plugin.sum(1000, &number);
    } else if (rc == 0 && strcmp(mode, "map") == 0) {
        rc = plugin.map(1000, &number);
    } else if (rc == 0 && strcmp(mode, "reset") == 0) {
        rc = plugin.use(NULL);
        rc = rc ? rc : plugin.sum(1000, &number);
    } else if (rc == 0 && strcmp(mode, "own") == 0) {
        rc = plugin.run(own_function);
    } else if (rc == 0 && strcmp(mode, "kill") == 0) {
        rc = plugin.spin(&number);
    } else if (rc == 0 && strcmp(mode, "leave") == 0) {
        rc = plugin.leave(arguments[1]);
        unload(library);
    }
    if (rc) {
        (void)printf("%s\n", plugin.words());
        return 1;
    }
    (void)printf("%lld\n", (long long)number);
    (void)fflush(stdout);
    if (strcmp(mode, "kill") == 0) {
        die();
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        (void)fprintf(stderr, "usage: host PLUGIN MODE [ARGUMENT]...\n");
        return 2;
    }
    return run_mode(load(argv[1]), argv[2], argv + 3);
}

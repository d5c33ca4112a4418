/* Stands before the example's way to open a file, in b2sum_testing: whoever opens a file named
 * "kill-me" is dead at once, and whoever is the first to open one named "kill-once". */
#include "../../examples/support/system.h"

#include <string.h>

#if defined(_WIN32)
#include <windows.h>
#else
#include <signal.h>
#endif

FILE *kill_me_open(const char *name);

static void die(void)
{
#if defined(_WIN32)
    (void)TerminateProcess(GetCurrentProcess(), 9);
#else
    (void)raise(SIGKILL);
#endif
}

FILE *kill_me_open(const char *name)
{
    if (strcmp(name, "kill-me") == 0) {
        die();
    }
    if (strcmp(name, "kill-once") == 0) {
        FILE *mark = fopen("killed-once", "r");
        if (mark == NULL) {
            mark = fopen("killed-once", "w");
            if (mark != NULL) {
                (void)fclose(mark);
            }
            die();
        } else {
            (void)fclose(mark);
        }
    }
    return example_open(name);
}

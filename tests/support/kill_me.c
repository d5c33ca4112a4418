/* Stands before the example's way to open a file, in b2sum_testing: whoever opens a file named
 * "kill-me" is dead at once. */
#include "../../examples/support/system.h"

#include <string.h>

#if defined(_WIN32)
#include <windows.h>
#else
#include <signal.h>
#endif

FILE *kill_me_open(const char *name);

FILE *kill_me_open(const char *name)
{
    size_t size = strlen(name);
    if (size >= 7 && strcmp(name + size - 7, "kill-me") == 0) {
#if defined(_WIN32)
        (void)TerminateProcess(GetCurrentProcess(), 9);
#else
        (void)raise(SIGKILL);
#endif
    }
    return example_open(name);
}

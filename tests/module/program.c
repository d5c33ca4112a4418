/* A program that is built in several ways (PIE or not, static, with and without an id) and runs a
 * function of its own in a child, and one of the library it is linked with, if it is. It prints
 * where its function is, here and in the child. */
#include <brood.h>
#include <inttypes.h>
#include <stdio.h>

#if defined(LINKED)
#if defined(_WIN32)
__declspec(dllimport)
#endif
    int library_public(brood_call *call);
#endif

static intptr_t here(void);

static int locate(brood_call *call)
{
    return brood_return(call, brood_int((int64_t)here()));
}

static intptr_t here(void)
{
    return (intptr_t)locate;
}

#if defined(LINKED)
/* What its function returns is its child's exit code. */
static int run_library(void)
{
    brood_process *child = NULL;
    int code = 0;

    if (brood_process_start(&child, library_public, NULL, NULL) ||
        brood_process_join(child, BROOD_FOREVER) || brood_process_exitcode(child, &code)) {
        return brood_perror("library");
    }
    brood_process_free(child);
    printf("library %d\n", code);
    return 0;
}
#endif

int main(int argc, char **argv)
{
    brood_process *child = NULL;
    brood_message *answer = NULL;
    int64_t there = 0;

    brood_init(argc, argv);
    if (brood_process_start(&child, locate, NULL, NULL) ||
        brood_process_result(child, &answer, BROOD_FOREVER) || BROOD_UNPACK(answer, &there)) {
        return brood_perror("program");
    }
    brood_message_free(answer);
    brood_process_free(child);
    printf("%" PRIxPTR " %" PRIx64 "\n", here(), there);
#if defined(LINKED)
    return run_library();
#else
    return 0;
#endif
}

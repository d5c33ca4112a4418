/* Prints the version of the library that its child runs with; fails if its header is of another. */
#include <brood.h>
#include <stdio.h>

static int report_version(brood_call *call)
{
    return brood_return(call, brood_int(brood_version()));
}

int main(int argc, char **argv)
{
    brood_process *child = NULL;
    brood_message *answer = NULL;
    int version = 0;

    brood_init(argc, argv);
    if (brood_process_start(&child, report_version, NULL, NULL) ||
        brood_process_result(child, &answer, BROOD_FOREVER) || BROOD_UNPACK(answer, &version)) {
        return brood_perror("consumer");
    }
    brood_message_free(answer);
    brood_process_free(child);

    printf("%d.%d.%d\n", version / 10000, version / 100 % 100, version % 100);
    if (version != BROOD_VERSION_MAJOR * 10000 + BROOD_VERSION_MINOR * 100 + BROOD_VERSION_PATCH) {
        fprintf(stderr, "consumer: the header is of another version\n");
        return 1;
    }
    return 0;
}

/* start_methods [METHOD]: chooses how processes are started, once for the whole program: spawn, and
 * where the system has them fork and forkserver. */
#include <brood.h>
#include <stdio.h>

static int hello(brood_call *call)
{
    return brood_return(call, brood_str("hello"));
}

int main(int argc, char **argv)
{
    brood_init(argc, argv);

    brood_process *child;
    brood_message *answer;
    const char *text;
    for (const char *const *method = brood_get_all_start_methods(); *method; method++) {
        printf("this system has %s\n", *method);
    }
    int rc = brood_set_start_method(argc > 1 ? argv[1] : BROOD_SPAWN, false);
    if (rc == BROOD_ENOTSUP) {
        printf("%s\n", brood_last_error()->message);
        return 0;
    }
    if (rc || brood_process_start(&child, hello, NULL, NULL) ||
        brood_process_result(child, &answer, BROOD_FOREVER) || BROOD_UNPACK(answer, &text)) {
        return brood_perror("start_methods");
    }
    printf("%s says %s\n", brood_get_start_method(), text);

    brood_message_free(answer);
    brood_process_free(child);
    return 0;
}

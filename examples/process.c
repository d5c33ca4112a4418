/* Two children count beside their parent, which waits for both. */
#include <brood.h>
#include <stdio.h>

static int count_to(brood_call *call)
{
    int last;
    int rc = BROOD_UNPACK(call, &last);
    if (rc) {
        return rc; /* the child prints what was wrong and exits with code 1 */
    }
    for (int i = 1; i <= last; i++) {
        printf("%s: %d\n", brood_process_name(brood_current_process()), i);
    }
    return 0;
}

int main(int argc, char **argv)
{
    brood_init(argc, argv);

    brood_process *first = NULL, *second = NULL;
    brood_process_options options = BROOD_OPTIONS_INIT(process);
    int status = 0;
    int code = 0;
    options.name = "second";
    if (brood_process_start(&first, count_to, BROOD_ARGS(3), NULL) ||
        brood_process_start(&second, count_to, BROOD_ARGS(5), &options)) {
        status = brood_perror("start"); /* a child that runs already is waited for at exit */
        goto done;
    }
    brood_process_join(first, BROOD_FOREVER);
    brood_process_join(second, BROOD_FOREVER);
    if (brood_process_exitcode(second, &code)) {
        status = brood_perror("exit code");
        goto done;
    }
    printf("%s ended with exit code %d\n", brood_process_name(second), code);

done:
    brood_process_free(first);
    brood_process_free(second);
    return status;
}

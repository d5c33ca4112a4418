/* The smallest program: a function runs in another process and answers. */
#include <brood.h>
#include <stdio.h>

/* Runs in another process. */
static int sum_to(brood_call *call)
{
    int max;
    int rc = BROOD_UNPACK(call, &max); /* count, types and ranges are checked */
    if (rc) {
        return rc;
    }
    int64_t sum = 0;
    for (int i = 0; i < max; i++) {
        sum += i;
    }
    return brood_return(call, brood_int(sum));
}

int main(int argc, char **argv)
{
    brood_init(argc, argv); /* a spawned child enters here and does not return */

    brood_process *child;
    brood_message *answer;
    int64_t sum;
    if (brood_process_start(&child, sum_to, BROOD_ARGS(100), NULL) ||
        brood_process_result(child, &answer, BROOD_FOREVER) || /* also ends when the child dies */
        BROOD_UNPACK(answer, &sum)) {
        return brood_perror("sum"); /* what failed, with the system's reason; returns 1 */
    }
    printf("%lld\n", (long long)sum);

    brood_message_free(answer);
    brood_process_free(child);
    return 0;
}

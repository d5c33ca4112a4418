#include <brood.h>
#include <stdio.h>

static int power(brood_call *call)
{
    int64_t base, exponent = 2, result = 1;
    int rc = BROOD_BIND(call, "base", &base, "exponent?", &exponent);
    if (rc) {
        return rc;
    }
    while (exponent-- > 0) {
        result *= base;
    }
    return brood_return(call, brood_int(result));
}

static void show(void *user, brood_value result)
{
    printf("%s %lld\n", (const char *)user, (long long)brood_as_int(result, -1));
}
static void complain(void *user, const brood_failure *failure)
{
    fprintf(stderr, "%s %s\n", (const char *)user, failure->message);
}

int main(int argc, char **argv)
{
    brood_init(argc, argv);
    brood_pool *pool;
    if (brood_pool_new(&pool, BROOD_OPTIONS(pool, .workers = 4))) {
        return brood_perror("pool");
    }
    brood_task_options options = BROOD_OPTIONS_INIT(task);
    options.callback = show;
    options.error_callback = complain;
    options.user = (void *)"power:";
    int rc = 0;
    for (int i = 0; i < 5 && rc == 0; i++) {
        rc = brood_pool_apply_async(pool, NULL, power, BROOD_ARGS(i, BROOD_NAMED("exponent", 3)),
                                    &options);
    }
    brood_pool_close(pool);
    if (rc || brood_pool_join(pool, BROOD_FOREVER)) {
        rc = brood_perror("apply");
    }
    brood_pool_free(pool);
    return rc;
}

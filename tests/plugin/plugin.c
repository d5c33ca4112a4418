/* A plug-in: a shared library that uses brood in a program whose main knows nothing of it. What it
 * exports can be called from other languages: numbers and texts only. */
#include <brood.h>
#include <stdio.h>
#include <string.h>

#if defined(_WIN32)
#define EXPORTED __declspec(dllexport)
#else
#define EXPORTED __attribute__((visibility("default")))
#endif

EXPORTED int plugin_use(const char *executable);
EXPORTED int plugin_sum(int max, int64_t *sum);
EXPORTED int plugin_map(int max, int64_t *sum);
EXPORTED int plugin_run(brood_function function);
EXPORTED int plugin_spin(int64_t *pid);
EXPORTED int plugin_leave(const char *path);
EXPORTED const char *plugin_words(void);

/* ---- what runs in children ---- */

static int sum_to(brood_call *call)
{
    int max = 0;
    int64_t sum = 0;
    const int rc = BROOD_UNPACK(call, &max);

    for (int i = 0; i < max; i++) {
        sum += i;
    }
    return rc ? rc : brood_return(call, brood_int(sum));
}

/* A child of a child: there brood-child is the program itself. */
static int sum_in_another(brood_call *call)
{
    brood_process *child = NULL;
    brood_message *answer = NULL;
    int64_t sum = 0;
    int max = 0;
    int rc = BROOD_UNPACK(call, &max);

    if (rc == 0) {
        rc = brood_process_start(&child, sum_to, BROOD_ARGS(max), NULL);
    }
    if (rc == 0) {
        rc = brood_process_result(child, &answer, BROOD_FOREVER);
    }
    if (rc == 0) {
        rc = BROOD_UNPACK(answer, &sum);
    }
    brood_message_free(answer);
    brood_process_free(child);
    return rc ? rc : brood_return(call, brood_int(sum));
}

static int spin(brood_call *call)
{
    volatile int running = 1;

    (void)call;
    while (running) {
    }
    return 0;
}

/* Writes once the host's code is over: its end of the connection is closed then. */
static int write_late(brood_call *call)
{
    brood_connection *connection = NULL;
    const char *path = NULL;
    FILE *file;
    int rc = BROOD_UNPACK(call, &connection, &path);

    if (rc == 0) {
        rc = brood_poll(connection, BROOD_FOREVER);
    }
    if (rc) {
        return rc;
    }
    file = fopen(path, "w");
    if (file == NULL) {
        return brood_raise(call, 1, "cannot write %s", path);
    }
    (void)fputs("late\n", file);
    (void)fclose(file);
    return 0;
}

/* ---- what the host calls: 0 or an error, in words ---- */

const char *plugin_words(void)
{
    return brood_last_error()->message;
}

int plugin_use(const char *executable)
{
    return brood_set_executable(executable);
}

static int result_of(brood_function function, const brood_args *args, int64_t *result)
{
    brood_process *child = NULL;
    brood_message *answer = NULL;
    int rc = brood_process_start(&child, function, args, NULL);

    if (rc == 0) {
        rc = brood_process_result(child, &answer, 60000);
    }
    if (rc == 0 && result != NULL) {
        rc = BROOD_UNPACK(answer, result);
    }
    brood_message_free(answer);
    brood_process_free(child);
    return rc;
}

int plugin_sum(int max, int64_t *sum)
{
    int64_t again = 0;
    int rc = result_of(sum_to, BROOD_ARGS(max), sum);

    if (rc == 0) {
        rc = result_of(sum_in_another, BROOD_ARGS(max), &again);
    }
    return rc == 0 && again != *sum ? BROOD_EINVAL : rc;
}

/* The sum of the sums of 0 to max - 1 and of 0 to max, which two workers make. */
int plugin_map(int max, int64_t *sum)
{
    brood_pool *pool = NULL;
    brood_message *sums = NULL;
    int64_t first = 0;
    int64_t second = 0;
    int rc = brood_pool_new(&pool, BROOD_OPTIONS(pool, .workers = 2));

    if (rc == 0) {
        rc = brood_pool_map(pool, &sums, sum_to, BROOD_ITEMS(max, max + 1), 60000, NULL);
    }
    if (rc == 0) {
        rc = BROOD_UNPACK(sums, &first, &second);
    }
    *sum = first + second;
    brood_message_free(sums);
    brood_pool_free(pool);
    return rc;
}

int plugin_run(brood_function function)
{
    return result_of(function, NULL, NULL);
}

int plugin_spin(int64_t *pid)
{
    brood_process *child = NULL;
    const int rc = brood_process_start(&child, spin, NULL, NULL);

    *pid = rc == 0 ? brood_process_pid(child) : 0;
    brood_process_free(child);
    return rc;
}

int plugin_leave(const char *path)
{
    brood_connection *mine = NULL;
    brood_connection *theirs = NULL;
    brood_process *child = NULL;
    int rc = brood_pipe(&mine, &theirs, BROOD_DUPLEX);

    if (rc == 0) {
        rc = brood_process_start(&child, write_late, BROOD_ARGS(BROOD_GIVE(theirs), path), NULL);
    }
    brood_process_free(child);
    brood_connection_free(theirs);
    brood_connection_free(mine);
    return rc;
}

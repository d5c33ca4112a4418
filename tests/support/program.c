/* Small programs for tests, chosen by the first argument: what a program does around brood_init. */
#include <brood.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int greet(brood_call *call)
{
    const char *word;
    const int rc = BROOD_UNPACK(call, &word);

    if (rc == 0) {
        printf("child says %s\n", word);
    }
    return rc;
}

/* Prints once its parent's end of the connection is closed: the parent's main is over then. */
static int greet_late(brood_call *call)
{
    brood_connection *connection;
    int rc = BROOD_UNPACK(call, &connection);

    if (rc == 0) {
        rc = brood_poll(connection, BROOD_FOREVER);
    }
    printf("child says late\n");
    return rc;
}

static int run_one(void)
{
    brood_process *child = NULL;
    brood_message *answer = NULL;

    if (brood_process_start(&child, greet, BROOD_ARGS("hello"), NULL) ||
        brood_process_result(child, &answer, BROOD_FOREVER)) {
        return brood_perror("run");
    }
    brood_message_free(answer);
    brood_process_free(child);
    return 0;
}

static int leave_early(void)
{
    brood_connection *mine = NULL;
    brood_connection *theirs = NULL;
    brood_process *child = NULL;

    if (brood_pipe(&mine, &theirs, BROOD_DUPLEX) ||
        brood_process_start(&child, greet_late, BROOD_ARGS(BROOD_GIVE(theirs)), NULL)) {
        return brood_perror("leave");
    }
    brood_process_free(child);
    brood_connection_free(theirs);
    brood_connection_free(mine);
    printf("main is over\n");
    return 0;
}

/* ---- what is done about children at the end ---- */

static int run_busy(brood_call *call)
{
    while (call != NULL) {
    }
    return 0;
}

/* Ends once its parent's standard input does. */
static int read_input(brood_call *call)
{
    (void)call;
    while (getchar() != EOF) {
    }
    printf("child has read\n");
    return 0;
}

/* Sees its parent end, and lives on. */
static int see_the_end(brood_call *call)
{
    brood_process *parent = brood_parent_process();
    const int64_t pid = brood_process_pid(parent);

    (void)call;
    if (brood_process_join(parent, BROOD_FOREVER)) {
        return brood_last_error()->error;
    }
    printf("child saw %s end%s%s\n", brood_process_name(parent),
           brood_process_is_alive(parent) ? " but alive" : "",
           brood_process_pid(parent) == pid ? "" : " as another");
    return 0;
}

/* How main ends, where it is not by return. */
static void end_early(const char *how)
{
    if (strcmp(how, "exit") == 0) {
        exit(0);
    }
    if (strcmp(how, "_exit") == 0) {
        _Exit(0);
    }
    if (strcmp(how, "abort") == 0) {
        (void)fflush(stdout);
        abort();
    }
}

static int start_and_end(brood_function function, const brood_process_options *options,
                         const char *how)
{
    brood_process *child = NULL;

    if (brood_process_start(&child, function, NULL, options)) {
        return brood_perror("start");
    }
    printf("main is over, child is %lld.\n", (long long)brood_process_pid(child));
    (void)fflush(stdout);
    brood_process_free(child);
    end_early(how);
    return 0;
}

static int end_with(const char *what, const char *how, const char *method)
{
    brood_process_options options = BROOD_OPTIONS_INIT(process);

    if (brood_set_start_method(method, true)) {
        return brood_perror(method);
    }
    if (strcmp(what, "daemon") == 0) {
        options.daemon = 1;
        return start_and_end(run_busy, &options, how);
    }
    if (strcmp(what, "outlive") == 0) {
        options.outlive_parent = true;
        return start_and_end(see_the_end, &options, how);
    }
    if (strcmp(what, "busy") == 0) {
        return start_and_end(run_busy, &options, how);
    }
    return start_and_end(read_input, &options, how);
}

/* Two pools, one behind the other. */
static int run_pools(void)
{
    for (int i = 0; i < 2; i++) {
        brood_pool *pool = NULL;
        brood_message *answer = NULL;
        int rc = brood_pool_new(&pool, BROOD_OPTIONS(pool, .workers = 2));

        if (rc == 0) {
            rc = brood_pool_apply(pool, &answer, greet, BROOD_ARGS("hello"), BROOD_FOREVER, NULL);
        }
        brood_message_free(answer);
        brood_pool_free(pool);
        if (rc) {
            return brood_perror("pools");
        }
    }
    return 0;
}

/* The program's file is replaced while it runs, as an update does: after a start, from which the
 * library may know where the file was. */
static int run_replaced(const char *path)
{
    FILE *file;

    if (run_one() != 0) {
        return 1;
    }
    if (remove(path) != 0 || (file = fopen(path, "w")) == NULL) {
        perror(path);
        return 1;
    }
    (void)fputs("not a program\n", file);
    (void)fclose(file);
    return run_one();
}

/* The file goes elsewhere, and nothing takes its place. */
static int run_moved(const char *path)
{
    char elsewhere[4096];

    (void)snprintf(elsewhere, sizeof elsewhere, "%s.moved", path);
    if (run_one() != 0) {
        return 1;
    }
    if (rename(path, elsewhere) != 0) {
        perror(path);
        return 1;
    }
    return run_one();
}

static void say_end(void)
{
    printf("exit handler;");
}

/* What stands in the buffer is printed once, and what happens at the exit happens once. */
static int run_forked(void)
{
    if (brood_set_start_method(BROOD_FORK, false) || atexit(say_end) != 0) {
        return brood_perror("forked");
    }
    printf("before;");
    return run_one();
}

static int fork_without_init(void)
{
    return brood_fork() < 0 ? brood_perror("fork") : 0;
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";

    if (strcmp(mode, "no-init") == 0) {
        return run_one();
    }
    if (strcmp(mode, "no-init-fork") == 0) {
        return fork_without_init();
    }
    if (argc > 2 && strcmp(argv[2], "null") == 0) {
        brood_init(0, NULL);
    } else {
        brood_init(argc, argv);
    }
    if (strcmp(mode, "buffered") == 0) {
        printf("written once\n"); /* and kept back, since nobody sees it at once */
        return run_one();
    }
    if (strcmp(mode, "forked") == 0) {
        return run_forked();
    }
    if (strcmp(mode, "pools") == 0) {
        return run_pools();
    }
    if (strcmp(mode, "leave") == 0) {
        return leave_early();
    }
    if (strcmp(mode, "end") == 0 && argc > 4) {
        return end_with(argv[2], argv[3], argv[4]);
    }
    if (strcmp(mode, "replaced") == 0) {
        return run_replaced(argv[0]);
    }
    if (strcmp(mode, "moved") == 0) {
        return run_moved(argv[0]);
    }
    return run_one();
}

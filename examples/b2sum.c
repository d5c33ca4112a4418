/* b2sum: BLAKE2b checksums of files, many at a time.
 *
 *     b2sum [-j WORKERS] [-l BITS] [FILE...]
 *
 * prints what the b2sum of GNU coreutils prints. The files are shared out to a pool of worker processes.
 * Processes and not threads, because then nothing that happens while a file is read can take the
 * program along: a worker that crashes or is killed (a file cut short under a memory map, a faulty
 * file system driver, the out-of-memory killer) is replaced, and its file tried again. A file that
 * ends every worker that reads it is reported, and all others are still printed.
 *
 * Workers answer as they get done: a digest (bytes) or the reason why there is none (str). Answers are
 * printed in the order of the command line, each as soon as all before it are; those that come early
 * wait here. What only this process may be able to read, standard input above all, it reads itself
 * when its turn comes. */
#include <brood.h>

#include <errno.h>
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/system.h"

enum {
    READ_SIZE = 256 * 1024,
    RETRIES = 2,   /* of a file whose worker died */
    WINDOW = 4096, /* names that workers are given ahead of the answers */
    MAX_WORKERS = 1024,
    MIN_BITS = 128,
    MAX_BITS = 512
};

struct file {
    const char *name;
    int64_t size;          /* -1: only this process may be able to read it */
    brood_message *answer; /* NULL: none yet, or none to come */
    char *reason;          /* why there will be none */
};

struct job {
    struct file *files; /* in the order of the command line */
    size_t file_count;
    struct file **order; /* those for the workers, in the order in which they are begun */
    size_t order_count;
    size_t next; /* of `order`, to be begun */
    brood_pool *pool;
    brood_results *results;
    size_t worker_count;
    size_t digest_size; /* bytes */
    int write_error;    /* errno of the first failure to print */
    int status;         /* what main returns */
};

/* ---- hashing: in the workers, and for standard input in the parent ---- */

/* Returns 0 or an errno. */
static int hash_stream(unsigned char *digest, size_t digest_size, FILE *stream)
{
    static unsigned char buffer[READ_SIZE];
    crypto_generichash_state state;
    size_t count;

    (void)crypto_generichash_init(&state, NULL, 0, digest_size);
    errno = 0;
    while ((count = fread(buffer, 1, sizeof buffer, stream)) > 0) {
        (void)crypto_generichash_update(&state, buffer, count);
    }
    if (ferror(stream)) {
        return errno ? errno : EIO;
    }
    (void)crypto_generichash_final(&state, digest, digest_size);
    return 0;
}

static int hash_file(unsigned char *digest, size_t digest_size, const char *name)
{
    if (strcmp(name, "-") == 0) {
        int error = hash_stream(digest, digest_size, stdin);
        clearerr(stdin); /* "-" may be named again */
        return error;
    }
    FILE *stream = example_open(name);
    if (!stream) {
        return errno;
    }
    int error = hash_stream(digest, digest_size, stream);
    (void)fclose(stream);
    return error;
}

/* What the workers were told when they began. */
static size_t worker_digest_size;

/* Runs first in each worker. */
static int begin_worker(brood_call *call)
{
    int rc = BROOD_UNPACK(call, &worker_digest_size);
    if (rc) {
        return rc;
    }
    return sodium_init() < 0 ? brood_raise(call, 1, "cannot hash") : 0;
}

/* A task of the pool. */
static int hash_named(brood_call *call)
{
    unsigned char digest[crypto_generichash_BYTES_MAX];
    const char *name;
    int rc = BROOD_UNPACK(call, &name);
    if (rc) {
        return rc;
    }
    int error = hash_file(digest, worker_digest_size, name);
    return brood_return(call, error ? brood_str(strerror(error))
                                    : brood_bytes(digest, worker_digest_size));
}

/* ---- printing: what coreutils prints ---- */

/* Names that would break a line in two are written with escapes, and the line starts with one. */
static bool needs_escape(const char *name)
{
    return strpbrk(name, "\\\n\r") != NULL;
}

static void print_name(FILE *stream, const char *name)
{
    for (; *name != '\0'; name++) {
        switch (*name) {
        case '\\':
            (void)fputs("\\\\", stream);
            break;
        case '\n':
            (void)fputs("\\n", stream);
            break;
        case '\r':
            (void)fputs("\\r", stream);
            break;
        default:
            (void)putc(*name, stream);
            break;
        }
    }
}

static void print_digest(struct job *job, const struct file *file, const unsigned char *digest)
{
    char hex[2 * crypto_generichash_BYTES_MAX + 1];
    (void)sodium_bin2hex(hex, sizeof hex, digest, job->digest_size);
    (void)printf("%s%s  ", needs_escape(file->name) ? "\\" : "", hex);
    print_name(stdout, file->name);
    (void)putchar('\n');
    if (fflush(stdout) != 0 && job->write_error == 0) { /* whoever reads this wants it now */
        job->write_error = errno;
    }
}

static void print_error(struct job *job, const struct file *file, const char *reason)
{
    (void)fputs("b2sum: ", stderr);
    print_name(stderr, file->name);
    (void)fprintf(stderr, ": %s\n", reason);
    job->status = 1;
}

/* ---- sharing out ---- */

static bool is_large(const struct file *file, int64_t all, size_t workers)
{
    return file->size > 0 && (uint64_t)file->size >= (uint64_t)all / (2 * workers);
}

/* Files are begun in the order of the command line, so that the first can be printed first; only those
 * that make up much of it all come before the others: one at the end would keep a single worker
 * busy while the others have nothing to do. */
static int choose_order(struct job *job)
{
    int64_t all = 0;
    job->order = calloc(job->file_count, sizeof(struct file *));
    if (!job->order) {
        return -1;
    }
    for (size_t i = 0; i < job->file_count; i++) {
        all += job->files[i].size > 0 ? job->files[i].size : 0;
    }
    for (int large = 1; large >= 0; large--) {
        for (size_t i = 0; i < job->file_count; i++) {
            struct file *file = &job->files[i];
            if (file->size >= 0 && is_large(file, all, job->worker_count) == (large == 1)) {
                job->order[job->order_count++] = file;
            }
        }
    }
    if (job->worker_count > job->order_count) {
        job->worker_count = job->order_count;
    }
    return 0;
}

/* Gives the pool the next name. */
static int next_name(void *user, brood_value *name)
{
    struct job *job = user;
    if (job->next == job->order_count) {
        return BROOD_EEND;
    }
    *name = brood_str(job->order[job->next++]->name);
    return 0;
}

static int start_pool(struct job *job)
{
    brood_task_options options = BROOD_OPTIONS_INIT(task);
    brood_inputs names = brood_inputs_next(next_name, job);
    if (job->order_count == 0) {
        return 0;
    }
    names.count = job->order_count;
    options.retries = RETRIES;
    options.window = WINDOW;
    if (!example_is_terminal(stdout)) { /* where the digests tell how far it is */
        options.on_progress = brood_progress_bar;
        options.user = (void *)"b2sum";
    }
    if (brood_pool_new(&job->pool, BROOD_OPTIONS(pool, .workers = (int)job->worker_count,
                                                 .initializer = begin_worker,
                                                 .initargs = BROOD_ARGS(job->digest_size))) ||
        brood_pool_imap_unordered(job->pool, &job->results, hash_named, &names, &options)) {
        return brood_perror("b2sum: cannot start workers");
    }
    return 0;
}

/* ---- answers ---- */

static void keep_reason(struct file *file, const char *words)
{
    file->reason = malloc(strlen(words) + 1);
    if (file->reason) {
        (void)strcpy(file->reason, words);
    }
}

/* Takes answers until that of `file` is among them. */
static void wait_for(struct job *job, struct file *file)
{
    while (!file->answer && !file->reason) {
        brood_message *answer = NULL;
        size_t index = job->order_count;
        int rc = brood_results_next(job->results, &answer, &index, BROOD_FOREVER);
        if (index >= job->order_count) {
            break; /* there will be none any more */
        }
        job->order[index]->answer = answer;
        if (rc) {
            keep_reason(job->order[index], brood_last_error()->message);
        }
    }
}

static void print_answer(struct job *job, struct file *file)
{
    brood_value answer;
    brood_view digest;
    wait_for(job, file);
    answer = brood_message_value(file->answer);
    digest = brood_as_view(answer);
    if (brood_value_kind(answer) == BROOD_BYTES && digest.size == job->digest_size) {
        print_digest(job, file, digest.data);
    } else {
        print_error(job, file, file->reason ? file->reason : brood_as_str(answer, "no checksum"));
    }
    brood_message_free(file->answer);
    free(file->reason);
}

static void hash_here(struct job *job, const struct file *file)
{
    unsigned char digest[crypto_generichash_BYTES_MAX];
    int error = hash_file(digest, job->digest_size, file->name);
    if (error) {
        print_error(job, file, strerror(error));
    } else {
        print_digest(job, file, digest);
    }
}

static void run(struct job *job)
{
    if (start_pool(job)) {
        job->status = 1;
    }
    for (size_t i = 0; i < job->file_count; i++) {
        if (job->files[i].size >= 0 && job->results) {
            print_answer(job, &job->files[i]);
        } else {
            hash_here(job, &job->files[i]);
        }
    }
    brood_results_free(job->results);
    brood_pool_free(job->pool);
}

/* ---- the command line ---- */

static int set_digest_size(struct job *job, const char *text)
{
    const char *problem = NULL;
    char *end;
    errno = 0;
    unsigned long bits = strtoul(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || strchr(text, '-') != NULL) {
        problem = "length is not a number";
    } else if (bits % 8 != 0) {
        problem = "length is not a multiple of 8";
    } else if (bits > MAX_BITS) {
        problem = "maximum digest length for 'BLAKE2b' is 512 bits";
    } else if (bits < MIN_BITS) {
        problem = "minimum digest length for 'BLAKE2b' is 128 bits";
    }
    if (problem) {
        (void)fprintf(stderr, "b2sum: invalid length: '%s'\nb2sum: %s\n", text, problem);
        return -1;
    }
    job->digest_size = (size_t)bits / 8;
    return 0;
}

static int set_worker_count(struct job *job, const char *text)
{
    char *end;
    long count = strtol(text, &end, 10);
    if (end == text || *end != '\0' || count < 1) {
        (void)fprintf(stderr, "b2sum: invalid number of workers: '%s'\n", text);
        return -1;
    }
    job->worker_count = count < MAX_WORKERS ? (size_t)count : MAX_WORKERS;
    return 0;
}

static void print_usage(FILE *stream)
{
    (void)fputs("Usage: b2sum [-j WORKERS] [-l BITS] [FILE...]\n"
                "Print BLAKE2b checksums. With no FILE, or when FILE is -, read standard input.\n"
                "\n"
                "  -j, --jobs=WORKERS   hash in so many processes (default: one for each CPU)\n"
                "  -l, --length=BITS    digest length, 128 to 512, a multiple of 8 (default: 512)\n"
                "      --help           print this\n",
                stream);
}

/* Returns 0 to go on, else 1 with *status set to what main returns. */
static int parse_options(struct job *job, int *status, int argc, char **argv)
{
    static const struct option options[] = {
        {"jobs", required_argument, NULL, 'j'},
        {"length", required_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;
    *status = 1;
    while ((option = getopt_long(argc, argv, "j:l:", options, NULL)) != -1) {
        if (option == 'h') {
            print_usage(stdout);
            *status = 0;
            return 1;
        }
        if ((option == 'j' && set_worker_count(job, optarg)) ||
            (option == 'l' && set_digest_size(job, optarg))) {
            return 1;
        }
        if (option == '?') {
            print_usage(stderr);
            return 1;
        }
    }
    return 0;
}

/* `names` ends with NULL. */
static int list_files(struct job *job, char **names, size_t count)
{
    static char *standard_input[] = {(char *)"-", NULL};
    if (count == 0) {
        names = standard_input;
        count = 1;
    }
    job->files = calloc(count, sizeof *job->files);
    if (!job->files) {
        return -1;
    }
    job->file_count = count;
    for (size_t i = 0; i < count; i++) {
        struct file *file = &job->files[i];
        file->name = names[i];
        file->size = strcmp(names[i], "-") == 0 ? -1 : example_file_size(names[i]);
    }
    return 0;
}

static void free_job(struct job *job)
{
    free(job->order);
    free(job->files);
}

int main(int argc, char **argv)
{
    brood_init(argc, argv); /* a worker starts here and does not return */

    struct job job = {.worker_count = (size_t)brood_cpu_count(), .digest_size = MAX_BITS / 8};
    int status;
    argv = example_arguments(argc, argv);
    if (!argv || sodium_init() < 0) {
        (void)fputs("b2sum: cannot start\n", stderr);
        return 1;
    }
    if (parse_options(&job, &status, argc, argv)) {
        return status;
    }
    example_binary(stdin);
    example_binary(stdout);
    if (list_files(&job, argv + optind, (size_t)(argc - optind)) || choose_order(&job)) {
        (void)fputs("b2sum: memory exhausted\n", stderr);
        job.status = 1;
    } else {
        run(&job);
    }
    if (job.write_error != 0) {
        (void)fprintf(stderr, "b2sum: write error: %s\n", strerror(job.write_error));
        job.status = 1;
    }
    free_job(&job);
    return job.status;
}

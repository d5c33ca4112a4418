/* b2sum: BLAKE2b checksums of files, many at a time.
 *
 *     b2sum [-j WORKERS] [-l BITS] [FILE...]
 *
 * prints what the b2sum of GNU coreutils prints. The files are shared out to worker processes.
 * Processes and not threads, because then nothing that happens while a file is read can take the
 * program along: a worker that crashes or is killed (a file cut short under a memory map, a faulty
 * file system driver, the out-of-memory killer) costs the files it had not finished. They are
 * reported, and all others are still printed.
 *
 * Each worker gets its share of file names as arguments and answers over a pipe of its own, in the
 * order of its share: a digest (bytes) or the reason why there is none (str). This process takes
 * the answers in the order of the command line, always from the worker that has the next file, and
 * prints each at once; what the other workers finish meanwhile waits in their pipes. Nothing here
 * can wait for ever: a worker that is gone is the end of its pipe. */
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
    FILE_COST = 16 * 1024, /* a file takes its bytes and about as long as these besides */
    MAX_WORKERS = 1024,
    MIN_BITS = 128,
    MAX_BITS = 512
};

struct worker {
    brood_process *process;
    brood_connection *answers;
    brood_value *names; /* its share, in the order of the command line */
    size_t name_count;
    uint64_t load;    /* how much work its share is, in bytes */
    char reason[600]; /* why it does not answer any more, "" as long as it does */
};

struct file {
    const char *name;
    int64_t size;         /* -1: only this process may be able to read it */
    struct worker *owner; /* NULL: this process */
};

struct job {
    struct file *files; /* in the order of the command line */
    size_t file_count;
    struct worker *workers;
    size_t worker_count;
    brood_value *names; /* all shares, one after the other */
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

/* Runs in a worker process. */
static int hash_share(brood_call *call)
{
    unsigned char digest[crypto_generichash_BYTES_MAX];
    brood_connection *answers;
    brood_value names;
    size_t digest_size;
    int rc = BROOD_UNPACK(call, &answers, &names, &digest_size);
    if (rc) {
        return rc;
    }
    if (sodium_init() < 0 || digest_size > sizeof digest) {
        return brood_raise(call, 1, "cannot hash");
    }
    for (size_t i = 0; rc == 0 && i < brood_value_count(names); i++) {
        int error = hash_file(digest, digest_size, brood_as_str(brood_value_at(names, i), ""));
        brood_value answer = error ? brood_str(strerror(error)) : brood_bytes(digest, digest_size);
        rc = brood_send(answers, answer, BROOD_FOREVER);
    }
    return rc;
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

static int larger_first(const void *a, const void *b)
{
    const struct file *left = *(struct file *const *)a;
    const struct file *right = *(struct file *const *)b;
    if (left->size != right->size) {
        return left->size < right->size ? 1 : -1;
    }
    return left < right ? -1 : 1; /* equal ones stay in order */
}

/* Gives each file, the largest first, to the worker that has the least to do so far: a big file at
 * the end of the command line does not leave all workers but one idle. */
static int choose_owners(struct job *job)
{
    struct file **order = calloc(job->file_count, sizeof(struct file *));
    size_t count = 0;
    if (!order) {
        return -1;
    }
    for (size_t i = 0; i < job->file_count; i++) {
        if (job->files[i].size >= 0) {
            order[count++] = &job->files[i];
        }
    }
    qsort(order, count, sizeof(struct file *), larger_first);
    job->worker_count = count < job->worker_count ? count : job->worker_count;
    for (size_t i = 0; i < count; i++) {
        struct worker *idlest = &job->workers[0];
        for (size_t w = 1; w < job->worker_count; w++) {
            idlest = job->workers[w].load < idlest->load ? &job->workers[w] : idlest;
        }
        idlest->load += (uint64_t)order[i]->size + FILE_COST;
        idlest->name_count++;
        order[i]->owner = idlest;
    }
    free(order);
    return 0;
}

/* Writes each worker's names into its share, in the order of the command line. */
static int fill_shares(struct job *job)
{
    brood_value *next = calloc(job->file_count, sizeof *next);
    if (!next) {
        return -1;
    }
    job->names = next;
    for (size_t w = 0; w < job->worker_count; w++) {
        job->workers[w].names = next;
        next += job->workers[w].name_count;
        job->workers[w].name_count = 0;
    }
    for (size_t i = 0; i < job->file_count; i++) {
        struct worker *owner = job->files[i].owner;
        if (owner) {
            owner->names[owner->name_count++] = brood_str(job->files[i].name);
        }
    }
    return 0;
}

/* ---- workers ---- */

static void report_lost(struct job *job, struct worker *worker, const char *reason)
{
    (void)snprintf(worker->reason, sizeof worker->reason, "%s", reason);
    (void)fprintf(stderr, "b2sum: %s\n", worker->reason);
    job->status = 1;
}

/* A worker that cannot be started is treated as one that died: its files are reported. */
static void start_worker(struct job *job, struct worker *worker)
{
    brood_connection *theirs = NULL;
    char name[40];
    (void)snprintf(name, sizeof name, "worker %d", (int)(worker - job->workers) + 1);
    if (brood_pipe(&worker->answers, &theirs, BROOD_ONE_WAY) ||
        /* GIVE closes our copy of their end, so that the pipe ends when the worker does */
        brood_process_start(&worker->process, hash_share,
                            BROOD_ARGS(BROOD_GIVE(theirs),
                                       brood_list(worker->names, worker->name_count),
                                       job->digest_size),
                            BROOD_OPTIONS(process, .name = name))) {
        report_lost(job, worker, brood_last_error()->message);
    }
    brood_connection_free(theirs);
}

/* Its pipe ended before its share did. */
static void bury_worker(struct job *job, struct worker *worker, int rc)
{
    const brood_failure *failure = NULL;
    if (rc == BROOD_EEND || rc == BROOD_EPEER) {
        (void)brood_process_join(worker->process, BROOD_FOREVER);
        failure = brood_process_failure(worker->process);
        report_lost(job, worker, failure ? failure->message : "worker ended early");
    } else {
        report_lost(job, worker, brood_last_error()->message);
        (void)brood_process_kill(worker->process); /* it may wait for us to read on */
    }
}

/* Waits for the owner's answer about its next file, and prints it. */
static void take_answer(struct job *job, const struct file *file)
{
    brood_message *message = NULL;
    brood_value answer;
    brood_view digest;
    if (file->owner->reason[0] == '\0') {
        int rc = brood_recv(file->owner->answers, &message, BROOD_FOREVER);
        if (rc) {
            bury_worker(job, file->owner, rc);
        }
    }
    if (!message) {
        print_error(job, file, "not finished, its worker is gone");
        return;
    }
    answer = brood_message_value(message);
    digest = brood_as_view(answer);
    if (brood_value_kind(answer) == BROOD_BYTES && digest.size == job->digest_size) {
        print_digest(job, file, digest.data);
    } else {
        print_error(job, file, brood_as_str(answer, "no checksum"));
    }
    brood_message_free(message);
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
    for (size_t w = 0; w < job->worker_count; w++) {
        start_worker(job, &job->workers[w]);
    }
    for (size_t i = 0; i < job->file_count; i++) {
        if (job->files[i].owner) {
            take_answer(job, &job->files[i]);
        } else {
            hash_here(job, &job->files[i]);
        }
    }
    for (size_t w = 0; w < job->worker_count; w++) {
        brood_process_free(job->workers[w].process);
        brood_connection_free(job->workers[w].answers);
    }
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
    job->workers = calloc(job->worker_count, sizeof *job->workers);
    if (!job->files || !job->workers) {
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
    free(job->names);
    free(job->workers);
    free(job->files);
}

int main(int argc, char **argv)
{
    brood_init(argc, argv); /* a worker starts here and does not return */

    struct job job = {.worker_count = (size_t)example_cpu_count(), .digest_size = MAX_BITS / 8};
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
    if (list_files(&job, argv + optind, (size_t)(argc - optind)) || choose_owners(&job) ||
        fill_shares(&job)) {
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

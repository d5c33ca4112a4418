/* Three stages, joined by two queues of ten messages: one process reads numbers, three square them,
 * two add them up. In the middle of it one of the three is killed and replaced. What it had taken and
 * not passed on is lost with it, and is named; everything else arrives once.
 *
 * Which number a process was at, it says itself: in an array that all share, a place for each. */
#include <brood.h>
#include <stdio.h>

#define NUMBERS 1000
#define SQUARERS 3
#define ADDERS 2
#define NONE (-1)

/* ---- the stages ---- */

static int read_numbers(brood_call *call)
{
    brood_queue *numbers;
    int rc = BROOD_UNPACK(call, &numbers);
    for (int64_t i = 0; rc == 0 && i < NUMBERS; i++) {
        rc = brood_queue_put(numbers, brood_int(i), BROOD_FOREVER);
    }
    /* Who waits for more then gets BROOD_ESHUTDOWN, once all is taken. */
    return rc ? rc : brood_queue_shutdown(numbers, false);
}

/* A number to get: 0, or BROOD_ESHUTDOWN after the last. */
static int get_number(brood_queue *queue, int64_t *number)
{
    brood_message *message;
    int rc = brood_queue_get(queue, &message, BROOD_FOREVER);
    if (rc == 0) {
        rc = BROOD_UNPACK(message, number);
        brood_message_free(message);
    }
    return rc;
}

static int square(brood_call *call)
{
    brood_queue *numbers, *squares;
    brood_array *at;
    int place;
    bool doomed;
    int64_t number;
    int rc = BROOD_UNPACK(call, &numbers, &squares, &at, &place, &doomed);
    int64_t *mine = rc == 0 ? (int64_t *)brood_array_data(at, int64_t) + place : NULL;
    while (rc == 0 && (rc = get_number(numbers, &number)) == 0) {
        *mine = number;
        if (doomed && number >= NUMBERS / 4) {
            for (;;) { /* somebody will have to kill it */
            }
        }
        rc = brood_queue_put(squares, BROOD_TUPLE(number, number * number), BROOD_FOREVER);
        *mine = NONE;
    }
    return rc == BROOD_ESHUTDOWN ? 0 : rc;
}

static int add(brood_call *call)
{
    brood_queue *squares;
    int64_t count = 0, sum = 0;
    int rc = BROOD_UNPACK(call, &squares);
    while (rc == 0) {
        brood_message *message;
        int64_t number, squared;
        rc = brood_queue_get(squares, &message, BROOD_FOREVER);
        if (rc == 0) {
            rc = BROOD_UNPACK(message, &number, &squared);
            brood_message_free(message);
            sum += squared;
            count++;
        }
    }
    return rc == BROOD_ESHUTDOWN ? brood_return(call, BROOD_TUPLE(count, sum)) : rc;
}

/* ---- the program ---- */

typedef struct pipeline {
    brood_queue *numbers, *squares;
    brood_array *at; /* the number that each squarer is at, or NONE */
    brood_process *reader, *squarers[SQUARERS], *adders[ADDERS];
} pipeline;

static int start_squarer(pipeline *all, int place, bool doomed)
{
    return brood_process_start(
        &all->squarers[place], square,
        BROOD_ARGS(all->numbers, all->squares, all->at, place, brood_bool(doomed)), NULL);
}

static int start(pipeline *all)
{
    brood_queue_options bounded = BROOD_OPTIONS_INIT(queue);
    bounded.maxsize = 10;
    int rc = brood_queue_new(&all->numbers, &bounded);
    if (rc == 0) {
        rc = brood_queue_new(&all->squares, &bounded);
    }
    if (rc == 0) {
        rc = brood_array_new(&all->at, int64_t, SQUARERS, NULL);
    }
    for (int i = 0; rc == 0 && i < SQUARERS; i++) {
        ((int64_t *)brood_array_data(all->at, int64_t))[i] = NONE;
        rc = start_squarer(all, i, i == 0);
    }
    for (int i = 0; rc == 0 && i < ADDERS; i++) {
        rc = brood_process_start(&all->adders[i], add, BROOD_ARGS(all->squares), NULL);
    }
    if (rc == 0) {
        rc = brood_process_start(&all->reader, read_numbers, BROOD_ARGS(all->numbers), NULL);
    }
    return rc;
}

/* Kills the first squarer where it is stuck, and starts another; `*lost` is what it was at. */
static int replace_first(pipeline *all, int64_t *lost)
{
    volatile int64_t *at = brood_array_data(all->at, int64_t);
    int rc = 0;
    while (at[0] < NUMBERS / 4 && rc == 0) {
        rc = brood_process_join(all->squarers[0], 1); /* a moment; it does not end by itself */
        rc = rc == BROOD_ETIMEDOUT ? 0 : BROOD_EWORKER;
    }
    if (rc) {
        return rc;
    }
    brood_process_kill(all->squarers[0]);
    if (brood_process_join(all->squarers[0], BROOD_FOREVER)) {
        return BROOD_EWORKER;
    }
    *lost = at[0];
    at[0] = NONE;
    brood_process_free(all->squarers[0]);
    all->squarers[0] = NULL;
    return start_squarer(all, 0, false);
}

/* Waits for the end of all, and adds up what the adders have. */
static int finish(pipeline *all, int64_t *count, int64_t *sum)
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < SQUARERS; i++) {
        rc = brood_process_join(all->squarers[i], BROOD_FOREVER);
    }
    if (rc == 0) {
        rc = brood_queue_shutdown(all->squares, false);
    }
    for (int i = 0; rc == 0 && i < ADDERS; i++) {
        brood_message *message;
        int64_t more_count, more_sum;
        rc = brood_process_result(all->adders[i], &message, BROOD_FOREVER);
        if (rc == 0) {
            rc = BROOD_UNPACK(message, &more_count, &more_sum);
            brood_message_free(message);
            *count += more_count;
            *sum += more_sum;
        }
    }
    return rc;
}

static void end(pipeline *all)
{
    brood_process_free(all->reader);
    for (int i = 0; i < SQUARERS; i++) {
        brood_process_free(all->squarers[i]);
    }
    for (int i = 0; i < ADDERS; i++) {
        brood_process_free(all->adders[i]);
    }
    brood_array_free(all->at);
    brood_queue_free(all->squares);
    brood_queue_free(all->numbers);
}

int main(int argc, char **argv)
{
    brood_init(argc, argv);

    pipeline all = {0};
    int64_t lost = NONE, count = 0, sum = 0, expected = 0;
    int status = 0;
    if (start(&all) || replace_first(&all, &lost) || finish(&all, &count, &sum)) {
        status = brood_perror("pipeline");
    } else {
        for (int64_t i = 0; i < NUMBERS; i++) {
            expected += i * i;
        }
        printf("lost with the process that was killed: 1 number, squared %lld\n",
               (long long)(expected - sum));
        printf("%lld of %d numbers arrived, and the sum is %s\n", (long long)count, NUMBERS,
               sum == expected - lost * lost ? "right" : "wrong");
    }
    end(&all);
    return status;
}

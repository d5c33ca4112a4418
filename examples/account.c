/* An account with 900 in it, from which three processes at once draw 800 each. Whoever has the lock
 * is alone with the balance from the look at it until it is changed, so one of them gets its money.
 *
 * With --no-lock they do not exclude each other. Each of them reads the balance and then lets
 * others run, as may happen to any process between any two of its instructions, only not that
 * often. So all three have seen 900 before one of them writes, all are paid, and each of them
 * writes 100: 2,400 are gone of 900, and nothing in the account shows it. */
#include <brood.h>
#include <stdio.h>
#include <string.h>

#define BALANCE 900
#define AMOUNT 800
#define PEOPLE 3
#define A_WHILE 100 /* ms */

static int draw_from(volatile int64_t *balance, const char *name, bool yield)
{
    const int64_t seen = *balance;
    const bool enough = seen >= AMOUNT;
    if (yield) {
        const int rc = brood_wait(NULL, 0, A_WHILE);
        if (rc != BROOD_ETIMEDOUT) {
            return rc;
        }
    }
    if (enough) {
        *balance = seen - AMOUNT;
    }
    printf("%s %s, balance %lld\n", name, enough ? "success" : "refused", (long long)*balance);
    return 0;
}

static int draw(brood_call *call)
{
    brood_array *account;
    brood_barrier *start;
    const char *name;
    bool use_lock;
    int rc = BROOD_UNPACK(call, &account, &start, &name, &use_lock);
    if (rc == 0) {
        rc = brood_barrier_wait(start, NULL, BROOD_FOREVER); /* until all three are here */
    }
    if (rc == 0 && use_lock) {
        rc = brood_lock_acquire(brood_array_lock(account), BROOD_FOREVER); /* an RLock */
    }
    if (rc == 0) {
        rc = draw_from(brood_array_data(account, int64_t), name, !use_lock);
        if (use_lock) {
            (void)brood_lock_release(brood_array_lock(account));
        }
    }
    return rc;
}

int main(int argc, char **argv)
{
    brood_init(argc, argv);

    static const char *const names[PEOPLE] = {"Ada", "Bob", "Cyd"};
    const bool use_lock = argc < 2 || strcmp(argv[1], "--no-lock") != 0;
    brood_array *account = NULL;
    brood_barrier *start = NULL;
    brood_process *people[PEOPLE] = {NULL};
    int rc = brood_array_new(&account, int64_t, 1, NULL);
    if (rc == 0) {
        rc = brood_barrier_new(&start, PEOPLE, NULL);
    }
    if (rc == 0) {
        *brood_array_data(account, int64_t) = BALANCE;
    }
    for (int i = 0; rc == 0 && i < PEOPLE; i++) {
        rc = brood_process_start(&people[i], draw,
                                 BROOD_ARGS(account, start, names[i], brood_bool(use_lock)), NULL);
    }
    for (int i = 0; rc == 0 && i < PEOPLE; i++) {
        brood_message *nothing;
        rc = brood_process_result(people[i], &nothing, BROOD_FOREVER);
        brood_message_free(rc == 0 ? nothing : NULL);
    }
    const int status = rc ? brood_perror("account") : 0;
    if (rc && start != NULL) {
        brood_barrier_abort(start); /* for those who wait for one that was not started */
    }
    for (int i = 0; i < PEOPLE; i++) {
        brood_process_free(people[i]);
    }
    brood_barrier_free(start);
    brood_array_free(account);
    return status;
}

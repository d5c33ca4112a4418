/* What scripts are written with: what the threads of a scenario do, in the library's own terms.
 *
 * Scripts are part of the explored library, of which each process of a scenario has a copy: their
 * static variables are their process's. What all share besides the segment is the board. */
#ifndef BROOD_TESTS_EXPLORE_SCRIPT_H
#define BROOD_TESTS_EXPLORE_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPLORE_PROCESSES 3
#define EXPLORE_THREADS 6 /* of all processes together */
#define EXPLORE_BOARD 32  /* words */
#define EXPLORE_LOCKS 4   /* words whose owners are watched */
#define EXPLORE_ALL_PLACES 64

typedef struct explore_thread_plan {
    unsigned process;
    void (*run)(void);
    bool has_deadline; /* its time may be over whenever it has slept */
} explore_thread_plan;

typedef struct explore_scenario {
    const char *name;
    const char *claim;    /* what is shown, in words */
    bool large;           /* only with BROOD_TEST_SCALE=100 */
    const char *objected; /* NULL, or it is wrong on purpose, and so has to be said of it */

    void (*set_up)(unsigned process); /* called in each process in turn, unobserved */
    explore_thread_plan threads[EXPLORE_THREADS];

    unsigned crashes;      /* of any process, at any step */
    unsigned crash_mask;   /* which processes may crash; 0: all */
    unsigned restart_mask; /* which of those come again, as new processes */
    unsigned restarts;
    unsigned patience; /* slices that a crash may cost each thread; 0: one */
    unsigned slices;   /* sleeps that end for no reason, of each thread */
    unsigned rows;     /* of the table; all others are a bystander's. 0: as many as needed */
    unsigned places;   /* to sleep at; 0: words are waited for, without places */
    bool fixed_rows;   /* nobody takes one or gives one up: to look at them is no step */
    bool events;       /* bells are events, which are rung or not, and not semaphores */
    unsigned spins;    /* looks at a word before sleeping */

    /* Crashes may leave somebody waiting for ever, rightly: whether it is so now. NULL: never. Called
     * in any living process's copy. */
    bool (*excused)(void);
    void (*check)(void); /* NULL: nothing; called in process 0's copy when all is over */
} explore_scenario;

/* Defined by the scripts, ended by one without a name. */
extern const explore_scenario explore_scenarios[];

/* ---- shared by all ---- */

/// explore_board is memory that all processes have, and that no step is needed for.
uint64_t *explore_board(void);

/// explore_show names shared memory that changes.
void explore_show(const char *name, const volatile void *data, size_t size);

/// explore_watch says that the word is a lock's: number `lock` from now on.
void explore_watch(unsigned lock, const volatile void *word);

/* ---- what happened ---- */

/// explore_wants says that this thread is about to ask for the lock.
void explore_wants(unsigned lock);

/// explore_got says that this thread has the lock now, or was told that its owner died; `rc` is
/// what brood_guard_lock or (`repair`) brood_guard_take_over said.
void explore_got(unsigned lock, int rc, bool repair);

/// explore_abandon says that this process leaves with the lock.
void explore_abandon(unsigned lock);

/// explore_joined says what this process is called in words; no other one that lives may be.
void explore_joined(uint32_t identity);

/// explore_left says that it is not called anything any more.
void explore_left(void);

/// explore_hold says what this process has, until it says otherwise or is killed; explore_held
/// returns what another one has, 0 if nothing.
void explore_hold(uint64_t what);
uint64_t explore_held(unsigned process);

/// explore_signal lets those go on who wait in explore_await. Who waits for a signal that never
/// comes has ended.
void explore_signal(unsigned number);
void explore_await(unsigned number);

/// explore_await_flag waits until the flag is up: there is one.
void explore_await_flag(void);

/// explore_dead_in tells whether a dead process still stands in a word: in the first one at all, or
/// in another one with 1 in its lowest bits.
bool explore_dead_in(const void *data, size_t size);

/// explore_step is a step for nothing but others and crashes to come in between.
void explore_step(const char *what);

unsigned explore_process(void);

/// explore_expect objects if `holds` is not so.
void explore_expect(bool holds, const char *what);

/* ---- where things are in a segment (segment.c) ---- */

typedef struct explore_layout {
    size_t head_size;
    size_t rows_offset;
    size_t row_size;
    size_t stamp_offset;
    size_t generation_offset;
    size_t places_offset;
    size_t place_size;
    size_t owner_offset;
    const void *threads; /* brood_threads, and from where on nobody has its number */
    size_t threads_used;
    size_t threads_size;
} explore_layout;

extern const explore_layout explore_segment_layout;

#endif

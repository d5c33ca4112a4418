/* Pools, as their files see them. All of it is under the pool's mutex unless it says otherwise.
 *
 * A job is what one call of the program asked for: one task, or many. An item is one task. Items wait
 * (in their job), lie in a lane, or are over. Whoever finds that something came, the supervisor or a
 * thread that waits for a result, takes it in (pool_collect.c) and gives new work out (pool_place.c);
 * only the supervisor starts and buries workers and calls the program back. */
#ifndef BROOD_SRC_POOL_OBJECT_H
#define BROOD_SRC_POOL_OBJECT_H

#include <brood/pool.h>

#include "arena.h"
#include "buffer.h"
#include "deadline.h"
#include "error.h"
#include "fork.h"
#include "platform.h"
#include "pool_lane.h"
#include "pool_trace.h"
#include "pool_yard.h"
#include "process_object.h"
#include "waiter.h"

typedef struct brood_job brood_job;

/// brood_kept_failure is a failure that stays.
typedef struct brood_kept_failure {
    brood_failure failure;
    char words[BROOD_WORDS_SIZE];
} brood_kept_failure;

typedef enum brood_item_state {
    BROOD_ITEM_WAITS,
    BROOD_ITEM_PLACED, /* in a lane */
    BROOD_ITEM_OVER
} brood_item_state;

typedef struct brood_item {
    brood_job *job;
    struct brood_item *next;  /* of those that came back, or that arrived */
    struct brood_item *later; /* imap: of those that were not returned, in the order of inputs */
    struct brood_item *earlier;
    brood_view input; /* encoded */
    size_t index;
    uint32_t entry; /* where it was placed */
    uint16_t worker;
    uint8_t state;
    int tries_left;
    brood_message *message; /* of what is over: this, or else the next; for map neither */
    brood_kept_failure *failure;
} brood_item;

typedef struct brood_items {
    brood_item *first;
    brood_item *last;
} brood_items;

typedef enum brood_job_kind {
    BROOD_JOB_APPLY,
    BROOD_JOB_MAP,
    BROOD_JOB_IMAP
} brood_job_kind;

struct brood_job {
    brood_pool *pool; /* with a reference */
    long refs;        /* the program's, and the pool's while it is not ready */
    brood_job_kind kind;
    bool ordered;  /* imap */
    bool detached; /* imap: only callbacks tell */
    uint32_t function;
    uint32_t flags; /* of entries */
    brood_task_options options;
    int64_t timeout_ns; /* 0: none */
    size_t chunksize;

    brood_item *items;        /* apply, map: all of them */
    size_t count;             /* that were made */
    size_t placed;            /* of `items`, those that were placed once, in their order */
    brood_items waits;        /* to be placed before those: imap's, and what came back */
    size_t wait_count;        /* of these */
    size_t over;              /* items */
    brood_arena arena;        /* map: inputs and results */
    brood_arena values_arena; /* map: what the results are made of */
    brood_value *values;
    brood_kept_failure *failure; /* map: of the first input that failed */
    size_t failed_index;
    brood_message *message; /* apply, map: the result */

    /* imap */
    brood_inputs inputs;
    size_t window;
    size_t taken;       /* items that brood_results_next returned */
    size_t input_index; /* the next of an array */
    bool inputs_end;    /* there are no more */
    bool reading;       /* a thread reads inputs */
    brood_kept_failure *input_failure;
    brood_item *live;    /* all that were not returned, the earliest first */
    brood_item *latest;  /* of these */
    brood_items arrived; /* over, not returned; unordered only */

    bool complete; /* all items are over, and there will be no more */
    bool ready;    /* and the callbacks were called */
    bool queued;   /* in `places` */
    bool calling;  /* in `calls` */
    bool begun;    /* on_progress was called, */
    size_t told;   /* with this */
    size_t told_total;
    brood_waiter *waiters; /* threads in brood_wait */
    brood_job *next_place;
    brood_job *next_call;
    brood_job *next; /* in `jobs`, or `dead` */
    brood_job **link;
};

typedef struct brood_worker {
    uint32_t number; /* of its place, from 0 */
    brood_lane_side side;
    brood_process *process; /* NULL: none */
    int64_t pid;
    bool died;    /* its process has ended; said by the watcher */
    bool leaving; /* was told to leave */
    bool broken;  /* left nonsense, and was killed */
    bool settled; /* was seen ready */
    int64_t started_ns;
    int64_t given;    /* tasks */
    uint32_t defined; /* functions that it knows */
    int64_t kill_ns;  /* when it is killed if it still runs `kill_entry`; 0: not */
    uint32_t kill_entry;
    uint64_t block; /* granted for a result */
    uint32_t units;
} brood_worker;

typedef struct brood_pool_function {
    brood_function function;
    brood_buffer reference; /* encoded */
} brood_pool_function;

struct brood_pool {
    brood_atomic refs;
    long generation; /* of the process that made it: see fork.h */
    brood_os_mutex mutex;
    brood_os_condition changed;
    long sleepers;    /* threads that wait for it */
    brood_pool *next; /* in the list of all, under BROOD_LOCK_POOLS */

    brood_segment **segments; /* the first has the board and the yard */
    size_t segment_count;
    brood_board *board;
    brood_yard yard;
    brood_worker *workers;
    uint32_t count;
    uint32_t cursor; /* where to look for the next worker */

    brood_function initializer;
    brood_message *initargs; /* a tuple: positional ones, a dict of the named ones */
    const brood_context *context;
    int64_t max_tasks;
    brood_pool_function *functions;
    uint32_t function_count;

    brood_job *jobs;   /* all that are not ready */
    brood_job *places; /* those that have items to place, first come first served */
    brood_job **places_end;
    brood_job *calls; /* those that have callbacks to call */
    brood_job **calls_end;
    brood_job *dead;          /* those that nobody has any more */
    size_t open;              /* jobs that are not complete */
    int64_t least_timeout_ns; /* of all jobs that ever had one; 0: none had */

    bool closed;
    bool terminated;
    int64_t terminated_ns;
    brood_kept_failure *broken; /* NULL: it is not */
    int failed_starts;          /* in a row */
    int failed_initializers;
    bool tended;             /* workers came or went */
    int64_t start_ns;        /* no worker is started before */
    bool asleep;             /* the supervisor sleeps, or is about to */
    bool ended;              /* no worker is left, and all callbacks were called */
    bool low;                /* what the lanes' `low` says: more tasks wait */
    bool needs;              /* a worker asks for a block */
    bool starved;            /* a result waits for a block: no other ones are given out */
    bool news;               /* for the supervisor, besides what the board says */
    long threads;            /* supervisor and watcher, as long as they run */
    brood_os_waker *watcher; /* NULL: it does not run, and the supervisor looks itself */
    brood_trace *trace;
};

/* ---- pool.c ---- */

/// brood_pool_check says BROOD_EINVAL for NULL and for a parent's pool in a forked child.
int brood_pool_check(const brood_pool *pool);
void brood_pool_unref(brood_pool *pool);

/// brood_pool_delete releases a pool that nobody has any more.
void brood_pool_delete(brood_pool *pool);

/// brood_pool_is_mine tells whether this thread calls the program back for the pool.
bool brood_pool_is_mine(const brood_pool *pool);
void brood_pool_is_this_thread(const brood_pool *pool);

/// brood_pool_poke lets the supervisor look at everything.
void brood_pool_poke(brood_pool *pool);

/// brood_pool_wait_for sleeps until `is` holds. The mutex is held, and given up meanwhile.
/// Errors: BROOD_ETIMEDOUT, BROOD_EDEADLK, without words.
int brood_pool_wait_for(brood_pool *pool, bool (*is)(const void *object), const void *object,
                        int64_t deadline_ns);

/// brood_pool_changed wakes those who wait for something of the pool.
void brood_pool_changed(brood_pool *pool);

/// brood_failure_keep makes a copy that stays, or says that there is no memory for it.
brood_kept_failure *brood_failure_keep(const brood_failure *failure);
void brood_failure_free(brood_kept_failure *kept);

/* ---- pool_job.c ---- */

/// brood_job_new makes a job with one reference, which is not in the pool yet. No mutex.
int brood_job_new(brood_job **out, brood_pool *pool, brood_job_kind kind, brood_function function,
                  const brood_task_options *options);

/// brood_job_unref drops a reference. The mutex is not held.
void brood_job_unref(brood_job *job);

/// brood_item_free releases an item; an imap's is freed.
void brood_item_free(brood_item *item);

/// brood_job_enter gives it to the pool.
/// Errors: BROOD_ESHUTDOWN, BROOD_EBROKEN, BROOD_ENOMEM.
int brood_job_enter(brood_job *job, brood_function function);

/// brood_job_add puts an item among those that wait, first or last.
void brood_job_add(brood_job *job, brood_item *item, bool first);

/// brood_job_queue lets a job with waiting items be placed, before the others or behind them.
void brood_job_queue(brood_job *job, bool first);

/// brood_job_settle looks whether the job is complete.
void brood_job_settle(brood_job *job);

/// brood_item_over ends an item, with what is in its `message` or `failure`.
void brood_item_over(brood_item *item);

/// brood_item_fail ends an item with the thread's last failure.
void brood_item_fail(brood_item *item);

/// brood_job_end ends all its items that are not over with a failure.
void brood_job_end(brood_job *job, const brood_failure *why);

/// brood_pool_end_jobs ends all jobs so.
void brood_pool_end_jobs(brood_pool *pool, const brood_failure *why);

/// brood_job_become_ready is for one that is complete, and whose callbacks were called.
void brood_job_become_ready(brood_job *job);

/// brood_pool_reap frees jobs that nobody has any more. Nobody may be using one.
void brood_pool_reap(brood_pool *pool);

/* ---- pool_call.c ---- */

/// brood_job_call_later lets the supervisor call the program back.
void brood_job_call_later(brood_job *job);

/// brood_pool_call calls the program back for one job, if there is one to do that for. The mutex is
/// given up meanwhile.
bool brood_pool_call(brood_pool *pool);

/// brood_job_take takes the next item of an imap that is over; NULL if there is none. It is the
/// caller's then.
brood_item *brood_job_take(brood_job *job);

/* ---- pool_inputs.c ---- */

/// brood_task_save saves functions, the only objects in arguments; `user` is an arena.
int brood_task_save(void *user, brood_value object, brood_value *id);

/// brood_item_encode encodes a task's argument into memory of the arena, or of its own (NULL).
int brood_item_encode(brood_item *item, brood_arena *arena, brood_value value);

/// brood_inputs_check looks whether they make sense. Errors: BROOD_EINVAL.
int brood_inputs_check(const brood_inputs *inputs);

/// brood_inputs_read makes the items of a map. No mutex.
int brood_inputs_read(brood_job *job, const brood_inputs *inputs);

/// brood_inputs_refill reads an imap's inputs as far as its window lets it, or with `all` to the end
/// or the deadline. The mutex is given up meanwhile.
void brood_inputs_refill(brood_job *job, bool all, int64_t deadline_ns);

/* ---- pool_place.c ---- */

/// brood_pool_place gives waiting items to workers.
void brood_pool_place(brood_pool *pool);

/// brood_pool_recall takes back what a worker has not begun, up to `count` tasks.
uint32_t brood_pool_recall(brood_pool *pool, brood_worker *worker, uint32_t count);

/// brood_pool_return lets an item wait again, as the first of its job.
void brood_pool_return(brood_item *item);

/// brood_pool_abandon makes the worker stop what it runs, an item that is over.
void brood_pool_abandon(brood_pool *pool, brood_item *item);

/* ---- pool_collect.c ---- */

/// brood_pool_has_news tells, without the mutex, whether a worker has left something.
bool brood_pool_has_news(const brood_pool *pool);

/// brood_pool_collect takes in what workers left, and gives out more. It tells if there was anything.
bool brood_pool_collect(brood_pool *pool);

/// brood_pool_collect_worker takes in all that one worker left.
bool brood_pool_collect_worker(brood_pool *pool, brood_worker *worker);

/// brood_pool_ungrant takes back the block that a worker without a task has for its next result.
void brood_pool_ungrant(brood_pool *pool, brood_worker *worker);

/* ---- pool_staff.c: workers come and go ---- */

/// brood_pool_start starts a worker in its place, which is empty.
int brood_pool_start(brood_pool *pool, brood_worker *worker);

/// brood_pool_tend buries the dead, replaces them, and ends what takes too long; all that workers need
/// but tasks. It returns when to look again. The mutex may be given up meanwhile.
int64_t brood_pool_tend(brood_pool *pool);

/// brood_pool_kill ends all workers at once.
void brood_pool_kill(brood_pool *pool, bool hard);

/* ---- pool_supervisor.c ---- */

/// brood_pool_supervise and brood_pool_watch are the pool's threads; each has a reference.
void brood_pool_supervise(void *pool);
void brood_pool_watch(void *pool);

/* ---- pool_worker.c ---- */

extern const brood_segment_kind brood_pool_segment_kind;

/// brood_pool_work is a worker's life.
int brood_pool_work(brood_call *call);

/* ---- pools and exits ---- */

/// brood_pools_end terminates all pools of this process, at its exit.
void brood_pools_end(void);

#endif

/* All that changes while a scenario is explored, in pieces that can be kept, put back and compared:
 * the shared memory, each process's own, the threads' stacks, and this struct. */
#ifndef BROOD_TESTS_EXPLORE_WORLD_H
#define BROOD_TESTS_EXPLORE_WORLD_H

#include "script.h"

#define EXPLORE_BYSTANDER_ROW 1000
#define EXPLORE_BYSTANDER_STAMP (UINT64_C(9999) << 32)
#define EXPLORE_NONE UINT32_MAX

typedef enum explore_kind {
    EXPLORE_BEGIN, /* has not begun */
    EXPLORE_LOAD,
    EXPLORE_STORE,
    EXPLORE_EXCHANGE,
    EXPLORE_ADD,
    EXPLORE_OR,
    EXPLORE_AND,
    EXPLORE_CAS,
    EXPLORE_PLAIN, /* a step for nothing */
    EXPLORE_MUTEX,
    EXPLORE_RUNS,  /* asks whether a process runs */
    EXPLORE_SLEEP, /* is about to, if the word is `a` */
    EXPLORE_ASLEEP,
    EXPLORE_WAKE, /* `a` sleepers */
    EXPLORE_BELL, /* is about to sleep for bell `a` */
    EXPLORE_ASLEEP_BELL,
    EXPLORE_RING, /* bell `a` */
    EXPLORE_NAP,  /* sleeps for nothing */
    EXPLORE_AWAIT,
    EXPLORE_FLAG, /* waits for it */
    EXPLORE_DONE
} explore_kind;

typedef struct explore_op {
    uint32_t kind;
    uint32_t size;
    const volatile void *address;
    uint64_t a;
    uint64_t b;
} explore_op;

typedef struct explore_thread_state {
    void *context[5];
    void *stack_pointer;
    explore_op op; /* what it is about to do */
    uint32_t process;
    uint32_t alive;
    uint32_t number; /* brood_thread_number */
    uint32_t padding;
    uint32_t woken;
    uint32_t slices; /* that may still end for no reason */
    uint32_t forced; /* sleeps that nothing else could end */
    uint32_t has_deadline;
    uint32_t late;     /* its deadline is over */
    uint32_t timeouts; /* of its sleeps */
} explore_thread_state;

typedef struct explore_process_state {
    uint32_t alive;
    uint32_t identity; /* as it stands in words; 0: none */
    uint64_t stamp;
    uint64_t holds; /* explore_hold's */
} explore_process_state;

typedef struct explore_mutex_state {
    const void *address;
    uint64_t owner; /* 1 + thread */
} explore_mutex_state;

typedef struct explore_lock_state {
    uint32_t owner;   /* 1 + thread */
    uint32_t word;    /* what it wrote into the word */
    uint32_t tainted; /* an owner died, and nobody has taken it over */
    uint32_t seen_by; /* threads that may have found it so: a bit each */
} explore_lock_state;

typedef struct explore_world {
    explore_thread_state threads[EXPLORE_THREADS];
    explore_process_state processes[EXPLORE_PROCESSES];
    explore_lock_state locks[EXPLORE_LOCKS];
    explore_mutex_state mutexes[4];
    uint64_t board[EXPLORE_BOARD];
    uint32_t bells[EXPLORE_ALL_PLACES];
    uint32_t crashes_left;
    uint32_t crashes;
    uint32_t restarts_left;
    uint32_t signals;
    uint32_t flag; /* is up */
    uint32_t padding;
} explore_world;

extern explore_world explore_now;

/* ---- what does not change: set up before a scenario is explored ---- */

typedef struct explore_part {
    const char *name;
    unsigned char *data;
    size_t size;
    unsigned process; /* whose it is; EXPLORE_NONE: all share it */
} explore_part;

typedef struct explore_image { /* one process's copy of the library */
    unsigned char *data[2];    /* what of it is written to, with a gap in between */
    size_t size[2];
    unsigned char *heap;
    const explore_scenario *scenarios;
    const explore_layout *layout;
    uint32_t *thread_number;
} explore_image;

#define EXPLORE_PARTS 32
#define EXPLORE_HEAP ((size_t)2048)
#define EXPLORE_STACK ((size_t)64 * 1024)

typedef struct explore_frame_work {
    explore_part parts[EXPLORE_PARTS];
    size_t part_count;
    explore_image images[EXPLORE_PROCESSES];
    unsigned char *stacks[EXPLORE_THREADS];
    const volatile void *locks[EXPLORE_LOCKS];
    unsigned char *shared;
    size_t shared_size;
    const explore_scenario *scenario;
    unsigned thread_count;
    unsigned set_up; /* the process that is being */
    unsigned threads_of[EXPLORE_PROCESSES];
} explore_frame_work;

extern explore_frame_work explore_set;

/// explore_world_begin makes processes and threads, and calls the scenario's set_up.
void explore_world_begin(const explore_scenario *scenario, size_t index);

void explore_world_add(const char *name, void *data, size_t size, unsigned process);

typedef struct explore_hash {
    uint64_t a, b;
} explore_hash;

#define EXPLORE_PIECES (EXPLORE_PARTS + EXPLORE_THREADS) /* each thread's stack is one, too */

/* A state that was kept: where the pieces are in `explore_kept`. What is as in the state before is
 * there only once. */
typedef struct explore_saved {
    size_t at[EXPLORE_PIECES];
    explore_hash hashes[EXPLORE_PIECES];
} explore_saved;

/// explore_world_save keeps the present state, which came about from `before` (NULL: it is the
/// first).
void explore_world_save(explore_saved *out, const explore_saved *before);

/// explore_world_load makes a state the present one.
void explore_world_load(const explore_saved *saved);

/// explore_world_size is how much is kept; explore_world_forget drops what was kept since then.
size_t explore_world_size(void);
void explore_world_forget(size_t size);

/// explore_world_touch is called before anything of a process changes.
void explore_world_touch(unsigned process);

/// explore_world_begin_process makes a process what it was in the first state;
/// explore_world_clear_process makes nothing of it.
void explore_world_begin_process(const explore_saved *first, unsigned process);
void explore_world_clear_process(unsigned process);

explore_hash explore_hash_all(const explore_saved *saved);

/* ---- scheduler.c ---- */

/// explore_running is the thread that makes the present step; EXPLORE_NONE outside of steps.
extern uint32_t explore_running;

/// explore_yield is called before a step and returns, when it is this thread's turn, which of the
/// step's ways to take.
unsigned explore_yield(explore_kind kind, const volatile void *address, size_t size, uint64_t a,
                       uint64_t b);

/// explore_run_thread lets a thread go on until its next step.
void explore_run_thread(uint32_t thread, unsigned way);

/// explore_prepare_thread makes a stack for it, on which it is about to begin.
void explore_prepare_thread(uint32_t thread);

/// explore_is_step tells whether others can see what happens at this address.
bool explore_is_step(const volatile void *address, bool writes);

/* ---- ghosts.c: what is always true ---- */

void explore_check_write(const volatile void *word, uint64_t before, uint64_t after);
void explore_check_state(void);
void explore_check_end(void);
void explore_ghost_crash(unsigned process);

/* ---- report.c ---- */

typedef enum explore_move_kind {
    EXPLORE_STEP,
    EXPLORE_TIMEOUT,
    EXPLORE_CRASH,
    EXPLORE_RESTART
} explore_move_kind;

typedef struct explore_move {
    uint8_t kind; /* explore_move_kind */
    uint8_t who;  /* thread or process */
    uint8_t way;
    uint8_t forced; /* a time-out when nothing else can happen */
} explore_move;

typedef struct explore_event {
    explore_move move;
    explore_op op;
    uint64_t before, after; /* values of the word */
    const char *note;
} explore_event;

extern explore_event explore_last;

/// explore_object says what is wrong and how it came about, and ends the program, with 0 if an
/// objection was to be expected.
_Noreturn void explore_object(const char *format, ...);

/// explore_history calls `each` for the moves that led here.
void explore_history(void (*each)(const explore_event *event));

/* ---- explore.c ---- */

typedef struct explore_figures {
    uint64_t states;
    uint64_t moves;
    uint64_t ends;
    size_t depth;
    size_t bytes; /* kept at once */
} explore_figures;

void explore_all(explore_figures *out);

#endif

/* Segments: shared memory with a table of the processes that have it.
 *
 * A process claims a row of the table when it first takes part; the row's number and generation are
 * in every lock word that the process writes, so that anybody can tell whose word it is and whether
 * that process still runs. Rows of the dead are used again, after all they owned was swept.
 *
 * All that a segment's memory says was written by processes that were given it; it is checked as far
 * as reading and writing outside of it is concerned. */
#ifndef BROOD_SRC_SEGMENT_H
#define BROOD_SRC_SEGMENT_H

#include "deadline.h"
#include "platform.h"

#define BROOD_SEGMENT_ROWS 1024 /* row 0 is nobody's */
#define BROOD_SEGMENT_ID 16     /* bytes */

/* A lock word: who holds it, and two bits. 0 is free. */
#define BROOD_WAITERS UINT32_C(0x80000000) /* somebody may sleep on it */
#define BROOD_DIED UINT32_C(0x40000000)    /* its owner died; nobody holds it */
#define BROOD_OWNER UINT32_C(0x3FFFFFFF)
#define BROOD_ROW_SHIFT 20 /* 10 bits of row, 8 of the row's generation, 12 of the thread */
#define BROOD_ROW_GENERATION_SHIFT 12
#define BROOD_ROW_GENERATION_MASK UINT32_C(0xFF)
#define BROOD_PROCESS_BITS UINT32_C(0x3FFFF000) /* row and generation */

typedef struct brood_segment brood_segment;

/// brood_segment_kind is what a segment is used for.
typedef struct brood_segment_kind {
    uint32_t number; /* in the segment's head */
    const char *name;

    /// sweep gives up everything in it of a process that has ended or leaves, by the process bits of
    /// its words. It may run more than once, in several processes at once, and end at any instruction.
    void (*sweep)(brood_segment *segment, uint32_t identity);

    /// joined is called when this process has a (new) row, with BROOD_LOCK_SEGMENTS held. NULL:
    /// nothing to do.
    void (*joined)(brood_segment *segment);
} brood_segment_kind;

/* One process's view of a segment. Fields are for segment.c, the inline functions and the owner's
 * `user`. */
struct brood_segment {
    brood_os_section section;
    void *data; /* the part that is the user's */
    size_t size;
    unsigned char id[BROOD_SEGMENT_ID];
    brood_word
        identity;    /* our row and its generation, as in a lock word; 0: see brood_segment_me */
    uint32_t number; /* our row; 0: none yet. Under BROOD_LOCK_SEGMENTS, like the next two */
    uint32_t witness_thread; /* the thread whose end its witness would tell of; 0: none */
    long generation;         /* of this process (fork.h) that has the row and is `creator` */
    bool creator;            /* this process made it; a forked child of it did not */
    long handle_since;       /* the generation in which the handle came */
    const brood_segment_kind *kind;
    brood_os_bells *bells;
    long refs; /* under BROOD_LOCK_SEGMENTS; 0: kept for the witness's sake */
    brood_segment *next;
    void *user;                    /* the kind's, e.g. the objects that this process has in it */
    void (*free_user)(void *user); /* called with it at the end, if set */
};

/// brood_segment_new makes one with `size` bytes for the user, of which `reserved` can be used at
/// once (brood_segment_reserve for more). It has one reference.
int brood_segment_new(brood_segment **out, const brood_segment_kind *kind, size_t size,
                      size_t reserved);

/// brood_segment_attach sets `*out` to the segment with this id, with a reference: the one that is
/// here already, or the one behind `*handle` (BROOD_NO_HANDLE: it must be here). If the handle was
/// needed it is the segment's now and `*handle` is BROOD_NO_HANDLE.
/// Errors: BROOD_EHANDLE, BROOD_EDECODE for another segment or none, BROOD_ENOTSUP for one of another
/// pid namespace.
int brood_segment_attach(brood_segment **out, const brood_segment_kind *kind,
                         const unsigned char id[BROOD_SEGMENT_ID], brood_os_handle *handle);

void brood_segment_ref(brood_segment *segment);

/// brood_segment_free drops a reference; after the last one all that this process holds in it is
/// given up, and the row and the mapping, too, if this thread or none is the witness; else when that
/// thread ends.
void brood_segment_free(brood_segment *segment);

/// brood_segment_handle sets `*out` to the handle to send; BROOD_EHANDLE in a forked child that does
/// not have it any more.
int brood_segment_handle(brood_os_handle *out, const brood_segment *segment);

/// brood_segment_reserve makes `size` bytes of the user's part usable from `offset` on; whole pages
/// around them. BROOD_EHANDLE as brood_segment_handle.
int brood_segment_reserve(const brood_segment *segment, size_t offset, size_t size);

/// brood_segment_discard gives the pages that lie wholly in a part back to the system.
void brood_segment_discard(const brood_segment *segment, size_t offset, size_t size);

/* ---- who am I, who are they ---- */

/// brood_thread_number is this thread's number, 1 to 4095; 0 before it has one.
extern BROOD_THREAD_LOCAL uint32_t brood_thread_number;

#define BROOD_THREAD_NUMBERS 4096 /* 12 bits; 0 is nobody's */

/// brood_thread_locks is how many locks the thread of a number holds, which only that thread reads and
/// writes. A thread that ends with one takes its number along, so that no other is taken for it.
typedef struct brood_thread_locks {
    uint32_t held;
    unsigned char apart[60]; /* no two threads write to one cache line */
} brood_thread_locks;
extern brood_thread_locks brood_threads[BROOD_THREAD_NUMBERS];

/// brood_thread_holds counts locks that this thread, `me` as in lock words, has taken or given back.
static inline void brood_thread_holds(uint32_t me, int by)
{
    brood_threads[me % BROOD_THREAD_NUMBERS].held += (uint32_t)by;
}

/// brood_thread_number_take gives this thread a number. BROOD_ENOMEM when there is none left.
int brood_thread_number_take(void);

/// brood_thread_numbers_forget is for a forked child, where there is only this thread.
void brood_thread_numbers_forget(void);

/// brood_segment_join is behind brood_segment_me.
int brood_segment_join(brood_segment *segment, uint32_t *me);

/// brood_segment_me sets `*me` to what this thread writes into lock words here. BROOD_ENOMEM when the
/// table is full.
static inline int brood_segment_me(brood_segment *segment, uint32_t *me)
{
    const uint32_t identity = brood_word_load_relaxed(&segment->identity);
    const uint32_t thread = brood_thread_number;

    *me = identity | thread;
    return identity != 0 && thread != 0 ? 0 : brood_segment_join(segment, me);
}

/// brood_segment_row returns this process's row; 0 before brood_segment_me.
static inline uint32_t brood_segment_row(const brood_segment *segment)
{
    return brood_word_load_relaxed(&segment->identity) >> BROOD_ROW_SHIFT;
}

/// brood_segment_generation returns the whole generation of a row.
uint32_t brood_segment_generation(const brood_segment *segment, uint32_t row);

/// brood_segment_runs tells whether the process of a row still runs; false for a free row.
bool brood_segment_runs(const brood_segment *segment, uint32_t row);

/// brood_segment_word_is_dead tells whether the process that wrote a lock word has ended, or has
/// given up its row since.
bool brood_segment_word_is_dead(const brood_segment *segment, uint32_t word);

/// brood_segment_pid returns the number of the process that wrote a lock word; 0: not known any more.
int64_t brood_segment_pid(const brood_segment *segment, uint32_t word);

/// brood_segment_row_pid returns the number of the process that has a row, or had it last; 0: nobody.
int64_t brood_segment_row_pid(const brood_segment *segment, uint32_t row);

/* ---- sleeping on the segment's words ---- */

/// brood_segment_sleep sleeps as long as `*word` is `value` and nobody wakes it, until the deadline,
/// and never longer than BROOD_SLICE_NS: a wake-up may have died with the process it was for, or with
/// the one that owed it. It ends early if the process of `row` (0: none) seems to have ended. The
/// caller looks at its condition again, whatever the reason.
void brood_segment_sleep(brood_segment *segment, brood_word *word, uint32_t value, uint32_t row,
                         int64_t deadline_ns);

/// brood_segment_wake wakes up to `count` sleepers of a word, of any process.
void brood_segment_wake(brood_segment *segment, brood_word *word, uint32_t count);

/// brood_spin_count returns how often to look at a word before sleeping on it: 0 where there is one
/// processor only.
uint32_t brood_spin_count(void);

/* ---- this process ---- */

/// brood_segments_forget is for a forked child, with all locks of the process held: its rows are its
/// parent's.
void brood_segments_forget(void);

/// brood_segments_thread_ended is called by a thread that ends.
void brood_segments_thread_ended(uint32_t thread);

#endif

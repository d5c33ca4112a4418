/* What a pool and one of its workers share: a lane.
 *
 * Tasks go one way and results come back the other way, each through a ring that one side writes and
 * the other one reads; nobody holds a lock while he waits. A word says which of the tasks are waiting:
 * those from `begin` on. The worker takes the first by moving `begin`, and has thereby published what
 * it holds; the pool adds behind `end`, and takes back what was not begun by moving `end`. Both do it
 * by compare-and-swap of the one word, so that nothing is in two hands.
 *
 * A worker writes to its own lane only, and may have written nonsense before it crashed: the pool
 * believes nothing that it does not check. Workers trust the pool. */
#ifndef BROOD_SRC_POOL_LANE_H
#define BROOD_SRC_POOL_LANE_H

#include <brood/base.h>

#include "error.h"
#include "segment.h"

#define BROOD_LANE_SMALL 8192u /* larger arguments and results lie in a block of the yard */
#define BROOD_LANE_ALL UINT32_MAX

#define BROOD_POOL_WORKERS_MAX 4096

/* Flags of entries. */
#define BROOD_ENTRY_DEFINE 1u /* the arguments are a function's reference, of this number */
#define BROOD_ENTRY_CALL 2u   /* they are a tuple of positional and named ones */
#define BROOD_ENTRY_STAR 4u   /* they are a list or tuple of positional ones; else there is one */
#define BROOD_ENTRY_TIMED 8u  /* note when it begins and ends */
#define BROOD_ENTRY_BLOCK 16u /* `place` is in the yard */

typedef struct brood_lane_entry {
    uint32_t function;
    uint32_t flags;
    uint64_t place; /* of the encoded arguments */
    uint64_t size;
} brood_lane_entry;

/* Flags of records. */
#define BROOD_RECORD_BLOCK 1u /* the result is in the block that was granted */
#define BROOD_RECORD_SKIP 2u  /* nothing: the next one begins at the ring's begin */
#define BROOD_RECORD_LONG 4u  /* the head has its second part */
#define BROOD_RECORD_FLAGS 15u

/* What came of a task; behind it, unless it is in a block, what it returned or its words. */
typedef struct brood_lane_head {
    uint32_t room; /* bytes of the ring, this head too: a multiple of 16, and flags */
    uint32_t entry;
    int32_t code; /* 0, 1 to 255, or a brood_error */
    uint32_t size;
} brood_lane_head;

/* Of timed ones, and of those with a block. */
typedef struct brood_lane_tail {
    uint64_t size; /* instead of the other */
    int64_t began_ns;
    int64_t ended_ns;
    uint64_t reserved;
} brood_lane_tail;

/* The same, taken apart. */
typedef struct brood_lane_record {
    uint32_t room;
    uint32_t flags;
    uint32_t entry;
    int32_t code;
    uint64_t size;
    int64_t began_ns;
    int64_t ended_ns;
} brood_lane_record;

typedef enum brood_lane_phase {
    BROOD_LANE_STARTING,
    BROOD_LANE_INITIALIZING,
    BROOD_LANE_READY,
    BROOD_LANE_FAILED /* `code` and `words` say why the initializer did */
} brood_lane_phase;

/* What a worker sleeps for. */
#define BROOD_LANE_AWAKE 0u
#define BROOD_LANE_FOR_TASKS 1u
#define BROOD_LANE_FOR_ROOM 2u

#define BROOD_LANE_REFUSED UINT64_MAX /* a block's size: there is none */

typedef struct brood_lane {
    brood_word64 span; /* `begin` below, `end` above */
    char apart1[56];
    /* The worker's: */
    brood_word64 written; /* bytes of results */
    brood_word64 needed;  /* the size of the block it waits for; 0: none */
    brood_word asleep;    /* also changed by who wakes it */
    brood_word phase;
    brood_word began_entry; /* 1 + the timed entry that began */
    int32_t code;           /* of the initializer */
    brood_word64 began_ns;  /* then */
    char apart2[24];
    /* The pool's: */
    brood_word64 read;       /* bytes of results */
    brood_word64 asked;      /* the ticket of the call that is to stop */
    brood_word64 block;      /* granted for a result: where it is, */
    brood_word64 block_size; /* 0: none; set last */
    brood_word leave;        /* when there is nothing to do */
    brood_word low;          /* so few tasks left are worth waking the pool */
    uint32_t entries;        /* never change: how many there are, a power of two, */
    uint32_t bytes;          /* and bytes of each ring, another */
    char apart3[16];
    char words[BROOD_WORDS_SIZE]; /* the entries follow, the tasks, the results */
} brood_lane;

static inline size_t brood_lane_size(uint32_t entries, uint32_t bytes)
{
    return sizeof(brood_lane) + entries * sizeof(brood_lane_entry) + 2 * (size_t)bytes;
}

static inline brood_lane_entry *brood_lane_entry_of(const brood_lane *lane, uint32_t entries,
                                                    uint32_t number)
{
    return (brood_lane_entry *)((char *)lane + sizeof *lane) + (number & (entries - 1));
}

static inline unsigned char *brood_lane_tasks(const brood_lane *lane, uint32_t entries)
{
    return (unsigned char *)lane + sizeof *lane + entries * sizeof(brood_lane_entry);
}

static inline unsigned char *brood_lane_results(const brood_lane *lane, uint32_t entries,
                                                uint32_t bytes)
{
    return brood_lane_tasks(lane, entries) + bytes;
}

/* At the begin of the pool's first segment. */
typedef struct brood_board {
    brood_word waiting; /* a BROOD_BOARD_... */
    char apart[60];
    brood_word64 ready[BROOD_POOL_WORKERS_MAX / 64]; /* a bit for each worker that left something */
} brood_board;

/* What the pool's supervisor sleeps for. */
#define BROOD_BOARD_AWAKE 0u
#define BROOD_BOARD_ANYTHING 1u
#define BROOD_BOARD_MUCH 2u /* a worker that has nothing to do, or much to tell */

static inline uint32_t brood_span_begin(uint64_t span)
{
    return (uint32_t)span;
}

static inline uint32_t brood_span_end(uint64_t span)
{
    return (uint32_t)(span >> 32);
}

static inline uint64_t brood_span(uint32_t begin, uint32_t end)
{
    return (uint64_t)end << 32 | begin;
}

/// brood_lane_ticket is what stands in `asked` for an entry.
static inline uint64_t brood_lane_ticket(uint32_t entry)
{
    return (uint64_t)1 << 32 | entry;
}

/* ---- the worker's side ---- */

/// brood_lane_claim takes the next entry; false if there is none.
bool brood_lane_claim(brood_lane *lane, uint32_t *entry);

/// brood_lane_sleep sleeps for one of the reasons above, unless `ready` says that it need not.
void brood_lane_sleep(brood_segment *segment, brood_lane *lane, uint32_t reason,
                      bool (*ready)(void *user), void *user);

/// brood_board_tell says that worker `number` left something, and wakes the supervisor if it waits
/// for that. `much`: see BROOD_BOARD_MUCH.
void brood_board_tell(brood_segment *segment, brood_board *board, uint32_t number, bool much);

/* ---- the pool's side ---- */

/* A task that lies in a lane. */
typedef struct brood_lane_slot {
    void *item;        /* the pool's; NULL: a definition, or a task that is over already */
    bool task;         /* no definition */
    uint32_t function; /* its number */
    uint32_t bytes;    /* of the ring of tasks, up to here */
    uint64_t block;
    uint32_t units; /* of that block; 0: none */
} brood_lane_slot;

typedef struct brood_lane_side {
    brood_segment *segment;
    brood_lane *lane;
    uint32_t end;       /* entries that were written */
    uint32_t published; /* and that the worker may see */
    uint32_t completed; /* and that are over */
    uint32_t bytes_begin;
    uint32_t bytes_end;
    uint64_t read;
    uint32_t entries; /* as in the lane, which might say something else by now */
    uint32_t bytes;
    brood_lane_slot *slots; /* one for each entry */
} brood_lane_side;

/// brood_lane_shape chooses how large the lanes of so many workers are.
void brood_lane_shape(uint32_t workers, uint32_t *entries, uint32_t *bytes);

/// brood_lane_init prepares our side of a lane; brood_lane_fini releases it.
int brood_lane_init(brood_lane_side *side, brood_segment *segment, brood_lane *lane,
                    uint32_t entries, uint32_t bytes);
void brood_lane_fini(brood_lane_side *side);

/// brood_lane_begin makes the lane as new, for a worker that starts; nobody else uses it.
void brood_lane_begin(brood_lane_side *side);

static inline uint32_t brood_lane_load(const brood_lane_side *side)
{
    return side->end - side->completed;
}

static inline brood_lane_slot *brood_lane_slot_of(brood_lane_side *side, uint32_t entry)
{
    return &side->slots[entry & (side->entries - 1)];
}

/// brood_lane_left returns for how many more entries there is room, one of which is kept for the
/// definition of a function.
static inline uint32_t brood_lane_left(const brood_lane_side *side)
{
    return side->entries - 1 - brood_lane_load(side);
}

/// brood_lane_room finds room for `size` bytes of arguments in the ring; false if there is none now.
bool brood_lane_room(const brood_lane_side *side, uint32_t size, uint32_t *place);

/// brood_lane_data returns where a place in the ring of tasks is.
static inline unsigned char *brood_lane_data(const brood_lane_side *side, uint32_t place)
{
    return brood_lane_tasks(side->lane, side->entries) + (place & (side->bytes - 1));
}

/// brood_lane_add writes an entry, for which there has to be room (brood_lane_load), and returns its
/// slot; the worker sees it after brood_lane_publish. Arguments in the ring are at `place`.
brood_lane_slot *brood_lane_add(brood_lane_side *side, const brood_lane_entry *entry);

/// brood_lane_publish shows the worker what was added, and wakes it.
void brood_lane_publish(brood_lane_side *side);

/// brood_lane_claimed returns up to which entry the worker took them; one between `completed` and
/// `published`, whatever the lane says.
uint32_t brood_lane_claimed(const brood_lane_side *side);

/// brood_lane_complete says that all up to `entry`, itself included, is over.
void brood_lane_complete(brood_lane_side *side, uint32_t entry);

/// brood_lane_recall takes back up to `count` entries, the last ones, that were not begun, and returns
/// how many: they are those from the new `end` on, and their slots are as they were.
uint32_t brood_lane_recall(brood_lane_side *side, uint32_t count);

/// brood_lane_wake wakes the worker if it sleeps for `reason`.
void brood_lane_wake(brood_lane_side *side, uint32_t reason);

/// brood_lane_dismiss tells the worker to leave when it has nothing to do.
void brood_lane_dismiss(brood_lane_side *side);

/// brood_lane_next sets `*record` to the next thing that the worker left, and `*data` to what is
/// behind it in the ring. BROOD_EEMPTY if there is none, BROOD_EDECODE if it makes no sense; no words.
int brood_lane_next(brood_lane_side *side, brood_lane_record *record, const unsigned char **data);

/// brood_lane_done gives back the room of what brood_lane_next said last.
void brood_lane_done(brood_lane_side *side, const brood_lane_record *record);

#endif

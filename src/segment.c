#include "segment.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "fault.h"
#include "fork.h"
#include "locks.h"
#include "parking.h"

#define MAGIC UINT64_C(0x746E656D67657362) /* "bsegment" */
#define VERSION 1
#define PAGE ((size_t)4096)
#define BUSY_SLICE_NS ((int64_t)5 * 1000 * 1000) /* all places to sleep at are taken */
#define HELD_ROWS 63 /* the first rows are used again first: see heap.h */

/* One participant. 80 bytes. */
typedef struct row {
    brood_word64 stamp; /* of its process, 0: free */
    brood_word generation;
    uint32_t reserved[3];
    unsigned char witness[BROOD_OS_WITNESS_SIZE];
} row;

typedef struct head {
    uint64_t magic;
    uint32_t version;
    uint32_t kind;
    uint64_t size;   /* of all */
    uint64_t offset; /* of the user's part */
    uint64_t pid_space;
    unsigned char id[BROOD_SEGMENT_ID];
    row rows[BROOD_SEGMENT_ROWS];
    brood_parking parking;
    unsigned char bells[BROOD_OS_BELLS * BROOD_OS_BELL_SIZE];
} head;

#define HEAD_SIZE ((sizeof(head) + PAGE - 1) / PAGE * PAGE)

static brood_segment *segments; /* under BROOD_LOCK_SEGMENTS */

static head *head_of(const brood_segment *segment)
{
    return segment->section.data;
}

static row *row_of(const brood_segment *segment, uint32_t number)
{
    return &head_of(segment)->rows[number % BROOD_SEGMENT_ROWS];
}

/* ---- rows ---- */

static uint32_t identity_of(uint32_t number, uint32_t generation)
{
    return number << BROOD_ROW_SHIFT | (generation & BROOD_ROW_GENERATION_MASK)
                                           << BROOD_ROW_GENERATION_SHIFT;
}

uint32_t brood_segment_generation(const brood_segment *segment, uint32_t number)
{
    return brood_word_load(&row_of(segment, number)->generation);
}

bool brood_segment_runs(const brood_segment *segment, uint32_t number)
{
    const uint64_t stamp = brood_word64_load(&row_of(segment, number)->stamp);

    return stamp != 0 && brood_os_stamp_runs(stamp);
}

bool brood_segment_word_is_dead(const brood_segment *segment, uint32_t word)
{
    const uint32_t number = (word & BROOD_OWNER) >> BROOD_ROW_SHIFT;

    return identity_of(number, brood_segment_generation(segment, number)) !=
               (word & BROOD_PROCESS_BITS) ||
           !brood_segment_runs(segment, number);
}

int64_t brood_segment_pid(const brood_segment *segment, uint32_t word)
{
    const uint32_t number = (word & BROOD_OWNER) >> BROOD_ROW_SHIFT;

    if (identity_of(number, brood_segment_generation(segment, number)) !=
        (word & BROOD_PROCESS_BITS)) {
        return 0;
    }
    return brood_segment_row_pid(segment, number);
}

int64_t brood_segment_row_pid(const brood_segment *segment, uint32_t number)
{
    return (int64_t)(brood_word64_load(&row_of(segment, number)->stamp) >> 32);
}

/* Everything of a process is given up: what it holds, and where its threads slept. */
static void sweep(brood_segment *segment, uint32_t identity)
{
    segment->kind->sweep(segment, identity);
    brood_parking_sweep(&head_of(segment)->parking, identity);
}

/* One that is free, or whose process has ended. The claim is one compare-and-swap: who dies before
 * or after it leaves a row that is free or that has ended. All words of the one before are swept
 * before that. Its generation is read when it has ended, since one that runs may be about to get it,
 * and counts if the row was still its own then: else it is that of somebody faster than we, who may
 * be alive. */
static bool claim(brood_segment *segment, uint32_t number, bool dead_too)
{
    row *one = row_of(segment, number);
    const uint64_t before = brood_word64_load(&one->stamp);
    uint32_t generation;

    if (before != 0) {
        if (!dead_too || brood_os_stamp_runs(before)) {
            return false;
        }
        generation = brood_word_load(&one->generation);
        if (brood_word64_load(&one->stamp) != before) {
            return false;
        }
        sweep(segment, identity_of(number, generation));
    }
    if (!brood_word64_cas(&one->stamp, before, brood_os_self_stamp())) {
        return false;
    }
    (void)brood_word_add(&one->generation, 1);
    return true;
}

/* The first rows are looked at with more care: only they are counted as holders of objects. */
static uint32_t claim_any(brood_segment *segment)
{
    static const struct {
        uint32_t first, last;
        bool dead_too;
    } turns[] = {{1, HELD_ROWS, false},
                 {1, HELD_ROWS, true},
                 {HELD_ROWS + 1, BROOD_SEGMENT_ROWS - 1, false},
                 {HELD_ROWS + 1, BROOD_SEGMENT_ROWS - 1, true}};

    for (size_t turn = 0; turn < sizeof turns / sizeof turns[0]; turn++) {
        for (uint32_t i = turns[turn].first; i <= turns[turn].last; i++) {
            if (claim(segment, i, turns[turn].dead_too)) {
                return i;
            }
        }
    }
    return 0;
}

/* With the lock held. */
static int take_part(brood_segment *segment)
{
    const long generation = brood_generation();
    uint32_t number;

    if (segment->generation != generation) { /* a forked child is somebody else */
        segment->generation = generation;
        segment->creator = false;
        segment->number = 0;
    }
    number = segment->number;
    if (number == 0) {
        number = claim_any(segment);
        if (number == 0) {
            return brood_fail(BROOD_ENOMEM, "%d processes have this shared memory already",
                              BROOD_SEGMENT_ROWS - 1);
        }
        segment->number = number;
        if (segment->kind->joined != NULL) {
            segment->kind->joined(segment);
        }
    }
    segment->witness_thread =
        brood_os_witness_begin(row_of(segment, number)->witness) ? brood_thread_number : 0;
    brood_word_store(&segment->identity,
                     identity_of(number, brood_segment_generation(segment, number)));
    return 0;
}

int brood_segment_join(brood_segment *segment, uint32_t *me)
{
    int rc = brood_thread_number == 0 ? brood_thread_number_take() : 0;

    if (rc == 0) {
        brood_locks_take(BROOD_LOCK_SEGMENTS);
        if (brood_word_load(&segment->identity) == 0) {
            rc = take_part(segment);
        }
        brood_locks_give(BROOD_LOCK_SEGMENTS);
    }
    *me = rc == 0 ? brood_word_load(&segment->identity) | brood_thread_number : 0;
    return rc;
}

/* This process, and not one that it was forked from. */
static bool takes_part(const brood_segment *segment)
{
    return segment->number != 0 && segment->generation == brood_generation();
}

/* A witness that is another thread's has to stay where it is, whatever else is given up: it is in that
 * thread's list of what the system looks at when it ends. */
static bool is_watched_by_another(const brood_segment *segment)
{
    return takes_part(segment) && segment->witness_thread != 0 &&
           segment->witness_thread != brood_thread_number;
}

/* With the lock held. Whoever still waits for what we hold learns that nobody does. */
static void give_up(brood_segment *segment)
{
    const uint32_t number = segment->number;

    if (takes_part(segment)) {
        sweep(segment, identity_of(number, brood_segment_generation(segment, number)));
    }
}

static void leave(brood_segment *segment)
{
    const uint32_t number = segment->number;

    if (!takes_part(segment)) {
        return;
    }
    if (segment->witness_thread != 0) {
        brood_os_witness_end(row_of(segment, number)->witness);
        segment->witness_thread = 0;
    }
    brood_word_store(&segment->identity, 0);
    segment->number = 0;
    (void)brood_word_add(&row_of(segment, number)->generation, 1);
    brood_word64_store(&row_of(segment, number)->stamp, 0);
}

/* ---- make, attach, free ---- */

static void list(brood_segment *segment)
{
    segment->next = segments;
    segments = segment;
}

static brood_segment *find(const unsigned char id[BROOD_SEGMENT_ID])
{
    for (brood_segment *one = segments; one != NULL; one = one->next) {
        if (memcmp(one->id, id, sizeof one->id) == 0) {
            return one;
        }
    }
    return NULL;
}

/* `segment->section` is there. */
static int finish(brood_segment *segment, const brood_segment_kind *kind, bool create)
{
    head *its = head_of(segment);

    segment->kind = kind;
    segment->creator = create;
    segment->generation = brood_generation();
    segment->handle_since = segment->generation;
    segment->refs = 1;
    segment->data = (char *)segment->section.data + HEAD_SIZE;
    segment->size = segment->section.size - HEAD_SIZE;
    memcpy(segment->id, its->id, sizeof segment->id);
    return brood_os_bells_open(&segment->bells, its->bells, segment->id, create);
}

int brood_segment_new(brood_segment **out, const brood_segment_kind *kind, size_t size,
                      size_t reserved)
{
    brood_segment *segment = BROOD_ALLOC(calloc(1, sizeof *segment));
    head *its;
    int rc;

    if (segment == NULL) {
        return brood_fail_nomem("shared memory");
    }
    segment->section = BROOD_OS_SECTION_NONE;
    rc = size < SIZE_MAX / 2 ? 0 : brood_fail_nomem("shared memory");
    if (rc == 0) {
        size = (size + PAGE - 1) / PAGE * PAGE;
        reserved = (reserved + PAGE - 1) / PAGE * PAGE;
        rc = brood_os_section_create_sparse(&segment->section, HEAD_SIZE + size,
                                            HEAD_SIZE + (reserved < size ? reserved : size));
    }
    if (rc) {
        free(segment);
        return rc;
    }
    its = head_of(segment);
    its->version = VERSION;
    its->kind = kind->number;
    its->size = segment->section.size;
    its->offset = HEAD_SIZE;
    its->pid_space = brood_os_pid_space();
    randombytes_buf(its->id, sizeof its->id);
    its->magic = MAGIC;
    rc = finish(segment, kind, true);
    if (rc) {
        brood_os_section_close(&segment->section);
        free(segment);
        return rc;
    }
    brood_locks_take(BROOD_LOCK_SEGMENTS);
    list(segment);
    brood_locks_give(BROOD_LOCK_SEGMENTS);
    *out = segment;
    return 0;
}

/* What a stranger's memory says of itself has to fit. */
static int check(const brood_segment *segment, const brood_segment_kind *kind,
                 const unsigned char id[BROOD_SEGMENT_ID])
{
    const head *its = head_of(segment);

    if (segment->section.size < HEAD_SIZE || its->magic != MAGIC || its->version != VERSION ||
        its->kind != kind->number || its->offset != HEAD_SIZE ||
        its->size > segment->section.size || memcmp(its->id, id, BROOD_SEGMENT_ID) != 0) {
        return brood_fail(BROOD_EDECODE, "the shared memory that came is not that of a %s",
                          kind->name);
    }
    if (its->pid_space != brood_os_pid_space()) {
        return brood_fail(BROOD_ENOTSUP,
                          "the shared memory of a %s is from another pid namespace, where process "
                          "numbers mean something else",
                          kind->name);
    }
    return 0;
}

static int attach_new(brood_segment **out, const brood_segment_kind *kind,
                      const unsigned char id[BROOD_SEGMENT_ID], brood_os_handle *handle)
{
    brood_segment *segment;
    int rc;

    if (*handle == BROOD_NO_HANDLE) {
        return brood_fail(BROOD_EHANDLE, "the shared memory of a %s did not come along",
                          kind->name);
    }
    segment = BROOD_ALLOC(calloc(1, sizeof *segment));
    if (segment == NULL) {
        return brood_fail_nomem("shared memory");
    }
    rc = brood_os_section_open(&segment->section, *handle);
    if (rc) {
        free(segment);
        return rc;
    }
    rc = check(segment, kind, id);
    if (rc == 0) {
        rc = finish(segment, kind, false);
    }
    if (rc) {
        segment->section.handle = BROOD_NO_HANDLE; /* the caller's still */
        brood_os_section_close(&segment->section);
        free(segment);
        return rc;
    }
    *handle = BROOD_NO_HANDLE;
    list(segment);
    *out = segment;
    return 0;
}

/* A child that was forked by us has our memory, but may have lost the handles. */
static void renew_handle(brood_segment *segment, brood_os_handle *handle)
{
    if (brood_fork_lost(segment->handle_since) && *handle != BROOD_NO_HANDLE) {
        segment->section.handle = *handle;
        segment->handle_since = brood_generation();
        *handle = BROOD_NO_HANDLE;
    }
}

int brood_segment_attach(brood_segment **out, const brood_segment_kind *kind,
                         const unsigned char id[BROOD_SEGMENT_ID], brood_os_handle *handle)
{
    brood_segment *segment;
    int rc = 0;

    brood_locks_take(BROOD_LOCK_SEGMENTS);
    segment = find(id);
    if (segment == NULL) {
        rc = attach_new(&segment, kind, id, handle);
    } else if (segment->kind != kind) {
        rc = brood_fail(BROOD_EDECODE, "the shared memory that came is not that of a %s",
                        kind->name);
    } else {
        segment->refs++;
        renew_handle(segment, handle);
    }
    brood_locks_give(BROOD_LOCK_SEGMENTS);
    if (rc == 0) {
        *out = segment;
    }
    return rc;
}

void brood_segment_ref(brood_segment *segment)
{
    brood_locks_take(BROOD_LOCK_SEGMENTS);
    segment->refs++;
    brood_locks_give(BROOD_LOCK_SEGMENTS);
}

static void unlist(const brood_segment *segment)
{
    brood_segment **link = &segments;

    while (*link != segment) {
        link = &(*link)->next;
    }
    *link = segment->next;
}

/* With the lock held; `segment` is nobody's any more. */
static void retire(brood_segment *segment)
{
    leave(segment);
    unlist(segment);
}

static void destroy(brood_segment *segment)
{
    if (brood_fork_lost(segment->handle_since)) {
        segment->section.handle = BROOD_NO_HANDLE; /* whatever has that number now is not ours */
    }
    if (segment->free_user != NULL) {
        segment->free_user(segment->user);
    }
    brood_os_bells_close(segment->bells);
    brood_os_section_close(&segment->section);
    free(segment);
}

void brood_segment_free(brood_segment *segment)
{
    bool last;

    if (segment == NULL) {
        return;
    }
    brood_locks_take(BROOD_LOCK_SEGMENTS);
    last = --segment->refs == 0;
    if (last) {
        give_up(segment);
        last = !is_watched_by_another(segment);
    }
    if (last) {
        retire(segment);
    }
    brood_locks_give(BROOD_LOCK_SEGMENTS);
    if (last) {
        destroy(segment);
    }
}

int brood_segment_handle(brood_os_handle *out, const brood_segment *segment)
{
    if (brood_fork_lost(segment->handle_since)) {
        return brood_fail(BROOD_EHANDLE,
                          "a forked child cannot send on the %s of its parent that "
                          "was not sent to it",
                          segment->kind->name);
    }
    *out = segment->section.handle;
    return 0;
}

int brood_segment_reserve(const brood_segment *segment, size_t offset, size_t size)
{
    const size_t first = (HEAD_SIZE + offset) / PAGE * PAGE;
    const size_t end = (HEAD_SIZE + offset + size + PAGE - 1) / PAGE * PAGE;

    if (brood_fork_lost(segment->handle_since)) { /* what has that number now is not ours */
        return brood_fail(
            BROOD_EHANDLE,
            "a forked child cannot make the %s of its parent larger that was not sent "
            "to it",
            segment->kind->name);
    }
    return brood_os_section_reserve(&segment->section, first, end - first);
}

void brood_segment_discard(const brood_segment *segment, size_t offset, size_t size)
{
    const size_t first = (HEAD_SIZE + offset + PAGE - 1) / PAGE * PAGE;
    const size_t end = (HEAD_SIZE + offset + size) / PAGE * PAGE;

    if (end > first && !brood_fork_lost(segment->handle_since)) {
        brood_os_section_discard(&segment->section, first, end - first);
    }
}

/* ---- sleep and wake ---- */

static int64_t within_slice(int64_t deadline_ns, int64_t slice_ns)
{
    const int64_t latest = brood_os_now() + slice_ns;

    return deadline_ns < latest ? deadline_ns : latest;
}

/* Where words cannot be waited for: at a place, by a bell. */
static void park(brood_segment *segment, brood_word *word, uint32_t value,
                 const brood_os_peer *peer, int64_t deadline_ns)
{
    brood_parking *parking = &head_of(segment)->parking;
    const uint64_t offset = (uint64_t)((const char *)word - (const char *)segment->section.data);
    const uint32_t owner = brood_word_load_relaxed(&segment->identity);
    const uint32_t place = owner != 0 ? brood_parking_take(parking, owner, offset) : BROOD_OS_BELLS;

    if (place == BROOD_OS_BELLS) {
        brood_os_sleep(within_slice(deadline_ns, BUSY_SLICE_NS));
        return;
    }
    if (brood_word_load(word) == value) {
        brood_os_bell_wait(segment->bells, place, peer, deadline_ns);
    }
    /* A bell that rings for nobody would only end the next sleep here for no reason. */
    (void)brood_parking_leave(parking, place);
}

void brood_segment_sleep(brood_segment *segment, brood_word *word, uint32_t value, uint32_t number,
                         int64_t deadline_ns)
{
    row *its = row_of(segment, number);
    const brood_os_peer peer = {brood_word64_load(&its->stamp), its->witness};
    const brood_os_peer *watched = number != 0 && peer.stamp != 0 ? &peer : NULL;

    deadline_ns = within_slice(deadline_ns, BROOD_SLICE(BROOD_SLICE_NS));
    if (brood_os_word_waits()) {
        brood_os_word_wait(word, value, watched, deadline_ns);
    } else {
        park(segment, word, value, watched, deadline_ns);
    }
}

void brood_segment_wake(brood_segment *segment, brood_word *word, uint32_t count)
{
    if (brood_os_word_waits()) {
        brood_os_word_wake(word, count);
    } else {
        const char *first = segment->section.data;
        const uint64_t offset = (uint64_t)((const char *)word - first);
        for (uint32_t at = 0;
             count > 0 && brood_parking_pick(&head_of(segment)->parking, offset, &at); count--) {
            brood_os_bell_ring(segment->bells, at++);
        }
    }
}

uint32_t brood_spin_count(void)
{
    static brood_word known; /* 1 + the count */
    uint32_t count = brood_word_load_relaxed(&known);

    if (count == 0) {
        count = brood_os_cpu_count() == 1 ? 1 : 1 + 200;
        brood_word_store(&known, count);
    }
    return count - 1;
}

/* ---- this process ---- */

void brood_segments_forget(void)
{
    for (brood_segment *one = segments; one != NULL; one = one->next) {
        brood_word_store(&one->identity, 0);
    }
    brood_thread_numbers_forget();
}

/* The next one whose witness is this thread's, without it. What was kept only for that is retired,
 * and `*kept` tells so. */
static brood_segment *end_witness(uint32_t thread, bool *kept)
{
    brood_segment *one = segments;

    while (one != NULL && (one->witness_thread != thread || !takes_part(one))) {
        one = one->next;
    }
    *kept = one != NULL && one->refs == 0;
    if (*kept) {
        retire(one);
    } else if (one != NULL) {
        brood_os_witness_end(row_of(one, one->number)->witness);
        one->witness_thread = 0;
        brood_word_store(&one->identity, 0); /* the next thread that takes part becomes it */
    }
    return one;
}

void brood_segments_thread_ended(uint32_t thread)
{
    brood_segment *one;
    bool kept;

    do {
        brood_locks_take(BROOD_LOCK_SEGMENTS);
        one = end_witness(thread, &kept);
        brood_locks_give(BROOD_LOCK_SEGMENTS);
        if (kept) {
            destroy(one);
        }
    } while (one != NULL);
}

/* A worker of a pool: its process's side. */
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "codec.h"
#include "fault.h"
#include "function.h"
#include "pool_object.h"
#include "unparcel.h"

/* Looks at a word before it sleeps: the next task often comes within microseconds. */
#define SPINS_PER_LOOK 4u

typedef struct known_function {
    brood_function function; /* NULL: it is not here, and why */
    brood_kept_failure *failure;
} known_function;

typedef struct worker {
    brood_segment *first;   /* with the board and the yard */
    brood_segment *segment; /* with the lane */
    brood_board *board;
    brood_lane *lane;
    uint32_t entries; /* of the lane */
    uint32_t bytes;
    unsigned char *results;
    uint32_t number;
    uint64_t written; /* bytes of results, those that are not shown yet too */
    known_function *functions;
    uint32_t function_count;
    uint64_t wanted; /* bytes, while it waits for room */
} worker;

/* Nothing in a lane belongs to a participant. */
static void sweep(brood_segment *segment, uint32_t identity)
{
    (void)segment;
    (void)identity;
}

const brood_segment_kind brood_pool_segment_kind = {3, "pool", sweep, NULL};

/* ---- the begin ---- */

static int attach_one(brood_segment **out, brood_value id, brood_value handle)
{
    const brood_view view = brood_as_view(id);
    brood_handle copy = BROOD_NO_HANDLE;
    int rc;

    if (view.size != BROOD_SEGMENT_ID) {
        return brood_fail(BROOD_EDECODE, "a worker's arguments are not those of a worker");
    }
    rc = brood_handle_duplicate(&copy, brood_as_handle(handle));
    if (rc == 0) {
        rc = brood_segment_attach(out, &brood_pool_segment_kind, view.data, &copy);
    }
    brood_handle_close(copy);
    return rc;
}

static int attach(worker *w, const brood_call *call)
{
    const uint64_t offset = brood_as_uint(brood_call_arg(call, 4), UINT64_MAX);
    uint32_t me;
    int rc = attach_one(&w->first, brood_call_arg(call, 0), brood_call_arg(call, 1));

    if (rc == 0) {
        rc = attach_one(&w->segment, brood_call_arg(call, 2), brood_call_arg(call, 3));
    }
    if (rc == 0) {
        rc = brood_segment_me(w->segment, &me); /* to sleep there */
    }
    if (rc == 0 && (offset > w->segment->size || w->segment->size - offset < sizeof(brood_lane))) {
        rc = brood_fail(BROOD_EDECODE, "a worker's lane is not in its memory");
    }
    if (rc) {
        return rc;
    }
    w->board = w->first->data;
    w->lane = (brood_lane *)((char *)w->segment->data + offset);
    w->entries = w->lane->entries;
    w->bytes = w->lane->bytes;
    w->results = brood_lane_results(w->lane, w->entries, w->bytes);
    w->number = (uint32_t)brood_as_uint(brood_call_arg(call, 5), 0);
    return 0;
}

static void tell(worker *w, bool much)
{
    brood_board_tell(w->first, w->board, w->number, much);
}

/* False if it failed; the pool knows then. */
static bool initialize(worker *w, const brood_call *call)
{
    const brood_value initializer = brood_call_arg(call, 6);
    const brood_value args = brood_call_arg(call, 7);
    brood_call its;
    int rc;

    if (initializer.kind != BROOD_FUNCTION) {
        return true;
    }
    brood_word_store(&w->lane->phase, BROOD_LANE_INITIALIZING);
    brood_call_init(&its, brood_value_at(args, 0), brood_value_at(args, 1));
    rc = initializer.as.function(&its);
    w->lane->code = brood_call_end(&its, rc, w->lane->words);
    brood_call_fini(&its);
    return rc == 0;
}

/* ---- results ---- */

static bool has_room(void *user)
{
    const worker *w = user;

    return w->written - brood_word64_load(&w->lane->read) + w->wanted <= w->bytes;
}

static bool has_block(void *user)
{
    const worker *w = user;

    return brood_word64_load(&w->lane->block_size) >= w->wanted;
}

static void wait_for_room(worker *w, uint64_t wanted, bool (*is)(void *user))
{
    w->wanted = wanted;
    while (!is(w)) {
        tell(w, true);
        brood_lane_sleep(w->segment, w->lane, BROOD_LANE_FOR_ROOM, is, w);
    }
}

static unsigned char *place_record(worker *w, uint32_t room)
{
    uint32_t at = (uint32_t)(w->written & (w->bytes - 1));
    const uint32_t left = w->bytes - at;

    if (room > left) {
        const brood_lane_head skip = {left | BROOD_RECORD_SKIP, 0, 0, 0};
        wait_for_room(w, left, has_room);
        memcpy(w->results + at, &skip, sizeof skip);
        w->written += left;
        at = 0;
    }
    wait_for_room(w, room, has_room);
    return w->results + at;
}

/* A block that the pool has granted, NULL if there is none to be had. */
static void *large_room(worker *w, uint64_t size)
{
    brood_lane *lane = w->lane;
    uint64_t place;

    if (brood_word64_load(&lane->block_size) < size) {
        brood_word64_store(&lane->needed, size);
        wait_for_room(w, size, has_block);
    }
    place = brood_word64_load(&lane->block);
    if (brood_word64_load(&lane->block_size) == BROOD_LANE_REFUSED || place > w->first->size ||
        size > w->first->size - place) {
        brood_word64_store(&lane->block_size, 0);
        return NULL;
    }
    brood_word64_store(&lane->block_size, 0);
    return (char *)w->first->data + place;
}

/* Where a large result goes; one for which there is no room becomes a failure in words. */
static void put_into_block(worker *w, brood_lane_record *record, const void **data)
{
    static const char words[] = "there is no shared memory for the result";
    void *block = large_room(w, record->size);

    if (block != NULL) {
        memcpy(block, *data, (size_t)record->size);
        record->flags = BROOD_RECORD_BLOCK;
    } else {
        record->code = BROOD_ENOMEM;
        record->size = sizeof words - 1;
        *data = words;
    }
}

static void leave_record(worker *w, brood_lane_record *record, const void *data)
{
    const brood_lane_tail tail = {record->size, record->began_ns, record->ended_ns, 0};
    const bool block = (record->flags & BROOD_RECORD_BLOCK) != 0;
    const uint32_t inside = block ? 0 : (uint32_t)record->size;
    const bool large = block || record->began_ns != 0;
    brood_lane_head head = {0, record->entry, record->code, inside};
    unsigned char *to;

    record->room = (uint32_t)(sizeof head + (large ? sizeof tail : 0)) + (inside + 15) / 16 * 16;
    head.room = record->room | record->flags | (large ? BROOD_RECORD_LONG : 0);
    to = place_record(w, record->room);
    memcpy(to, &head, sizeof head);
    to += sizeof head;
    if (large) {
        memcpy(to, &tail, sizeof tail);
        to += sizeof tail;
    }
    if (inside > 0) {
        memcpy(to, data, inside);
    }
    w->written += record->room;
    BROOD_STOP("pool-reporting");
    brood_word64_store(&w->lane->written, w->written);
}

/* Whether it is time for the pool to give more, or to take results away. */
static bool is_much(const worker *w)
{
    const uint64_t span = brood_word64_load_relaxed(&w->lane->span);
    const uint32_t left = brood_span_end(span) - brood_span_begin(span);

    return left <= brood_word_load_relaxed(&w->lane->low) ||
           w->written - brood_word64_load_relaxed(&w->lane->read) >= w->bytes / 2;
}

static void report(worker *w, const brood_call *call, int rc, brood_lane_record *record)
{
    char words[BROOD_WORDS_SIZE];
    const void *data = call->result.data;

    record->code = rc;
    record->size = call->result.size;
    if (rc != 0) {
        record->code = brood_call_end(call, rc, words);
        record->size = strlen(words);
        data = words;
    } else if (record->size > BROOD_LANE_SMALL) {
        put_into_block(w, record, &data);
    }
    leave_record(w, record, data);
    tell(w, is_much(w));
}

/* ---- tasks ---- */

static int define(worker *w, uint32_t number, const void *data, size_t size)
{
    known_function *functions;
    brood_unparcel unparcel;
    brood_loader loader;
    brood_arena arena = BROOD_ARENA_NONE;
    brood_value value = brood_none();
    int rc;

    functions = BROOD_ALLOC(realloc(w->functions, (number + 1) * sizeof *functions));
    if (functions == NULL) {
        return brood_fail_nomem("a function of the pool");
    }
    w->functions = functions;
    w->function_count = number + 1;
    brood_unparcel_init(&unparcel, NULL, 0);
    unparcel.may_load = true; /* the pool says what we run */
    loader = brood_unparcel_loader(&unparcel);
    rc = brood_codec_decode(data, size, &loader, &arena, &value);
    functions[number].function = rc == 0 && value.kind == BROOD_FUNCTION ? value.as.function : NULL;
    functions[number].failure = rc ? brood_failure_keep(brood_last_error()) : NULL;
    brood_arena_release(&arena);
    brood_unparcel_close(&unparcel);
    return 0;
}

static int find_function(const worker *w, uint32_t number, brood_function *out)
{
    const known_function *known = number < w->function_count ? &w->functions[number] : NULL;

    if (known != NULL && known->function != NULL) {
        *out = known->function;
        return 0;
    }
    return known != NULL && known->failure != NULL
               ? brood_fail_as(&known->failure->failure)
               : brood_fail(BROOD_EMODULE, "the task's function is not known to the worker");
}

static void *arguments_of(const worker *w, const brood_lane_entry *entry)
{
    if ((entry->flags & BROOD_ENTRY_BLOCK) != 0) {
        return (char *)w->first->data + entry->place;
    }
    return brood_lane_tasks(w->lane, w->entries) + entry->place;
}

static int prepare(brood_call *call, const brood_lane_entry *entry, const brood_value *value)
{
    switch (entry->flags & (BROOD_ENTRY_CALL | BROOD_ENTRY_STAR)) {
    case BROOD_ENTRY_CALL:
        brood_call_init(call, brood_value_at(*value, 0), brood_value_at(*value, 1));
        return 0;
    case BROOD_ENTRY_STAR:
        if (value->kind != BROOD_LIST_KIND && value->kind != BROOD_TUPLE_KIND) {
            brood_call_init(call, brood_none(), brood_none());
            return brood_fail(BROOD_ETYPE, "an input of starmap is no list or tuple of arguments");
        }
        brood_call_init(call, *value, brood_none());
        return 0;
    default:
        brood_call_init(call, brood_tuple(value, 1), brood_none());
        return 0;
    }
}

static bool is_asked(const brood_call *call)
{
    const brood_lane *lane = call->lane;

    return brood_word64_load_relaxed(&lane->asked) == brood_lane_ticket(call->entry);
}

static void run(worker *w, uint32_t number, const brood_lane_entry *entry)
{
    brood_lane_record record = {0, 0, number, 0, 0, 0, 0};
    brood_arena arena = BROOD_ARENA_NONE;
    brood_value value = brood_none();
    brood_function function = NULL;
    brood_unparcel unparcel;
    brood_loader loader;
    brood_call call;
    int rc;

    if ((entry->flags & BROOD_ENTRY_TIMED) != 0) {
        record.began_ns = brood_os_now();
        brood_word64_store(&w->lane->began_ns, (uint64_t)record.began_ns);
        brood_word_store(&w->lane->began_entry, number + 1);
    }
    brood_unparcel_init(&unparcel, NULL, 0);
    unparcel.may_load = true;
    loader = brood_unparcel_loader(&unparcel);
    rc = brood_codec_decode_in_place(arguments_of(w, entry), (size_t)entry->size, &loader, &arena,
                                     &value);
    if (rc == 0) {
        rc = prepare(&call, entry, &value);
    } else {
        brood_call_init(&call, brood_none(), brood_none());
    }
    call.asked = is_asked;
    call.lane = w->lane;
    call.entry = number;
    if (rc == 0) {
        rc = find_function(w, entry->function, &function);
    }
    if (rc == 0) {
        BROOD_STOP("pool-task");
        rc = function(&call);
    }
    if ((entry->flags & BROOD_ENTRY_TIMED) != 0) {
        record.ended_ns = brood_os_now();
    }
    report(w, &call, rc, &record);
    brood_call_fini(&call);
    brood_arena_release(&arena);
    brood_unparcel_close(&unparcel);
}

/* ---- the life ---- */

static bool has_task(void *user)
{
    const worker *w = user;
    const uint64_t span = brood_word64_load(&w->lane->span);

    return brood_span_begin(span) != brood_span_end(span) || brood_word_load(&w->lane->leave) != 0;
}

static void wait_for_task(worker *w)
{
    const uint32_t spins = brood_spin_count() * SPINS_PER_LOOK;

    for (uint32_t i = 0; i < spins; i++) {
        if (has_task(w)) {
            return;
        }
        brood_os_relax();
    }
    if (brood_word_load(&w->board->waiting) != BROOD_BOARD_AWAKE) {
        tell(w, true); /* there may be results that were not worth waking anybody */
    }
    brood_lane_sleep(w->segment, w->lane, BROOD_LANE_FOR_TASKS, has_task, w);
}

static void work(worker *w)
{
    uint32_t number;

    for (;;) {
        if (brood_lane_claim(w->lane, &number)) {
            const brood_lane_entry *entry = brood_lane_entry_of(w->lane, w->entries, number);
            if ((entry->flags & BROOD_ENTRY_DEFINE) != 0) {
                (void)define(w, entry->function, arguments_of(w, entry), (size_t)entry->size);
            } else {
                run(w, number, entry);
            }
        } else if (brood_word_load(&w->lane->leave) != 0) {
            return;
        } else {
            wait_for_task(w);
        }
    }
}

int brood_pool_work(brood_call *call)
{
    worker w;
    int rc;

    memset(&w, 0, sizeof w);
    brood_os_ignore_interrupts();
    rc = attach(&w, call);
    if (rc == 0) {
        const bool well = initialize(&w, call);
        BROOD_STOP("pool-initialized");
        brood_word_store(&w.lane->phase, well ? BROOD_LANE_READY : BROOD_LANE_FAILED);
        tell(&w, true);
        if (well) {
            work(&w);
        }
    }
    for (uint32_t i = 0; i < w.function_count; i++) {
        free(w.functions[i].failure);
    }
    free(w.functions);
    brood_segment_free(w.segment);
    brood_segment_free(w.first);
    return rc;
}

/* Goes through all states that can be reached, depth first, each once: a state is the bytes of
 * everything that changes (world.c). */
#include <stdio.h>
#include <stdlib.h>

#include "world.h"

#define MOVES_MAX 32

typedef struct frame {
    explore_move moves[MOVES_MAX];
    size_t count, next;
    explore_saved saved;
    size_t size_before; /* of what is kept */
    size_t slot;
    explore_event event; /* that led on from here */
} frame;

static frame *frames;
static size_t depth;
static size_t frame_room;

/* ---- the states that were seen ---- */

static struct {
    explore_hash *slots; /* both 0: free; the lowest bit of b: it is on the way to here */
    size_t room;
    size_t count;
} seen;

static void *need(void *data)
{
    if (data == NULL) {
        (void)fprintf(stderr, "explore: out of memory\n");
        exit(2);
    }
    return data;
}

static size_t slot_of(explore_hash hash)
{
    size_t at = (size_t)(hash.a ^ hash.b >> 7) & (seen.room - 1);

    while ((seen.slots[at].a | seen.slots[at].b) != 0 &&
           (seen.slots[at].a != hash.a || (seen.slots[at].b | 1) != (hash.b | 1))) {
        at = (at + 1) & (seen.room - 1);
    }
    return at;
}

static void grow(void)
{
    const size_t old_room = seen.room;
    explore_hash *old = seen.slots;

    seen.room = old_room == 0 ? (size_t)1 << 16 : old_room * 2;
    seen.slots = need(calloc(seen.room, sizeof *seen.slots));
    for (size_t i = 0; i < old_room; i++) {
        if ((old[i].a | old[i].b) != 0) {
            seen.slots[slot_of(old[i])] = old[i];
        }
    }
    free(old);
    for (size_t i = 0; i < depth; i++) { /* they have moved */
        frames[i].slot = slot_of(explore_hash_all(&frames[i].saved));
    }
}

/* ---- what can happen next ---- */

static unsigned sleepers_of(uint32_t kind, const explore_op *op, uint32_t sleepers[EXPLORE_THREADS])
{
    unsigned count = 0;

    for (unsigned t = 0; t < explore_set.thread_count; t++) {
        const explore_thread_state *thread = &explore_now.threads[t];
        if (thread->alive && thread->op.kind == kind && !thread->woken &&
            (kind == EXPLORE_ASLEEP ? thread->op.address == op->address : thread->op.a == op->a)) {
            sleepers[count++] = t;
        }
    }
    return count;
}

static unsigned ways_to_wake(unsigned sleepers, uint64_t wanted)
{
    unsigned ways = 1;

    for (unsigned i = 0; wanted < sleepers && i < wanted; i++) {
        ways = ways * (sleepers - i) / (i + 1);
    }
    return ways;
}

static bool mutex_is_free(const volatile void *address)
{
    for (size_t i = 0; i < sizeof explore_now.mutexes / sizeof explore_now.mutexes[0]; i++) {
        if (explore_now.mutexes[i].address == address) {
            return false;
        }
    }
    return true;
}

/* In how many ways the thread can go on by itself; 0: it waits. */
static unsigned ways_of(const explore_thread_state *thread)
{
    uint32_t sleepers[EXPLORE_THREADS];

    switch ((explore_kind)thread->op.kind) {
    case EXPLORE_MUTEX:
        return mutex_is_free(thread->op.address);
    case EXPLORE_ASLEEP:
        return thread->woken ? 1 + (thread->has_deadline && !thread->late) : 0;
    case EXPLORE_ASLEEP_BELL:
        return thread->woken ||
                       (!explore_set.scenario->events && explore_now.bells[thread->op.a] > 0)
                   ? 1 + (thread->has_deadline && !thread->late)
                   : 0;
    case EXPLORE_WAKE:
        return ways_to_wake(sleepers_of(EXPLORE_ASLEEP, &thread->op, sleepers), thread->op.a);
    case EXPLORE_RING:
        if (explore_set.scenario->events) {
            return ways_to_wake(sleepers_of(EXPLORE_ASLEEP_BELL, &thread->op, sleepers), 1);
        }
        return 1;
    case EXPLORE_AWAIT:
        return explore_now.signals >> thread->op.a & 1;
    case EXPLORE_FLAG:
        return explore_now.flag;
    case EXPLORE_NAP:
    case EXPLORE_DONE:
        return 0;
    default:
        return 1;
    }
}

static bool is_asleep(const explore_thread_state *thread)
{
    return thread->op.kind == EXPLORE_ASLEEP || thread->op.kind == EXPLORE_ASLEEP_BELL ||
           thread->op.kind == EXPLORE_NAP || thread->op.kind == EXPLORE_FLAG;
}

static void add(frame *to, explore_move_kind kind, unsigned who, unsigned way, bool forced)
{
    if (to->count == MOVES_MAX) {
        (void)fprintf(stderr, "explore: too many moves\n");
        exit(2);
    }
    to->moves[to->count++] =
        (explore_move){(uint8_t)kind, (uint8_t)who, (uint8_t)way, (uint8_t)forced};
}

static void add_steps(frame *to)
{
    for (unsigned t = 0; t < explore_set.thread_count; t++) {
        if (explore_now.threads[t].alive && explore_now.threads[t].op.kind == EXPLORE_BEGIN) {
            add(to, EXPLORE_STEP, t, 0, false); /* nobody can see it: let it be the first */
            return;
        }
    }
    for (unsigned t = 0; t < explore_set.thread_count; t++) {
        const explore_thread_state *thread = &explore_now.threads[t];
        const unsigned ways = thread->alive ? ways_of(thread) : 0;
        for (unsigned way = 0; way < ways; way++) {
            add(to, EXPLORE_STEP, t, way, false);
        }
    }
}

static bool is_excused(void)
{
    const size_t index = (size_t)(explore_set.scenario - explore_set.images[0].scenarios);

    for (unsigned p = 0; p < EXPLORE_PROCESSES; p++) {
        const explore_scenario *its = &explore_set.images[p].scenarios[index];
        if (explore_now.processes[p].alive && explore_now.crashes > 0 && its->excused != NULL) {
            return its->excused();
        }
    }
    return false;
}

static void add_timeout(frame *to, unsigned t, bool forced)
{
    const explore_thread_state *thread = &explore_now.threads[t];

    add(to, EXPLORE_TIMEOUT, t, 0, forced);
    if (thread->has_deadline && !thread->late) {
        add(to, EXPLORE_TIMEOUT, t, 1, forced);
    }
}

static bool may_sleep_on(const explore_thread_state *thread)
{
    return thread->alive && is_asleep(thread) && !thread->woken;
}

/* Slices that end at any time: a few. */
static void add_timeouts(frame *to)
{
    for (unsigned t = 0; t < explore_set.thread_count; t++) {
        if (may_sleep_on(&explore_now.threads[t]) && explore_now.threads[t].slices > 0) {
            add_timeout(to, t, false);
        }
    }
}

/* Nothing else can happen any more: slices have to end. A wake-up was lost, which only a crash
 * excuses, and once for each thread. */
static void add_forced_timeouts(frame *to)
{
    const unsigned patience =
        explore_set.scenario->patience != 0 ? explore_set.scenario->patience : 1;
    const unsigned most = explore_now.crashes * patience;
    unsigned sleeps = EXPLORE_NONE;

    for (unsigned t = 0; t < explore_set.thread_count; t++) {
        const explore_thread_state *thread = &explore_now.threads[t];
        if (!may_sleep_on(thread)) {
            continue;
        }
        if (thread->op.kind == EXPLORE_NAP || thread->forced < most) {
            add_timeout(to, t, true);
        } else {
            sleeps = t;
        }
    }
    if (to->count == 0 && sleeps != EXPLORE_NONE && !is_excused()) {
        explore_object("thread %u sleeps and nobody will wake it, after %u crashes and %u slices",
                       sleeps, explore_now.crashes, explore_now.threads[sleeps].forced);
    }
}

static bool is_over(unsigned process)
{
    for (unsigned t = 0; t < explore_set.thread_count; t++) {
        if (explore_now.threads[t].process == process &&
            explore_now.threads[t].op.kind != EXPLORE_DONE) {
            return false;
        }
    }
    return true;
}

static void add_crashes(frame *to)
{
    const explore_scenario *scenario = explore_set.scenario;

    for (unsigned p = 0; p < EXPLORE_PROCESSES; p++) {
        if (explore_set.threads_of[p] == 0) {
            continue;
        }
        if (explore_now.processes[p].alive) {
            if (explore_now.crashes_left > 0 && !is_over(p) &&
                (scenario->crash_mask == 0 || (scenario->crash_mask >> p & 1) != 0)) {
                add(to, EXPLORE_CRASH, p, 0, false);
            }
        } else if (explore_now.restarts_left > 0 && (scenario->restart_mask >> p & 1) != 0) {
            add(to, EXPLORE_RESTART, p, 0, false);
        }
    }
}

static void list_moves(frame *to)
{
    to->count = 0;
    to->next = 0;
    add_steps(to);
    if (to->count > 0) {
        add_timeouts(to);
    } else {
        add_forced_timeouts(to);
    }
    if (to->count == 0) {
        explore_check_end();
    }
    add_crashes(to);
}

/* ---- moves ---- */

/* The sleepers are chosen as the bits of the way's number say, counted through. */
static void wake(const explore_op *op, uint32_t kind, uint64_t wanted, unsigned way)
{
    uint32_t sleepers[EXPLORE_THREADS];
    const unsigned count = sleepers_of(kind, op, sleepers);
    const unsigned chosen = wanted < count ? (unsigned)wanted : count;
    unsigned number = 0;

    for (unsigned set = 0; set < 1U << count; set++) {
        unsigned bits = 0;
        for (unsigned i = 0; i < count; i++) {
            bits += set >> i & 1;
        }
        if (bits != chosen || number++ != way) {
            continue;
        }
        for (unsigned i = 0; i < count; i++) {
            explore_now.threads[sleepers[i]].woken |= set >> i & 1;
        }
    }
}

static void ring(const explore_op *op, unsigned way)
{
    uint32_t sleepers[EXPLORE_THREADS];

    if (!explore_set.scenario->events) {
        explore_now.bells[op->a]++;
    } else if (sleepers_of(EXPLORE_ASLEEP_BELL, op, sleepers) > 0) {
        wake(op, EXPLORE_ASLEEP_BELL, 1, way);
    } else {
        explore_now.bells[op->a] = 1;
    }
}

static void step(explore_move move)
{
    explore_thread_state *thread = &explore_now.threads[move.who];
    const explore_op op = thread->op;

    if (op.kind == EXPLORE_WAKE) {
        wake(&op, EXPLORE_ASLEEP, op.a, move.way);
    } else if (op.kind == EXPLORE_RING) {
        ring(&op, move.way);
    } else if (op.kind == EXPLORE_ASLEEP_BELL && !thread->woken) {
        explore_now.bells[op.a]--;
    }
    if (is_asleep(thread)) {
        thread->late |= move.way;
        explore_last.note = move.way > 0 ? ", too late" : NULL;
    }
    thread->woken = 0;
    explore_run_thread(move.who, move.way);
}

static void time_out(explore_move move)
{
    explore_thread_state *thread = &explore_now.threads[move.who];

    if (!move.forced) {
        thread->slices--;
    } else if (thread->op.kind != EXPLORE_NAP) {
        thread->forced++;
    }
    thread->timeouts++;
    thread->late |= move.way;
    explore_last.note = move.way > 0 ? ", too late" : NULL;
    explore_run_thread(move.who, move.way);
}

static void crash(unsigned process)
{
    explore_now.crashes_left--;
    explore_now.crashes++;
    explore_ghost_crash(process);
    explore_now.processes[process].alive = 0;
    explore_world_clear_process(process);
}

static void restart(unsigned process)
{
    explore_now.restarts_left--;
    explore_world_begin_process(&frames[0].saved, process);
    explore_now.processes[process].alive = 1;
    explore_now.processes[process].stamp += 1;
}

static void make(explore_move move)
{
    const bool is_thread = move.kind == EXPLORE_STEP || move.kind == EXPLORE_TIMEOUT;

    explore_last = (explore_event){move, {0, 0, NULL, 0, 0}, 0, 0, NULL};
    explore_world_touch(is_thread ? explore_now.threads[move.who].process : move.who);
    switch ((explore_move_kind)move.kind) {
    case EXPLORE_STEP:
        explore_last.op = explore_now.threads[move.who].op;
        step(move);
        break;
    case EXPLORE_TIMEOUT:
        explore_last.op = explore_now.threads[move.who].op;
        time_out(move);
        break;
    case EXPLORE_CRASH:
        crash(move.who);
        break;
    case EXPLORE_RESTART:
        restart(move.who);
        break;
    }
}

/* ---- all ---- */

void explore_history(void (*each)(const explore_event *event))
{
    for (size_t i = 0; i < depth; i++) {
        if (frames[i].next > 0) { /* the one on top may only have been entered */
            each(i + 1 == depth ? &explore_last : &frames[i].event);
        }
    }
}

/* The present state, unless it was seen before, on top of the way. */
static void enter(explore_figures *figures)
{
    frame *top;
    explore_hash hash;

    if (depth == frame_room) {
        frame_room = frame_room * 2 + 256;
        frames = need(realloc(frames, frame_room * sizeof *frames));
    }
    top = &frames[depth];
    top->size_before = explore_world_size();
    explore_world_save(&top->saved, depth > 0 ? &frames[depth - 1].saved : NULL);
    if (seen.count * 2 >= seen.room) {
        grow();
    }
    hash = explore_hash_all(&top->saved);
    top->slot = slot_of(hash);
    if ((seen.slots[top->slot].a | seen.slots[top->slot].b) != 0) {
        if ((seen.slots[top->slot].b & 1) != 0) {
            explore_object("this can go on for ever: it was like that before");
        }
        explore_world_forget(top->size_before);
        return;
    }
    seen.slots[top->slot] = (explore_hash){hash.a, hash.b | 1};
    seen.count++;
    depth++;
    figures->states++;
    figures->depth = depth > figures->depth ? depth : figures->depth;
    figures->bytes = explore_world_size() > figures->bytes ? explore_world_size() : figures->bytes;
    explore_check_state();
    list_moves(top);
    figures->ends += top->count == 0;
}

static void leave(void)
{
    const frame *top = &frames[--depth];

    seen.slots[top->slot].b &= ~UINT64_C(1);
    explore_world_forget(top->size_before);
}

void explore_all(explore_figures *out)
{
    explore_figures figures = {0, 0, 0, 0, 0};

    enter(&figures);
    while (depth > 0) {
        frame *top = &frames[depth - 1];
        if (top->next == top->count) {
            leave();
            continue;
        }
        explore_world_load(&top->saved);
        make(top->moves[top->next++]);
        top->event = explore_last;
        figures.moves++;
        enter(&figures);
    }
    *out = figures;
}

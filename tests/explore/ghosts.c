/* What has to be true whoever moves: who holds which lock is kept beside the locks themselves. */
#include <string.h>

#include <brood/base.h>

#include "segment.h"
#include "world.h"

uint64_t *explore_board(void)
{
    return explore_now.board;
}

unsigned explore_process(void)
{
    return explore_running != EXPLORE_NONE ? explore_now.threads[explore_running].process
                                           : explore_set.set_up;
}

void explore_expect(bool holds, const char *what)
{
    if (!holds) {
        explore_object("%s", what);
    }
}

/* ---- locks ---- */

void explore_watch(unsigned lock, const volatile void *word)
{
    explore_set.locks[lock] = word;
}

static uint32_t word_of(unsigned lock)
{
    return *(const volatile uint32_t *)explore_set.locks[lock];
}

void explore_wants(unsigned lock)
{
    if (!explore_now.locks[lock].tainted) {
        explore_now.locks[lock].seen_by &= ~(1U << explore_running);
    }
}

void explore_got(unsigned lock, int rc, bool repair)
{
    explore_lock_state *state = &explore_now.locks[lock];

    if (rc != 0 && rc != BROOD_EOWNERDEAD) {
        return;
    }
    if (rc == BROOD_EOWNERDEAD && (state->seen_by >> explore_running & 1) == 0) {
        explore_object("EOWNERDEAD of lock %u, of whose owners none died", lock);
    }
    if (rc == BROOD_EOWNERDEAD && !repair) {
        return;
    }
    if (rc == BROOD_EOWNERDEAD && !state->tainted) {
        explore_object("lock %u is taken over, of whose owners none died", lock);
    }
    if (state->owner != 0) {
        explore_object("lock %u is taken while thread %u has it", lock, state->owner - 1);
    }
    if (rc == 0 && state->tainted) {
        explore_object("lock %u of a dead owner is taken as if nothing had happened", lock);
    }
    state->owner = 1 + explore_running;
    state->word = word_of(lock) & BROOD_OWNER;
    state->tainted = 0;
    explore_check_state();
}

void explore_abandon(unsigned lock)
{
    explore_now.locks[lock].owner = 0;
    explore_now.locks[lock].word = 0;
    explore_now.locks[lock].tainted = 1;
    explore_now.locks[lock].seen_by = UINT32_MAX;
}

/* Called with each write to shared memory, before anybody else can see it. */
void explore_check_write(const volatile void *word, uint64_t before, uint64_t after)
{
    for (unsigned i = 0; i < EXPLORE_LOCKS; i++) {
        explore_lock_state *state = &explore_now.locks[i];
        if (explore_set.locks[i] != word || state->owner == 0 ||
            (after & ~(uint64_t)BROOD_WAITERS) == (before & ~(uint64_t)BROOD_WAITERS)) {
            continue;
        }
        if (state->owner != 1 + explore_running) {
            explore_object("thread %u changes lock %u while thread %u has it", explore_running, i,
                           state->owner - 1);
        }
        if (after == 0) { /* given back */
            state->owner = 0;
            state->word = 0;
        }
    }
}

void explore_ghost_crash(unsigned process)
{
    for (unsigned i = 0; i < EXPLORE_LOCKS; i++) {
        const uint32_t owner = explore_now.locks[i].owner;
        if (owner != 0 && explore_now.threads[owner - 1].process == process) {
            explore_abandon(i);
        }
    }
    explore_now.processes[process].identity = 0;
    explore_now.processes[process].holds = 0;
    for (size_t i = 0; i < sizeof explore_now.mutexes / sizeof explore_now.mutexes[0]; i++) {
        const uint64_t owner = explore_now.mutexes[i].owner;
        if (owner != 0 && explore_now.threads[owner - 1].process == process) {
            explore_now.mutexes[i] = (explore_mutex_state){NULL, 0};
        }
    }
}

void explore_check_state(void)
{
    for (unsigned i = 0; i < EXPLORE_LOCKS && explore_set.locks[i] != NULL; i++) {
        const explore_lock_state *state = &explore_now.locks[i];
        const uint32_t word = word_of(i);
        if (state->owner != 0 && (word & ~BROOD_WAITERS) != state->word) {
            explore_object("lock %u is %08x, and not its living owner's %08x", i, word,
                           state->word);
        }
        if (state->owner == 0 && !state->tainted && word != 0) {
            explore_object("lock %u is %08x, and nobody has it", i, word);
        }
        if (state->tainted && (word & BROOD_OWNER) == 0) {
            explore_object("lock %u has forgotten that its owner died", i);
        }
    }
}

/* ---- rows ---- */

void explore_joined(uint32_t identity)
{
    const unsigned me = explore_process();

    for (unsigned p = 0; p < EXPLORE_PROCESSES; p++) {
        if (p != me && explore_now.processes[p].identity == identity) {
            explore_object("processes %u and %u are both called %08x", me, p, identity);
        }
    }
    explore_now.processes[me].identity = identity;
}

void explore_left(void)
{
    explore_now.processes[explore_process()].identity = 0;
}

void explore_hold(uint64_t what)
{
    explore_now.processes[explore_process()].holds = what;
}

uint64_t explore_held(unsigned process)
{
    return explore_now.processes[process].holds;
}

static uint32_t read32(const unsigned char *at)
{
    uint32_t x;

    memcpy(&x, at, sizeof x);
    return x;
}

static bool stamp_lives(uint64_t stamp)
{
    for (unsigned p = 0; p < EXPLORE_PROCESSES; p++) {
        if (explore_now.processes[p].stamp == stamp && explore_now.processes[p].alive) {
            return true;
        }
    }
    return false;
}

static bool owner_is_dead(uint32_t word)
{
    const explore_layout *layout = explore_set.images[0].layout;
    const uint32_t number = (word & BROOD_OWNER) >> BROOD_ROW_SHIFT;
    uint64_t stamp;

    memcpy(&stamp,
           explore_set.shared + layout->rows_offset + number * layout->row_size +
               layout->stamp_offset,
           sizeof stamp);
    return number != 0 && !stamp_lives(stamp);
}

bool explore_dead_in(const void *data, size_t size)
{
    const unsigned char *at = data;

    for (size_t i = 0; i + 4 <= size; i += 4) {
        const uint32_t word = read32(at + i);
        if ((i == 0 || (word & 7) == 1) && owner_is_dead(word)) {
            return true;
        }
    }
    return false;
}

/* A place whose owner lives, or will never be swept, is lost when nobody sleeps any more. */
static void check_places(void)
{
    const explore_layout *layout = explore_set.images[0].layout;
    const unsigned char *rows = explore_set.shared + layout->rows_offset;

    for (unsigned i = 0; i < explore_set.scenario->places; i++) {
        const uint32_t owner = read32(explore_set.shared + layout->places_offset +
                                      i * layout->place_size + layout->owner_offset);
        const unsigned char *row = rows + (owner >> BROOD_ROW_SHIFT) * layout->row_size;
        const uint32_t generation = read32(row + layout->generation_offset);
        uint64_t stamp;
        memcpy(&stamp, row + layout->stamp_offset, sizeof stamp);
        if (owner != 0 && stamp_lives(stamp)) {
            explore_object("place %u is nobody's, and taken: owner %08x", i, owner);
        }
        if (owner != 0 && (owner >> BROOD_ROW_GENERATION_SHIFT & BROOD_ROW_GENERATION_MASK) !=
                              (generation & BROOD_ROW_GENERATION_MASK)) {
            explore_object("place %u of a dead process will never be swept: owner %08x", i, owner);
        }
    }
}

/* Everybody who lives has ended. */
void explore_check_end(void)
{
    check_places();
    if (explore_set.scenario->check != NULL) {
        explore_set.scenario->check();
    }
}

/* ---- steps of scripts ---- */

void explore_signal(unsigned number)
{
    explore_step("signal");
    explore_now.signals |= 1U << number;
}

void explore_await_flag(void)
{
    (void)explore_yield(EXPLORE_FLAG, NULL, 0, 0, 0);
}

void explore_await(unsigned number)
{
    (void)explore_yield(EXPLORE_AWAIT, NULL, 0, number, 0);
}

void explore_step(const char *what)
{
    (void)explore_yield(EXPLORE_PLAIN, what, 0, 0, 0);
}

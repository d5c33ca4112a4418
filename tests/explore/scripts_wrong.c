/* Locks that are wrong, each in one way: what they are for is that the explorer objects. */
#include <string.h>

#include "parking.h"
#include "scripts.h"

static uint32_t it;

static void begin(void)
{
    explore_expect(brood_segment_me(script_segment(), &it) == 0, "no row");
    explore_wants(0);
}

static brood_word *word(void)
{
    return script_segment()->data;
}

/* Looks and takes in two steps. */
void wrong_exclusion(void)
{
    begin();
    if (brood_word_load(word()) != 0) {
        return;
    }
    brood_word_store(word(), it);
    explore_got(0, 0, false);
    brood_guard_unlock(script_segment(), word());
}

/* Wakes nobody. */
void wrong_wake(void)
{
    begin();
    explore_got(0, brood_guard_lock(script_segment(), word(), it, BROOD_DEADLINE_NEVER), false);
    (void)brood_word_exchange(word(), 0);
}

/* Forgets the others when it takes the lock after a sleep. */
void wrong_memory(void)
{
    begin();
    while (!brood_guard_try(word(), it)) {
        const uint32_t value = brood_word_load(word());
        if (value != 0 && ((value & BROOD_WAITERS) != 0 ||
                           brood_word_cas(word(), value, value | BROOD_WAITERS))) {
            brood_segment_sleep(script_segment(), word(), value | BROOD_WAITERS, 0,
                                BROOD_DEADLINE_NEVER);
        }
    }
    explore_got(0, 0, false);
    brood_guard_unlock(script_segment(), word());
}

/* Never looks whether the owner lives. */
void wrong_patience(void)
{
    uint32_t value;

    begin();
    while (!brood_guard_try(word(), it)) {
        value = brood_word_load(word());
        if (value != 0 && ((value & BROOD_WAITERS) != 0 ||
                           brood_word_cas(word(), value, value | BROOD_WAITERS))) {
            brood_segment_sleep(script_segment(), word(), value | BROOD_WAITERS, 0,
                                BROOD_DEADLINE_NEVER);
        }
        it |= BROOD_WAITERS;
    }
    explore_got(0, 0, false);
    brood_guard_unlock(script_segment(), word());
}

/* Takes whoever holds the lock for dead. */
void wrong_burial(void)
{
    uint32_t value;

    begin();
    value = brood_word_load(word());
    if (value != 0 && (value & BROOD_DIED) == 0) {
        (void)brood_guard_bury(script_segment(), word(), value);
    }
}

/* Keeps its place to sleep at. */
void wrong_place(void)
{
    const explore_layout *layout = &explore_segment_layout;
    char *start = script_segment()->section.data;

    begin();
    (void)brood_parking_take((void *)(start + layout->places_offset), it & BROOD_PROCESS_BITS, 64);
}

/* Does not sleep. */
void wrong_endless(void)
{
    begin();
    while (!brood_guard_try(word(), it)) {
        explore_step("waits");
    }
    explore_got(0, 0, false);
    brood_guard_unlock(script_segment(), word());
}

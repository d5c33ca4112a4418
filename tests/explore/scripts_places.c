/* Sleeping for words and waking, without locks: brood_segment_sleep and _wake. */
#include <string.h>

#include "parking.h"
#include "scripts.h"

static brood_segment *segment;

static void sweep_nothing(brood_segment *its, uint32_t identity)
{
    (void)its;
    (void)identity;
}

static const brood_segment_kind kind = {78, "explored sleepers", sweep_nothing, NULL};

static brood_word *word(unsigned number)
{
    return (brood_word *)segment->data + number;
}

void script_sleepers(unsigned process)
{
    brood_os_handle handle = 1;
    uint32_t me = 0;

    if (process == 0) {
        explore_expect(brood_segment_new(&segment, &kind, 64, 64) == 0, "no segment");
        memcpy(explore_board(), segment->id, sizeof segment->id);
        explore_show("words", segment->data, 8);
    } else {
        explore_expect(
            brood_segment_attach(&segment, &kind, (unsigned char *)explore_board(), &handle) == 0,
            "no segment");
    }
    explore_expect(brood_segment_me(segment, &me) == 0, "no row");
}

/* The first place is one where a sleeper of the first word died. */
void script_used_places(unsigned process)
{
    script_sleepers(process);
    if (process == EXPLORE_PROCESSES - 1) {
        const uint32_t dead = UINT32_C(900) << BROOD_ROW_SHIFT;
        char *start = segment->section.data;
        brood_parking *parking = (void *)(start + explore_segment_layout.places_offset);
        const uint64_t offset = (uint64_t)((char *)word(0) - start);
        explore_expect(brood_parking_take(parking, dead, offset) == 0, "no place");
        brood_parking_sweep(parking, dead);
    }
}

static void sleep_for(unsigned number)
{
    while (brood_word_load(word(number)) == 0) {
        brood_segment_sleep(segment, word(number), 0, 0, BROOD_DEADLINE_NEVER);
    }
}

void script_sleep_0(void)
{
    sleep_for(0);
}

void script_sleep_1(void)
{
    sleep_for(1);
}

static void set(unsigned number, uint32_t sleepers)
{
    brood_word_store(word(number), 1);
    brood_segment_wake(segment, word(number), sleepers);
}

void script_wake_each(void)
{
    set(0, 1);
    set(1, 1);
}

void script_wake_both(void)
{
    set(0, 2);
}

#include "pool_lane.h"

#include <stdlib.h>
#include <string.h>

#include "fault.h"

#define ALIGN 16u

#define MOST_ENTRIES 4096u
#define LEAST_ENTRIES 128u
#define ALL_ENTRIES 16384u /* of all lanes, unless that were less than the least */
#define BYTES_PER_ENTRY 32u
#define LEAST_BYTES 32768u

/* ---- the worker's side ---- */

bool brood_lane_claim(brood_lane *lane, uint32_t *entry)
{
    for (;;) {
        const uint64_t span = brood_word64_load(&lane->span);
        const uint32_t begin = brood_span_begin(span);

        if (begin == brood_span_end(span)) {
            return false;
        }
        if (brood_word64_cas(&lane->span, span, brood_span(begin + 1, brood_span_end(span)))) {
            *entry = begin;
            return true;
        }
    }
}

void brood_lane_sleep(brood_segment *segment, brood_lane *lane, uint32_t reason,
                      bool (*ready)(void *user), void *user)
{
    (void)brood_word_exchange(&lane->asleep, reason);
    if (!ready(user)) {
        brood_segment_sleep(segment, &lane->asleep, reason, 0, BROOD_DEADLINE_NEVER);
    }
    (void)brood_word_exchange(&lane->asleep, BROOD_LANE_AWAKE);
}

void brood_board_tell(brood_segment *segment, brood_board *board, uint32_t number, bool much)
{
    brood_word64 *word = &board->ready[number / 64];
    const uint64_t bit = (uint64_t)1 << number % 64;
    uint32_t waiting;

    brood_fence(); /* what was left comes before the look at the bit */
    if ((brood_word64_load(word) & bit) == 0) {
        (void)brood_word64_or(word, bit);
    }
    waiting = brood_word_load(&board->waiting);
    if ((waiting == BROOD_BOARD_ANYTHING || (waiting == BROOD_BOARD_MUCH && much)) &&
        brood_word_exchange(&board->waiting, BROOD_BOARD_AWAKE) != BROOD_BOARD_AWAKE) {
        brood_segment_wake(segment, &board->waiting, UINT32_MAX);
    }
}

/* ---- the pool's side ---- */

/* Many tasks at once are few wake-ups; many workers are much memory. */
void brood_lane_shape(uint32_t workers, uint32_t *entries, uint32_t *bytes)
{
    *entries = MOST_ENTRIES;
    while (*entries > LEAST_ENTRIES && *entries * workers > ALL_ENTRIES) {
        *entries /= 2;
    }
    *bytes = *entries * BYTES_PER_ENTRY > LEAST_BYTES ? *entries * BYTES_PER_ENTRY : LEAST_BYTES;
}

int brood_lane_init(brood_lane_side *side, brood_segment *segment, brood_lane *lane,
                    uint32_t entries, uint32_t bytes)
{
    side->segment = segment;
    side->lane = lane;
    side->entries = entries;
    side->bytes = bytes;
    side->slots = BROOD_ALLOC(calloc(entries, sizeof *side->slots));
    return side->slots != NULL ? 0 : brood_fail_nomem("a pool");
}

void brood_lane_fini(brood_lane_side *side)
{
    free(side->slots);
    side->slots = NULL;
}

void brood_lane_begin(brood_lane_side *side)
{
    brood_lane *lane = side->lane;

    memset(lane, 0, sizeof *lane);
    lane->entries = side->entries;
    lane->bytes = side->bytes;
    side->end = 0;
    side->published = 0;
    side->completed = 0;
    side->bytes_begin = 0;
    side->bytes_end = 0;
    side->read = 0;
}

bool brood_lane_room(const brood_lane_side *side, uint32_t size, uint32_t *place)
{
    const uint32_t need = (size + ALIGN - 1) / ALIGN * ALIGN;
    const uint32_t used = side->bytes_end - side->bytes_begin;
    const uint32_t at = side->bytes_end & (side->bytes - 1);
    const uint32_t left = side->bytes - at; /* in one piece */
    const uint32_t skip = need > left ? left : 0;

    if (used + skip + need > side->bytes) {
        return false;
    }
    *place = side->bytes_end + skip;
    return true;
}

brood_lane_slot *brood_lane_add(brood_lane_side *side, const brood_lane_entry *entry)
{
    brood_lane_entry *ours = brood_lane_entry_of(side->lane, side->entries, side->end);
    brood_lane_slot *slot = brood_lane_slot_of(side, side->end++);

    *ours = *entry;
    if ((entry->flags & BROOD_ENTRY_BLOCK) == 0) {
        const uint32_t size = ((uint32_t)entry->size + ALIGN - 1) / ALIGN * ALIGN;
        side->bytes_end = (uint32_t)entry->place + size;
        ours->place = entry->place & (side->bytes - 1);
    }
    slot->item = NULL;
    slot->task = (entry->flags & BROOD_ENTRY_DEFINE) == 0;
    slot->function = entry->function;
    slot->bytes = side->bytes_end;
    slot->block = 0;
    slot->units = 0;
    return slot;
}

void brood_lane_wake(brood_lane_side *side, uint32_t reason)
{
    if (brood_word_load(&side->lane->asleep) == reason &&
        brood_word_cas(&side->lane->asleep, reason, BROOD_LANE_AWAKE)) {
        brood_segment_wake(side->segment, &side->lane->asleep, UINT32_MAX);
    }
}

void brood_lane_dismiss(brood_lane_side *side)
{
    (void)brood_word_exchange(&side->lane->leave, 1);
    brood_lane_wake(side, BROOD_LANE_FOR_TASKS);
}

void brood_lane_publish(brood_lane_side *side)
{
    uint64_t span = brood_word64_load(&side->lane->span);

    if (side->published == side->end) {
        return;
    }
    while (
        !brood_word64_cas(&side->lane->span, span, brood_span(brood_span_begin(span), side->end))) {
        span = brood_word64_load(&side->lane->span);
    }
    side->published = side->end;
    brood_lane_wake(side, BROOD_LANE_FOR_TASKS);
}

static uint32_t claimed_of(const brood_lane_side *side, uint64_t span)
{
    const uint32_t claimed = brood_span_begin(span);

    return claimed - side->completed <= side->published - side->completed ? claimed
                                                                          : side->published;
}

uint32_t brood_lane_claimed(const brood_lane_side *side)
{
    return claimed_of(side, brood_word64_load(&side->lane->span));
}

void brood_lane_complete(brood_lane_side *side, uint32_t entry)
{
    side->completed = entry + 1;
    side->bytes_begin = brood_lane_slot_of(side, entry)->bytes;
}

uint32_t brood_lane_recall(brood_lane_side *side, uint32_t count)
{
    uint32_t n;
    uint64_t span;

    brood_lane_publish(side);
    do {
        span = brood_word64_load(&side->lane->span);
        n = side->published - claimed_of(side, span);
        n = n < count ? n : count;
        if (n == 0 || brood_span_end(span) != side->published) {
            return 0;
        }
    } while (!brood_word64_cas(&side->lane->span, span,
                               brood_span(brood_span_begin(span), side->published - n)));
    side->end -= n;
    side->published = side->end;
    side->bytes_end = side->end == side->completed ? side->bytes_begin
                                                   : brood_lane_slot_of(side, side->end - 1)->bytes;
    return n;
}

static void take_apart(brood_lane_record *record, const brood_lane_head *head)
{
    record->flags = head->room & BROOD_RECORD_FLAGS;
    record->room = head->room - record->flags;
    record->entry = head->entry;
    record->code = head->code;
    record->size = head->size;
    record->began_ns = 0;
    record->ended_ns = 0;
}

static void take_tail(brood_lane_record *record, const brood_lane_tail *tail)
{
    record->size = tail->size;
    record->began_ns = tail->began_ns;
    record->ended_ns = tail->ended_ns;
}

/* `left` bytes from `at` on were written. */
static int parse(const brood_lane_side *side, uint64_t left, uint32_t at, brood_lane_record *record,
                 const unsigned char **data)
{
    const unsigned char *place = brood_lane_results(side->lane, side->entries, side->bytes) + at;
    uint32_t heads = sizeof(brood_lane_head);
    brood_lane_head head;
    brood_lane_tail tail;

    memcpy(&head, place, sizeof head);
    take_apart(record, &head);
    if (record->room > left || record->room > side->bytes - at || record->room < ALIGN) {
        return BROOD_EDECODE;
    }
    if ((record->flags & BROOD_RECORD_LONG) != 0) {
        heads += sizeof tail;
        if (record->room < heads) {
            return BROOD_EDECODE;
        }
        memcpy(&tail, place + sizeof head, sizeof tail);
        take_tail(record, &tail);
    }
    *data = place + heads;
    return (record->flags & BROOD_RECORD_BLOCK) != 0 || record->size <= record->room - heads
               ? 0
               : BROOD_EDECODE;
}

int brood_lane_next(brood_lane_side *side, brood_lane_record *record, const unsigned char **data)
{
    for (;;) {
        const uint64_t left = brood_word64_load(&side->lane->written) - side->read;
        int rc;

        if (left == 0) {
            return BROOD_EEMPTY;
        }
        if (left > side->bytes || left % ALIGN != 0) {
            return BROOD_EDECODE;
        }
        rc = parse(side, left, (uint32_t)(side->read & (side->bytes - 1)), record, data);
        if (rc || (record->flags & BROOD_RECORD_SKIP) == 0) {
            return rc;
        }
        side->read += record->room;
        brood_word64_store(&side->lane->read, side->read);
    }
}

void brood_lane_done(brood_lane_side *side, const brood_lane_record *record)
{
    side->read += record->room;
    brood_word64_store(&side->lane->read, side->read);
    brood_fence(); /* before the look whether the worker waits for room */
    brood_lane_wake(side, BROOD_LANE_FOR_ROOM);
}

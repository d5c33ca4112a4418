#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

explore_world explore_now;
explore_frame_work explore_set;

void explore_world_add(const char *name, void *data, size_t size, unsigned process)
{
    if (explore_set.part_count == EXPLORE_PARTS || size % 8 != 0 || (uintptr_t)data % 8 != 0) {
        (void)fprintf(stderr, "explore: the part %s cannot be kept\n", name);
        exit(2);
    }
    explore_set.parts[explore_set.part_count++] = (explore_part){name, data, size, process};
}

void explore_show(const char *name, const volatile void *data, size_t size)
{
    explore_world_add(name, (void *)data, (size + 7) / 8 * 8, EXPLORE_NONE);
}

/* ---- the table and the places, but for what a scenario may use, are a bystander's ---- */

static void occupy(const explore_scenario *scenario, const explore_layout *layout)
{
    const unsigned rows =
        scenario->rows != 0 ? scenario->rows : EXPLORE_PROCESSES + scenario->restarts;
    unsigned char *row = explore_set.shared + layout->rows_offset;
    unsigned char *place = explore_set.shared + layout->places_offset;
    const uint64_t stamp = EXPLORE_BYSTANDER_STAMP;
    const uint32_t owner = (uint32_t)EXPLORE_BYSTANDER_ROW << 20;

    for (unsigned i = rows + 1; i < 1024; i++) {
        memcpy(row + i * layout->row_size + layout->stamp_offset, &stamp, sizeof stamp);
    }
    for (unsigned i = scenario->places; i < EXPLORE_ALL_PLACES; i++) {
        memcpy(place + i * layout->place_size + layout->owner_offset, &owner, sizeof owner);
    }
    if (!scenario->fixed_rows) {
        explore_show("rows", row + layout->row_size, rows * layout->row_size);
    }
    if (scenario->places > 0) {
        explore_show("places", place, scenario->places * layout->place_size);
    }
}

static void begin_processes(void)
{
    for (unsigned p = 0; p < EXPLORE_PROCESSES; p++) {
        explore_image *image = &explore_set.images[p];
        explore_now.processes[p].alive = explore_set.threads_of[p] > 0;
        explore_now.processes[p].stamp = (uint64_t)(100 + p) << 32;
        if (explore_set.threads_of[p] > 0) {
            explore_world_add("own memory", image->data[0], image->size[0], p);
            explore_world_add("more of it", image->data[1], image->size[1], p);
            explore_world_add("heap", image->heap, EXPLORE_HEAP, p);
        }
    }
}

void explore_world_begin(const explore_scenario *scenario, size_t index)
{
    explore_set.scenario = scenario;
    explore_world_add("world", &explore_now, sizeof explore_now, EXPLORE_NONE);
    for (unsigned t = 0; t < EXPLORE_THREADS && scenario->threads[t].run != NULL; t++) {
        explore_now.threads[t].process = scenario->threads[t].process;
        explore_now.threads[t].alive = 1;
        explore_now.threads[t].slices = scenario->slices;
        explore_now.threads[t].has_deadline = scenario->threads[t].has_deadline;
        explore_set.threads_of[scenario->threads[t].process]++;
        explore_set.thread_count++;
    }
    explore_now.crashes_left = scenario->crashes;
    explore_now.restarts_left = scenario->restarts;
    begin_processes();
    for (unsigned p = 0; p < EXPLORE_PROCESSES; p++) {
        if (explore_set.threads_of[p] > 0) {
            explore_set.set_up = p;
            explore_set.images[p].scenarios[index].set_up(p);
            if (p == 0) {
                occupy(scenario, explore_set.images[0].layout);
            }
        }
    }
    for (unsigned p = 0; p < EXPLORE_PROCESSES; p++) {
        *explore_set.images[p].thread_number = 0; /* who set up is none of the threads */
    }
    for (unsigned t = 0; t < explore_set.thread_count; t++) {
        explore_prepare_thread(t);
    }
}

/* ---- keep, put back ---- */

/* The stack from where it is up; the rest of it is nobody's. */
static size_t stack_in_use(const explore_world *world, unsigned thread)
{
    const explore_thread_state *state = &world->threads[thread];
    const unsigned char *top = explore_set.stacks[thread] + EXPLORE_STACK;

    return state->alive ? (size_t)(top - (unsigned char *)state->stack_pointer) : 0;
}

/* Two multiply-and-mix lanes, 128 bits in all: that two of some ten million states have the same is
 * out of the question. */
static explore_hash hash_of(const unsigned char *data, size_t size)
{
    explore_hash hash = {UINT64_C(0x243f6a8885a308d3) ^ size, UINT64_C(0x13198a2e03707344)};

    for (size_t i = 0; i < size; i += 8) {
        uint64_t x;
        memcpy(&x, data + i, sizeof x);
        hash.a = (hash.a ^ x) * UINT64_C(0x9e3779b97f4a7c15);
        hash.a ^= hash.a >> 32;
        hash.b = (hash.b + x) * UINT64_C(0xd6e8feb86659fd93);
        hash.b ^= hash.b >> 29;
    }
    return hash;
}

static size_t count_pieces(void)
{
    return explore_set.part_count + explore_set.thread_count;
}

explore_hash explore_hash_all(const explore_saved *saved)
{
    return hash_of((const unsigned char *)saved->hashes, count_pieces() * sizeof(explore_hash));
}

typedef struct piece {
    unsigned char *data;
    size_t size;
} piece;

/* The struct of the world is the first piece; how large the stacks are stands there. */
static piece piece_of(const explore_world *world, size_t i)
{
    if (i < explore_set.part_count) {
        return (piece){explore_set.parts[i].data, explore_set.parts[i].size};
    }
    const unsigned thread = (unsigned)(i - explore_set.part_count);
    const size_t used = stack_in_use(world, thread);
    return (piece){explore_set.stacks[thread] + EXPLORE_STACK - used, used};
}

static unsigned owner_of(size_t i)
{
    return i < explore_set.part_count
               ? explore_set.parts[i].process
               : explore_set.scenario->threads[i - explore_set.part_count].process;
}

static struct {
    unsigned char *data;
    size_t size;
    size_t room;
    size_t now[EXPLORE_PIECES]; /* where each piece is kept as it is at present, or UNKNOWN */
    explore_hash hashes[EXPLORE_PIECES];
} kept;

#define UNKNOWN SIZE_MAX

static void keep(size_t i, piece now)
{
    if (kept.size + now.size > kept.room) {
        kept.room = (kept.room + now.size) * 2;
        kept.data = realloc(kept.data, kept.room);
        if (kept.data == NULL) {
            (void)fprintf(stderr, "explore: out of memory\n");
            exit(2);
        }
    }
    kept.now[i] = kept.size;
    kept.hashes[i] = hash_of(now.data, now.size);
    memcpy(kept.data + kept.size, now.data, now.size);
    kept.size += now.size;
}

void explore_world_save(explore_saved *out, const explore_saved *before)
{
    for (size_t i = 0; i < count_pieces(); i++) {
        const piece now = piece_of(&explore_now, i);
        if (before == NULL) {
            keep(i, now);
        } else if (kept.now[i] == UNKNOWN) {
            const unsigned char *then = kept.data + before->at[i];
            const explore_world *world = (const void *)(kept.data + before->at[0]);
            if (piece_of(world, i).size == now.size && memcmp(then, now.data, now.size) == 0) {
                kept.now[i] = before->at[i];
                kept.hashes[i] = before->hashes[i];
            } else {
                keep(i, now);
            }
        }
        out->at[i] = kept.now[i];
        out->hashes[i] = kept.hashes[i];
    }
}

void explore_world_load(const explore_saved *saved)
{
    for (size_t i = 0; i < count_pieces(); i++) {
        if (kept.now[i] != saved->at[i]) { /* the first one first: it knows the stacks' sizes */
            const piece now = piece_of(&explore_now, i);
            memcpy(now.data, kept.data + saved->at[i], now.size);
            kept.now[i] = saved->at[i];
            kept.hashes[i] = saved->hashes[i];
        }
    }
}

size_t explore_world_size(void)
{
    return kept.size;
}

void explore_world_forget(size_t size)
{
    kept.size = size;
    for (size_t i = 0; i < count_pieces(); i++) {
        if (kept.now[i] >= size) {
            kept.now[i] = UNKNOWN;
        }
    }
}

void explore_world_touch(unsigned process)
{
    for (size_t i = 0; i < count_pieces(); i++) {
        if (owner_of(i) == process || owner_of(i) == EXPLORE_NONE) {
            kept.now[i] = UNKNOWN;
        }
    }
}

void explore_world_begin_process(const explore_saved *first, unsigned process)
{
    const explore_world *then = (const void *)(kept.data + first->at[0]);

    for (size_t i = 0; i < count_pieces(); i++) {
        const piece piece = piece_of(then, i);
        if (owner_of(i) == process) {
            memcpy(piece.data, kept.data + first->at[i], piece.size);
        }
    }
    for (unsigned t = 0; t < explore_set.thread_count; t++) {
        if (then->threads[t].process == process) {
            explore_now.threads[t] = then->threads[t];
        }
    }
}

void explore_world_clear_process(unsigned process)
{
    for (size_t i = 0; i < explore_set.part_count; i++) {
        if (explore_set.parts[i].process == process) {
            memset(explore_set.parts[i].data, 0, explore_set.parts[i].size);
        }
    }
    for (unsigned t = 0; t < explore_set.thread_count; t++) {
        if (explore_now.threads[t].process == process) {
            memset(&explore_now.threads[t], 0, sizeof explore_now.threads[t]);
            explore_now.threads[t].process = process;
            explore_now.threads[t].op.kind = EXPLORE_DONE;
        }
    }
}

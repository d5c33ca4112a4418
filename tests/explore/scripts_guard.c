/* Locks: guard.c over words of a segment. */
#include <string.h>

#include "error.h"
#include "scripts.h"

static brood_segment *segment;

brood_segment *script_segment(void)
{
    return segment;
}

static brood_word *word(unsigned lock)
{
    return (brood_word *)segment->data + lock;
}

static void sweep(brood_segment *its, uint32_t identity)
{
    brood_guard_sweep(its, (brood_word *)its->data, identity);
}

static const brood_segment_kind kind = {77, "explored words", sweep, NULL};

void script_words(unsigned process)
{
    brood_os_handle handle = 1;

    if (process == 0) {
        explore_expect(brood_segment_new(&segment, &kind, 64, 64) == 0, "no segment");
        memcpy(explore_board(), segment->id, sizeof segment->id);
        explore_show("word", segment->data, 8);
        explore_watch(0, word(0));
    } else {
        explore_expect(
            brood_segment_attach(&segment, &kind, (unsigned char *)explore_board(), &handle) == 0,
            "no segment");
    }
}

static uint32_t me(void)
{
    uint32_t it = 0;

    explore_expect(brood_segment_me(segment, &it) == 0, "no row");
    return it;
}

void script_joined(unsigned process)
{
    script_words(process);
    (void)me();
}

static int take(int64_t deadline_ns)
{
    const uint32_t it = me();
    int rc;

    explore_wants(0);
    rc = brood_guard_lock(segment, word(0), it, deadline_ns);
    explore_got(0, rc, false);
    return rc;
}

static void take_over(void)
{
    const uint32_t it = me();
    int rc;

    explore_wants(0);
    rc = brood_guard_take_over(segment, word(0), it, BROOD_DEADLINE_NEVER);
    explore_got(0, rc, true);
    explore_expect(rc == 0 || rc == BROOD_EOWNERDEAD, "neither taken nor taken over");
}

static void give_back(void)
{
    brood_guard_unlock(segment, word(0));
}

void script_lock(void)
{
    const int rc = take(BROOD_DEADLINE_NEVER);

    explore_expect(rc == 0 || rc == BROOD_EOWNERDEAD, "neither taken nor dead");
    if (rc == 0) {
        give_back();
    }
}

void script_lock_twice(void)
{
    script_lock();
    script_lock();
}

void script_repair(void)
{
    take_over();
    give_back();
}

void script_late(void)
{
    int64_t deadline_ns;

    if (brood_deadline(&deadline_ns, SCRIPT_LONG_MS) == 0 && take(deadline_ns) == 0) {
        give_back();
    }
}

void script_try(void)
{
    if (take(BROOD_DEADLINE_PASSED) == 0) {
        give_back();
    }
}

static void join(void)
{
    explore_joined(me() & BROOD_PROCESS_BITS);
}

static void leave(void)
{
    explore_left();
    brood_segment_free(segment);
    segment = NULL;
}

static void attach(void)
{
    brood_os_handle handle = 1;

    explore_expect(
        brood_segment_attach(&segment, &kind, (unsigned char *)explore_board(), &handle) == 0,
        "no segment");
}

void script_join(void)
{
    join();
    script_repair();
}

void script_leave(void)
{
    join();
    take_over();
    explore_abandon(0);
    leave();
    attach();
    script_join();
}

void script_part(void)
{
    script_lock();
    explore_expect(take(BROOD_DEADLINE_NEVER) == 0, "not taken");
    explore_abandon(0);
    leave();
}

void script_visit(void)
{
    join();
    leave();
    attach();
    join();
}

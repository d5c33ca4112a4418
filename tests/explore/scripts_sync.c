/* What locks are not: semaphores, conditions, events and barriers, through their public
 * functions. */
#include <brood/barrier.h>
#include <brood/condition.h>
#include <brood/event.h>
#include <brood/semaphore.h>

#include "barrier.h"
#include "condition.h"
#include "event.h"
#include "lock.h"
#include "scripts.h"
#include "semaphore_object.h"

#define ID_WORDS 4 /* of the board; behind them the lock's */
#define FACTS (&explore_board()[2 * ID_WORDS])

static union {
    brood_heap_object *shared;
    brood_semaphore *semaphore;
    brood_condition *condition;
    brood_event *event;
    brood_barrier *barrier;
} it;
static brood_lock *lock;

/* In place of the one that knows all kinds. */
const brood_heap_kind *brood_heap_kind_of(uint32_t kind)
{
    static const brood_heap_kind *const kinds[] = {&brood_lock_kind, &brood_semaphore_kind,
                                                   &brood_condition_kind, &brood_event_kind,
                                                   &brood_barrier_kind};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if ((uint32_t)kinds[i]->kind == kind) {
            return kinds[i];
        }
    }
    return NULL;
}

static brood_heap_id *id_of(unsigned number)
{
    return (brood_heap_id *)(void *)&explore_board()[number * ID_WORDS];
}

static void send_to_all(void)
{
    for (unsigned p = 1; p < EXPLORE_PROCESSES; p++) {
        explore_expect(brood_heap_send(it.shared, id_of(0)) == 0, "not sent");
    }
    explore_show("cell", it.shared->cell, it.shared->cell->size);
}

static brood_heap_object *receive(unsigned number, const brood_heap_kind *kind, brood_value part)
{
    brood_heap_goods goods = BROOD_HEAP_GOODS_NONE;
    brood_heap_object *object = NULL;
    brood_os_handle handle = 1;

    goods.part = part;
    if (kind == &brood_event_kind) {
        goods.handles[0] = 1;
        goods.handles[1] = 1;
    }
    explore_expect(brood_heap_load(&object, kind, id_of(number), &handle, &goods) == 0,
                   "not received");
    return object;
}

/* ---- semaphores ---- */

static void set_up_semaphore(unsigned process, uint32_t value)
{
    if (process == 0) {
        explore_expect(brood_semaphore_new(&it.semaphore, value, 0) == 0, "no semaphore");
        send_to_all();
    } else {
        it.shared = receive(0, &brood_semaphore_kind, brood_none());
    }
}

void script_semaphore_of_0(unsigned process)
{
    set_up_semaphore(process, 0);
}

void script_semaphore_of_1(unsigned process)
{
    set_up_semaphore(process, 1);
}

void script_semaphore_of_2(unsigned process)
{
    set_up_semaphore(process, 2);
}

static void take_permit(int64_t timeout_ms)
{
    const int rc = brood_semaphore_acquire(it.semaphore, timeout_ms);

    explore_expect(rc == 0 || (rc == BROOD_ETIMEDOUT && timeout_ms != BROOD_FOREVER),
                   "a semaphore is not acquired");
    if (rc == 0) {
        FACTS[0]++;
        explore_expect(FACTS[0] <= FACTS[1] + 2, "more permits than there are");
        explore_step("has a permit");
        FACTS[0]--;
        explore_expect(brood_semaphore_release(it.semaphore, 1) == 0, "not released");
    }
}

void script_permit(void)
{
    take_permit(BROOD_FOREVER);
}

void script_permit_late(void)
{
    take_permit(SCRIPT_LONG_MS);
}

void script_acquire(void)
{
    explore_expect(brood_semaphore_acquire(it.semaphore, BROOD_FOREVER) == 0, "not acquired");
}

void script_release_1(void)
{
    explore_expect(brood_semaphore_release(it.semaphore, 1) == 0, "not released");
}

void script_release_2(void)
{
    explore_expect(brood_semaphore_release(it.semaphore, 2) == 0, "not released");
}

/* Permits that were taken along are nobody's fault. */
bool script_no_permits(void)
{
    return it.semaphore == NULL || brood_semaphore_value(it.semaphore) == 0;
}

/* ---- conditions ---- */

static void watch_lock(void)
{
    explore_watch(0, brood_cell_payload(lock->shared.cell));
    explore_show("lock", lock->shared.cell, lock->shared.cell->size);
}

static void set_up_condition(unsigned process, bool watched)
{
    if (process == 0) {
        explore_expect(brood_lock_new(&lock, NULL) == 0, "no lock");
        explore_expect(brood_condition_new(&it.condition, lock) == 0, "no condition");
        for (unsigned p = 1; p < EXPLORE_PROCESSES; p++) {
            explore_expect(brood_heap_send(&lock->shared, id_of(1)) == 0, "not sent");
        }
        if (watched) {
            watch_lock();
        } else {
            explore_show("lock", lock->shared.cell, lock->shared.cell->size);
        }
        send_to_all();
    } else {
        lock = (brood_lock *)receive(1, &brood_lock_kind, brood_none());
        it.shared = receive(0, &brood_condition_kind, brood_object_(BROOD_LOCK, lock));
    }
}

void script_condition(unsigned process)
{
    set_up_condition(process, true);
}

void script_condition_repaired(unsigned process)
{
    set_up_condition(process, false);
}

static bool take_lock(void)
{
    int rc;

    explore_wants(0);
    rc = brood_lock_acquire(lock, BROOD_FOREVER);
    explore_got(0, rc, false);
    explore_expect(rc == 0 || rc == BROOD_EOWNERDEAD, "neither taken nor dead");
    return rc == 0;
}

static void give_lock(void)
{
    explore_expect(brood_lock_release(lock) == 0, "not released");
}

/* With the lock held, which it is afterwards if the result says so. */
static int wait_once(int64_t timeout_ms)
{
    int rc;

    explore_wants(0);
    rc = brood_condition_wait(it.condition, timeout_ms);
    explore_expect(rc == 0 || rc == BROOD_EOWNERDEAD ||
                       (rc == BROOD_ETIMEDOUT && timeout_ms != BROOD_FOREVER),
                   "a condition is not waited for");
    explore_got(0, rc == BROOD_ETIMEDOUT ? 0 : rc, false);
    return rc;
}

static void wait_for_fact(int64_t timeout_ms)
{
    int rc = 0;

    if (!take_lock()) {
        return;
    }
    while (rc == 0 && FACTS[0] == 0) {
        rc = wait_once(timeout_ms);
    }
    if (rc != BROOD_EOWNERDEAD) {
        give_lock();
    }
}

void script_wait(void)
{
    wait_for_fact(BROOD_FOREVER);
}

void script_wait_late(void)
{
    wait_for_fact(SCRIPT_LONG_MS);
}

/* Takes one thing of those that notifiers bring. */
void script_consume(void)
{
    int rc = 0;

    if (!take_lock()) {
        return;
    }
    while (rc == 0 && FACTS[0] == 0) {
        rc = wait_once(BROOD_FOREVER);
    }
    if (rc == 0) {
        FACTS[0]--;
        give_lock();
    }
}

static void bring(unsigned things, size_t notified)
{
    if (take_lock()) {
        FACTS[0] += things;
        explore_expect(brood_condition_notify(it.condition, notified) == 0, "not notified");
        give_lock();
    }
}

void script_notify_all(void)
{
    bring(1, SIZE_MAX);
}

void script_bring_two(void)
{
    bring(1, 1);
    bring(1, 1);
}

/* ---- conditions, when the lock is repaired: it is not known then of whom it was taken over ---- */

static void repair_lock(int rc)
{
    if (rc == BROOD_EOWNERDEAD) {
        rc = brood_lock_recover(lock, BROOD_FOREVER);
    }
    explore_expect(rc == 0, "not recovered");
}

void script_wait_on(void)
{
    repair_lock(brood_lock_acquire(lock, BROOD_FOREVER));
    while (FACTS[0] == 0) {
        repair_lock(brood_condition_wait(it.condition, BROOD_FOREVER));
    }
    give_lock();
}

static void notify_on(unsigned things)
{
    repair_lock(brood_lock_acquire(lock, BROOD_FOREVER));
    FACTS[0] += things;
    explore_expect(brood_condition_notify(it.condition, 1) == 0, "not notified");
    give_lock();
}

void script_bring_on(void)
{
    notify_on(1);
}

void script_notify_in_vain(void)
{
    notify_on(0);
}

bool script_nobody_brought(void)
{
    return FACTS[0] == 0;
}

/* Nobody who is not there has brought anything, and the lock is whole. */
bool script_nothing_brought(void)
{
    const uint32_t word =
        lock != NULL ? *(const volatile uint32_t *)brood_cell_payload(lock->shared.cell) : 0;

    return FACTS[0] == 0 && word == 0;
}

/* ---- events ---- */

void script_event(unsigned process)
{
    if (process == 0) {
        explore_expect(brood_event_new(&it.event) == 0, "no event");
        send_to_all();
    } else {
        it.shared = receive(0, &brood_event_kind, brood_none());
    }
}

void script_event_wait(void)
{
    explore_expect(brood_event_wait(it.event, BROOD_FOREVER) == 0, "an event is not waited for");
}

void script_event_late(void)
{
    const int rc = brood_event_wait(it.event, SCRIPT_LONG_MS);

    explore_expect(rc == 0 || rc == BROOD_ETIMEDOUT, "an event is not waited for");
}

void script_event_set(void)
{
    brood_event_set(it.event);
}

/* Who waits has seen it set, however short that was: but only who waits already. */
void script_event_pulse(void)
{
    brood_event_set(it.event);
    brood_event_clear(it.event);
    brood_event_set(it.event);
}

void script_event_poll(void)
{
    brood_os_waitable thing;

    explore_expect(brood_event_watch(it.event, &thing) == 0, "an event is not watched");
    while (!thing.ready) {
        explore_await_flag();
        thing.ready = brood_event_confirm(it.event);
    }
}

void script_event_clear_set(void)
{
    brood_event_clear(it.event);
    brood_event_set(it.event);
}

bool script_event_unset(void)
{
    return it.event == NULL || !brood_event_is_set(it.event);
}

/* ---- barriers ---- */

static void set_up_barrier(unsigned process, uint32_t parties)
{
    if (process == 0) {
        explore_expect(brood_barrier_new(&it.barrier, parties, NULL) == 0, "no barrier");
        send_to_all();
    } else {
        it.shared = receive(0, &brood_barrier_kind, brood_none());
    }
}

void script_barrier_of_2(unsigned process)
{
    set_up_barrier(process, 2);
}

void script_barrier_of_3(unsigned process)
{
    set_up_barrier(process, 3);
}

/* FACTS[round]: how many have arrived, in the lower half, and passed. */
static int meet(unsigned round, int64_t timeout_ms)
{
    uint32_t index = 99;
    int rc;

    FACTS[round]++;
    rc = brood_barrier_wait(it.barrier, &index, timeout_ms);
    explore_expect(rc == 0 || rc == BROOD_EBROKEN ||
                       (rc == BROOD_ETIMEDOUT && timeout_ms != BROOD_FOREVER),
                   "a barrier is not waited for");
    if (rc == 0) {
        const uint32_t parties = brood_barrier_parties(it.barrier);
        explore_expect((FACTS[round] & 0xFF) >= parties, "one passed before all had come");
        explore_expect(index < parties, "an index that nobody has");
        explore_expect((FACTS[round] >> (8 + index) & 1) == 0, "two have the same index");
        FACTS[round] |= UINT64_C(1) << (8 + index);
    }
    return rc;
}

void script_meet(void)
{
    (void)meet(0, BROOD_FOREVER);
}

void script_meet_twice(void)
{
    if (meet(0, BROOD_FOREVER) == 0) {
        (void)meet(1, BROOD_FOREVER);
    }
}

/* Who is late before it has come has not broken it, but has to. */
void script_meet_late(void)
{
    if (meet(0, SCRIPT_LONG_MS) == BROOD_ETIMEDOUT) {
        brood_barrier_abort(it.barrier);
    }
}

void script_abort(void)
{
    brood_barrier_abort(it.barrier);
}

/* Nobody came too late, and nobody was broken for nothing. */
void script_all_passed(void)
{
    const uint32_t parties = it.barrier != NULL ? brood_barrier_parties(it.barrier) : 0;

    for (unsigned round = 0; round < 2; round++) {
        explore_expect((FACTS[round] & 0xFF) == 0 || FACTS[round] >> 8 == (1U << parties) - 1,
                       "not all passed");
    }
}

/* One that died before it came is not missed: no place says that it waits. */
bool script_nobody_missed(void)
{
    return it.barrier == NULL || !explore_dead_in(brood_cell_payload(it.shared->cell),
                                                  it.shared->cell->size - sizeof *it.shared->cell);
}

/* Cells: heap.c with the locks of lock.c in them. What is on its way stands on the board. */
#include <string.h>

#include "lock.h"
#include "scripts.h"

#define MESSAGE_SIZE 5 /* words of the board */
#define MESSAGES 2

#define ON_ITS_WAY (MESSAGES * MESSAGE_SIZE)

static brood_lock *lock;

static brood_heap_id *message(unsigned number)
{
    return (brood_heap_id *)(void *)&explore_board()[number * MESSAGE_SIZE];
}

static uint64_t *on_its_way(unsigned number)
{
    return &explore_board()[ON_ITS_WAY + number];
}

static void send(unsigned number)
{
    explore_expect(brood_heap_send(&lock->shared, message(number)) == 0, "not sent");
    *on_its_way(number) = 1;
}

void script_cells(unsigned process)
{
    if (process == 0) {
        explore_expect(brood_lock_new(&lock, NULL) == 0, "no lock");
        explore_show("cells", lock->shared.segment->data, (size_t)BROOD_CELL_UNIT * 4);
        send(0);
    }
}

void script_cells_twice(unsigned process)
{
    script_cells(process);
    if (process == 0) {
        send(1);
    }
}

/* It is given up, and the next one must not be in the same cell while anybody has the old one. */
void script_make(void)
{
    brood_lock_free(lock);
    explore_expect(brood_lock_new(&lock, NULL) == 0, "no lock");
    for (unsigned i = 0; i < MESSAGES; i++) {
        explore_expect(*on_its_way(i) == 0 || message(i)->offset != lock->shared.offset,
                       "a cell is used again while it is on its way");
    }
    for (unsigned p = 1; p < EXPLORE_PROCESSES; p++) {
        explore_expect(explore_held(p) != lock->shared.offset,
                       "a cell is used again while another process has it");
    }
}

/* Takes a row, which may be that of a dead process, for a message that leads nowhere. */
static void come_by(unsigned number)
{
    brood_heap_goods goods = BROOD_HEAP_GOODS_NONE;
    brood_os_handle handle = 1;
    brood_heap_object *object = NULL;
    brood_heap_id nowhere = *message(number);

    nowhere.offset = 1;
    explore_expect(brood_heap_load(&object, &brood_lock_kind, &nowhere, &handle, &goods) != 0,
                   "what?");
}

static bool receive(unsigned number)
{
    brood_heap_goods goods = BROOD_HEAP_GOODS_NONE;
    brood_os_handle handle = 1;
    brood_heap_object *object = NULL;
    int rc;

    if (*on_its_way(number) == 0) { /* it came before the crash */
        come_by(number);
        return false;
    }
    rc = brood_heap_load(&object, &brood_lock_kind, message(number), &handle, &goods);
    if (rc == BROOD_ENOMEM) {
        return false; /* no row */
    }
    explore_expect(rc == 0, "what was sent is closed");
    *on_its_way(number) = 0;
    explore_hold(object->offset);
    lock = (brood_lock *)object;
    return true;
}

static void let_go(void)
{
    explore_hold(0);
    brood_lock_free(lock);
    lock = NULL;
}

static void receive_and_drop(unsigned number)
{
    if (receive(number)) {
        explore_step("has it");
        let_go();
    }
}

void script_receive_0(void)
{
    receive_and_drop(0);
}

void script_receive_1(void)
{
    receive_and_drop(1);
}

void script_pass_on(void)
{
    if (receive(0)) {
        send(1);
        let_go();
        explore_signal(0);
    }
}

void script_await_1(void)
{
    explore_await(0);
    receive_and_drop(1);
}

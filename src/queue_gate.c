/* Where threads sleep until there is something to take, or room. */
#include "deadline.h"
#include "queue.h"

static int lock(brood_queue *queue, uint32_t me, brood_queue_side side)
{
    return side == BROOD_QUEUE_PUT_SIDE ? brood_queue_lock_put(queue, me, BROOD_DEADLINE_PASSED)
                                        : brood_queue_lock_get(queue, me, BROOD_DEADLINE_PASSED);
}

static void unlock(brood_queue *queue, brood_queue_side side)
{
    if (side == BROOD_QUEUE_PUT_SIDE) {
        brood_queue_unlock_put(queue);
    } else {
        brood_queue_unlock_get(queue);
    }
}

static int enter(brood_queue_wait *wait, brood_queue_gate *gate, brood_queue_side side)
{
    const int rc = lock(wait->queue, wait->me, side);

    if (rc) {
        return rc;
    }
    (void)brood_word_add(&gate->sleepers, 1);
    wait->turn = brood_word_load_relaxed(&gate->turn);
    unlock(wait->queue, side);
    brood_fence(); /* before the try that follows: see brood_queue_room_came */
    wait->gate = gate;
    wait->side = side;
    wait->owed = NULL;
    return 0;
}

/* Somebody who leaves takes a token along: it cannot know whose it was, and will look again anyhow. */
static int leave(brood_queue_wait *wait)
{
    brood_queue_gate *gate = wait->gate;
    const int rc = lock(wait->queue, wait->me, wait->side);

    wait->gate = NULL;
    if (rc) {
        return rc;
    }
    (void)brood_word_add(&gate->sleepers, UINT32_MAX);
    if (gate->tokens > 0) {
        gate->tokens--;
        wait->owed = gate;
    }
    unlock(wait->queue, wait->side);
    return 0;
}

static void pass_on(brood_queue_wait *wait)
{
    brood_queue_gate *gate = wait->owed;
    uint32_t count;

    wait->owed = NULL;
    if (gate == NULL || lock(wait->queue, wait->me, wait->side) != 0) {
        return;
    }
    count = brood_queue_owes(gate, 1);
    unlock(wait->queue, wait->side);
    brood_queue_wake(wait->queue, gate, count);
}

int brood_queue_wait_at(brood_queue_wait *wait, brood_queue_gate *gate, brood_queue_side side,
                        uint32_t row)
{
    int rc = 0;

    if (wait->gate == gate) {
        brood_segment_sleep(wait->queue->segment, &gate->turn, wait->turn, row, wait->deadline_ns);
        return leave(wait);
    }
    if (wait->gate != NULL) { /* what it was for came, but it takes more */
        rc = leave(wait);
    }
    if (rc == 0 && wait->owed != NULL && wait->owed != gate) {
        pass_on(wait);
    }
    return rc == 0 ? enter(wait, gate, side) : rc;
}

void brood_queue_wait_end(brood_queue_wait *wait, bool used)
{
    if (wait->gate != NULL) {
        (void)leave(wait);
    }
    if (!used) {
        pass_on(wait);
    }
}

int brood_queue_wake_all(brood_queue *queue, uint32_t me, brood_queue_gate *gate,
                         brood_queue_side side)
{
    const int rc = lock(queue, me, side);

    if (rc) {
        return rc;
    }
    (void)brood_queue_owes(gate, UINT32_MAX);
    (void)brood_word_add(&gate->turn, 1);
    unlock(queue, side);
    brood_segment_wake(queue->segment, &gate->turn, UINT32_MAX);
    return 0;
}

/* Who waits first goes to the gate and then looks for memory; we have first freed it. */
void brood_queue_room_came(brood_queue *queue, uint32_t me)
{
    brood_queue_gate *gate = &queue->shared->get.room;

    brood_fence();
    if (brood_word_load(&gate->sleepers) > 0) {
        (void)brood_queue_wake_all(queue, me, gate, BROOD_QUEUE_GET_SIDE);
    }
}

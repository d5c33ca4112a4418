/* Queues, as brood_wait and foreign event loops see them.
 *
 * The flag is up while there is something to take, for somebody who waits for it: armed, under
 * put_lock. Nobody counts who waits, so who dies while it waits costs nothing; a flag that was left up
 * is taken down by whoever looks next. It is never down while there is something. */
#include "deadline.h"
#include "error.h"
#include "queue.h"

static bool is_ready(const brood_queue *queue)
{
    return brood_word_load(&queue->shared->shutdown) != BROOD_QUEUE_OPEN ||
           !brood_queue_is_empty(queue);
}

/* With put_lock held: nothing can come. */
static void lower(brood_queue *queue)
{
    brood_queue_put_side *put = &queue->shared->put;

    if (put->raised != 0) {
        brood_os_flag_lower(&queue->flag);
        put->raised = 0;
    }
}

int brood_queue_arm(brood_queue *queue, uint32_t me, bool *ready)
{
    const int rc = brood_queue_lock_put(queue, me, BROOD_DEADLINE_PASSED);

    if (rc) {
        return rc;
    }
    brood_word_store(&queue->shared->polled, 1);
    queue->shared->put.armed = 1;
    *ready = is_ready(queue);
    if (*ready) {
        brood_queue_raise(queue);
    } else {
        lower(queue);
    }
    brood_queue_unlock_put(queue);
    return 0;
}

void brood_queue_settle(brood_queue *queue, uint32_t me)
{
    if (brood_queue_lock_put(queue, me, BROOD_DEADLINE_PASSED) != 0) {
        return;
    }
    if (queue->shared->put.raised != 0 && !is_ready(queue)) {
        lower(queue);
        queue->shared->put.armed = 0;
    }
    brood_queue_unlock_put(queue);
}

int brood_queue_watch(brood_queue *queue, brood_os_waitable *thing)
{
    uint32_t me;
    const int rc = brood_queue_begin(queue, &me);

    thing->handle = BROOD_NO_HANDLE;
    if (rc) {
        return rc;
    }
    thing->handle = queue->flag.wait;
    return brood_queue_arm(queue, me, &thing->ready);
}

bool brood_queue_confirm(const brood_queue *queue)
{
    return is_ready(queue);
}

int brood_queue_waitable(brood_queue *queue, brood_handle *out)
{
    bool ready;
    uint32_t me;
    int rc = brood_queue_begin(queue, &me);

    if (rc == 0) {
        brood_atomic_store(&queue->watched, 1);
        rc = brood_queue_arm(queue, me, &ready);
    }
    if (rc == 0) {
        *out = queue->flag.wait;
    }
    return rc;
}

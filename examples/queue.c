/* A child puts, the parent gets. A put returns when the message is in the queue, so the child may have
 * ended long before its messages are taken. */
#include <brood.h>
#include <stdio.h>

static int producer(brood_call *call)
{
    brood_queue *queue;
    int count;
    int rc = BROOD_UNPACK(call, &queue, &count);
    for (int i = 0; rc == 0 && i < count; i++) {
        rc = brood_queue_put(queue, BROOD_TUPLE(i, "squared is", i * i), BROOD_FOREVER);
    }
    return rc;
}

/* Takes `count` messages and prints them. */
static int take(brood_queue *queue, int count)
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < count; i++) {
        brood_message *message = NULL;
        const char *text;
        int number, square;
        rc = brood_queue_get(queue, &message, 10000);
        if (rc == 0) {
            rc = BROOD_UNPACK(message, &number, &text, &square);
        }
        if (rc == 0) {
            printf("%d %s %d\n", number, text, square);
        }
        brood_message_free(message);
    }
    return rc;
}

int main(int argc, char **argv)
{
    brood_init(argc, argv);

    brood_queue *queue = NULL;
    brood_process *child = NULL;
    int status = 0;
    if (brood_queue_new(&queue, NULL) ||
        brood_process_start(&child, producer, BROOD_ARGS(queue, 4), NULL) ||
        brood_process_join(child, BROOD_FOREVER)) {
        status = brood_perror("queue");
    } else {
        printf("the child has ended, %d messages are here\n", (int)brood_queue_qsize(queue));
        if (take(queue, 4)) {
            status = brood_perror("queue");
        }
    }

    brood_process_free(child);
    brood_queue_free(queue);
    return status;
}

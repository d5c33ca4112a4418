/* Two processes joined by a pipe: the child sends a value of mixed kinds, the parent prints it. */
#include <brood.h>
#include <stdio.h>

static int child(brood_call *call)
{
    brood_connection *parent;
    int rc = BROOD_UNPACK(call, &parent);
    if (rc) {
        return rc;
    }
    return brood_send(parent, BROOD_LIST(42, (const char *)NULL, "hello"), BROOD_FOREVER);
}

int main(int argc, char **argv)
{
    brood_init(argc, argv);

    brood_connection *mine = NULL, *theirs = NULL;
    brood_process *process = NULL;
    brood_message *message = NULL;
    char text[200];
    int status = 0;
    if (brood_pipe(&mine, &theirs, BROOD_DUPLEX) ||
        /* GIVE: our copy is closed, so that we see the end of the stream if the child dies */
        brood_process_start(&process, child, BROOD_ARGS(BROOD_GIVE(theirs)), NULL) ||
        brood_recv(mine, &message, BROOD_FOREVER)) {
        status = brood_perror("pipe");
    } else {
        brood_value_print(brood_message_value(message), text, sizeof text);
        puts(text); /* [42, None, 'hello'] */
    }

    brood_message_free(message);
    brood_process_free(process);
    brood_connection_free(theirs);
    brood_connection_free(mine);
    return status;
}

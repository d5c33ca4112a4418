/* All start methods side by side: a context is one of them, for those who do not want to choose for
 * the whole program. The same connection serves them all. */
#include <brood.h>
#include <stdio.h>

static int hello(brood_call *call)
{
    brood_connection *parent;
    int rc = BROOD_UNPACK(call, &parent);
    return rc ? rc : brood_send(parent, brood_str("hello"), BROOD_FOREVER);
}

static int say_hello_by(const char *method, brood_connection *mine, brood_connection *theirs)
{
    brood_process_options options = BROOD_OPTIONS_INIT(process);
    brood_process *child;
    brood_message *message;
    const char *text;
    int rc = brood_get_context(&options.context, method);
    if (rc == BROOD_ENOTSUP) {
        printf("%s\n", brood_last_error()->message);
        return 0;
    }
    if (rc || brood_process_start(&child, hello, BROOD_ARGS(theirs), &options)) {
        return brood_perror(method);
    }
    brood_process_join(child, BROOD_FOREVER);
    brood_process_free(child);
    if (brood_recv(mine, &message, BROOD_NOWAIT)) {
        return brood_perror(method);
    }
    rc = BROOD_UNPACK(message, &text) ? brood_perror(method) : 0;
    if (rc == 0) {
        printf("%s by %s\n", text, method);
    }
    brood_message_free(message);
    return rc;
}

int main(int argc, char **argv)
{
    brood_init(argc, argv);

    brood_connection *mine, *theirs;
    if (brood_pipe(&mine, &theirs, BROOD_DUPLEX)) {
        return brood_perror("pipe");
    }
    const int failed = say_hello_by(BROOD_SPAWN, mine, theirs) ||
                       say_hello_by(BROOD_FORK, mine, theirs) ||
                       say_hello_by(BROOD_FORKSERVER, mine, theirs);
    brood_connection_free(theirs);
    brood_connection_free(mine);
    return failed;
}

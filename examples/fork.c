/* A fork: the child goes on from here with a copy of everything, and talks to its parent. */
#include <brood.h>
#include <stdio.h>

static int be_the_child(brood_connection *parent)
{
    const int64_t self = brood_process_pid(brood_current_process());
    const int64_t other = brood_process_pid(brood_parent_process());
    if (brood_send(parent, BROOD_LIST(self, other), BROOD_FOREVER)) {
        return brood_perror("child");
    }
    return 0;
}

static int be_the_parent(brood_connection *child, int64_t pid)
{
    brood_message *message;
    int64_t self, other;
    if (brood_recv(child, &message, BROOD_FOREVER)) { /* also ends when the child dies */
        return brood_perror("parent");
    }
    if (BROOD_UNPACK(message, &self, &other)) {
        brood_message_free(message);
        return brood_perror("parent");
    }
    printf("the parent made %lld\n", (long long)pid);
    printf("the child is %lld, its parent %lld\n", (long long)self, (long long)other);
    brood_message_free(message);
    return 0;
}

int main(int argc, char **argv)
{
    brood_init(argc, argv);

    brood_connection *first, *second;
    if (brood_pipe(&first, &second, BROOD_DUPLEX)) {
        return brood_perror("pipe");
    }
    const int64_t pid = brood_fork();
    int status = 0;
    if (pid == BROOD_ENOTSUP) {
        printf("%s\n",
               brood_last_error()->message); /* it has start methods that do the same work */
    } else if (pid < 0) {
        status = brood_perror("fork");
    } else if (pid == 0) {
        brood_connection_close(first);
        status = be_the_child(second);
    } else {
        brood_connection_close(second); /* or the end of the child's would not be seen here */
        status = be_the_parent(first, pid);
    }
    brood_connection_free(first);
    brood_connection_free(second);
    return status;
}

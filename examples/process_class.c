/* A process with a state: the C form of subclassing Process. */
#include <brood.h>
#include <stdio.h>

/* No pointers in it, so its bytes travel; otherwise the class has functions to save and load it. */
typedef struct greeter {
    int times;
} greeter;

/* Runs in the child. */
static int greeter_run(void *state, brood_call *call)
{
    const greeter *self = state;
    const char *whom;
    int rc = BROOD_UNPACK(call, &whom);
    for (int i = 0; rc == 0 && i < self->times; i++) {
        printf("%s greets %s\n", brood_process_name(brood_current_process()), whom);
    }
    return rc;
}

static const brood_process_class greeter_class = {
    .size = sizeof greeter_class,
    .name = "Greeter",
    .state_size = sizeof(greeter),
    .run = greeter_run,
};

int main(int argc, char **argv)
{
    brood_init(argc, argv);

    brood_process *child;
    const greeter state = {.times = 3};
    if (brood_process_start_class(&child, &greeter_class, &state, BROOD_ARGS("world"), NULL)) {
        return brood_perror("start");
    }
    brood_process_join(child, BROOD_FOREVER);
    brood_process_free(child);
    return 0;
}

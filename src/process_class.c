/* A class means nothing elsewhere, so its functions travel, and the saved state:
 * (run, load or none, finalize or none, bytes of the state, what was saved). */
#include "process_class.h"

#include <brood/process_class.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "fault.h"
#include "options.h"
#include "process_object.h"

#define FIELDS 5
#define NAME_MAX_BYTES 200
#define CODE_MAX 255

typedef int (*load_function)(void *state, brood_value saved);
typedef int (*run_function)(void *state, brood_call *call);
typedef void (*finalize_function)(void *state);
typedef void (*any_function)(void);

/* Function pointers of all types can stand in for each other as long as nobody calls them so. */
static brood_value function_value(any_function function)
{
    return function != NULL ? brood_function_value((brood_function)function) : brood_none();
}

static any_function function_at(brood_value fields, size_t index)
{
    const brood_value value = brood_value_at(fields, index);

    return value.kind == BROOD_FUNCTION ? (any_function)value.as.function : NULL;
}

static void *new_state(size_t size)
{
    void *state = BROOD_ALLOC(calloc(1, size > 0 ? size : 1));

    if (state == NULL) {
        (void)brood_fail(BROOD_ENOMEM, "no memory for a state of %zu bytes", size);
    }
    return state;
}

/* What went wrong before stays the thread's last failure. */
static void finalize_state(finalize_function finalize, void *state)
{
    brood_failure failure = *brood_last_error();
    char words[BROOD_WORDS_SIZE];

    if (finalize == NULL) {
        return;
    }
    (void)snprintf(words, sizeof words, "%s", failure.message);
    failure.message = words;
    finalize(state);
    (void)brood_fail_as(&failure);
}

/* ---- the parent's side ---- */

static int check_class(brood_process_class *out, const brood_process_class *klass)
{
    int rc;

    if (klass == NULL) {
        return brood_fail(BROOD_EINVAL, "brood_process_start_class needs a class");
    }
    rc = brood_struct_read(out, sizeof *out, klass, "brood_process_class");
    if (rc) {
        return rc;
    }
    if (out->name == NULL) {
        out->name = "Process";
    }
    if (out->name[0] == '\0' || strlen(out->name) > NAME_MAX_BYTES) {
        return brood_fail(BROOD_EINVAL, "a class's name has 1 to %d bytes", NAME_MAX_BYTES);
    }
    if (out->run == NULL) {
        return brood_fail(BROOD_EINVAL, "class %s has no run", out->name);
    }
    if ((out->save == NULL) != (out->load == NULL)) {
        return brood_fail(BROOD_EINVAL, "class %s has one of save and load: give both or none",
                          out->name);
    }
    return 0;
}

/* What a function of the class returned, as a result of ours. */
static int judge(const brood_process_class *klass, const char *what, int rc)
{
    brood_failure failure;

    if (rc <= BROOD_EINVAL) {
        return brood_last_error()->error == rc
                   ? rc
                   : brood_fail(rc, "%s of class %s: %s", what, klass->name, brood_strerror(rc));
    }
    if (rc != 0) {
        (void)brood_fail(BROOD_ETASK, "%s of class %s returned %d", what, klass->name, rc);
        failure = *brood_last_error();
        failure.code = rc > 0 && rc <= CODE_MAX ? rc : CODE_MAX;
        return brood_fail_as(&failure);
    }
    return 0;
}

static int make_state(const brood_process_class *klass, void *state, const void *argument)
{
    if (klass->init != NULL) {
        return judge(klass, "init", klass->init(state, argument));
    }
    if (argument != NULL && klass->state_size > 0) {
        memcpy(state, argument, klass->state_size);
    }
    return 0;
}

static int save_state(const brood_process_class *klass, const void *state, brood_message **message,
                      brood_value *saved)
{
    int rc;

    if (klass->save == NULL) {
        *saved = brood_bytes(state, klass->state_size);
        return 0;
    }
    rc = judge(klass, "save", klass->save(state, message));
    if (rc == 0 && *message == NULL) {
        rc = brood_fail(BROOD_EINVAL, "save of class %s made no message", klass->name);
    }
    if (rc == 0) {
        *saved = brood_message_value(*message);
    }
    return rc;
}

static int start_with(brood_process **out, const brood_process_class *klass, const void *state,
                      const brood_args *args, const brood_process_options *options)
{
    brood_value fields[FIELDS];
    brood_work work = {"class", brood_tuple(fields, FIELDS), klass->name, false};
    brood_message *message = NULL;
    int rc = save_state(klass, state, &message, &fields[4]);

    if (rc == 0) {
        fields[0] = function_value((any_function)klass->run);
        fields[1] = function_value((any_function)klass->load);
        fields[2] = function_value((any_function)klass->finalize);
        fields[3] = brood_uint(klass->state_size);
        rc = brood_process_start_work(out, &work, args, options);
    }
    brood_message_free(message);
    return rc;
}

int brood_process_start_class(brood_process **out, const brood_process_class *klass,
                              const void *argument, const brood_args *args,
                              const brood_process_options *options)
{
    brood_process_class wanted;
    void *state;
    int rc;

    if (out == NULL) {
        return brood_fail(BROOD_EINVAL, "there is no place for the process: out is NULL");
    }
    *out = NULL;
    rc = check_class(&wanted, klass);
    if (rc) {
        return rc;
    }
    state = new_state(wanted.state_size);
    if (state == NULL) {
        return brood_last_error()->error;
    }
    rc = make_state(&wanted, state, argument);
    if (rc == 0) {
        rc = start_with(out, &wanted, state, args, options);
        finalize_state(wanted.finalize, state);
    }
    free(state);
    return rc;
}

/* ---- the child's side ---- */

static int load_state(brood_value klass, void *state, size_t size)
{
    const load_function load = (load_function)function_at(klass, 1);
    const brood_value saved = brood_value_at(klass, 4);
    const brood_view bytes = brood_as_view(saved);

    if (load != NULL) {
        return load(state, saved);
    }
    if (saved.kind != BROOD_BYTES || bytes.size != size) {
        return brood_fail(BROOD_EDECODE, "a state of %zu bytes came as %zu", size, bytes.size);
    }
    if (size > 0) {
        memcpy(state, bytes.data, size);
    }
    return 0;
}

int brood_process_class_run(brood_value klass, brood_call *call)
{
    const run_function run = (run_function)function_at(klass, 0);
    const finalize_function finalize = (finalize_function)function_at(klass, 2);
    const uint64_t size = brood_as_uint(brood_value_at(klass, 3), UINT64_MAX);
    void *state;
    int rc;

    if (run == NULL || size > SIZE_MAX) {
        return brood_fail(BROOD_EDECODE, "the start message has no class that can be run");
    }
    state = new_state((size_t)size);
    if (state == NULL) {
        return brood_last_error()->error;
    }
    rc = load_state(klass, state, (size_t)size);
    if (rc == 0) {
        rc = run(state, call);
        finalize_state(finalize, state);
    }
    free(state);
    return rc;
}

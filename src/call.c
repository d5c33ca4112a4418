#include "call.h"

#include <stdio.h>
#include <string.h>

#include "function.h"
#include "little_endian.h"
#include "message.h"
#include "object.h"
#include "opcode.h"
#include "platform.h"
#include "utf8.h"

#define OWN_CODE_MAX 255
#define RAISE_SIZE 500 /* bytes of words, see brood_raise */

/* What stands before the bytes of brood_return_room: PROTO 4, two values that are popped again, so
 * that the room begins at a multiple of 16, and BINBYTES8 with a size of 8 bytes. */
#define ROOM_HEAD 16
#define ROOM_SIZE_AT 8
static const unsigned char room_head[ROOM_SIZE_AT] = {
    BROOD_OP_PROTO,   4, BROOD_OP_NONE, BROOD_OP_POP,
    BROOD_OP_BININT1, 0, BROOD_OP_POP,  BROOD_OP_BINBYTES8,
};

void brood_call_init(brood_call *call, brood_value args, brood_value named)
{
    memset(call, 0, offsetof(brood_call, words)); /* a task may take less time than all of it */
    call->words[0] = '\0';
    call->asked = NULL;
    call->lane = NULL;
    call->entry = 0;
    if (args.kind == BROOD_TUPLE_KIND || args.kind == BROOD_LIST_KIND) {
        call->args = args.as.items;
        call->arg_count = (size_t)args.size;
    }
    if (named.kind == BROOD_DICT_KIND) {
        call->named = named.as.items;
        call->named_count = brood_value_count(named);
    }
    call->result = BROOD_BUFFER_NONE;
}

void brood_call_fini(brood_call *call)
{
    brood_buffer_release(&call->result);
}

size_t brood_call_count(const brood_call *call)
{
    return call != NULL ? call->arg_count : 0;
}

brood_value brood_call_arg(const brood_call *call, size_t index)
{
    return index < brood_call_count(call) ? call->args[index] : brood_none();
}

bool brood_call_named(const brood_call *call, const char *name, brood_value *out)
{
    size_t size = 0;

    if (call == NULL || name == NULL || out == NULL) {
        return false;
    }
    size = strlen(name);
    for (size_t i = call->named_count; i > 0; i--) {
        const brood_value *pair = &call->named[2 * (i - 1)];
        if (pair->kind == BROOD_STR && pair->size == size &&
            memcmp(pair->as.data, name, size) == 0) {
            *out = pair[1];
            return true;
        }
    }
    return false;
}

bool brood_call_cancelled(const brood_call *call)
{
    return call != NULL && ((call->asked != NULL && call->asked(call)) || brood_os_child_asked());
}

static int fail_no_call(void)
{
    return brood_fail(BROOD_EINVAL, "there is no call to return from");
}

static void set_result(brood_call *call, brood_buffer *result)
{
    brood_buffer_release(&call->result);
    call->result = *result;
}

/* A result outlives this process; what needs a handle cannot. */
static int save_for_result(void *user, brood_value object, brood_value *id)
{
    brood_arena *arena = user;

    if (object.kind == BROOD_FUNCTION) {
        return brood_function_save(arena, object.as.function, id);
    }
    return brood_fail(BROOD_ETYPE,
                      "%s cannot be a result, which is read when this process has ended: send it "
                      "over a connection",
                      brood_kind_a(object.kind));
}

int brood_return(brood_call *call, brood_value value)
{
    brood_arena arena = BROOD_ARENA_NONE;
    const brood_saver saver = {NULL, save_for_result, &arena};
    brood_buffer result = BROOD_BUFFER_NONE;
    brood_room room = brood_room_of_buffer(&result);
    int rc = 0;

    if (call == NULL) {
        return fail_no_call();
    }
    rc = brood_codec_encode(value, &saver, &room);
    brood_arena_release(&arena);
    if (rc != 0) {
        brood_buffer_release(&result);
        return rc;
    }
    set_result(call, &result);
    return 0;
}

int brood_return_room(brood_call *call, void **data, size_t size)
{
    brood_buffer result = BROOD_BUFFER_NONE;
    unsigned char *bytes = NULL;
    int rc = 0;

    if (call == NULL) {
        return fail_no_call();
    }
    if (data == NULL) {
        return brood_fail(BROOD_EINVAL, "there is no place for the address of the room");
    }
    if (size > SIZE_MAX - ROOM_HEAD - 1) {
        return brood_fail_nomem("a result");
    }
    rc = brood_buffer_new_zeroed(&result, ROOM_HEAD + size + 1);
    if (rc != 0) {
        return rc;
    }
    bytes = result.data;
    memcpy(bytes, room_head, sizeof room_head);
    brood_put_le64(bytes + ROOM_SIZE_AT, size);
    bytes[ROOM_HEAD + size] = BROOD_OP_STOP;
    set_result(call, &result);
    *data = bytes + ROOM_HEAD;
    return 0;
}

static int code_to_return(int code)
{
    if (code <= BROOD_EINVAL || (code >= 1 && code <= OWN_CODE_MAX)) {
        return code;
    }
    return OWN_CODE_MAX;
}

int brood_raise(brood_call *call, int code, const char *format, ...)
{
    va_list list;
    int size = 0;

    code = code_to_return(code);
    if (call == NULL) {
        return code;
    }
    va_start(list, format);
    size = vsnprintf(call->words, RAISE_SIZE + 1, format, list);
    va_end(list);
    if (size < 0) {
        (void)snprintf(call->words, RAISE_SIZE + 1, "%s", format);
    } else if (size > RAISE_SIZE) {
        call->words[brood_utf8_cut(call->words, RAISE_SIZE)] = '\0';
    }
    call->raised = true;
    call->code = code;
    return code;
}

int brood_call_end(const brood_call *call, int rc, char words[BROOD_WORDS_SIZE])
{
    const char *said = "";

    if (rc > OWN_CODE_MAX || (rc < 0 && rc > BROOD_EINVAL)) {
        (void)snprintf(words, BROOD_WORDS_SIZE,
                       "its function returned %d: codes are 0 to 255 and brood_error", rc);
        return OWN_CODE_MAX;
    }
    if (call->raised && call->code == rc) {
        said = call->words;
    } else if (rc < 0) {
        said = brood_last_error()->error == rc ? brood_last_error()->message : brood_strerror(rc);
    }
    (void)snprintf(words, BROOD_WORDS_SIZE, "%s", said);
    return rc;
}

#include <brood/pack.h>

#include "call.h"
#include "error.h"
#include "unpack_slot.h"

#define SHOWN_SIZE 100 /* bytes of a name that are worth showing */

/* What is unpacked: positional arguments, then named ones. */
typedef struct source {
    const char *noun; /* what one of them is called */
    const brood_value *items;
    size_t count;
    const brood_value *named; /* name, value in turn; of a list: tuples of both */
    size_t named_count;
    bool tuples;
} source;

static int shown(uint64_t size)
{
    return (int)(size < SHOWN_SIZE ? size : SHOWN_SIZE);
}

static const brood_value *pair_of(const source *s, size_t index)
{
    return s->tuples ? s->named[index].as.items : &s->named[2 * index];
}

/* ---- where the values are ---- */

/* A list or tuple is the list of arguments, which may end with named ones. */
static int open_value(source *s, const brood_value *value)
{
    bool list = value->kind == BROOD_TUPLE_KIND ||
                (value->kind == BROOD_LIST_KIND && (value->flags & BROOD_VALUE_SET) == 0);

    s->noun = "value";
    s->items = list ? value->as.items : value;
    s->count = list ? (size_t)value->size : 1;
    s->tuples = true;
    for (size_t i = 0; i < s->count; i++) {
        if ((s->items[i].flags & BROOD_VALUE_NAMED) != 0) {
            s->named = &s->items[i];
            s->named_count = s->count - i;
            s->count = i;
        }
    }
    for (size_t i = 0; i < s->named_count; i++) {
        if ((s->named[i].flags & BROOD_VALUE_NAMED) == 0) {
            return brood_fail(BROOD_EARGS, "a named argument stands before one without a name");
        }
    }
    return 0;
}

static int open_source(source *s, const brood_slot *slots, size_t count, brood_value *room)
{
    const brood_call *call = NULL;

    memset(s, 0, sizeof *s);
    if (slots == NULL || count == 0 || slots[0].out == NULL) {
        return brood_fail(BROOD_EINVAL, "there is nothing to unpack: the first argument is NULL");
    }
    switch (slots[0].type) {
    case BROOD_SLOT_SOURCE_CALL_:
        call = slots[0].out;
        s->noun = "argument";
        s->items = call->args;
        s->count = call->arg_count;
        s->named = call->named;
        s->named_count = call->named_count;
        return 0;
    case BROOD_SLOT_SOURCE_MESSAGE_:
        *room = brood_message_value(slots[0].out);
        return open_value(s, room);
    case BROOD_SLOT_SOURCE_VALUE_:
        return open_value(s, slots[0].out);
    default:
        return brood_fail(BROOD_EINVAL, "there is nothing to unpack: unknown source");
    }
}

static int fail_unexpected(const brood_value *name)
{
    brood_view view = brood_as_view(*name);

    return brood_fail(BROOD_EARGS, "unexpected named argument '%.*s'", shown(view.size),
                      view.data != NULL ? (const char *)view.data : "");
}

/* ---- BROOD_UNPACK ---- */

int brood_unpack_(const brood_slot *slots, size_t count)
{
    brood_value room = brood_none();
    source s;
    int rc = open_source(&s, slots, count, &room);

    if (rc != 0) {
        return rc;
    }
    if (s.named_count > 0) {
        return fail_unexpected(pair_of(&s, 0));
    }
    if (s.count != count - 1) {
        return brood_fail(BROOD_EARGS, "takes %zu %s%s, got %zu", count - 1, s.noun,
                          count == 2 ? "" : "s", s.count);
    }
    for (size_t i = 0; i < s.count; i++) {
        brood_unpack_place place = {s.noun, i + 1, NULL, 0};
        rc = brood_unpack_check(&slots[i + 1], s.items[i], &place);
        if (rc != 0) {
            return rc;
        }
    }
    for (size_t i = 0; i < s.count; i++) {
        brood_unpack_store(&slots[i + 1], s.items[i]);
    }
    return 0;
}

/* ---- BROOD_BIND ---- */

typedef struct parameter {
    const char *name;
    size_t size;
    bool optional;
    const brood_slot *slot;
} parameter;

static parameter parameter_of(const brood_slot *slots, size_t index)
{
    parameter p = {slots[1 + 2 * index].out, 0, false, &slots[2 + 2 * index]};

    p.size = strlen(p.name);
    if (p.size > 0 && p.name[p.size - 1] == '?') {
        p.size--;
        p.optional = true;
    }
    return p;
}

static bool is_named(const parameter *p, const brood_value *name)
{
    return name->kind == BROOD_STR && name->size == p->size &&
           (p->size == 0 || memcmp(name->as.data, p->name, p->size) == 0);
}

static int check_signature(const brood_slot *slots, size_t count)
{
    if (count % 2 == 0) {
        return brood_fail(BROOD_EINVAL, "a signature is pairs of a name and a pointer");
    }
    for (size_t i = 1; i < count; i += 2) {
        if (slots[i].type != BROOD_SLOT_NAME_ || slots[i].out == NULL) {
            return brood_fail(BROOD_EINVAL, "parameter %zu has no name", (i + 1) / 2);
        }
    }
    return 0;
}

/* Every name that was given has to be a parameter's. */
static int check_names(const source *s, const brood_slot *slots, size_t parameters)
{
    for (size_t i = 0; i < s->named_count; i++) {
        bool known = false;
        for (size_t j = 0; j < parameters && !known; j++) {
            parameter p = parameter_of(slots, j);
            known = is_named(&p, pair_of(s, i));
        }
        if (!known) {
            return fail_unexpected(pair_of(s, i));
        }
    }
    return 0;
}

/* The value for a parameter, by position or by name, and how many there are. */
static size_t find_value(const source *s, const parameter *p, size_t index,
                         const brood_value **value)
{
    size_t found = 0;

    *value = NULL;
    if (index < s->count) {
        *value = &s->items[index];
        found++;
    }
    for (size_t i = 0; i < s->named_count; i++) {
        if (is_named(p, pair_of(s, i))) {
            *value = pair_of(s, i) + 1;
            found++;
        }
    }
    return found;
}

static int check_parameter(const source *s, const brood_slot *slots, size_t index)
{
    parameter p = parameter_of(slots, index);
    brood_unpack_place place = {s->noun, index + 1, p.name, p.size};
    const brood_value *value = NULL;
    size_t found = find_value(s, &p, index, &value);

    if (found > 1) {
        return brood_fail(BROOD_EARGS, "argument '%.*s' is given twice", shown(p.size), p.name);
    }
    if (found == 1) {
        return brood_unpack_check(p.slot, *value, &place);
    }
    if (!p.optional) {
        return brood_fail(BROOD_EARGS, "argument '%.*s' is missing", shown(p.size), p.name);
    }
    return 0;
}

int brood_bind_(const brood_slot *slots, size_t count)
{
    brood_value room = brood_none();
    size_t parameters = (count - 1) / 2;
    source s;
    int rc = open_source(&s, slots, count, &room);

    rc = rc != 0 ? rc : check_signature(slots, count);
    if (rc == 0 && s.count > parameters) {
        rc = brood_fail(BROOD_EARGS, "takes at most %zu %s%s, got %zu", parameters, s.noun,
                        parameters == 1 ? "" : "s", s.count);
    }
    rc = rc != 0 ? rc : check_names(&s, slots, parameters);
    for (size_t i = 0; rc == 0 && i < parameters; i++) {
        rc = check_parameter(&s, slots, i);
    }
    for (size_t i = 0; rc == 0 && i < parameters; i++) {
        parameter p = parameter_of(slots, i);
        const brood_value *value = NULL;
        if (find_value(&s, &p, i, &value) > 0) {
            brood_unpack_store(p.slot, *value);
        }
    }
    return rc;
}

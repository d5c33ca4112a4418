#include "message_copy.h"

#include <stdlib.h>

#include "error.h"
#include "fault.h"
#include "object.h"
#include "sharing.h"
#include "value_check.h"

#define SMALL_DEPTH 12
#define NO_ENTRY SIZE_MAX

typedef struct frame {
    brood_value *next; /* to be replaced by its copy */
    brood_value *end;
    size_t entry; /* in the sharing */
    unsigned height;
} frame;

typedef struct copier {
    brood_message *message;
    frame *frames;
    unsigned depth;
    unsigned room;
    brood_sharing sharing;
    frame small[SMALL_DEPTH];
} copier;

static int fail_deep(void)
{
    return brood_fail(BROOD_ETOOBIG, "the value is nested deeper than %d", BROOD_DEPTH_MAX);
}

static void count_item(copier *c, unsigned height)
{
    if (c->depth > 0 && height > c->frames[c->depth - 1].height) {
        c->frames[c->depth - 1].height = height;
    }
}

/* Points `*value` to the copy that was made before. */
static int copy_again(copier *c, brood_value *value, const brood_shared *entry)
{
    if (entry->height == BROOD_SHARED_OPEN) {
        return brood_fail(BROOD_EINVAL, "the value contains itself");
    }
    if (c->depth + entry->height > BROOD_DEPTH_MAX) {
        return fail_deep();
    }
    value->as.data = entry->as.copy;
    count_item(c, entry->height);
    return 0;
}

static int look_up(copier *c, brood_value *value, size_t *entry, bool *done)
{
    int rc = 0;

    *done = false;
    *entry = NO_ENTRY;
    if (!brood_sharing_concerns(*value)) {
        return 0;
    }
    rc = brood_sharing_find(&c->sharing, *value, 0, entry, done);
    return rc == 0 && *done ? copy_again(c, value, &c->sharing.entries[*entry]) : rc;
}

static void *copy_bytes(copier *c, const brood_value *value)
{
    void *copy = NULL;

    if (value->kind == BROOD_STR) {
        return brood_arena_text(&c->message->arena, value->as.data, (size_t)value->size);
    }
    copy = brood_arena_alloc(&c->message->arena, (size_t)value->size);
    if (copy != NULL && value->size > 0) {
        memcpy(copy, value->as.data, (size_t)value->size);
    }
    return copy;
}

static int copy_text(copier *c, brood_value *value)
{
    size_t entry = NO_ENTRY;
    bool done = false;
    int rc = look_up(c, value, &entry, &done);
    void *copy = NULL;

    if (rc != 0 || done) {
        return rc;
    }
    copy = copy_bytes(c, value);
    if (copy == NULL) {
        return brood_fail_nomem("a message");
    }
    if (entry != NO_ENTRY) {
        c->sharing.entries[entry].height = 0;
        c->sharing.entries[entry].as.copy = copy;
    }
    value->as.data = copy;
    return 0;
}

static int grow_frames(copier *c)
{
    frame *frames = BROOD_ALLOC(malloc(BROOD_DEPTH_MAX * sizeof *frames));

    if (frames == NULL) {
        return brood_fail_nomem("a message");
    }
    memcpy(frames, c->small, c->depth * sizeof *frames);
    c->frames = frames;
    c->room = BROOD_DEPTH_MAX;
    return 0;
}

static int copy_container(copier *c, brood_value *value)
{
    size_t size = (size_t)value->size * sizeof *value;
    size_t entry = NO_ENTRY;
    bool done = false;
    brood_value *items = NULL;
    int rc = 0;

    if (c->depth >= BROOD_DEPTH_MAX) {
        return fail_deep();
    }
    if (value->size == 0) {
        value->as.items = NULL;
        count_item(c, 1);
        return 0;
    }
    rc = look_up(c, value, &entry, &done);
    if (rc == 0 && !done && c->depth == c->room) {
        rc = grow_frames(c);
    }
    if (rc != 0 || done) {
        return rc;
    }
    items = brood_arena_alloc(&c->message->arena, size);
    if (items == NULL) {
        return brood_fail_nomem("a message");
    }
    memcpy(items, value->as.items, size);
    c->frames[c->depth++] = (frame){items, items + value->size, entry, 0};
    c->sharing.entries[entry].as.copy = items;
    value->as.items = items;
    return 0;
}

static int copy_object(copier *c, brood_value *value)
{
    int rc = brood_message_reserve(c->message);

    if (rc == 0) {
        rc = brood_object_own(value);
    }
    if (rc == 0) {
        brood_message_keep(c->message, *value);
    }
    return rc;
}

/* Replaces what a borrowed value points to by a copy. */
static int copy_one(copier *c, brood_value *value)
{
    int rc = brood_value_check(value);

    if (rc != 0) {
        return rc;
    }
    switch (value->kind) {
    case BROOD_STR:
    case BROOD_BYTES:
        return copy_text(c, value);
    case BROOD_LIST_KIND:
    case BROOD_TUPLE_KIND:
    case BROOD_DICT_KIND:
        return copy_container(c, value);
    default:
        return brood_kind_is_object(value->kind) ? copy_object(c, value) : 0;
    }
}

static void close_frame(copier *c)
{
    const frame *top = &c->frames[--c->depth];

    c->sharing.entries[top->entry].height = (uint16_t)(top->height + 1);
    count_item(c, top->height + 1);
}

int brood_message_copy(brood_message *message, brood_value value)
{
    copier c;
    int rc = 0;

    c.message = message;
    c.frames = c.small;
    c.depth = 0;
    c.room = SMALL_DEPTH;
    brood_sharing_init(&c.sharing);
    message->value = value;
    rc = copy_one(&c, &message->value);
    while (rc == 0 && c.depth > 0) {
        frame *top = &c.frames[c.depth - 1];
        if (top->next == top->end) {
            close_frame(&c);
        } else {
            rc = copy_one(&c, top->next++);
        }
    }
    brood_sharing_fini(&c.sharing);
    if (c.frames != c.small) {
        free(c.frames);
    }
    return rc;
}

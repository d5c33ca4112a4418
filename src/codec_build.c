#include "codec_node.h"

#include <stdio.h>
#include <stdlib.h>

#include "codec_leaf.h"
#include "codec_memo.h"
#include "codec_scan.h"
#include "error.h"
#include "fault.h"
#include "little_endian.h"
#include "opcode.h"

#define SMALL_STACK 48
#define FIRST_STACK ((size_t)16384) /* values, which most messages need not */

#define MARK_KIND 0xfe /* on the stack; as.u64 is the mark below, 0: none */

typedef struct builder {
    brood_codec_reader in;
    size_t start; /* of the opcode that runs */
    brood_value *stack;
    size_t count;
    size_t room;
    size_t most; /* that the stack will ever hold */
    size_t mark; /* values up to and with the topmost mark; 0: none */
    const brood_loader *loader;
    brood_arena *scratch;
    brood_codec_memo memo;
    brood_value small[SMALL_STACK];
} builder;

static int fail_at(const builder *b, const char *words)
{
    return brood_fail(BROOD_EDECODE, "opcode %s at byte %zu %s",
                      brood_opcode_name(b->in.data[b->start]), b->start, words);
}

/* ---- the stack ---- */

/* A large one has at once all the room that the input can fill, in memory that costs nothing before it
 * is used. */
static int grow_stack(builder *b)
{
    size_t room = b->room < FIRST_STACK ? FIRST_STACK : b->most;
    brood_value *stack = BROOD_ALLOC(malloc(room * sizeof *stack));

    if (stack == NULL) {
        return brood_fail_nomem("decoding");
    }
    memcpy(stack, b->stack, b->count * sizeof *stack);
    if (b->stack != b->small) {
        free(b->stack);
    }
    b->stack = stack;
    b->room = room;
    return 0;
}

static inline int make_room(builder *b)
{
    return b->count < b->room ? 0 : grow_stack(b);
}

static int push(builder *b, const brood_value *value)
{
    int rc = make_room(b);

    if (rc == 0) {
        b->stack[b->count++] = *value;
    }
    return rc;
}

static int need(const builder *b, size_t count)
{
    return b->count - b->mark >= count ? 0 : fail_at(b, "finds too few values");
}

static int need_mark(const builder *b)
{
    return b->mark > 0 ? 0 : fail_at(b, "finds no MARK");
}

/* Takes the topmost mark off; the values above it are the caller's, their place is kept. */
static brood_value *drop_mark(builder *b, size_t *count)
{
    brood_value *mark = &b->stack[b->mark - 1];

    *count = b->count - b->mark;
    b->count = b->mark - 1;
    b->mark = (size_t)mark->as.u64;
    return mark + 1;
}

/* What becomes a dict's keys (step 2) or a set's items. */
static int check_keys(const builder *b, const brood_value *items, size_t count, size_t step)
{
    for (size_t i = 0; i < count; i += step) {
        if (!brood_codec_is_hashable(items[i])) {
            return fail_at(b, "makes a key of what cannot be one");
        }
    }
    return 0;
}

static int append(const builder *b, brood_value *container, const brood_value *items, size_t count)
{
    return brood_codec_node_append(container, items, count, b->in.arena, b->scratch);
}

/* ---- opcodes ---- */

static int run_tuple(builder *b, size_t count)
{
    int rc = need(b, count);

    if (rc == 0) {
        brood_value *items = b->stack + b->count - count;
        rc = brood_codec_node_fixed(items, BROOD_TUPLE_KIND, items, count, b->in.arena);
        b->count -= count - 1;
    }
    return rc;
}

/* What makes one container of all above the mark, in the mark's place. */
static int run_collect(builder *b, uint8_t opcode)
{
    brood_value *value = NULL;
    const brood_value *items = NULL;
    size_t count = 0;
    int rc = need_mark(b);

    if (rc != 0) {
        return rc;
    }
    items = drop_mark(b, &count);
    value = &b->stack[b->count++];
    switch (opcode) {
    case BROOD_OP_TUPLE:
        return brood_codec_node_fixed(value, BROOD_TUPLE_KIND, items, count, b->in.arena);
    case BROOD_OP_FROZENSET:
        rc = check_keys(b, items, count, 1);
        return rc != 0 ? rc
                       : brood_codec_node_fixed(value, BROOD_LIST_KIND, items, count, b->in.arena);
    case BROOD_OP_LIST:
        brood_codec_set_node(value, BROOD_LIST_KIND, 0, NULL);
        return append(b, value, items, count);
    default:
        brood_codec_set_node(value, BROOD_DICT_KIND, 0, NULL);
        rc = count % 2 == 0 ? check_keys(b, items, count, 2)
                            : fail_at(b, "finds a key without a value");
        return rc != 0 ? rc : append(b, value, items, count);
    }
}

/* Adds `items`, which were just taken off the stack, to the container that is on top now. */
static int add_items(builder *b, const brood_value *items, size_t count, unsigned kind, bool set)
{
    brood_value *container = NULL;
    int rc = need(b, 1);

    if (rc != 0) {
        return rc;
    }
    container = &b->stack[b->count - 1];
    if (container->kind != kind || (container->flags & BROOD_VALUE_FROZEN) != 0 ||
        ((container->flags & BROOD_VALUE_SET) != 0) != set) {
        return fail_at(b, "finds nothing that it can add to");
    }
    if (kind == BROOD_DICT_KIND && count % 2 != 0) {
        return fail_at(b, "finds a key without a value");
    }
    if (kind == BROOD_DICT_KIND || set) {
        rc = check_keys(b, items, count, set ? 1 : 2);
    }
    return rc != 0 ? rc : append(b, container, items, count);
}

static int run_add_marked(builder *b, unsigned kind, bool set)
{
    const brood_value *items = NULL;
    size_t count = 0;
    int rc = need_mark(b);

    if (rc == 0) {
        items = drop_mark(b, &count);
        rc = add_items(b, items, count, kind, set);
    }
    return rc;
}

static int run_add_some(builder *b, unsigned kind, size_t count)
{
    int rc = need(b, count + 1);

    if (rc == 0) {
        b->count -= count;
        rc = add_items(b, b->stack + b->count, count, kind, false);
    }
    return rc;
}

static int run_pop(builder *b)
{
    size_t count = 0;

    /* As Python does: without a value above it, the mark itself goes. */
    if (b->mark > 0 && b->mark == b->count) {
        (void)drop_mark(b, &count);
        return 0;
    }
    if (b->count == 0) {
        return need(b, 1);
    }
    b->count--;
    return 0;
}

static int run_pop_mark(builder *b)
{
    size_t count = 0;
    int rc = need_mark(b);

    if (rc == 0) {
        (void)drop_mark(b, &count);
    }
    return rc;
}

static int run_mark(builder *b)
{
    int rc = make_room(b);

    if (rc == 0) {
        b->stack[b->count].kind = MARK_KIND;
        b->stack[b->count].as.u64 = b->mark;
        b->mark = ++b->count;
    }
    return rc;
}

static int run_dup(builder *b)
{
    int rc = need(b, 1);

    rc = rc != 0 ? rc : brood_codec_node_give(&b->stack[b->count - 1], b->in.arena);
    rc = rc != 0 ? rc : make_room(b);
    if (rc == 0) {
        b->stack[b->count] = b->stack[b->count - 1];
        b->count++;
    }
    return rc;
}

static int run_put(builder *b, uint32_t index)
{
    brood_value *top = NULL;
    int rc = need(b, 1);

    if (rc != 0 || b->memo.values == NULL) {
        return rc;
    }
    top = &b->stack[b->count - 1];
    rc = brood_codec_node_give(top, b->in.arena);
    if (rc == 0) {
        brood_codec_memo_put(&b->memo, index, *top);
    }
    return rc;
}

static int run_get(builder *b, uint32_t index)
{
    const brood_value *value = brood_codec_memo_get(&b->memo, index);

    return value != NULL ? push(b, value) : fail_at(b, "asks for what was not kept");
}

/* Shared parts come in rows. */
static int run_gets(builder *b)
{
    const unsigned char *at = b->in.at;
    int rc = 0;

    for (; rc == 0 && at[0] == BROOD_OP_BINGET; at += 2) {
        b->start = (size_t)(at - b->in.data);
        rc = run_get(b, at[1]);
    }
    b->in.at = at;
    return rc;
}

/* The loader knows what is wrong with an id, but not where it is. */
static int fail_load(const builder *b)
{
    char where[64];

    (void)snprintf(where, sizeof where, "opcode BINPERSID at byte %zu", b->start);
    return brood_fail_prefix(where);
}

/* A scalar or a tuple of scalars. What was made of an id is none: a loader never meets its own
 * objects. */
static bool is_id(const brood_value *value)
{
    const brood_codec_node *node = NULL;
    const brood_value *items = NULL;

    if (value->kind != BROOD_TUPLE_KIND) {
        return value->kind < BROOD_LIST_KIND;
    }
    node = value->as.object;
    items = node != NULL ? node->items : NULL;
    for (size_t i = 0; items != NULL && i < node->count; i++) {
        if (items[i].kind >= BROOD_LIST_KIND) {
            return false;
        }
    }
    return items != NULL;
}

static int run_persistent(builder *b)
{
    brood_value object = brood_none();
    brood_value id;
    int rc = need(b, 1);

    if (rc != 0) {
        return rc;
    }
    if (b->loader == NULL) {
        return fail_at(b, "is not data");
    }
    id = b->stack[b->count - 1];
    if (!is_id(&id)) {
        return fail_at(b, "has an id that is too much");
    }
    if (id.kind == BROOD_TUPLE_KIND) {
        const brood_codec_node *node = id.as.object;
        id = brood_tuple(node->items, (size_t)node->count);
    }
    rc = b->loader->load(b->loader->user, b->in.arena, id, &object);
    if (rc == BROOD_EDECODE) {
        rc = fail_load(b);
    }
    if (rc == 0 && brood_codec_is_container(object)) {
        rc = fail_at(b, "stands for a container");
    }
    b->stack[b->count - 1] = object;
    return rc;
}

static int run_empty(builder *b, uint8_t opcode)
{
    brood_kind kind = BROOD_LIST_KIND;
    int rc = make_room(b);

    if (opcode == BROOD_OP_EMPTY_TUPLE) {
        kind = BROOD_TUPLE_KIND;
    } else if (opcode == BROOD_OP_EMPTY_DICT) {
        kind = BROOD_DICT_KIND;
    }
    if (rc == 0) {
        brood_codec_set_node(&b->stack[b->count++], kind,
                             opcode == BROOD_OP_EMPTY_SET ? BROOD_VALUE_SET : 0, NULL);
    }
    return rc;
}

/* Opcodes that only work on the stack. */
static int run_stack_opcode(builder *b, uint8_t opcode)
{
    switch (opcode) {
    case BROOD_OP_MARK:
        return run_mark(b);
    case BROOD_OP_POP:
        return run_pop(b);
    case BROOD_OP_POP_MARK:
        return run_pop_mark(b);
    case BROOD_OP_DUP:
        return run_dup(b);
    case BROOD_OP_TUPLE1:
    case BROOD_OP_TUPLE2:
    case BROOD_OP_TUPLE3:
        return run_tuple(b, (size_t)opcode - BROOD_OP_TUPLE1 + 1);
    case BROOD_OP_APPEND:
        return run_add_some(b, BROOD_LIST_KIND, 1);
    case BROOD_OP_SETITEM:
        return run_add_some(b, BROOD_DICT_KIND, 2);
    case BROOD_OP_APPENDS:
        return run_add_marked(b, BROOD_LIST_KIND, false);
    case BROOD_OP_SETITEMS:
        return run_add_marked(b, BROOD_DICT_KIND, false);
    case BROOD_OP_ADDITEMS:
        return run_add_marked(b, BROOD_LIST_KIND, true);
    case BROOD_OP_MEMOIZE:
        return run_put(b, (uint32_t)b->memo.filled);
    case BROOD_OP_BINPERSID:
        return run_persistent(b);
    case BROOD_OP_TUPLE:
    case BROOD_OP_FROZENSET:
    case BROOD_OP_LIST:
    case BROOD_OP_DICT:
        return run_collect(b, opcode);
    default:
        return run_empty(b, opcode);
    }
}

static int run_opcode(builder *b)
{
    const unsigned char *at = b->in.at;

    b->start = (size_t)(at - b->in.data);
    switch (at[0]) {
    case BROOD_OP_BINGET:
        return run_gets(b);
    case BROOD_OP_BINPUT:
        b->in.at = at + 2;
        return run_put(b, at[1]);
    case BROOD_OP_LONG_BINGET:
        b->in.at = at + 5;
        return run_get(b, brood_get_le32(at + 1));
    case BROOD_OP_LONG_BINPUT:
        b->in.at = at + 5;
        return run_put(b, brood_get_le32(at + 1));
    case BROOD_OP_FRAME:
        b->in.at = at + 9;
        return 0;
    default:
        b->in.at = at + 1;
        return run_stack_opcode(b, at[0]);
    }
}

static int run_leaves(builder *b)
{
    int rc = make_room(b);
    brood_value *top = b->stack + b->count;

    if (rc == 0) {
        rc = brood_codec_read_leaves(&b->in, &top, b->stack + b->room);
        b->count = (size_t)(top - b->stack);
    }
    return rc;
}

static int run_all(builder *b)
{
    int rc = 0;

    while (rc == 0 && *b->in.at != BROOD_OP_STOP) {
        bool leaf = (brood_opcode_forms[*b->in.at] & BROOD_FORM_LEAF) != 0;
        rc = leaf ? run_leaves(b) : run_opcode(b);
    }
    b->start = rc == 0 ? (size_t)(b->in.at - b->in.data) : b->start;
    return rc;
}

static int finish(const builder *b, brood_value *out)
{
    if (b->mark != 0 || b->count != 1) {
        return fail_at(b, b->mark == 0 && b->count == 0 ? "finds no value"
                                                        : "finds more than one value");
    }
    *out = b->stack[0];
    return 0;
}

int brood_codec_build(brood_codec_reader *in, const brood_codec_counts *counts,
                      const brood_loader *loader, brood_arena *scratch, brood_value *out)
{
    builder b;
    int rc = 0;

    b.in = *in;
    b.stack = b.small;
    b.count = 0;
    b.room = SMALL_STACK;
    b.most = counts->pushes;
    b.mark = 0;
    b.loader = loader;
    b.scratch = scratch;
    rc = brood_codec_memo_init(&b.memo, counts);
    if (rc != 0) {
        return rc;
    }
    rc = run_all(&b);
    rc = rc != 0 ? rc : finish(&b, out);
    in->ends = b.in.ends;
    brood_codec_memo_fini(&b.memo);
    if (b.stack != b.small) {
        free(b.stack);
    }
    return rc;
}

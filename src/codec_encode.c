#include "codec.h"

#include <assert.h>
#include <stdlib.h>

#include "codec_write.h"
#include "error.h"
#include "fault.h"
#include "object.h"
#include "sharing.h"
#include "value_check.h"

#define SMALL_DEPTH 12
#define HEAD_SIZE 2 /* PROTO and its number */

#define HASHED 0x80       /* a context of its own: sets are frozen there */
#define NO_ENTRY SIZE_MAX /* nothing is shared, so nobody has to remember */

/* Which of a container's items Python hashes. */
typedef enum keys {
    KEYS_NONE,
    KEYS_ALL,
    KEYS_EVEN
} keys;

typedef struct frame {
    const brood_value *value;
    const brood_value *next;
    const brood_value *end;
    uint64_t total;
    size_t entry; /* in the sharing */
    unsigned height;
    keys keys;
    bool frozen;
} frame;

typedef struct encoder {
    unsigned char *at; /* NULL: only count */
    uint64_t size;
    uint64_t total;
    const brood_saver *saver;
    frame *frames;
    unsigned depth;
    unsigned room;
    uint32_t shares;  /* parts that come more than once */
    size_t last;      /* the first pass: the entry that came again most recently */
    uint32_t written; /* the second pass: entries so far */
    size_t repeated;  /* and repeats */
    brood_sharing sharing;
    brood_repeats repeats;
    frame small[SMALL_DEPTH];
} encoder;

static int check_key(const brood_value *value)
{
    bool set = (value->flags & BROOD_VALUE_SET) != 0;

    if (value->kind == BROOD_DICT_KIND || (value->kind == BROOD_LIST_KIND && !set)) {
        return brood_fail(BROOD_ETYPE, "%s cannot be a key or in a set", brood_kind_a(value->kind));
    }
    return 0;
}

/* ---- parts that come more than once ---- */

static uint64_t add_totals(uint64_t a, uint64_t b)
{
    return a + b >= a ? a + b : UINT64_MAX;
}

static void count_item(encoder *e, uint64_t total, unsigned height)
{
    if (e->depth == 0) {
        e->total = total;
    } else {
        frame *top = &e->frames[e->depth - 1];
        top->total = add_totals(top->total, total);
        top->height = height > top->height ? height : top->height;
    }
}

static int fail_deep(void)
{
    return brood_fail(BROOD_ETOOBIG, "the value is nested deeper than %d", BROOD_DEPTH_MAX);
}

static int count_again(encoder *e, size_t index)
{
    brood_shared *entry = &e->sharing.entries[index];

    if (entry->height == BROOD_SHARED_OPEN) {
        return brood_fail(BROOD_EINVAL, "the value contains itself");
    }
    if (e->depth + entry->height > BROOD_DEPTH_MAX) {
        return fail_deep();
    }
    if (entry->number == BROOD_SHARED_ONCE) {
        entry->number = e->shares++;
        e->size += brood_codec_memo_size(entry->number);
    }
    e->size += brood_codec_memo_size(entry->number);
    count_item(e, entry->as.total, entry->height);
    e->last = index;
    return brood_repeats_add(&e->repeats, e->sharing.count, index);
}

static bool is_last(const encoder *e, const brood_value *value)
{
    const brood_shared *last = &e->sharing.entries[e->last];

    return last->data == value->as.data && last->size == value->size && last->kind == value->kind &&
           last->flags == value->flags;
}

/* The second pass meets the same parts in the same order. Is it a known one's turn? */
static inline bool comes_again(const encoder *e)
{
    return e->repeated < e->repeats.count && e->repeats.items[e->repeated].before == e->written;
}

static inline void write_again(encoder *e)
{
    uint32_t entry = e->repeats.items[e->repeated++].entry;

    e->at = brood_codec_write_memo(e->at, false, e->sharing.entries[entry].number);
}

/* Sets `*done` if a reference to what came before is all that it takes. */
static int look_up(encoder *e, const brood_value *value, uint8_t context, size_t *entry, bool *done)
{
    bool found = false;
    int rc = 0;

    *done = false;
    *entry = NO_ENTRY;
    if (e->at != NULL) {
        *done = comes_again(e);
        if (*done) {
            write_again(e);
        } else {
            *entry = e->written++;
        }
        return 0;
    }
    rc = brood_sharing_find(&e->sharing, *value, context, entry, &found);
    if (rc == 0 && found) {
        *done = true;
        rc = count_again(e, *entry);
    }
    return rc;
}

/* Behind a part that was written or counted for the first time. */
static void remember(encoder *e, size_t index, uint64_t total, unsigned height)
{
    brood_shared *entry = NULL;

    if (index == NO_ENTRY) {
        return;
    }
    entry = &e->sharing.entries[index];
    if (e->at == NULL) {
        entry->as.total = total;
        entry->height = (uint16_t)height;
    } else if (entry->number != BROOD_SHARED_ONCE) {
        e->at = brood_codec_write_memo(e->at, true, entry->number);
    }
}

/* ---- values ---- */

static void encode_leaf(encoder *e, const brood_value *value)
{
    if (e->at == NULL) {
        e->size += brood_codec_leaf_size(value);
    } else {
        e->at = brood_codec_write_leaf(e->at, value);
    }
}

static void encode_opcode(encoder *e, uint8_t opcode)
{
    if (e->at == NULL) {
        e->size++;
    } else {
        *e->at++ = opcode;
    }
}

static void encode_opening(encoder *e, const brood_value *value, bool frozen)
{
    size_t size = brood_codec_opening(e->at, value, frozen);

    if (e->at == NULL) {
        e->size += size;
    } else {
        e->at += size;
    }
}

static void encode_closing(encoder *e, const brood_value *value, bool frozen)
{
    uint8_t opcode = brood_codec_closing(value, frozen);

    if (opcode != 0) {
        encode_opcode(e, opcode);
    }
}

static int encode_text(encoder *e, const brood_value *value)
{
    size_t entry = NO_ENTRY;
    bool done = false;
    int rc = brood_sharing_concerns(*value) ? look_up(e, value, 0, &entry, &done) : 0;

    if (rc == 0 && !done) {
        encode_leaf(e, value);
        remember(e, entry, 1, 0);
        count_item(e, 1, 0);
    }
    return rc;
}

/* What the saver's answer may be: see brood_saver. */
static int encode_id_part(encoder *e, const brood_value *value)
{
    int rc = brood_value_check(value);

    if (rc == 0 && value->kind >= BROOD_LIST_KIND) {
        rc = brood_fail(BROOD_EINVAL, "an object's id has %s in it", brood_kind_a(value->kind));
    }
    if (rc == 0) {
        encode_leaf(e, value);
    }
    return rc;
}

static int encode_persistent(encoder *e, const brood_value *value)
{
    brood_value id = brood_none();
    int rc = 0;

    if (e->saver == NULL) {
        return brood_fail(BROOD_ETYPE, "%s cannot be sent here", brood_kind_a(value->kind));
    }
    rc = e->saver->save(e->saver->user, *value, &id);
    if (rc == 0 && id.kind != BROOD_TUPLE_KIND) {
        rc = encode_id_part(e, &id);
    } else if (rc == 0) {
        encode_opening(e, &id, false);
        for (size_t i = 0; rc == 0 && i < id.size; i++) {
            rc = encode_id_part(e, &id.as.items[i]);
        }
        encode_closing(e, &id, false);
    }
    if (rc == 0) {
        encode_opcode(e, BROOD_OP_BINPERSID);
        count_item(e, 1, 0);
    }
    return rc;
}

static int grow_frames(encoder *e)
{
    frame *frames = BROOD_ALLOC(malloc(BROOD_DEPTH_MAX * sizeof *frames));

    if (frames == NULL) {
        return brood_fail_nomem("encoding");
    }
    memcpy(frames, e->small, e->depth * sizeof *frames);
    e->frames = frames;
    e->room = BROOD_DEPTH_MAX;
    return 0;
}

static int open_frame(encoder *e, const brood_value *value, size_t entry, bool hashed, bool frozen)
{
    frame *top = NULL;
    int rc = e->depth == e->room ? grow_frames(e) : 0;

    if (rc != 0) {
        return rc;
    }
    top = &e->frames[e->depth++];
    top->value = value;
    top->next = value->as.items;
    top->end = value->as.items + value->size;
    top->total = 1;
    top->entry = entry;
    top->height = 0;
    top->frozen = frozen;
    top->keys = hashed ? KEYS_ALL : KEYS_NONE;
    if (value->kind == BROOD_DICT_KIND) {
        top->keys = KEYS_EVEN;
    } else if (value->kind == BROOD_LIST_KIND && (value->flags & BROOD_VALUE_SET) != 0) {
        top->keys = KEYS_ALL;
    }
    return 0;
}

static int encode_container(encoder *e, const brood_value *value, bool hashed)
{
    bool set = value->kind == BROOD_LIST_KIND && (value->flags & BROOD_VALUE_SET) != 0;
    uint8_t context = (uint8_t)((set ? BROOD_VALUE_SET : 0) | (hashed ? HASHED : 0));
    size_t entry = NO_ENTRY;
    bool done = false;
    int rc = 0;

    if (e->depth >= BROOD_DEPTH_MAX) {
        return fail_deep();
    }
    if (value->size == 0) {
        encode_opening(e, value, set && hashed);
        encode_closing(e, value, set && hashed);
        count_item(e, 1, 1);
        return 0;
    }
    rc = look_up(e, value, context, &entry, &done);
    if (rc != 0 || done) {
        return rc;
    }
    rc = open_frame(e, value, entry, hashed, set && hashed);
    if (rc == 0) {
        encode_opening(e, value, set && hashed);
    }
    return rc;
}

static void close_frame(encoder *e)
{
    const frame *top = &e->frames[--e->depth];

    encode_closing(e, top->value, top->frozen);
    remember(e, top->entry, top->total, top->height + 1);
    count_item(e, top->total, top->height + 1);
}

static int encode_one(encoder *e, const brood_value *value, bool hashed)
{
    int rc = e->at == NULL ? brood_value_check(value) : 0;

    if (rc == 0 && hashed) {
        rc = check_key(value);
    }
    if (rc != 0) {
        return rc;
    }
    switch (value->kind) {
    case BROOD_NONE:
    case BROOD_BOOL:
    case BROOD_INT:
    case BROOD_UINT:
    case BROOD_FLOAT:
        encode_leaf(e, value);
        count_item(e, 1, 0);
        return 0;
    case BROOD_STR:
    case BROOD_BYTES:
        return encode_text(e, value);
    case BROOD_LIST_KIND:
    case BROOD_TUPLE_KIND:
    case BROOD_DICT_KIND:
        return encode_container(e, value, hashed);
    default:
        return encode_persistent(e, value);
    }
}

static void encode_plain(encoder *e, frame *top)
{
    const brood_value *first = top->next;

    top->next = e->at == NULL ? brood_codec_count_plain(first, top->end, &e->size)
                              : brood_codec_write_plain(first, top->end, &e->at);
    top->total = add_totals(top->total, (uint64_t)(top->next - first));
}

/* Goes past the top frame's next items as long as they are known to come again without a look: in the
 * first pass, what came again most recently. */
static int encode_row(encoder *e, frame *top)
{
    int rc = 0;

    if (e->at != NULL) {
        for (; top->next < top->end && comes_again(e) && brood_sharing_concerns(*top->next);
             top->next++) {
            write_again(e);
        }
        return 0;
    }
    if (e->repeats.count == 0 || top->keys != KEYS_NONE) {
        return 0;
    }
    while (rc == 0 && top->next < top->end && is_last(e, top->next)) {
        rc = count_again(e, e->last);
        top->next++;
    }
    return rc;
}

/* The top frame's next item. */
static int encode_next(encoder *e, frame *top)
{
    const brood_value *item = top->next++;
    bool even = ((item - top->value->as.items) & 1) == 0;

    return encode_one(e, item, top->keys == KEYS_ALL || (top->keys == KEYS_EVEN && even));
}

/* One pass. */
static int encode_all(encoder *e, const brood_value *value)
{
    int rc = 0;

    e->depth = 0;
    e->written = 0;
    e->repeated = 0;
    if (e->saver != NULL && e->saver->begin != NULL) {
        e->saver->begin(e->saver->user);
    }
    rc = encode_one(e, value, false);
    while (rc == 0 && e->depth > 0) {
        frame *top = &e->frames[e->depth - 1];
        encode_plain(e, top);
        if (top->next == top->end) {
            close_frame(e);
        } else {
            rc = encode_next(e, top);
            rc = rc != 0 ? rc : encode_row(e, &e->frames[e->depth - 1]);
        }
    }
    return rc;
}

static int encode_into(encoder *e, const brood_value *value, const brood_room *room)
{
    void *data = NULL;
    int rc = encode_all(e, value);

    if (rc == 0 && e->total > brood_codec_total_max(e->size)) {
        rc = brood_fail(BROOD_ETOOBIG, "the value stands for more than %llu values",
                        (unsigned long long)brood_codec_total_max(e->size));
    }
    if (rc == 0 && e->size > SIZE_MAX) {
        rc = brood_fail(BROOD_ETOOBIG, "the value is too big for this system");
    }
    rc = rc != 0 ? rc : room->reserve(room->user, (size_t)e->size, &data);
    if (rc == 0) {
        e->at = data;
        e->at[0] = BROOD_OP_PROTO;
        e->at[1] = 4;
        e->at += HEAD_SIZE;
        rc = encode_all(e, value);
    }
    if (rc == 0) {
        *e->at++ = BROOD_OP_STOP;
        assert(e->at == (unsigned char *)data + e->size);
    }
    return rc;
}

int brood_codec_encode(brood_value value, const brood_saver *saver, const brood_room *room)
{
    encoder e;
    int rc = 0;

    e.at = NULL;
    e.size = HEAD_SIZE + 1;
    e.total = 0;
    e.saver = saver;
    e.frames = e.small;
    e.room = SMALL_DEPTH;
    e.shares = 0;
    e.last = 0;
    e.repeats = (brood_repeats){NULL, 0, 0};
    brood_sharing_init(&e.sharing);
    rc = encode_into(&e, &value, room);
    brood_sharing_fini(&e.sharing);
    free(e.repeats.items);
    if (e.frames != e.small) {
        free(e.frames);
    }
    return rc;
}

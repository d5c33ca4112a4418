/* Where tasks get their arguments from. */
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "fault.h"
#include "function.h"
#include "message.h"
#include "object.h"
#include "pool_object.h"

#define READ_AT_ONCE 64u /* inputs of an array, before they are given out */

/* ---- encoding ---- */

int brood_task_save(void *user, brood_value object, brood_value *id)
{
    if (object.kind == BROOD_FUNCTION) {
        return brood_function_save(user, object.as.function, id);
    }
    return brood_fail(BROOD_ENOTSUP,
                      "a %s cannot be in the arguments of a task: the initializer's arguments "
                      "carry it to the workers",
                      brood_kind_name(object.kind));
}

/* Memory for an encoded argument. */
typedef struct task_room {
    brood_arena *arena; /* NULL: of its own */
    brood_view data;
} task_room;

static int reserve_task(void *user, size_t size, void **data)
{
    task_room *room = user;
    void *place = room->arena != NULL ? brood_arena_alloc_aligned(room->arena, size, 1)
                                      : BROOD_ALLOC(malloc(size));

    if (place == NULL) {
        return brood_fail_nomem("the arguments of a task");
    }
    room->data.data = place;
    room->data.size = size;
    *data = place;
    return 0;
}

int brood_item_encode(brood_item *item, brood_arena *arena, brood_value value)
{
    brood_arena ids = BROOD_ARENA_NONE;
    const brood_saver saver = {NULL, brood_task_save, &ids};
    task_room memory = {arena, {NULL, 0}};
    const brood_room room = {reserve_task, &memory};
    const brood_yard *yard = &item->job->pool->yard;
    int rc = brood_codec_encode(value, &saver, &room);

    brood_arena_release(&ids);
    if (rc == 0 && memory.data.size > yard->units * BROOD_YARD_UNIT &&
        memory.data.size > BROOD_LANE_SMALL) {
        rc = brood_fail(BROOD_ETOOBIG, "arguments of %zu bytes: the pool's capacity is %zu",
                        memory.data.size, yard->units * BROOD_YARD_UNIT);
    }
    if (rc && arena == NULL) {
        free((void *)memory.data.data);
    } else if (rc == 0) {
        item->input = memory.data;
    }
    return rc;
}

/* ---- reading ---- */

int brood_inputs_check(const brood_inputs *inputs)
{
    if (inputs == NULL) {
        return brood_fail(BROOD_EINVAL, "the inputs are NULL");
    }
    if ((inputs->items != NULL) + (inputs->bytes != NULL) + (inputs->next != NULL) > 1) {
        return brood_fail(BROOD_EINVAL, "inputs of more than one kind");
    }
    if (inputs->items == NULL && inputs->bytes == NULL && inputs->next == NULL &&
        inputs->count > 0) {
        return brood_fail(BROOD_EINVAL, "%zu inputs at NULL", inputs->count);
    }
    return 0;
}

/* The input number `index`; BROOD_EEND if there is none. */
static int read_one(const brood_inputs *inputs, size_t index, brood_value *value)
{
    if (inputs->next != NULL) {
        *value = brood_none();
        return inputs->next(inputs->user, value);
    }
    if (index >= inputs->count) {
        return BROOD_EEND;
    }
    *value =
        inputs->items != NULL
            ? inputs->items[index]
            : brood_bytes((const char *)inputs->bytes + index * inputs->stride, inputs->stride);
    return 0;
}

/* What the program's function returned, in words if it gave any. */
static int say_read_failed(int rc)
{
    if (rc > 0) {
        return brood_fail(BROOD_EINVAL, "the inputs' function returned %d: 0 or a brood_error", rc);
    }
    return brood_last_error()->error == rc
               ? rc
               : brood_fail(rc, "the inputs ended: %s", brood_strerror(rc));
}

/* ---- map: all of them ---- */

static int grow(brood_job *job, size_t *room, size_t least)
{
    const size_t wanted = *room * 2 > least ? *room * 2 : least;
    brood_item *items = wanted < SIZE_MAX / sizeof *items
                            ? BROOD_ALLOC(realloc(job->items, wanted * sizeof *items))
                            : NULL;

    if (items == NULL) {
        return brood_fail_nomem("the inputs of a map");
    }
    job->items = items;
    *room = wanted;
    return 0;
}

static void init_item(brood_item *item, brood_job *job, size_t index)
{
    memset(item, 0, sizeof *item);
    item->job = job;
    item->index = index;
    item->tries_left = job->options.retries;
}

static int make_values(brood_job *job)
{
    if (job->count == 0) {
        return 0;
    }
    job->values = brood_arena_alloc(&job->values_arena, job->count * sizeof *job->values);
    if (job->values == NULL) {
        return brood_fail_nomem("the results of a map");
    }
    for (size_t i = 0; i < job->count; i++) {
        job->values[i] = brood_none();
    }
    return 0;
}

int brood_inputs_read(brood_job *job, const brood_inputs *inputs)
{
    const size_t workers = 4 * (size_t)job->pool->count;
    size_t room = 0;
    brood_value value;
    int rc = inputs->count > 0 ? grow(job, &room, inputs->count) : 0;

    while (rc == 0 && (rc = read_one(inputs, job->count, &value)) == 0) {
        rc = job->count == room ? grow(job, &room, 16) : 0;
        if (rc == 0) {
            init_item(&job->items[job->count], job, job->count);
            rc = brood_item_encode(&job->items[job->count], &job->arena, value);
        }
        if (rc) {
            return rc;
        }
        job->count++;
    }
    if (rc != BROOD_EEND) {
        return inputs->next != NULL ? say_read_failed(rc) : rc;
    }
    if (job->options.chunksize == 0) {
        job->chunksize = (job->count + workers - 1) / workers;
    }
    return make_values(job);
}

/* ---- imap: a few at a time ---- */

static int make_item(brood_job *job, brood_item **out)
{
    brood_item *item;
    brood_value value;
    int rc = read_one(&job->inputs, job->input_index, &value);

    if (rc) {
        return rc == BROOD_EEND ? rc : say_read_failed(rc);
    }
    item = BROOD_ALLOC(malloc(sizeof *item));
    if (item == NULL) {
        return brood_fail_nomem("a task");
    }
    init_item(item, job, job->input_index);
    rc = brood_item_encode(item, NULL, value);
    if (rc) {
        free(item);
        return rc;
    }
    job->input_index++;
    *out = item;
    return 0;
}

static void take_up(brood_job *job, brood_item *item)
{
    item->earlier = job->latest;
    if (job->latest != NULL) {
        job->latest->later = item;
    } else {
        job->live = item;
    }
    job->latest = item;
    job->count++;
    if (job->inputs_end) { /* cancelled meanwhile */
        (void)brood_fail(BROOD_ECANCELLED, "the task was cancelled");
        brood_item_fail(item);
    } else {
        brood_job_add(job, item, false);
    }
}

/* Reads up to `count` inputs without the mutex. False at their end. */
static bool read_some(brood_job *job, size_t count)
{
    brood_pool *pool = job->pool;
    brood_item *items[READ_AT_ONCE];
    size_t n = 0;
    int rc = 0;

    brood_os_mutex_unlock(&pool->mutex);
    while (n < count && (rc = make_item(job, &items[n])) == 0) {
        n++;
    }
    brood_os_mutex_lock(&pool->mutex);
    for (size_t i = 0; i < n; i++) {
        take_up(job, items[i]);
    }
    if (rc && !job->inputs_end) {
        job->inputs_end = true;
        if (rc != BROOD_EEND) {
            job->input_failure = brood_failure_keep(brood_last_error());
        }
    }
    if (job->wait_count > 0) {
        brood_job_queue(job, false);
    }
    brood_pool_place(pool);
    return !job->inputs_end;
}

void brood_inputs_refill(brood_job *job, bool all, int64_t deadline_ns)
{
    const size_t most = job->inputs.next != NULL ? 1 : READ_AT_ONCE;
    bool more = !job->reading && !job->inputs_end;

    if (!more) {
        return;
    }
    job->reading = true;
    while (more) {
        const size_t ahead = job->count - job->taken;
        const size_t room = all ? most : ahead < job->window ? job->window - ahead : 0;

        if (room == 0 || (all && brood_deadline_passed(deadline_ns))) {
            break;
        }
        more = read_some(job, room < most ? room : most);
    }
    job->reading = false;
    brood_job_settle(job);
}

/* Waiting for several objects: which are ready, and what to look at again. What sleeps is the
 * port's. */
#include <brood/wait.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection.h"
#include "deadline.h"
#include "error.h"
#include "event.h"
#include "fault.h"
#include "object.h"
#include "pool_wait.h"
#include "process_object.h"
#include "queue.h"
#include "waiter.h"

#define SMALL_COUNT 8 /* items that are waited for without allocating */

/* Between looks at processes of whose end no handle tells for certain; after a handle has told too
 * early the first look comes soon. */
#define LOOK_NS ((int64_t)20 * 1000 * 1000)
#define FIRST_LOOK_NS ((int64_t)1000 * 1000)

/* One per item. */
typedef struct watch {
    brood_waiter waiter; /* in the object's list */
    bool spent;          /* its handle has told too early and tells nothing any more */
} watch;

typedef struct wait_list {
    const brood_wait_item *items;
    size_t count;
    brood_os_waitable *things; /* one per item */
    watch *watches;
    brood_os_waker *waker;
    size_t hints;    /* things to look at now and again */
    bool shared;     /* some are raised by processes that may die on the way: look each slice */
    int64_t look_ns; /* how soon */
    brood_os_waitable small_things[SMALL_COUNT];
    watch small_watches[SMALL_COUNT];
} wait_list;

/* ---- one item ---- */

static int watch_process(brood_process *process, const watch *ours, brood_os_waitable *thing)
{
    const int rc = brood_process_check(process);

    if (rc) {
        return rc;
    }
    if (process->relation == BROOD_PROCESS_CURRENT) {
        return brood_fail(BROOD_EDEADLK, "%s would wait for its own end", process->name);
    }
    brood_os_process_watch(&process->os, thing);
    thing->ready = thing->hint && brood_process_is_over(process);
    if (ours->spent) {
        thing->handle = BROOD_NO_HANDLE;
    }
    return 0;
}

static int watch_object(brood_value object, watch *ours, brood_os_waitable *thing)
{
    *thing = (brood_os_waitable){BROOD_NO_HANDLE, false, false};
    switch (object.kind) {
    case BROOD_NONE:
        return 0;
    case BROOD_CONNECTION:
        return brood_connection_watch(object.as.object, &ours->waiter, thing);
    case BROOD_PROCESS:
        return watch_process(object.as.object, ours, thing);
    case BROOD_QUEUE:
        return brood_queue_watch(object.as.object, thing);
    case BROOD_EVENT:
        return brood_event_watch(object.as.object, thing);
    case BROOD_HANDLE:
        thing->handle = (brood_os_handle)object.as.i64;
        return 0;
    case BROOD_RESULT:
    case BROOD_RESULTS:
        return brood_result_watch(object, &ours->waiter, thing);
    default:
        return brood_fail(BROOD_ETYPE, "a value of kind %s is nothing to wait for",
                          brood_kind_name(object.kind));
    }
}

static void unwatch_object(brood_value object, brood_waiter *waiter)
{
    if (object.kind == BROOD_CONNECTION) {
        brood_connection_unwatch(object.as.object, waiter);
    } else {
        brood_result_unwatch(object, waiter);
    }
}

/* What the system says is ready: is it? */
static bool confirm(wait_list *list, size_t index)
{
    const brood_value object = list->items[index].object;
    brood_os_waitable *thing = &list->things[index];

    if (object.kind == BROOD_CONNECTION) {
        return brood_connection_confirm(object.as.object);
    }
    if (object.kind == BROOD_QUEUE) {
        return brood_queue_confirm(object.as.object);
    }
    if (object.kind == BROOD_EVENT) {
        return brood_event_confirm(object.as.object);
    }
    if (object.kind == BROOD_PROCESS && thing->hint && !brood_process_is_over(object.as.object)) {
        list->watches[index].spent = true;
        list->look_ns = FIRST_LOOK_NS;
        return false;
    }
    return true;
}

/* ---- all of them ---- */

static int say_which(size_t index)
{
    char words[32];

    (void)snprintf(words, sizeof words, "item %zu", index);
    return brood_fail_prefix(words);
}

/* Looks at every item; `*found` if one is ready without asking the system, `*open` if that could
 * tell of others. */
static int look_at_all(wait_list *list, bool *found, bool *open)
{
    *found = false;
    *open = false;
    list->hints = 0;
    list->shared = false;
    for (size_t i = 0; i < list->count; i++) {
        brood_os_waitable *thing = &list->things[i];
        const int rc = watch_object(list->items[i].object, &list->watches[i], thing);

        if (rc) {
            return say_which(i);
        }
        if (thing->ready) {
            *found = true;
            thing->handle = BROOD_NO_HANDLE;
        } else {
            list->hints += thing->hint;
            list->shared = list->shared || list->items[i].object.kind == BROOD_QUEUE ||
                           list->items[i].object.kind == BROOD_EVENT;
            *open = *open || thing->handle != BROOD_NO_HANDLE;
        }
    }
    return 0;
}

static bool confirm_all(wait_list *list)
{
    bool found = false;

    for (size_t i = 0; i < list->count; i++) {
        brood_os_waitable *thing = &list->things[i];
        if (thing->ready && thing->handle != BROOD_NO_HANDLE) {
            thing->ready = confirm(list, i);
        }
        found = found || thing->ready;
    }
    return found;
}

/* When to come back at the latest. */
static int64_t next_look(wait_list *list, int64_t deadline_ns)
{
    int64_t look;

    if (list->hints == 0 || deadline_ns == BROOD_DEADLINE_PASSED) {
        return list->shared ? brood_deadline_slice(deadline_ns) : deadline_ns;
    }
    look = brood_os_now() + list->look_ns;
    list->look_ns = list->look_ns < LOOK_NS / 2 ? list->look_ns * 2 : LOOK_NS;
    return look < deadline_ns ? look : deadline_ns;
}

static int wait_for_any(wait_list *list, int64_t deadline_ns)
{
    for (;;) {
        bool found;
        bool open;
        int rc = look_at_all(list, &found, &open);

        if (rc == 0 && !found) {
            rc =
                brood_os_wait(list->things, list->count, list->waker, next_look(list, deadline_ns));
        } else if (rc == 0 && open) { /* all that are ready are to be marked */
            rc = brood_os_wait(list->things, list->count, NULL, BROOD_DEADLINE_PASSED);
        }
        if (rc && rc != BROOD_ETIMEDOUT) {
            return rc;
        }
        if (confirm_all(list)) {
            return 0;
        }
        if (brood_deadline_passed(deadline_ns)) {
            return brood_fail(BROOD_ETIMEDOUT, "wait: nothing was ready in time");
        }
    }
}

/* ---- begin and end ---- */

static int check_items(brood_wait_item *items, size_t count, int64_t deadline_ns)
{
    size_t objects = 0;

    if (items == NULL && count > 0) {
        return brood_fail(BROOD_EINVAL, "%zu items at NULL cannot be waited for", count);
    }
    for (size_t i = 0; i < count; i++) {
        items[i].ready = false;
        objects += items[i].object.kind != BROOD_NONE;
    }
    if (objects == 0 && deadline_ns == BROOD_DEADLINE_NEVER) {
        return brood_fail(BROOD_EINVAL, "there is nothing to wait for: it would never end");
    }
    return 0;
}

static int begin(wait_list *list, const brood_wait_item *items, size_t count, int64_t deadline_ns)
{
    list->items = items;
    list->count = count;
    list->waker = NULL;
    list->look_ns = LOOK_NS;
    list->things = list->small_things;
    list->watches = list->small_watches;
    memset(list->small_watches, 0, sizeof list->small_watches);
    if (count > SMALL_COUNT) {
        list->things = BROOD_ALLOC(calloc(count, sizeof(*list->things)));
        list->watches = BROOD_ALLOC(calloc(count, sizeof(*list->watches)));
    }
    if (list->things == NULL || list->watches == NULL) {
        return brood_fail_nomem("waiting");
    }
    if (deadline_ns != BROOD_DEADLINE_PASSED) {
        const int rc = brood_os_waker_mine(&list->waker);
        if (rc) {
            return rc;
        }
    }
    for (size_t i = 0; i < count; i++) {
        list->watches[i].waiter.waker = list->waker;
    }
    return 0;
}

static void end(wait_list *list)
{
    for (size_t i = 0; list->watches != NULL && i < list->count; i++) {
        if (list->watches[i].waiter.listed) {
            unwatch_object(list->items[i].object, &list->watches[i].waiter);
        }
    }
    if (list->things != list->small_things) {
        free(list->things);
    }
    if (list->watches != list->small_watches) {
        free(list->watches);
    }
}

int brood_wait(brood_wait_item *items, size_t count, int64_t timeout_ms)
{
    int64_t deadline_ns;
    wait_list list;
    int rc = brood_deadline(&deadline_ns, timeout_ms);

    if (rc == 0) {
        rc = check_items(items, count, deadline_ns);
    }
    if (rc) {
        return rc;
    }
    rc = begin(&list, items, count, deadline_ns);
    if (rc == 0) {
        rc = wait_for_any(&list, deadline_ns);
    }
    for (size_t i = 0; rc == 0 && i < count; i++) {
        items[i].ready = list.things[i].ready;
    }
    end(&list);
    return rc;
}

/* ---- foreign event loops ---- */

static int waitable_of_process(const brood_process *process, brood_handle *out)
{
    const brood_handle handle = brood_process_sentinel(process);

    if (handle == BROOD_NO_HANDLE) {
        return brood_fail(BROOD_ENOTSUP, "no handle tells of the end of %s", process->name);
    }
    *out = handle;
    return 0;
}

int brood_waitable_handle(brood_value object, brood_handle *out)
{
    if (out == NULL) {
        return brood_fail(BROOD_EINVAL, "there is no place for the handle: out is NULL");
    }
    switch (object.kind) {
    case BROOD_CONNECTION:
        return brood_connection_waitable(object.as.object, out);
    case BROOD_PROCESS:
        return waitable_of_process(object.as.object, out);
    case BROOD_QUEUE:
        return brood_queue_waitable(object.as.object, out);
    case BROOD_EVENT:
        return brood_event_waitable(object.as.object, out);
    case BROOD_HANDLE:
        *out = (brood_handle)object.as.i64;
        return 0;
    default:
        return brood_fail(BROOD_ETYPE, "a value of kind %s is nothing to wait for",
                          brood_kind_name(object.kind));
    }
}

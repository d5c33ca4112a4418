/* Event: a word in a cell, and a flag for who waits for several things at once. */
#ifndef BROOD_SRC_EVENT_H
#define BROOD_SRC_EVENT_H

#include <brood/event.h>

#include "heap.h"

extern const brood_heap_kind brood_event_kind;

struct brood_event {
    brood_heap_object shared;
    bool has_flag;
    brood_os_flag flag;
    brood_atomic flag_since; /* the generation of this process (fork.h) in which it came */
};

/// brood_event_watch says what to wait for until the event is set, or that it is.
int brood_event_watch(brood_event *event, brood_os_waitable *out);

/// brood_event_confirm tells whether it is set, now that its flag is up.
bool brood_event_confirm(brood_event *event);

/// brood_event_waitable is behind brood_waitable_handle.
int brood_event_waitable(brood_event *event, brood_handle *out);

#endif

#include "known.h"

#include <sodium.h>
#include <string.h>

#include "error.h"
#include "locks.h"

#define LISTS 256 /* by the first byte of their numbers */

static brood_known *lists[LISTS];

int brood_id_new(unsigned char id[BROOD_ID_SIZE])
{
    if (sodium_init() < 0) {
        return brood_fail(BROOD_ESYSTEM, "libsodium cannot be set up: no random numbers");
    }
    randombytes_buf(id, BROOD_ID_SIZE);
    return 0;
}

static brood_known *find(int kind, const unsigned char id[BROOD_ID_SIZE], brood_known_accept accept,
                         void *user)
{
    for (brood_known *known = lists[id[0]]; known != NULL; known = known->next) {
        if (known->kind == kind && memcmp(known->id, id, BROOD_ID_SIZE) == 0 &&
            accept(known, user)) {
            known->refs++;
            return known;
        }
    }
    return NULL;
}

brood_known *brood_known_find(int kind, const unsigned char id[BROOD_ID_SIZE],
                              brood_known_accept accept, void *user)
{
    brood_known *found;

    brood_locks_take(BROOD_LOCK_KNOWN);
    found = find(kind, id, accept, user);
    brood_locks_give(BROOD_LOCK_KNOWN);
    return found;
}

brood_known *brood_known_add(brood_known *known, brood_known_accept accept, void *user)
{
    brood_known *found = NULL;

    brood_locks_take(BROOD_LOCK_KNOWN);
    if (accept != NULL) {
        found = find(known->kind, known->id, accept, user);
    }
    if (found == NULL) {
        known->refs = 1;
        known->next = lists[known->id[0]];
        lists[known->id[0]] = known;
        found = known;
    }
    brood_locks_give(BROOD_LOCK_KNOWN);
    return found;
}

void brood_known_ref(brood_known *known)
{
    brood_locks_take(BROOD_LOCK_KNOWN);
    known->refs++;
    brood_locks_give(BROOD_LOCK_KNOWN);
}

static void take_out(brood_known *known)
{
    brood_known **link = &lists[known->id[0]];

    while (*link != known) {
        link = &(*link)->next;
    }
    *link = known->next;
}

bool brood_known_drop(brood_known *known)
{
    bool last;

    brood_locks_take(BROOD_LOCK_KNOWN);
    last = --known->refs == 0;
    if (last) {
        take_out(known);
    }
    brood_locks_give(BROOD_LOCK_KNOWN);
    return last;
}

void brood_known_with(brood_known *known, void (*look)(brood_known *known, void *user), void *user)
{
    brood_locks_take(BROOD_LOCK_KNOWN);
    look(known, user);
    brood_locks_give(BROOD_LOCK_KNOWN);
}

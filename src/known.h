/* Objects that several processes have, by a number that tells each from all others: one that arrives
 * a second time is the same object here. */
#ifndef BROOD_SRC_KNOWN_H
#define BROOD_SRC_KNOWN_H

#include <stdbool.h>
#include <stddef.h>

#define BROOD_ID_SIZE 16 /* bytes; random */

/// brood_known is in an object, which counts its owners here. All fields are under the list's lock.
typedef struct brood_known {
    struct brood_known *next;
    int kind; /* a brood_kind */
    unsigned char id[BROOD_ID_SIZE];
    size_t refs;
} brood_known;

/// brood_known_accept tells whether an object with the right number is the one that is looked for.
/// It is called under the list's lock, and may change the object.
typedef bool (*brood_known_accept)(brood_known *known, void *user);

/// brood_id_new makes a number of its own. BROOD_ESYSTEM without random numbers.
int brood_id_new(unsigned char id[BROOD_ID_SIZE]);

/// brood_known_find returns the object with a reference, NULL if there is none.
brood_known *brood_known_find(int kind, const unsigned char id[BROOD_ID_SIZE],
                              brood_known_accept accept, void *user);

/// brood_known_add puts an object, whose kind and id are set, into the list with one reference. If
/// one is there that `accept` takes, that is returned instead, with a reference; `accept` may be
/// NULL for one that is not there for certain.
brood_known *brood_known_add(brood_known *known, brood_known_accept accept, void *user);

void brood_known_ref(brood_known *known);

/// brood_known_drop drops a reference; true: it was the last, and the object is in no list.
bool brood_known_drop(brood_known *known);

/// brood_known_with calls `look` under the lock.
void brood_known_with(brood_known *known, void (*look)(brood_known *known, void *user), void *user);

#endif

/* What all kinds of objects have in common, by kind. */
#ifndef BROOD_SRC_OBJECT_H
#define BROOD_SRC_OBJECT_H

#include <brood/value.h>

/// brood_kind_name returns the kind's name in words ("int", "list", "connection").
const char *brood_kind_name(int kind);

/// brood_kind_a returns it with its article ("an int", "a list").
const char *brood_kind_a(int kind);

/// brood_kind_is_object tells whether values of this kind are reference counted objects.
bool brood_kind_is_object(int kind);

/// brood_object_own makes `*value` one that has a reference of its own: a handle of the program's is
/// duplicated, everything else is referenced once more. On failure `*value` is as before.
int brood_object_own(brood_value *value);

/// brood_object_ref adds a reference to the object that `value` holds; no handle of the program's.
void brood_object_ref(brood_value value);

/// brood_object_free drops one.
void brood_object_free(brood_value value);

#endif

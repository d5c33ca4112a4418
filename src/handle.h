/* Native handles as values: borrowed from the program, or owned by messages. */
#ifndef BROOD_SRC_HANDLE_H
#define BROOD_SRC_HANDLE_H

#include <brood/value.h>

/// brood_handle_own makes a value with one reference to `handle`, which is closed with the last. It
/// takes the handle over, on success only.
int brood_handle_own(brood_value *out, brood_handle handle);

/// brood_handle_ref and brood_handle_unref are for values of brood_handle_own only.
void brood_handle_ref(brood_value value);
void brood_handle_unref(brood_value value);

#endif

/* Option structs: their first field is their size, so a program and the library may be of different
 * versions. */
#ifndef BROOD_SRC_OPTIONS_H
#define BROOD_SRC_OPTIONS_H

#include <stddef.h>

/// brood_options_read fills `*out` (`size` bytes, its first field too) from the program's struct;
/// NULL gives zeroes. A larger struct of a newer program is accepted while what we do not know is
/// zero. `name` is how the struct is called in words. Errors: BROOD_EINVAL.
int brood_options_read(void *out, size_t size, const void *options, const char *name);

/// brood_struct_read does the same for any struct of the program that begins with its size; `type`
/// is its name.
int brood_struct_read(void *out, size_t size, const void *given, const char *type);

#endif

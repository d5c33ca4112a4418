/* What the examples need of the system and standard C does not have. File names are any bytes on
 * Unix and UTF-8 on Windows. */
#ifndef BROOD_EXAMPLES_SYSTEM_H
#define BROOD_EXAMPLES_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/// example_arguments returns the program's arguments, with a final NULL, in the form of file names;
/// NULL if there is no memory. They live as long as the program.
char **example_arguments(int argc, char **argv);

/// example_is_terminal tells whether a standard stream is a terminal.
bool example_is_terminal(FILE *stream);

/// example_open opens a file to read its bytes, without a buffer; NULL sets errno.
FILE *example_open(const char *name);

/// example_file_size returns the size of an ordinary file, which every process finds under the same
/// name; 0 for a file that cannot be looked at; -1 for anything else, such as a pipe.
int64_t example_file_size(const char *name);

/// example_binary makes a standard stream carry bytes as they are.
void example_binary(FILE *stream);

#ifdef __cplusplus
}
#endif

#endif

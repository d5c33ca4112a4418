/* Command lines of Windows: one text, which the started program splits into its arguments. The
 * rules are those of CommandLineToArgvW and of the C run-time ("Parsing C command-line arguments"
 * in Microsoft's documentation). Nothing here asks the system, so the tests run everywhere. */
#ifndef BROOD_SRC_QUOTING_H
#define BROOD_SRC_QUOTING_H

#include <stdbool.h>
#include <stddef.h>
#include <wchar.h>

#define BROOD_COMMAND_LINE_MAX 32766 /* characters that CreateProcessW takes, without the zero */

/// brood_command_line_join sets `*out` (malloc'ed) to a line that is split into `arguments` again,
/// the program's name first.
///
/// Errors: BROOD_EINVAL for a quote in the program's name, which no line can have; BROOD_ETOOBIG
/// for more than BROOD_COMMAND_LINE_MAX characters; BROOD_ENOMEM.
int brood_command_line_join(wchar_t **out, const wchar_t *const *arguments, size_t count);

/// brood_command_line_argument copies argument number `index` (0: the program's name) of `line`
/// into `out` and returns true; false if there is none or `room` characters, counting the zero, do
/// not hold it.
bool brood_command_line_argument(const wchar_t *line, size_t index, wchar_t *out, size_t room);

#endif

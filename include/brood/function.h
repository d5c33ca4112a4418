/* Names for functions.
 *
 * Within one program, and wherever the same library is, any function travels without a name. With a
 * name it also travels to programs that have another build of it, or another function in its
 * place: it is found there by the name. */
#ifndef BROOD_FUNCTION_H
#define BROOD_FUNCTION_H

#include <brood/base.h>

BROOD_BEGIN_C

/// brood_export names `function` for callers in other programs. `name` is UTF-8 of 1 to 255 bytes
/// and is copied. From then on any program that may send values to this one can name the function;
/// what it may be asked to do is then up to the function.
///
/// A name stays until the process ends, so the library it is in must not be unloaded. Children that
/// are to find a name of this program by name export it before brood_init, which does not return
/// there. The same function may have several names; it travels with its first.
///
/// Errors: BROOD_EEXIST if another function has the name (0 if it is the same one); BROOD_EINVAL;
/// BROOD_ENOMEM.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_export(const char *name, brood_function function);

/// brood_function_named sets `*out` to the function that this process exported as `name`.
///
/// Errors: BROOD_ENOENT if there is none, `*out` is left alone; BROOD_EINVAL.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_function_named(brood_function *out, const char *name);

BROOD_END_C

#endif

/* Floats in words. */
#ifndef BROOD_SRC_FLOAT_TEXT_H
#define BROOD_SRC_FLOAT_TEXT_H

#include <stddef.h>

#define BROOD_FLOAT_TEXT_SIZE 32

/// brood_float_text writes the shortest text that reads back as `x`, as Python's repr does, and
/// returns its length without the zero byte. The locale has no part in it.
size_t brood_float_text(double x, char text[BROOD_FLOAT_TEXT_SIZE]);

#endif

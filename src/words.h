/* Texts in rooms of a fixed size. */
#ifndef BROOD_SRC_WORDS_H
#define BROOD_SRC_WORDS_H

#include <string.h>

/// brood_put_words copies a text, cut to what there is room for. That is what snprintf with "%s"
/// does, but a child needs it before its function runs, and the first use of snprintf in a process
/// is half a dozen pages of the C library.
static inline void brood_put_words(char *out, size_t room, const char *text)
{
    const char *end = memchr(text, '\0', room - 1);
    const size_t length = end != NULL ? (size_t)(end - text) : room - 1;

    memcpy(out, text, length);
    out[length] = '\0';
}

#endif

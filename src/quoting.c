#include "quoting.h"

#include <stdlib.h>

#include "error.h"
#include "fault.h"

/* A text that may have too little room: it counts on, so that one pass measures and one writes. */
typedef struct text {
    wchar_t *out; /* NULL: only count */
    size_t room;
    size_t length;
} text;

static void put(text *to, wchar_t character)
{
    if (to->out != NULL && to->length < to->room) {
        to->out[to->length] = character;
    }
    to->length++;
}

static void put_times(text *to, wchar_t character, size_t times)
{
    while (times-- > 0) {
        put(to, character);
    }
}

/* The program's name ends at the second quote, whatever stands before it. */
static void put_program(text *to, const wchar_t *name)
{
    put(to, L'"');
    while (*name != 0) {
        put(to, *name++);
    }
    put(to, L'"');
}

/* Backslashes mean themselves except before a quote, where two stand for one. */
static void put_argument(text *to, const wchar_t *argument)
{
    size_t backslashes = 0;

    if (*argument != 0 && wcspbrk(argument, L" \t\n\v\"") == NULL) {
        while (*argument != 0) {
            put(to, *argument++);
        }
        return;
    }
    put(to, L'"');
    for (; *argument != 0; argument++) {
        if (*argument == L'\\') {
            backslashes++;
            continue;
        }
        put_times(to, L'\\', *argument == L'"' ? 2 * backslashes + 1 : backslashes);
        backslashes = 0;
        put(to, *argument);
    }
    put_times(to, L'\\', 2 * backslashes);
    put(to, L'"');
}

static void put_line(text *to, const wchar_t *const *arguments, size_t count)
{
    size_t i;

    put_program(to, arguments[0]);
    for (i = 1; i < count; i++) {
        put(to, L' ');
        put_argument(to, arguments[i]);
    }
}

int brood_command_line_join(wchar_t **out, const wchar_t *const *arguments, size_t count)
{
    text measured = {NULL, 0, 0};
    text written = {NULL, 0, 0};

    if (wcschr(arguments[0], L'"') != NULL) {
        return brood_fail(BROOD_EINVAL, "a program's name has a quote in it");
    }
    put_line(&measured, arguments, count);
    if (measured.length > BROOD_COMMAND_LINE_MAX) {
        return brood_fail(BROOD_ETOOBIG, "a command line of %zu characters, %d are allowed",
                          measured.length, BROOD_COMMAND_LINE_MAX);
    }
    written.room = measured.length;
    written.out = BROOD_ALLOC(malloc((measured.length + 1) * sizeof *written.out));
    if (written.out == NULL) {
        return brood_fail_nomem("a command line");
    }
    put_line(&written, arguments, count);
    written.out[written.length] = 0;
    *out = written.out;
    return 0;
}

static bool is_blank(wchar_t character)
{
    return character == L' ' || character == L'\t';
}

/* Reads the program's name into `to` and returns what follows. */
static const wchar_t *take_program(text *to, const wchar_t *line)
{
    bool quoted = false;

    while (*line != 0 && (quoted || !is_blank(*line))) {
        if (*line == L'"') {
            quoted = !quoted;
        } else {
            put(to, *line);
        }
        line++;
    }
    return line;
}

/* Reads the argument that begins at `line` into `to` and returns what follows. */
static const wchar_t *take_argument(text *to, const wchar_t *line)
{
    bool quoted = false;

    while (*line != 0 && (quoted || !is_blank(*line))) {
        size_t backslashes = 0;

        while (*line == L'\\') {
            backslashes++;
            line++;
        }
        if (*line != L'"') {
            put_times(to, L'\\', backslashes);
            if (backslashes == 0) {
                put(to, *line++);
            }
            continue;
        }
        put_times(to, L'\\', backslashes / 2);
        if (backslashes % 2 == 1) {
            put(to, L'"');
        } else if (quoted && line[1] == L'"') {
            put(to, L'"'); /* a pair inside quotes is one quote */
            line++;
        } else {
            quoted = !quoted;
        }
        line++;
    }
    return line;
}

bool brood_command_line_argument(const wchar_t *line, size_t index, wchar_t *out, size_t room)
{
    size_t i;

    for (i = 0; i <= index; i++) {
        text to = {i == index ? out : NULL, room, 0};

        if (i == 0) {
            line = take_program(&to, line);
        } else {
            while (is_blank(*line)) {
                line++;
            }
            if (*line == 0) {
                return false;
            }
            line = take_argument(&to, line);
        }
        if (i == index && to.length >= room) {
            return false;
        }
        if (i == index) {
            out[to.length] = 0;
        }
    }
    return true;
}

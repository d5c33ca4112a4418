/* Windows command lines: joined ones are split into the same arguments, and any line is split as a
 * second implementation of the rules does it. */
#include "fuzz.h"

#include <string.h>

#include <brood.h>

#include "quoting.h"

#define MOST_ARGUMENTS 512
#define LONG 0xfe              /* a first byte from here on makes the last argument longer, */
#define LONGER ((size_t)16370) /* so many characters for each step */
#define MOST_CHARACTERS (MOST_ARGUMENTS + 2 * LONGER)

/* ---- the rules again, as one table of states ---- */

typedef enum state {
    BETWEEN,
    PLAIN,
    QUOTED,
    MAYBE_PAIR, /* behind a quote that ended the quoted part, unless a second one follows */
    PROGRAM,
    PROGRAM_QUOTED
} state;

typedef struct splitter {
    state state;
    size_t backslashes; /* seen, but not yet known what they mean */
    wchar_t *at;
    wchar_t *starts[MOST_ARGUMENTS + 1];
    size_t count;
} splitter;

static void begin(splitter *s)
{
    FUZZ_CHECK(s->count <= MOST_ARGUMENTS);
    s->starts[s->count++] = s->at;
}

static void end(splitter *s)
{
    *s->at++ = 0;
    s->state = BETWEEN;
}

static void flush_backslashes(splitter *s, size_t count)
{
    while (count-- > 0) {
        *s->at++ = L'\\';
    }
    s->backslashes = 0;
}

static void feed_program(splitter *s, wchar_t c)
{
    if (c == L'"') {
        s->state = s->state == PROGRAM ? PROGRAM_QUOTED : PROGRAM;
    } else if (s->state == PROGRAM && (c == L' ' || c == L'\t')) {
        end(s);
    } else {
        *s->at++ = c;
    }
}

static void feed_quote(splitter *s)
{
    const size_t backslashes = s->backslashes;

    flush_backslashes(s, backslashes / 2);
    if (backslashes % 2 == 1) {
        *s->at++ = L'"';
    } else if (s->state == MAYBE_PAIR && backslashes == 0) {
        *s->at++ = L'"';
        s->state = QUOTED;
    } else {
        s->state = s->state == QUOTED ? MAYBE_PAIR : QUOTED;
    }
}

static void feed(splitter *s, wchar_t c)
{
    const int blank = c == L' ' || c == L'\t';

    if (s->state >= PROGRAM) {
        feed_program(s, c);
        return;
    }
    if (s->state == BETWEEN) {
        if (blank) {
            return;
        }
        begin(s);
        s->state = PLAIN;
    }
    if (c == L'"') {
        feed_quote(s);
        return;
    }
    if (s->state == MAYBE_PAIR) {
        s->state = PLAIN;
    }
    if (c == L'\\') {
        s->backslashes++;
        return;
    }
    flush_backslashes(s, s->backslashes);
    if (blank && s->state == PLAIN) {
        end(s);
    } else {
        *s->at++ = c;
    }
}

/* `room` takes as many characters as the line has, and one more for each argument. */
static void split(splitter *s, const wchar_t *line, wchar_t *room)
{
    *s = (splitter){PROGRAM, 0, room, {NULL}, 0};
    begin(s);
    for (; *line != 0; line++) {
        feed(s, *line);
    }
    flush_backslashes(s, s->backslashes);
    if (s->state != BETWEEN) {
        end(s);
    }
}

/* ---- ours ---- */

static void check_argument(const wchar_t *line, size_t index, const wchar_t *expected)
{
    const size_t size = wcslen(expected) + 1;
    /* As large as needed and no larger, so that a write behind it is seen. */
    wchar_t *room = malloc(size * sizeof *room);

    FUZZ_CHECK(room != NULL);
    FUZZ_CHECK(brood_command_line_argument(line, index, room, size));
    FUZZ_CHECK(memcmp(room, expected, size * sizeof *room) == 0);
    FUZZ_CHECK(!brood_command_line_argument(line, index, room, size - 1));
    free(room);
}

static void check_line(const wchar_t *line, splitter *s)
{
    wchar_t *room = malloc((2 * wcslen(line) + 2) * sizeof *room);

    FUZZ_CHECK(room != NULL);
    split(s, line, room);
    for (size_t i = 0; i < s->count; i++) {
        check_argument(line, i, s->starts[i]);
    }
    FUZZ_CHECK(!brood_command_line_argument(line, s->count, room, 1));
    FUZZ_CHECK(!brood_command_line_argument(line, SIZE_MAX - 1, room, 1));
    free(room);
}

/* Zero bytes are between the arguments. */
static size_t cut(const wchar_t **arguments, const wchar_t *characters, size_t count)
{
    size_t n = 1;

    arguments[0] = characters;
    for (size_t i = 0; i < count; i++) {
        if (characters[i] == 0) {
            arguments[n++] = characters + i + 1;
        }
    }
    return n;
}

/* Splitting looks for each argument from the beginning, so that a long line is only joined. */
static void check_join(const wchar_t *const *arguments, size_t count, bool splits)
{
    static splitter s;
    wchar_t *line = NULL;
    size_t characters = 0;
    int rc = brood_command_line_join(&line, arguments, count);

    for (size_t i = 0; i < count; i++) {
        characters += wcslen(arguments[i]) + 1;
    }
    if (wcschr(arguments[0], L'"') != NULL) {
        FUZZ_CHECK(rc == BROOD_EINVAL && line == NULL);
        return;
    }
    if (rc != 0) {
        /* Quoting at most doubles an argument and puts two quotes around it. */
        FUZZ_CHECK(rc == BROOD_ETOOBIG && line == NULL);
        FUZZ_CHECK(2 * characters + 2 * count > BROOD_COMMAND_LINE_MAX);
        return;
    }
    FUZZ_CHECK(wcslen(line) <= BROOD_COMMAND_LINE_MAX);
    if (splits) {
        check_line(line, &s);
        FUZZ_CHECK(s.count == count);
        for (size_t i = 0; i < count; i++) {
            check_argument(line, i, arguments[i]);
        }
    }
    free(line);
}

/* Repeats the last argument, since only a long line comes near what the system takes, and returns
 * the new count. */
static size_t lengthen(wchar_t *characters, size_t count, size_t longer)
{
    size_t start = count;

    while (start > 0 && characters[start - 1] != 0) {
        start--;
    }
    if (start == count) {
        return count;
    }
    for (size_t i = count; i < count + longer; i++) {
        characters[i] = characters[i - (count - start)];
    }
    return count + longer;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static wchar_t characters[MOST_CHARACTERS + 1];
    static splitter s;
    const wchar_t *arguments[MOST_ARGUMENTS + 1];
    fuzz_input input = {data, size};
    const uint8_t first = fuzz_take(&input);
    size_t count = input.size < MOST_ARGUMENTS ? input.size : MOST_ARGUMENTS - 1;

    for (size_t i = 0; i < count; i++) {
        /* One character that no byte is. */
        characters[i] = input.data[i] == 0xff ? (wchar_t)0x4e2d : (wchar_t)input.data[i];
    }
    if (first >= LONG) {
        count = lengthen(characters, count, (size_t)(first - LONG + 1) * LONGER);
    }
    characters[count] = 0;
    check_join(arguments, cut(arguments, characters, count), first < LONG);
    if (first < LONG) {
        for (size_t i = 0; i < count; i++) {
            characters[i] = characters[i] == 0 ? L' ' : characters[i];
        }
        check_line(characters, &s);
    }
    return 0;
}

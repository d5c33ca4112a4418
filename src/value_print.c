#include <brood/value.h>

#include "codec.h"
#include "float_text.h"
#include "object.h"
#include "utf8.h"

typedef struct printer {
    char *buffer;
    size_t room; /* bytes, without the zero byte */
    size_t length;
} printer;

static void put(printer *p, const char *text, size_t size)
{
    if (p->length < p->room) {
        size_t fits = p->room - p->length;
        memcpy(p->buffer + p->length, text, size < fits ? size : fits);
    }
    p->length += size;
}

static void put_text(printer *p, const char *text)
{
    put(p, text, strlen(text));
}

static void put_char(printer *p, char c)
{
    put(p, &c, 1);
}

static void put_uint(printer *p, uint64_t x)
{
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + x % 10);
        x /= 10;
    } while (x > 0);
    put(p, digits + at, sizeof digits - at);
}

static void put_int(printer *p, int64_t x)
{
    if (x < 0) {
        put_char(p, '-');
    }
    put_uint(p, x < 0 ? 0 - (uint64_t)x : (uint64_t)x);
}

/* `kind`: x, u (as Python writes them), with 2 or 4 hexadecimal digits. */
static void put_escape(printer *p, char kind, uint32_t point)
{
    static const char hex[] = "0123456789abcdef";
    char text[6] = {'\\', kind, 0, 0, 0, 0};
    size_t digits = kind == 'x' ? 2 : 4;

    for (size_t i = 0; i < digits; i++) {
        text[2 + i] = hex[point >> (4 * (digits - 1 - i)) & 15];
    }
    put(p, text, 2 + digits);
}

/* A byte below 128 between `quote`s. */
static void put_ascii(printer *p, unsigned char byte, char quote)
{
    if (byte == (unsigned char)quote || byte == '\\') {
        put_char(p, '\\');
        put_char(p, (char)byte);
    } else if (byte == '\n' || byte == '\r' || byte == '\t') {
        put_char(p, '\\');
        put_text(p, byte == '\n' ? "n" : byte == '\r' ? "r" : "t");
    } else if (byte < 0x20 || byte >= 0x7f) {
        put_escape(p, 'x', byte);
    } else {
        put_char(p, (char)byte);
    }
}

static char choose_quote(const void *data, size_t size)
{
    if (size > 0 && memchr(data, '\'', size) != NULL && memchr(data, '"', size) == NULL) {
        return '"';
    }
    return '\'';
}

/* A lone surrogate takes 3 bytes, ED A0..BF xx; 0 if there is none. */
static uint32_t lone_surrogate(const unsigned char *bytes, size_t size)
{
    if (size < 3 || bytes[0] != 0xed || (bytes[1] & 0xe0) != 0xa0 || (bytes[2] & 0xc0) != 0x80) {
        return 0;
    }
    return 0xd000u | (bytes[1] & 0x3fu) << 6 | (bytes[2] & 0x3fu);
}

/* Not to be seen, or changes how others look, such as the direction of writing. */
static bool is_invisible(uint32_t point)
{
    return (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2060 && point <= 0x206f) || point == 0xfeff;
}

/* Prints the character at `bytes` that is not ASCII and returns its length. Bytes that are no text
 * look as in a Python file name (surrogateescape). */
static size_t put_wide(printer *p, const unsigned char *bytes, size_t size)
{
    uint32_t point = 0;
    size_t length = brood_utf8_next(bytes, size, &point);

    if (length == 0) {
        point = lone_surrogate(bytes, size);
        put_escape(p, 'u', point != 0 ? point : 0xdc00u | bytes[0]);
        return point != 0 ? 3 : 1;
    }
    if (point <= 0xa0 || point == 0xad) {
        put_escape(p, 'x', point);
    } else if (is_invisible(point)) {
        put_escape(p, 'u', point);
    } else {
        put(p, (const char *)bytes, length);
    }
    return length;
}

static void print_str(printer *p, const unsigned char *bytes, size_t size)
{
    char quote = choose_quote(bytes, size);

    put_char(p, quote);
    for (size_t i = 0; i < size;) {
        if (bytes[i] < 0x80) {
            put_ascii(p, bytes[i], quote);
            i++;
        } else {
            i += put_wide(p, bytes + i, size - i);
        }
    }
    put_char(p, quote);
}

static void print_bytes(printer *p, const unsigned char *bytes, size_t size)
{
    char quote = choose_quote(bytes, size);

    put_char(p, 'b');
    put_char(p, quote);
    for (size_t i = 0; i < size; i++) {
        put_ascii(p, bytes[i], quote);
    }
    put_char(p, quote);
}

static void print_float(printer *p, double x)
{
    char text[BROOD_FLOAT_TEXT_SIZE];

    put(p, text, brood_float_text(x, text));
}

static void print_leaf(printer *p, const brood_value *value)
{
    switch (value->kind) {
    case BROOD_NONE:
        put_text(p, "None");
        break;
    case BROOD_BOOL:
        put_text(p, value->as.i64 != 0 ? "True" : "False");
        break;
    case BROOD_INT:
        put_int(p, value->as.i64);
        break;
    case BROOD_UINT:
        put_uint(p, value->as.u64);
        break;
    case BROOD_FLOAT:
        print_float(p, value->as.f64);
        break;
    case BROOD_STR:
        print_str(p, value->as.data, (size_t)value->size);
        break;
    case BROOD_BYTES:
        print_bytes(p, value->as.data, (size_t)value->size);
        break;
    default:
        put_char(p, '<');
        put_text(p, brood_kind_name(value->kind));
        put_char(p, '>');
        break;
    }
}

/* ---- containers ---- */

typedef struct frame {
    const brood_value *value;
    size_t next;
} frame;

static bool is_container(const brood_value *value)
{
    return value->kind == BROOD_LIST_KIND || value->kind == BROOD_TUPLE_KIND ||
           value->kind == BROOD_DICT_KIND;
}

static const char *brackets_of(const brood_value *value)
{
    if (value->kind == BROOD_TUPLE_KIND) {
        return "()";
    }
    return value->kind == BROOD_DICT_KIND || (value->flags & BROOD_VALUE_SET) != 0 ? "{}" : "[]";
}

static void put_separator(printer *p, const frame *f)
{
    if (f->next > 0) {
        put_text(p, f->value->kind == BROOD_DICT_KIND && f->next % 2 == 1 ? ": " : ", ");
    }
}

static void put_end(printer *p, const brood_value *value)
{
    if (value->kind == BROOD_TUPLE_KIND && value->size == 1) {
        put_char(p, ',');
    }
    put_char(p, brackets_of(value)[1]);
}

/* Begins a container, or prints it if there is nothing in it to print. */
static size_t open_container(printer *p, const brood_value *value, frame *frames, size_t depth)
{
    if (value->kind == BROOD_LIST_KIND && (value->flags & BROOD_VALUE_SET) != 0 &&
        value->size == 0) {
        put_text(p, "set()"); /* {} is a dict */
        return depth;
    }
    put_char(p, brackets_of(value)[0]);
    if (depth == BROOD_DEPTH_MAX) {
        put_text(p, "...");
        put_end(p, value);
        return depth;
    }
    frames[depth] = (frame){value, 0};
    return depth + 1;
}

static void print_value(printer *p, const brood_value *value)
{
    frame frames[BROOD_DEPTH_MAX];
    size_t depth = 0;

    do {
        if (is_container(value)) {
            depth = open_container(p, value, frames, depth);
        } else {
            print_leaf(p, value);
        }
        while (depth > 0 && frames[depth - 1].next == frames[depth - 1].value->size) {
            put_end(p, frames[--depth].value);
        }
        if (depth > 0) {
            frame *top = &frames[depth - 1];
            put_separator(p, top);
            value = &top->value->as.items[top->next++];
        }
    } while (depth > 0);
}

size_t brood_value_print(brood_value value, char *buffer, size_t size)
{
    printer p = {buffer, size > 0 ? size - 1 : 0, 0};

    print_value(&p, &value);
    if (size > 0) {
        buffer[p.length <= p.room ? p.length : brood_utf8_cut(buffer, p.room)] = '\0';
    }
    return p.length;
}

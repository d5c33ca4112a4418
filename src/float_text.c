#include "float_text.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 17 /* as many as a double ever needs */

typedef struct decimal {
    bool negative;
    char digits[DIGITS_MAX + 1]; /* no zero at the end but a single one */
    int count;
    int exponent; /* of the first digit */
} decimal;

/* Takes the parts out of "-d.ddde+xx"; the point may be any bytes (locale). */
static void parse_decimal(decimal *out, const char *text)
{
    out->negative = *text == '-';
    out->count = 0;
    for (; *text != '\0' && *text != 'e'; text++) {
        if (*text >= '0' && *text <= '9' && out->count < DIGITS_MAX) {
            out->digits[out->count++] = *text;
        }
    }
    out->exponent = *text == 'e' ? atoi(text + 1) : 0;
    while (out->count > 1 && out->digits[out->count - 1] == '0') {
        out->count--;
    }
    out->digits[out->count] = '\0';
}

static void shortest_decimal(decimal *out, double x)
{
    char text[64];

    for (int digits = 1; digits <= DIGITS_MAX; digits++) {
        (void)snprintf(text, sizeof text, "%.*e", digits - 1, x);
        if (strtod(text, NULL) == x) {
            break;
        }
    }
    parse_decimal(out, text);
}

static char *put_zeros(char *at, int count)
{
    for (int i = 0; i < count; i++) {
        *at++ = '0';
    }
    return at;
}

static char *put_digits(char *at, const char *digits, int count)
{
    memcpy(at, digits, (size_t)count);
    return at + count;
}

static char *put_exponent(char *at, int exponent)
{
    *at++ = 'e';
    *at++ = exponent < 0 ? '-' : '+';
    exponent = exponent < 0 ? -exponent : exponent;
    if (exponent >= 100) {
        *at++ = (char)('0' + exponent / 100);
    }
    *at++ = (char)('0' + exponent / 10 % 10);
    *at++ = (char)('0' + exponent % 10);
    return at;
}

static char *put_decimal(char *at, const decimal *x)
{
    if (x->negative) {
        *at++ = '-';
    }
    if (x->exponent < -4 || x->exponent >= 16) {
        *at++ = x->digits[0];
        if (x->count > 1) {
            *at++ = '.';
            at = put_digits(at, x->digits + 1, x->count - 1);
        }
        return put_exponent(at, x->exponent);
    }
    if (x->exponent < 0) {
        *at++ = '0';
        *at++ = '.';
        at = put_zeros(at, -x->exponent - 1);
        return put_digits(at, x->digits, x->count);
    }
    if (x->count <= x->exponent + 1) {
        at = put_digits(at, x->digits, x->count);
        at = put_zeros(at, x->exponent + 1 - x->count);
        *at++ = '.';
        *at++ = '0';
        return at;
    }
    at = put_digits(at, x->digits, x->exponent + 1);
    *at++ = '.';
    return put_digits(at, x->digits + x->exponent + 1, x->count - x->exponent - 1);
}

size_t brood_float_text(double x, char text[BROOD_FLOAT_TEXT_SIZE])
{
    decimal parts;
    char *end = text;

    if (x != x) {
        end = put_digits(text, "nan", 3);
    } else if (x - x != 0) {
        end = x > 0 ? put_digits(text, "inf", 3) : put_digits(text, "-inf", 4);
    } else {
        shortest_decimal(&parts, x);
        end = put_decimal(text, &parts);
    }
    *end = '\0';
    return (size_t)(end - text);
}

/* Which letter each type has, in C and, from the same text, in C++: arrays go from one to the other. */
#include <brood.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

typedef enum colour {
    RED,
    GREEN
} colour;

typedef struct point {
    double x;
    double y;
} point;

static int failures;

static void check(char expected, char letter, const char *type)
{
    if (letter != expected) {
        fprintf(stderr, "%s is '%c', not '%c'\n", type, letter, expected);
        failures++;
    }
}

#define CHECK(expected, type) check(expected, BROOD_LETTER_(type), #type)

static void check_letters(void)
{
    CHECK('i', signed char);
    CHECK('i', short);
    CHECK('i', int);
    CHECK('i', long);
    CHECK('i', long long);
    CHECK('i', int8_t);
    CHECK('i', int64_t);
    CHECK('i', ptrdiff_t);
    CHECK('u', unsigned char);
    CHECK('u', unsigned short);
    CHECK('u', unsigned);
    CHECK('u', unsigned long);
    CHECK('u', unsigned long long);
    CHECK('u', uint8_t);
    CHECK('u', uint64_t);
    CHECK('u', size_t);
    CHECK('u', bool);
    CHECK('f', float);
    CHECK('f', double);
    CHECK('x', long double);
    CHECK('x', point);
    CHECK((char)-1 < 0 ? 'i' : 'u', char);
    CHECK((long long)(colour)-1 > 0 ? 'u' : 'i', colour);
    CHECK('f', const double);
    CHECK('i', volatile int);
}

/* As the header's beginning shows it. */
static int use_one(void)
{
    brood_array *balance;
    int64_t *value;
    int rc = brood_array_new(&balance, int64_t, 1, NULL);

    if (rc) {
        return brood_perror("array");
    }
    value = brood_array_data(balance, int64_t);
    rc = brood_lock_acquire(brood_array_lock(balance), BROOD_FOREVER);
    if (rc == 0) {
        *value -= 800;
        rc = brood_lock_release(brood_array_lock(balance));
    }
    rc = rc || *value != -800 || brood_array_count(balance) != 1;
    brood_array_free(balance);
    return rc;
}

static int use_many(void)
{
    brood_array *points;
    brood_value value;
    brood_array *same = NULL;
    point *items;
    int rc = brood_array_new(&points, point, 10, NULL);

    if (rc) {
        return brood_perror("array");
    }
    items = brood_array_data(points, point);
    items[9].y = 1.5;
    value = brood_of(points);
    rc = BROOD_UNPACK(&value, &same) || same != points ||
         brood_array_data(points, double) != NULL || brood_last_error()->error != BROOD_ETYPE ||
         brood_array_data(points, const point)[9].y != 1.5;
    brood_array_free(points);
    return rc;
}

int main(void)
{
    check_letters();
    return failures != 0 || use_one() || use_many() ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* BROOD_ARGS and its relatives, in one text that is C11 and C++17. The functions run in children,
 * as a user's do; they return 1 if something is wrong. */
#include <brood.h>

#include <stdio.h>
#include <string.h>

#define CHECK(condition)                                                              \
    do {                                                                              \
        if (!(condition)) {                                                           \
            (void)fprintf(stderr, "%s:%d: %s [%s]\n", __FILE__, __LINE__, #condition, \
                          brood_last_error()->message);                               \
            exit(1);                                                                  \
        }                                                                             \
    } while (0)

#define CHECK_CALL(condition)                                                     \
    do {                                                                          \
        if (!(condition)) {                                                       \
            return brood_raise(call, 1, "line %d: %s [%s]", __LINE__, #condition, \
                               brood_last_error()->message);                      \
        }                                                                         \
    } while (0)

enum color {
    RED,
    GREEN = 7
};
enum temperature {
    COLD = -5,
    HOT = 5
};

/* ---- what runs in children ---- */

static int none(brood_call *call)
{
    return BROOD_UNPACK(call);
}

static int one_int(brood_call *call)
{
    int x = 0;
    int rc = BROOD_UNPACK(call, &x);
    return rc ? rc : x;
}

static int many(brood_call *call)
{
    int a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa, bb, cc,
        dd, ee;
    CHECK_CALL(!BROOD_UNPACK(call, &a, &b, &c, &d, &e, &f, &g, &h, &i, &j, &k, &l, &m, &n, &o, &p,
                             &q, &r, &s, &t, &u, &v, &w, &x, &y, &z, &aa, &bb, &cc, &dd, &ee));
    CHECK_CALL(a == 1 && b == 2 && p == 16 && z == 26 && ee == 31);
    return 0;
}

static int widths(brood_call *call)
{
    bool t;
    char c;
    signed char sc;
    unsigned char uc;
    short s;
    unsigned short us;
    int i;
    unsigned u;
    long l;
    unsigned long ul;
    long long ll;
    unsigned long long ull;
    size_t z;
    float f;
    double d;
    intptr_t ip;
    CHECK_CALL(!BROOD_UNPACK(call, &t, &c, &sc, &uc, &s, &us, &i, &u, &l, &ul, &ll, &ull, &z, &f,
                             &d, &ip));
    CHECK_CALL(t && c == 'x' && sc == -128 && uc == 255 && s == -32768 && us == 65535);
    CHECK_CALL(i == INT32_MIN && u == UINT32_MAX && l == -5 && ul == 6 && ll == INT64_MIN);
    CHECK_CALL(ull == UINT64_MAX && z == SIZE_MAX && f == 1.5f && d == 2.25 && ip == -9);
    return 0;
}

static int enums(brood_call *call)
{
    enum color c;
    enum temperature t;
    CHECK_CALL(!BROOD_UNPACK(call, &c, &t));
    CHECK_CALL(c == GREEN && t == COLD);
    return 0;
}

static int strings(brood_call *call)
{
    const char *a, *b, *c, *d;
    brood_view v, w;
    brood_value text, nothing;
    CHECK_CALL(!BROOD_UNPACK(call, &a, &b, &c, &d, &v, &w, &text, &nothing));
    CHECK_CALL(!strcmp(a, "literal") && !strcmp(b, "array") && !strcmp(c, "mutable") && d == NULL);
    CHECK_CALL(v.size == 3 && !memcmp(v.data, "a\0b", 3) && w.size == 7);
    CHECK_CALL(brood_value_kind(text) == BROOD_STR && text.size == 3);
    CHECK_CALL(brood_value_kind(nothing) == BROOD_NONE);
    return 0;
}

static int objects(brood_call *call)
{
    brood_connection *connection;
    brood_function function;
    brood_value again;
    CHECK_CALL(!BROOD_UNPACK(call, &connection, &function, &again));
    CHECK_CALL(function == one_int);
    CHECK_CALL(brood_value_kind(again) == BROOD_FUNCTION);
    CHECK_CALL(brood_connection_writable(connection));
    return brood_send(connection, BROOD_LIST(1, "two"), 10000);
}

static int nested(brood_call *call)
{
    brood_value list, dict, tuple;
    int last;
    char text[200];
    CHECK_CALL(!BROOD_UNPACK(call, &list, &dict, &tuple, &last));
    (void)brood_value_print(list, text, sizeof text);
    CHECK_CALL(!strcmp(text, "[1, 'two', [3, [4, [5]]], []]"));
    (void)brood_value_print(dict, text, sizeof text);
    CHECK_CALL(!strcmp(text, "{'firefox': 10.5, 'empty': [], 3: {'x': {}}}"));
    (void)brood_value_print(tuple, text, sizeof text);
    CHECK_CALL(!strcmp(text, "((), (1,), [(2,)])"));
    CHECK_CALL(last == 9);
    return 0;
}

static int bound(brood_call *call)
{
    int max = 0;
    double delay = 0.25;
    const char *name = "default";
    int rc = BROOD_BIND(call, "max", &max, "delay?", &delay, "name?", &name);
    if (rc) {
        return rc;
    }
    return max * 40 + (int)(delay * 4) * 10 + (name[0] == 'd');
}

static int bound_to_nothing(brood_call *call)
{
    return BROOD_BIND(call);
}

/* What a pool does with its inputs, in short. */
static int64_t sum_of(const brood_inputs *inputs)
{
    int64_t sum = 0;
    for (size_t i = 0; inputs != NULL && i < inputs->count; i++) {
        sum += brood_as_int(inputs->items[i], 100);
    }
    return sum;
}

/* Nothing is stored before all was checked. */
static int checks_first(brood_call *call)
{
    int first = 77;
    double second = 7.5;
    CHECK_CALL(BROOD_UNPACK(call, &first, &second) == BROOD_ETYPE);
    CHECK_CALL(first == 77 && second == 7.5);
    CHECK_CALL(BROOD_BIND(call, "first", &first, "second", &second) == BROOD_ETYPE);
    CHECK_CALL(first == 77 && second == 7.5);
    return 0;
}

/* ---- here ---- */

/* What the function returned: its own code, or a brood_error. */
static int run(brood_function function, const brood_args *args)
{
    brood_process *process = NULL;
    brood_message *answer = NULL;
    int rc = brood_process_start(&process, function, args, NULL);
    if (rc == 0) {
        rc = brood_process_result(process, &answer, BROOD_FOREVER);
    }
    if (rc == BROOD_ETASK) {
        rc = brood_last_error()->code;
    }
    brood_message_free(answer);
    brood_process_free(process);
    return rc;
}

static void pass_numbers(void)
{
    const int ci = 5;
    volatile int vi = 6;
    bool yes = true;
    int bits = 3;
    struct {
        unsigned field : 3;
    } packed = {7};
    CHECK(run(none, BROOD_ARGS()) == 0);
    CHECK(run(none, NULL) == 0);
    CHECK(run(one_int, BROOD_ARGS(42)) == 42);
    CHECK(run(one_int, BROOD_ARGS((int)41.5)) == 41);
    CHECK(run(one_int, BROOD_ARGS((bits + 1) * 10)) == 40);
    CHECK(run(one_int, BROOD_ARGS(ci)) == 5);
    CHECK(run(one_int, BROOD_ARGS(vi)) == 6);
    CHECK(run(one_int, BROOD_ARGS(bits ? 1 : 0)) == 1);
    CHECK(run(one_int, BROOD_ARGS(packed.field + 0)) == 7);
    CHECK(run(many, BROOD_ARGS(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19,
                               20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31)) == 0);
    CHECK(run(widths, BROOD_ARGS(yes, (char)'x', (signed char)-128, (unsigned char)255,
                                 (short)-32768, (unsigned short)65535, INT32_MIN, UINT32_MAX, -5L,
                                 6UL, INT64_MIN, UINT64_MAX, SIZE_MAX, 1.5f, 2.25, (intptr_t)-9)) ==
          0);
}

static void pass_enums(void)
{
    enum color c = GREEN;
    enum temperature t = COLD;
    CHECK(run(enums, BROOD_ARGS(GREEN, COLD)) == 0);
    CHECK(run(enums, BROOD_ARGS(c, t)) == 0);
}

static void pass_strings(void)
{
    char array[16] = "array";
    const char carray[] = "array";
    char text[] = "mutable";
    char *pointer = text;
    brood_view raw = {"a\0b", 3};
    CHECK(run(strings, BROOD_ARGS("literal", array, pointer, (const char *)NULL, raw, "literal",
                                  carray[0] == 'a' ? "yes" : "no ", brood_none())) == 0);
    CHECK(run(one_int, BROOD_ARGS(carray)) == BROOD_ETYPE);
}

static void pass_objects(void)
{
    brood_connection *ours = NULL, *theirs = NULL;
    brood_message *message = NULL;
    const char *two = NULL;
    int one = 0;
    CHECK(!brood_pipe(&ours, &theirs, BROOD_DUPLEX));
    CHECK(run(objects, BROOD_ARGS(theirs, one_int, one_int)) == 0);
    CHECK(!brood_recv(ours, &message, 10000));
    CHECK(!BROOD_UNPACK(message, &one, &two) && one == 1 && !strcmp(two, "two"));
    brood_message_free(message);
    CHECK((BROOD_GIVE(theirs).flags & BROOD_VALUE_GIVEN) != 0);
    CHECK(run(objects, BROOD_ARGS(BROOD_GIVE(theirs), one_int, one_int)) == 0);
    CHECK(brood_connection_closed(theirs));
    brood_connection_free(ours);
    brood_connection_free(theirs);
}

/* BROOD_GIVE changes nothing in what has no end to be closed. */
static void give_values(void)
{
    const char *text = "text";
    CHECK(run(one_int, BROOD_ARGS(BROOD_GIVE(5))) == 5);
    CHECK(run(one_int, BROOD_ARGS(BROOD_GIVE(GREEN))) == 7);
    CHECK(run(bound, BROOD_ARGS(1, BROOD_GIVE(0), BROOD_GIVE("x"))) == 40);
    CHECK(run(bound, BROOD_ARGS(BROOD_NAMED("max", BROOD_GIVE(1)), 0, text)) == BROOD_EARGS);
    CHECK(run(bound, BROOD_ARGS(BROOD_GIVE(1), 0, BROOD_NAMED("name", BROOD_GIVE(text)))) == 40);
    CHECK(run(one_int, BROOD_ARGS(BROOD_GIVE(BROOD_LIST(1, 2)))) == BROOD_ETYPE);
    CHECK(run(none, BROOD_ARGS(BROOD_GIVE(brood_none()))) == BROOD_EARGS);
}

/* Here they stay in this process: a message refers to them. */
static void keep_objects(void)
{
    brood_process *child = NULL, *first = NULL, *second = NULL;
    brood_message *message = NULL;
    brood_handle copy = BROOD_NO_HANDLE;
    brood_value handle;
    CHECK(!brood_process_start(&child, none, NULL, NULL));
    handle = brood_handle_value(brood_process_sentinel(child));
    CHECK(!brood_message_new(&message, BROOD_LIST(child, BROOD_GIVE(child), handle)));
    CHECK(!BROOD_UNPACK(message, &first, &second, &handle) && first == child && second == child);
    CHECK(brood_as_handle(handle) != brood_process_sentinel(child));
    CHECK(!brood_handle_duplicate(&copy, brood_as_handle(handle)));
    brood_handle_close(copy);
    brood_message_free(message);
    CHECK((BROOD_GIVE(brood_handle_value(copy)).flags & BROOD_VALUE_GIVEN) != 0);
    CHECK(brood_process_join(child, 10000) == 0);
    brood_process_free(child);
}

static void pass_containers(void)
{
    CHECK(run(nested,
              BROOD_ARGS(
                  BROOD_LIST(1, "two", BROOD_LIST(3, BROOD_LIST(4, BROOD_LIST(5))), BROOD_LIST()),
                  BROOD_DICT("firefox", 10.5, "empty", BROOD_LIST(), 3,
                             BROOD_DICT("x", BROOD_DICT())),
                  BROOD_TUPLE(BROOD_TUPLE(), BROOD_TUPLE(1), BROOD_LIST(BROOD_TUPLE(2))), 9)) == 0);
}

static void list_inputs(void)
{
    const int64_t big = (int64_t)1 << 40;
    CHECK(sum_of(BROOD_ITEMS()) == 0);
    CHECK(sum_of(BROOD_ITEMS(5)) == 5);
    CHECK(sum_of(BROOD_ITEMS(1, big, true, "text", BROOD_LIST(1, 2))) == 202 + big);
    CHECK(sum_of(BROOD_ITEMS(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                             1, 1, 1, 1, 1, 1, 1, 1)) == 32);
}

static void bind_arguments(void)
{
    CHECK(run(bound, BROOD_ARGS(3)) == 131);
    CHECK(run(bound, BROOD_ARGS(3, BROOD_NAMED("name", "x"), BROOD_NAMED("delay", 0.5))) == 140);
    CHECK(run(bound, BROOD_ARGS(BROOD_NAMED("max", 2), BROOD_NAMED("delay", 1))) == 121);
    CHECK(run(bound, BROOD_ARGS(3, 1, "x")) == 160);
    CHECK(run(bound, BROOD_ARGS()) == BROOD_EARGS);
    CHECK(run(bound, BROOD_ARGS(1, BROOD_NAMED("max", 2))) == BROOD_EARGS);
    CHECK(run(bound, BROOD_ARGS(1, BROOD_NAMED("speed", 2))) == BROOD_EARGS);
    CHECK(run(bound_to_nothing, BROOD_ARGS()) == 0);
    CHECK(run(bound_to_nothing, BROOD_ARGS(1)) == BROOD_EARGS);
}

static void refuse_arguments(void)
{
    CHECK(run(one_int, BROOD_ARGS()) == BROOD_EARGS);
    CHECK(run(one_int, BROOD_ARGS(1, 2)) == BROOD_EARGS);
    CHECK(run(one_int, BROOD_ARGS("x")) == BROOD_ETYPE);
    CHECK(run(one_int, BROOD_ARGS((int64_t)1 << 40)) == BROOD_ERANGE);
    CHECK(run(one_int, BROOD_ARGS(BROOD_NAMED("x", 1))) == BROOD_EARGS);
    CHECK(run(checks_first, BROOD_ARGS(1, "x")) == 0);
}

static void unpack_values(void)
{
    brood_value pair[2];
    brood_value value;
    brood_message *message = NULL;
    int64_t number = 0;
    const char *text = NULL;
    char name[] = "number";
    char *mutable_name = name;
    pair[0] = brood_str("k");
    pair[1] = brood_int(8);
    value = brood_tuple(pair, 2);
    CHECK(!BROOD_UNPACK(&value, &text, &number) && number == 8 && text[0] == 'k');
    CHECK(!brood_message_new(&message, brood_int(5)));
    CHECK(!BROOD_UNPACK(message, &number) && number == 5);
    CHECK(!BROOD_BIND(message, "number", &number));
    CHECK(!BROOD_BIND(message, name, &number) && !BROOD_BIND(message, mutable_name, &number));
    brood_message_free(message);
    CHECK(brood_of(7).as.i64 == 7 && brood_of(true).as.i64 == 1);
    CHECK(brood_of(1 == 1).as.i64 == 1);
    CHECK(brood_value_kind(brood_of((bool)true)) == BROOD_BOOL);
    CHECK(BROOD_KEY("secret").size == 6);
}

static void set_options(void)
{
    brood_process_options options = BROOD_OPTIONS_INIT(process);
    brood_process *process = NULL;
    options.name = "worker";
    CHECK(options.size == sizeof options);
    CHECK(!brood_process_start(&process, none, NULL, &options));
    CHECK(!strcmp(brood_process_name(process), "worker"));
    CHECK(!brood_process_join(process, BROOD_FOREVER));
    brood_process_free(process);
}

int main(int argc, char **argv)
{
    brood_init(argc, argv);
    pass_numbers();
    pass_enums();
    pass_strings();
    pass_objects();
    give_values();
    keep_objects();
    pass_containers();
    list_inputs();
    bind_arguments();
    refuse_arguments();
    unpack_values();
    set_options();
    return 0;
}

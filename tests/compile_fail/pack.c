/* Mistakes with the macros of brood/pack.h, one for each definition; the text is C11 and C++17. */
#include <brood.h>

struct thing {
    int x;
};

int look(const brood_args *args);
int take(brood_call *call);
int other(int x);

int look(const brood_args *args)
{
    return (int)args->count;
}

int other(int x)
{
    return x;
}

int take(brood_call *call)
{
    int x = 0;
    const char *text = NULL;
#if defined(BROOD_COMPILES)
    return look(BROOD_ARGS(x, text, take, other(1))) + BROOD_BIND(call, "x", &x) +
           BROOD_UNPACK(call, &x, &text);
#elif defined(VOID_POINTER)
    void *pointer = &x;
    return look(BROOD_ARGS(x, pointer));
#elif defined(CONSTANT_POINTER)
    const void *pointer = &x;
    return look(BROOD_ARGS(x, pointer));
#elif defined(NULL_POINTER)
#if defined(__cplusplus)
    return look(BROOD_ARGS(x, nullptr));
#else
    return look(BROOD_ARGS(x, NULL));
#endif
#elif defined(FUNCTION_OF_ANOTHER_TYPE)
    return look(BROOD_ARGS(x, other));
#elif defined(FUNCTION_POINTER)
    void (*pointer)(void) = NULL;
    return look(BROOD_ARGS(BROOD_LIST(x, pointer)));
#elif defined(NAMED_FUNCTION)
    return look(BROOD_ARGS(BROOD_NAMED("x", other)));
#elif defined(GIVEN_POINTER)
    void *pointer = &x;
    return look(BROOD_ARGS(BROOD_GIVE(pointer)));
#elif defined(TEXT_ADDRESS)
    return look(BROOD_ARGS(x, &text));
#elif defined(NUMBER_ADDRESS)
    return look(BROOD_ARGS(BROOD_LIST(x, &x)));
#elif defined(STRUCTURE)
    struct thing thing = {0};
    return look(BROOD_ARGS(x, thing));
#elif defined(HANDLE_ADDRESS)
    brood_handle handle = BROOD_NO_HANDLE;
    return look(BROOD_ARGS(x, &handle));
#elif defined(LONG_DOUBLE)
    long double y = 1;
    return look(BROOD_ARGS(x, y));
#elif defined(TOO_MANY_ITEMS)
    return look(BROOD_ARGS(x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x,
                           x, x, x, x, x, x, x, x, x));
#elif defined(TOO_MANY_IN_LIST)
    return look(BROOD_ARGS(BROOD_LIST(x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x,
                                      x, x, x, x, x, x, x, x, x, x, x, x)));
#elif defined(TOO_MANY_INPUTS)
    return BROOD_ITEMS(x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x,
                       x, x, x, x, x, x, x) == NULL;
#elif defined(ODD_DICT)
    return look(BROOD_ARGS(BROOD_DICT("a", 1, "b")));
#elif defined(MUTABLE_TEXT)
    char *mutable_text = NULL;
    return BROOD_UNPACK(call, &mutable_text);
#elif defined(UNKNOWN_TYPE)
    struct thing thing = {0};
    return BROOD_UNPACK(call, &thing);
#elif defined(CONSTANT_PLACE)
    const int constant = 0;
    return BROOD_UNPACK(call, &constant);
#elif defined(PLACE_OF_A_POINTER)
    void *pointer = &x;
    return BROOD_UNPACK(call, &pointer);
#elif defined(PLACE_OF_ANOTHER_FUNCTION)
    int (*pointer)(int) = other;
    return BROOD_UNPACK(call, &pointer);
#elif defined(NO_PLACE)
    return BROOD_UNPACK(call, x);
#elif defined(BIND_TO_NO_PLACE)
    return BROOD_BIND(call, "x", text);
#elif defined(VALUE_AS_SOURCE)
    return BROOD_UNPACK(brood_none(), &x);
#elif defined(NO_SOURCE)
    return BROOD_UNPACK(&x, &text);
#elif defined(BIND_WITHOUT_PAIRS)
    return BROOD_BIND(call, "x", &x, "text");
#elif defined(BIND_IN_WRONG_ORDER)
    return BROOD_BIND(call, &x, "x");
#else
#error "say which mistake"
#endif
}

/* Mistakes with the macros of brood/pack.h, one for each definition; the text is C11 and C++17. */
#include <brood.h>

struct thing {
    int x;
};

int look(const brood_args *args);
int take(brood_call *call);

int look(const brood_args *args)
{
    return (int)args->count;
}

int take(brood_call *call)
{
    int x = 0;
    const char *text = NULL;
#if defined(BROOD_COMPILES)
    return look(BROOD_ARGS(x, text)) + BROOD_BIND(call, "x", &x) + BROOD_UNPACK(call, &x, &text);
#elif defined(VOID_POINTER)
    void *pointer = &x;
    return look(BROOD_ARGS(x, pointer));
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
#elif defined(ODD_DICT)
    return look(BROOD_ARGS(BROOD_DICT("a", 1, "b")));
#elif defined(MUTABLE_TEXT)
    char *mutable_text = NULL;
    return BROOD_UNPACK(call, &mutable_text);
#elif defined(UNKNOWN_TYPE)
    struct thing thing = {0};
    return BROOD_UNPACK(call, &thing);
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

/* Values: what travels between processes. Messages: what arrives and owns the memory of its values.
 *
 * A value is none, a bool, an integer, a float, a str (UTF-8), bytes, a list, tuple or dict of
 * values, a function of the program, a native handle, or a brood object. */
#ifndef BROOD_VALUE_H
#define BROOD_VALUE_H

#include <string.h>

#include <brood/base.h>

BROOD_BEGIN_C

typedef enum brood_kind {
    BROOD_NONE,
    BROOD_BOOL,
    BROOD_INT,
    BROOD_UINT, /* only above INT64_MAX; smaller ones are BROOD_INT */
    BROOD_FLOAT,
    BROOD_STR,
    BROOD_BYTES,
    BROOD_LIST_KIND,
    BROOD_TUPLE_KIND,
    BROOD_DICT_KIND,
    BROOD_FUNCTION,
    BROOD_CONNECTION,
    BROOD_HANDLE,
    BROOD_PROCESS,
    BROOD_LOCK,
    BROOD_QUEUE,
    BROOD_MEMORY,
    BROOD_ARRAY,
    BROOD_SEMAPHORE,
    BROOD_CONDITION,
    BROOD_EVENT,
    BROOD_BARRIER,
    /* Only for brood_wait; no values: */
    BROOD_RESULT = 128,
    BROOD_RESULTS
} brood_kind;

/// brood_value is a small borrowed view of a value (24 bytes); copy it freely. Its fields are
/// private: make it with the functions below, read it with brood_as_* and BROOD_UNPACK. Every
/// function that takes a value has encoded or copied it when it returns.
typedef struct brood_value {
    uint8_t kind;
    uint8_t flags;
    uint16_t reserved16;
    uint32_t reserved32;
    union {
        int64_t i64;
        uint64_t u64;
        double f64;
        const void *data;
        const struct brood_value *items;
        brood_function function;
        void *object;
    } as;
    uint64_t size; /* bytes, or items (a dict: 2 per pair) */
} brood_value;

/* brood_value.flags, private */
#define BROOD_VALUE_NAMED 1     /* a named argument: a tuple of its name and its value */
#define BROOD_VALUE_GIVEN 2     /* the object is closed here once it was sent */
#define BROOD_VALUE_SURROGATE 4 /* a str with lone surrogates, as Python writes them */
#define BROOD_VALUE_SET 8       /* a list that was a set or frozenset */
#define BROOD_VALUE_OWNED 16    /* a handle that a message or call owns */

static inline brood_value brood_value_blank_(brood_kind kind)
{
    brood_value value;
    memset(&value, 0, sizeof value);
    value.kind = (uint8_t)kind;
    return value;
}

static inline brood_value brood_none(void)
{
    return brood_value_blank_(BROOD_NONE);
}

static inline brood_value brood_bool(bool x)
{
    brood_value value = brood_value_blank_(BROOD_BOOL);
    value.as.i64 = x ? 1 : 0;
    return value;
}

static inline brood_value brood_int(int64_t x)
{
    brood_value value = brood_value_blank_(BROOD_INT);
    value.as.i64 = x;
    return value;
}

static inline brood_value brood_uint(uint64_t x)
{
    brood_value value = brood_value_blank_(x > (uint64_t)INT64_MAX ? BROOD_UINT : BROOD_INT);
    value.as.u64 = x;
    return value;
}

static inline brood_value brood_float(double x)
{
    brood_value value = brood_value_blank_(BROOD_FLOAT);
    value.as.f64 = x;
    return value;
}

/// brood_text is a str of `size` bytes of UTF-8; NULL gives none. Other bytes (Unix file names)
/// travel unchanged between C programs; Python refuses them.
static inline brood_value brood_text(const char *data, size_t size)
{
    brood_value value = brood_value_blank_(data ? BROOD_STR : BROOD_NONE);
    value.as.data = data;
    value.size = data ? size : 0;
    return value;
}

/// brood_str is a str that ends at its zero byte; NULL gives none.
static inline brood_value brood_str(const char *text)
{
    return brood_text(text, text ? strlen(text) : 0);
}

static inline brood_value brood_bytes(const void *data, size_t size)
{
    brood_value value = brood_value_blank_(BROOD_BYTES);
    value.as.data = data;
    value.size = size;
    return value;
}

static inline brood_value brood_items_(brood_kind kind, const brood_value *items, size_t count)
{
    brood_value value = brood_value_blank_(kind);
    value.as.items = items;
    value.size = count;
    return value;
}

static inline brood_value brood_list(const brood_value *items, size_t count)
{
    return brood_items_(BROOD_LIST_KIND, items, count);
}

static inline brood_value brood_tuple(const brood_value *items, size_t count)
{
    return brood_items_(BROOD_TUPLE_KIND, items, count);
}

/// brood_dict takes keys and values in turn: 2 * `pairs` items.
static inline brood_value brood_dict(const brood_value *items, size_t pairs)
{
    return brood_items_(BROOD_DICT_KIND, items, pairs * 2);
}

static inline brood_value brood_function_value(brood_function function)
{
    brood_value value = brood_value_blank_(function ? BROOD_FUNCTION : BROOD_NONE);
    value.as.function = function;
    return value;
}

/// brood_handle_value is a native handle: a file descriptor (Unix) or a HANDLE (Windows; a SOCKET
/// only if it is one). The receiver gets a duplicate, which its message or call owns: read it with
/// brood_as_handle. Wrapped in BROOD_GIVE it is closed here once it was sent. BROOD_NO_HANDLE gives
/// none.
static inline brood_value brood_handle_value(brood_handle handle)
{
    brood_value value = brood_value_blank_(handle == BROOD_NO_HANDLE ? BROOD_NONE : BROOD_HANDLE);
    value.as.i64 = handle == BROOD_NO_HANDLE ? 0 : (int64_t)handle;
    return value;
}

static inline brood_value brood_object_(brood_kind kind, void *object)
{
    brood_value value = brood_value_blank_(object ? kind : BROOD_NONE);
    value.as.object = object;
    return value;
}

static inline brood_value brood_view_value(brood_view view)
{
    return brood_bytes(view.data, view.size);
}

static inline brood_view brood_view_of(const char *text)
{
    brood_view view;
    view.data = text;
    view.size = text ? strlen(text) : 0;
    return view;
}

/// brood_value_kind tells what a value is.
static inline brood_kind brood_value_kind(brood_value value)
{
    return (brood_kind)value.kind;
}

/* Reading without ceremony: these return `fallback` when the kind differs or a number does not fit.
 * BROOD_UNPACK checks and says what is wrong. */

/// brood_as_int reads an int, or a bool as 0 or 1.
///
/// Threads: safe from any thread.
BROOD_API int64_t brood_as_int(brood_value value, int64_t fallback);

/// brood_as_uint reads a non-negative int, or a bool as 0 or 1.
///
/// Threads: safe from any thread.
BROOD_API uint64_t brood_as_uint(brood_value value, uint64_t fallback);

/// brood_as_float reads a float, or an int converted to the nearest double.
///
/// Threads: safe from any thread.
BROOD_API double brood_as_float(brood_value value, double fallback);

/// brood_as_bool reads a bool, or an int that is 0 or 1.
///
/// Threads: safe from any thread.
BROOD_API bool brood_as_bool(brood_value value, bool fallback);

/// brood_as_str reads a str of a message or call: zero-terminated, borrowed. A str with a zero byte
/// inside gives `fallback`; use brood_as_view. On a value made with brood_text it is only allowed
/// if the text is followed by a zero byte.
///
/// Threads: safe from any thread.
BROOD_API const char *brood_as_str(brood_value value, const char *fallback);

/// brood_as_view reads a str or bytes; {NULL, 0} for other kinds.
///
/// Threads: safe from any thread.
BROOD_API brood_view brood_as_view(brood_value value);

/// brood_as_handle reads a native handle, borrowed: one that arrived is closed with its message, or
/// when the function returns whose argument it was. brood_handle_duplicate keeps it. Other kinds
/// give BROOD_NO_HANDLE. (BROOD_UNPACK takes it into a brood_value: in C a brood_handle is an
/// integer like any other.)
///
/// Threads: safe from any thread.
BROOD_API brood_handle brood_as_handle(brood_value value);

/// brood_handle_duplicate makes another handle of what `handle` refers to. It is the caller's, is
/// not inherited by other programs, and is released with brood_handle_close (or close, CloseHandle).
///
/// Errors: BROOD_EINVAL for a handle that is not open; BROOD_ESYSTEM.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_handle_duplicate(brood_handle *out, brood_handle handle);

/// brood_handle_close closes a native handle that is the caller's. BROOD_NO_HANDLE is allowed.
///
/// Threads: safe from any thread; nobody may use the handle afterwards.
BROOD_API void brood_handle_close(brood_handle handle);

/// brood_value_count is the number of items of a list or tuple, of pairs of a dict, else 0.
///
/// Threads: safe from any thread.
BROOD_API size_t brood_value_count(brood_value value);

/// brood_value_at returns an item of a list or tuple, or the value of a dict's pair; none past the
/// end.
///
/// Threads: safe from any thread.
BROOD_API brood_value brood_value_at(brood_value value, size_t index);

/// brood_value_key returns the key of a dict's pair; none past the end or for other kinds.
///
/// Threads: safe from any thread.
BROOD_API brood_value brood_value_key(brood_value dict, size_t index);

/// brood_value_get returns what a dict has under a str key (the last one, if it is there twice), or
/// none. It looks from the end and compares: nothing is hashed.
///
/// Threads: safe from any thread.
BROOD_API brood_value brood_value_get(brood_value dict, const char *key);

/// brood_value_equal compares as Python does: 1 == 1.0 == True, lists item by item, dicts without
/// regard to order; functions, handles and objects by identity; a NaN equals nothing. A list that was a set
/// equals none that was not. Dicts in the same order take linear time, others quadratic.
///
/// Threads: safe from any thread.
BROOD_API bool brood_value_equal(brood_value a, brood_value b);

/// brood_value_print writes a Python-style literal into `buffer`, zero-terminated and cut to `size`
/// bytes, and returns the length it needs without the zero byte. `buffer` may be NULL if `size` is
/// 0. Functions, handles and objects print as <function>, <handle>, <connection>.
///
/// Threads: safe from any thread.
BROOD_API size_t brood_value_print(brood_value value, char *buffer, size_t size);

/// brood_message_new makes a message that owns a deep copy of `value`; objects in it are
/// referenced once more. A handle of the caller's is duplicated; one that another message owns is
/// shared with it, and closed with the last.
///
/// On success `*out` owns the copy; release it with brood_message_free. On failure `*out` is NULL.
///
/// Errors: BROOD_EINVAL, BROOD_ENOMEM, BROOD_ETOOBIG when it is nested deeper than 1,000;
/// BROOD_ESYSTEM when a handle cannot be duplicated.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_message_new(brood_message **out, brood_value value);

/// brood_message_value returns the message's value, borrowed until brood_message_free. NULL gives
/// none.
///
/// Threads: safe from any thread.
BROOD_API brood_value brood_message_value(const brood_message *message);

/// brood_message_free releases the message, its values, and its references to objects. NULL is
/// allowed.
///
/// Threads: safe from any thread; nobody may use the message afterwards.
BROOD_API void brood_message_free(brood_message *message);

/// brood_encode makes a message whose value is the encoded bytes of `value`, for files and foreign
/// transports: pickle protocol 4, data only. Functions, handles and objects are BROOD_ETYPE.
///
/// Errors: BROOD_EINVAL, BROOD_ETYPE, BROOD_ETOOBIG, BROOD_ENOMEM.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_encode(brood_message **out, brood_value value);

/// brood_decode reads `size` bytes of pickle (protocols 2 to 5, as far as they are data) into a
/// message that owns a copy of them. It never calls, imports or constructs anything. Sets arrive as
/// lists. What is shared stays shared, but cycles, nesting deeper than 1,000, and bytes that stand
/// for more than 64 times as many values (and more than a million) are refused.
///
/// Errors: BROOD_EDECODE with opcode and offset; BROOD_ERANGE for an integer beyond 64 bits;
/// BROOD_EINVAL; BROOD_ENOMEM. Memory is at most 64 times `size` plus 1 MiB.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_decode(brood_message **out, const void *data, size_t size);

BROOD_END_C

#endif

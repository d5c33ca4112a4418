/* Written by tools/generate-pack.py: change that file, not this one. */
// clang-format off
/* BROOD_ARGS, BROOD_ITEMS, BROOD_LIST, BROOD_DICT, BROOD_NAMED, BROOD_UNPACK, BROOD_BIND.
 * C11: _Generic over the argument's type; C++17: overloads. Same spelling, same meaning.
 * C with MSVC needs /std:c11 or /std:c17 (which bring _Generic); the macros below do not rely on
 * the conforming preprocessor. Limit: 32 items for each macro; arrays have no limit. */
#ifndef BROOD_PACK_H
#define BROOD_PACK_H
#include <brood/value.h>

#if !defined(__cplusplus) && (!defined(__STDC_VERSION__) || __STDC_VERSION__ < 201112L)
#error "brood needs C11: -std=c11, or /std:c11 with MSVC"
#endif

/// brood_args is a borrowed list of arguments: NULL = none. Named ones come last.
typedef struct brood_args {
    const brood_value *items;
    size_t count;
} brood_args;

/// brood_inputs is what map goes over: an array of values (BROOD_ITEMS(1, 2, 3), brood_inputs_array),
/// `count` blocks of `stride` bytes one behind the other (brood_inputs_bytes), or what `next` gives.
typedef struct brood_inputs {
    const brood_value *items;
    size_t count; /* with `next`: how many are expected, for on_progress; 0: not known */
    const void *bytes;
    size_t stride;
    /* Sets `*item`, borrowed until the next call, and returns 0; BROOD_EEND when there is none any
     * more; any other brood_error ends the inputs with that. */
    int (*next)(void *user, brood_value *item);
    void *user;
} brood_inputs;

/* One destination of BROOD_UNPACK / BROOD_BIND: where to put a value and which type it must have. */
typedef enum brood_slot_type {
    BROOD_SLOT_SOURCE_CALL_ = 1, BROOD_SLOT_SOURCE_MESSAGE_, BROOD_SLOT_SOURCE_VALUE_,
    BROOD_SLOT_NAME_, BROOD_SLOT_BOOL_, BROOD_SLOT_SIGNED_, BROOD_SLOT_UNSIGNED_,
    BROOD_SLOT_FLOAT_, BROOD_SLOT_STR_, BROOD_SLOT_VIEW_, BROOD_SLOT_VALUE_,
    BROOD_SLOT_FUNCTION_, BROOD_SLOT_OBJECT_
} brood_slot_type;
typedef struct brood_slot {
    uint16_t type;   /* brood_slot_type */
    uint16_t detail; /* object: brood_kind; number: sizeof */
    uint32_t reserved;
    void *out;
} brood_slot;

static inline brood_slot brood_slot_(brood_slot_type type, size_t detail, const void *out)
{
    brood_slot s;
    s.type = (uint16_t)type;
    s.detail = (uint16_t)detail;
    s.reserved = 0;
    s.out = (void *)(uintptr_t)out;
    return s;
}

BROOD_BEGIN_C
/// brood_unpack_ is behind BROOD_UNPACK; slots[0] is the source.
///
/// Errors: BROOD_EARGS, BROOD_ETYPE, BROOD_ERANGE; then nothing was stored.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_unpack_(const brood_slot *slots, size_t count);
/// brood_bind_ is behind BROOD_BIND; slots[0] is the source, then pairs of name and destination.
///
/// Errors: BROOD_EARGS, BROOD_ETYPE, BROOD_ERANGE; then nothing was stored.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_bind_(const brood_slot *slots, size_t count);
BROOD_END_C

#ifndef __cplusplus
/* ---- C11 ---- */
static inline brood_value brood_of_value_(brood_value v) { return v; }
static inline brood_value brood_of_char_(char c) { return brood_int(c); }
static inline brood_value brood_of_connection_(brood_connection *p) { return brood_object_(BROOD_CONNECTION, p); }
static inline brood_value brood_of_process_(brood_process *p) { return brood_object_(BROOD_PROCESS, p); }
static inline brood_value brood_of_lock_(brood_lock *p) { return brood_object_(BROOD_LOCK, p); }
static inline brood_value brood_of_queue_(brood_queue *p) { return brood_object_(BROOD_QUEUE, p); }
static inline brood_value brood_of_memory_(brood_memory *p) { return brood_object_(BROOD_MEMORY, p); }
static inline brood_value brood_of_array_(brood_array *p) { return brood_object_(BROOD_ARRAY, p); }
static inline brood_value brood_of_semaphore_(brood_semaphore *p) { return brood_object_(BROOD_SEMAPHORE, p); }
static inline brood_value brood_of_condition_(brood_condition *p) { return brood_object_(BROOD_CONDITION, p); }
static inline brood_value brood_of_event_(brood_event *p) { return brood_object_(BROOD_EVENT, p); }
static inline brood_value brood_of_barrier_(brood_barrier *p) { return brood_object_(BROOD_BARRIER, p); }
static inline brood_value brood_of_result_(brood_result *p) { return brood_object_(BROOD_RESULT, p); }
static inline brood_value brood_of_results_(brood_results *p) { return brood_object_(BROOD_RESULTS, p); }
/* Never defined, and called with too many arguments on purpose: the compiler prints the name. */
brood_value brood_ERROR_a_pointer_means_nothing_in_another_process(void);
brood_value brood_ERROR_this_type_cannot_travel(void);
brood_value brood_ERROR_more_than_32_items_use_an_array(void);
brood_slot brood_ERROR_cannot_unpack_into_this_type(void);
brood_slot brood_ERROR_unpack_strings_into_const_char_pointer(void);
brood_slot brood_ERROR_BROOD_BIND_takes_pairs_of_name_and_pointer(void);
brood_slot brood_ERROR_first_argument_must_be_call_message_or_value(void);

/// brood_of(x) makes a brood_value of a number, string, view, function or brood object.
#define brood_of(x) BROOD_OF_(x)
#define BROOD_OF_(x) \
    _Generic((x), \
        _Bool: brood_bool, char: brood_of_char_, \
        signed char: brood_int, short: brood_int, int: brood_int, long: brood_int, long long: brood_int, \
        unsigned char: brood_uint, unsigned short: brood_uint, unsigned: brood_uint, \
        unsigned long: brood_uint, unsigned long long: brood_uint, \
        float: brood_float, double: brood_float, \
        char *: brood_str, const char *: brood_str, \
        brood_view: brood_view_value, brood_value: brood_of_value_, \
        brood_function: brood_function_value, \
        brood_connection *: brood_of_connection_, \
        brood_process *: brood_of_process_, \
        brood_lock *: brood_of_lock_, \
        brood_queue *: brood_of_queue_, \
        brood_memory *: brood_of_memory_, \
        brood_array *: brood_of_array_, \
        brood_semaphore *: brood_of_semaphore_, \
        brood_condition *: brood_of_condition_, \
        brood_event *: brood_of_event_, \
        brood_barrier *: brood_of_barrier_, \
        brood_result *: brood_of_result_, \
        brood_results *: brood_of_results_, \
        void *: brood_ERROR_a_pointer_means_nothing_in_another_process, \
        const void *: brood_ERROR_a_pointer_means_nothing_in_another_process, \
        default: brood_ERROR_this_type_cannot_travel)(x)

static inline brood_slot brood_slot_bool_(bool *p) { return brood_slot_(BROOD_SLOT_BOOL_, 1, p); }
static inline brood_slot brood_slot_char_(char *p) { return brood_slot_((char)-1 < 0 ? BROOD_SLOT_SIGNED_ : BROOD_SLOT_UNSIGNED_, 1, p); }
static inline brood_slot brood_slot_schar_(signed char *p) { return brood_slot_(BROOD_SLOT_SIGNED_, sizeof *p, p); }
static inline brood_slot brood_slot_short_(short *p) { return brood_slot_(BROOD_SLOT_SIGNED_, sizeof *p, p); }
static inline brood_slot brood_slot_int_(int *p) { return brood_slot_(BROOD_SLOT_SIGNED_, sizeof *p, p); }
static inline brood_slot brood_slot_long_(long *p) { return brood_slot_(BROOD_SLOT_SIGNED_, sizeof *p, p); }
static inline brood_slot brood_slot_llong_(long long *p) { return brood_slot_(BROOD_SLOT_SIGNED_, sizeof *p, p); }
static inline brood_slot brood_slot_uchar_(unsigned char *p) { return brood_slot_(BROOD_SLOT_UNSIGNED_, sizeof *p, p); }
static inline brood_slot brood_slot_ushort_(unsigned short *p) { return brood_slot_(BROOD_SLOT_UNSIGNED_, sizeof *p, p); }
static inline brood_slot brood_slot_uint_(unsigned *p) { return brood_slot_(BROOD_SLOT_UNSIGNED_, sizeof *p, p); }
static inline brood_slot brood_slot_ulong_(unsigned long *p) { return brood_slot_(BROOD_SLOT_UNSIGNED_, sizeof *p, p); }
static inline brood_slot brood_slot_ullong_(unsigned long long *p) { return brood_slot_(BROOD_SLOT_UNSIGNED_, sizeof *p, p); }
static inline brood_slot brood_slot_float_(float *p) { return brood_slot_(BROOD_SLOT_FLOAT_, sizeof *p, p); }
static inline brood_slot brood_slot_double_(double *p) { return brood_slot_(BROOD_SLOT_FLOAT_, sizeof *p, p); }
static inline brood_slot brood_slot_str_(const char * *p) { return brood_slot_(BROOD_SLOT_STR_, 0, p); }
static inline brood_slot brood_slot_view_(brood_view *p) { return brood_slot_(BROOD_SLOT_VIEW_, 0, p); }
static inline brood_slot brood_slot_value_(brood_value *p) { return brood_slot_(BROOD_SLOT_VALUE_, 0, p); }
static inline brood_slot brood_slot_function_(brood_function *p) { return brood_slot_(BROOD_SLOT_FUNCTION_, 0, p); }
static inline brood_slot brood_slot_connection_(brood_connection * *p) { return brood_slot_(BROOD_SLOT_OBJECT_, BROOD_CONNECTION, p); }
static inline brood_slot brood_slot_process_(brood_process * *p) { return brood_slot_(BROOD_SLOT_OBJECT_, BROOD_PROCESS, p); }
static inline brood_slot brood_slot_lock_(brood_lock * *p) { return brood_slot_(BROOD_SLOT_OBJECT_, BROOD_LOCK, p); }
static inline brood_slot brood_slot_queue_(brood_queue * *p) { return brood_slot_(BROOD_SLOT_OBJECT_, BROOD_QUEUE, p); }
static inline brood_slot brood_slot_memory_(brood_memory * *p) { return brood_slot_(BROOD_SLOT_OBJECT_, BROOD_MEMORY, p); }
static inline brood_slot brood_slot_array_(brood_array * *p) { return brood_slot_(BROOD_SLOT_OBJECT_, BROOD_ARRAY, p); }
static inline brood_slot brood_slot_semaphore_(brood_semaphore * *p) { return brood_slot_(BROOD_SLOT_OBJECT_, BROOD_SEMAPHORE, p); }
static inline brood_slot brood_slot_condition_(brood_condition * *p) { return brood_slot_(BROOD_SLOT_OBJECT_, BROOD_CONDITION, p); }
static inline brood_slot brood_slot_event_(brood_event * *p) { return brood_slot_(BROOD_SLOT_OBJECT_, BROOD_EVENT, p); }
static inline brood_slot brood_slot_barrier_(brood_barrier * *p) { return brood_slot_(BROOD_SLOT_OBJECT_, BROOD_BARRIER, p); }
static inline brood_slot brood_slot_name_(const char *n) { return brood_slot_(BROOD_SLOT_NAME_, 0, n); }
static inline brood_slot brood_from_call_(const brood_call *c) { return brood_slot_(BROOD_SLOT_SOURCE_CALL_, 0, c); }
static inline brood_slot brood_from_message_(const brood_message *m) { return brood_slot_(BROOD_SLOT_SOURCE_MESSAGE_, 0, m); }
static inline brood_slot brood_from_value_(const brood_value *v) { return brood_slot_(BROOD_SLOT_SOURCE_VALUE_, 0, v); }
#define BROOD_FROM_(x) \
    _Generic((x), brood_call *: brood_from_call_, const brood_call *: brood_from_call_, \
        brood_message *: brood_from_message_, const brood_message *: brood_from_message_, \
        brood_value *: brood_from_value_, const brood_value *: brood_from_value_, \
        default: brood_ERROR_first_argument_must_be_call_message_or_value)(x)
#define BROOD_SLOT_(p) \
    _Generic((p), \
        bool *: brood_slot_bool_, char *: brood_slot_char_, \
        signed char *: brood_slot_schar_, \
        short *: brood_slot_short_, \
        int *: brood_slot_int_, \
        long *: brood_slot_long_, \
        long long *: brood_slot_llong_, \
        unsigned char *: brood_slot_uchar_, \
        unsigned short *: brood_slot_ushort_, \
        unsigned *: brood_slot_uint_, \
        unsigned long *: brood_slot_ulong_, \
        unsigned long long *: brood_slot_ullong_, \
        float *: brood_slot_float_, double *: brood_slot_double_, \
        const char **: brood_slot_str_, brood_view *: brood_slot_view_, \
        brood_value *: brood_slot_value_, brood_function *: brood_slot_function_, \
        brood_connection **: brood_slot_connection_, \
        brood_process **: brood_slot_process_, \
        brood_lock **: brood_slot_lock_, \
        brood_queue **: brood_slot_queue_, \
        brood_memory **: brood_slot_memory_, \
        brood_array **: brood_slot_array_, \
        brood_semaphore **: brood_slot_semaphore_, \
        brood_condition **: brood_slot_condition_, \
        brood_event **: brood_slot_event_, \
        brood_barrier **: brood_slot_barrier_, \
        char **: brood_ERROR_unpack_strings_into_const_char_pointer, \
        default: brood_ERROR_cannot_unpack_into_this_type)(p)
#define BROOD_NAME_(n) \
    _Generic((n), char *: brood_slot_name_, const char *: brood_slot_name_, \
        default: brood_ERROR_BROOD_BIND_takes_pairs_of_name_and_pointer)(n)

/* Counting and mapping. Flat (no recursion): short diagnostics, and safe for preprocessors that
 * hand __VA_ARGS__ on as one token, thanks to BROOD_X_. */
#define BROOD_X_(x) x
#define BROOD_CAT_(a, b) BROOD_CAT2_(a, b)
#define BROOD_CAT2_(a, b) a##b
#define BROOD_PICK_(p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11, p12, p13, p14, p15, p16, p17, p18, p19, p20, p21, p22, p23, p24, p25, p26, p27, p28, p29, p30, p31, p32, p33, p34, p35, p36, p37, p38, p39, p40, p41, p42, p43, p44, p45, p46, p47, p48, p49, p50, p51, p52, p53, p54, p55, p56, p57, p58, p59, p60, p61, p62, p63, p64, n, ...) n
#define BROOD_COUNT_(...) BROOD_X_(BROOD_PICK_(__VA_ARGS__, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0))
#define BROOD_COMMA_(...) BROOD_X_(BROOD_PICK_(__VA_ARGS__, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0))
#define BROOD_TRIGGER_(...) ,
/* 1 if the single argument `a` is empty, 0 otherwise */
#define BROOD_EMPTY_(a) \
    BROOD_EMPTY2_(BROOD_COMMA_(BROOD_TRIGGER_ a), BROOD_COMMA_(a()), BROOD_COMMA_(BROOD_TRIGGER_ a()))
#define BROOD_EMPTY2_(p, q, r) BROOD_CAT_(BROOD_EMPTY_, BROOD_CAT_(p, BROOD_CAT_(q, r)))
#define BROOD_EMPTY_000 0
#define BROOD_EMPTY_001 1
#define BROOD_EMPTY_010 0
#define BROOD_EMPTY_011 0
#define BROOD_EMPTY_100 0
#define BROOD_EMPTY_101 0
#define BROOD_EMPTY_110 0
#define BROOD_EMPTY_111 0

#define BROOD_V1_(a1) BROOD_OF_(a1)
#define BROOD_V2_(a1, a2) BROOD_OF_(a1), BROOD_OF_(a2)
#define BROOD_V3_(a1, a2, a3) BROOD_OF_(a1), BROOD_OF_(a2), BROOD_OF_(a3)
#define BROOD_V4_(a1, a2, a3, a4) BROOD_OF_(a1), BROOD_OF_(a2), BROOD_OF_(a3), BROOD_OF_(a4)
#define BROOD_V5_(a1, a2, a3, a4, a5) BROOD_OF_(a1), BROOD_OF_(a2), BROOD_OF_(a3), BROOD_OF_(a4), BROOD_OF_(a5)
#define BROOD_V6_(a1, a2, a3, a4, a5, a6) BROOD_OF_(a1), BROOD_OF_(a2), BROOD_OF_(a3), BROOD_OF_(a4), BROOD_OF_(a5), BROOD_OF_(a6)
#define BROOD_V7_(a1, a2, a3, a4, a5, a6, a7) BROOD_OF_(a1), BROOD_OF_(a2), BROOD_OF_(a3), BROOD_OF_(a4), BROOD_OF_(a5), BROOD_OF_(a6), BROOD_OF_(a7)
#define BROOD_V8_(a1, a2, a3, a4, a5, a6, a7, a8) BROOD_OF_(a1), BROOD_OF_(a2), BROOD_OF_(a3), BROOD_OF_(a4), BROOD_OF_(a5), BROOD_OF_(a6), BROOD_OF_(a7), BROOD_OF_(a8)
#define BROOD_V9_(a1, a2, a3, a4, a5, a6, a7, a8, a9) BROOD_OF_(a1), BROOD_OF_(a2), BROOD_OF_(a3), BROOD_OF_(a4), BROOD_OF_(a5), BROOD_OF_(a6), BROOD_OF_(a7), BROOD_OF_(a8), BROOD_OF_(a9)
#define BROOD_V10_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10) BROOD_OF_(a1), BROOD_OF_(a2), BROOD_OF_(a3), BROOD_OF_(a4), BROOD_OF_(a5), BROOD_OF_(a6), BROOD_OF_(a7), BROOD_OF_(a8), BROOD_OF_(a9), BROOD_OF_(a10)
#define BROOD_V11_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11) BROOD_OF_(a1), BROOD_OF_(a2), BROOD_OF_(a3), BROOD_OF_(a4), BROOD_OF_(a5), BROOD_OF_(a6), BROOD_OF_(a7), BROOD_OF_(a8), BROOD_OF_(a9), BROOD_OF_(a10), BROOD_OF_(a11)
#define BROOD_V12_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12) BROOD_OF_(a1), BROOD_OF_(a2), BROOD_OF_(a3), BROOD_OF_(a4), BROOD_OF_(a5), BROOD_OF_(a6), BROOD_OF_(a7), BROOD_OF_(a8), BROOD_OF_(a9), BROOD_OF_(a10), BROOD_OF_(a11), BROOD_OF_(a12)
#define BROOD_V13_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13) BROOD_OF_(a1), BROOD_OF_(a2), BROOD_OF_(a3), BROOD_OF_(a4), BROOD_OF_(a5), BROOD_OF_(a6), BROOD_OF_(a7), BROOD_OF_(a8), BROOD_OF_(a9), BROOD_OF_(a10), BROOD_OF_(a11), BROOD_OF_(a12), BROOD_OF_(a13)
#define BROOD_V14_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14) BROOD_OF_(a1), BROOD_OF_(a2), BROOD_OF_(a3), BROOD_OF_(a4), BROOD_OF_(a5), BROOD_OF_(a6), BROOD_OF_(a7), BROOD_OF_(a8), BROOD_OF_(a9), BROOD_OF_(a10), BROOD_OF_(a11), BROOD_OF_(a12), BROOD_OF_(a13), BROOD_OF_(a14)
#define BROOD_V15_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15) BROOD_OF_(a1), BROOD_OF_(a2), BROOD_OF_(a3), BROOD_OF_(a4), BROOD_OF_(a5), BROOD_OF_(a6), BROOD_OF_(a7), BROOD_OF_(a8), BROOD_OF_(a9), BROOD_OF_(a10), BROOD_OF_(a11), BROOD_OF_(a12), BROOD_OF_(a13), BROOD_OF_(a14), BROOD_OF_(a15)
#define BROOD_V16_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16) BROOD_OF_(a1), BROOD_OF_(a2), BROOD_OF_(a3), BROOD_OF_(a4), BROOD_OF_(a5), BROOD_OF_(a6), BROOD_OF_(a7), BROOD_OF_(a8), BROOD_OF_(a9), BROOD_OF_(a10), BROOD_OF_(a11), BROOD_OF_(a12), BROOD_OF_(a13), BROOD_OF_(a14), BROOD_OF_(a15), BROOD_OF_(a16)
#define BROOD_V17_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17) BROOD_OF_(a1), BROOD_OF_(a2), BROOD_OF_(a3), BROOD_OF_(a4), BROOD_OF_(a5), BROOD_OF_(a6), BROOD_OF_(a7), BROOD_OF_(a8), BROOD_OF_(a9), BROOD_OF_(a10), BROOD_OF_(a11), BROOD_OF_(a12), BROOD_OF_(a13), BROOD_OF_(a14), BROOD_OF_(a15), BROOD_OF_(a16), BROOD_OF_(a17)
#define BROOD_V18_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18) BROOD_OF_(a1), BROOD_OF_(a2), BROOD_OF_(a3), BROOD_OF_(a4), BROOD_OF_(a5), BROOD_OF_(a6), BROOD_OF_(a7), BROOD_OF_(a8), BROOD_OF_(a9), BROOD_OF_(a10), BROOD_OF_(a11), BROOD_OF_(a12), BROOD_OF_(a13), BROOD_OF_(a14), BROOD_OF_(a15), BROOD_OF_(a16), BROOD_OF_(a17), BROOD_OF_(a18)
#define BROOD_V19_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19) BROOD_OF_(a1), BROOD_OF_(a2), BROOD_OF_(a3), BROOD_OF_(a4), BROOD_OF_(a5), BROOD_OF_(a6), BROOD_OF_(a7), BROOD_OF_(a8), BROOD_OF_(a9), BROOD_OF_(a10), BROOD_OF_(a11), BROOD_OF_(a12), BROOD_OF_(a13), BROOD_OF_(a14), BROOD_OF_(a15), BROOD_OF_(a16), BROOD_OF_(a17), BROOD_OF_(a18), BROOD_OF_(a19)
#define BROOD_V20_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20) BROOD_OF_(a1), BROOD_OF_(a2), BROOD_OF_(a3), BROOD_OF_(a4), BROOD_OF_(a5), BROOD_OF_(a6), BROOD_OF_(a7), BROOD_OF_(a8), BROOD_OF_(a9), BROOD_OF_(a10), BROOD_OF_(a11), BROOD_OF_(a12), BROOD_OF_(a13), BROOD_OF_(a14), BROOD_OF_(a15), BROOD_OF_(a16), BROOD_OF_(a17), BROOD_OF_(a18), BROOD_OF_(a19), BROOD_OF_(a20)
#define BROOD_V21_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21) BROOD_OF_(a1), BROOD_OF_(a2), BROOD_OF_(a3), BROOD_OF_(a4), BROOD_OF_(a5), BROOD_OF_(a6), BROOD_OF_(a7), BROOD_OF_(a8), BROOD_OF_(a9), BROOD_OF_(a10), BROOD_OF_(a11), BROOD_OF_(a12), BROOD_OF_(a13), BROOD_OF_(a14), BROOD_OF_(a15), BROOD_OF_(a16), BROOD_OF_(a17), BROOD_OF_(a18), BROOD_OF_(a19), BROOD_OF_(a20), BROOD_OF_(a21)
#define BROOD_V22_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22) BROOD_OF_(a1), BROOD_OF_(a2), BROOD_OF_(a3), BROOD_OF_(a4), BROOD_OF_(a5), BROOD_OF_(a6), BROOD_OF_(a7), BROOD_OF_(a8), BROOD_OF_(a9), BROOD_OF_(a10), BROOD_OF_(a11), BROOD_OF_(a12), BROOD_OF_(a13), BROOD_OF_(a14), BROOD_OF_(a15), BROOD_OF_(a16), BROOD_OF_(a17), BROOD_OF_(a18), BROOD_OF_(a19), BROOD_OF_(a20), BROOD_OF_(a21), BROOD_OF_(a22)
#define BROOD_V23_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23) BROOD_OF_(a1), BROOD_OF_(a2), BROOD_OF_(a3), BROOD_OF_(a4), BROOD_OF_(a5), BROOD_OF_(a6), BROOD_OF_(a7), BROOD_OF_(a8), BROOD_OF_(a9), BROOD_OF_(a10), BROOD_OF_(a11), BROOD_OF_(a12), BROOD_OF_(a13), BROOD_OF_(a14), BROOD_OF_(a15), BROOD_OF_(a16), BROOD_OF_(a17), BROOD_OF_(a18), BROOD_OF_(a19), BROOD_OF_(a20), BROOD_OF_(a21), BROOD_OF_(a22), BROOD_OF_(a23)
#define BROOD_V24_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24) BROOD_OF_(a1), BROOD_OF_(a2), BROOD_OF_(a3), BROOD_OF_(a4), BROOD_OF_(a5), BROOD_OF_(a6), BROOD_OF_(a7), BROOD_OF_(a8), BROOD_OF_(a9), BROOD_OF_(a10), BROOD_OF_(a11), BROOD_OF_(a12), BROOD_OF_(a13), BROOD_OF_(a14), BROOD_OF_(a15), BROOD_OF_(a16), BROOD_OF_(a17), BROOD_OF_(a18), BROOD_OF_(a19), BROOD_OF_(a20), BROOD_OF_(a21), BROOD_OF_(a22), BROOD_OF_(a23), BROOD_OF_(a24)
#define BROOD_V25_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24, a25) BROOD_OF_(a1), BROOD_OF_(a2), BROOD_OF_(a3), BROOD_OF_(a4), BROOD_OF_(a5), BROOD_OF_(a6), BROOD_OF_(a7), BROOD_OF_(a8), BROOD_OF_(a9), BROOD_OF_(a10), BROOD_OF_(a11), BROOD_OF_(a12), BROOD_OF_(a13), BROOD_OF_(a14), BROOD_OF_(a15), BROOD_OF_(a16), BROOD_OF_(a17), BROOD_OF_(a18), BROOD_OF_(a19), BROOD_OF_(a20), BROOD_OF_(a21), BROOD_OF_(a22), BROOD_OF_(a23), BROOD_OF_(a24), BROOD_OF_(a25)
#define BROOD_V26_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24, a25, a26) BROOD_OF_(a1), BROOD_OF_(a2), BROOD_OF_(a3), BROOD_OF_(a4), BROOD_OF_(a5), BROOD_OF_(a6), BROOD_OF_(a7), BROOD_OF_(a8), BROOD_OF_(a9), BROOD_OF_(a10), BROOD_OF_(a11), BROOD_OF_(a12), BROOD_OF_(a13), BROOD_OF_(a14), BROOD_OF_(a15), BROOD_OF_(a16), BROOD_OF_(a17), BROOD_OF_(a18), BROOD_OF_(a19), BROOD_OF_(a20), BROOD_OF_(a21), BROOD_OF_(a22), BROOD_OF_(a23), BROOD_OF_(a24), BROOD_OF_(a25), BROOD_OF_(a26)
#define BROOD_V27_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24, a25, a26, a27) BROOD_OF_(a1), BROOD_OF_(a2), BROOD_OF_(a3), BROOD_OF_(a4), BROOD_OF_(a5), BROOD_OF_(a6), BROOD_OF_(a7), BROOD_OF_(a8), BROOD_OF_(a9), BROOD_OF_(a10), BROOD_OF_(a11), BROOD_OF_(a12), BROOD_OF_(a13), BROOD_OF_(a14), BROOD_OF_(a15), BROOD_OF_(a16), BROOD_OF_(a17), BROOD_OF_(a18), BROOD_OF_(a19), BROOD_OF_(a20), BROOD_OF_(a21), BROOD_OF_(a22), BROOD_OF_(a23), BROOD_OF_(a24), BROOD_OF_(a25), BROOD_OF_(a26), BROOD_OF_(a27)
#define BROOD_V28_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24, a25, a26, a27, a28) BROOD_OF_(a1), BROOD_OF_(a2), BROOD_OF_(a3), BROOD_OF_(a4), BROOD_OF_(a5), BROOD_OF_(a6), BROOD_OF_(a7), BROOD_OF_(a8), BROOD_OF_(a9), BROOD_OF_(a10), BROOD_OF_(a11), BROOD_OF_(a12), BROOD_OF_(a13), BROOD_OF_(a14), BROOD_OF_(a15), BROOD_OF_(a16), BROOD_OF_(a17), BROOD_OF_(a18), BROOD_OF_(a19), BROOD_OF_(a20), BROOD_OF_(a21), BROOD_OF_(a22), BROOD_OF_(a23), BROOD_OF_(a24), BROOD_OF_(a25), BROOD_OF_(a26), BROOD_OF_(a27), BROOD_OF_(a28)
#define BROOD_V29_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24, a25, a26, a27, a28, a29) BROOD_OF_(a1), BROOD_OF_(a2), BROOD_OF_(a3), BROOD_OF_(a4), BROOD_OF_(a5), BROOD_OF_(a6), BROOD_OF_(a7), BROOD_OF_(a8), BROOD_OF_(a9), BROOD_OF_(a10), BROOD_OF_(a11), BROOD_OF_(a12), BROOD_OF_(a13), BROOD_OF_(a14), BROOD_OF_(a15), BROOD_OF_(a16), BROOD_OF_(a17), BROOD_OF_(a18), BROOD_OF_(a19), BROOD_OF_(a20), BROOD_OF_(a21), BROOD_OF_(a22), BROOD_OF_(a23), BROOD_OF_(a24), BROOD_OF_(a25), BROOD_OF_(a26), BROOD_OF_(a27), BROOD_OF_(a28), BROOD_OF_(a29)
#define BROOD_V30_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24, a25, a26, a27, a28, a29, a30) BROOD_OF_(a1), BROOD_OF_(a2), BROOD_OF_(a3), BROOD_OF_(a4), BROOD_OF_(a5), BROOD_OF_(a6), BROOD_OF_(a7), BROOD_OF_(a8), BROOD_OF_(a9), BROOD_OF_(a10), BROOD_OF_(a11), BROOD_OF_(a12), BROOD_OF_(a13), BROOD_OF_(a14), BROOD_OF_(a15), BROOD_OF_(a16), BROOD_OF_(a17), BROOD_OF_(a18), BROOD_OF_(a19), BROOD_OF_(a20), BROOD_OF_(a21), BROOD_OF_(a22), BROOD_OF_(a23), BROOD_OF_(a24), BROOD_OF_(a25), BROOD_OF_(a26), BROOD_OF_(a27), BROOD_OF_(a28), BROOD_OF_(a29), BROOD_OF_(a30)
#define BROOD_V31_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24, a25, a26, a27, a28, a29, a30, a31) BROOD_OF_(a1), BROOD_OF_(a2), BROOD_OF_(a3), BROOD_OF_(a4), BROOD_OF_(a5), BROOD_OF_(a6), BROOD_OF_(a7), BROOD_OF_(a8), BROOD_OF_(a9), BROOD_OF_(a10), BROOD_OF_(a11), BROOD_OF_(a12), BROOD_OF_(a13), BROOD_OF_(a14), BROOD_OF_(a15), BROOD_OF_(a16), BROOD_OF_(a17), BROOD_OF_(a18), BROOD_OF_(a19), BROOD_OF_(a20), BROOD_OF_(a21), BROOD_OF_(a22), BROOD_OF_(a23), BROOD_OF_(a24), BROOD_OF_(a25), BROOD_OF_(a26), BROOD_OF_(a27), BROOD_OF_(a28), BROOD_OF_(a29), BROOD_OF_(a30), BROOD_OF_(a31)
#define BROOD_V32_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24, a25, a26, a27, a28, a29, a30, a31, a32) BROOD_OF_(a1), BROOD_OF_(a2), BROOD_OF_(a3), BROOD_OF_(a4), BROOD_OF_(a5), BROOD_OF_(a6), BROOD_OF_(a7), BROOD_OF_(a8), BROOD_OF_(a9), BROOD_OF_(a10), BROOD_OF_(a11), BROOD_OF_(a12), BROOD_OF_(a13), BROOD_OF_(a14), BROOD_OF_(a15), BROOD_OF_(a16), BROOD_OF_(a17), BROOD_OF_(a18), BROOD_OF_(a19), BROOD_OF_(a20), BROOD_OF_(a21), BROOD_OF_(a22), BROOD_OF_(a23), BROOD_OF_(a24), BROOD_OF_(a25), BROOD_OF_(a26), BROOD_OF_(a27), BROOD_OF_(a28), BROOD_OF_(a29), BROOD_OF_(a30), BROOD_OF_(a31), BROOD_OF_(a32)
#define BROOD_S1_(a1) BROOD_FROM_(a1)
#define BROOD_S2_(a1, a2) BROOD_FROM_(a1), BROOD_SLOT_(a2)
#define BROOD_S3_(a1, a2, a3) BROOD_FROM_(a1), BROOD_SLOT_(a2), BROOD_SLOT_(a3)
#define BROOD_S4_(a1, a2, a3, a4) BROOD_FROM_(a1), BROOD_SLOT_(a2), BROOD_SLOT_(a3), BROOD_SLOT_(a4)
#define BROOD_S5_(a1, a2, a3, a4, a5) BROOD_FROM_(a1), BROOD_SLOT_(a2), BROOD_SLOT_(a3), BROOD_SLOT_(a4), BROOD_SLOT_(a5)
#define BROOD_S6_(a1, a2, a3, a4, a5, a6) BROOD_FROM_(a1), BROOD_SLOT_(a2), BROOD_SLOT_(a3), BROOD_SLOT_(a4), BROOD_SLOT_(a5), BROOD_SLOT_(a6)
#define BROOD_S7_(a1, a2, a3, a4, a5, a6, a7) BROOD_FROM_(a1), BROOD_SLOT_(a2), BROOD_SLOT_(a3), BROOD_SLOT_(a4), BROOD_SLOT_(a5), BROOD_SLOT_(a6), BROOD_SLOT_(a7)
#define BROOD_S8_(a1, a2, a3, a4, a5, a6, a7, a8) BROOD_FROM_(a1), BROOD_SLOT_(a2), BROOD_SLOT_(a3), BROOD_SLOT_(a4), BROOD_SLOT_(a5), BROOD_SLOT_(a6), BROOD_SLOT_(a7), BROOD_SLOT_(a8)
#define BROOD_S9_(a1, a2, a3, a4, a5, a6, a7, a8, a9) BROOD_FROM_(a1), BROOD_SLOT_(a2), BROOD_SLOT_(a3), BROOD_SLOT_(a4), BROOD_SLOT_(a5), BROOD_SLOT_(a6), BROOD_SLOT_(a7), BROOD_SLOT_(a8), BROOD_SLOT_(a9)
#define BROOD_S10_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10) BROOD_FROM_(a1), BROOD_SLOT_(a2), BROOD_SLOT_(a3), BROOD_SLOT_(a4), BROOD_SLOT_(a5), BROOD_SLOT_(a6), BROOD_SLOT_(a7), BROOD_SLOT_(a8), BROOD_SLOT_(a9), BROOD_SLOT_(a10)
#define BROOD_S11_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11) BROOD_FROM_(a1), BROOD_SLOT_(a2), BROOD_SLOT_(a3), BROOD_SLOT_(a4), BROOD_SLOT_(a5), BROOD_SLOT_(a6), BROOD_SLOT_(a7), BROOD_SLOT_(a8), BROOD_SLOT_(a9), BROOD_SLOT_(a10), BROOD_SLOT_(a11)
#define BROOD_S12_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12) BROOD_FROM_(a1), BROOD_SLOT_(a2), BROOD_SLOT_(a3), BROOD_SLOT_(a4), BROOD_SLOT_(a5), BROOD_SLOT_(a6), BROOD_SLOT_(a7), BROOD_SLOT_(a8), BROOD_SLOT_(a9), BROOD_SLOT_(a10), BROOD_SLOT_(a11), BROOD_SLOT_(a12)
#define BROOD_S13_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13) BROOD_FROM_(a1), BROOD_SLOT_(a2), BROOD_SLOT_(a3), BROOD_SLOT_(a4), BROOD_SLOT_(a5), BROOD_SLOT_(a6), BROOD_SLOT_(a7), BROOD_SLOT_(a8), BROOD_SLOT_(a9), BROOD_SLOT_(a10), BROOD_SLOT_(a11), BROOD_SLOT_(a12), BROOD_SLOT_(a13)
#define BROOD_S14_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14) BROOD_FROM_(a1), BROOD_SLOT_(a2), BROOD_SLOT_(a3), BROOD_SLOT_(a4), BROOD_SLOT_(a5), BROOD_SLOT_(a6), BROOD_SLOT_(a7), BROOD_SLOT_(a8), BROOD_SLOT_(a9), BROOD_SLOT_(a10), BROOD_SLOT_(a11), BROOD_SLOT_(a12), BROOD_SLOT_(a13), BROOD_SLOT_(a14)
#define BROOD_S15_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15) BROOD_FROM_(a1), BROOD_SLOT_(a2), BROOD_SLOT_(a3), BROOD_SLOT_(a4), BROOD_SLOT_(a5), BROOD_SLOT_(a6), BROOD_SLOT_(a7), BROOD_SLOT_(a8), BROOD_SLOT_(a9), BROOD_SLOT_(a10), BROOD_SLOT_(a11), BROOD_SLOT_(a12), BROOD_SLOT_(a13), BROOD_SLOT_(a14), BROOD_SLOT_(a15)
#define BROOD_S16_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16) BROOD_FROM_(a1), BROOD_SLOT_(a2), BROOD_SLOT_(a3), BROOD_SLOT_(a4), BROOD_SLOT_(a5), BROOD_SLOT_(a6), BROOD_SLOT_(a7), BROOD_SLOT_(a8), BROOD_SLOT_(a9), BROOD_SLOT_(a10), BROOD_SLOT_(a11), BROOD_SLOT_(a12), BROOD_SLOT_(a13), BROOD_SLOT_(a14), BROOD_SLOT_(a15), BROOD_SLOT_(a16)
#define BROOD_S17_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17) BROOD_FROM_(a1), BROOD_SLOT_(a2), BROOD_SLOT_(a3), BROOD_SLOT_(a4), BROOD_SLOT_(a5), BROOD_SLOT_(a6), BROOD_SLOT_(a7), BROOD_SLOT_(a8), BROOD_SLOT_(a9), BROOD_SLOT_(a10), BROOD_SLOT_(a11), BROOD_SLOT_(a12), BROOD_SLOT_(a13), BROOD_SLOT_(a14), BROOD_SLOT_(a15), BROOD_SLOT_(a16), BROOD_SLOT_(a17)
#define BROOD_S18_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18) BROOD_FROM_(a1), BROOD_SLOT_(a2), BROOD_SLOT_(a3), BROOD_SLOT_(a4), BROOD_SLOT_(a5), BROOD_SLOT_(a6), BROOD_SLOT_(a7), BROOD_SLOT_(a8), BROOD_SLOT_(a9), BROOD_SLOT_(a10), BROOD_SLOT_(a11), BROOD_SLOT_(a12), BROOD_SLOT_(a13), BROOD_SLOT_(a14), BROOD_SLOT_(a15), BROOD_SLOT_(a16), BROOD_SLOT_(a17), BROOD_SLOT_(a18)
#define BROOD_S19_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19) BROOD_FROM_(a1), BROOD_SLOT_(a2), BROOD_SLOT_(a3), BROOD_SLOT_(a4), BROOD_SLOT_(a5), BROOD_SLOT_(a6), BROOD_SLOT_(a7), BROOD_SLOT_(a8), BROOD_SLOT_(a9), BROOD_SLOT_(a10), BROOD_SLOT_(a11), BROOD_SLOT_(a12), BROOD_SLOT_(a13), BROOD_SLOT_(a14), BROOD_SLOT_(a15), BROOD_SLOT_(a16), BROOD_SLOT_(a17), BROOD_SLOT_(a18), BROOD_SLOT_(a19)
#define BROOD_S20_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20) BROOD_FROM_(a1), BROOD_SLOT_(a2), BROOD_SLOT_(a3), BROOD_SLOT_(a4), BROOD_SLOT_(a5), BROOD_SLOT_(a6), BROOD_SLOT_(a7), BROOD_SLOT_(a8), BROOD_SLOT_(a9), BROOD_SLOT_(a10), BROOD_SLOT_(a11), BROOD_SLOT_(a12), BROOD_SLOT_(a13), BROOD_SLOT_(a14), BROOD_SLOT_(a15), BROOD_SLOT_(a16), BROOD_SLOT_(a17), BROOD_SLOT_(a18), BROOD_SLOT_(a19), BROOD_SLOT_(a20)
#define BROOD_S21_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21) BROOD_FROM_(a1), BROOD_SLOT_(a2), BROOD_SLOT_(a3), BROOD_SLOT_(a4), BROOD_SLOT_(a5), BROOD_SLOT_(a6), BROOD_SLOT_(a7), BROOD_SLOT_(a8), BROOD_SLOT_(a9), BROOD_SLOT_(a10), BROOD_SLOT_(a11), BROOD_SLOT_(a12), BROOD_SLOT_(a13), BROOD_SLOT_(a14), BROOD_SLOT_(a15), BROOD_SLOT_(a16), BROOD_SLOT_(a17), BROOD_SLOT_(a18), BROOD_SLOT_(a19), BROOD_SLOT_(a20), BROOD_SLOT_(a21)
#define BROOD_S22_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22) BROOD_FROM_(a1), BROOD_SLOT_(a2), BROOD_SLOT_(a3), BROOD_SLOT_(a4), BROOD_SLOT_(a5), BROOD_SLOT_(a6), BROOD_SLOT_(a7), BROOD_SLOT_(a8), BROOD_SLOT_(a9), BROOD_SLOT_(a10), BROOD_SLOT_(a11), BROOD_SLOT_(a12), BROOD_SLOT_(a13), BROOD_SLOT_(a14), BROOD_SLOT_(a15), BROOD_SLOT_(a16), BROOD_SLOT_(a17), BROOD_SLOT_(a18), BROOD_SLOT_(a19), BROOD_SLOT_(a20), BROOD_SLOT_(a21), BROOD_SLOT_(a22)
#define BROOD_S23_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23) BROOD_FROM_(a1), BROOD_SLOT_(a2), BROOD_SLOT_(a3), BROOD_SLOT_(a4), BROOD_SLOT_(a5), BROOD_SLOT_(a6), BROOD_SLOT_(a7), BROOD_SLOT_(a8), BROOD_SLOT_(a9), BROOD_SLOT_(a10), BROOD_SLOT_(a11), BROOD_SLOT_(a12), BROOD_SLOT_(a13), BROOD_SLOT_(a14), BROOD_SLOT_(a15), BROOD_SLOT_(a16), BROOD_SLOT_(a17), BROOD_SLOT_(a18), BROOD_SLOT_(a19), BROOD_SLOT_(a20), BROOD_SLOT_(a21), BROOD_SLOT_(a22), BROOD_SLOT_(a23)
#define BROOD_S24_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24) BROOD_FROM_(a1), BROOD_SLOT_(a2), BROOD_SLOT_(a3), BROOD_SLOT_(a4), BROOD_SLOT_(a5), BROOD_SLOT_(a6), BROOD_SLOT_(a7), BROOD_SLOT_(a8), BROOD_SLOT_(a9), BROOD_SLOT_(a10), BROOD_SLOT_(a11), BROOD_SLOT_(a12), BROOD_SLOT_(a13), BROOD_SLOT_(a14), BROOD_SLOT_(a15), BROOD_SLOT_(a16), BROOD_SLOT_(a17), BROOD_SLOT_(a18), BROOD_SLOT_(a19), BROOD_SLOT_(a20), BROOD_SLOT_(a21), BROOD_SLOT_(a22), BROOD_SLOT_(a23), BROOD_SLOT_(a24)
#define BROOD_S25_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24, a25) BROOD_FROM_(a1), BROOD_SLOT_(a2), BROOD_SLOT_(a3), BROOD_SLOT_(a4), BROOD_SLOT_(a5), BROOD_SLOT_(a6), BROOD_SLOT_(a7), BROOD_SLOT_(a8), BROOD_SLOT_(a9), BROOD_SLOT_(a10), BROOD_SLOT_(a11), BROOD_SLOT_(a12), BROOD_SLOT_(a13), BROOD_SLOT_(a14), BROOD_SLOT_(a15), BROOD_SLOT_(a16), BROOD_SLOT_(a17), BROOD_SLOT_(a18), BROOD_SLOT_(a19), BROOD_SLOT_(a20), BROOD_SLOT_(a21), BROOD_SLOT_(a22), BROOD_SLOT_(a23), BROOD_SLOT_(a24), BROOD_SLOT_(a25)
#define BROOD_S26_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24, a25, a26) BROOD_FROM_(a1), BROOD_SLOT_(a2), BROOD_SLOT_(a3), BROOD_SLOT_(a4), BROOD_SLOT_(a5), BROOD_SLOT_(a6), BROOD_SLOT_(a7), BROOD_SLOT_(a8), BROOD_SLOT_(a9), BROOD_SLOT_(a10), BROOD_SLOT_(a11), BROOD_SLOT_(a12), BROOD_SLOT_(a13), BROOD_SLOT_(a14), BROOD_SLOT_(a15), BROOD_SLOT_(a16), BROOD_SLOT_(a17), BROOD_SLOT_(a18), BROOD_SLOT_(a19), BROOD_SLOT_(a20), BROOD_SLOT_(a21), BROOD_SLOT_(a22), BROOD_SLOT_(a23), BROOD_SLOT_(a24), BROOD_SLOT_(a25), BROOD_SLOT_(a26)
#define BROOD_S27_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24, a25, a26, a27) BROOD_FROM_(a1), BROOD_SLOT_(a2), BROOD_SLOT_(a3), BROOD_SLOT_(a4), BROOD_SLOT_(a5), BROOD_SLOT_(a6), BROOD_SLOT_(a7), BROOD_SLOT_(a8), BROOD_SLOT_(a9), BROOD_SLOT_(a10), BROOD_SLOT_(a11), BROOD_SLOT_(a12), BROOD_SLOT_(a13), BROOD_SLOT_(a14), BROOD_SLOT_(a15), BROOD_SLOT_(a16), BROOD_SLOT_(a17), BROOD_SLOT_(a18), BROOD_SLOT_(a19), BROOD_SLOT_(a20), BROOD_SLOT_(a21), BROOD_SLOT_(a22), BROOD_SLOT_(a23), BROOD_SLOT_(a24), BROOD_SLOT_(a25), BROOD_SLOT_(a26), BROOD_SLOT_(a27)
#define BROOD_S28_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24, a25, a26, a27, a28) BROOD_FROM_(a1), BROOD_SLOT_(a2), BROOD_SLOT_(a3), BROOD_SLOT_(a4), BROOD_SLOT_(a5), BROOD_SLOT_(a6), BROOD_SLOT_(a7), BROOD_SLOT_(a8), BROOD_SLOT_(a9), BROOD_SLOT_(a10), BROOD_SLOT_(a11), BROOD_SLOT_(a12), BROOD_SLOT_(a13), BROOD_SLOT_(a14), BROOD_SLOT_(a15), BROOD_SLOT_(a16), BROOD_SLOT_(a17), BROOD_SLOT_(a18), BROOD_SLOT_(a19), BROOD_SLOT_(a20), BROOD_SLOT_(a21), BROOD_SLOT_(a22), BROOD_SLOT_(a23), BROOD_SLOT_(a24), BROOD_SLOT_(a25), BROOD_SLOT_(a26), BROOD_SLOT_(a27), BROOD_SLOT_(a28)
#define BROOD_S29_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24, a25, a26, a27, a28, a29) BROOD_FROM_(a1), BROOD_SLOT_(a2), BROOD_SLOT_(a3), BROOD_SLOT_(a4), BROOD_SLOT_(a5), BROOD_SLOT_(a6), BROOD_SLOT_(a7), BROOD_SLOT_(a8), BROOD_SLOT_(a9), BROOD_SLOT_(a10), BROOD_SLOT_(a11), BROOD_SLOT_(a12), BROOD_SLOT_(a13), BROOD_SLOT_(a14), BROOD_SLOT_(a15), BROOD_SLOT_(a16), BROOD_SLOT_(a17), BROOD_SLOT_(a18), BROOD_SLOT_(a19), BROOD_SLOT_(a20), BROOD_SLOT_(a21), BROOD_SLOT_(a22), BROOD_SLOT_(a23), BROOD_SLOT_(a24), BROOD_SLOT_(a25), BROOD_SLOT_(a26), BROOD_SLOT_(a27), BROOD_SLOT_(a28), BROOD_SLOT_(a29)
#define BROOD_S30_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24, a25, a26, a27, a28, a29, a30) BROOD_FROM_(a1), BROOD_SLOT_(a2), BROOD_SLOT_(a3), BROOD_SLOT_(a4), BROOD_SLOT_(a5), BROOD_SLOT_(a6), BROOD_SLOT_(a7), BROOD_SLOT_(a8), BROOD_SLOT_(a9), BROOD_SLOT_(a10), BROOD_SLOT_(a11), BROOD_SLOT_(a12), BROOD_SLOT_(a13), BROOD_SLOT_(a14), BROOD_SLOT_(a15), BROOD_SLOT_(a16), BROOD_SLOT_(a17), BROOD_SLOT_(a18), BROOD_SLOT_(a19), BROOD_SLOT_(a20), BROOD_SLOT_(a21), BROOD_SLOT_(a22), BROOD_SLOT_(a23), BROOD_SLOT_(a24), BROOD_SLOT_(a25), BROOD_SLOT_(a26), BROOD_SLOT_(a27), BROOD_SLOT_(a28), BROOD_SLOT_(a29), BROOD_SLOT_(a30)
#define BROOD_S31_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24, a25, a26, a27, a28, a29, a30, a31) BROOD_FROM_(a1), BROOD_SLOT_(a2), BROOD_SLOT_(a3), BROOD_SLOT_(a4), BROOD_SLOT_(a5), BROOD_SLOT_(a6), BROOD_SLOT_(a7), BROOD_SLOT_(a8), BROOD_SLOT_(a9), BROOD_SLOT_(a10), BROOD_SLOT_(a11), BROOD_SLOT_(a12), BROOD_SLOT_(a13), BROOD_SLOT_(a14), BROOD_SLOT_(a15), BROOD_SLOT_(a16), BROOD_SLOT_(a17), BROOD_SLOT_(a18), BROOD_SLOT_(a19), BROOD_SLOT_(a20), BROOD_SLOT_(a21), BROOD_SLOT_(a22), BROOD_SLOT_(a23), BROOD_SLOT_(a24), BROOD_SLOT_(a25), BROOD_SLOT_(a26), BROOD_SLOT_(a27), BROOD_SLOT_(a28), BROOD_SLOT_(a29), BROOD_SLOT_(a30), BROOD_SLOT_(a31)
#define BROOD_S32_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24, a25, a26, a27, a28, a29, a30, a31, a32) BROOD_FROM_(a1), BROOD_SLOT_(a2), BROOD_SLOT_(a3), BROOD_SLOT_(a4), BROOD_SLOT_(a5), BROOD_SLOT_(a6), BROOD_SLOT_(a7), BROOD_SLOT_(a8), BROOD_SLOT_(a9), BROOD_SLOT_(a10), BROOD_SLOT_(a11), BROOD_SLOT_(a12), BROOD_SLOT_(a13), BROOD_SLOT_(a14), BROOD_SLOT_(a15), BROOD_SLOT_(a16), BROOD_SLOT_(a17), BROOD_SLOT_(a18), BROOD_SLOT_(a19), BROOD_SLOT_(a20), BROOD_SLOT_(a21), BROOD_SLOT_(a22), BROOD_SLOT_(a23), BROOD_SLOT_(a24), BROOD_SLOT_(a25), BROOD_SLOT_(a26), BROOD_SLOT_(a27), BROOD_SLOT_(a28), BROOD_SLOT_(a29), BROOD_SLOT_(a30), BROOD_SLOT_(a31), BROOD_SLOT_(a32)
#define BROOD_B1_(a1) BROOD_FROM_(a1)
#define BROOD_B3_(a1, a2, a3) BROOD_FROM_(a1), BROOD_NAME_(a2), BROOD_SLOT_(a3)
#define BROOD_B5_(a1, a2, a3, a4, a5) BROOD_FROM_(a1), BROOD_NAME_(a2), BROOD_SLOT_(a3), BROOD_NAME_(a4), BROOD_SLOT_(a5)
#define BROOD_B7_(a1, a2, a3, a4, a5, a6, a7) BROOD_FROM_(a1), BROOD_NAME_(a2), BROOD_SLOT_(a3), BROOD_NAME_(a4), BROOD_SLOT_(a5), BROOD_NAME_(a6), BROOD_SLOT_(a7)
#define BROOD_B9_(a1, a2, a3, a4, a5, a6, a7, a8, a9) BROOD_FROM_(a1), BROOD_NAME_(a2), BROOD_SLOT_(a3), BROOD_NAME_(a4), BROOD_SLOT_(a5), BROOD_NAME_(a6), BROOD_SLOT_(a7), BROOD_NAME_(a8), BROOD_SLOT_(a9)
#define BROOD_B11_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11) BROOD_FROM_(a1), BROOD_NAME_(a2), BROOD_SLOT_(a3), BROOD_NAME_(a4), BROOD_SLOT_(a5), BROOD_NAME_(a6), BROOD_SLOT_(a7), BROOD_NAME_(a8), BROOD_SLOT_(a9), BROOD_NAME_(a10), BROOD_SLOT_(a11)
#define BROOD_B13_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13) BROOD_FROM_(a1), BROOD_NAME_(a2), BROOD_SLOT_(a3), BROOD_NAME_(a4), BROOD_SLOT_(a5), BROOD_NAME_(a6), BROOD_SLOT_(a7), BROOD_NAME_(a8), BROOD_SLOT_(a9), BROOD_NAME_(a10), BROOD_SLOT_(a11), BROOD_NAME_(a12), BROOD_SLOT_(a13)
#define BROOD_B15_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15) BROOD_FROM_(a1), BROOD_NAME_(a2), BROOD_SLOT_(a3), BROOD_NAME_(a4), BROOD_SLOT_(a5), BROOD_NAME_(a6), BROOD_SLOT_(a7), BROOD_NAME_(a8), BROOD_SLOT_(a9), BROOD_NAME_(a10), BROOD_SLOT_(a11), BROOD_NAME_(a12), BROOD_SLOT_(a13), BROOD_NAME_(a14), BROOD_SLOT_(a15)
#define BROOD_B17_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17) BROOD_FROM_(a1), BROOD_NAME_(a2), BROOD_SLOT_(a3), BROOD_NAME_(a4), BROOD_SLOT_(a5), BROOD_NAME_(a6), BROOD_SLOT_(a7), BROOD_NAME_(a8), BROOD_SLOT_(a9), BROOD_NAME_(a10), BROOD_SLOT_(a11), BROOD_NAME_(a12), BROOD_SLOT_(a13), BROOD_NAME_(a14), BROOD_SLOT_(a15), BROOD_NAME_(a16), BROOD_SLOT_(a17)
#define BROOD_B19_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19) BROOD_FROM_(a1), BROOD_NAME_(a2), BROOD_SLOT_(a3), BROOD_NAME_(a4), BROOD_SLOT_(a5), BROOD_NAME_(a6), BROOD_SLOT_(a7), BROOD_NAME_(a8), BROOD_SLOT_(a9), BROOD_NAME_(a10), BROOD_SLOT_(a11), BROOD_NAME_(a12), BROOD_SLOT_(a13), BROOD_NAME_(a14), BROOD_SLOT_(a15), BROOD_NAME_(a16), BROOD_SLOT_(a17), BROOD_NAME_(a18), BROOD_SLOT_(a19)
#define BROOD_B21_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21) BROOD_FROM_(a1), BROOD_NAME_(a2), BROOD_SLOT_(a3), BROOD_NAME_(a4), BROOD_SLOT_(a5), BROOD_NAME_(a6), BROOD_SLOT_(a7), BROOD_NAME_(a8), BROOD_SLOT_(a9), BROOD_NAME_(a10), BROOD_SLOT_(a11), BROOD_NAME_(a12), BROOD_SLOT_(a13), BROOD_NAME_(a14), BROOD_SLOT_(a15), BROOD_NAME_(a16), BROOD_SLOT_(a17), BROOD_NAME_(a18), BROOD_SLOT_(a19), BROOD_NAME_(a20), BROOD_SLOT_(a21)
#define BROOD_B23_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23) BROOD_FROM_(a1), BROOD_NAME_(a2), BROOD_SLOT_(a3), BROOD_NAME_(a4), BROOD_SLOT_(a5), BROOD_NAME_(a6), BROOD_SLOT_(a7), BROOD_NAME_(a8), BROOD_SLOT_(a9), BROOD_NAME_(a10), BROOD_SLOT_(a11), BROOD_NAME_(a12), BROOD_SLOT_(a13), BROOD_NAME_(a14), BROOD_SLOT_(a15), BROOD_NAME_(a16), BROOD_SLOT_(a17), BROOD_NAME_(a18), BROOD_SLOT_(a19), BROOD_NAME_(a20), BROOD_SLOT_(a21), BROOD_NAME_(a22), BROOD_SLOT_(a23)
#define BROOD_B25_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24, a25) BROOD_FROM_(a1), BROOD_NAME_(a2), BROOD_SLOT_(a3), BROOD_NAME_(a4), BROOD_SLOT_(a5), BROOD_NAME_(a6), BROOD_SLOT_(a7), BROOD_NAME_(a8), BROOD_SLOT_(a9), BROOD_NAME_(a10), BROOD_SLOT_(a11), BROOD_NAME_(a12), BROOD_SLOT_(a13), BROOD_NAME_(a14), BROOD_SLOT_(a15), BROOD_NAME_(a16), BROOD_SLOT_(a17), BROOD_NAME_(a18), BROOD_SLOT_(a19), BROOD_NAME_(a20), BROOD_SLOT_(a21), BROOD_NAME_(a22), BROOD_SLOT_(a23), BROOD_NAME_(a24), BROOD_SLOT_(a25)
#define BROOD_B27_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24, a25, a26, a27) BROOD_FROM_(a1), BROOD_NAME_(a2), BROOD_SLOT_(a3), BROOD_NAME_(a4), BROOD_SLOT_(a5), BROOD_NAME_(a6), BROOD_SLOT_(a7), BROOD_NAME_(a8), BROOD_SLOT_(a9), BROOD_NAME_(a10), BROOD_SLOT_(a11), BROOD_NAME_(a12), BROOD_SLOT_(a13), BROOD_NAME_(a14), BROOD_SLOT_(a15), BROOD_NAME_(a16), BROOD_SLOT_(a17), BROOD_NAME_(a18), BROOD_SLOT_(a19), BROOD_NAME_(a20), BROOD_SLOT_(a21), BROOD_NAME_(a22), BROOD_SLOT_(a23), BROOD_NAME_(a24), BROOD_SLOT_(a25), BROOD_NAME_(a26), BROOD_SLOT_(a27)
#define BROOD_B29_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24, a25, a26, a27, a28, a29) BROOD_FROM_(a1), BROOD_NAME_(a2), BROOD_SLOT_(a3), BROOD_NAME_(a4), BROOD_SLOT_(a5), BROOD_NAME_(a6), BROOD_SLOT_(a7), BROOD_NAME_(a8), BROOD_SLOT_(a9), BROOD_NAME_(a10), BROOD_SLOT_(a11), BROOD_NAME_(a12), BROOD_SLOT_(a13), BROOD_NAME_(a14), BROOD_SLOT_(a15), BROOD_NAME_(a16), BROOD_SLOT_(a17), BROOD_NAME_(a18), BROOD_SLOT_(a19), BROOD_NAME_(a20), BROOD_SLOT_(a21), BROOD_NAME_(a22), BROOD_SLOT_(a23), BROOD_NAME_(a24), BROOD_SLOT_(a25), BROOD_NAME_(a26), BROOD_SLOT_(a27), BROOD_NAME_(a28), BROOD_SLOT_(a29)
#define BROOD_B31_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24, a25, a26, a27, a28, a29, a30, a31) BROOD_FROM_(a1), BROOD_NAME_(a2), BROOD_SLOT_(a3), BROOD_NAME_(a4), BROOD_SLOT_(a5), BROOD_NAME_(a6), BROOD_SLOT_(a7), BROOD_NAME_(a8), BROOD_SLOT_(a9), BROOD_NAME_(a10), BROOD_SLOT_(a11), BROOD_NAME_(a12), BROOD_SLOT_(a13), BROOD_NAME_(a14), BROOD_SLOT_(a15), BROOD_NAME_(a16), BROOD_SLOT_(a17), BROOD_NAME_(a18), BROOD_SLOT_(a19), BROOD_NAME_(a20), BROOD_SLOT_(a21), BROOD_NAME_(a22), BROOD_SLOT_(a23), BROOD_NAME_(a24), BROOD_SLOT_(a25), BROOD_NAME_(a26), BROOD_SLOT_(a27), BROOD_NAME_(a28), BROOD_SLOT_(a29), BROOD_NAME_(a30), BROOD_SLOT_(a31)
#define BROOD_B2_(a1, a2) brood_ERROR_BROOD_BIND_takes_pairs_of_name_and_pointer(0)
#define BROOD_B4_(a1, a2, a3, a4) brood_ERROR_BROOD_BIND_takes_pairs_of_name_and_pointer(0)
#define BROOD_B6_(a1, a2, a3, a4, a5, a6) brood_ERROR_BROOD_BIND_takes_pairs_of_name_and_pointer(0)
#define BROOD_B8_(a1, a2, a3, a4, a5, a6, a7, a8) brood_ERROR_BROOD_BIND_takes_pairs_of_name_and_pointer(0)
#define BROOD_B10_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10) brood_ERROR_BROOD_BIND_takes_pairs_of_name_and_pointer(0)
#define BROOD_B12_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12) brood_ERROR_BROOD_BIND_takes_pairs_of_name_and_pointer(0)
#define BROOD_B14_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14) brood_ERROR_BROOD_BIND_takes_pairs_of_name_and_pointer(0)
#define BROOD_B16_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16) brood_ERROR_BROOD_BIND_takes_pairs_of_name_and_pointer(0)
#define BROOD_B18_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18) brood_ERROR_BROOD_BIND_takes_pairs_of_name_and_pointer(0)
#define BROOD_B20_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20) brood_ERROR_BROOD_BIND_takes_pairs_of_name_and_pointer(0)
#define BROOD_B22_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22) brood_ERROR_BROOD_BIND_takes_pairs_of_name_and_pointer(0)
#define BROOD_B24_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24) brood_ERROR_BROOD_BIND_takes_pairs_of_name_and_pointer(0)
#define BROOD_B26_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24, a25, a26) brood_ERROR_BROOD_BIND_takes_pairs_of_name_and_pointer(0)
#define BROOD_B28_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24, a25, a26, a27, a28) brood_ERROR_BROOD_BIND_takes_pairs_of_name_and_pointer(0)
#define BROOD_B30_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24, a25, a26, a27, a28, a29, a30) brood_ERROR_BROOD_BIND_takes_pairs_of_name_and_pointer(0)
#define BROOD_B32_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24, a25, a26, a27, a28, a29, a30, a31, a32) brood_ERROR_BROOD_BIND_takes_pairs_of_name_and_pointer(0)

/* `make(items, count)` over the arguments; none gives make(NULL, 0). */
#define BROOD_MAKE_(make, ...) \
    BROOD_X_(BROOD_CAT_(BROOD_MAKE_, BROOD_CAT_(BROOD_ONE_, BROOD_COUNT_(__VA_ARGS__)))(make, __VA_ARGS__))
#define BROOD_MAKE_BROOD_ONE_2 BROOD_MAKE_N_
#define BROOD_MAKE_BROOD_ONE_3 BROOD_MAKE_N_
#define BROOD_MAKE_BROOD_ONE_4 BROOD_MAKE_N_
#define BROOD_MAKE_BROOD_ONE_5 BROOD_MAKE_N_
#define BROOD_MAKE_BROOD_ONE_6 BROOD_MAKE_N_
#define BROOD_MAKE_BROOD_ONE_7 BROOD_MAKE_N_
#define BROOD_MAKE_BROOD_ONE_8 BROOD_MAKE_N_
#define BROOD_MAKE_BROOD_ONE_9 BROOD_MAKE_N_
#define BROOD_MAKE_BROOD_ONE_10 BROOD_MAKE_N_
#define BROOD_MAKE_BROOD_ONE_11 BROOD_MAKE_N_
#define BROOD_MAKE_BROOD_ONE_12 BROOD_MAKE_N_
#define BROOD_MAKE_BROOD_ONE_13 BROOD_MAKE_N_
#define BROOD_MAKE_BROOD_ONE_14 BROOD_MAKE_N_
#define BROOD_MAKE_BROOD_ONE_15 BROOD_MAKE_N_
#define BROOD_MAKE_BROOD_ONE_16 BROOD_MAKE_N_
#define BROOD_MAKE_BROOD_ONE_17 BROOD_MAKE_N_
#define BROOD_MAKE_BROOD_ONE_18 BROOD_MAKE_N_
#define BROOD_MAKE_BROOD_ONE_19 BROOD_MAKE_N_
#define BROOD_MAKE_BROOD_ONE_20 BROOD_MAKE_N_
#define BROOD_MAKE_BROOD_ONE_21 BROOD_MAKE_N_
#define BROOD_MAKE_BROOD_ONE_22 BROOD_MAKE_N_
#define BROOD_MAKE_BROOD_ONE_23 BROOD_MAKE_N_
#define BROOD_MAKE_BROOD_ONE_24 BROOD_MAKE_N_
#define BROOD_MAKE_BROOD_ONE_25 BROOD_MAKE_N_
#define BROOD_MAKE_BROOD_ONE_26 BROOD_MAKE_N_
#define BROOD_MAKE_BROOD_ONE_27 BROOD_MAKE_N_
#define BROOD_MAKE_BROOD_ONE_28 BROOD_MAKE_N_
#define BROOD_MAKE_BROOD_ONE_29 BROOD_MAKE_N_
#define BROOD_MAKE_BROOD_ONE_30 BROOD_MAKE_N_
#define BROOD_MAKE_BROOD_ONE_31 BROOD_MAKE_N_
#define BROOD_MAKE_BROOD_ONE_32 BROOD_MAKE_N_
#define BROOD_MAKE_BROOD_ONE_MANY(...) brood_ERROR_more_than_32_items_use_an_array(0)
#define BROOD_SMANY_(...) brood_ERROR_more_than_32_items_use_an_array(0)
#define BROOD_BMANY_(...) brood_ERROR_more_than_32_items_use_an_array(0)
#define BROOD_MAKE_BROOD_ONE_1(make, a) BROOD_CAT_(BROOD_MAKE1_, BROOD_EMPTY_(a))(make, a)
#define BROOD_MAKE1_0(make, a) make(((const brood_value[]){ BROOD_OF_(a) }), 1)
#define BROOD_MAKE1_1(make, a) make(((const brood_value *)0), 0)
#define BROOD_MAKE_N_(make, ...) \
    make(((const brood_value[]){ BROOD_X_(BROOD_CAT_(BROOD_CAT_(BROOD_V, BROOD_COUNT_(__VA_ARGS__)), _)(__VA_ARGS__)) }), \
        BROOD_COUNT_(__VA_ARGS__))
#define BROOD_MAKE_ARGS_(items, count) (&(const brood_args){ items, count })
#define BROOD_MAKE_INPUTS_(items_, count_) (&(const brood_inputs){ .items = items_, .count = count_ })
#define BROOD_MAKE_LIST_(items, count) brood_list(items, count)
#define BROOD_MAKE_TUPLE_(items, count) brood_tuple(items, count)
#define BROOD_MAKE_DICT_(items, count) \
    brood_dict(items, (count) / 2 + 0 * sizeof(struct { \
        _Static_assert((count) % 2 == 0, "brood: BROOD_DICT takes keys and values in turn"); char c; }))

/// BROOD_ARGS(x, ...) is a `const brood_args *` that lives until the end of the enclosing block; in
/// C++ until the end of the statement, so it belongs into the call.
#define BROOD_ARGS(...) BROOD_MAKE_(BROOD_MAKE_ARGS_, __VA_ARGS__)
/// BROOD_ITEMS(x, ...) is a `const brood_inputs *` that lives as long.
#define BROOD_ITEMS(...) BROOD_MAKE_(BROOD_MAKE_INPUTS_, __VA_ARGS__)
/// BROOD_LIST(x, ...), BROOD_TUPLE(x, ...): a brood_value that lives as long.
#define BROOD_LIST(...) BROOD_MAKE_(BROOD_MAKE_LIST_, __VA_ARGS__)
#define BROOD_TUPLE(...) BROOD_MAKE_(BROOD_MAKE_TUPLE_, __VA_ARGS__)
/// BROOD_DICT(key, value, ...): keys and values in turn.
#define BROOD_DICT(...) BROOD_MAKE_(BROOD_MAKE_DICT_, __VA_ARGS__)
static inline brood_value brood_named_(const brood_value *pair)
{
    brood_value v = pair[1];
    v.flags = BROOD_VALUE_NAMED;
    v.kind = BROOD_TUPLE_KIND;
    v.as.items = pair;
    v.size = 2;
    return v;
}
/// BROOD_NAMED("delay", 0.5) in BROOD_ARGS: a keyword argument.
#define BROOD_NAMED(name, x) brood_named_(((const brood_value[]){ brood_str(name), BROOD_OF_(x) }))
static inline brood_value brood_give_(brood_value v)
{
    v.flags |= BROOD_VALUE_GIVEN;
    return v;
}
/// BROOD_GIVE(connection): sent, and on success closed here, so that its end of stream is seen.
/// The object stays yours: free it as always, whether the call succeeded or not. A native handle
/// (BROOD_GIVE(brood_handle_value(h))) is closed too, unless a message owns it, which closes it
/// itself. Other values are sent as they are.
#define BROOD_GIVE(x) brood_give_(BROOD_OF_(x))

/// BROOD_UNPACK(call or message, &a, &b, ...): all positional arguments, by the pointers' types.
#define BROOD_UNPACK(...) \
    brood_unpack_(((const brood_slot[]){ BROOD_X_(BROOD_CAT_(BROOD_CAT_(BROOD_S, BROOD_COUNT_(__VA_ARGS__)), _)(__VA_ARGS__)) }), \
        BROOD_COUNT_(__VA_ARGS__))
/// BROOD_BIND(call, "max", &max, "delay?", &delay): as a Python signature; `?` keeps the default.
#define BROOD_BIND(...) \
    brood_bind_(((const brood_slot[]){ BROOD_X_(BROOD_CAT_(BROOD_CAT_(BROOD_B, BROOD_COUNT_(__VA_ARGS__)), _)(__VA_ARGS__)) }), \
        BROOD_COUNT_(__VA_ARGS__))
/// BROOD_OPTIONS(queue, .maxsize = 10): a filled brood_queue_options for one call (C, C++20).
#define BROOD_OPTIONS(type, ...) \
    (&(const brood_##type##_options){ .size = sizeof(brood_##type##_options), __VA_ARGS__ })
/// brood_queue_options options = BROOD_OPTIONS_INIT(queue); then set fields.
#define BROOD_OPTIONS_INIT(type) { .size = sizeof(brood_##type##_options) }

#else /* ---- C++17 ---- */
#include <type_traits>
#include <utility>
#if defined(__has_cpp_attribute)
#if __has_cpp_attribute(clang::lifetimebound)
#define BROOD_LIFETIME_ [[clang::lifetimebound]]
#elif __has_cpp_attribute(msvc::lifetimebound)
#define BROOD_LIFETIME_ [[msvc::lifetimebound]]
#endif
#endif
#ifndef BROOD_LIFETIME_
#define BROOD_LIFETIME_
#endif
namespace brood {
namespace detail {
template <class T> struct never : std::false_type {};
template <size_t N> struct list_pack;
template <size_t N> constexpr void check_count()
{
    static_assert(N <= 32, "brood: more than 32 items, use an array");
}

inline brood_value to_value(brood_value v) { return v; }
inline brood_value to_value(brood_view v) { return brood_view_value(v); }
inline brood_value to_value(const char *s) { return brood_str(s); }
inline brood_value to_value(char *s) { return brood_str(s); }
inline brood_value to_value(brood_function f) { return brood_function_value(f); }
#ifdef __cpp_char8_t
inline brood_value to_value(const char8_t *s) { return brood_str(reinterpret_cast<const char *>(s)); }
#endif
inline brood_value to_value(brood_connection *p) { return brood_object_(BROOD_CONNECTION, p); }
inline brood_value to_value(brood_process *p) { return brood_object_(BROOD_PROCESS, p); }
inline brood_value to_value(brood_lock *p) { return brood_object_(BROOD_LOCK, p); }
inline brood_value to_value(brood_queue *p) { return brood_object_(BROOD_QUEUE, p); }
inline brood_value to_value(brood_memory *p) { return brood_object_(BROOD_MEMORY, p); }
inline brood_value to_value(brood_array *p) { return brood_object_(BROOD_ARRAY, p); }
inline brood_value to_value(brood_semaphore *p) { return brood_object_(BROOD_SEMAPHORE, p); }
inline brood_value to_value(brood_condition *p) { return brood_object_(BROOD_CONDITION, p); }
inline brood_value to_value(brood_event *p) { return brood_object_(BROOD_EVENT, p); }
inline brood_value to_value(brood_barrier *p) { return brood_object_(BROOD_BARRIER, p); }
inline brood_value to_value(brood_result *p) { return brood_object_(BROOD_RESULT, p); }
inline brood_value to_value(brood_results *p) { return brood_object_(BROOD_RESULTS, p); }
template <size_t N> brood_value to_value(const list_pack<N> &l);
template <class T> std::enable_if_t<std::is_arithmetic<T>::value || std::is_enum<T>::value, brood_value>
to_value(T x)
{
    if constexpr (std::is_same<T, bool>::value) { return brood_bool(x); }
    else if constexpr (std::is_enum<T>::value) {
        return to_value(static_cast<std::underlying_type_t<T>>(x));
    }
    else if constexpr (std::is_floating_point<T>::value) {
        static_assert(sizeof(T) <= sizeof(double), "brood: long double cannot travel");
        return brood_float(static_cast<double>(x));
    }
    else if constexpr (std::is_signed<T>::value) { return brood_int(static_cast<int64_t>(x)); }
    else { return brood_uint(static_cast<uint64_t>(x)); }
}
template <class T> std::enable_if_t<!std::is_function<T>::value, brood_value> to_value(T *)
{
    static_assert(never<T>::value, "brood: a pointer means nothing in another process; "
                                   "send its content, or shared memory");
    return brood_none();
}
template <class T> std::enable_if_t<std::is_null_pointer<T>::value, brood_value> to_value(T)
{
    static_assert(never<T>::value, "brood: a null pointer means nothing in another process; "
                                   "use brood_none()");
    return brood_none();
}
/* What turns into a brood_function by itself, as one that is noexcept does, is fine. */
template <class T>
std::enable_if_t<std::is_function<T>::value && !std::is_convertible<T *, brood_function>::value,
                 brood_value>
to_value(T *)
{
    static_assert(never<T>::value, "brood: a function of this type cannot travel; "
                                   "only int (brood_call *) can");
    return brood_none();
}
/* What turns into one of the above by itself, as a lambda does, is fine. */
template <class T> constexpr bool travels = std::is_convertible<T, brood_value>::value ||
    std::is_convertible<T, brood_view>::value || std::is_convertible<T, const char *>::value ||
    std::is_convertible<T, brood_function>::value;
template <class T>
std::enable_if_t<(std::is_class<T>::value || std::is_union<T>::value ||
                  std::is_member_pointer<T>::value) && !travels<T>, brood_value>
to_value(const T &)
{
    static_assert(never<T>::value, "brood: this type cannot travel; send its parts");
    return brood_none();
}

/* What BROOD_ARGS and BROOD_ITEMS give: `List` is brood_args or brood_inputs. */
template <class List, size_t N> struct args_pack {
    brood_value items[N ? N : 1];
    mutable List list;
    template <class... T> explicit args_pack(int, const T &...x) : items{ to_value(x)... }, list{} {}
    args_pack(const args_pack &) = delete; /* it lives until the end of the statement */
    operator const List *() const BROOD_LIFETIME_
    {
        list.items = N ? items : nullptr;
        list.count = N;
        return &list;
    }
};
template <size_t N> struct list_pack {
    brood_value items[N ? N : 1];
    brood_kind kind;
    uint8_t flags;
    operator brood_value() const BROOD_LIFETIME_
    {
        brood_value v = brood_items_(kind, N ? items : nullptr, N);
        v.flags = flags;
        return v;
    }
};
template <size_t N> brood_value to_value(const list_pack<N> &l) { return l; }

template <class List, class... T> args_pack<List, sizeof...(T)> make_args(const T &...x)
{
    check_count<sizeof...(T)>();
    return args_pack<List, sizeof...(T)>(0, x...);
}
template <brood_kind K, class... T> list_pack<sizeof...(T)> make_list(const T &...x)
{
    check_count<sizeof...(T)>();
    return list_pack<sizeof...(T)>{ { to_value(x)... }, K, 0 };
}
template <class... T> list_pack<sizeof...(T)> make_dict(const T &...x)
{
    static_assert(sizeof...(T) % 2 == 0, "brood: BROOD_DICT takes keys and values in turn");
    check_count<sizeof...(T)>();
    return list_pack<sizeof...(T)>{ { to_value(x)... }, BROOD_DICT_KIND, 0 };
}
template <class T> list_pack<2> make_named(const char *name, const T &x)
{ return list_pack<2>{ { brood_str(name), to_value(x) }, BROOD_TUPLE_KIND, BROOD_VALUE_NAMED }; }
template <class T> brood_value make_given(const T &x)
{
    brood_value v = to_value(x);
    v.flags |= BROOD_VALUE_GIVEN;
    return v;
}

template <class T> brood_slot from(T source)
{
    using V = std::remove_cv_t<std::remove_pointer_t<T>>;
    constexpr bool call = std::is_same<V, brood_call>::value;
    constexpr bool message = std::is_same<V, brood_message>::value;
    constexpr bool value = std::is_same<V, brood_value>::value;
    if constexpr (std::is_pointer<T>::value && (call || message || value)) {
        return brood_slot_(call      ? BROOD_SLOT_SOURCE_CALL_
                           : message ? BROOD_SLOT_SOURCE_MESSAGE_
                                     : BROOD_SLOT_SOURCE_VALUE_, 0, source);
    }
    else {
        static_assert(never<T>::value,
                      "brood: the first argument must be a call, message or value");
        return brood_slot{};
    }
}
inline brood_slot to_slot(const char **p) { return brood_slot_(BROOD_SLOT_STR_, 0, p); }
inline brood_slot to_slot(brood_view *p) { return brood_slot_(BROOD_SLOT_VIEW_, 0, p); }
inline brood_slot to_slot(brood_value *p) { return brood_slot_(BROOD_SLOT_VALUE_, 0, p); }
inline brood_slot to_slot(brood_function *p) { return brood_slot_(BROOD_SLOT_FUNCTION_, 0, p); }
inline brood_slot to_slot(brood_connection **p) { return brood_slot_(BROOD_SLOT_OBJECT_, BROOD_CONNECTION, p); }
inline brood_slot to_slot(brood_process **p) { return brood_slot_(BROOD_SLOT_OBJECT_, BROOD_PROCESS, p); }
inline brood_slot to_slot(brood_lock **p) { return brood_slot_(BROOD_SLOT_OBJECT_, BROOD_LOCK, p); }
inline brood_slot to_slot(brood_queue **p) { return brood_slot_(BROOD_SLOT_OBJECT_, BROOD_QUEUE, p); }
inline brood_slot to_slot(brood_memory **p) { return brood_slot_(BROOD_SLOT_OBJECT_, BROOD_MEMORY, p); }
inline brood_slot to_slot(brood_array **p) { return brood_slot_(BROOD_SLOT_OBJECT_, BROOD_ARRAY, p); }
inline brood_slot to_slot(brood_semaphore **p) { return brood_slot_(BROOD_SLOT_OBJECT_, BROOD_SEMAPHORE, p); }
inline brood_slot to_slot(brood_condition **p) { return brood_slot_(BROOD_SLOT_OBJECT_, BROOD_CONDITION, p); }
inline brood_slot to_slot(brood_event **p) { return brood_slot_(BROOD_SLOT_OBJECT_, BROOD_EVENT, p); }
inline brood_slot to_slot(brood_barrier **p) { return brood_slot_(BROOD_SLOT_OBJECT_, BROOD_BARRIER, p); }
template <class V> brood_slot to_number(void *p)
{
    static_assert(sizeof(V) <= 8, "brood: long double cannot travel");
    return brood_slot_(std::is_same<V, bool>::value       ? BROOD_SLOT_BOOL_
                       : std::is_floating_point<V>::value ? BROOD_SLOT_FLOAT_
                       : std::is_signed<V>::value         ? BROOD_SLOT_SIGNED_
                                                          : BROOD_SLOT_UNSIGNED_, sizeof(V), p);
}
template <class T> brood_slot to_slot(T p)
{
    using V = std::remove_pointer_t<T>;
    constexpr bool place = std::is_pointer<T>::value && !std::is_const<V>::value &&
        !std::is_volatile<V>::value;
    if constexpr (std::is_same<T, char **>::value) {
        static_assert(never<T>::value, "brood: unpack strings into const char *");
        return brood_slot{};
    }
    else if constexpr (place && std::is_enum<V>::value) {
        return to_number<std::underlying_type_t<V>>(p);
    }
    else if constexpr (place && std::is_arithmetic<V>::value) { return to_number<V>(p); }
    else {
        static_assert(never<T>::value, "brood: cannot unpack into this type");
        return brood_slot{};
    }
}
template <class S, class... T> [[nodiscard]] int unpack(S source, T... p)
{
    check_count<1 + sizeof...(T)>();
    const brood_slot slots[] = { from(source), to_slot(p)... };
    return brood_unpack_(slots, 1 + sizeof...(T));
}
template <bool Name, class T> brood_slot to_bind(T p)
{
    if constexpr (!Name) { return to_slot(p); }
    else if constexpr (std::is_same<T, const char *>::value || std::is_same<T, char *>::value) {
        return brood_slot_(BROOD_SLOT_NAME_, 0, p);
    }
    else {
        static_assert(never<T>::value, "brood: BROOD_BIND takes pairs of name and pointer");
        return brood_slot{};
    }
}
template <size_t... I, class S, class... T>
[[nodiscard]] int bind_all(std::index_sequence<I...>, S source, T... p)
{
    const brood_slot slots[] = { from(source), to_bind<I % 2 == 0>(p)... };
    return brood_bind_(slots, 1 + sizeof...(T));
}
template <class S, class... T> [[nodiscard]] int bind(S source, T... p)
{
    static_assert(sizeof...(T) % 2 == 0, "brood: BROOD_BIND takes pairs of name and pointer");
    check_count<1 + sizeof...(T)>();
    return bind_all(std::index_sequence_for<T...>{}, source, p...);
}
template <class T> T options()
{
    T o{};
    o.size = sizeof(T);
    return o;
}
template <class T> struct options_ref {
    T o;
    operator const T *() const { return &o; }
};
} // namespace detail
} // namespace brood

template <class T> brood_value brood_of(const T &x) { return ::brood::detail::to_value(x); }
#define BROOD_ARGS(...) ::brood::detail::make_args<brood_args>(__VA_ARGS__)
#define BROOD_ITEMS(...) ::brood::detail::make_args<brood_inputs>(__VA_ARGS__)
#define BROOD_LIST(...) ::brood::detail::make_list<BROOD_LIST_KIND>(__VA_ARGS__)
#define BROOD_TUPLE(...) ::brood::detail::make_list<BROOD_TUPLE_KIND>(__VA_ARGS__)
#define BROOD_DICT(...) ::brood::detail::make_dict(__VA_ARGS__)
#define BROOD_NAMED(name, x) ::brood::detail::make_named(name, x)
#define BROOD_GIVE(x) ::brood::detail::make_given(x)
#define BROOD_UNPACK(...) ::brood::detail::unpack(__VA_ARGS__)
#define BROOD_BIND(...) ::brood::detail::bind(__VA_ARGS__)
#define BROOD_OPTIONS_INIT(type) ::brood::detail::options<brood_##type##_options>()
#if __cplusplus >= 202002L
#define BROOD_OPTIONS(type, ...) \
    ::brood::detail::options_ref<brood_##type##_options>{ { .size = sizeof(brood_##type##_options), __VA_ARGS__ } }
#endif
#endif /* C++ */

/// BROOD_KEY("secret") is a brood_view of a string literal or char array's text.
#define BROOD_KEY(s) brood_view_of(s)
// clang-format on
#endif

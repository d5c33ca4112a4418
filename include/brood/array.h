/* Arrays in shared memory: items of one type, with a lock. A single shared value is an array of one. */
#ifndef BROOD_ARRAY_H
#define BROOD_ARRAY_H

#include <brood/sync.h>

#if defined(__cplusplus)
#include <type_traits>
#endif

BROOD_BEGIN_C

/* brood_array is an array as this process has it. It travels as any value does, with its lock:
 * BROOD_ARGS(array). Whoever receives it sees the same items. Nothing has a name, so nothing is left
 * behind; up to 64 KiB it costs no descriptor of its own.
 *
 *     brood_array *balance;
 *     brood_array_new(&balance, int64_t, 1, NULL);
 *     ...
 *     int64_t *value = brood_array_data(balance, int64_t);
 *     int rc = brood_lock_acquire(brood_array_lock(balance), BROOD_FOREVER);
 *     if (rc == 0) {
 *         *value -= 800;
 *         brood_lock_release(brood_array_lock(balance));
 *     }
 *
 * Fork: a forked child has its parent's arrays, and may use and free them. */

typedef struct brood_array_options {
    size_t size;      /* of this struct: BROOD_OPTIONS(array, ...) */
    bool raw;         /* without a lock: for items that are atomic, or that one process writes */
    brood_lock *lock; /* to guard several arrays by one; NULL: an RLock of its own */
} brood_array_options;

/// brood_array_new_ is behind brood_array_new. `letter` is the items' kind: 'i' signed integers, 'u'
/// unsigned ones and bool, 'f' float and double, 'x' everything else; `item_size` is in bytes.
///
/// On success `*out` owns the array; release it with brood_array_free. On failure `*out` is NULL.
/// A lock that is given is referenced once more.
///
/// Errors: BROOD_EINVAL for a type that cannot be, or bad options; BROOD_ENOMEM, also when it is
/// larger than what there is (then nothing fails later); BROOD_ECLOSED for a lock that is no more;
/// BROOD_ESYSTEM.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_array_new_(brood_array **out, char letter, size_t item_size, size_t count,
                                    const brood_array_options *options);

/// brood_array_data_ is behind brood_array_data.
///
/// Errors: NULL, with BROOD_ETYPE as the last error if the items are of another kind or size;
/// BROOD_EINVAL for NULL; BROOD_ECLOSED in a forked child for an array that its maker has freed
/// meanwhile; BROOD_ENOMEM when too many processes have arrays of the same process.
/// Threads: safe from any thread; what they do with the items is for the lock to order.
BROOD_API void *brood_array_data_(const brood_array *array, char letter, size_t item_size);

/// brood_array_count returns how many items there are. NULL gives 0.
///
/// Threads: safe from any thread.
BROOD_API size_t brood_array_count(const brood_array *array);

/// brood_array_lock returns the array's lock, borrowed; NULL for a raw one.
///
/// Threads: safe from any thread.
BROOD_API brood_lock *brood_array_lock(const brood_array *array);

/// brood_array_ref adds an owner and returns `array`; NULL gives NULL.
///
/// Threads: safe from any thread.
BROOD_API brood_array *brood_array_ref(brood_array *array);

/// brood_array_free drops an owner. Other processes keep the array. NULL is allowed.
///
/// Threads: safe from any thread; nobody may use the items afterwards through the last owner's.
BROOD_API void brood_array_free(brood_array *array);

BROOD_END_C

/* The letter of a type. An enum has that of the integers it is made of. */
#if defined(__cplusplus)
namespace brood {
namespace detail {
template <class T, bool = std::is_enum<T>::value>
struct number_of {
    using type = T;
};
template <class T>
struct number_of<T, true> {
    using type = std::underlying_type_t<T>;
};
template <class T>
constexpr char letter_of()
{
    using number = typename number_of<std::remove_cv_t<T>>::type;
    static_assert(!std::is_pointer<T>::value && !std::is_reference<T>::value,
                  "brood: a pointer means nothing in another process");
    static_assert(std::is_trivially_copyable<T>::value,
                  "brood: items of shared memory are plain data");
    return std::is_same<number, long double>::value ? 'x'
           : std::is_floating_point<number>::value  ? 'f'
           : !std::is_integral<number>::value       ? 'x'
           : std::is_signed<number>::value          ? 'i'
                                                    : 'u';
}
} // namespace detail
} // namespace brood
#define BROOD_LETTER_(type) ::brood::detail::letter_of<type>()
#else
/* clang-format off */
#define BROOD_LETTER_(type) \
    _Generic(*(type *)0, float: 'f', double: 'f', \
        char: (char)-1 < 0 ? 'i' : 'u', signed char: 'i', short: 'i', int: 'i', long: 'i', \
        long long: 'i', _Bool: 'u', unsigned char: 'u', unsigned short: 'u', unsigned: 'u', \
        unsigned long: 'u', unsigned long long: 'u', default: 'x')
/* clang-format on */
#endif

/// brood_array_new(&array, TYPE, count, options) makes an array of `count` items of a type, all zero
/// bytes. It may have none. `options` may be NULL: with a lock of its own. For errors and threads see
/// brood_array_new_.
#define brood_array_new(out, type, count, options) \
    brood_array_new_(out, BROOD_LETTER_(type), sizeof(type), count, options)

/// brood_array_data(array, TYPE) returns a `TYPE *` to the first item, NULL if the items are not of
/// this type: the kind (signed, unsigned, float, other) and the size have to be the same. Items begin
/// at a multiple of 32 bytes. For errors and threads see brood_array_data_.
#define brood_array_data(array, type) \
    ((type *)brood_array_data_(array, BROOD_LETTER_(type), sizeof(type)))

#endif

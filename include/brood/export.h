/* How public symbols are marked. BROOD_SHARED is published by the installed target when the library
 * is shared; BROOD_BUILDING is set only while the library itself is compiled. */
#ifndef BROOD_EXPORT_H
#define BROOD_EXPORT_H

#if defined(_WIN32) && defined(BROOD_SHARED)
#if defined(BROOD_BUILDING)
#define BROOD_API __declspec(dllexport)
#else
#define BROOD_API __declspec(dllimport)
#endif
#elif defined(__GNUC__)
#define BROOD_API __attribute__((visibility("default")))
#else
#define BROOD_API
#endif

#if defined(__cplusplus)
#define BROOD_BEGIN_C extern "C" {
#define BROOD_END_C }
#else
#define BROOD_BEGIN_C
#define BROOD_END_C
#endif

/* The attribute also in C++: clang refuses [[nodiscard]] behind another attribute. */
#if defined(__GNUC__)
#define BROOD_NODISCARD __attribute__((warn_unused_result))
#elif defined(__cplusplus)
#define BROOD_NODISCARD [[nodiscard]]
#elif defined(_MSC_VER)
#define BROOD_NODISCARD _Check_return_
#else
#define BROOD_NODISCARD
#endif

/* A status result that must be looked at. */
#define BROOD_MAY_FAIL BROOD_NODISCARD BROOD_API

#if defined(__MINGW32__) && !defined(__clang__)
#define BROOD_PRINTF(format_index, first) __attribute__((format(gnu_printf, format_index, first)))
#elif defined(__GNUC__)
#define BROOD_PRINTF(format_index, first) __attribute__((format(printf, format_index, first)))
#else
#define BROOD_PRINTF(format_index, first)
#endif

#endif

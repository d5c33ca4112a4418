/* Whether a sanitizer takes part, which needs memory, a stack and settings of its own. */
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BROOD_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define BROOD_SANITIZED 1
#endif
#endif

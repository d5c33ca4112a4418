/* Logging. BROOD_LOG=error|warning|info|debug in the environment does the same without code. */
#ifndef BROOD_LOG_H
#define BROOD_LOG_H

#include <brood/base.h>

BROOD_BEGIN_C

typedef enum brood_log_level {
    BROOD_LOG_OFF,
    BROOD_LOG_ERROR,
    BROOD_LOG_WARNING,
    BROOD_LOG_INFO,
    BROOD_LOG_DEBUG
} brood_log_level;

/// brood_log_sink receives one line without a newline. It must not call brood functions that log.
typedef void (*brood_log_sink)(void *user, brood_log_level level, const char *line);

/// brood_log_to_stderr prints lines up to `level` to stderr, as "[LEVEL/process name] words".
/// Children started afterwards do the same.
///
/// Threads: safe from any thread.
BROOD_API void brood_log_to_stderr(brood_log_level level);

/// brood_log_to hands lines up to `level` to `sink` with `user`; a NULL sink means stderr. Children
/// started afterwards log to stderr at that level, since a function pointer's data does not travel.
///
/// Threads: safe from any thread; `sink` is called by one thread at a time.
BROOD_API void brood_log_to(brood_log_level level, brood_log_sink sink, void *user);

/// brood_log writes one line (printf rules) if `level` is enabled. Over 500 bytes it is cut.
///
/// Threads: safe from any thread.
BROOD_API void brood_log(brood_log_level level, const char *format, ...) BROOD_PRINTF(2, 3);

BROOD_END_C

#endif

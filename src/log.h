/* Logging inside the library. */
#ifndef BROOD_SRC_LOG_H
#define BROOD_SRC_LOG_H

#include <brood/log.h>

/// brood_log_level_now returns the level in force; the first call reads BROOD_LOG.
brood_log_level brood_log_level_now(void);

/// brood_log_name sets the process's name shown in lines; it is copied.
void brood_log_name(const char *name);

#endif

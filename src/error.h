/* The thread's last failure. */
#ifndef BROOD_SRC_ERROR_H
#define BROOD_SRC_ERROR_H

#include <stdarg.h>

#include <brood/base.h>

#define BROOD_WORDS_SIZE 512 /* longest failure message, with its zero byte */

/// brood_fail keeps `error` and its words (printf rules) as the thread's last failure and returns
/// `error`. Arguments may point into the last failure's message.
int brood_fail(int error, const char *format, ...) BROOD_PRINTF(2, 3);

/// brood_fail_system does the same for a system call: `system_code` is errno or GetLastError.
int brood_fail_system(int error, int64_t system_code, const char *format, ...) BROOD_PRINTF(3, 4);

/// brood_fail_of_process does the same for what another process did or had happen to it.
int brood_fail_of_process(int error, int64_t pid, const char *format, ...) BROOD_PRINTF(3, 4);

/// brood_fail_as makes a copy of `failure` the thread's last failure and returns its error.
int brood_fail_as(const brood_failure *failure);

/// brood_fail_nomem says that memory for `what` is missing and returns BROOD_ENOMEM.
int brood_fail_nomem(const char *what);

/// brood_fail_forget makes this thread as if nothing had failed.
void brood_fail_forget(void);

/// brood_fail_prefix puts "WHAT: " in front of the last failure's words and returns its error.
int brood_fail_prefix(const char *what);

#endif

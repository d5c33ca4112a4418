#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "locks.h"
#include "platform.h"
#include "words.h"

#define NAME_SIZE 256

static const char *const level_names[] = {"off", "error", "warning", "info", "debug"};

static brood_atomic current = -1; /* -1: BROOD_LOG was not read yet */
static brood_log_sink current_sink;
static void *current_user;
static char process_name[NAME_SIZE] = "MainProcess";

static long level_from_environment(void)
{
    const char *text = getenv("BROOD_LOG");

    for (long level = BROOD_LOG_OFF; text != NULL && level <= BROOD_LOG_DEBUG; level++) {
        if (strcmp(text, level_names[level]) == 0) {
            return level;
        }
    }
    return BROOD_LOG_OFF;
}

brood_log_level brood_log_level_now(void)
{
    long level = brood_atomic_load(&current);

    if (level < 0) {
        level = level_from_environment();
        brood_atomic_store(&current, level);
    }
    return (brood_log_level)level;
}

static long valid_level(brood_log_level level)
{
    if ((int)level < BROOD_LOG_OFF) {
        return BROOD_LOG_OFF;
    }
    return level > BROOD_LOG_DEBUG ? BROOD_LOG_DEBUG : (long)level;
}

void brood_log_to(brood_log_level level, brood_log_sink sink, void *user)
{
    brood_locks_take(BROOD_LOCK_LOG);
    current_sink = sink;
    current_user = user;
    brood_atomic_store(&current, valid_level(level));
    brood_locks_give(BROOD_LOCK_LOG);
}

void brood_log_to_stderr(brood_log_level level)
{
    brood_log_to(level, NULL, NULL);
}

void brood_log_name(const char *name)
{
    brood_locks_take(BROOD_LOCK_LOG);
    brood_put_words(process_name, sizeof process_name, name);
    brood_locks_give(BROOD_LOCK_LOG);
}

static void write_line(brood_log_level level, const char *text)
{
    char line[BROOD_WORDS_SIZE + NAME_SIZE + 32];
    int length;

    if (current_sink != NULL) {
        current_sink(current_user, level, text);
        return;
    }
    length = snprintf(line, sizeof line, "[%s/%s] %s\n", level_names[level], process_name, text);
    if (length > 0) {
        brood_os_write_error(line, (size_t)length);
    }
}

void brood_log(brood_log_level level, const char *format, ...)
{
    char text[BROOD_WORDS_SIZE];
    va_list list;

    if ((int)level <= BROOD_LOG_OFF || valid_level(level) > (long)brood_log_level_now()) {
        return;
    }
    va_start(list, format);
    if (vsnprintf(text, sizeof text, format, list) >= 0) {
        brood_locks_take(BROOD_LOCK_LOG);
        write_line((brood_log_level)valid_level(level), text);
        brood_locks_give(BROOD_LOCK_LOG);
    }
    va_end(list);
}

/* A progress bar on the terminal. */
#include <stdio.h>
#include <string.h>

#include <brood/pool.h>

#include "locks.h"
#include "platform.h"

#define BAR_WIDTH 24
#define LINE_SIZE 160
#define REDRAW_NS ((int64_t)100 * 1000 * 1000)

/* The bar that is being drawn: there is one line for it. */
static struct {
    int64_t began_ns;
    int64_t drawn_ns;
    uint64_t done;
    int length; /* of the line */
} bar;

static void write_time(char *out, size_t size, double seconds)
{
    const uint64_t whole = seconds < 3600e3 ? (uint64_t)(seconds + 0.5) : 3600000;

    if (whole >= 3600) {
        (void)snprintf(out, size, "%llu:%02u:%02u", (unsigned long long)(whole / 3600),
                       (unsigned)(whole / 60 % 60), (unsigned)(whole % 60));
    } else {
        (void)snprintf(out, size, "%u:%02u", (unsigned)(whole / 60), (unsigned)(whole % 60));
    }
}

static int write_bar(char out[LINE_SIZE], const char *label, uint64_t done, uint64_t total,
                     double seconds)
{
    const double part = total > 0 && done <= total ? (double)done / (double)total : 0;
    const double rate = seconds > 0 ? (double)done / seconds : 0;
    char marks[BAR_WIDTH + 1];
    char left[32] = "-:--";

    memset(marks, ' ', BAR_WIDTH);
    memset(marks, '#', (size_t)(part * BAR_WIDTH));
    marks[BAR_WIDTH] = '\0';
    if (rate > 0 && total > 0) {
        write_time(left, sizeof left, (double)(total - (done < total ? done : total)) / rate);
    }
    if (total == 0) {
        return snprintf(out, LINE_SIZE, "\r%.60s%s%llu  %.*f/s", label, label[0] ? " " : "",
                        (unsigned long long)done, rate < 10 ? 1 : 0, rate);
    }
    return snprintf(out, LINE_SIZE, "\r%.60s%s%3d%% [%s] %llu/%llu  %.*f/s  %s left", label,
                    label[0] ? " " : "", (int)(part * 100), marks, (unsigned long long)done,
                    (unsigned long long)total, rate < 10 ? 1 : 0, rate, left);
}

static void draw(const char *line, int length)
{
    char out[2 * LINE_SIZE];
    int n = snprintf(out, sizeof out, "%s", line);

    for (int i = length; i < bar.length && n + 1 < (int)sizeof out; i++) {
        out[n++] = ' '; /* over what was longer */
    }
    bar.length = length;
    brood_os_write_error(out, (size_t)n);
}

static void remove_bar(void)
{
    if (bar.length > 0) {
        draw("\r", 1);
        brood_os_write_error("\r", 1);
    }
    memset(&bar, 0, sizeof bar);
}

void brood_progress_bar(void *user, uint64_t done, uint64_t total)
{
    char line[LINE_SIZE];
    int64_t now;

    if (!brood_os_error_is_terminal()) {
        return;
    }
    now = brood_os_now();
    brood_locks_take(BROOD_LOCK_PROGRESS);
    if (bar.began_ns == 0 || done < bar.done) {
        remove_bar();
        bar.began_ns = now;
    }
    bar.done = done;
    if (total > 0 && done >= total) {
        remove_bar();
    } else if (now - bar.drawn_ns >= REDRAW_NS) {
        bar.drawn_ns = now;
        draw(line, write_bar(line, user != NULL ? user : "", done, total,
                             (double)(now - bar.began_ns) / 1e9));
    }
    brood_locks_give(BROOD_LOCK_PROGRESS);
}

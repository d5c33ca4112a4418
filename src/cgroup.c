#include "cgroup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"

#define PATH_SIZE 4096
#define FIELDS_MAX 16                     /* of a mount: 6, some optional ones, "-", 3 */
#define LARGEST INT64_C(1000000000000000) /* microseconds: 30 years; bytes: more than there are */

/* A piece of a text. */
typedef struct piece {
    const char *at;
    size_t size;
} piece;

static bool is(piece text, const char *words)
{
    return text.size == strlen(words) && memcmp(text.at, words, text.size) == 0;
}

/* Cuts off what stands before the next `mark`, and the mark; false at the end. */
static bool cut(piece *rest, piece *out, char mark)
{
    const char *end;

    if (rest->size == 0) {
        return false;
    }
    end = memchr(rest->at, mark, rest->size);
    out->at = rest->at;
    out->size = end != NULL ? (size_t)(end - rest->at) : rest->size;
    rest->at += out->size;
    rest->size -= out->size;
    if (end != NULL) {
        rest->at++;
        rest->size--;
    }
    return true;
}

static bool has_word(piece list, const char *word)
{
    piece one;

    while (cut(&list, &one, ',')) {
        if (is(one, word)) {
            return true;
        }
    }
    return false;
}

/* Copies a path of the list of mounts, where some characters stand as a backslash and three octal
 * digits. */
static bool copy_path(char out[PATH_SIZE], piece text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.size; i++) {
        char c = text.at[i];
        if (c == '\\' && i + 3 < text.size) {
            c = (char)((text.at[i + 1] - '0') * 64 + (text.at[i + 2] - '0') * 8 +
                       (text.at[i + 3] - '0'));
            i += 3;
        }
        if (n + 1 >= PATH_SIZE) {
            return false;
        }
        out[n++] = c;
    }
    out[n] = '\0';
    return true;
}

/* ---- one group's own limit ---- */

/* Reads a number; -1 for "max", -1 itself, or what is none. */
static int64_t read_number(piece text)
{
    int64_t number = 0;

    for (size_t i = 0; i < text.size; i++) {
        if (text.at[i] < '0' || text.at[i] > '9' || number > LARGEST) {
            return -1;
        }
        number = number * 10 + (text.at[i] - '0');
    }
    return text.size > 0 ? number : -1;
}

static int64_t whole_cpus(int64_t quota, int64_t period)
{
    return quota > 0 && period > 0 ? (quota + period - 1) / period : 0;
}

/* Sets up to `most` words of the first line of a file; the text is in `*text`. */
static bool read_words(const brood_cgroup_files *files, const char *directory, const char *name,
                       brood_buffer *text, piece *words, size_t most)
{
    char path[PATH_SIZE];
    piece rest;
    piece line = {"", 0};
    const int size = snprintf(path, sizeof path, "%s/%s", directory, name);

    if (size < 0 || (size_t)size >= sizeof path || !files->read(files->user, path, text)) {
        return false;
    }
    rest.at = text->data;
    rest.size = text->size;
    (void)cut(&rest, &line, '\n');
    for (size_t i = 0; i < most; i++) {
        words[i] = (piece){"", 0};
        (void)cut(&line, &words[i], ' ');
    }
    return true;
}

static int64_t number_in(const brood_cgroup_files *files, const char *directory, const char *name)
{
    brood_buffer text = BROOD_BUFFER_NONE;
    piece word;
    int64_t number = -1;

    if (read_words(files, directory, name, &text, &word, 1)) {
        number = read_number(word);
    }
    brood_buffer_release(&text);
    return number;
}

/* Version 2: "QUOTA PERIOD" or "max PERIOD" in one file. */
static int64_t limit_v2(const brood_cgroup_files *files, const char *directory)
{
    brood_buffer text = BROOD_BUFFER_NONE;
    piece words[2];
    int64_t cpus = 0;

    if (read_words(files, directory, "cpu.max", &text, words, 2)) {
        cpus = whole_cpus(read_number(words[0]), read_number(words[1]));
    }
    brood_buffer_release(&text);
    return cpus;
}

static int64_t limit_v1(const brood_cgroup_files *files, const char *directory)
{
    return whole_cpus(number_in(files, directory, "cpu.cfs_quota_us"),
                      number_in(files, directory, "cpu.cfs_period_us"));
}

/* ---- one group's room for memory ---- */

/* The number behind a name in a file of many lines, 0 if it is not there. */
static int64_t counter_in(piece text, const char *name)
{
    piece line;
    piece word = {"", 0};

    while (cut(&text, &line, '\n')) {
        if (cut(&line, &word, ' ') && is(word, name)) {
            const int64_t number = read_number(line);
            return number > 0 ? number : 0;
        }
    }
    return 0;
}

/* What the group has in memory of files, which can be read again. */
static int64_t cached_in(const brood_cgroup_files *files, const char *directory, bool v2)
{
    brood_buffer text = BROOD_BUFFER_NONE;
    char path[PATH_SIZE];
    int64_t cached = 0;
    const int size = snprintf(path, sizeof path, "%s/memory.stat", directory);

    if (size > 0 && (size_t)size < sizeof path && files->read(files->user, path, &text)) {
        const piece all = {text.data, text.size};
        cached = counter_in(all, v2 ? "active_file" : "total_active_file") +
                 counter_in(all, v2 ? "inactive_file" : "total_inactive_file");
    }
    brood_buffer_release(&text);
    return cached;
}

/* How much of the system's `swap` the group may use. Version 1 is taken to allow all. */
static int64_t swap_for(const brood_cgroup_files *files, const char *directory, bool v2,
                        int64_t swap)
{
    const int64_t most = v2 ? number_in(files, directory, "memory.swap.max") : -1;
    int64_t used;

    if (most < 0) {
        return swap;
    }
    used = number_in(files, directory, "memory.swap.current");
    used = used > 0 ? used : 0;
    if (most <= used) {
        return 0;
    }
    return most - used < swap ? most - used : swap;
}

static int64_t room_in(const brood_cgroup_files *files, const char *directory, bool v2,
                       int64_t swap)
{
    const int64_t most = number_in(files, directory, v2 ? "memory.max" : "memory.limit_in_bytes");
    int64_t used;
    int64_t room;

    if (most < 0) {
        return 0;
    }
    used = number_in(files, directory, v2 ? "memory.current" : "memory.usage_in_bytes");
    room = most - (used > 0 ? used : 0) + cached_in(files, directory, v2) +
           swap_for(files, directory, v2, swap);
    return room > 0 ? room : 1;
}

/* ---- where the groups are ---- */

typedef struct search {
    const brood_cgroup_files *files;
    const char *controller; /* whose groups are looked for */
    int64_t swap;           /* see brood_cgroup_memory */
    bool v2;
    char group[PATH_SIZE];     /* of this process, as its list of groups says */
    char root[PATH_SIZE];      /* a mount: which group */
    char point[PATH_SIZE];     /* and where */
    char directory[PATH_SIZE]; /* of the group, or of one above */
} search;

/* What the group of `directory` itself is limited to; 0: to nothing. */
static int64_t limit_of(const search *s)
{
    if (strcmp(s->controller, "memory") == 0) {
        return room_in(s->files, s->directory, s->v2, s->swap);
    }
    return s->v2 ? limit_v2(s->files, s->directory) : limit_v1(s->files, s->directory);
}

/* Takes one line of the list of mounts, if it is where this kind of group is mounted. */
static bool take_mount(search *s, piece line)
{
    piece fields[FIELDS_MAX];
    size_t count = 0;
    size_t dash = 6; /* behind optional fields; then type, source, options */

    while (count < FIELDS_MAX && cut(&line, &fields[count], ' ')) {
        count++;
    }
    while (dash < count && !is(fields[dash], "-")) {
        dash++;
    }
    if (dash + 3 >= count) {
        return false;
    }
    if (s->v2 ? !is(fields[dash + 1], "cgroup2")
              : !is(fields[dash + 1], "cgroup") || !has_word(fields[dash + 3], s->controller)) {
        return false;
    }
    return copy_path(s->root, fields[3]) && copy_path(s->point, fields[4]);
}

/* The part of our group's path below what is mounted; NULL if it is not below. */
static const char *below_root(const search *s)
{
    const size_t size = strcmp(s->root, "/") == 0 ? 0 : strlen(s->root);
    const char *rest = s->group + size;

    if (strncmp(s->group, s->root, size) != 0 || (rest[0] != '/' && rest[0] != '\0') ||
        strstr(rest, "/..") != NULL) {
        return NULL;
    }
    return rest[0] == '/' && rest[1] == '\0' ? "" : rest;
}

/* Finds the group's directory. In a container that sees its host's names the group lies outside of
 * all that is mounted: then what is mounted is meant. */
static bool find_directory(search *s, piece mounts)
{
    for (int outside = 0; outside < 2; outside++) {
        piece rest = mounts;
        piece line;
        while (cut(&rest, &line, '\n')) {
            const char *below = take_mount(s, line) ? below_root(s) : NULL;
            int size;
            if (below == NULL && (!outside || !take_mount(s, line))) {
                continue;
            }
            size = snprintf(s->directory, PATH_SIZE, "%s%s", s->point, below != NULL ? below : "");
            if (size > 0 && size < PATH_SIZE) {
                return true;
            }
        }
    }
    return false;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/* The group's own limit and those of the groups above it, as far as they can be seen. */
static int64_t least_upwards(search *s)
{
    const size_t top = strlen(s->point);
    int64_t least = 0;

    for (;;) {
        char *slash = strrchr(s->directory, '/');
        least = smaller(least, limit_of(s));
        if (slash == NULL || (size_t)(slash - s->directory) < top) {
            return least;
        }
        *slash = '\0';
    }
}

/* Takes a line of the list of groups: NUMBER:CONTROLLERS:PATH; version 2 has number 0 and no
 * controllers. */
static bool take_group(search *s, piece line)
{
    piece number = {"", 0};
    piece controllers = {"", 0};

    if (!cut(&line, &number, ':') || !cut(&line, &controllers, ':') || line.size >= PATH_SIZE) {
        return false;
    }
    s->v2 = is(number, "0") && controllers.size == 0;
    memcpy(s->group, line.at, line.size);
    s->group[line.size] = '\0';
    return s->v2 || has_word(controllers, s->controller);
}

static int64_t least_of_all(search *s, piece groups, piece mounts)
{
    int64_t least = 0;
    piece line;

    while (cut(&groups, &line, '\n')) {
        if (take_group(s, line) && find_directory(s, mounts)) {
            least = smaller(least, least_upwards(s));
        }
    }
    return least;
}

static int64_t least_for(const brood_cgroup_files *files, const char *controller, int64_t swap)
{
    brood_buffer groups = BROOD_BUFFER_NONE;
    brood_buffer mounts = BROOD_BUFFER_NONE;
    search *s = BROOD_ALLOC(calloc(1, sizeof *s));
    int64_t least = 0;

    if (s != NULL && files->read(files->user, "/proc/self/cgroup", &groups) &&
        files->read(files->user, "/proc/self/mountinfo", &mounts)) {
        s->files = files;
        s->controller = controller;
        s->swap = swap;
        least =
            least_of_all(s, (piece){groups.data, groups.size}, (piece){mounts.data, mounts.size});
    }
    brood_buffer_release(&groups);
    brood_buffer_release(&mounts);
    free(s);
    return least;
}

int64_t brood_cgroup_cpus(const brood_cgroup_files *files)
{
    return least_for(files, "cpu", 0);
}

int64_t brood_cgroup_memory(const brood_cgroup_files *files, int64_t swap)
{
    return least_for(files, "memory", swap);
}

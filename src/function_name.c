#include "function_name.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "fault.h"
#include "locks.h"
#include "utf8.h"

#define NAME_MAX_SIZE 255

/* Never removed, so that names may be borrowed for ever. */
typedef struct export_entry {
    struct export_entry *next; /* in the order in which they were exported */
    brood_function function;
    size_t size;
    char name[NAME_MAX_SIZE + 1];
} export_entry;

static export_entry *first;
static export_entry **last = &first;

/* The lock is held. */
static const export_entry *find(const void *name, size_t size)
{
    const export_entry *entry = first;

    while (entry != NULL && (entry->size != size || memcmp(entry->name, name, size) != 0)) {
        entry = entry->next;
    }
    return entry;
}

static int check_name(const char *name)
{
    const size_t size = name != NULL ? strlen(name) : 0;

    if (size == 0 || size > NAME_MAX_SIZE || !brood_utf8_valid(name, size)) {
        return brood_fail(BROOD_EINVAL, "a function's name is UTF-8 of 1 to %d bytes",
                          NAME_MAX_SIZE);
    }
    return 0;
}

static int add(const char *name, brood_function function)
{
    export_entry *entry = BROOD_ALLOC(malloc(sizeof *entry));

    if (entry == NULL) {
        return brood_fail_nomem("a function's name");
    }
    entry->next = NULL;
    entry->function = function;
    entry->size = strlen(name);
    memcpy(entry->name, name, entry->size + 1);
    *last = entry;
    last = &entry->next;
    return 0;
}

int brood_export(const char *name, brood_function function)
{
    const export_entry *there;
    int rc = check_name(name);

    if (rc) {
        return rc;
    }
    if (function == NULL) {
        return brood_fail(BROOD_EINVAL, "there is no function to export as \"%s\"", name);
    }
    brood_locks_take(BROOD_LOCK_NAMES);
    there = find(name, strlen(name));
    if (there == NULL) {
        rc = add(name, function);
    } else if (there->function != function) {
        rc = brood_fail(BROOD_EEXIST, "another function is exported as \"%s\" already", name);
    }
    brood_locks_give(BROOD_LOCK_NAMES);
    return rc;
}

brood_function brood_function_find(brood_view name)
{
    const export_entry *entry;

    brood_locks_take(BROOD_LOCK_NAMES);
    entry = find(name.data, name.size);
    brood_locks_give(BROOD_LOCK_NAMES);
    return entry != NULL ? entry->function : NULL;
}

int brood_function_named(brood_function *out, const char *name)
{
    brood_function found;
    const int rc = check_name(name);

    if (rc) {
        return rc;
    }
    if (out == NULL) {
        return brood_fail(BROOD_EINVAL, "there is no place for the function \"%s\"", name);
    }
    found = brood_function_find((brood_view){name, strlen(name)});
    if (found == NULL) {
        return brood_fail(BROOD_ENOENT, "no function is exported as \"%s\"", name);
    }
    *out = found;
    return 0;
}

const char *brood_function_name(brood_function function)
{
    const export_entry *entry;

    brood_locks_take(BROOD_LOCK_NAMES);
    entry = first;
    while (entry != NULL && entry->function != function) {
        entry = entry->next;
    }
    brood_locks_give(BROOD_LOCK_NAMES);
    return entry != NULL ? entry->name : NULL;
}

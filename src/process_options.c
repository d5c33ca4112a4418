#include <string.h>

#include "authkey.h"
#include "process_object.h"

static int check_name(const char *name)
{
    if (name != NULL && (name[0] == '\0' || strlen(name) >= BROOD_NAME_SIZE)) {
        return brood_fail(BROOD_EINVAL, "a process's name has 1 to %d bytes", BROOD_NAME_SIZE - 1);
    }
    return 0;
}

static int check_authkey(brood_view key)
{
    if (key.size > BROOD_AUTHKEY_MAX || (key.size > 0 && key.data == NULL)) {
        return brood_fail(BROOD_EINVAL, "an authentication key of %zu bytes%s: %d are the most",
                          key.size, key.data == NULL ? " at NULL" : "", BROOD_AUTHKEY_MAX);
    }
    return 0;
}

static int check_lifetime(const brood_process_options *options)
{
    if (options->daemon < -1 || options->daemon > 1) {
        return brood_fail(BROOD_EINVAL, "daemon is 1, -1 or 0, not %d", options->daemon);
    }
    if (options->deadline_ms < 0) {
        return brood_fail(BROOD_EINVAL, "a deadline of %lld ms: it is more than 0, or 0 for none",
                          (long long)options->deadline_ms);
    }
    if (options->outlive_parent && options->daemon == 1) {
        return brood_fail(BROOD_EINVAL,
                          "a daemonic process ends with its parent: it cannot outlive "
                          "it");
    }
    if (options->outlive_parent && options->deadline_ms > 0) {
        return brood_fail(BROOD_EINVAL, "a process that outlives its parent has nobody to keep its "
                                        "deadline");
    }
    if (options->kill_tree) {
        return brood_fail(BROOD_ENOTSUP, "kill_tree is not in this version");
    }
    return 0;
}

int brood_process_options_check(const brood_process_options *options)
{
    int rc = check_name(options->name);

    if (rc == 0) {
        rc = check_authkey(options->authkey);
    }
    return rc ? rc : check_lifetime(options);
}

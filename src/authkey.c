#include "authkey.h"

#include <brood/process.h>
#include <sodium.h>
#include <string.h>

#include "error.h"
#include "fault.h"
#include "locks.h"
#include "log.h"

#define FIRST_SIZE 32

/* In memory of its own that is neither swapped nor dumped. */
typedef struct keeper {
    size_t size;
    unsigned char key[BROOD_AUTHKEY_MAX];
} keeper;

static keeper *kept; /* under its lock; NULL until somebody asks */

static int make_keeper(keeper **out)
{
    keeper *made;

    if (sodium_init() < 0) {
        return brood_fail(BROOD_ESYSTEM, "libsodium cannot be set up: no random numbers");
    }
    made = BROOD_ALLOC(sodium_malloc(sizeof *made));
    if (made == NULL) {
        return brood_fail_nomem("the authentication key");
    }
    /* It was tried before, but that says nothing. */
    if (sodium_mlock(made, sizeof *made) != 0) {
        brood_log(BROOD_LOG_WARNING,
                  "the authentication key cannot be locked in memory: it may be swapped out");
    }
    made->size = 0;
    *out = made;
    return 0;
}

static int fill(keeper *made)
{
    const int rc = brood_os_child_secret(made->key, &made->size);

    if (rc == 0 && made->size == 0) {
        randombytes_buf(made->key, FIRST_SIZE);
        made->size = FIRST_SIZE;
    }
    return rc;
}

static int ensure_kept(void)
{
    keeper *made = NULL;
    int rc = 0;

    if (kept != NULL) {
        return 0;
    }
    rc = make_keeper(&made);
    if (rc == 0) {
        rc = fill(made);
    }
    if (rc) {
        sodium_free(made); /* wipes it */
        return rc;
    }
    kept = made;
    return 0;
}

int brood_authkey_copy(unsigned char key[BROOD_AUTHKEY_MAX], size_t *size)
{
    int rc;

    brood_locks_take(BROOD_LOCK_AUTHKEY);
    rc = ensure_kept();
    if (rc == 0) {
        memcpy(key, kept->key, kept->size);
        *size = kept->size;
    }
    brood_locks_give(BROOD_LOCK_AUTHKEY);
    return rc;
}

/* Nobody has asked yet, as a rule. */
int brood_authkey_renew(void)
{
    int rc = 0;

    brood_locks_take(BROOD_LOCK_AUTHKEY);
    if (kept != NULL) {
        sodium_memzero(kept->key, sizeof kept->key);
        kept->size = 0;
        rc = fill(kept);
    }
    brood_locks_give(BROOD_LOCK_AUTHKEY);
    return rc;
}

int brood_authkey_ready(void)
{
    int rc;

    brood_locks_take(BROOD_LOCK_AUTHKEY);
    rc = ensure_kept();
    brood_locks_give(BROOD_LOCK_AUTHKEY);
    return rc;
}

int brood_set_authkey(const void *key, size_t size)
{
    int rc;

    if (key == NULL || size == 0 || size > BROOD_AUTHKEY_MAX) {
        return brood_fail(BROOD_EINVAL, "an authentication key of %zu bytes: it has 1 to %d",
                          key == NULL ? (size_t)0 : size, BROOD_AUTHKEY_MAX);
    }
    brood_locks_take(BROOD_LOCK_AUTHKEY);
    rc = ensure_kept();
    if (rc == 0) {
        sodium_memzero(kept->key, sizeof kept->key);
        memcpy(kept->key, key, size);
        kept->size = size;
    }
    brood_locks_give(BROOD_LOCK_AUTHKEY);
    return rc;
}

#include "handle.h"

#include <stdlib.h>

#include "error.h"
#include "fault.h"
#include "fork.h"
#include "platform.h"

/* What brood_value.as.object points to, where the value is BROOD_VALUE_OWNED. */
typedef struct owned_handle {
    brood_atomic refs;
    long generation; /* see fork.h */
    brood_os_handle handle;
} owned_handle;

int brood_handle_own(brood_value *out, brood_handle handle)
{
    owned_handle *owned = BROOD_ALLOC(malloc(sizeof *owned));

    if (owned == NULL) {
        return brood_fail_nomem("a handle in a message");
    }
    brood_atomic_store(&owned->refs, 1);
    owned->generation = brood_generation();
    owned->handle = handle;
    *out = brood_object_(BROOD_HANDLE, owned);
    out->flags = BROOD_VALUE_OWNED;
    return 0;
}

void brood_handle_ref(brood_value value)
{
    owned_handle *owned = value.as.object;

    (void)brood_atomic_add(&owned->refs, 1);
}

void brood_handle_unref(brood_value value)
{
    owned_handle *owned = value.as.object;

    if (brood_atomic_add(&owned->refs, -1) == 0) {
        if (!brood_fork_lost(owned->generation)) {
            brood_os_handle_close(owned->handle);
        }
        free(owned);
    }
}

brood_handle brood_as_handle(brood_value value)
{
    if (value.kind != BROOD_HANDLE) {
        return BROOD_NO_HANDLE;
    }
    if ((value.flags & BROOD_VALUE_OWNED) != 0) {
        const owned_handle *owned = value.as.object;
        return brood_fork_lost(owned->generation) ? BROOD_NO_HANDLE : owned->handle;
    }
    return (brood_handle)value.as.i64;
}

int brood_handle_duplicate(brood_handle *out, brood_handle handle)
{
    int rc;

    if (out == NULL) {
        return brood_fail(BROOD_EINVAL, "there is no place for the duplicate");
    }
    rc = brood_os_handle_check(handle);
    return rc ? rc : brood_os_handle_duplicate(out, handle);
}

void brood_handle_close(brood_handle handle)
{
    brood_os_handle_close(handle);
}

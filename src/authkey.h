/* The authentication key of this process: what its listeners and clients prove to know. */
#ifndef BROOD_SRC_AUTHKEY_H
#define BROOD_SRC_AUTHKEY_H

#include <stddef.h>

#include "platform.h"

#define BROOD_AUTHKEY_MAX BROOD_OS_SECRET_MAX

/// brood_authkey_copy copies the key and sets `*size`; whoever asked for it wipes it. The first call
/// makes 32 random bytes in the first process, and takes over the parent's in a child.
int brood_authkey_copy(unsigned char key[BROOD_AUTHKEY_MAX], size_t *size);

/// brood_authkey_renew takes over the key of a new parent, in a copy of the fork server.
int brood_authkey_renew(void);

/// brood_authkey_ready makes sure that there is a key here, for a copy of this process.
int brood_authkey_ready(void);

#endif

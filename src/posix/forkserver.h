/* What the user of a fork server and the server say to each other.
 *
 * Over a socket pair that only the two have: first the key, then requests, each with the descriptors
 * of a new channel's end and, if there is one, of the report's memory. The server answers over that
 * channel: so any number of threads can ask at once and nobody has to sort the answers. Then the
 * user sends the start message over the channel, as to every child. */
#ifndef BROOD_SRC_POSIX_FORKSERVER_H
#define BROOD_SRC_POSIX_FORKSERVER_H

#include "posix.h"

#define BROOD_POSIX_SERVER_KEY 32
#define BROOD_POSIX_SERVER_TAG 32
#define BROOD_POSIX_REQUEST_MAGIC 0x6b726f66u /* "fork" */
#define BROOD_POSIX_REPLY_MAGIC 0x646c6863u   /* "chld" */

typedef struct brood_posix_request {
    uint32_t magic;
    uint32_t report;   /* BROOD_POSIX_REPORT_* */
    uint32_t outlives; /* not 0: it does not end with the user */
    uint32_t ignored;  /* bit N: number N of brood_posix_terminal_signals is */
    uint64_t counter;  /* of the first request 1, of the next one more */
    int64_t user;      /* the number of the process that asks */
    unsigned char tag[BROOD_POSIX_SERVER_TAG];
} brood_posix_request;

/* With a descriptor of the process, if it reports in memory. */
typedef struct brood_posix_reply {
    uint32_t magic;
    int32_t errnum; /* 0: there is a child */
    int64_t pid;
    uint64_t elsewhere; /* not 0: that is its number in another namespace than the user's */
} brood_posix_reply;

/// brood_posix_request_sign computes the tag: keyed BLAKE2b-256 over all else.
void brood_posix_request_sign(unsigned char tag[BROOD_POSIX_SERVER_TAG],
                              const brood_posix_request *request, const unsigned char *key);

#endif

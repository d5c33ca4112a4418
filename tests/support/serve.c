#include "support/serve.h"

#include <string.h>

#include "posix/forkserver.h"

size_t serve_request(void *out, uint64_t counter, const void *key)
{
    brood_posix_request request;

    memset(&request, 0, sizeof request);
    request.magic = BROOD_POSIX_REQUEST_MAGIC;
    request.report = BROOD_POSIX_REPORT_CHANNEL;
    request.counter = counter;
    brood_posix_request_sign(request.tag, &request, key);
    memcpy(out, &request, sizeof request);
    return sizeof request;
}

bool serve_is_reply(const void *data, size_t size)
{
    brood_posix_reply reply;

    if (size < sizeof reply) {
        return false;
    }
    memcpy(&reply, data, sizeof reply);
    return reply.magic == BROOD_POSIX_REPLY_MAGIC && reply.errnum == 0 && reply.pid > 0;
}

static int end(void)
{
    return 7;
}

int serve(int control)
{
    return brood_os_serve(control, end);
}

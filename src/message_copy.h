/* Messages that are deep copies. */
#ifndef BROOD_SRC_MESSAGE_COPY_H
#define BROOD_SRC_MESSAGE_COPY_H

#include "message.h"

/// brood_message_copy makes `value` the value of a new message: everything is copied, objects are
/// referenced once more. What is shared in it stays shared. After a failure the message can only be
/// freed.
int brood_message_copy(brood_message *message, brood_value value);

#endif

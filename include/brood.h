/* brood: run C functions in other processes, the same way on Windows and on Unix. */
#ifndef BROOD_H
#define BROOD_H

#include <brood/array.h>
#include <brood/base.h>
#include <brood/call.h>
#include <brood/connection.h>
#include <brood/context.h>
#include <brood/function.h>
#include <brood/log.h>
#include <brood/memory.h>
#include <brood/pack.h>
#include <brood/pool.h>
#include <brood/process.h>
#include <brood/process_class.h>
#include <brood/queue.h>
#include <brood/sync.h>
#include <brood/value.h>
#include <brood/wait.h>

#endif

/* Synchronisation between processes and between threads: Lock, RLock, Semaphore, BoundedSemaphore,
 * Condition, Event, Barrier. Each has a header of its own.
 *
 * Objects live in shared memory and travel as arguments and over connections; every process that
 * has received one uses the same object. Nothing has a name that could be left behind. Whatever has
 * to be waited for is waited for with a time limit, and the death of who holds something is
 * noticed: at once to 100 ms after it, depending on the system.
 *
 * Differences from CPython's multiprocessing: a Lock is released by its owner only (a Semaphore of
 * value 1 may be released by anybody), and one whose owner died says so instead of blocking for
 * ever.
 *
 * A thread that ends while it holds a lock, in a process that lives on, leaves it locked. Threads
 * of one process are told apart: at most 4,095 of them may use these objects at a time. At most
 * 1,023 processes may have the objects of one process. */
#ifndef BROOD_SYNC_H
#define BROOD_SYNC_H

#include <brood/barrier.h>
#include <brood/condition.h>
#include <brood/event.h>
#include <brood/lock.h>
#include <brood/semaphore.h>

#endif

/* Objects to synchronise with, for tests. An empty pointer says that one could not be made; the
 * words are in brood_last_error. */
#pragma once

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "support/objects.h"

inline Lock NewLock(const brood_lock_options *options = nullptr)
{
    brood_lock *raw = nullptr;
    return Lock(brood_lock_new(&raw, options) == 0 ? raw : nullptr);
}

inline Lock NewRLock()
{
    brood_lock *raw = nullptr;
    return Lock(brood_rlock_new(&raw, nullptr) == 0 ? raw : nullptr);
}

inline Semaphore NewSemaphore(uint32_t value, uint32_t maximum = 0)
{
    brood_semaphore *raw = nullptr;
    return Semaphore(brood_semaphore_new(&raw, value, maximum) == 0 ? raw : nullptr);
}

inline Condition NewCondition(const Lock &lock = nullptr)
{
    brood_condition *raw = nullptr;
    return Condition(brood_condition_new(&raw, lock.get()) == 0 ? raw : nullptr);
}

inline Event NewEvent()
{
    brood_event *raw = nullptr;
    return Event(brood_event_new(&raw) == 0 ? raw : nullptr);
}

inline Barrier NewBarrier(uint32_t parties, brood_function action = nullptr, int64_t timeout_ms = 0)
{
    brood_barrier_options options = BROOD_OPTIONS_INIT(barrier);
    options.action = action;
    options.timeout_ms = timeout_ms;
    brood_barrier *raw = nullptr;
    return Barrier(brood_barrier_new(&raw, parties, &options) == 0 ? raw : nullptr);
}

/// InThreads runs `body(index)` in `count` threads and waits for them.
template <class Body>
void InThreads(int count, Body body)
{
    std::vector<std::thread> threads;
    for (int i = 0; i < count; i++) {
        threads.emplace_back([body, i] { body(i); });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
}

/* Pools that free themselves, and what they are asked to do. */
#pragma once

#include <brood.h>

#include <memory>
#include <string>
#include <vector>

#include "support/objects.h"

struct PoolFreer {
    void operator()(brood_pool *pool) const
    {
        brood_pool_free(pool);
    }
    void operator()(brood_result *result) const
    {
        brood_result_free(result);
    }
    void operator()(brood_results *results) const
    {
        brood_results_free(results);
    }
};

using Pool = std::unique_ptr<brood_pool, PoolFreer>;
using PoolResult = std::unique_ptr<brood_result, PoolFreer>;
using PoolResults = std::unique_ptr<brood_results, PoolFreer>;

/// NewPool makes a pool, or an empty pointer (the words are in brood_last_error).
inline Pool NewPool(const brood_pool_options &options)
{
    brood_pool *raw = nullptr;
    const int rc = brood_pool_new(&raw, &options);
    return Pool(rc == 0 ? raw : nullptr);
}

inline Pool NewPool(int workers)
{
    brood_pool_options options = BROOD_OPTIONS_INIT(pool);
    options.workers = workers;
    return NewPool(options);
}

/// Apply runs a task and returns its code; `*out` may be null.
inline int Apply(const Pool &pool, Message *out, brood_function function,
                 const brood_args *args = nullptr, const brood_task_options *options = nullptr,
                 int64_t timeout_ms = kSoon)
{
    brood_message *raw = nullptr;
    const int rc = brood_pool_apply(pool.get(), &raw, function, args, timeout_ms, options);
    const Message message(raw);
    if (out != nullptr) {
        *out = Message(raw != nullptr ? const_cast<Message &>(message).release() : nullptr);
    }
    return rc;
}

/// ApplyAsync hands a task over, or gives an empty pointer.
inline PoolResult ApplyAsync(const Pool &pool, brood_function function,
                             const brood_args *args = nullptr,
                             const brood_task_options *options = nullptr)
{
    brood_result *raw = nullptr;
    const int rc = brood_pool_apply_async(pool.get(), &raw, function, args, options);
    return PoolResult(rc == 0 ? raw : nullptr);
}

/// Get waits for a result and returns its code; `*out` may be null.
inline int Get(const PoolResult &result, Message *out = nullptr, int64_t timeout_ms = kSoon)
{
    brood_message *raw = nullptr;
    const int rc = brood_result_get(result.get(), &raw, timeout_ms);
    Message message(raw);
    if (out != nullptr) {
        *out = std::move(message);
    }
    return rc;
}

/// Map runs a map over values and returns its code.
inline int Map(const Pool &pool, Message *out, brood_function function,
               const std::vector<brood_value> &values, const brood_task_options *options = nullptr,
               int64_t timeout_ms = kSoon)
{
    const brood_inputs inputs = brood_inputs_array(values.data(), values.size());
    brood_message *raw = nullptr;
    const int rc = brood_pool_map(pool.get(), &raw, function, &inputs, timeout_ms, options);
    *out = Message(raw);
    return rc;
}

/// Numbers are the values 0 to count - 1.
inline std::vector<brood_value> Numbers(size_t count)
{
    std::vector<brood_value> values;
    for (size_t i = 0; i < count; i++) {
        values.push_back(brood_uint(i));
    }
    return values;
}

/// IntIn is a message's value as a number, -1 if it is none.
inline int64_t IntIn(const Message &message)
{
    return brood_as_int(brood_message_value(message.get()), -1);
}

/// IsSquares tells whether a message is the list of the squares of 0 to count - 1.
inline bool IsSquares(const Message &message, size_t count)
{
    const brood_value list = brood_message_value(message.get());
    for (size_t i = 0; i < count; i++) {
        if (brood_as_uint(brood_value_at(list, i), UINT64_MAX) != i * i) {
            return false;
        }
    }
    return brood_value_count(list) == count;
}

/// Joined closes a pool, waits for its end and returns the code.
inline int Joined(const Pool &pool)
{
    brood_pool_close(pool.get());
    return brood_pool_join(pool.get(), kSoon);
}

/// Counter is what CountOn, a function for inputs, gives: the numbers up to `end`, then `failure`.
struct Counter {
    int next = 0;
    int end = 0;
    int failure = BROOD_EEND;
    int most_ahead = 0;
    int taken = 0;
};
int CountOn(void *user, brood_value *item);

/// Workers lists the pids of this process's children, whoever forked them.
std::vector<int64_t> Workers();

/* ---- tasks ---- */

/// Square takes a number.
int Square(brood_call *call);

/// RefuseOdd takes a number and returns it, or BROOD_ERANGE in words.
int RefuseOdd(brood_call *call);

/// WhoRuns returns the worker's pid.
int WhoRuns(brood_call *call);

/// StayBusy takes a connection's place: it creates the file that its argument names and never returns.
int StayBusy(brood_call *call);

/// WaitForFile returns when the file that its argument names is there.
int WaitForFile(brood_call *call);

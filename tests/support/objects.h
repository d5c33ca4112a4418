/* Brood objects that free themselves, for tests. */
#pragma once

#include <brood.h>

#include <memory>
#include <string>
#include <utility>

struct Freer {
    void operator()(brood_process *process) const
    {
        brood_process_free(process);
    }
    void operator()(brood_connection *connection) const
    {
        brood_connection_free(connection);
    }
    void operator()(brood_memory *memory) const
    {
        brood_memory_free(memory);
    }
    void operator()(brood_array *array) const
    {
        brood_array_free(array);
    }
    void operator()(brood_message *message) const
    {
        brood_message_free(message);
    }
    void operator()(brood_queue *queue) const
    {
        brood_queue_free(queue);
    }
    void operator()(brood_lock *lock) const
    {
        brood_lock_free(lock);
    }
    void operator()(brood_semaphore *semaphore) const
    {
        brood_semaphore_free(semaphore);
    }
    void operator()(brood_condition *condition) const
    {
        brood_condition_free(condition);
    }
    void operator()(brood_event *event) const
    {
        brood_event_free(event);
    }
    void operator()(brood_barrier *barrier) const
    {
        brood_barrier_free(barrier);
    }
};

using Process = std::unique_ptr<brood_process, Freer>;
using Connection = std::unique_ptr<brood_connection, Freer>;
using Memory = std::unique_ptr<brood_memory, Freer>;
using Array = std::unique_ptr<brood_array, Freer>;
using Message = std::unique_ptr<brood_message, Freer>;
using Queue = std::unique_ptr<brood_queue, Freer>;
using Lock = std::unique_ptr<brood_lock, Freer>;
using Semaphore = std::unique_ptr<brood_semaphore, Freer>;
using Condition = std::unique_ptr<brood_condition, Freer>;
using Event = std::unique_ptr<brood_event, Freer>;
using Barrier = std::unique_ptr<brood_barrier, Freer>;

/// How long a test waits for what has to happen.
constexpr int64_t kSoon = 60000;

/// Start starts a child, or gives an empty pointer (the words are in brood_last_error).
inline Process Start(brood_function target, const brood_args *args = nullptr,
                     const brood_process_options *options = nullptr)
{
    brood_process *raw = nullptr;
    const int rc = brood_process_start(&raw, target, args, options);
    return Process(rc == 0 ? raw : nullptr);
}

/// Result waits for a child's result and returns its code; `*out` may be null.
inline int Result(const Process &process, Message *out = nullptr)
{
    brood_message *raw = nullptr;
    const int rc = brood_process_result(process.get(), &raw, kSoon);
    Message message(raw);
    if (out != nullptr) {
        *out = std::move(message);
    }
    return rc;
}

/// Pipe makes both ends, or two empty pointers.
inline std::pair<Connection, Connection> Pipe(brood_direction direction = BROOD_DUPLEX)
{
    brood_connection *first = nullptr;
    brood_connection *second = nullptr;
    const int rc = brood_pipe(&first, &second, direction);
    return rc == 0 ? std::make_pair(Connection(first), Connection(second))
                   : std::pair<Connection, Connection>();
}

/// NewQueue makes one, or gives an empty pointer. 0 is the default.
inline Queue NewQueue(size_t maxsize = 0, size_t capacity = 0, bool joinable = false)
{
    brood_queue_options options = BROOD_OPTIONS_INIT(queue);
    brood_queue *raw = nullptr;
    options.maxsize = maxsize;
    options.capacity = capacity;
    options.joinable = joinable;
    return Queue(brood_queue_new(&raw, &options) == 0 ? raw : nullptr);
}

/// GetBytes takes the next message as text, or "error: ..." in words.
inline std::string GetBytes(brood_queue *queue, int64_t timeout_ms = kSoon)
{
    brood_message *raw = nullptr;
    if (brood_queue_get_bytes(queue, &raw, timeout_ms)) {
        return std::string("error: ") + brood_last_error()->message;
    }
    const Message message(raw);
    const brood_view view = brood_as_view(brood_message_value(raw));
    return std::string(static_cast<const char *>(view.data), view.size);
}

/// ReceiveBytes returns the next message as text, or "error: ..." in words.
inline std::string ReceiveBytes(const Connection &connection, int64_t timeout_ms = kSoon)
{
    brood_message *raw = nullptr;
    if (brood_recv_bytes(connection.get(), &raw, 0, timeout_ms)) {
        return std::string("error: ") + brood_last_error()->message;
    }
    const Message message(raw);
    const brood_view view = brood_as_view(brood_message_value(raw));
    return std::string(static_cast<const char *>(view.data), view.size);
}

/// Words of the thread's last failure.
inline std::string LastWords()
{
    return brood_last_error()->message;
}

/// Scaled is `full` in the release configuration and a part of it elsewhere (BROOD_TEST_SCALE, in
/// percent), at least 1.
long Scaled(long full);

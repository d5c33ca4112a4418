/* Queues within one process: what each call does, threads, memory, bad input. */
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "fault.h"
#include "support/fault.h"
#include "support/objects.h"

namespace {

constexpr size_t kMiB = 1024 * 1024;

int PutText(const Queue &queue, const std::string &text, int64_t timeout_ms = BROOD_NOWAIT)
{
    return brood_queue_put_bytes(queue.get(), text.data(), text.size(), timeout_ms);
}

std::string Text(size_t size, unsigned seed)
{
    std::string text(size, '\0');
    for (size_t i = 0; i < size; i++) {
        text[i] = static_cast<char>((i * 31 + seed * 7 + i / 256) & 0xff);
    }
    return text;
}

/* ---- put and get ---- */

TEST(Queue, GivesWhatWasPutInOrder)
{
    const Queue queue = NewQueue();
    ASSERT_TRUE(queue) << LastWords();
    for (int i = 0; i < 1000; i++) {
        ASSERT_EQ(0, PutText(queue, std::to_string(i))) << LastWords();
    }
    EXPECT_EQ(1000u, brood_queue_qsize(queue.get()));
    for (int i = 0; i < 1000; i++) {
        ASSERT_EQ(std::to_string(i), GetBytes(queue.get()));
    }
    EXPECT_TRUE(brood_queue_empty(queue.get()));
}

TEST(Queue, IsMadeWithoutOptions)
{
    brood_queue *raw = nullptr;
    ASSERT_EQ(0, brood_queue_new(&raw, nullptr)) << LastWords();
    const Queue queue(raw);
    EXPECT_TRUE(brood_queue_empty(raw));
    EXPECT_FALSE(brood_queue_full(raw));
    EXPECT_EQ(0, PutText(queue, "a"));
    EXPECT_EQ("a", GetBytes(raw));
}

TEST(Queue, CarriesValues)
{
    const Queue queue = NewQueue();
    ASSERT_EQ(0, brood_queue_put(queue.get(), BROOD_LIST(1, "two", 3.5, true), BROOD_NOWAIT))
        << LastWords();
    brood_message *raw = nullptr;
    ASSERT_EQ(0, brood_queue_get(queue.get(), &raw, BROOD_NOWAIT)) << LastWords();
    const Message message(raw);
    int one;
    const char *two;
    double three;
    bool four;
    ASSERT_EQ(0, BROOD_UNPACK(raw, &one, &two, &three, &four)) << LastWords();
    EXPECT_EQ(1, one);
    EXPECT_STREQ("two", two);
    EXPECT_EQ(3.5, three);
    EXPECT_TRUE(four);
}

int SomeFunction(brood_call *)
{
    return 0;
}

TEST(Queue, CarriesFunctions)
{
    const Queue queue = NewQueue();
    ASSERT_EQ(0, brood_queue_put(queue.get(), BROOD_LIST(SomeFunction), BROOD_NOWAIT))
        << LastWords();
    brood_message *raw = nullptr;
    ASSERT_EQ(0, brood_queue_get(queue.get(), &raw, BROOD_NOWAIT)) << LastWords();
    const Message message(raw);
    brood_function function;
    ASSERT_EQ(0, BROOD_UNPACK(raw, &function)) << LastWords();
    EXPECT_EQ(SomeFunction, function);
}

TEST(Queue, CarriesNoObjectsYetAndSaysSo)
{
    const Queue queue = NewQueue();
    const auto [a, b] = Pipe();
    for (const brood_value &value : {brood_of(queue.get()), brood_of(a.get())}) {
        EXPECT_EQ(BROOD_ENOTSUP, brood_queue_put(queue.get(), value, BROOD_NOWAIT));
        EXPECT_NE(std::string::npos, LastWords().find("cannot be put into a queue")) << LastWords();
    }
    EXPECT_TRUE(brood_queue_empty(queue.get()));
}

/* Around what is copied under the lock, in strips, in granules and in chunks. */
TEST(Queue, CarriesAllSizes)
{
    const Queue queue = NewQueue(0, 64 * kMiB);
    std::vector<size_t> sizes;
    for (const size_t middle : {0u, 8u, 4096u, 16384u, 65536u, 1048576u, 16777216u}) {
        for (size_t size = middle < 9 ? 0 : middle - 9; size <= middle + 9; size++) {
            if (size <= 16 * kMiB) {
                sizes.push_back(size);
            }
        }
    }
    for (const size_t size : sizes) { /* one by one, */
        const std::string text = Text(size, 1);
        ASSERT_EQ(0, PutText(queue, text)) << size << " " << LastWords();
        ASSERT_TRUE(text == GetBytes(queue.get())) << size;
    }
    for (const size_t size : sizes) { /* and many in it */
        if (size < kMiB) {
            ASSERT_EQ(0, PutText(queue, Text(size, 2))) << size << " " << LastWords();
        }
    }
    for (const size_t size : sizes) {
        if (size < kMiB) {
            ASSERT_TRUE(Text(size, 2) == GetBytes(queue.get())) << size;
        }
    }
}

TEST(QueuePut, RefusesAtOnceWhatIsTooBig)
{
    const Queue queue = NewQueue(1, 4 * kMiB);
    const std::string most = Text(kMiB, 0);
    EXPECT_EQ(BROOD_ETOOBIG,
              brood_queue_put_bytes(queue.get(), most.data(), most.size() + 1, BROOD_FOREVER));
    EXPECT_EQ(0, PutText(queue, most)) << LastWords();
    EXPECT_EQ(BROOD_ETOOBIG,
              brood_queue_put_bytes(queue.get(), most.data(), most.size() + 1, BROOD_FOREVER));
    EXPECT_TRUE(most == GetBytes(queue.get()));
}

TEST(QueuePut, WaitsForFewerMessages)
{
    const Queue queue = NewQueue(2);
    EXPECT_EQ(0, PutText(queue, "a"));
    EXPECT_FALSE(brood_queue_full(queue.get()));
    EXPECT_EQ(0, PutText(queue, "b"));
    EXPECT_TRUE(brood_queue_full(queue.get()));
    EXPECT_EQ(BROOD_EFULL, PutText(queue, "c"));
    EXPECT_EQ(BROOD_ETIMEDOUT, PutText(queue, "c", 20));
    std::thread thread([&] { EXPECT_EQ(0, PutText(queue, "c", kSoon)) << LastWords(); });
    EXPECT_EQ("a", GetBytes(queue.get()));
    thread.join();
    EXPECT_EQ("b", GetBytes(queue.get()));
    EXPECT_EQ("c", GetBytes(queue.get()));
    EXPECT_TRUE(brood_queue_empty(queue.get()));
}

TEST(QueueGet, WaitsForMessages)
{
    const Queue queue = NewQueue();
    brood_message *raw = nullptr;
    EXPECT_EQ(BROOD_EEMPTY, brood_queue_get_bytes(queue.get(), &raw, BROOD_NOWAIT));
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_queue_get(queue.get(), &raw, 20));
    EXPECT_EQ(nullptr, raw);
    std::thread thread([&] { EXPECT_EQ("a", GetBytes(queue.get())); });
    EXPECT_EQ(0, PutText(queue, "a"));
    thread.join();
}

TEST(QueueGet, SaysHowMuchRoomAMessageTakes)
{
    const Queue queue = NewQueue();
    for (const size_t size : {5u, 100000u}) {
        std::string room(size, '\0');
        const std::string text = Text(size, 3);
        ASSERT_EQ(0, PutText(queue, text));
        size_t got = size - 1;
        EXPECT_EQ(BROOD_ETOOSMALL,
                  brood_queue_get_bytes_into(queue.get(), &room[0], &got, BROOD_FOREVER));
        EXPECT_EQ(size, got);
        EXPECT_EQ(1u, brood_queue_qsize(queue.get())) << "it stays";
        EXPECT_EQ(0, brood_queue_get_bytes_into(queue.get(), &room[0], &got, BROOD_FOREVER));
        EXPECT_TRUE(text == room);
    }
    size_t none = 0;
    ASSERT_EQ(0, PutText(queue, ""));
    EXPECT_EQ(0, brood_queue_get_bytes_into(queue.get(), nullptr, &none, BROOD_FOREVER));
}

TEST(QueueGet, GoesOnAfterWhatIsNoValue)
{
    const Queue queue = NewQueue();
    brood_message *raw = nullptr;
    ASSERT_EQ(0, PutText(queue, "these are only bytes"));
    ASSERT_EQ(0, brood_queue_put(queue.get(), brood_int(5), BROOD_NOWAIT));
    EXPECT_EQ(BROOD_EDECODE, brood_queue_get(queue.get(), &raw, BROOD_NOWAIT));
    EXPECT_EQ(nullptr, raw);
    ASSERT_EQ(0, brood_queue_get(queue.get(), &raw, BROOD_NOWAIT)) << LastWords();
    EXPECT_EQ(5, brood_as_int(brood_message_value(raw), 0));
    brood_message_free(raw);
}

TEST(Queue, RefusesBadArguments)
{
    const Queue queue = NewQueue();
    brood_message *raw = nullptr;
    size_t size = 1;
    EXPECT_EQ(BROOD_EINVAL, brood_queue_new(nullptr, nullptr));
    EXPECT_EQ(BROOD_EINVAL, brood_queue_put_bytes(nullptr, "", 0, 0));
    EXPECT_EQ(BROOD_EINVAL, brood_queue_put_bytes(queue.get(), nullptr, 1, 0));
    EXPECT_EQ(BROOD_EINVAL, brood_queue_put_bytes(queue.get(), "", 0, -2));
    EXPECT_EQ(BROOD_EINVAL, brood_queue_put(nullptr, brood_none(), 0));
    EXPECT_EQ(BROOD_EINVAL, brood_queue_get(nullptr, &raw, 0));
    EXPECT_EQ(BROOD_EINVAL, brood_queue_get(queue.get(), nullptr, 0));
    EXPECT_EQ(BROOD_EINVAL, brood_queue_get(queue.get(), &raw, -7));
    EXPECT_EQ(BROOD_EINVAL, brood_queue_get_bytes(queue.get(), nullptr, 0));
    EXPECT_EQ(BROOD_EINVAL, brood_queue_get_bytes_into(queue.get(), nullptr, &size, 0));
    EXPECT_EQ(BROOD_EINVAL, brood_queue_get_bytes_into(queue.get(), &size, nullptr, 0));
    EXPECT_EQ(BROOD_EINVAL, brood_queue_task_done(queue.get())) << "it is not joinable";
    EXPECT_EQ(BROOD_EINVAL, brood_queue_join(queue.get(), 0)) << "it is not joinable";
    EXPECT_EQ(BROOD_EINVAL, brood_queue_shutdown(nullptr, false));
    EXPECT_EQ(0u, brood_queue_qsize(nullptr));
    EXPECT_TRUE(brood_queue_empty(nullptr));
    EXPECT_FALSE(brood_queue_full(nullptr));
    EXPECT_EQ(nullptr, brood_queue_ref(nullptr));
    brood_queue_close(nullptr);
    brood_queue_free(nullptr);
    brood_queue_options options = BROOD_OPTIONS_INIT(queue);
    brood_queue *made = nullptr;
    options.capacity = static_cast<size_t>(-1);
    EXPECT_EQ(BROOD_EINVAL, brood_queue_new(&made, &options));
    EXPECT_EQ(nullptr, made);
}

TEST(Queue, HasAnySmallCapacity)
{
    for (const size_t capacity : {1u, 4u, 100u, 20000u, 65536u, 65537u, 300000u}) {
        const Queue queue = NewQueue(0, capacity);
        ASSERT_TRUE(queue) << LastWords();
        for (int i = 0; i < 50; i++) {
            const std::string text = Text(capacity / 4, static_cast<unsigned>(i));
            ASSERT_EQ(0, PutText(queue, text)) << capacity << " " << LastWords();
            ASSERT_TRUE(text == GetBytes(queue.get()));
        }
    }
}

TEST(Queue, LivesUntilItsLastOwnerHasFreedIt)
{
    Queue queue = NewQueue();
    const Queue second(brood_queue_ref(queue.get()));
    queue.reset();
    EXPECT_EQ(0, PutText(second, "x"));
    EXPECT_EQ("x", GetBytes(second.get()));
}

/* ---- the capacity ---- */

/* Whatever was in it before, as much as before finds room again, but for the strip of small messages
 * (64 KiB) that is half used. */
TEST(Queue, TakesAsMuchAsItsCapacityAgainAndAgain)
{
    const size_t capacity = 4 * kMiB;
    const Queue queue = NewQueue(0, capacity);
    for (const size_t size : {24u, 1000u, 4096u, 5000u, 100000u, 1048576u}) {
        size_t first = 0;
        for (int round = 0; round < 4; round++) {
            size_t count = 0;
            int rc = 0;
            while ((rc = PutText(queue, Text(size, static_cast<unsigned>(count)))) == 0) {
                count++;
            }
            ASSERT_EQ(BROOD_EFULL, rc) << LastWords();
            first = round == 0 ? count : first;
            EXPECT_GE(count + 1 + 65536 / (size + 8), first) << size;
            EXPECT_GE(count * (size < 8192 && size > 4096 ? 16384 : size + 16), capacity / 2);
            for (size_t i = 0; i < count; i++) {
                ASSERT_TRUE(Text(size, static_cast<unsigned>(i)) == GetBytes(queue.get()));
            }
        }
    }
}

TEST(QueuePut, WaitsForRoom)
{
    const Queue queue = NewQueue(0, kMiB);
    const std::string text = Text(kMiB / 4, 0);
    int count = 0;
    while (PutText(queue, text) == 0) {
        count++;
    }
    EXPECT_GE(count, 3);
    EXPECT_EQ(BROOD_ETIMEDOUT, PutText(queue, text, 20));
    std::thread thread([&] { EXPECT_EQ(0, PutText(queue, text, kSoon)) << LastWords(); });
    for (int i = 0; i <= count; i++) {
        EXPECT_TRUE(text == GetBytes(queue.get()));
    }
    thread.join();
    EXPECT_TRUE(brood_queue_empty(queue.get()));
}

/* All sizes at once, by several threads, in a queue that is nearly always full. */
TEST(Queue, MixesSizesWhileItIsFull)
{
    const Queue queue = NewQueue(0, kMiB);
    const long rounds = Scaled(20000);
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 3; t++) {
        threads.emplace_back([&, t] {
            for (long i = 0; i < rounds; i++) {
                const size_t size =
                    static_cast<size_t>(i) * 7919 * (t + 1) % (i % 16 ? 3000 : 200000);
                ASSERT_EQ(0, PutText(queue, Text(size, static_cast<unsigned>(size)), kSoon))
                    << LastWords();
            }
        });
    }
    std::atomic<long> got{0};
    for (int t = 0; t < 2; t++) {
        threads.emplace_back([&] {
            while (got.fetch_add(1) < 3 * rounds) {
                const std::string text = GetBytes(queue.get());
                ASSERT_TRUE(text == Text(text.size(), static_cast<unsigned>(text.size())));
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    EXPECT_TRUE(brood_queue_empty(queue.get()));
}

/* ---- threads ---- */

struct Numbered {
    uint32_t producer;
    uint32_t number;
};

void ExchangeBetweenThreads(const Queue &queue, uint32_t producers, uint32_t consumers,
                            uint32_t count)
{
    std::vector<std::thread> threads;
    std::vector<std::vector<Numbered>> got(consumers);
    for (uint32_t p = 0; p < producers; p++) {
        threads.emplace_back([&, p] {
            for (uint32_t i = 0; i < count; i++) {
                const Numbered message = {p, i};
                ASSERT_EQ(0, brood_queue_put_bytes(queue.get(), &message, sizeof message, kSoon))
                    << LastWords();
            }
        });
    }
    for (uint32_t c = 0; c < consumers; c++) {
        threads.emplace_back([&, c] {
            for (;;) {
                Numbered message;
                size_t size = sizeof message;
                const int rc = brood_queue_get_bytes_into(queue.get(), &message, &size, kSoon);
                if (rc == BROOD_ESHUTDOWN) {
                    return;
                }
                ASSERT_EQ(0, rc) << LastWords();
                got[c].push_back(message);
            }
        });
    }
    for (uint32_t p = 0; p < producers; p++) {
        threads[p].join();
    }
    ASSERT_EQ(0, brood_queue_shutdown(queue.get(), false)) << LastWords();
    std::vector<uint32_t> sum(producers);
    for (uint32_t c = 0; c < consumers; c++) {
        threads[producers + c].join();
        std::vector<int64_t> last(producers, -1);
        for (const Numbered &message : got[c]) {
            ASSERT_LT(message.producer, producers);
            ASSERT_LT(last[message.producer], static_cast<int64_t>(message.number));
            last[message.producer] = message.number;
            sum[message.producer]++;
        }
    }
    EXPECT_EQ(std::vector<uint32_t>(producers, count), sum);
}

TEST(Queue, IsSharedByThreads)
{
    ExchangeBetweenThreads(NewQueue(), 4, 4, static_cast<uint32_t>(Scaled(200000)));
}

TEST(Queue, IsSharedByThreadsWhileItIsFull)
{
    ExchangeBetweenThreads(NewQueue(1), 2, 2, static_cast<uint32_t>(Scaled(20000)));
    ExchangeBetweenThreads(NewQueue(3), 4, 1, static_cast<uint32_t>(Scaled(20000)));
    ExchangeBetweenThreads(NewQueue(2), 1, 4, static_cast<uint32_t>(Scaled(20000)));
}

/* ---- close, shutdown ---- */

TEST(QueueClose, LetsThisProcessPutNoMore)
{
    const Queue queue = NewQueue(1);
    ASSERT_EQ(0, PutText(queue, "a"));
    std::thread blocked([&] { EXPECT_EQ(BROOD_ECLOSED, PutText(queue, "b", BROOD_FOREVER)); });
    brood_queue_close(queue.get());
    blocked.join();
    brood_queue_close(queue.get());
    EXPECT_EQ("a", GetBytes(queue.get()));
    EXPECT_EQ(BROOD_ECLOSED, PutText(queue, "b"));
}

TEST(QueueShutdown, LetsTakeWhatIsThere)
{
    const Queue queue = NewQueue();
    brood_message *raw = nullptr;
    ASSERT_EQ(0, PutText(queue, "a"));
    ASSERT_EQ(0, brood_queue_shutdown(queue.get(), false)) << LastWords();
    EXPECT_EQ(BROOD_ESHUTDOWN, PutText(queue, "b"));
    EXPECT_EQ("a", GetBytes(queue.get()));
    EXPECT_EQ(BROOD_ESHUTDOWN, brood_queue_get(queue.get(), &raw, BROOD_FOREVER));
    EXPECT_EQ(0, brood_queue_shutdown(queue.get(), true)) << "again, and harder";
    EXPECT_EQ(BROOD_ESHUTDOWN, brood_queue_get(queue.get(), &raw, BROOD_NOWAIT));
}

TEST(QueueShutdown, AtOnceDiscardsWhatIsThere)
{
    const Queue queue = NewQueue(0, 0, true);
    brood_message *raw = nullptr;
    for (int i = 0; i < 1000; i++) {
        ASSERT_EQ(0, PutText(queue, i % 100 == 0 ? Text(50000, 0) : "a"));
    }
    EXPECT_EQ("a", (GetBytes(queue.get()), GetBytes(queue.get())));
    ASSERT_EQ(0, brood_queue_shutdown(queue.get(), true)) << LastWords();
    EXPECT_EQ(BROOD_ESHUTDOWN, PutText(queue, "b"));
    EXPECT_EQ(BROOD_ESHUTDOWN, brood_queue_get(queue.get(), &raw, BROOD_FOREVER));
    EXPECT_TRUE(brood_queue_empty(queue.get()));
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_queue_join(queue.get(), 10)) << "two were taken";
    EXPECT_EQ(0, brood_queue_task_done(queue.get())) << LastWords();
    EXPECT_EQ(0, brood_queue_task_done(queue.get())) << LastWords();
    EXPECT_EQ(0, brood_queue_join(queue.get(), kSoon)) << LastWords();
    EXPECT_EQ(BROOD_EINVAL, brood_queue_task_done(queue.get()));
}

TEST(QueueShutdown, WakesEverybody)
{
    for (const bool immediate : {false, true}) {
        const Queue full = NewQueue(1);
        const Queue empty = NewQueue();
        const Queue tight = NewQueue(0, kMiB);
        const std::string large = Text(kMiB / 4, 0);
        ASSERT_EQ(0, PutText(full, "a"));
        while (PutText(tight, large) == 0) {
        }
        std::vector<std::thread> threads;
        for (int i = 0; i < 3; i++) {
            threads.emplace_back(
                [&] { EXPECT_EQ(BROOD_ESHUTDOWN, PutText(full, "b", BROOD_FOREVER)); });
            threads.emplace_back(
                [&] { EXPECT_EQ(BROOD_ESHUTDOWN, PutText(tight, large, BROOD_FOREVER)); });
            threads.emplace_back([&] {
                brood_message *raw = nullptr;
                EXPECT_EQ(BROOD_ESHUTDOWN, brood_queue_get(empty.get(), &raw, BROOD_FOREVER));
            });
        }
        for (const Queue *queue : {&full, &empty, &tight}) {
            ASSERT_EQ(0, brood_queue_shutdown(queue->get(), immediate)) << LastWords();
        }
        for (std::thread &thread : threads) {
            thread.join();
        }
    }
}

/* ---- task_done and join ---- */

TEST(QueueJoin, WaitsUntilEverythingIsDone)
{
    const Queue queue = NewQueue(0, 0, true);
    EXPECT_EQ(0, brood_queue_join(queue.get(), BROOD_NOWAIT)) << "there is nothing to do";
    EXPECT_EQ(BROOD_EINVAL, brood_queue_task_done(queue.get()));
    ASSERT_EQ(0, PutText(queue, "a"));
    ASSERT_EQ(0, PutText(queue, "b"));
    EXPECT_EQ(BROOD_EINVAL, brood_queue_task_done(queue.get())) << "nothing was taken";
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_queue_join(queue.get(), BROOD_NOWAIT));
    EXPECT_EQ("a", GetBytes(queue.get()));
    EXPECT_EQ(0, brood_queue_task_done(queue.get())) << LastWords();
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_queue_join(queue.get(), 20));
    EXPECT_EQ("b", GetBytes(queue.get()));
    std::thread waiting(
        [&] { EXPECT_EQ(0, brood_queue_join(queue.get(), BROOD_FOREVER)) << LastWords(); });
    EXPECT_EQ(0, brood_queue_task_done(queue.get())) << LastWords();
    waiting.join();
    EXPECT_EQ(BROOD_EINVAL, brood_queue_task_done(queue.get())) << "too many";
}

/* ---- failures ---- */

TEST(QueueNew, LeavesNothingBehindWhenAnyStepFails)
{
    ForEachFault([&] {
        brood_queue *raw = nullptr;
        const int rc = brood_queue_new(&raw, nullptr);
        EXPECT_EQ(rc == 0, raw != nullptr);
        EXPECT_EQ(brood_fault_fired(), rc != 0);
        brood_queue_free(raw);
    });
}

/* A system without memory: every message is put, or the queue is as before. */
TEST(QueuePut, LeavesTheQueueAsItWasWhenAnyStepFails)
{
    const Queue queue = NewQueue(0, 64 * kMiB);
    const std::string large = Text(3 * kMiB, 5);
    ForEachFault([&] {
        size_t put = 0;
        for (int i = 0; i < 300; i++) { /* enough for a new chunk */
            const std::string text = Text(4000, static_cast<unsigned>(put));
            const int rc = PutText(queue, text);
            EXPECT_TRUE(rc == 0 || rc == BROOD_ENOMEM || rc == BROOD_ESYSTEM) << LastWords();
            put += rc == 0;
            ASSERT_EQ(put, brood_queue_qsize(queue.get()));
        }
        const int rc = PutText(queue, large);
        EXPECT_TRUE(rc == 0 || rc == BROOD_ENOMEM || rc == BROOD_ESYSTEM) << LastWords();
        const size_t all = put + (rc == 0);
        ASSERT_EQ(all, brood_queue_qsize(queue.get()));
        brood_fault_pause(true);
        for (size_t i = 0; i < put; i++) {
            ASSERT_TRUE(Text(4000, static_cast<unsigned>(i)) == GetBytes(queue.get()));
        }
        if (rc == 0) {
            ASSERT_TRUE(large == GetBytes(queue.get()));
        }
        brood_fault_pause(false);
        ASSERT_TRUE(brood_queue_empty(queue.get()));
    });
}

TEST(QueueGet, KeepsAMessageForWhichThereIsNoMemory)
{
    const Queue queue = NewQueue();
    for (const size_t size : {10u, 1000u, 100000u}) {
        ForEachFault([&] {
            const std::string text = Text(size, 6);
            brood_fault_pause(true);
            ASSERT_EQ(0, PutText(queue, text));
            brood_fault_pause(false);
            brood_message *raw = nullptr;
            const int rc = brood_queue_get_bytes(queue.get(), &raw, BROOD_NOWAIT);
            brood_fault_pause(true);
            EXPECT_EQ(rc == 0, raw != nullptr);
            EXPECT_EQ(rc == 0 ? 0u : 1u, brood_queue_qsize(queue.get()));
            brood_message_free(raw);
            if (rc != 0) {
                EXPECT_EQ(BROOD_ENOMEM, rc);
                EXPECT_TRUE(text == GetBytes(queue.get()));
            }
            brood_fault_pause(false);
        });
    }
}

} // namespace

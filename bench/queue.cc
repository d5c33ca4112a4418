/* Queues: several processes put and several take, as fast as they go; there and back; and what memory
 * a burst leaves. */
#include "bench.h"
#include "raw.h"
#include "workers.h"

#include <brood.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace {

constexpr size_t kMaxsize = 1000; /* messages, in every queue here that has a limit */

/* ---- the workers: each is told over a connection how many, and answers when it is done ---- */

int Serve(brood_call *call, bool puts)
{
    brood_queue *queue;
    brood_connection *connection;
    uint64_t size;
    int cpu;
    int rc = BROOD_UNPACK(call, &queue, &connection, &size, &cpu);
    raw::PinTo(rc != 0 || cpu < 0 ? std::vector<int>{} : std::vector<int>{cpu});
    std::vector<char> buffer(size, 'x');
    while (rc == 0) {
        uint64_t count = 0;
        size_t got = sizeof count;
        rc = brood_recv_bytes_into(connection, &count, &got, BROOD_FOREVER);
        for (uint64_t i = 0; rc == 0 && i < count; i++) {
            got = size;
            rc = puts ? brood_queue_put_bytes(queue, buffer.data(), size, BROOD_FOREVER)
                      : brood_queue_get_bytes_into(queue, buffer.data(), &got, BROOD_FOREVER);
        }
        if (rc == 0) {
            rc = brood_send_bytes(connection, "", 1, BROOD_FOREVER);
        }
    }
    return rc == BROOD_EEND ? 0 : rc;
}

int Putter(brood_call *call)
{
    return Serve(call, true);
}

int Getter(brood_call *call)
{
    return Serve(call, false);
}

/* What comes in one queue goes back in the other. */
int Echo(brood_call *call)
{
    brood_queue *requests;
    brood_queue *answers;
    int cpu;
    int rc = BROOD_UNPACK(call, &requests, &answers, &cpu);
    raw::PinTo(rc != 0 || cpu < 0 ? std::vector<int>{} : std::vector<int>{cpu});
    char buffer[64];
    while (rc == 0) {
        size_t size = sizeof buffer;
        rc = brood_queue_get_bytes_into(requests, buffer, &size, BROOD_FOREVER);
        if (rc == 0) {
            rc = brood_queue_put_bytes(answers, buffer, size, BROOD_FOREVER);
        }
    }
    return rc == BROOD_ESHUTDOWN ? 0 : rc;
}

/* The same for values: a tuple of arguments comes, a number goes back, as a task of a pool does it. */
int Square(brood_queue *from, brood_queue *to)
{
    brood_message *message = nullptr;
    int64_t n = 0;
    int rc = brood_queue_get(from, &message, BROOD_FOREVER);
    rc = rc != 0 ? rc : BROOD_UNPACK(message, &n);
    brood_message_free(message);
    return rc != 0 ? rc : brood_queue_put(to, brood_int(n * n), BROOD_FOREVER);
}

int EchoValues(brood_call *call)
{
    brood_queue *requests;
    brood_queue *answers;
    int cpu;
    int rc = BROOD_UNPACK(call, &requests, &answers, &cpu);
    raw::PinTo(rc != 0 || cpu < 0 ? std::vector<int>{} : std::vector<int>{cpu});
    while (rc == 0) {
        rc = Square(requests, answers);
    }
    return rc == BROOD_ESHUTDOWN ? 0 : rc;
}

int AskBytes(brood_queue *requests, brood_queue *answers)
{
    char buffer[64] = "";
    size_t size = sizeof buffer;
    const int rc = brood_queue_put_bytes(requests, buffer, size, BROOD_FOREVER);
    return rc != 0 ? rc : brood_queue_get_bytes_into(answers, buffer, &size, BROOD_FOREVER);
}

int AskValues(brood_queue *requests, brood_queue *answers)
{
    brood_message *message = nullptr;
    int rc = brood_queue_put(requests, BROOD_TUPLE(7), BROOD_FOREVER);
    rc = rc != 0 ? rc : brood_queue_get(answers, &message, BROOD_FOREVER);
    brood_message_free(message);
    return rc;
}

/* The other side of Echo, in a process of its own, too: how often one spins is settled when a process
 * first asks on how many processors it runs. */
int Ask(brood_call *call)
{
    brood_queue *requests;
    brood_queue *answers;
    brood_connection *connection;
    int cpu;
    bool values;
    int rc = BROOD_UNPACK(call, &requests, &answers, &connection, &cpu, &values);
    raw::PinTo(rc != 0 || cpu < 0 ? std::vector<int>{} : std::vector<int>{cpu});
    while (rc == 0) {
        uint64_t count = 0;
        size_t size = sizeof count;
        rc = brood_recv_bytes_into(connection, &count, &size, BROOD_FOREVER);
        for (; rc == 0 && count > 0; count--) {
            rc = values ? AskValues(requests, answers) : AskBytes(requests, answers);
        }
        if (rc == 0) {
            rc = brood_send_bytes(connection, "", 1, BROOD_FOREVER);
        }
    }
    if (rc == BROOD_EEND) {
        rc = brood_queue_shutdown(requests, false);
    }
    return rc;
}

/* ---- this process ---- */

class Queue {
  public:
    explicit Queue(size_t maxsize)
    {
        brood_queue_options options = BROOD_OPTIONS_INIT(queue);
        options.maxsize = maxsize;
        Must(brood_queue_new(&queue_, &options), "queue");
    }
    Queue(const Queue &) = delete;
    Queue &operator=(const Queue &) = delete;
    ~Queue()
    {
        brood_queue_free(queue_);
    }
    brood_queue *get() const
    {
        return queue_;
    }

  private:
    brood_queue *queue_ = nullptr;
};

struct Traffic {
    int pairs;
    size_t size;
    std::string words;
};

Work Throughput(Workers &workers, int pairs)
{
    return [&workers, pairs](uint64_t count) {
        const uint64_t each = count / static_cast<uint64_t>(pairs) + 1;
        return Seconds([&] { workers.Run(each); }) / static_cast<double>(each) /
               static_cast<double>(pairs) * static_cast<double>(count);
    };
}

Work Throughput(raw::Crowd &crowd, int pairs)
{
    return [&crowd, pairs](uint64_t count) {
        const uint64_t each = count / static_cast<uint64_t>(pairs) + 1;
        return Seconds([&] { crowd.Run(each); }) / static_cast<double>(each) /
               static_cast<double>(pairs) * static_cast<double>(count);
    };
}

void Start(Workers &workers, const Queue &queue, const Traffic &traffic)
{
    for (int i = 0; i < 2 * traffic.pairs; i++) {
        workers.Add([&](brood_process **process, brood_connection *theirs) {
            return brood_process_start(
                process, i < traffic.pairs ? Putter : Getter,
                BROOD_ARGS(queue.get(), BROOD_GIVE(theirs), uint64_t{traffic.size}, -1), nullptr);
        });
    }
}

void CompareTraffic(Bench &bench, const Traffic &traffic, const raw::CrowdWay &way)
{
    Row row;
    row.name = "queue " + traffic.words + ", beside " + way.name;
    row.unit = traffic.size > 65536 ? "MB/s" : "1000/s";
    row.limit_is = way.name;
    row.value = [traffic](double seconds) {
        return traffic.size > 65536 ? 1e-6 * static_cast<double>(traffic.size) / seconds
                                    : 1e-3 / seconds;
    };
    row.more_is_better = true;
    if (way.is_peer && traffic.size == 64) {
        row.bar = traffic.pairs == 1 ? 1.1 : 1.5;
    }
    if (!bench.Wants(row.name)) {
        return;
    }
    const Queue queue(kMaxsize);
    Workers workers;
    Start(workers, queue, traffic);
    raw::Crowd crowd(way.name, traffic.pairs, traffic.size, kMaxsize);
    bench.Compare(row, Throughput(crowd, traffic.pairs), Throughput(workers, traffic.pairs));
}

/* The limit is a word that two processes hand to each other, spinning, or asleep in between. */
void RoundTrip(Bench &bench, const std::string &words, int ours, int theirs, bool values = false)
{
    Row row;
    row.name = std::string("queue round trip ") + (values ? "a value, " : "64 B, ") + words;
    row.unit = "us";
    row.limit_is = raw::kWordIs;
    row.value = [](double seconds) { return seconds * 1e6; };
    if (!bench.Wants(row.name)) {
        return;
    }
    const Queue requests(0);
    const Queue answers(0);
    brood_process *echo = nullptr;
    Must(brood_process_start(&echo, values ? EchoValues : Echo,
                             BROOD_ARGS(requests.get(), answers.get(), theirs), nullptr),
         "start");
    {
        Workers workers;
        workers.Add([&](brood_process **process, brood_connection *connection) {
            return brood_process_start(process, Ask,
                                       BROOD_ARGS(requests.get(), answers.get(),
                                                  BROOD_GIVE(connection), ours, brood_bool(values)),
                                       nullptr);
        });
        raw::Words pair(ours, theirs);
        bench.Compare(
            row, [&](uint64_t count) { return Seconds([&] { pair.Run(count); }); },
            [&](uint64_t count) { return Seconds([&] { workers.Run(count); }); });
    }
    (void)brood_process_join(echo, BROOD_FOREVER);
    brood_process_free(echo);
}

/* A burst of 500 MiB that nobody takes at first. */
void Burst(Bench &bench)
{
    const std::string name = "queue burst of 500 MiB";
    if (!bench.Wants(name)) {
        return;
    }
    if (raw::ResidentMiB() < 0) {
        bench.Skip(name, "this system does not say what memory is used");
        return;
    }
    const Queue queue(0);
    std::vector<char> piece(65536, 'x');
    const size_t pieces = (size_t{500} << 20) / piece.size();
    const double before = raw::ResidentMiB();
    std::printf("%-44s before %.1f MiB", name.c_str(), before);
    for (size_t i = 0; i < pieces; i++) {
        Must(brood_queue_put_bytes(queue.get(), piece.data(), piece.size(), BROOD_NOWAIT), "put");
    }
    std::printf(", put %.1f", raw::ResidentMiB());
    for (size_t i = 0; i < pieces; i++) {
        size_t size = piece.size();
        Must(brood_queue_get_bytes_into(queue.get(), piece.data(), &size, BROOD_NOWAIT), "get");
        if (i == pieces / 2) {
            std::printf(", half taken %.1f", raw::ResidentMiB());
        }
    }
    std::printf(", all taken %.1f (%.1f more than before)\n", raw::ResidentMiB(),
                raw::ResidentMiB() - before);
}

} // namespace

void BenchQueue(Bench &bench)
{
    const std::vector<int> cpus = raw::Cpus();
    for (const size_t size : {size_t{64}, size_t{1024}, size_t{1} << 20}) {
        for (const int pairs : {1, 2, 4}) {
            if (size > 65536 && pairs > 1) {
                continue;
            }
            const std::string words = (size == 64     ? "64 B "
                                       : size == 1024 ? "1 KiB "
                                                      : "1 MiB ") +
                                      std::to_string(pairs) + "x" + std::to_string(pairs);
            for (const raw::CrowdWay &way : raw::CrowdWays()) {
                if (size <= way.size_max) {
                    CompareTraffic(bench, {pairs, size, words}, way);
                }
            }
        }
    }
    if (cpus.empty()) {
        RoundTrip(bench, "not pinned", -1, -1);
    } else {
        RoundTrip(bench, "one CPU", cpus[0], cpus[0]);
    }
    if (cpus.size() > 1) {
        RoundTrip(bench, "two CPUs", cpus[0], cpus[1]);
        RoundTrip(bench, "two CPUs", cpus[0], cpus[1], true);
    }
    Burst(bench);
}

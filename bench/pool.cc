/* Pools of two workers. The limit is a pool made of raw parts: as many peers over channels, each given
 * its next task when it has answered; for one task at a time, a word of shared memory that two
 * processes watch. CPython's Pool is measured right before, where there is a python3. */
#include "bench.h"
#include "raw.h"

#include <brood.h>

#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace {

constexpr int kWorkers = 2;
constexpr size_t kTask = 8;     /* bytes of a raw task and of its answer */
constexpr size_t kChunk = 1000; /* raw tasks in one message */
constexpr size_t kMap = 100000; /* inputs of one map */
constexpr size_t kLarge = size_t{1} << 20;

int Square(brood_call *call)
{
    int64_t n = 0;
    const int rc = BROOD_UNPACK(call, &n);
    return rc ? rc : brood_return(call, brood_int(n * n));
}

int Echo(brood_call *call)
{
    return brood_return(call, brood_call_arg(call, 0));
}

/* ---- the raw pool ---- */

class RawPool {
  public:
    explicit RawPool(size_t size) : buffer_(size)
    {
        for (int i = 0; i < kWorkers; i++) {
            peers_.push_back(std::make_unique<raw::Peer>(
                std::vector<std::string>{"echo", std::to_string(size), "-1"}));
        }
    }
    /* Each peer has one message under way; the answers are taken in turns. */
    double Run(uint64_t count)
    {
        return Seconds([&] {
            uint64_t sent = 0;
            for (; sent < peers_.size() && sent < count; sent++) {
                Send(sent);
            }
            for (uint64_t i = 0; i < count; i++) {
                raw::ReadAll(peers_[i % peers_.size()]->channel(), buffer_.data(), buffer_.size());
                if (sent < count) {
                    Send(sent++);
                }
            }
        });
    }

  private:
    void Send(uint64_t i)
    {
        raw::WriteAll(peers_[i % peers_.size()]->channel(), buffer_.data(), buffer_.size());
    }
    std::vector<char> buffer_;
    std::vector<std::unique_ptr<raw::Peer>> peers_;
};

/* ---- brood's ---- */

class BroodPool {
  public:
    BroodPool()
    {
        brood_pool_options options = BROOD_OPTIONS_INIT(pool);
        options.workers = kWorkers;
        Must(brood_pool_new(&pool_, &options), "pool");
        for (size_t i = 0; i < kMap; i++) {
            values_.push_back(brood_uint(i));
        }
        Apply(Square, BROOD_ARGS(1)); /* the workers have begun */
    }
    BroodPool(const BroodPool &) = delete;
    BroodPool &operator=(const BroodPool &) = delete;
    ~BroodPool()
    {
        brood_pool_free(pool_);
    }
    void Apply(brood_function function, const brood_args *args)
    {
        brood_message *message = nullptr;
        Must(brood_pool_apply(pool_, &message, function, args, BROOD_FOREVER, nullptr), "apply");
        brood_message_free(message);
    }
    /* `count` tasks, in maps of kMap at most. */
    void Map(uint64_t count, size_t chunksize)
    {
        brood_task_options options = BROOD_OPTIONS_INIT(task);
        options.chunksize = chunksize;
        while (count > 0) {
            const size_t part = count < kMap ? static_cast<size_t>(count) : kMap;
            const brood_inputs inputs = brood_inputs_array(values_.data(), part);
            brood_message *message = nullptr;
            Must(brood_pool_map(pool_, &message, Square, &inputs, BROOD_FOREVER, &options), "map");
            brood_message_free(message);
            count -= part;
        }
    }
    void Burst(uint64_t count)
    {
        std::vector<brood_result *> results(static_cast<size_t>(count));
        for (brood_result *&result : results) {
            Must(brood_pool_apply_async(pool_, &result, Square, BROOD_ARGS(7), nullptr), "apply");
        }
        for (brood_result *result : results) {
            brood_message *message = nullptr;
            Must(brood_result_get(result, &message, BROOD_FOREVER), "get");
            brood_message_free(message);
            brood_result_free(result);
        }
    }

  private:
    brood_pool *pool_ = nullptr;
    std::vector<brood_value> values_;
};

void NewAndTerminate()
{
    brood_pool_options options = BROOD_OPTIONS_INIT(pool);
    options.workers = kWorkers;
    brood_pool *pool = nullptr;
    Must(brood_pool_new(&pool, &options), "pool");
    brood_pool_free(pool);
}

/* ---- the rows ---- */

class Pools {
  public:
    explicit Pools(Bench &bench) : bench_(bench)
    {
    }
    void Measure(Row row, const Work &limit, const Work &brood)
    {
        if (python_.is_null()) {
            const auto effort = bench_.Effort();
            python_ = nlohmann::json::parse(raw::OutputOf("python3 \"" BROOD_BENCH_POOLS "\" " +
                                                          std::to_string(effort.first) + " " +
                                                          std::to_string(effort.second)),
                                            nullptr, false);
            python_ = python_.is_object() ? python_ : nlohmann::json::object();
        }
        if (python_.contains(row.name)) {
            row.peer_is = python_["python"].get<std::string>();
            row.peer = python_[row.name].get<std::vector<double>>();
        }
        bench_.Compare(row, limit, brood);
    }

  private:
    Bench &bench_;
    nlohmann::json python_;
};

Row RateRow(const char *name, const char *limit_is)
{
    Row row;
    row.name = name;
    row.unit = "k/s";
    row.limit_is = limit_is;
    row.value = [](double seconds) { return 1e-3 / seconds; };
    row.more_is_better = true;
    return row;
}

Row TimeRow(const char *name, const char *limit_is, double bar)
{
    Row row;
    row.name = name;
    row.unit = "us";
    row.limit_is = limit_is;
    row.value = [](double seconds) { return seconds * 1e6; };
    row.bar = bar;
    return row;
}

void Maps(Bench &bench, Pools &pools)
{
    for (const size_t chunksize : {1, 0}) {
        const char *name = chunksize == 1 ? "pool map, chunk 1" : "pool map, default chunk";
        if (bench.Wants(name)) {
            const size_t per = chunksize == 1 ? 1 : kChunk;
            RawPool limit(kTask * per);
            BroodPool pool;
            pools.Measure(
                RateRow(name, chunksize == 1 ? "8 bytes to a peer and back, one under way for each"
                                             : "8 KB to a peer and back, one under way for each"),
                [&](uint64_t count) { return limit.Run((count + per - 1) / per); },
                [&](uint64_t count) { return Seconds([&] { pool.Map(count, chunksize); }); });
        }
    }
}

void Applies(Bench &bench, Pools &pools)
{
    if (bench.Wants("pool apply, one by one")) {
        raw::Words pair(-1, -1); /* they sleep while the pool works */
        BroodPool pool;
        pools.Measure(
            TimeRow("pool apply, one by one", raw::kWordIs, 0),
            [&](uint64_t count) { return Seconds([&] { pair.Run(count); }); },
            [&](uint64_t count) {
                return Seconds([&] {
                    for (uint64_t i = 0; i < count; i++) {
                        pool.Apply(Square, BROOD_ARGS(7));
                    }
                });
            });
    }
    if (bench.Wants("pool apply_async, a burst")) {
        RawPool limit(kTask);
        BroodPool pool;
        pools.Measure(
            RateRow("pool apply_async, a burst", "8 bytes to a peer and back"),
            [&](uint64_t count) { return limit.Run(count); },
            [&](uint64_t count) { return Seconds([&] { pool.Burst(count); }); });
    }
    if (bench.Wants("pool apply, 1 MiB in and out")) {
        RawPool limit(kLarge);
        BroodPool pool;
        const std::vector<char> bytes(kLarge, 'x');
        pools.Measure(
            TimeRow("pool apply, 1 MiB in and out", "1 MiB to a peer and back", 0),
            [&](uint64_t count) { return limit.Run(count); },
            [&](uint64_t count) {
                return Seconds([&] {
                    for (uint64_t i = 0; i < count; i++) {
                        pool.Apply(Echo, BROOD_ARGS(brood_bytes(bytes.data(), bytes.size())));
                    }
                });
            });
    }
}

} // namespace

void BenchPool(Bench &bench)
{
    Pools pools(bench);
    Maps(bench, pools);
    Applies(bench, pools);
    if (bench.Wants("pool new+terminate, 2 workers")) {
        pools.Measure(
            TimeRow("pool new+terminate, 2 workers", "posix_spawn + waitpid, twice", 0),
            [](uint64_t count) {
                return Seconds([&] {
                    for (uint64_t i = 0; i < count * kWorkers; i++) {
                        raw::RunAndWait();
                    }
                });
            },
            [](uint64_t count) {
                return Seconds([&] {
                    for (uint64_t i = 0; i < count; i++) {
                        NewAndTerminate();
                    }
                });
            });
    }
}

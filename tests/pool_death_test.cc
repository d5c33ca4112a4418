/* Pools whose workers die, run for too long, or never get as far as running anything. */
#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/family.h"
#include "support/methods.h"
#include "support/pools.h"
#include "support/process_list.h"
#include "support/values.h"

namespace {

class PoolDeath : public OverMethods {};
INSTANTIATE_TEST_SUITE_P(By, PoolDeath, testing::ValuesIn(StartMethods()), MethodName);

int Leave(brood_call *call)
{
    int code = 0;
    const int rc = BROOD_UNPACK(call, &code);
    if (rc) {
        return rc;
    }
    std::exit(code);
}

int Abort(brood_call *)
{
    std::abort();
}

/* Dies when it comes to `fatal`, else squares. */
int SquareUnless(brood_call *call)
{
    int64_t n = 0, fatal = 0;
    const int rc = BROOD_UNPACK(call, &n, &fatal);
    if (rc) {
        return rc;
    }
    if (n == fatal) {
        KillHard(brood_process_pid(brood_current_process()));
    }
    return brood_return(call, brood_int(n * n));
}

/* Dies the first time that it is called with this file. */
int DieOnce(brood_call *call)
{
    const char *path = nullptr;
    const int rc = BROOD_UNPACK(call, &path);
    if (rc) {
        return rc;
    }
    if (ReadFile(path).empty()) {
        std::FILE *file = std::fopen(path, "w");
        (void)std::fputs("once", file);
        (void)std::fclose(file);
        std::abort();
    }
    return brood_return(call, brood_str("well"));
}

int64_t PidIn(const std::string &file)
{
    EXPECT_TRUE(WaitFor([&] { return ReadFile(file).find('\n') != std::string::npos; }));
    return std::atoll(ReadFile(file).c_str());
}

#if defined(_WIN32)
constexpr int kKilledHard = 99; /* what KillHard says there */
#else
constexpr int kKilledHard = -9;
#endif

/* ---- death ---- */

TEST_P(PoolDeath, AKilledWorkerCostsItsTask)
{
    const std::string file = TemporaryFile("pool-killed");
    const Pool pool = NewPool(1);
    const PoolResult busy = ApplyAsync(pool, StayBusy, BROOD_ARGS(file.c_str()));
    const PoolResult behind = ApplyAsync(pool, Square, BROOD_ARGS(5));
    const int64_t pid = PidIn(file);
    KillHard(pid);
    EXPECT_EQ(BROOD_EWORKER, Get(busy));
    EXPECT_EQ(pid, brood_last_error()->pid);
    EXPECT_EQ(kKilledHard, brood_last_error()->exitcode);
    EXPECT_NE(std::string::npos, LastWords().find("in the middle of a task")) << LastWords();
    EXPECT_NE(std::string::npos, LastWords().find("PoolWorker-")) << LastWords();
    Message message;
    EXPECT_EQ(0, Get(behind, &message)) << LastWords();
    EXPECT_EQ(25, IntIn(message));
    EXPECT_EQ(0, Joined(pool)) << LastWords();
    std::remove(file.c_str());
}

TEST_P(PoolDeath, ExitsAndCrashesCostTheirTask)
{
    const Pool pool = NewPool(2);
    EXPECT_EQ(BROOD_EWORKER, Apply(pool, nullptr, Leave, BROOD_ARGS(3)));
    EXPECT_EQ(3, brood_last_error()->exitcode);
    EXPECT_EQ(BROOD_EWORKER, Apply(pool, nullptr, Leave, BROOD_ARGS(0)));
    EXPECT_EQ(0, brood_last_error()->exitcode);
    EXPECT_EQ(BROOD_EWORKER, Apply(pool, nullptr, Abort));
    EXPECT_NE(0, brood_last_error()->exitcode);
    EXPECT_NE(0, brood_last_error()->pid);
    Message message;
    EXPECT_EQ(0, Apply(pool, &message, Square, BROOD_ARGS(4))) << LastWords();
    EXPECT_EQ(0, Joined(pool)) << LastWords();
}

TEST_P(PoolDeath, TheOthersOfAChunkAreNotLost)
{
    const Pool pool = NewPool(2);
    std::vector<brood_value> rows(2 * 500), inputs;
    for (size_t i = 0; i < 500; i++) {
        rows[2 * i] = brood_uint(i);
        rows[2 * i + 1] = brood_int(250);
    }
    for (size_t i = 0; i < 500; i++) {
        inputs.push_back(brood_tuple(&rows[2 * i], 2));
    }
    brood_task_options options = BROOD_OPTIONS_INIT(task);
    options.chunksize = 100;
    const brood_inputs all = brood_inputs_array(inputs.data(), inputs.size());
    brood_message *raw = nullptr;
    EXPECT_EQ(BROOD_EWORKER,
              brood_pool_starmap(pool.get(), &raw, SquareUnless, &all, kSoon, &options));
    /* The same without the fatal one. */
    for (size_t i = 0; i < 500; i++) {
        rows[2 * i + 1] = brood_int(-1);
    }
    ASSERT_EQ(0, brood_pool_starmap(pool.get(), &raw, SquareUnless, &all, kSoon, &options))
        << LastWords();
    EXPECT_TRUE(IsSquares(Message(raw), 500));
}

TEST_P(PoolDeath, ALostTaskIsTriedAgain)
{
    const std::string file = TemporaryFile("pool-once");
    const Pool pool = NewPool(1);
    brood_task_options options = BROOD_OPTIONS_INIT(task);
    options.retries = 1;
    Message message;
    EXPECT_EQ(0, Apply(pool, &message, DieOnce, BROOD_ARGS(file.c_str()), &options)) << LastWords();
    EXPECT_EQ("'well'", Shown(message));
    std::remove(file.c_str());
    options.retries = 3;
    EXPECT_EQ(BROOD_EWORKER, Apply(pool, nullptr, Abort, nullptr, &options));
}

TEST_P(PoolDeath, NobodyNoticesTheDeathOfAnIdleWorker)
{
    const Pool pool = NewPool(1);
    Message message;
    for (int i = 0; i < 5; i++) {
        ASSERT_EQ(0, Apply(pool, &message, WhoRuns)) << LastWords();
        const int64_t pid = IntIn(message);
        KillHard(pid);
        ASSERT_EQ(0, Apply(pool, &message, WhoRuns, nullptr, nullptr)) << LastWords();
        EXPECT_NE(pid, IntIn(message));
    }
    EXPECT_EQ(0, Joined(pool)) << LastWords();
}

TEST_P(PoolDeath, APoolRecoversWhenAllDieAtOnce)
{
    const Pool pool = NewPool(3);
    Message message;
    for (int i = 0; i < 5; i++) {
        ASSERT_EQ(0, Map(pool, &message, Square, Numbers(100))) << LastWords();
        ASSERT_TRUE(IsSquares(message, 100));
        for (const int64_t pid : Workers()) {
            KillHard(pid);
        }
    }
    ASSERT_EQ(0, Map(pool, &message, Square, Numbers(100))) << LastWords();
    EXPECT_EQ(0, Joined(pool)) << LastWords();
}

/* ---- the torture ---- */

/* Takes long enough to be met in the middle. */
int SquareWithPatience(brood_call *call)
{
    const double until = SecondsNow() + 50e-6;
    while (SecondsNow() < until) {
    }
    return Square(call);
}

/* Kills a random child of this process again and again, as long as tasks get done in between. */
class Killer {
  public:
    explicit Killer(const std::atomic<size_t> &done) : done_(done), thread_([this] { Run(); })
    {
    }
    ~Killer()
    {
        stop_ = true;
        thread_.join();
    }
    std::atomic<int> kills{0};

  private:
    void Run()
    {
        std::mt19937 random(12345);
        size_t seen = 0;
        while (!stop_) {
            for (int i = 0; i < 3 && !stop_; i++) {
                ShortPause();
            }
            const std::vector<int64_t> pids = Workers();
            if (!pids.empty() && done_ != seen) {
                seen = done_;
                KillHard(pids[random() % pids.size()]);
                kills++;
            }
        }
    }
    const std::atomic<size_t> &done_;
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

void CountDone(void *user, uint64_t done, uint64_t)
{
    *static_cast<std::atomic<size_t> *>(user) = static_cast<size_t>(done);
}

TEST_P(PoolDeath, AMapIsCompleteWhateverIsKilled)
{
    const size_t count = static_cast<size_t>(Scaled(100000));
    const Pool pool = NewPool(4);
    std::atomic<size_t> done{0};
    brood_task_options options = BROOD_OPTIONS_INIT(task);
    options.retries = 1000;
    options.chunksize = 1;
    options.on_progress = CountDone;
    options.user = &done;
    {
        Killer killer(done);
        Message message;
        ASSERT_EQ(0, Map(pool, &message, SquareWithPatience, Numbers(count), &options))
            << LastWords();
        ASSERT_TRUE(IsSquares(message, count));
        ASSERT_EQ(count, done);
        std::printf("%d kills\n", killer.kills.load());
    }
    EXPECT_EQ(0, Joined(pool)) << LastWords();
    EXPECT_TRUE(Workers().empty());
}

TEST_P(PoolDeath, ExactlyTheLostOnesSaySo)
{
    const size_t count = static_cast<size_t>(Scaled(100000));
    const Pool pool = NewPool(4);
    std::atomic<size_t> done{0};
    brood_task_options options = BROOD_OPTIONS_INIT(task);
    options.on_progress = CountDone;
    options.user = &done;
    options.window = 256;
    const std::vector<brood_value> values = Numbers(count);
    const brood_inputs inputs = brood_inputs_array(values.data(), values.size());
    brood_results *raw = nullptr;
    ASSERT_EQ(0,
              brood_pool_imap_unordered(pool.get(), &raw, SquareWithPatience, &inputs, &options));
    const PoolResults results(raw);
    std::vector<int> states(count, 0);
    size_t well = 0, lost = 0;
    int kills = 0;
    {
        Killer killer(done);
        for (;;) {
            brood_message *message = nullptr;
            size_t index = count;
            const int rc = brood_results_next(results.get(), &message, &index, kSoon);
            if (rc == BROOD_EEND) {
                break;
            }
            ASSERT_LT(index, count) << LastWords();
            states[index]++;
            ASSERT_TRUE(rc == 0 || rc == BROOD_EWORKER) << LastWords();
            (rc == 0 ? well : lost)++;
            if (rc == 0) {
                ASSERT_EQ(static_cast<int64_t>(index * index), IntIn(Message(message)));
            }
        }
        kills = killer.kills;
    }
    std::printf("%d kills, %zu lost\n", kills, lost);
    EXPECT_EQ(count, well + lost);
    EXPECT_LE(lost, static_cast<size_t>(kills));
    EXPECT_EQ(std::vector<int>(count, 1), states);
    EXPECT_EQ(0, Joined(pool)) << LastWords();
}

/* ---- time limits and cancelling ---- */

int StopWhenAsked(brood_call *call)
{
    const char *path = nullptr;
    const int rc = BROOD_UNPACK(call, &path);
    if (rc) {
        return rc;
    }
    std::FILE *file = std::fopen(path, "w");
    (void)std::fprintf(file, "%lld\n",
                       static_cast<long long>(brood_process_pid(brood_current_process())));
    (void)std::fclose(file);
    while (!brood_call_cancelled(call)) {
        ShortPause();
    }
    return BROOD_ECANCELLED;
}

TEST_P(PoolDeath, ATaskThatRunsForTooLongExpires)
{
    const std::string file = TemporaryFile("pool-late");
    const Pool pool = NewPool(2);
    brood_task_options options = BROOD_OPTIONS_INIT(task);
    options.timeout_ms = 50;
    options.retries = 5; /* it was not lost */
    EXPECT_EQ(BROOD_EEXPIRED, Apply(pool, nullptr, StayBusy, BROOD_ARGS(file.c_str()), &options));
    EXPECT_EQ(PidIn(file), brood_last_error()->pid);
    EXPECT_EQ("the task ran for more than 50 ms", LastWords());
    std::remove(file.c_str());
    EXPECT_EQ(BROOD_EEXPIRED,
              Apply(pool, nullptr, StopWhenAsked, BROOD_ARGS(file.c_str()), &options));
    options.timeout_ms = 20000;
    Message message;
    EXPECT_EQ(0, Apply(pool, &message, Square, BROOD_ARGS(2), &options)) << LastWords();
    EXPECT_EQ(0, Joined(pool)) << LastWords();
    std::remove(file.c_str());
}

TEST_P(PoolDeath, TheTimeLimitCountsFromTheBegin)
{
    const Pool pool = NewPool(1);
    const std::string file = TemporaryFile("pool-first");
    const PoolResult first = ApplyAsync(pool, WaitForFile, BROOD_ARGS(file.c_str()));
    brood_task_options options = BROOD_OPTIONS_INIT(task);
    options.timeout_ms = 10000;
    const PoolResult second = ApplyAsync(pool, Square, BROOD_ARGS(2), &options);
    std::FILE *stream = std::fopen(file.c_str(), "w");
    (void)std::fputs("go", stream);
    (void)std::fclose(stream);
    EXPECT_EQ(0, Get(first)) << LastWords();
    EXPECT_EQ(0, Get(second)) << LastWords();
    std::remove(file.c_str());
}

TEST_P(PoolDeath, OneThatWasAskedStopsAndItsWorkerGoesOn)
{
    const std::string file = TemporaryFile("pool-asked");
    const Pool pool = NewPool(1);
    const PoolResult running = ApplyAsync(pool, StopWhenAsked, BROOD_ARGS(file.c_str()));
    const int64_t pid = PidIn(file);
    EXPECT_EQ(0, brood_result_cancel(running.get()));
    EXPECT_TRUE(brood_result_ready(running.get()));
    EXPECT_EQ(BROOD_ECANCELLED, Get(running));
    Message message;
    ASSERT_EQ(0, Apply(pool, &message, WhoRuns)) << LastWords();
    EXPECT_EQ(pid, IntIn(message));
    EXPECT_EQ(0, brood_result_cancel(running.get())) << "it is over";
    EXPECT_EQ(0, Joined(pool)) << LastWords();
    std::remove(file.c_str());
}

TEST_P(PoolDeath, ACancelledTaskThatIsDeafIsKilled)
{
    const std::string file = TemporaryFile("pool-deaf");
    const Pool pool = NewPool(1);
    const PoolResult running = ApplyAsync(pool, StayBusy, BROOD_ARGS(file.c_str()));
    const PoolResult behind = ApplyAsync(pool, WhoRuns);
    const int64_t pid = PidIn(file);
    EXPECT_EQ(0, brood_result_cancel(running.get()));
    Message message;
    ASSERT_EQ(0, Get(behind, &message)) << LastWords();
    EXPECT_NE(pid, IntIn(message));
    EXPECT_FALSE(IsAlive(pid));
    EXPECT_EQ(0, Joined(pool)) << LastWords();
    std::remove(file.c_str());
}

TEST_P(PoolDeath, WaitingTasksThatAreCancelledNeverRun)
{
    const std::string gate = TemporaryFile("pool-gate"), ran = TemporaryFile("pool-ran");
    const Pool pool = NewPool(1);
    const PoolResult first = ApplyAsync(pool, WaitForFile, BROOD_ARGS(gate.c_str()));
    const PoolResult second = ApplyAsync(pool, DieOnce, BROOD_ARGS(ran.c_str()));
    const PoolResult third = ApplyAsync(pool, Square, BROOD_ARGS(3));
    EXPECT_EQ(0, brood_result_cancel(second.get()));
    EXPECT_EQ(BROOD_ECANCELLED, Get(second));
    std::FILE *stream = std::fopen(gate.c_str(), "w");
    (void)std::fputs("go", stream);
    (void)std::fclose(stream);
    EXPECT_EQ(0, Get(first)) << LastWords();
    EXPECT_EQ(0, Get(third)) << LastWords();
    EXPECT_EQ(0, Joined(pool)) << LastWords();
    EXPECT_EQ("", ReadFile(ran));
    std::remove(gate.c_str());
}

TEST_P(PoolDeath, ALateApplyIsCancelled)
{
    const std::string file = TemporaryFile("pool-apply");
    const Pool pool = NewPool(1);
    EXPECT_EQ(BROOD_ETIMEDOUT,
              Apply(pool, nullptr, StopWhenAsked, BROOD_ARGS(file.c_str()), nullptr, 50));
    Message message;
    EXPECT_EQ(0, Apply(pool, &message, Square, BROOD_ARGS(3))) << LastWords();
    std::remove(file.c_str());
}

/* ---- initializers ---- */

int FailToInitialize(brood_call *call)
{
    return brood_raise(call, 44, "no licence today");
}

int DieInitializing(brood_call *)
{
    std::abort();
}

Pool PoolWith(brood_function initializer)
{
    brood_pool_options options = BROOD_OPTIONS_INIT(pool);
    options.workers = 2;
    options.initializer = initializer;
    return NewPool(options);
}

TEST_P(PoolDeath, AFailingInitializerBreaksThePoolInItsWords)
{
    const Pool pool = PoolWith(FailToInitialize);
    ASSERT_TRUE(pool) << LastWords();
    const PoolResult waiting = ApplyAsync(pool, Square, BROOD_ARGS(2));
    if (waiting) {
        EXPECT_EQ(BROOD_ETASK, Get(waiting));
        EXPECT_EQ(44, brood_last_error()->code);
        EXPECT_EQ("no licence today", LastWords());
    }
    EXPECT_EQ(BROOD_EBROKEN, Apply(pool, nullptr, Square, BROOD_ARGS(2)));
    EXPECT_NE(std::string::npos, LastWords().find("no licence today")) << LastWords();
    EXPECT_EQ(BROOD_EBROKEN, Joined(pool));
}

TEST_P(PoolDeath, AnInitializerThatCrashesBreaksThePool)
{
    const Pool pool = PoolWith(DieInitializing);
    const PoolResult waiting = ApplyAsync(pool, Square, BROOD_ARGS(2));
    ASSERT_TRUE(waiting) << LastWords();
    EXPECT_EQ(BROOD_EWORKER, Get(waiting));
    EXPECT_NE(std::string::npos, LastWords().find("before it was ready")) << LastWords();
    EXPECT_EQ(BROOD_EBROKEN, Joined(pool));
}

/* ---- families ---- */

int ParentWithPool(brood_call *call)
{
    ParentSide side(call);
    const Pool pool = NewPool(3);
    CHILD_CHECK(call, pool);
    std::set<int64_t> pids;
    while (pids.size() < 3) {
        Message message;
        CHILD_CHECK(call, Apply(pool, &message, WhoRuns) == 0);
        for (const int64_t pid : Workers()) {
            pids.insert(pid);
        }
    }
    for (const int64_t pid : pids) {
        side.Tell(pid);
    }
    const std::string file = TemporaryFile("pool-parent");
    const PoolResult busy = ApplyAsync(pool, StayBusy, BROOD_ARGS(file.c_str()));
    return side.Stay();
}

TEST_P(PoolDeath, WorkersEndWithAParentThatIsKilled)
{
    Family family(ParentWithPool, GetParam());
    const std::vector<int64_t> pids = family.Receive(3);
    EXPECT_TRUE(AllAlive(pids));
    family.Kill();
    EXPECT_TRUE(AllGone(pids));
}

int ParentThatForgetsItsPool(brood_call *call)
{
    ParentSide side(call);
    Pool pool = NewPool(2);
    CHILD_CHECK(call, pool);
    Message message;
    CHILD_CHECK(call, Apply(pool, &message, WhoRuns) == 0);
    side.Tell(IntIn(message));
    static brood_pool *forgotten;
    forgotten = pool.release();
    return forgotten != nullptr ? 0 : 1;
}

TEST_P(PoolDeath, ThePoolsOfAProgramEndAtItsExit)
{
    Family family(ParentThatForgetsItsPool, GetParam());
    const std::vector<int64_t> pids = family.Receive(1);
    family.End();
    EXPECT_TRUE(AllGone(pids));
}

} // namespace

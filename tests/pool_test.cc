/* Pools: tasks, results, and how a pool ends. What happens when workers die is in
 * pool_death_test.cc. */
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "support/methods.h"
#include "support/pools.h"
#include "support/process_list.h"
#include "support/values.h"

namespace {

int Power(brood_call *call)
{
    int64_t base = 0, exponent = 2, result = 1;
    const int rc = BROOD_BIND(call, "base", &base, "exponent?", &exponent);
    while (rc == 0 && exponent-- > 0) {
        result *= base;
    }
    return rc ? rc : brood_return(call, brood_int(result));
}

int Divide(brood_call *call)
{
    int a = 0, b = 0;
    const int rc = BROOD_UNPACK(call, &a, &b);
    if (rc) {
        return rc;
    }
    return b == 0 ? brood_raise(call, 33, "division of %d by zero", a)
                  : brood_return(call, brood_int(a / b));
}

int Echo(brood_call *call)
{
    return brood_return(call, brood_call_arg(call, 0));
}

int SizeOf(brood_call *call)
{
    return brood_return(call, brood_uint(brood_as_view(brood_call_arg(call, 0)).size));
}

int MakeBytes(brood_call *call)
{
    size_t size = 0;
    void *data = nullptr;
    int rc = BROOD_UNPACK(call, &size);
    if (rc == 0) {
        rc = brood_return_room(call, &data, size);
    }
    if (rc == 0) {
        std::memset(data, 'x', size);
    }
    return rc;
}

int Nothing(brood_call *)
{
    return 0;
}

int Seven(brood_call *)
{
    return 7;
}

int CallIt(brood_call *call)
{
    brood_function function = nullptr;
    const int rc = BROOD_UNPACK(call, &function);
    return rc ? rc : function(call);
}

int NameOfWorker(brood_call *call)
{
    return brood_return(call, brood_str(brood_process_name(brood_current_process())));
}

int ReturnALock(brood_call *call)
{
    brood_lock *lock = nullptr;
    int rc = brood_lock_new(&lock, nullptr);
    rc = rc ? rc : brood_return(call, brood_of(lock));
    brood_lock_free(lock);
    return rc;
}

class PoolOver : public OverMethods {};
INSTANTIATE_TEST_SUITE_P(By, PoolOver, testing::ValuesIn(StartMethods()), MethodName);

/* ---- apply ---- */

TEST_P(PoolOver, ApplyReturnsTheResult)
{
    const Pool pool = NewPool(2);
    ASSERT_TRUE(pool) << LastWords();
    Message message;
    for (int i = 0; i < 100; i++) {
        ASSERT_EQ(0, Apply(pool, &message, Power, BROOD_ARGS(i))) << LastWords();
        ASSERT_EQ(i * i, IntIn(message));
    }
    ASSERT_EQ(0, Apply(pool, &message, Power, BROOD_ARGS(2, BROOD_NAMED("exponent", 10))))
        << LastWords();
    EXPECT_EQ(1024, IntIn(message));
    ASSERT_EQ(0, Apply(pool, &message, Nothing)) << LastWords();
    EXPECT_EQ("None", Shown(message));
    EXPECT_EQ(0, Joined(pool)) << LastWords();
}

TEST_P(PoolOver, ApplyRunsInAWorker)
{
    const Pool pool = NewPool(1);
    Message message;
    ASSERT_EQ(0, Apply(pool, &message, WhoRuns)) << LastWords();
    const int64_t pid = IntIn(message);
    EXPECT_NE(brood_process_pid(brood_current_process()), pid);
    ASSERT_EQ(0, Apply(pool, &message, WhoRuns)) << LastWords();
    EXPECT_EQ(pid, IntIn(message));
}

TEST_P(PoolOver, FailuresArriveUnchangedWithTheWorkersPid)
{
    const Pool pool = NewPool(1);
    Message message;
    ASSERT_EQ(0, Apply(pool, &message, WhoRuns)) << LastWords();
    const int64_t pid = IntIn(message);
    EXPECT_EQ(BROOD_ETASK, Apply(pool, &message, Divide, BROOD_ARGS(1, 0)));
    EXPECT_EQ(33, brood_last_error()->code);
    EXPECT_EQ(pid, brood_last_error()->pid);
    EXPECT_EQ("division of 1 by zero", LastWords());
    EXPECT_FALSE(message);

    EXPECT_EQ(BROOD_ERANGE, Apply(pool, nullptr, RefuseOdd, BROOD_ARGS(3)));
    EXPECT_EQ("3 is odd", LastWords());
    EXPECT_EQ(pid, brood_last_error()->pid);

    EXPECT_EQ(BROOD_ETASK, Apply(pool, nullptr, Seven));
    EXPECT_EQ(7, brood_last_error()->code);
    EXPECT_EQ(BROOD_EARGS, Apply(pool, nullptr, Divide, BROOD_ARGS(1)));
    EXPECT_EQ(0, Joined(pool)) << LastWords();
}

TEST_P(PoolOver, ValuesOfAllSizesTravel)
{
    const Pool pool = NewPool(2);
    Message message;
    for (const size_t size : {0u, 1u, 100u, 8000u, 8192u, 9000u, 33000u, 70000u, 1u << 20}) {
        const std::string text(size, 'a');
        ASSERT_EQ(0, Apply(pool, &message, Echo, BROOD_ARGS(brood_text(text.data(), size))))
            << size << " " << LastWords();
        EXPECT_TRUE(
            brood_value_equal(brood_message_value(message.get()), brood_text(text.data(), size)))
            << size;
        ASSERT_EQ(0, Apply(pool, &message, SizeOf, BROOD_ARGS(brood_bytes(text.data(), size))));
        EXPECT_EQ(static_cast<int64_t>(size), IntIn(message));
        ASSERT_EQ(0, Apply(pool, &message, MakeBytes, BROOD_ARGS(size))) << LastWords();
        EXPECT_EQ(size, brood_as_view(brood_message_value(message.get())).size);
    }
}

TEST_P(PoolOver, FunctionsTravelAndObjectsDoNot)
{
    const Pool pool = NewPool(1);
    Message message;
    ASSERT_EQ(0, Apply(pool, &message, CallIt, BROOD_ARGS(NameOfWorker))) << LastWords();
    ASSERT_EQ(0, Apply(pool, &message, Echo, BROOD_ARGS(Square))) << LastWords();
    EXPECT_TRUE(
        brood_value_equal(brood_function_value(Square), brood_message_value(message.get())));

    brood_lock *lock = nullptr;
    ASSERT_EQ(0, brood_lock_new(&lock, nullptr));
    EXPECT_EQ(BROOD_ENOTSUP, Apply(pool, nullptr, Echo, BROOD_ARGS(lock)));
    EXPECT_NE(std::string::npos, LastWords().find("a lock")) << LastWords();
    brood_lock_free(lock);
    EXPECT_EQ(BROOD_ETYPE, Apply(pool, nullptr, ReturnALock));
}

TEST_P(PoolOver, WorkersHaveNames)
{
    const Pool pool = NewPool(2);
    Message message;
    ASSERT_EQ(0, Apply(pool, &message, NameOfWorker)) << LastWords();
    EXPECT_EQ(0u, Shown(message).find("'PoolWorker-")) << Shown(message);
}

/* ---- map ---- */

TEST_P(PoolOver, MapKeepsTheOrder)
{
    const Pool pool = NewPool(3);
    Message message;
    for (const size_t count : {0u, 1u, 2u, 7u, 100u, 5000u}) {
        for (const size_t chunksize : {0u, 1u, 3u, 100000u}) {
            brood_task_options options = BROOD_OPTIONS_INIT(task);
            options.chunksize = chunksize;
            ASSERT_EQ(0, Map(pool, &message, Square, Numbers(count), &options)) << LastWords();
            ASSERT_TRUE(IsSquares(message, count)) << count << " by " << chunksize;
        }
    }
    EXPECT_EQ(0, Joined(pool)) << LastWords();
}

TEST_P(PoolOver, MapSaysTheFailureOfTheFirstInput)
{
    const Pool pool = NewPool(2);
    Message message;
    std::vector<brood_value> values = Numbers(100);
    values.erase(values.begin() + 1); /* 0, 2, 3, ... */
    EXPECT_EQ(BROOD_ERANGE, Map(pool, &message, RefuseOdd, values));
    EXPECT_EQ("3 is odd", LastWords());
    EXPECT_FALSE(message);
}

TEST_P(PoolOver, StarmapSpreadsItsInputs)
{
    const Pool pool = NewPool(2);
    brood_message *raw = nullptr;
    ASSERT_EQ(0,
              brood_pool_starmap(pool.get(), &raw, Divide,
                                 BROOD_ITEMS(BROOD_TUPLE(6, 3), BROOD_LIST(10, 2)), kSoon, nullptr))
        << LastWords();
    EXPECT_EQ("[2, 5]", Shown(Message(raw)));
    EXPECT_EQ(BROOD_ETYPE,
              brood_pool_starmap(pool.get(), &raw, Divide, BROOD_ITEMS(6), kSoon, nullptr));
    EXPECT_NE(std::string::npos, LastWords().find("no list or tuple")) << LastWords();
}

TEST_P(PoolOver, InputsAreArraysBytesOrAFunction)
{
    const Pool pool = NewPool(2);
    brood_message *raw = nullptr;
    const char blocks[] = "aaabbbccc";
    const brood_inputs bytes = brood_inputs_bytes(blocks, 3, 3);
    ASSERT_EQ(0, brood_pool_map(pool.get(), &raw, Echo, &bytes, kSoon, nullptr)) << LastWords();
    EXPECT_EQ("[b'aaa', b'bbb', b'ccc']", Shown(Message(raw)));

    Counter counter;
    counter.end = 1000;
    const brood_inputs counted = brood_inputs_next(CountOn, &counter);
    ASSERT_EQ(0, brood_pool_map(pool.get(), &raw, Square, &counted, kSoon, nullptr)) << LastWords();
    EXPECT_TRUE(IsSquares(Message(raw), 1000));

    counter = Counter();
    counter.end = 3;
    counter.failure = BROOD_EPEER;
    EXPECT_EQ(BROOD_EPEER, brood_pool_map(pool.get(), &raw, Square, &counted, kSoon, nullptr));
    EXPECT_EQ(nullptr, raw);
}

/* ---- initializers ---- */

brood_lock *its_lock;
std::string its_word;

int Initialize(brood_call *call)
{
    brood_lock *lock = nullptr;
    const char *word = nullptr;
    const int rc = BROOD_BIND(call, "lock", &lock, "word", &word);
    if (rc == 0) {
        its_lock = brood_lock_ref(lock);
        its_word = word;
    }
    return rc;
}

int UseWhatTheInitializerGot(brood_call *call)
{
    int rc = brood_lock_acquire(its_lock, kSoon);
    rc = rc ? rc : brood_lock_release(its_lock);
    return rc ? rc : brood_return(call, brood_text(its_word.data(), its_word.size()));
}

Pool Initialized(const brood_args *args)
{
    brood_pool_options options = BROOD_OPTIONS_INIT(pool);
    options.workers = 3;
    options.initializer = Initialize;
    options.initargs = args;
    return NewPool(options);
}

TEST_P(PoolOver, InitializersArgumentsCarryObjects)
{
    brood_lock *lock = nullptr;
    ASSERT_EQ(0, brood_lock_new(&lock, nullptr));
    {
        const Pool pool = Initialized(BROOD_ARGS(lock, BROOD_NAMED("word", "hello")));
        ASSERT_TRUE(pool) << LastWords();
        Message message;
        ASSERT_EQ(0, Map(pool, &message, UseWhatTheInitializerGot, {}));
        for (int i = 0; i < 20; i++) {
            ASSERT_EQ(0, Apply(pool, &message, UseWhatTheInitializerGot)) << LastWords();
            EXPECT_EQ("'hello'", Shown(message));
        }
        EXPECT_EQ(0, Joined(pool)) << LastWords();
    }
    brood_lock_free(lock);
}

TEST_P(PoolOver, WorkersAreReplacedAfterSoManyTasks)
{
    brood_pool_options options = BROOD_OPTIONS_INIT(pool);
    options.workers = 2;
    options.max_tasks_per_child = 3;
    const Pool pool = NewPool(options);
    ASSERT_TRUE(pool) << LastWords();
    Message message;
    ASSERT_EQ(0, Map(pool, &message, WhoRuns, Numbers(0))) << LastWords();
    std::multiset<int64_t> pids;
    for (int i = 0; i < 20; i++) {
        ASSERT_EQ(0, Apply(pool, &message, WhoRuns)) << LastWords();
        pids.insert(IntIn(message));
    }
    for (const int64_t pid : pids) {
        EXPECT_LE(pids.count(pid), 3u);
    }
    EXPECT_EQ(0, Joined(pool)) << LastWords();
}

/* ---- the end ---- */

TEST_P(PoolOver, ClosedPoolsFinishAndTakeNoMore)
{
    const Pool pool = NewPool(2);
    std::vector<PoolResult> results;
    for (int i = 0; i < 50; i++) {
        results.push_back(ApplyAsync(pool, Square, BROOD_ARGS(i)));
    }
    EXPECT_EQ(BROOD_EINVAL, brood_pool_join(pool.get(), kSoon));
    brood_pool_close(pool.get());
    EXPECT_EQ(BROOD_ESHUTDOWN, Apply(pool, nullptr, Square, BROOD_ARGS(1)));
    ASSERT_EQ(0, brood_pool_join(pool.get(), kSoon)) << LastWords();
    for (int i = 0; i < 50; i++) {
        Message message;
        ASSERT_EQ(0, Get(results[static_cast<size_t>(i)], &message, BROOD_NOWAIT)) << LastWords();
        EXPECT_EQ(i * i, IntIn(message));
    }
}

TEST_P(PoolOver, TerminateCancelsWhatIsNotOver)
{
    const std::string file = TemporaryFile("pool-busy");
    const Pool pool = NewPool(1);
    const PoolResult busy = ApplyAsync(pool, StayBusy, BROOD_ARGS(file.c_str()));
    const PoolResult waiting = ApplyAsync(pool, Square, BROOD_ARGS(2));
    ASSERT_TRUE(WaitFor([&] { return !ReadFile(file).empty(); }));
    EXPECT_FALSE(brood_result_ready(busy.get()));
    brood_pool_terminate(pool.get());
    EXPECT_EQ(BROOD_ECANCELLED, Get(busy));
    EXPECT_EQ(BROOD_ECANCELLED, Get(waiting));
    EXPECT_EQ("the pool was terminated", LastWords());
    EXPECT_EQ(0, brood_pool_join(pool.get(), kSoon)) << LastWords();
    EXPECT_EQ(BROOD_ESHUTDOWN, Apply(pool, nullptr, Square, BROOD_ARGS(1)));
    std::remove(file.c_str());
}

TEST_P(PoolOver, ResultsOutliveTheirPool)
{
    PoolResult done, cancelled;
    {
        const Pool pool = NewPool(1);
        done = ApplyAsync(pool, Square, BROOD_ARGS(3));
        ASSERT_EQ(0, brood_result_wait(done.get(), kSoon));
        const std::string file = TemporaryFile("pool-never");
        cancelled = ApplyAsync(pool, WaitForFile, BROOD_ARGS(file.c_str()));
    }
    Message message;
    EXPECT_EQ(0, Get(done, &message, BROOD_NOWAIT));
    EXPECT_EQ(9, IntIn(message));
    EXPECT_EQ(0, Get(done, &message, BROOD_NOWAIT)) << "a second time";
    EXPECT_EQ(BROOD_ECANCELLED, Get(cancelled, nullptr, BROOD_NOWAIT));
    EXPECT_NE(nullptr, brood_result_failure(cancelled.get()));
    EXPECT_EQ(nullptr, brood_result_failure(done.get()));
    EXPECT_TRUE(brood_result_successful(done.get()));
    EXPECT_FALSE(brood_result_successful(cancelled.get()));
}

TEST_P(PoolOver, WorkersHavePoolsOfTheirOwn)
{
    const Pool pool = NewPool(2);
    Message message;
    ASSERT_EQ(0, Apply(pool, &message,
                       [](brood_call *call) {
                           const Pool inner = NewPool(2);
                           Message squares;
                           const int rc = inner ? Map(inner, &squares, Square, Numbers(10))
                                                : brood_last_error()->error;
                           return rc ? rc : brood_return(call, brood_message_value(squares.get()));
                       }))
        << LastWords();
    EXPECT_TRUE(IsSquares(message, 10)) << Shown(message);
}

/* ---- what is refused ---- */

TEST(PoolNew, RefusesBadOptions)
{
    brood_pool *pool = nullptr;
    EXPECT_EQ(BROOD_EINVAL, brood_pool_new(nullptr, nullptr));
    brood_pool_options options = BROOD_OPTIONS_INIT(pool);
    options.workers = -1;
    EXPECT_EQ(BROOD_EINVAL, brood_pool_new(&pool, &options));
    options.workers = 5000;
    EXPECT_EQ(BROOD_EINVAL, brood_pool_new(&pool, &options));
    options.workers = 1;
    options.max_tasks_per_child = -1;
    EXPECT_EQ(BROOD_EINVAL, brood_pool_new(&pool, &options));
    options.max_tasks_per_child = 0;
    const brood_value one = brood_int(1);
    const brood_args args = {&one, 1};
    options.initargs = &args;
    EXPECT_EQ(BROOD_EINVAL, brood_pool_new(&pool, &options));
    options.initargs = nullptr;
    options.trace = "/no/such/folder/trace.json";
    EXPECT_NE(0, brood_pool_new(&pool, &options));
    EXPECT_EQ(nullptr, pool);
}

TEST(PoolNew, HasAWorkerForEachProcessor)
{
    const Pool pool = NewPool(0);
    ASSERT_TRUE(pool) << LastWords();
    EXPECT_EQ(brood_cpu_count(), brood_pool_workers(pool.get()));
}

TEST(PoolTasks, RefuseNonsense)
{
    const Pool pool = NewPool(1);
    brood_message *raw = nullptr;
    brood_result *result = nullptr;
    EXPECT_EQ(BROOD_EINVAL, brood_pool_apply(nullptr, &raw, Square, nullptr, kSoon, nullptr));
    EXPECT_EQ(BROOD_EINVAL, brood_pool_apply(pool.get(), &raw, nullptr, nullptr, kSoon, nullptr));
    EXPECT_EQ(BROOD_EINVAL, brood_pool_apply(pool.get(), nullptr, Square, nullptr, kSoon, nullptr));
    EXPECT_EQ(BROOD_EINVAL, brood_pool_apply(pool.get(), &raw, Square, nullptr, -5, nullptr));
    EXPECT_EQ(BROOD_EINVAL, brood_pool_map(pool.get(), &raw, Square, nullptr, kSoon, nullptr));
    brood_task_options options = BROOD_OPTIONS_INIT(task);
    options.timeout_ms = -1;
    EXPECT_EQ(BROOD_EINVAL,
              brood_pool_apply_async(pool.get(), &result, Square, BROOD_ARGS(1), &options));
    options.timeout_ms = 0;
    options.retries = -1;
    EXPECT_EQ(BROOD_EINVAL,
              brood_pool_apply_async(pool.get(), &result, Square, BROOD_ARGS(1), &options));
    EXPECT_EQ(BROOD_EINVAL, brood_result_get(nullptr, &raw, kSoon));
    EXPECT_EQ(BROOD_EINVAL, brood_results_next(nullptr, &raw, nullptr, kSoon));
    brood_pool_free(nullptr);
    brood_result_free(nullptr);
    brood_results_free(nullptr);
}

TEST(PoolTasks, LargerThanTheCapacityAreRefusedOnBothWays)
{
    brood_pool_options options = BROOD_OPTIONS_INIT(pool);
    options.workers = 2;
    options.capacity = 256 * 1024;
    const Pool pool = NewPool(options);
    ASSERT_TRUE(pool) << LastWords();
    const std::string text(300 * 1024, 'x');
    EXPECT_EQ(BROOD_ETOOBIG,
              Apply(pool, nullptr, SizeOf, BROOD_ARGS(brood_bytes(text.data(), text.size()))));
    EXPECT_EQ(BROOD_ENOMEM, Apply(pool, nullptr, MakeBytes, BROOD_ARGS(text.size())));
    /* What fits goes through one after the other, however much of it there is. */
    std::vector<brood_value> values(40, brood_bytes(text.data(), 100 * 1024));
    Message message;
    ASSERT_EQ(0, Map(pool, &message, Echo, values)) << LastWords();
    EXPECT_EQ(40u, brood_value_count(brood_message_value(message.get())));
    ASSERT_EQ(0, Apply(pool, &message, MakeBytes, BROOD_ARGS(200 * 1024))) << LastWords();
}

} // namespace

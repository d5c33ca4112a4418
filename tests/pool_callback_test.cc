/* What pools tell while they work: callbacks, progress, timelines, and what can be waited for. */
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <cstdio>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "support/pools.h"
#include "support/process_list.h"
#include "support/run_program.h"
#include "support/values.h"

namespace {

/* What callbacks said, in their order. */
struct Heard {
    std::mutex mutex;
    std::vector<std::string> words;
    brood_pool *pool = nullptr;
    std::vector<int> codes;

    void Add(const std::string &word)
    {
        const std::lock_guard<std::mutex> guard(mutex);
        words.push_back(word);
    }
};

Heard *In(void *user)
{
    return static_cast<Heard *>(user);
}

void Hear(void *user, brood_value result)
{
    In(user)->Add(Shown(result));
}

void HearFailure(void *user, const brood_failure *failure)
{
    In(user)->Add(std::string("failed: ") + failure->message);
}

int Fail(brood_call *call)
{
    return brood_raise(call, 9, "it is broken");
}

brood_task_options Told(Heard *heard)
{
    brood_task_options options = BROOD_OPTIONS_INIT(task);
    options.callback = Hear;
    options.error_callback = HearFailure;
    options.user = heard;
    return options;
}

TEST(PoolCallback, IsCalledBeforeTheResultIsReady)
{
    const Pool pool = NewPool(2);
    Heard heard;
    const brood_task_options options = Told(&heard);
    for (int i = 0; i < 20; i++) {
        const PoolResult result = ApplyAsync(pool, Square, BROOD_ARGS(i), &options);
        ASSERT_EQ(0, Get(result)) << LastWords();
        ASSERT_EQ(static_cast<size_t>(i + 1), heard.words.size());
        EXPECT_EQ(std::to_string(i * i), heard.words.back());
    }
    EXPECT_EQ(BROOD_ETASK, Get(ApplyAsync(pool, Fail, nullptr, &options)));
    EXPECT_EQ("failed: it is broken", heard.words.back());
}

TEST(PoolCallback, AllAreCalledBeforeJoinReturns)
{
    const Pool pool = NewPool(2);
    Heard heard;
    const brood_task_options options = Told(&heard);
    for (int i = 0; i < 500; i++) {
        ASSERT_EQ(0, brood_pool_apply_async(pool.get(), nullptr, Square, BROOD_ARGS(i), &options));
    }
    ASSERT_EQ(0, Joined(pool)) << LastWords();
    EXPECT_EQ(500u, heard.words.size());
}

TEST(PoolCallback, GetsTheListOfAMap)
{
    const Pool pool = NewPool(2);
    Heard heard;
    const brood_task_options options = Told(&heard);
    ASSERT_EQ(0, brood_pool_map_async(pool.get(), nullptr, Square, BROOD_ITEMS(1, 2, 3), &options));
    ASSERT_EQ(0, brood_pool_map_async(pool.get(), nullptr, Fail, BROOD_ITEMS(1, 2, 3), &options));
    ASSERT_EQ(0, Joined(pool)) << LastWords();
    EXPECT_EQ((std::multiset<std::string>{"[1, 4, 9]", "failed: it is broken"}),
              std::multiset<std::string>(heard.words.begin(), heard.words.end()));
}

TEST(PoolCallback, GetsEachResultOfAnImapWithoutResults)
{
    const Pool pool = NewPool(2);
    Heard heard;
    brood_task_options options = Told(&heard);
    options.window = 3;
    const std::vector<brood_value> values = Numbers(50);
    const brood_inputs inputs = brood_inputs_array(values.data(), values.size());
    ASSERT_EQ(0, brood_pool_imap(pool.get(), nullptr, Square, &inputs, &options)) << LastWords();
    brood_pool_close(pool.get());
    ASSERT_EQ(0, brood_pool_join(pool.get(), kSoon)) << LastWords();
    ASSERT_EQ(50u, heard.words.size());
    for (size_t i = 0; i < 50; i++) {
        EXPECT_EQ(std::to_string(i * i), heard.words[i]);
    }
    brood_results *raw = nullptr;
    EXPECT_EQ(BROOD_EINVAL, brood_pool_imap(pool.get(), &raw, Square, &inputs, &options));
}

void SubmitMore(void *user, brood_value result)
{
    Heard *heard = In(user);
    const int64_t n = brood_as_int(result, -1);
    heard->Add(std::to_string(n));
    if (n > 0 && n < 1000) {
        brood_task_options options = BROOD_OPTIONS_INIT(task);
        options.callback = SubmitMore;
        options.user = user;
        heard->codes.push_back(
            brood_pool_apply_async(heard->pool, nullptr, Square, BROOD_ARGS(n), &options));
    }
    if (n >= 1000) {
        brood_pool_close(heard->pool);
    }
}

TEST(PoolCallback, MaySubmitAndClose)
{
    const Pool pool = NewPool(2);
    Heard heard;
    heard.pool = pool.get();
    brood_task_options options = BROOD_OPTIONS_INIT(task);
    options.callback = SubmitMore;
    options.user = &heard;
    ASSERT_EQ(0, brood_pool_apply_async(pool.get(), nullptr, Square, BROOD_ARGS(2), &options));
    ASSERT_TRUE(WaitFor([&] { return brood_pool_join(pool.get(), BROOD_NOWAIT) == 0; }));
    EXPECT_EQ((std::vector<std::string>{"4", "16", "256", "65536"}), heard.words);
    EXPECT_EQ(std::vector<int>(3, 0), heard.codes);
}

void WaitInside(void *user, brood_value)
{
    Heard *heard = In(user);
    brood_message *message = nullptr;
    brood_result *result = nullptr;
    heard->codes.push_back(
        brood_pool_apply(heard->pool, &message, Square, BROOD_ARGS(1), kSoon, nullptr));
    heard->codes.push_back(
        brood_pool_map(heard->pool, &message, Square, BROOD_ITEMS(1), kSoon, nullptr));
    heard->codes.push_back(
        brood_pool_apply_async(heard->pool, &result, Square, BROOD_ARGS(1), nullptr));
    heard->codes.push_back(brood_result_wait(result, kSoon));
    brood_wait_item item = {brood_of(result), false};
    heard->codes.push_back(brood_wait(&item, 1, kSoon));
    brood_result_free(result);
    brood_pool_close(heard->pool);
    heard->codes.push_back(brood_pool_join(heard->pool, kSoon));
}

TEST(PoolCallback, ThatWouldWaitForItsPoolIsTold)
{
    const Pool pool = NewPool(1);
    Heard heard;
    heard.pool = pool.get();
    brood_task_options options = BROOD_OPTIONS_INIT(task);
    options.callback = WaitInside;
    options.user = &heard;
    ASSERT_EQ(0, Get(ApplyAsync(pool, Square, BROOD_ARGS(2), &options))) << LastWords();
    ASSERT_EQ(6u, heard.codes.size());
    for (const size_t i : {0u, 1u, 4u, 5u}) {
        EXPECT_EQ(BROOD_EDEADLK, heard.codes[i]) << i;
    }
    EXPECT_EQ(0, heard.codes[2]);
    EXPECT_TRUE(heard.codes[3] == BROOD_EDEADLK || heard.codes[3] == 0);
}

void TerminateInside(void *user, brood_value)
{
    In(user)->Add("terminates");
    brood_pool_terminate(In(user)->pool);
}

void FreeInside(void *user, brood_value)
{
    brood_pool_free(In(user)->pool);
    In(user)->Add("freed");
}

TEST(PoolCallback, MayTerminateAndFree)
{
    {
        const Pool pool = NewPool(2);
        Heard heard;
        heard.pool = pool.get();
        brood_task_options options = BROOD_OPTIONS_INIT(task);
        options.callback = TerminateInside;
        options.user = &heard;
        ASSERT_EQ(0, Get(ApplyAsync(pool, Square, BROOD_ARGS(2), &options))) << LastWords();
        EXPECT_EQ(0, brood_pool_join(pool.get(), kSoon)) << LastWords();
        EXPECT_EQ((std::vector<std::string>{"terminates"}), heard.words);
    }
    Heard heard;
    Pool pool = NewPool(2);
    heard.pool = pool.get();
    brood_task_options options = BROOD_OPTIONS_INIT(task);
    options.callback = FreeInside;
    options.user = &heard;
    const PoolResult result = ApplyAsync(pool, Square, BROOD_ARGS(2), &options);
    (void)pool.release();
    EXPECT_EQ(0, Get(result)) << LastWords();
    EXPECT_EQ((std::vector<std::string>{"freed"}), heard.words);
    EXPECT_TRUE(WaitFor([] { return Workers().empty(); }));
}

/* ---- progress ---- */

using Steps = std::vector<std::pair<uint64_t, uint64_t>>;

void Note(void *user, uint64_t done, uint64_t total)
{
    static_cast<Steps *>(user)->push_back({done, total});
}

void ExpectOrderly(const Steps &steps, uint64_t total)
{
    ASSERT_FALSE(steps.empty());
    EXPECT_EQ(0u, steps.front().first);
    EXPECT_EQ(std::make_pair(total, total), steps.back());
    for (size_t i = 1; i < steps.size(); i++) {
        EXPECT_GE(steps[i].first, steps[i - 1].first);
    }
}

TEST(PoolProgress, BeginsAtNothingAndEndsWithAll)
{
    const Pool pool = NewPool(2);
    Steps steps;
    brood_task_options options = BROOD_OPTIONS_INIT(task);
    options.on_progress = Note;
    options.user = &steps;
    Message message;
    ASSERT_EQ(0, Map(pool, &message, Square, Numbers(1000), &options)) << LastWords();
    ExpectOrderly(steps, 1000);

    steps.clear();
    const std::vector<brood_value> values = Numbers(300);
    const brood_inputs inputs = brood_inputs_array(values.data(), values.size());
    brood_results *raw = nullptr;
    ASSERT_EQ(0, brood_pool_imap_unordered(pool.get(), &raw, Fail, &inputs, &options));
    const PoolResults results(raw);
    brood_message *one = nullptr;
    while (brood_results_next(results.get(), &one, nullptr, kSoon) == BROOD_ETASK) {
    }
    EXPECT_EQ(BROOD_EEND, brood_last_error()->error);
    ExpectOrderly(steps, 300);
}

TEST(PoolProgress, TheBarIsSilentWithoutATerminal)
{
    testing::internal::CaptureStderr();
    brood_progress_bar(nullptr, 0, 10);
    brood_progress_bar(nullptr, 5, 10);
    brood_progress_bar(nullptr, 10, 10);
    EXPECT_EQ("", testing::internal::GetCapturedStderr());
}

/* ---- brood_wait ---- */

TEST(PoolWait, ResultsAreWaitedForWithOtherThings)
{
    const std::string gate = TemporaryFile("pool-wait");
    const Pool pool = NewPool(1);
    auto [first, second] = Pipe();
    const PoolResult result = ApplyAsync(pool, WaitForFile, BROOD_ARGS(gate.c_str()));
    const brood_inputs inputs = {};
    brood_results *raw = nullptr;
    ASSERT_EQ(0, brood_pool_imap(pool.get(), &raw, Square, BROOD_ITEMS(7), nullptr));
    const PoolResults results(raw);
    (void)inputs;
    brood_wait_item items[] = {{brood_of(result.get()), false},
                               {brood_of(results.get()), false},
                               {brood_of(first.get()), false}};
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_wait(items, 3, 20));
    ASSERT_EQ(0, brood_send(second.get(), brood_int(1), kSoon));
    ASSERT_EQ(0, brood_wait(items, 3, kSoon)) << LastWords();
    EXPECT_TRUE(items[2].ready);
    EXPECT_FALSE(items[0].ready || items[1].ready);
    items[2].object = brood_none();
    std::FILE *stream = std::fopen(gate.c_str(), "w");
    (void)std::fputs("go", stream);
    (void)std::fclose(stream);
    for (int i = 0; i < 2; i++) {
        ASSERT_EQ(0, brood_wait(items, 3, kSoon)) << LastWords();
        ASSERT_TRUE(items[0].ready || items[1].ready);
        for (brood_wait_item &item : items) {
            if (item.ready) {
                item.object = brood_none();
            }
        }
        if (items[0].object.kind == BROOD_NONE && items[1].object.kind == BROOD_NONE) {
            break;
        }
    }
    EXPECT_EQ(0, Get(result, nullptr, BROOD_NOWAIT)) << LastWords();
    brood_message *message = nullptr;
    EXPECT_EQ(0, brood_results_next(results.get(), &message, nullptr, BROOD_NOWAIT));
    EXPECT_EQ(49, IntIn(Message(message)));
    std::remove(gate.c_str());
}

TEST(PoolWait, ResultsAreNotSent)
{
    const Pool pool = NewPool(1);
    auto [first, second] = Pipe();
    const PoolResult result = ApplyAsync(pool, Square, BROOD_ARGS(1));
    EXPECT_EQ(BROOD_EINVAL, brood_send(first.get(), brood_of(result.get()), kSoon));
    EXPECT_EQ(0, Get(result));
}

/* ---- timelines ---- */

TEST(PoolTrace, HasARowForEachWorkerAndASliceForEachTask)
{
    const std::string path = TemporaryFile("pool-trace.json");
    brood_pool_options options = BROOD_OPTIONS_INIT(pool);
    options.workers = 2;
    options.trace = path.c_str();
    std::set<int64_t> pids;
    int64_t killed = 0;
    {
        const Pool pool = NewPool(options);
        ASSERT_TRUE(pool) << LastWords();
        Message message;
        ASSERT_EQ(0, Map(pool, &message, WhoRuns, Numbers(50))) << LastWords();
        for (size_t i = 0; i < 50; i++) {
            pids.insert(brood_as_int(brood_value_at(brood_message_value(message.get()), i), -1));
        }
        EXPECT_EQ(BROOD_ETASK, Apply(pool, nullptr, Fail));
        const std::string file = TemporaryFile("pool-trace-busy");
        const PoolResult busy = ApplyAsync(pool, StayBusy, BROOD_ARGS(file.c_str()));
        ASSERT_TRUE(WaitFor([&] { return ReadFile(file).find('\n') != std::string::npos; }));
        killed = std::atoll(ReadFile(file).c_str());
        KillHard(killed);
        EXPECT_EQ(BROOD_EWORKER, Get(busy));
        EXPECT_EQ(0, Joined(pool)) << LastWords();
        std::remove(file.c_str());
    }
    const nlohmann::json events = nlohmann::json::parse(ReadFile(path));
    std::map<std::string, int> kinds;
    std::set<int64_t> rows;
    int maps = 0, deaths = 0, lost = 0;
    for (const auto &event : events) {
        const std::string phase = event.at("ph");
        kinds[phase]++;
        if (phase == "M") {
            EXPECT_EQ("thread_name", event.at("name"));
            rows.insert(event.at("tid").get<int64_t>());
        } else {
            EXPECT_TRUE(event.at("ts").is_number());
            EXPECT_EQ(1u, rows.count(event.at("tid").get<int64_t>()));
        }
        const std::string name = event.at("name");
        maps += name.rfind("map ", 0) == 0;
        if (event.value("cat", "") == "death") {
            deaths++;
            EXPECT_EQ(killed, event.at("tid").get<int64_t>());
        }
        if (event.value("cat", "") == "lost") {
            lost++;
            EXPECT_GT(event.at("dur").get<double>(), 0);
        }
    }
    EXPECT_EQ(50, maps);
    EXPECT_EQ(1, deaths);
    EXPECT_EQ(1, lost);
    for (const int64_t pid : pids) {
        EXPECT_EQ(1u, rows.count(pid));
    }
    std::remove(path.c_str());
}

/* The environment names one file for all pools of a program, which is complete when that ends. */
TEST(PoolTrace, IsKeptOfAllPoolsWhereTheEnvironmentSaysSo)
{
    const std::string path = TemporaryFile("pool-trace-all.json");
    ProgramRun run;
    run.arguments = {BROOD_PROGRAM_PATH, "pools"};
    SetEnvironment("BROOD_TRACE", path);
    const ProgramResult result = RunProgram(run);
    SetEnvironment("BROOD_TRACE", "");
    EXPECT_EQ(0, result.status) << result.out << result.err;
    const nlohmann::json events = nlohmann::json::parse(ReadFile(path));
    std::set<int64_t> rows;
    int tasks = 0;
    for (const auto &event : events) {
        if (event.at("ph") == "M") {
            rows.insert(event.at("tid").get<int64_t>());
        } else {
            EXPECT_EQ("X", event.at("ph")) << "workers are not said to die with their pool";
            tasks++;
        }
    }
    EXPECT_EQ(4u, rows.size());
    EXPECT_EQ(2, tasks);
    std::remove(path.c_str());
}

} // namespace

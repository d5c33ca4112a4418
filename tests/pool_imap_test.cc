/* imap: results one by one, and inputs only as far ahead as its window says. */
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "support/methods.h"
#include "support/pools.h"

namespace {

class PoolImap : public OverMethods {};
INSTANTIATE_TEST_SUITE_P(By, PoolImap, testing::ValuesIn(StartMethods()), MethodName);

PoolResults Imap(const Pool &pool, brood_function function, const brood_inputs &inputs,
                 bool ordered, const brood_task_options *options = nullptr)
{
    brood_results *raw = nullptr;
    const int rc = ordered
                       ? brood_pool_imap(pool.get(), &raw, function, &inputs, options)
                       : brood_pool_imap_unordered(pool.get(), &raw, function, &inputs, options);
    return PoolResults(rc == 0 ? raw : nullptr);
}

TEST_P(PoolImap, GivesResultsInOrder)
{
    const Pool pool = NewPool(3);
    Counter counter;
    counter.end = 2000;
    const PoolResults results = Imap(pool, Square, brood_inputs_next(CountOn, &counter), true);
    ASSERT_TRUE(results) << LastWords();
    for (size_t i = 0; i < 2000; i++) {
        brood_message *raw = nullptr;
        size_t index = 0;
        ASSERT_EQ(0, brood_results_next(results.get(), &raw, &index, kSoon)) << LastWords();
        ASSERT_EQ(i, index);
        ASSERT_EQ(static_cast<int64_t>(i * i), IntIn(Message(raw)));
    }
    brood_message *raw = nullptr;
    EXPECT_EQ(BROOD_EEND, brood_results_next(results.get(), &raw, nullptr, kSoon));
    EXPECT_EQ(BROOD_EEND, brood_results_next(results.get(), &raw, nullptr, kSoon));
}

TEST_P(PoolImap, UnorderedGivesEachResultOnce)
{
    const Pool pool = NewPool(3);
    const std::vector<brood_value> values = Numbers(1000);
    const PoolResults results =
        Imap(pool, Square, brood_inputs_array(values.data(), values.size()), false);
    std::set<size_t> seen;
    for (;;) {
        brood_message *raw = nullptr;
        size_t index = 0;
        const int rc = brood_results_next(results.get(), &raw, &index, kSoon);
        if (rc == BROOD_EEND) {
            break;
        }
        ASSERT_EQ(0, rc) << LastWords();
        EXPECT_EQ(static_cast<int64_t>(index * index), IntIn(Message(raw)));
        EXPECT_TRUE(seen.insert(index).second);
    }
    EXPECT_EQ(1000u, seen.size());
}

TEST_P(PoolImap, ReadsNoFurtherAheadThanItsWindow)
{
    const Pool pool = NewPool(2);
    brood_task_options options = BROOD_OPTIONS_INIT(task);
    options.window = 5;
    Counter counter;
    counter.end = 100;
    const PoolResults results =
        Imap(pool, Square, brood_inputs_next(CountOn, &counter), true, &options);
    EXPECT_EQ(5, counter.next);
    for (int i = 0; i < 100; i++) {
        brood_message *raw = nullptr;
        ASSERT_EQ(0, brood_results_next(results.get(), &raw, nullptr, kSoon)) << LastWords();
        brood_message_free(raw);
        counter.taken++;
    }
    EXPECT_EQ(100, counter.next);
    EXPECT_LE(counter.most_ahead, 5);
}

TEST_P(PoolImap, SaysWhatFailedAndGoesOn)
{
    const Pool pool = NewPool(2);
    Counter counter;
    counter.end = 3;
    counter.failure = BROOD_EACCES;
    const PoolResults results = Imap(pool, RefuseOdd, brood_inputs_next(CountOn, &counter), true);
    brood_message *raw = nullptr;
    size_t index = 9;
    EXPECT_EQ(0, brood_results_next(results.get(), &raw, &index, kSoon));
    brood_message_free(raw);
    EXPECT_EQ(BROOD_ERANGE, brood_results_next(results.get(), &raw, &index, kSoon));
    EXPECT_EQ(1u, index);
    EXPECT_EQ("1 is odd", LastWords());
    EXPECT_EQ(0, brood_results_next(results.get(), &raw, &index, kSoon));
    brood_message_free(raw);
    EXPECT_EQ(BROOD_EACCES, brood_results_next(results.get(), &raw, &index, kSoon));
    EXPECT_EQ(3u, index);
    EXPECT_EQ(BROOD_EEND, brood_results_next(results.get(), &raw, &index, kSoon));
}

TEST_P(PoolImap, JoinReadsWhatImapHasNotRead)
{
    const Pool pool = NewPool(2);
    brood_task_options options = BROOD_OPTIONS_INIT(task);
    options.window = 2;
    Counter counter;
    counter.end = 50;
    const PoolResults results =
        Imap(pool, Square, brood_inputs_next(CountOn, &counter), false, &options);
    ASSERT_EQ(0, Joined(pool)) << LastWords();
    EXPECT_EQ(50, counter.next);
    int count = 0;
    brood_message *raw = nullptr;
    while (brood_results_next(results.get(), &raw, nullptr, kSoon) == 0) {
        brood_message_free(raw);
        count++;
    }
    EXPECT_EQ(50, count);
}

} // namespace

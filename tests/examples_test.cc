/* The examples print what their text says. */
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "support/methods.h"
#include "support/run_program.h"

namespace {

/* Runs an example, which has to end well, and returns what it printed, line by line. */
std::vector<std::string> Printed(const std::string &example,
                                 const std::vector<std::string> &arguments = {})
{
    ProgramRun run;
    run.arguments = arguments;
    run.arguments.insert(run.arguments.begin(),
                         std::string(BROOD_EXAMPLES_PATH "/") + example + BROOD_EXAMPLES_SUFFIX);
    const ProgramResult result = RunProgram(run);
    EXPECT_TRUE(result.ended);
    EXPECT_EQ(0, result.status) << result.err;
    EXPECT_EQ("", result.err);
    std::istringstream text(result.out);
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) {
        line.erase(std::remove(line.begin(), line.end(), '\r'), line.end());
        lines.push_back(line);
    }
    return lines;
}

using Lines = std::vector<std::string>;

bool Has(const std::string &method)
{
    const std::vector<std::string> all = StartMethods();
    return std::find(all.begin(), all.end(), method) != all.end();
}

TEST(Example, SumAddsUp)
{
    EXPECT_EQ((Lines{"4950"}), Printed("sum"));
}

TEST(Example, PipeCarriesAValue)
{
    EXPECT_EQ((Lines{"[42, None, 'hello']"}), Printed("pipe"));
}

TEST(Example, QueueKeepsWhatAnEndedChildHasPut)
{
    EXPECT_EQ((Lines{"the child has ended, 4 messages are here", "0 squared is 0", "1 squared is 1",
                     "2 squared is 4", "3 squared is 9"}),
              Printed("queue"));
}

TEST(Example, PipelineLosesOnlyWhatTheKilledOneHad)
{
    const Lines lines = Printed("pipeline");
    ASSERT_EQ(2u, lines.size());
    EXPECT_EQ(0u, lines[0].find("lost with the process that was killed: 1 number, squared "));
    EXPECT_EQ("999 of 1000 numbers arrived, and the sum is right", lines[1]);
}

TEST(Example, AccountPaysOneOfThreeInEveryRun)
{
    for (int run = 0; run < 5; run++) {
        Lines lines = Printed("account");
        ASSERT_EQ(3u, lines.size());
        Lines ends;
        for (const std::string &line : lines) {
            ends.push_back(line.substr(line.find(' ') + 1));
        }
        std::sort(ends.begin(), ends.end());
        EXPECT_EQ((Lines{"refused, balance 100", "refused, balance 100", "success, balance 100"}),
                  ends);
        std::sort(lines.begin(), lines.end());
        EXPECT_EQ("AdaBobCyd",
                  lines[0].substr(0, 3) + lines[1].substr(0, 3) + lines[2].substr(0, 3));
    }
}

TEST(Example, ProcessCountsInBothChildren)
{
    Lines lines = Printed("process");
    ASSERT_EQ(9u, lines.size());
    EXPECT_EQ("second ended with exit code 0", lines.back());
    lines.pop_back();
    std::stable_partition(lines.begin(), lines.end(),
                          [](const std::string &line) { return line[0] == 'P'; });
    EXPECT_EQ((Lines{"Process-1: 1", "Process-1: 2", "Process-1: 3", "second: 1", "second: 2",
                     "second: 3", "second: 4", "second: 5"}),
              lines);
}

TEST(Example, ProcessClassGreets)
{
    EXPECT_EQ(Lines(3, "Greeter-1 greets world"), Printed("process_class"));
}

TEST(Example, ForkGoesOnInBoth)
{
    const Lines lines = Printed("fork");
    if (!Has(BROOD_FORK)) {
        EXPECT_EQ((Lines{"Windows has no fork"}), lines);
        return;
    }
    ASSERT_EQ(2u, lines.size());
    const std::string pid = lines[0].substr(lines[0].rfind(' ') + 1);
    EXPECT_EQ("the parent made " + pid, lines[0]);
    EXPECT_EQ(0u, lines[1].find("the child is " + pid + ", its parent ")) << lines[1];
}

TEST(Example, StartMethodsListsAllAndUsesTheOneItIsTold)
{
    for (const std::string method : {BROOD_SPAWN, BROOD_FORK, BROOD_FORKSERVER}) {
        Lines expected;
        for (const std::string &there : StartMethods()) {
            expected.push_back("this system has " + there);
        }
        expected.push_back(Has(method) ? method + " says hello"
                                       : "this system does not have the start method " + method);
        EXPECT_EQ(expected, Printed("start_methods", {method}));
    }
}

TEST(Example, ContextShowsAllStartMethods)
{
    Lines expected;
    for (const std::string method : {BROOD_SPAWN, BROOD_FORK, BROOD_FORKSERVER}) {
        expected.push_back(Has(method) ? "hello by " + method
                                       : "this system does not have the start method " + method);
    }
    EXPECT_EQ(expected, Printed("context"));
}

TEST(Example, PoolApplyCallsBackWithEachPower)
{
    Lines lines = Printed("pool_apply");
    std::sort(lines.begin(), lines.end());
    EXPECT_EQ((Lines{"power: 0", "power: 1", "power: 27", "power: 64", "power: 8"}), lines);
}

TEST(Example, PoolMapKeepsTheOrder)
{
    EXPECT_EQ((Lines{"499500", "1999000", "4498500"}), Printed("pool_map"));
}

TEST(Example, PoolErrorArrivesInItsWords)
{
    const Lines lines = Printed("pool_error");
    ASSERT_EQ(1u, lines.size());
    EXPECT_EQ(0u, lines[0].find("code 33 in process ")) << lines[0];
    EXPECT_NE(std::string::npos, lines[0].find(": division of 1 by zero")) << lines[0];
}

} // namespace

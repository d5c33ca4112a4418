/* What happens to children when the program ends (tests/support/program.c). */
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "support/methods.h"
#include "support/process_list.h"
#include "support/run_program.h"

namespace {

class Exit : public testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(By, Exit, testing::ValuesIn(StartMethods()), MethodName);

ProgramResult EndWith(const std::string &what, const std::string &how,
                      const std::string &input_after = "")
{
    ProgramRun run;
    run.arguments = {BROOD_PROGRAM_PATH, "end", what, how, Exit::GetParam()};
    run.input_after = input_after;
    ProgramResult result = RunProgram(run);
    result.out.erase(std::remove(result.out.begin(), result.out.end(), '\r'), result.out.end());
    return result;
}

int64_t ChildOf(const ProgramResult &result)
{
    const std::string before = "child is ";
    const size_t at = result.out.find(before);
    return at == std::string::npos ? 0 : std::stoll(result.out.substr(at + before.size()));
}

bool IsGone(int64_t pid)
{
    return WaitFor([pid] { return !IsAlive(pid); });
}

TEST_P(Exit, TerminatesDaemonicChildren)
{
    for (const char *how : {"return", "exit"}) {
        const ProgramResult result = EndWith("daemon", how);
        EXPECT_TRUE(result.ended);
        EXPECT_EQ(0, result.status) << result.err;
        ASSERT_NE(0, ChildOf(result)) << result.out;
        EXPECT_FALSE(IsAlive(ChildOf(result))) << "it was waited for, too";
        EXPECT_EQ("", result.err);
    }
}

TEST_P(Exit, SaysForWhomItWaits)
{
    const ProgramResult result = EndWith("reader", "return", "brood: waiting for ");
    EXPECT_TRUE(result.ended);
    EXPECT_EQ(0, result.status) << result.err;
    EXPECT_NE(std::string::npos, result.out.find("child has read")) << result.out;
    EXPECT_NE(std::string::npos, result.err.find("brood: waiting for Process-1 (pid " +
                                                 std::to_string(ChildOf(result)) + ") to end"))
        << result.err;
}

TEST_P(Exit, LeavesAloneWhatOutlivesTheProgram)
{
    for (const char *how : {"return", "exit", "_exit", "abort"}) {
        const ProgramResult result = EndWith("outlive", how);
        EXPECT_TRUE(result.ended) << how;
        EXPECT_EQ(std::string(how) == "abort", result.status != 0) << result.status;
        EXPECT_NE(std::string::npos, result.out.find("child saw MainProcess end\n"))
            << how << ": " << result.out << result.err;
        EXPECT_TRUE(IsGone(ChildOf(result)));
    }
}

TEST_P(Exit, OfAnyOtherKindEndsAllChildren)
{
    for (const char *how : {"_exit", "abort"}) {
        const ProgramResult result = EndWith("busy", how);
        EXPECT_TRUE(result.ended) << how;
        ASSERT_NE(0, ChildOf(result)) << result.out;
        EXPECT_TRUE(IsGone(ChildOf(result))) << how;
    }
}

} // namespace

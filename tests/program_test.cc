/* Whole programs: what one does around brood_init (tests/support/program.c). */
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "support/process_list.h"
#include "support/run_program.h"

namespace fs = std::filesystem;

namespace {

ProgramResult RunMode(const std::vector<std::string> &arguments,
                      const std::string &path = BROOD_PROGRAM_PATH)
{
    ProgramRun run;
    run.arguments = arguments;
    run.arguments.insert(run.arguments.begin(), path);
    ProgramResult result = RunProgram(run);
    for (std::string *text : {&result.out, &result.err}) { /* Windows ends lines with both */
        text->erase(std::remove(text->begin(), text->end(), '\r'), text->end());
    }
    return result;
}

TEST(Init, MissingIsSaidInTheParentAndStartsNothing)
{
    const ProgramResult result = RunMode({"no-init"});
    EXPECT_TRUE(result.ended);
    EXPECT_EQ(1, result.status);
    EXPECT_EQ("", result.out);
    EXPECT_EQ(
        "run: brood_init(argc, argv); is missing: it is the first statement of main; a plug-in "
        "calls brood_set_executable\n",
        result.err);
}

TEST(Init, IsNeededToForkToo)
{
    const ProgramResult result = RunMode({"no-init-fork"});
    EXPECT_EQ(1, result.status);
    EXPECT_EQ(0u, result.err.find("fork: brood_init(argc, argv); is missing")) << result.err;
}

TEST(ForkedProgram, PrintsWhatIsBufferedAndRunsExitHandlersOnce)
{
#if defined(_WIN32)
    GTEST_SKIP() << "Windows has no fork";
#endif
    const ProgramResult result = RunMode({"forked"});
    EXPECT_EQ(0, result.status) << result.err;
    EXPECT_EQ("before;child says hello\nexit handler;", result.out);
}

TEST(Init, LetsChildrenRunAndPrint)
{
    const ProgramResult result = RunMode({"run"});
    EXPECT_EQ(0, result.status) << result.err;
    EXPECT_EQ("child says hello\n", result.out);
    EXPECT_EQ("", result.err);
}

TEST(Init, FindsTheCommandLineItselfWhenItIsGivenNone)
{
    const ProgramResult result = RunMode({"run", "null"});
    EXPECT_EQ(0, result.status) << result.err;
    EXPECT_EQ("child says hello\n", result.out);
}

TEST(Init, WaitsForChildrenThatStillRunAtTheEnd)
{
    const ProgramResult result = RunMode({"leave"});
    EXPECT_TRUE(result.ended);
    EXPECT_EQ(0, result.status) << result.err;
    EXPECT_NE(std::string::npos, result.out.find("main is over\n")) << result.out;
    EXPECT_NE(std::string::npos, result.out.find("child says late\n")) << result.out;
}

TEST(Output, ThatTheParentKeepsBackIsNotTheChildsToo)
{
    const ProgramResult result = RunMode({"buffered"});
    EXPECT_EQ(0, result.status) << result.err;
    const size_t first = result.out.find("written once\n");
    EXPECT_NE(std::string::npos, first) << result.out;
    EXPECT_EQ(std::string::npos, result.out.find("written once\n", first + 1)) << result.out;
}

TEST(Log, IsChosenByTheEnvironmentAndPassedOn)
{
    SetEnvironment("BROOD_LOG", "info");
    const ProgramResult result = RunMode({"run"});
    SetEnvironment("BROOD_LOG", "");
    EXPECT_EQ(0, result.status);
    EXPECT_NE(std::string::npos, result.err.find("[info/MainProcess] started Process-1 (pid "))
        << result.err;
    EXPECT_NE(std::string::npos, result.err.find("[info/Process-1] runs its function"))
        << result.err;
    EXPECT_NE(std::string::npos, result.err.find("ended with exit code 0")) << result.err;
}

TEST(Executable, MayBeReplacedWhileTheProgramRuns)
{
#if defined(_WIN32)
    GTEST_SKIP() << "Windows does not let a running program's file be removed";
#endif
    const std::string copy = TemporaryFile("program");
    fs::copy_file(BROOD_PROGRAM_PATH, copy);
    const ProgramResult result = RunMode({"replaced"}, copy);
    fs::remove(copy);
    EXPECT_EQ(0, result.status) << result.err;
    EXPECT_EQ("child says hello\nchild says hello\n", result.out);
}

TEST(Executable, MayBeMovedWhileTheProgramRuns)
{
#if defined(_WIN32)
    GTEST_SKIP() << "what moves it here is for Unix";
#endif
    const std::string copy = TemporaryFile("program");
    fs::copy_file(BROOD_PROGRAM_PATH, copy);
    const ProgramResult result = RunMode({"moved"}, copy);
    fs::remove(copy + ".moved");
    EXPECT_EQ(0, result.status) << result.err;
    EXPECT_EQ("child says hello\nchild says hello\n", result.out);
}

} // namespace

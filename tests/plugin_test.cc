/* Programs that know nothing of brood and load a plug-in that uses it (tests/plugin). */
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "fault.h"
#include "support/fault.h"
#include "support/objects.h"
#include "support/process_list.h"
#include "support/run_program.h"

namespace fs = std::filesystem;

namespace {

constexpr char kPython[] = "Python";

/* Runs a mode of tests/plugin/host.c or host.py. */
ProgramResult RunHost(const std::string &host, const std::vector<std::string> &arguments,
                      const std::string &plugin = BROOD_PLUGIN)
{
    ProgramRun run;
    if (host == kPython) {
        run.arguments = {BROOD_PYTHON, BROOD_PLUGIN_SCRIPT};
    } else {
        run.arguments = {BROOD_PLUGIN_HOST};
    }
    run.arguments.push_back(plugin);
    run.arguments.insert(run.arguments.end(), arguments.begin(), arguments.end());
    ProgramResult result = RunProgram(run);
    result.out.erase(std::remove(result.out.begin(), result.out.end(), '\r'), result.out.end());
    return result;
}

bool Has(const std::string &text, const std::string &part)
{
    return text.find(part) != std::string::npos;
}

class Plugin : public testing::TestWithParam<std::string> {
  protected:
    void SetUp() override
    {
        if (GetParam() != kPython) {
            return;
        }
        if (std::string(BROOD_PYTHON).empty()) {
            GTEST_SKIP() << "there is no python3 here that can load this system's libraries";
        }
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
        GTEST_SKIP() << "a sanitizer's library cannot be loaded into a program built without it";
#endif
    }
};

TEST_P(Plugin, RunsItsFunctionsInChildren)
{
    const ProgramResult result = RunHost(GetParam(), {"sum", BROOD_PLUGIN_CHILD});
    EXPECT_EQ(0, result.status) << result.out << result.err;
    EXPECT_EQ("499500\n", result.out);
    EXPECT_EQ("", result.err);
}

TEST_P(Plugin, HasPoolsOfWorkers)
{
    const ProgramResult result = RunHost(GetParam(), {"map", BROOD_PLUGIN_CHILD});
    EXPECT_EQ(0, result.status) << result.out << result.err;
    EXPECT_EQ("1000000\n", result.out);
    EXPECT_EQ("", result.err);
}

TEST_P(Plugin, WithoutAnExecutableIsToldWhatIsMissing)
{
    const ProgramResult result = RunHost(GetParam(), {"none"});
    EXPECT_EQ(1, result.status);
    EXPECT_EQ("brood_init(argc, argv); is missing: it is the first statement of main; a plug-in "
              "calls brood_set_executable\n",
              result.out);
    EXPECT_EQ(result.out, RunHost(GetParam(), {"reset", BROOD_PLUGIN_CHILD}).out);
}

TEST_P(Plugin, MayUseAnyProgramThatCallsBroodInit)
{
    const ProgramResult result = RunHost(GetParam(), {"sum", BROOD_PROGRAM_PATH});
    EXPECT_EQ(1, result.status);
    EXPECT_TRUE(Has(result.out, "both processes have to use one build of the shared library"))
        << "it has another copy of brood: " << result.out;
}

TEST_P(Plugin, WithACopyOfItsOwnIsRefused)
{
    const ProgramResult result =
        RunHost(GetParam(), {"sum", BROOD_PLUGIN_CHILD}, BROOD_PLUGIN_STATIC);
    EXPECT_EQ(1, result.status);
    EXPECT_TRUE(Has(result.out, "both processes have to use one build of the shared library"))
        << result.out << result.err;
}

TEST_P(Plugin, WithACopyOfItsOwnMayBeUnloaded)
{
    const std::string path = TemporaryFile("never");
    const ProgramResult result =
        RunHost(GetParam(), {"leave", BROOD_PLUGIN_CHILD, path}, BROOD_PLUGIN_STATIC);
    EXPECT_EQ(0, result.status) << "it was left by a crash: " << result.out << result.err;
    EXPECT_EQ("", ReadFile(path));
}

TEST_P(Plugin, TakesItsChildrenAlongWhenItsHostIsKilled)
{
    const ProgramResult result = RunHost(GetParam(), {"kill", BROOD_PLUGIN_CHILD});
    const int64_t child = std::atoll(result.out.c_str());
    EXPECT_TRUE(result.ended) << "the child kept the output open";
    ASSERT_LT(0, child) << result.out << result.err;
    EXPECT_TRUE(WaitFor([child] { return !IsAlive(child); }));
}

TEST_P(Plugin, HasItsChildrenWaitedForAtTheHostsExit)
{
    const std::string path = TemporaryFile("late");
    const ProgramResult result = RunHost(GetParam(), {"leave", BROOD_PLUGIN_CHILD, path});
    EXPECT_TRUE(result.ended);
    EXPECT_EQ(0, result.status) << result.out << result.err;
#if defined(_WIN32)
    EXPECT_EQ("", ReadFile(path)) << "a DLL's children end with the program";
#else
    EXPECT_EQ("late\n", ReadFile(path));
#endif
    fs::remove(path);
}

INSTANTIATE_TEST_SUITE_P(Of, Plugin, testing::Values("C", kPython),
                         [](const auto &given) { return given.param; });

TEST(PluginHost, CannotHaveFunctionsOfItsOwnRun)
{
    const ProgramResult result = RunHost("C", {"own", BROOD_PLUGIN_CHILD});
    EXPECT_EQ(1, result.status);
    EXPECT_TRUE(Has(result.out, "the function is in the program ")) << result.out;
    EXPECT_TRUE(Has(result.out, "plugin_host")) << result.out;
    EXPECT_TRUE(Has(result.out, "plugin_child")) << result.out;
}

TEST(PluginHost, CannotHaveFunctionsRunThatWereMadeMeanwhile)
{
    if (std::string(BROOD_PYTHON).empty()) {
        GTEST_SKIP() << "there is no python3 here that can load this system's libraries";
    }
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a sanitizer's library cannot be loaded into a program built without it";
#endif
    const ProgramResult result = RunHost(kPython, {"made", BROOD_PLUGIN_CHILD});
    EXPECT_EQ(1, result.status);
    EXPECT_TRUE(Has(result.out, "is in no program or library")) << result.out << result.err;
}

TEST(BroodChild, SaysWhatItIsForWhenItIsRunByHand)
{
    for (const std::vector<std::string> &more :
         {std::vector<std::string>{}, {"--help"}, {"file", "file"}}) {
        ProgramRun run;
        run.arguments = {BROOD_PLUGIN_CHILD};
        run.arguments.insert(run.arguments.end(), more.begin(), more.end());
        const ProgramResult result = RunProgram(run);
        EXPECT_EQ(2, result.status);
        EXPECT_EQ("", result.out);
        EXPECT_TRUE(Has(result.err, "brood_set_executable")) << result.err;
    }
}

/* ---- in a program of our own ---- */

int Nothing(brood_call *)
{
    return 0;
}

TEST(SetExecutable, RefusesWhatCannotBeRun)
{
    EXPECT_EQ(BROOD_EINVAL, brood_set_executable(""));
    EXPECT_EQ(BROOD_ENOENT, brood_set_executable("/nowhere/program"));
    EXPECT_TRUE(Has(LastWords(), "find the executable /nowhere/program: ")) << LastWords();
    EXPECT_EQ(BROOD_EINVAL, brood_set_executable(fs::temp_directory_path().u8string().c_str()));
#if !defined(_WIN32)
    EXPECT_EQ(BROOD_EACCES, brood_set_executable(BROOD_PLUGIN_SCRIPT));
#endif
    EXPECT_EQ(0, Result(Start(Nothing))) << "what was before is still there";
}

TEST(SetExecutable, KeepsTheOneBeforeWhenAnyStepFails)
{
    const fs::path program = fs::u8path(BROOD_TESTS_PATH);
    const fs::path folder = fs::current_path();
    fs::current_path(program.parent_path()); /* so that all steps are taken */
    ForEachFault([&program] {
        const int rc = brood_set_executable(program.filename().u8string().c_str());
        EXPECT_EQ(brood_fault_fired(), rc != 0) << LastWords();
        brood_fault_pause(true);
        EXPECT_EQ(0, Result(Start(Nothing))) << LastWords();
        EXPECT_EQ(0, brood_set_executable(nullptr));
        brood_fault_pause(false);
    });
    fs::current_path(folder);
}

TEST(SetExecutable, RunsOurFunctionsInAnotherProgramOnlyIfTheyAreThere)
{
    ASSERT_EQ(0, brood_set_executable(BROOD_PLUGIN_CHILD)) << LastWords();
    EXPECT_EQ(BROOD_EMODULE, Result(Start(Nothing)));
    EXPECT_TRUE(Has(LastWords(), "the function is in the program ")) << LastWords();
    ASSERT_EQ(0, brood_set_executable(nullptr));
    EXPECT_EQ(0, Result(Start(Nothing))) << LastWords();
}

TEST(SetExecutable, MayBeACopyOfTheProgram)
{
    const fs::path program = fs::u8path(TemporaryFile("copy.exe"));
    const fs::path folder = fs::current_path();
    fs::copy_file(BROOD_TESTS_PATH, program);
    fs::current_path(program.parent_path());
    ASSERT_EQ(0, brood_set_executable(program.filename().u8string().c_str())) << LastWords();
    fs::current_path(folder);
    EXPECT_EQ(0, Result(Start(Nothing))) << LastWords();
    fs::remove(program);
    brood_process *process = nullptr;
    EXPECT_EQ(BROOD_ENOENT, brood_process_start(&process, Nothing, nullptr, nullptr));
    EXPECT_TRUE(Has(LastWords(), "copy.exe")) << LastWords();
    ASSERT_EQ(0, brood_set_executable(nullptr));
}

} // namespace

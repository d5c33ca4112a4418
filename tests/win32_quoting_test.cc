#include <gtest/gtest.h>

#include <windows.h>

#include <string>
#include <vector>

#include "support/command_lines.h"

namespace {

/* Loaded by hand: the library itself does without shell32, and so do the tests' link lines. */
std::vector<std::wstring> SplitBySystem(const std::wstring &line)
{
    using Split = LPWSTR *(WINAPI *)(LPCWSTR, int *);
    static const FARPROC found = GetProcAddress(LoadLibraryW(L"shell32.dll"), "CommandLineToArgvW");
    std::vector<std::wstring> arguments;
    int count = 0;
    LPWSTR *const split =
        reinterpret_cast<Split>(reinterpret_cast<void *>(found))(line.c_str(), &count);
    for (int i = 0; i < count; i++) {
        arguments.emplace_back(split[i]);
    }
    LocalFree(split);
    return arguments;
}

TEST(Win32CommandLine, IsSplitBackByTheSystem)
{
    for (const std::vector<std::wstring> &arguments : InterestingArguments()) {
        const std::wstring line = JoinCommandLine(arguments);
        EXPECT_EQ(arguments, SplitBySystem(line)) << testing::PrintToString(line);
    }
}

} // namespace

#include <gtest/gtest.h>

#include <windows.h>

#include <string>
#include <vector>

#include "support/command_lines.h"

namespace {

/* Loaded by hand, before any test counts handles: the library itself does without shell32. */
const FARPROC kSplit = GetProcAddress(LoadLibraryW(L"shell32.dll"), "CommandLineToArgvW");

std::vector<std::wstring> SplitBySystem(const std::wstring &line)
{
    using Split = LPWSTR *(WINAPI *)(LPCWSTR, int *);
    std::vector<std::wstring> arguments;
    int count = 0;
    LPWSTR *const split =
        reinterpret_cast<Split>(reinterpret_cast<void *>(kSplit))(line.c_str(), &count);
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

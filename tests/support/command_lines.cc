#include "support/command_lines.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

extern "C" {
#include "quoting.h"
}

std::vector<std::vector<std::wstring>> InterestingArguments()
{
    std::vector<std::vector<std::wstring>> all = {
        {L"p"},
        {L"C:\\Program Files\\p.exe", L""},
        {L"C:\\dir\\", L"a", L"", L"b", L""},
        {L"p", L"a b", L"a\tb", L"\"", L"\"\"", L"a\"b c\"d"},
        {L"p", L"\\", L"\\\\", L"a\\", L"a b\\", L"a b\\\\", L"\\\"", L"\\\\\"", L"a\\b\\\\c"},
        {L"p", L"\n", L"\v", L"*", L"%PATH%", L"^&|<>", L"'", L"-", L"/?"},
        {L"\x00e4 \x4e2d", L"\x00e4", L"\x4e2d\x6587 \x0438"},
    };
    const std::wstring letters = L"\\\\\\\"\" \tab";
    std::mt19937 random(1);
    for (int i = 0; i < 3000; i++) {
        std::vector<std::wstring> arguments = {L"p"};
        for (size_t count = random() % 4; count > 0; count--) {
            std::wstring argument;
            for (size_t length = random() % 8; length > 0; length--) {
                argument += letters[random() % letters.size()];
            }
            arguments.push_back(argument);
        }
        all.push_back(arguments);
    }
    return all;
}

std::wstring JoinCommandLine(const std::vector<std::wstring> &arguments)
{
    std::vector<const wchar_t *> pointers;
    for (const std::wstring &argument : arguments) {
        pointers.push_back(argument.c_str());
    }
    wchar_t *line = nullptr;
    EXPECT_EQ(0, brood_command_line_join(&line, pointers.data(), pointers.size()));
    const std::wstring joined = line == nullptr ? L"" : line;
    std::free(line);
    return joined;
}

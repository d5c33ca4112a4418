#include <gtest/gtest.h>

#include <brood.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "support/command_lines.h"

extern "C" {
#include "quoting.h"
}

namespace {

/* The rules as Microsoft's "Parsing C command-line arguments" puts them, written independently of
 * quoting.c. */
std::vector<std::wstring> SplitByTheRules(const std::wstring &line)
{
    std::vector<std::wstring> arguments;
    size_t at = 0;
    std::wstring program;
    /* The program's name: quotes group, backslashes are ordinary. */
    for (bool quoted = false; at < line.size(); at++) {
        if (line[at] == L'"') {
            quoted = !quoted;
        } else if (!quoted && (line[at] == L' ' || line[at] == L'\t')) {
            break;
        } else {
            program += line[at];
        }
    }
    arguments.push_back(program);

    enum {
        kBetween,
        kPlain,
        kQuoted
    } state = kBetween;
    std::wstring current;
    while (at < line.size()) {
        const size_t run_end = std::min(line.find_first_not_of(L'\\', at), line.size());
        const size_t backslashes = run_end - at;
        const bool before_quote = run_end < line.size() && line[run_end] == L'"';
        if (backslashes > 0) {
            state = state == kBetween ? kPlain : state;
            current.append(before_quote ? backslashes / 2 : backslashes, L'\\');
            at = run_end;
            if (before_quote && backslashes % 2 == 1) {
                current += L'"';
                at++;
            }
        } else if (before_quote) {
            state = state == kQuoted ? kPlain : kQuoted;
            at++;
        } else if (state != kQuoted && (line[at] == L' ' || line[at] == L'\t')) {
            if (state == kPlain) {
                arguments.push_back(current);
                current.clear();
            }
            state = kBetween;
            at++;
        } else {
            state = state == kBetween ? kPlain : state;
            current += line[at++];
        }
    }
    if (state != kBetween) {
        arguments.push_back(current);
    }
    return arguments;
}

std::vector<std::wstring> SplitByOurs(const std::wstring &line)
{
    std::vector<std::wstring> arguments;
    std::vector<wchar_t> room(line.size() + 1);
    while (brood_command_line_argument(line.c_str(), arguments.size(), room.data(), room.size())) {
        arguments.emplace_back(room.data());
    }
    return arguments;
}

TEST(CommandLine, IsSplitIntoWhatItWasJoinedFrom)
{
    for (const std::vector<std::wstring> &arguments : InterestingArguments()) {
        const std::wstring line = JoinCommandLine(arguments);
        EXPECT_EQ(arguments, SplitByTheRules(line)) << testing::PrintToString(line);
        EXPECT_EQ(arguments, SplitByOurs(line)) << testing::PrintToString(line);
    }
}

TEST(CommandLine, LooksAsPeopleWriteIt)
{
    EXPECT_EQ(L"\"C:\\a b\\c.exe\" --brood-child 1f4",
              JoinCommandLine({L"C:\\a b\\c.exe", L"--brood-child", L"1f4"}));
    EXPECT_EQ(L"\"p\" \"\" \"a b\" \"\\\"\" \\\\ \"c d\\\\\"",
              JoinCommandLine({L"p", L"", L"a b", L"\"", L"\\\\", L"c d\\"}));
}

TEST(CommandLine, OfOthersIsReadByTheRules)
{
    /* The examples of Microsoft's page. */
    EXPECT_EQ((std::vector<std::wstring>{L"p", L"a b c", L"d", L"e"}),
              SplitByOurs(L"p \"a b c\" d e"));
    EXPECT_EQ((std::vector<std::wstring>{L"p", L"ab\"c", L"\\", L"d"}),
              SplitByOurs(L"p \"ab\\\"c\" \"\\\\\" d"));
    EXPECT_EQ((std::vector<std::wstring>{L"p", L"a\\\\\\b", L"de fg", L"h"}),
              SplitByOurs(L"p a\\\\\\b d\"e f\"g h"));
    EXPECT_EQ((std::vector<std::wstring>{L"p", L"a\\\"b", L"c", L"d"}),
              SplitByOurs(L"p\ta\\\\\\\"b   c \t d "));
    EXPECT_EQ((std::vector<std::wstring>{L"p", L"a\\\\b c", L"d", L"e"}),
              SplitByOurs(L"p a\\\\\\\\\"b c\" d e"));
    EXPECT_EQ((std::vector<std::wstring>{L""}), SplitByOurs(L""));
    EXPECT_EQ((std::vector<std::wstring>{L"open"}), SplitByOurs(L"\"open"));
}

TEST(CommandLine, RefusesAQuoteInTheProgramsName)
{
    const wchar_t *const arguments[] = {L"a\"b"};
    wchar_t *line = nullptr;
    EXPECT_EQ(BROOD_EINVAL, brood_command_line_join(&line, arguments, 1));
    EXPECT_EQ(nullptr, line);
}

TEST(CommandLine, RefusesMoreThanTheSystemTakes)
{
    std::wstring longest(BROOD_COMMAND_LINE_MAX - 4, L'x'); /* "p" and a blank are four more */
    EXPECT_EQ(static_cast<size_t>(BROOD_COMMAND_LINE_MAX), JoinCommandLine({L"p", longest}).size());

    longest += L'x';
    const wchar_t *const arguments[] = {L"p", longest.c_str()};
    wchar_t *line = nullptr;
    EXPECT_EQ(BROOD_ETOOBIG, brood_command_line_join(&line, arguments, 2));
    EXPECT_EQ(nullptr, line);
    EXPECT_STREQ("a command line of 32767 characters, 32766 are allowed",
                 brood_last_error()->message);
}

TEST(CommandLineArgument, NeedsRoomForItsZero)
{
    wchar_t room[4] = L"zzz";
    EXPECT_FALSE(brood_command_line_argument(L"p abc", 1, room, 3));
    EXPECT_TRUE(brood_command_line_argument(L"p abc", 1, room, 4));
    EXPECT_EQ(std::wstring(L"abc"), room);
    EXPECT_FALSE(brood_command_line_argument(L"p abc", 2, room, 4));
}

} // namespace

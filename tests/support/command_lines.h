/* Arguments that are hard to quote. */
#pragma once

#include <string>
#include <vector>

/// InterestingArguments lists argument vectors, each with a program's name first: known traps, and
/// many made of the letters that matter, always the same ones.
std::vector<std::vector<std::wstring>> InterestingArguments();

/// JoinCommandLine joins with brood_command_line_join; a failure is the test's.
std::wstring JoinCommandLine(const std::vector<std::wstring> &arguments);

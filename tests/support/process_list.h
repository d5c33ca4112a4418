/* The system's processes, as an outsider sees them. */
#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// ChildrenOf lists the living children of a process.
std::vector<int64_t> ChildrenOf(int64_t pid);

/// IsAlive tells whether a process runs; a zombie does not.
bool IsAlive(int64_t pid);

/// IsKnown tells whether the system has a record of a process; a zombie is one.
bool IsKnown(int64_t pid);

/// KillHard ends a process at once, from outside.
void KillHard(int64_t pid);

/// UseOneProcessor lets this process run on one processor only; false where the library cannot see
/// that.
bool UseOneProcessor();

/// LeadGroup makes this process the first of a group, to which all that it starts belong.
void LeadGroup();

/// ProcessesOfGroup lists the living processes of the group whose first `pid` was; none where there
/// are no groups (Windows).
std::vector<int64_t> ProcessesOfGroup(int64_t pid);

/// SetEnvironment sets a variable of this process; an empty value removes it.
void SetEnvironment(const std::string &name, const std::string &value);

/// WaitFor asks `condition` again and again, for a minute at most.
template <class Condition>
bool WaitFor(Condition condition);

/// TemporaryFile is a path in the system's temporary folder that nobody else uses.
std::string TemporaryFile(const std::string &name);

/// ReadFile returns a file's text, empty if there is none.
std::string ReadFile(const std::string &path);

/// ShortPause gives others a moment; only WaitFor uses it.
void ShortPause();

/// SecondsNow is a clock for limits.
double SecondsNow();

template <class Condition>
bool WaitFor(Condition condition)
{
    const double limit = SecondsNow() + 60;
    while (!condition()) {
        if (SecondsNow() > limit) {
            return false;
        }
        ShortPause();
    }
    return true;
}

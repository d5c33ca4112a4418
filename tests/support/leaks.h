/* What a test must not leave behind. */
#pragma once

#include <set>
#include <string>

/// OpenThings lists what this process holds open (descriptors with what they are) and the names of
/// shared memory that the system has. `known` says whether the system can tell.
struct OpenThings {
    bool known = false;
    std::multiset<std::string> handles;
    std::set<std::string> memory_names;
};

OpenThings ListOpenThings();

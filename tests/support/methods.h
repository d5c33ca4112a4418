/* The same tests over all start methods of this system. */
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/objects.h"

/// StartMethods lists them.
inline std::vector<std::string> StartMethods()
{
    std::vector<std::string> all;
    for (const char *const *method = brood_get_all_start_methods(); *method != nullptr; method++) {
        all.push_back(*method);
    }
    return all;
}

/// OverMethods makes the test's parameter the default: Start starts by it, and so do the children.
class OverMethods : public testing::TestWithParam<std::string> {
  protected:
    void SetUp() override
    {
        ASSERT_EQ(0, brood_set_start_method(GetParam().c_str(), true)) << LastWords();
    }
    void TearDown() override
    {
        ASSERT_EQ(0, brood_set_start_method(nullptr, true)) << LastWords();
    }
    bool IsSpawn() const
    {
        return GetParam() == BROOD_SPAWN;
    }
};

/// MethodName names a test after its parameter.
inline std::string MethodName(const testing::TestParamInfo<std::string> &about)
{
    return about.param;
}

/// OVER_METHODS(Suite) lets the suite's TEST_Ps run once by each method.
#define OVER_METHODS(suite)              \
    class suite : public OverMethods {}; \
    INSTANTIATE_TEST_SUITE_P(By, suite, testing::ValuesIn(StartMethods()), MethodName)

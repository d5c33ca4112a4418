#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "support/objects.h"

extern "C" {
#include "arena.h"
#include "function.h"
}

namespace {

int Nothing(brood_call *)
{
    return 0;
}

class FunctionReference : public testing::Test {
  protected:
    void SetUp() override
    {
        brood_value id;
        ASSERT_EQ(0, brood_function_save(&arena_, Nothing, &id)) << LastWords();
        ASSERT_EQ(3u, brood_value_count(id));
        for (size_t i = 0; i < 3; i++) {
            fields_[i] = brood_value_at(id, i);
        }
    }
    void TearDown() override
    {
        brood_arena_release(&arena_);
    }
    int Load(brood_function *function) const
    {
        return brood_function_load(brood_tuple(fields_, 3), function);
    }

    brood_arena arena_ = {};
    brood_value fields_[3]; /* "function", identity, offset */
};

TEST_F(FunctionReference, FindsTheFunctionAgain)
{
    brood_function function = nullptr;
    ASSERT_EQ(0, Load(&function)) << LastWords();
    EXPECT_EQ(Nothing, function);
}

TEST_F(FunctionReference, OfAnotherBuildIsRefused)
{
    const brood_view identity = brood_as_view(fields_[1]);
    std::string other(static_cast<const char *>(identity.data), identity.size);
    brood_function function = nullptr;
    ASSERT_GE(identity.size, 16u);
    other[0] = static_cast<char>(other[0] ^ 1);
    for (const size_t size : {other.size(), other.size() - 1, size_t{0}}) {
        fields_[1] = brood_bytes(other.data(), size);
        EXPECT_EQ(BROOD_EMODULE, Load(&function));
        EXPECT_NE(std::string::npos, LastWords().find("was replaced meanwhile")) << LastWords();
    }
    EXPECT_EQ(nullptr, function);
}

TEST_F(FunctionReference, OutsideTheCodeIsRefused)
{
    brood_function function = nullptr;
    for (const uint64_t offset : {uint64_t{0}, uint64_t{1} << 40, UINT64_MAX}) {
        fields_[2] = brood_uint(offset);
        EXPECT_EQ(BROOD_EMODULE, Load(&function)) << offset;
    }
    fields_[2] = brood_str("far");
    EXPECT_EQ(BROOD_EMODULE, Load(&function));
    EXPECT_EQ(nullptr, function);
}

TEST(FunctionSave, RefusesDataAndHeap)
{
    static int data;
    int *heap = new int(0);
    for (void *address : {static_cast<void *>(&data), static_cast<void *>(heap)}) {
        brood_arena arena = {};
        brood_value id;
        brood_function function = nullptr;
        memcpy(&function, &address, sizeof function);
        EXPECT_EQ(BROOD_EMODULE, brood_function_save(&arena, function, &id));
        EXPECT_NE(std::string::npos, LastWords().find("is not in the program itself"));
        brood_arena_release(&arena);
    }
    delete heap;
}

} // namespace

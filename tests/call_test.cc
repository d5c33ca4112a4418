#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include <brood.h>

#include "support/fault.h"
#include "support/values.h"

extern "C" {
#include "call.h"
#include "fault.h"
#include "message.h"
}

namespace {

class CallTest : public testing::Test {
  protected:
    CallTest()
    {
        brood_call_init(&call_, brood_tuple(args_, 2), brood_dict(named_, 2));
    }
    ~CallTest() override
    {
        brood_call_fini(&call_);
    }
    /* What the parent would read. */
    std::string Result() const
    {
        return Shown(Decoded(ResultBytes()));
    }
    std::string ResultBytes() const
    {
        return std::string(static_cast<const char *>(call_.result.data), call_.result.size);
    }

    const brood_value args_[2] = {brood_int(1), brood_str("two")};
    const brood_value named_[4] = {brood_str("delay"), brood_float(0.5), brood_str("name"),
                                   brood_str("x")};
    brood_call call_;
};

TEST_F(CallTest, GivesArgumentsByPosition)
{
    EXPECT_EQ(2u, brood_call_count(&call_));
    EXPECT_EQ(1, brood_as_int(brood_call_arg(&call_, 0), 0));
    EXPECT_STREQ("two", brood_as_str(brood_call_arg(&call_, 1), ""));
    EXPECT_EQ(BROOD_NONE, brood_value_kind(brood_call_arg(&call_, 2)));
    EXPECT_EQ(0u, brood_call_count(nullptr));
}

TEST_F(CallTest, GivesArgumentsByName)
{
    brood_value value = brood_int(7);
    EXPECT_FALSE(brood_call_named(&call_, "speed", &value));
    EXPECT_FALSE(brood_call_named(&call_, "", &value));
    EXPECT_FALSE(brood_call_named(nullptr, "delay", &value));
    EXPECT_FALSE(brood_call_named(&call_, nullptr, &value));
    EXPECT_EQ(7, brood_as_int(value, 0));
    EXPECT_TRUE(brood_call_named(&call_, "delay", &value));
    EXPECT_EQ(0.5, brood_as_float(value, 0));
    EXPECT_TRUE(brood_call_named(&call_, "name", &value));
    EXPECT_STREQ("x", brood_as_str(value, ""));
}

TEST_F(CallTest, TakesNothingForNoArguments)
{
    brood_call call;
    brood_call_init(&call, brood_none(), brood_none());
    EXPECT_EQ(0u, brood_call_count(&call));
    brood_value value = brood_none();
    EXPECT_FALSE(brood_call_named(&call, "x", &value));
    brood_call_fini(&call);
}

/* ---- results ---- */

TEST_F(CallTest, ReturnsAValueEncodedAtOnce)
{
    char text[] = "before";
    EXPECT_EQ(0, brood_return(&call_, brood_str(text)));
    std::memcpy(text, "behind", 6);
    EXPECT_EQ("'before'", Result());
    EXPECT_EQ(0, brood_return(&call_, brood_int(5)));
    EXPECT_EQ("5", Result());
}

TEST_F(CallTest, KeepsTheResultBeforeWhenAnotherFails)
{
    EXPECT_EQ(0, brood_return(&call_, brood_int(5)));
    EXPECT_EQ(BROOD_EINVAL, brood_return(&call_, brood_bytes(nullptr, 5)));
    EXPECT_EQ(BROOD_ETYPE, brood_return(&call_, BROOD_LIST(brood_handle_value(0))));
    EXPECT_EQ("a handle cannot be a result, which is read when this process has ended: send it "
              "over a connection",
              LastWords());
    EXPECT_EQ("5", Result());
    EXPECT_EQ(BROOD_EINVAL, brood_return(nullptr, brood_int(5)));
}

TEST_F(CallTest, ReturnsRoomThatIsWrittenLater)
{
    void *data = nullptr;
    ASSERT_EQ(0, brood_return_room(&call_, &data, 5));
    EXPECT_EQ(0, std::memcmp(data, "\0\0\0\0\0", 5));
    std::memcpy(data, "bytes", 5);
    EXPECT_EQ("b'bytes'", Result());
    ASSERT_EQ(0, brood_return_room(&call_, &data, 0));
    EXPECT_NE(nullptr, data);
    EXPECT_EQ("b''", Result());
    ASSERT_EQ(0, brood_return_room(&call_, &data, 100000));
    std::memset(data, 'x', 100000);
    EXPECT_EQ("b'" + std::string(100000, 'x') + "'", Result());
}

TEST_F(CallTest, AlignsTheRoomForNumbers)
{
    void *data = nullptr;
    ASSERT_EQ(0, brood_return_room(&call_, &data, 8 * sizeof(double)));
    EXPECT_EQ(0u, reinterpret_cast<uintptr_t>(data) % alignof(double));
    EXPECT_EQ(16, static_cast<char *>(data) - static_cast<char *>(call_.result.data));
}

TEST_F(CallTest, RefusesRoomThatCannotBe)
{
    void *data = &call_;
    EXPECT_EQ(BROOD_EINVAL, brood_return_room(&call_, nullptr, 5));
    EXPECT_EQ(BROOD_EINVAL, brood_return_room(nullptr, &data, 5));
    EXPECT_EQ(BROOD_ENOMEM, brood_return_room(&call_, &data, SIZE_MAX));
    EXPECT_EQ(BROOD_ENOMEM, brood_return_room(&call_, &data, SIZE_MAX - 16));
    EXPECT_EQ(&call_, data);
}

/* ---- failures ---- */

TEST_F(CallTest, RaisesWithCodeAndWords)
{
    EXPECT_EQ(7, brood_raise(&call_, 7, "%s is %d", "seven", 7));
    EXPECT_TRUE(call_.raised);
    EXPECT_EQ(7, call_.code);
    EXPECT_STREQ("seven is 7", call_.words);
    EXPECT_EQ(BROOD_ERANGE, brood_raise(&call_, BROOD_ERANGE, "too far"));
    EXPECT_EQ(BROOD_ERANGE, call_.code);
    EXPECT_STREQ("too far", call_.words);
}

TEST_F(CallTest, RaisesOnlyCodesThatMeanFailure)
{
    EXPECT_EQ(1, brood_raise(&call_, 1, "x"));
    EXPECT_EQ(255, brood_raise(&call_, 255, "x"));
    for (const int code : {0, 256, 100000, -1, -1000, INT32_MAX}) {
        EXPECT_EQ(255, brood_raise(&call_, code, "x")) << code;
        EXPECT_EQ(255, call_.code);
    }
    EXPECT_EQ(9, brood_raise(nullptr, 9, "x"));
}

TEST_F(CallTest, CutsWordsAtFiveHundredBytes)
{
    const std::string text(600, 'x');
    (void)brood_raise(&call_, 1, "%s", text.c_str());
    EXPECT_EQ(500u, std::strlen(call_.words));
    /* not within a character */
    const std::string wide = std::string(499, 'x') + "\xc3\xa9" + text;
    (void)brood_raise(&call_, 1, "%s", wide.c_str());
    EXPECT_EQ(499u, std::strlen(call_.words));
}

TEST_F(CallTest, PrintsWideNumbersOnAllSystems)
{
    (void)brood_raise(&call_, 1, "%zu %lld %llu", SIZE_MAX, static_cast<long long>(INT64_MIN),
                      static_cast<unsigned long long>(UINT64_MAX));
    EXPECT_EQ(std::to_string(SIZE_MAX) + " -9223372036854775808 18446744073709551615", call_.words);
}

TEST_F(CallTest, LeavesNothingBehindWhenMemoryIsMissing)
{
    ForEachFault([&] {
        brood_call call;
        brood_call_init(&call, brood_none(), brood_none());
        const int rc = brood_return(&call, brood_str("text"));
        EXPECT_EQ(rc == 0, call.result.data != nullptr);
        EXPECT_EQ(brood_fault_fired(), rc != 0);
        brood_call_fini(&call);
    });
    ForEachFault([&] {
        brood_call call;
        void *data = nullptr;
        brood_call_init(&call, brood_none(), brood_none());
        const int rc = brood_return_room(&call, &data, 1000);
        EXPECT_EQ(rc == 0, data != nullptr);
        EXPECT_EQ(brood_fault_fired(), rc != 0);
        brood_call_fini(&call);
    });
}

} // namespace

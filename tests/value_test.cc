#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <brood.h>

#include "support/values.h"

namespace {

int Nothing(brood_call *)
{
    return 0;
}

int Other(brood_call *)
{
    return 1;
}

const double kInfinity = std::numeric_limits<double>::infinity();
const double kNan = std::numeric_limits<double>::quiet_NaN();

brood_value SetOf(const std::vector<brood_value> &items)
{
    brood_value set = brood_list(items.data(), items.size());
    set.flags = BROOD_VALUE_SET;
    return set;
}

brood_value DictOf(const std::vector<brood_value> &items)
{
    return brood_dict(items.data(), items.size() / 2);
}

/* ---- reading ---- */

TEST(ValueRead, GivesNumbersOfTheirKind)
{
    EXPECT_EQ(-7, brood_as_int(brood_int(-7), 1));
    EXPECT_EQ(1, brood_as_int(brood_bool(true), 5));
    EXPECT_EQ(UINT64_MAX, brood_as_uint(brood_uint(UINT64_MAX), 1));
    EXPECT_EQ(7u, brood_as_uint(brood_int(7), 1));
    EXPECT_EQ(1.5, brood_as_float(brood_float(1.5), 0));
    EXPECT_EQ(-3.0, brood_as_float(brood_int(-3), 0));
    EXPECT_EQ(18446744073709551616.0, brood_as_float(brood_uint(UINT64_MAX), 0));
    EXPECT_TRUE(brood_as_bool(brood_bool(true), false));
    EXPECT_TRUE(brood_as_bool(brood_int(1), false));
}

TEST(ValueRead, FallsBackWhereTheKindOrRangeDiffers)
{
    EXPECT_EQ(42, brood_as_int(brood_uint(UINT64_MAX), 42));
    EXPECT_EQ(42, brood_as_int(brood_float(1), 42));
    EXPECT_EQ(42, brood_as_int(brood_none(), 42));
    EXPECT_EQ(42u, brood_as_uint(brood_int(-1), 42));
    EXPECT_EQ(42u, brood_as_uint(brood_str("1"), 42));
    EXPECT_EQ(4.5, brood_as_float(brood_str("1"), 4.5));
    EXPECT_EQ(4.5, brood_as_float(brood_bool(true), 4.5));
    EXPECT_TRUE(brood_as_bool(brood_int(2), true));
    EXPECT_FALSE(brood_as_bool(brood_int(-1), false));
    EXPECT_TRUE(brood_as_bool(brood_none(), true));
}

TEST(ValueRead, GivesTextOnlyWithoutZeroBytes)
{
    EXPECT_STREQ("abc", brood_as_str(brood_str("abc"), "no"));
    EXPECT_STREQ("no", brood_as_str(brood_text("a\0b", 3), "no"));
    EXPECT_STREQ("no", brood_as_str(brood_bytes("abc", 3), "no"));
    EXPECT_STREQ("", brood_as_str(brood_str(""), "no"));
    EXPECT_EQ(nullptr, brood_as_str(brood_none(), nullptr));
}

TEST(ValueRead, ViewsStrAndBytes)
{
    EXPECT_EQ(3u, brood_as_view(brood_text("a\0b", 3)).size);
    EXPECT_EQ(2u, brood_as_view(brood_bytes("ab", 2)).size);
    EXPECT_EQ(nullptr, brood_as_view(brood_int(1)).data);
    EXPECT_EQ(0u, brood_as_view(brood_int(1)).size);
}

TEST(ValueRead, FindsItemsByIndex)
{
    const brood_value items[] = {brood_int(1), brood_int(2), brood_int(3), brood_int(4)};
    EXPECT_EQ(4u, brood_value_count(brood_list(items, 4)));
    EXPECT_EQ(2u, brood_value_count(brood_dict(items, 2)));
    EXPECT_EQ(0u, brood_value_count(brood_str("abc")));
    EXPECT_EQ(4, brood_as_int(brood_value_at(brood_tuple(items, 4), 3), 0));
    EXPECT_EQ(4, brood_as_int(brood_value_at(brood_dict(items, 2), 1), 0));
    EXPECT_EQ(3, brood_as_int(brood_value_key(brood_dict(items, 2), 1), 0));
    EXPECT_EQ(BROOD_NONE, brood_value_kind(brood_value_at(brood_list(items, 4), 4)));
    EXPECT_EQ(BROOD_NONE, brood_value_kind(brood_value_key(brood_dict(items, 2), 2)));
    EXPECT_EQ(BROOD_NONE, brood_value_kind(brood_value_key(brood_list(items, 4), 0)));
    EXPECT_EQ(BROOD_NONE, brood_value_kind(brood_value_at(brood_str("abc"), 0)));
}

struct Own {
    operator brood_value() const
    {
        return brood_int(7);
    }
};

TEST(ValueOf, TakesWhatTurnsIntoAValueByItself)
{
    EXPECT_EQ("7", Shown(brood_of(Own{})));
    EXPECT_EQ(BROOD_FUNCTION, brood_value_kind(brood_of([](brood_call *) { return 0; })));
    EXPECT_EQ("b'ab'", Shown(brood_of(brood_view{"ab", 2})));
}

TEST(ValueGet, FindsTheLastOfEqualKeys)
{
    const std::vector<brood_value> items = {brood_str("a"), brood_int(1),   brood_str("b"),
                                            brood_int(2),   brood_str("a"), brood_int(3)};
    const brood_value dict = DictOf(items);
    EXPECT_EQ(3, brood_as_int(brood_value_get(dict, "a"), 0));
    EXPECT_EQ(2, brood_as_int(brood_value_get(dict, "b"), 0));
    EXPECT_EQ(BROOD_NONE, brood_value_kind(brood_value_get(dict, "c")));
    EXPECT_EQ(BROOD_NONE, brood_value_kind(brood_value_get(dict, "")));
    EXPECT_EQ(BROOD_NONE, brood_value_kind(brood_value_get(dict, nullptr)));
    EXPECT_EQ(BROOD_NONE, brood_value_kind(brood_value_get(brood_int(1), "a")));
}

/* ---- equality ---- */

TEST(ValueEqual, ComparesNumbersAsPythonDoes)
{
    EXPECT_TRUE(brood_value_equal(brood_int(1), brood_float(1)));
    EXPECT_TRUE(brood_value_equal(brood_int(1), brood_bool(true)));
    EXPECT_TRUE(brood_value_equal(brood_bool(false), brood_float(-0.0)));
    EXPECT_TRUE(brood_value_equal(brood_uint(UINT64_MAX), brood_uint(UINT64_MAX)));
    EXPECT_FALSE(brood_value_equal(brood_uint(UINT64_MAX), brood_int(-1)));
    EXPECT_FALSE(brood_value_equal(brood_uint(UINT64_MAX), brood_float(18446744073709551616.0)));
    EXPECT_TRUE(
        brood_value_equal(brood_uint(uint64_t{1} << 63), brood_float(9223372036854775808.0)));
    EXPECT_FALSE(brood_value_equal(brood_int(9007199254740993), brood_float(9007199254740992.0)));
    EXPECT_FALSE(brood_value_equal(brood_int(INT64_MAX), brood_float(9223372036854775808.0)));
    EXPECT_TRUE(brood_value_equal(brood_int(INT64_MIN), brood_float(-9223372036854775808.0)));
    EXPECT_FALSE(brood_value_equal(brood_float(kNan), brood_float(kNan)));
    EXPECT_FALSE(brood_value_equal(brood_float(kNan), brood_int(0)));
    EXPECT_FALSE(brood_value_equal(brood_float(kInfinity), brood_int(INT64_MAX)));
    EXPECT_FALSE(brood_value_equal(brood_int(1), brood_str("1")));
}

TEST(ValueEqual, TellsKindsApart)
{
    const brood_value one[] = {brood_int(1)};
    EXPECT_TRUE(brood_value_equal(brood_none(), brood_none()));
    EXPECT_FALSE(brood_value_equal(brood_none(), brood_bool(false)));
    EXPECT_FALSE(brood_value_equal(brood_str("a"), brood_bytes("a", 1)));
    EXPECT_FALSE(brood_value_equal(brood_list(one, 1), brood_tuple(one, 1)));
    EXPECT_FALSE(brood_value_equal(brood_list(one, 1), SetOf({one[0]})));
    EXPECT_TRUE(brood_value_equal(brood_str(""), brood_text("x", 0)));
    EXPECT_FALSE(brood_value_equal(brood_str("ab"), brood_str("ac")));
}

TEST(ValueEqual, KnowsFunctionsAndObjectsByIdentity)
{
    EXPECT_TRUE(brood_value_equal(brood_function_value(Nothing), brood_function_value(Nothing)));
    EXPECT_FALSE(brood_value_equal(brood_function_value(Nothing), brood_function_value(Other)));
    const auto pipe = Pipe();
    EXPECT_TRUE(brood_value_equal(brood_of(pipe.first.get()), brood_of(pipe.first.get())));
    EXPECT_FALSE(brood_value_equal(brood_of(pipe.first.get()), brood_of(pipe.second.get())));
}

TEST(ValueEqual, ComparesDictsWithoutRegardToOrder)
{
    const brood_value a = brood_str("a"), b = brood_str("b"), c = brood_str("c");
    const brood_value x = brood_int(1), y = brood_int(2), z = brood_int(3);
    const std::vector<brood_value> abc = {a, x, b, y, c, z};
    const std::vector<brood_value> cab = {c, z, a, x, b, y};
    const std::vector<brood_value> other = {c, z, a, y, b, y};
    const std::vector<brood_value> fewer = {a, x, b, y};
    EXPECT_TRUE(brood_value_equal(DictOf(abc), DictOf(abc)));
    EXPECT_TRUE(brood_value_equal(DictOf(abc), DictOf(cab)));
    EXPECT_FALSE(brood_value_equal(DictOf(abc), DictOf(other)));
    EXPECT_FALSE(brood_value_equal(DictOf(abc), DictOf(fewer)));
    EXPECT_FALSE(brood_value_equal(DictOf(fewer), DictOf(abc)));
    EXPECT_TRUE(brood_value_equal(DictOf({}), DictOf({})));
    EXPECT_FALSE(brood_value_equal(DictOf({}), DictOf(fewer)));
}

TEST(ValueEqual, TakesTheLastOfEqualKeys)
{
    const brood_value k = brood_str("k"), j = brood_str("j");
    const brood_value x = brood_int(1), y = brood_int(2);
    const std::vector<brood_value> kx = {k, x}, ky = {k, y};
    const std::vector<brood_value> kxy = {k, x, k, y}, kyx = {k, y, k, x},
                                   kxky = {k, x, j, x, k, y};
    const std::vector<brood_value> jxky = {j, x, k, y};
    EXPECT_TRUE(brood_value_equal(DictOf(kxy), DictOf(ky)));
    EXPECT_TRUE(brood_value_equal(DictOf(ky), DictOf(kxy)));
    EXPECT_FALSE(brood_value_equal(DictOf(kxy), DictOf(kx)));
    EXPECT_FALSE(brood_value_equal(DictOf(kx), DictOf(kxy)));
    EXPECT_FALSE(brood_value_equal(DictOf(kxy), DictOf(kyx)));
    EXPECT_TRUE(brood_value_equal(DictOf(kxy), DictOf(kxy)));
    EXPECT_TRUE(brood_value_equal(DictOf(kxky), DictOf(jxky)));
    EXPECT_TRUE(brood_value_equal(DictOf(jxky), DictOf(kxky)));
}

TEST(ValueEqual, ComparesSetsWithoutRegardToOrder)
{
    const std::vector<brood_value> a = {brood_int(1), brood_int(2), brood_str("x")};
    const std::vector<brood_value> b = {brood_str("x"), brood_float(1), brood_int(2)};
    const std::vector<brood_value> c = {brood_str("x"), brood_int(3), brood_int(2)};
    EXPECT_TRUE(brood_value_equal(SetOf(a), SetOf(b)));
    EXPECT_FALSE(brood_value_equal(SetOf(a), SetOf(c)));
    EXPECT_TRUE(brood_value_equal(SetOf({}), SetOf({})));
}

/* Each level would take twice the time of the one below if anything were compared twice. */
TEST(ValueEqual, DoesNotGetSlowerWithEachLevel)
{
    const size_t depth = 400;
    std::vector<std::vector<brood_value>> sets(depth), dicts(depth);
    brood_value set = brood_int(1), dict = brood_int(1), other_dict = brood_int(2);
    std::vector<std::vector<brood_value>> other_sets(depth), other_dicts(depth);
    brood_value other_set = brood_int(2);
    for (size_t i = 0; i < depth; i++) {
        sets[i] = {brood_str("a"), set};
        other_sets[i] = {other_set, brood_str("a")};
        set = SetOf(sets[i]);
        other_set = SetOf(other_sets[i]);
        dicts[i] = {brood_str("a"), brood_int(1), brood_str("b"), dict, brood_str("b"), dict};
        other_dicts[i] = {brood_str("b"), other_dict, brood_str("a"), brood_int(1)};
        dict = DictOf(dicts[i]);
        other_dict = DictOf(other_dicts[i]);
    }
    EXPECT_TRUE(brood_value_equal(set, set));
    EXPECT_FALSE(brood_value_equal(set, other_set));
    EXPECT_FALSE(brood_value_equal(other_dict, dict));
    EXPECT_TRUE(brood_value_equal(other_dict, other_dict));
}

/* ---- printing ---- */

TEST(ValuePrint, LooksLikePython)
{
    const brood_value nothing[] = {brood_none()};
    const brood_value items[] = {brood_str("a"), brood_int(1), brood_int(2),
                                 brood_list(nothing, 1)};
    EXPECT_EQ("None", Shown(brood_none()));
    EXPECT_EQ("True", Shown(brood_bool(true)));
    EXPECT_EQ("-9223372036854775808", Shown(brood_int(INT64_MIN)));
    EXPECT_EQ("18446744073709551615", Shown(brood_uint(UINT64_MAX)));
    EXPECT_EQ("b'a\\x00\\xff\\n'", Shown(brood_bytes("a\0\xff\n", 4)));
    EXPECT_EQ("['a', 1, 2, [None]]", Shown(brood_list(items, 4)));
    EXPECT_EQ("('a', 1, 2, [None])", Shown(brood_tuple(items, 4)));
    EXPECT_EQ("(None,)", Shown(brood_tuple(nothing, 1)));
    EXPECT_EQ("()", Shown(brood_tuple(nullptr, 0)));
    EXPECT_EQ("[]", Shown(brood_list(nullptr, 0)));
    EXPECT_EQ("{'a': 1, 2: [None]}", Shown(brood_dict(items, 2)));
    EXPECT_EQ("{}", Shown(brood_dict(nullptr, 0)));
    EXPECT_EQ("{1}", Shown(SetOf({brood_int(1)})));
    EXPECT_EQ("set()", Shown(SetOf({})));
    EXPECT_EQ("<function>", Shown(brood_function_value(Nothing)));
    const auto pipe = Pipe();
    EXPECT_EQ("<connection>", Shown(brood_of(pipe.first.get())));
}

TEST(ValuePrint, QuotesTextsAsPythonDoes)
{
    EXPECT_EQ("'a\\\\b'", Shown(brood_str("a\\b")));
    EXPECT_EQ("\"it's\"", Shown(brood_str("it's")));
    EXPECT_EQ("'it\\'s \"x\"'", Shown(brood_str("it's \"x\"")));
    EXPECT_EQ("'\\r\\n\\t\\x00\\x1f\\x7f'", Shown(brood_text("\r\n\t\0\x1f\x7f", 6)));
    EXPECT_EQ("'\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80'",
              Shown(brood_str("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80")));
    EXPECT_EQ("'\\x80\\xa0\\xad'", Shown(brood_str("\xc2\x80\xc2\xa0\xc2\xad")));
    EXPECT_EQ("'\\u2028'", Shown(brood_str("\xe2\x80\xa8")));
    EXPECT_EQ("'\\u200b\\u202e\\u2066\\ufeff'",
              Shown(brood_str("\xe2\x80\x8b\xe2\x80\xae\xe2\x81\xa6\xef\xbb\xbf")));
    EXPECT_EQ("'\xe2\x80\x90\xe2\x80\xa7\xe2\x81\xb0'",
              Shown(brood_str("\xe2\x80\x90\xe2\x80\xa7\xe2\x81\xb0")));
    EXPECT_EQ("b\"it's\"", Shown(brood_bytes("it's", 4)));
}

TEST(ValuePrint, ShowsBytesThatAreNoTextAsPythonShowsFileNames)
{
    EXPECT_EQ("'a\\udcff'", Shown(brood_str("a\xff")));
    EXPECT_EQ("'\\udc80'", Shown(brood_str("\xed\xb2\x80")));
    EXPECT_EQ("'\\ud83d'", Shown(brood_str("\xed\xa0\xbd")));
    EXPECT_EQ("'\\udcc3'", Shown(brood_str("\xc3")));
    EXPECT_EQ("'\\udce2\\udc82'", Shown(brood_str("\xe2\x82")));
}

TEST(ValuePrint, WritesTheShortestFloatThatReadsBack)
{
    EXPECT_EQ("0.0", Shown(brood_float(0)));
    EXPECT_EQ("-0.0", Shown(brood_float(-0.0)));
    EXPECT_EQ("0.1", Shown(brood_float(0.1)));
    EXPECT_EQ("100.0", Shown(brood_float(100)));
    EXPECT_EQ("0.30000000000000004", Shown(brood_float(0.1 + 0.2)));
    EXPECT_EQ("1e+16", Shown(brood_float(1e16)));
    EXPECT_EQ("1234567890123456.0", Shown(brood_float(1234567890123456.0)));
    EXPECT_EQ("0.0001", Shown(brood_float(0.0001)));
    EXPECT_EQ("1e-05", Shown(brood_float(0.00001)));
    EXPECT_EQ("1.5e+300", Shown(brood_float(1.5e300)));
    EXPECT_EQ("5e-324", Shown(brood_float(5e-324)));
    EXPECT_EQ("1.7976931348623157e+308", Shown(brood_float(std::numeric_limits<double>::max())));
    EXPECT_EQ("inf", Shown(brood_float(kInfinity)));
    EXPECT_EQ("-inf", Shown(brood_float(-kInfinity)));
    EXPECT_EQ("nan", Shown(brood_float(kNan)));
}

TEST(ValuePrint, CutsButReturnsTheWholeLength)
{
    char buffer[8] = "-------";
    EXPECT_EQ(10u, brood_value_print(brood_str("abcdefgh"), buffer, 5));
    EXPECT_STREQ("'abc", buffer);
    EXPECT_EQ(10u, brood_value_print(brood_str("abcdefgh"), nullptr, 0));
    EXPECT_EQ(1u, brood_value_print(brood_int(7), buffer, 2));
    EXPECT_STREQ("7", buffer);
    EXPECT_EQ(1u, brood_value_print(brood_int(7), buffer, 1));
    EXPECT_STREQ("", buffer);
    /* never within a character */
    EXPECT_EQ(4u, brood_value_print(brood_str("\xc3\xa9"), buffer, 3));
    EXPECT_STREQ("'", buffer);
    EXPECT_EQ(4u, brood_value_print(brood_str("\xc3\xa9"), buffer, 4));
    EXPECT_STREQ("'\xc3\xa9", buffer);
}

TEST(ValuePrint, EndsAtTheDeepestValueThatCanTravel)
{
    std::vector<brood_value> chain(1003);
    for (size_t i = 1; i < chain.size(); i++) {
        chain[i] = brood_list(&chain[i - 1], 1);
    }
    EXPECT_EQ(std::string(1000, '[') + "None" + std::string(1000, ']'), Shown(chain[1000]));
    EXPECT_EQ(std::string(1001, '[') + "..." + std::string(1001, ']'), Shown(chain[1002]));
}

} // namespace

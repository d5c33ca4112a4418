#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <brood.h>

#include "support/values.h"

extern "C" {
#include "call.h"
}

namespace {

int Nothing(brood_call *)
{
    return 0;
}

/* A call with these arguments, as the bootstrap makes it. */
struct Call {
    explicit Call(std::vector<brood_value> positional, std::vector<brood_value> named = {})
        : args(std::move(positional)), pairs(std::move(named))
    {
        brood_call_init(&call, brood_tuple(args.data(), args.size()),
                        brood_dict(pairs.data(), pairs.size() / 2));
    }
    ~Call()
    {
        brood_call_fini(&call);
    }
    Call(const Call &) = delete;
    Call &operator=(const Call &) = delete;

    std::vector<brood_value> args;
    std::vector<brood_value> pairs;
    brood_call call;
};

/* Code and words of unpacking one value into a place of this type. */
template <class T>
std::string UnpackOne(brood_value value, T *out)
{
    Call c({value});
    return BROOD_UNPACK(&c.call, out) ? LastWords() : "ok";
}

template <class T>
std::string UnpackOne(brood_value value)
{
    T out{};
    return UnpackOne(value, &out);
}

/* ---- counts and names ---- */

TEST(Unpack, WantsExactlyAsManyAsThereArePlaces)
{
    int x = 0, y = 0;
    Call one({brood_int(1)});
    EXPECT_EQ(BROOD_EARGS, BROOD_UNPACK(&one.call));
    EXPECT_EQ("takes 0 arguments, got 1", LastWords());
    EXPECT_EQ(BROOD_EARGS, BROOD_UNPACK(&one.call, &x, &y));
    EXPECT_EQ("takes 2 arguments, got 1", LastWords());
    Call two({brood_int(1), brood_int(2)});
    EXPECT_EQ(BROOD_EARGS, BROOD_UNPACK(&two.call, &x));
    EXPECT_EQ("takes 1 argument, got 2", LastWords());
    EXPECT_EQ(0, BROOD_UNPACK(&two.call, &x, &y));
    EXPECT_EQ(1, x);
    EXPECT_EQ(2, y);
}

TEST(Unpack, TakesNoNamedArguments)
{
    int x = 0;
    Call c({brood_int(1)}, {brood_str("speed"), brood_int(2)});
    EXPECT_EQ(BROOD_EARGS, BROOD_UNPACK(&c.call, &x));
    EXPECT_EQ("unexpected named argument 'speed'", LastWords());
}

TEST(Unpack, StoresNothingUnlessAllFits)
{
    int x = 77;
    const char *text = "before";
    double y = 7.5;
    Call c({brood_int(1), brood_str("x"), brood_str("y")});
    EXPECT_EQ(BROOD_ETYPE, BROOD_UNPACK(&c.call, &x, &text, &y));
    EXPECT_EQ("argument 3 takes a float, got str 'y'", LastWords());
    EXPECT_EQ(77, x);
    EXPECT_STREQ("before", text);
    EXPECT_EQ(7.5, y);
}

TEST(Unpack, ReadsTheItemsOfAListOrTupleAndAnythingElseAsOne)
{
    const std::vector<brood_value> items = {brood_str("k"), brood_int(8)};
    brood_value list = brood_list(items.data(), 2);
    brood_value any = brood_none();
    const char *text = nullptr;
    int number = 0;
    EXPECT_EQ(0, BROOD_UNPACK(&list, &text, &number));
    EXPECT_EQ(8, number);
    EXPECT_EQ(BROOD_EARGS, BROOD_UNPACK(&list, &number));
    EXPECT_EQ("takes 1 value, got 2", LastWords());
    EXPECT_EQ(BROOD_ETYPE, BROOD_UNPACK(&list, &number, &text));
    EXPECT_EQ("value 1 takes an int, got str 'k'", LastWords());
    const Message tuple = Copy(brood_tuple(items.data(), 2));
    EXPECT_EQ(0, BROOD_UNPACK(tuple.get(), &text, &number));
    const Message dict = Copy(brood_dict(items.data(), 1));
    EXPECT_EQ(0, BROOD_UNPACK(dict.get(), &any));
    EXPECT_EQ(BROOD_DICT_KIND, brood_value_kind(any));
    brood_value set = list;
    set.flags = BROOD_VALUE_SET;
    EXPECT_EQ(0, BROOD_UNPACK(&set, &any));
    EXPECT_EQ(2u, brood_value_count(any));
    brood_value empty = brood_tuple(nullptr, 0);
    EXPECT_EQ(0, BROOD_UNPACK(&empty));
}

TEST(Unpack, RefusesNoSource)
{
    int x = 0;
    brood_message *message = nullptr;
    EXPECT_EQ(BROOD_EINVAL, BROOD_UNPACK(message, &x));
    EXPECT_EQ(BROOD_EINVAL, brood_unpack_(nullptr, 0));
    EXPECT_EQ(BROOD_EINVAL, brood_bind_(nullptr, 0));
    Call c({brood_int(1)});
    int *nowhere = nullptr;
    EXPECT_EQ(BROOD_EINVAL, BROOD_UNPACK(&c.call, nowhere));
    EXPECT_EQ("argument 1 has nowhere to go: its pointer is NULL", LastWords());
}

/* ---- types and ranges ---- */

template <class T>
void CheckRange(const char *words_above, const char *words_below)
{
    const T smallest = std::numeric_limits<T>::min(), largest = std::numeric_limits<T>::max();
    T out = 0;
    EXPECT_EQ("ok", UnpackOne(brood_of(largest), &out));
    EXPECT_EQ(largest, out);
    EXPECT_EQ("ok", UnpackOne(brood_of(smallest), &out));
    EXPECT_EQ(smallest, out);
    if (sizeof(T) < 8) {
        EXPECT_EQ(words_above, UnpackOne(brood_int(static_cast<int64_t>(largest) + 1), &out));
        EXPECT_EQ(words_below, UnpackOne(brood_int(static_cast<int64_t>(smallest) - 1), &out));
    }
    EXPECT_EQ(smallest, out);
}

TEST(UnpackInt, ChecksTheRangeOfEachWidth)
{
    CheckRange<int8_t>("argument 1 takes an int from -128 to 127, got int 128",
                       "argument 1 takes an int from -128 to 127, got int -129");
    CheckRange<uint8_t>("argument 1 takes an int from 0 to 255, got int 256",
                        "argument 1 takes an int from 0 to 255, got int -1");
    CheckRange<int16_t>("argument 1 takes an int from -32768 to 32767, got int 32768",
                        "argument 1 takes an int from -32768 to 32767, got int -32769");
    CheckRange<uint16_t>("argument 1 takes an int from 0 to 65535, got int 65536",
                         "argument 1 takes an int from 0 to 65535, got int -1");
    CheckRange<int32_t>(
        "argument 1 takes an int from -2147483648 to 2147483647, got int 2147483648",
        "argument 1 takes an int from -2147483648 to 2147483647, got int -2147483649");
    CheckRange<uint32_t>("argument 1 takes an int from 0 to 4294967295, got int 4294967296",
                         "argument 1 takes an int from 0 to 4294967295, got int -1");
    CheckRange<int64_t>("", "");
    CheckRange<uint64_t>("", "");
    EXPECT_EQ("argument 1 takes an int from -9223372036854775808 to 9223372036854775807, got int "
              "18446744073709551615",
              UnpackOne<int64_t>(brood_uint(UINT64_MAX)));
    EXPECT_EQ("argument 1 takes an int from 0 to 18446744073709551615, got int -1",
              UnpackOne<uint64_t>(brood_int(-1)));
}

TEST(UnpackInt, TakesBoolsAndNothingElse)
{
    int out = 5;
    EXPECT_EQ("ok", UnpackOne(brood_bool(true), &out));
    EXPECT_EQ(1, out);
    EXPECT_EQ("argument 1 takes an int, got float 1.0", UnpackOne<int>(brood_float(1)));
    EXPECT_EQ("argument 1 takes an int, got none", UnpackOne<int>(brood_none()));
    EXPECT_EQ("argument 1 takes an int, got list of 0",
              UnpackOne<unsigned>(brood_list(nullptr, 0)));
    EXPECT_EQ("argument 1 takes an int, got function",
              UnpackOne<char>(brood_function_value(Nothing)));
}

TEST(UnpackBool, TakesBoolsAndZeroAndOne)
{
    bool out = false;
    EXPECT_EQ("ok", UnpackOne(brood_bool(true), &out));
    EXPECT_TRUE(out);
    EXPECT_EQ("ok", UnpackOne(brood_int(0), &out));
    EXPECT_FALSE(out);
    EXPECT_EQ("ok", UnpackOne(brood_int(1), &out));
    EXPECT_TRUE(out);
    EXPECT_EQ("argument 1 takes a bool, or an int that is 0 or 1, got int 2",
              UnpackOne<bool>(brood_int(2)));
    EXPECT_EQ("argument 1 takes a bool, or an int that is 0 or 1, got int -1",
              UnpackOne<bool>(brood_int(-1)));
    EXPECT_EQ("argument 1 takes a bool, got str 'yes'", UnpackOne<bool>(brood_str("yes")));
}

TEST(UnpackFloat, TakesFloatsAndInts)
{
    double out = 0;
    float small = 0;
    EXPECT_EQ("ok", UnpackOne(brood_int(-3), &out));
    EXPECT_EQ(-3.0, out);
    EXPECT_EQ("ok", UnpackOne(brood_uint(UINT64_MAX), &out));
    EXPECT_EQ(18446744073709551616.0, out);
    EXPECT_EQ("ok", UnpackOne(brood_float(0.1), &small));
    EXPECT_EQ(0.1f, small);
    EXPECT_EQ("ok", UnpackOne(brood_float(std::numeric_limits<double>::infinity()), &small));
    EXPECT_EQ(std::numeric_limits<float>::infinity(), small);
    EXPECT_EQ("argument 1 takes a float of 4 bytes, got float 1e+300",
              UnpackOne<float>(brood_float(1e300)));
    EXPECT_EQ("argument 1 takes a float of 4 bytes, got float -1e+39",
              UnpackOne<float>(brood_float(-1e39)));
    EXPECT_EQ("argument 1 takes a float, got bool True", UnpackOne<double>(brood_bool(true)));
}

TEST(UnpackStr, TakesTextsWithoutZeroBytesAndNone)
{
    const char *out = "x";
    EXPECT_EQ("ok", UnpackOne(brood_str("text"), &out));
    EXPECT_STREQ("text", out);
    EXPECT_EQ("ok", UnpackOne(brood_none(), &out));
    EXPECT_EQ(nullptr, out);
    EXPECT_EQ("argument 1 takes a str without zero bytes, got str 'a\\x00b'",
              UnpackOne<const char *>(brood_text("a\0b", 3)));
    EXPECT_EQ("argument 1 takes a str, got bytes b'ab'",
              UnpackOne<const char *>(brood_bytes("ab", 2)));
}

TEST(UnpackView, TakesStrAndBytes)
{
    brood_view out = {nullptr, 0};
    EXPECT_EQ("ok", UnpackOne(brood_text("a\0b", 3), &out));
    EXPECT_EQ(3u, out.size);
    EXPECT_EQ("ok", UnpackOne(brood_bytes("ab", 2), &out));
    EXPECT_EQ(2u, out.size);
    EXPECT_EQ("argument 1 takes a str or bytes, got none", UnpackOne<brood_view>(brood_none()));
}

TEST(UnpackObject, TakesOnlyItsKind)
{
    const auto pipe = Pipe();
    brood_connection *connection = nullptr;
    brood_function function = nullptr;
    EXPECT_EQ("ok", UnpackOne(brood_of(pipe.first.get()), &connection));
    EXPECT_EQ(pipe.first.get(), connection);
    EXPECT_EQ("ok", UnpackOne(brood_function_value(Nothing), &function));
    EXPECT_EQ(Nothing, function);
    EXPECT_EQ("argument 1 takes a connection, got function",
              UnpackOne(brood_function_value(Nothing), &connection));
    EXPECT_EQ("argument 1 takes a connection, got none", UnpackOne(brood_none(), &connection));
    EXPECT_EQ("argument 1 takes a function, got connection",
              UnpackOne(brood_of(pipe.first.get()), &function));
}

TEST(UnpackWords, ShowNoMoreThanTheBeginning)
{
    const std::string text(1000, 'x');
    EXPECT_EQ("argument 1 takes an int, got str '" + std::string(40, 'x') + "'...",
              UnpackOne<int>(brood_str(text.c_str())));
    EXPECT_EQ("argument 1 takes an int, got bytes b'" + std::string(40, 'x') + "'...",
              UnpackOne<int>(brood_bytes(text.data(), text.size())));
    /* never half a character */
    const std::string wide = std::string(39, 'x') + "\xe2\x82\xac" + text;
    EXPECT_EQ("argument 1 takes an int, got str '" + std::string(39, 'x') + "'...",
              UnpackOne<int>(brood_str(wide.c_str())));
    const std::string ugly(1000, '\x01');
    EXPECT_LT(UnpackOne<int>(brood_str(ugly.c_str())).size(), 250u);
}

/* ---- BROOD_BIND ---- */

struct Bound {
    int max = 0;
    double delay = 0.25;
    std::string name = "default";
    int rc = 0;
};

Bound Bind(const std::vector<brood_value> &positional, const std::vector<brood_value> &named)
{
    Call c(positional, named);
    Bound b;
    const char *name = b.name.c_str();
    b.rc = BROOD_BIND(&c.call, "max", &b.max, "delay?", &b.delay, "name?", &name);
    b.name = name != nullptr ? name : "";
    return b;
}

TEST(Bind, TakesArgumentsByPositionAndByName)
{
    Bound b = Bind({brood_int(3)}, {});
    EXPECT_EQ(0, b.rc);
    EXPECT_EQ(3, b.max);
    EXPECT_EQ(0.25, b.delay);
    EXPECT_EQ("default", b.name);
    b = Bind({brood_int(3), brood_int(1), brood_str("x")}, {});
    EXPECT_EQ(1.0, b.delay);
    EXPECT_EQ("x", b.name);
    b = Bind({}, {brood_str("name"), brood_str("y"), brood_str("max"), brood_int(4)});
    EXPECT_EQ(4, b.max);
    EXPECT_EQ(0.25, b.delay);
    EXPECT_EQ("y", b.name);
}

TEST(Bind, SaysWhichArgumentIsWrong)
{
    EXPECT_EQ(BROOD_EARGS, Bind({}, {}).rc);
    EXPECT_EQ("argument 'max' is missing", LastWords());
    EXPECT_EQ(BROOD_EARGS, Bind({brood_int(1)}, {brood_str("max"), brood_int(2)}).rc);
    EXPECT_EQ("argument 'max' is given twice", LastWords());
    EXPECT_EQ(BROOD_EARGS,
              Bind({}, {brood_str("max"), brood_int(1), brood_str("max"), brood_int(2)}).rc);
    EXPECT_EQ("argument 'max' is given twice", LastWords());
    EXPECT_EQ(BROOD_EARGS, Bind({brood_int(1)}, {brood_str("speed"), brood_int(2)}).rc);
    EXPECT_EQ("unexpected named argument 'speed'", LastWords());
    EXPECT_EQ(BROOD_EARGS, Bind({brood_int(1)}, {brood_str("delay?"), brood_int(2)}).rc);
    EXPECT_EQ("unexpected named argument 'delay?'", LastWords());
    EXPECT_EQ(BROOD_EARGS, Bind({brood_int(1)}, {brood_int(5), brood_int(2)}).rc);
    EXPECT_EQ("unexpected named argument ''", LastWords());
    EXPECT_EQ(BROOD_EARGS, Bind(std::vector<brood_value>(4, brood_int(1)), {}).rc);
    EXPECT_EQ("takes at most 3 arguments, got 4", LastWords());
    EXPECT_EQ(BROOD_ETYPE, Bind({brood_int(1), brood_str("x")}, {}).rc);
    EXPECT_EQ("argument 2 ('delay') takes a float, got str 'x'", LastWords());
    EXPECT_EQ(BROOD_ERANGE, Bind({}, {brood_str("max"), brood_uint(UINT64_MAX)}).rc);
    EXPECT_EQ("argument 1 ('max') takes an int from -2147483648 to 2147483647, got int "
              "18446744073709551615",
              LastWords());
}

TEST(Bind, StoresNothingUnlessAllFits)
{
    const Bound b = Bind({brood_int(3)}, {brood_str("name"), brood_int(1)});
    EXPECT_EQ(BROOD_ETYPE, b.rc);
    EXPECT_EQ(0, b.max);
    EXPECT_EQ("default", b.name);
}

TEST(Bind, ReadsValuesThatHaveNames)
{
    int max = 0;
    double delay = 0;
    const std::vector<brood_value> name = {brood_str("delay"), brood_float(2.5)};
    std::vector<brood_value> items = {brood_int(3), brood_tuple(name.data(), 2)};
    items[1].flags = BROOD_VALUE_NAMED;
    brood_value list = brood_list(items.data(), 2);
    EXPECT_EQ(0, BROOD_BIND(&list, "max", &max, "delay", &delay)) << LastWords();
    EXPECT_EQ(3, max);
    EXPECT_EQ(2.5, delay);
    EXPECT_EQ(BROOD_EARGS, BROOD_UNPACK(&list, &max, &delay));
    std::swap(items[0], items[1]);
    EXPECT_EQ(BROOD_EARGS, BROOD_BIND(&list, "max", &max, "delay", &delay));
    EXPECT_EQ("a named argument stands before one without a name", LastWords());
}

TEST(Bind, RefusesASignatureThatIsNone)
{
    Call c({brood_int(1)});
    int x = 0;
    const brood_slot slots[] = {brood_slot_(BROOD_SLOT_SOURCE_CALL_, 0, &c.call),
                                brood_slot_(BROOD_SLOT_SIGNED_, 4, &x),
                                brood_slot_(BROOD_SLOT_NAME_, 0, "x")};
    EXPECT_EQ(BROOD_EINVAL, brood_bind_(slots, 3));
    EXPECT_EQ("parameter 1 has no name", LastWords());
    EXPECT_EQ(BROOD_EINVAL, brood_bind_(slots, 2));
    EXPECT_EQ(BROOD_EINVAL, brood_unpack_(slots + 1, 1));
}

} // namespace

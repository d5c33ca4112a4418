/* Bytes that were made to hurt: none may do more than fail. Sanitizers watch in the builds that
 * have them. */
#include <gtest/gtest.h>

#include <iterator>
#include <random>
#include <string>
#include <vector>

#include <brood.h>

#include "support/peak_memory.h"
#include "support/values.h"

namespace {

/* Something of everything that is data. */
std::string Sample()
{
    return Raw("\x80\x04\x95") + Little(12, 8) + Raw("(NK\1M\2\3J\4\5\6\7\x94") +
           Raw("G\x3f\xf8\0\0\0\0\0\0\x8a\3\1\2\3\x8b\2\0\0\0\1\2\x88\x89\x8c\3abc\x94") +
           Raw("X\2\0\0\0\xc3\xa9\x8d\1\0\0\0\0\0\0\0xC\2\0\1B\1\0\0\0zq\7") +
           Raw("\x8e\1\0\0\0\0\0\0\0y\x96\1\0\0\0\0\0\0\0w") +
           Raw("](K\1]K\2aeh\7r\0\1\0\0j\0\1\0\0") +
           Raw("}(K\1K\2\x8c\1k)u}NNsNN\x86N\x85NNN\x87") +
           Raw("\x8f(K\1N\x90(K\1K\2\x91(NN1N0K\7"
               "2(K\1l(NNdt.");
}

/* A value that was taken is whole: it prints, and it can be written and read again. */
void CheckWhole(const Message &message)
{
    const std::string shown = Shown(message);
    const std::string bytes = Encoded(brood_message_value(message.get()));
    EXPECT_EQ(shown, Shown(Decoded(bytes))) << bytes;
    EXPECT_EQ(shown, Shown(Copy(brood_message_value(message.get()))));
}

void CheckFailsOrIsWhole(const std::string &bytes)
{
    const Message message = Decoded(bytes);
    if (message) {
        CheckWhole(message);
        return;
    }
    const int error = brood_last_error()->error;
    EXPECT_TRUE(error == BROOD_EDECODE || error == BROOD_ERANGE) << error << " " << LastWords();
}

TEST(CodecHostile, TakesTheSampleThatTheOthersSpoil)
{
    const Message message = Decoded(Sample());
    ASSERT_TRUE(message) << LastWords();
    CheckWhole(message);
}

TEST(CodecHostile, RefusesTheSampleCutAnywhere)
{
    const std::string sample = Sample();
    size_t cut = 0;
    for (size_t size = 0; size < sample.size(); size++) {
        EXPECT_EQ(BROOD_EDECODE, DecodeError(sample.substr(0, size))) << size;
        /* and nothing behind the cut was looked at */
        const std::string without = "end at byte " + std::to_string(size) + " without STOP";
        for (const char *words : {"is cut off", without.c_str()}) {
            cut += size >= 2 && LastWords().find(words) != std::string::npos;
        }
        if (size + 1 < sample.size()) {
            EXPECT_EQ(BROOD_EDECODE, DecodeError(sample.substr(0, size) + ".")) << size;
        }
    }
    EXPECT_EQ(sample.size() - 2, cut);
}

TEST(CodecHostile, KnowsALengthThatIsOneTooLarge)
{
    const struct {
        const char *opcode;
        const char *name;
        size_t width;
    } sized[] = {
        {"\x8a", "LONG1", 1},   {"\x8b", "LONG4", 4},       {"\x8c", "SHORT_BINUNICODE", 1},
        {"X", "BINUNICODE", 4}, {"\x8d", "BINUNICODE8", 8}, {"C", "SHORT_BINBYTES", 1},
        {"B", "BINBYTES", 4},   {"\x8e", "BINBYTES8", 8},   {"\x96", "BYTEARRAY8", 8}};
    for (const auto &one : sized) {
        for (const size_t size : {0, 1, 7, 8, 200}) {
            const std::string rest(size, '\1');
            /* STOP is one of them */
            EXPECT_EQ(BROOD_EDECODE,
                      DecodeError(Pickle(one.opcode + Little(size + 1, one.width) + rest)));
            EXPECT_NE(std::string::npos, LastWords().find("without STOP")) << LastWords();
            EXPECT_EQ(BROOD_EDECODE,
                      DecodeError(Pickle(one.opcode + Little(size + 2, one.width) + rest)));
            EXPECT_EQ(std::string("opcode ") + one.name + " at byte 2 is cut off", LastWords());
        }
    }
}

TEST(CodecHostile, SurvivesEveryByteInEveryPlace)
{
    const std::string sample = Sample();
    for (size_t at = 0; at < sample.size(); at++) {
        std::string bytes = sample;
        for (int byte = 0; byte < 256; byte++) {
            bytes[at] = static_cast<char>(byte);
            CheckFailsOrIsWhole(bytes);
        }
    }
}

TEST(CodecHostile, SurvivesEveryOpcodeOnEveryStack)
{
    const std::vector<std::string> stacks = {"",   "N",   "NN",  "(",    "N(",    "(N",
                                             "](", "]N",  "}N",  "}NN",  "\x8f(", "]2",
                                             ")",  "(NN", "}(N", "]\x94"};
    for (const std::string &stack : stacks) {
        for (int byte = 0; byte < 256; byte++) {
            for (const std::string &rest :
                 {Raw(""), Raw("\0"), Raw("\0\0\0\0"), Raw("\1a"), Raw("\0\0\0\0\0\0\0\0"),
                  Raw("\xff\xff\xff\xff"), Raw("\n"), Raw("x\ny\n")}) {
                CheckFailsOrIsWhole(Pickle(stack + static_cast<char>(byte) + rest));
            }
        }
    }
}

TEST(CodecHostile, BelievesNoLength)
{
    const std::vector<uint64_t> lengths = {
        1,          0x7f,           0xff,           0x100,     0x7fffffff,
        0x80000000, 0xffffffff,     0x100000000,    INT64_MAX, uint64_t{1} << 63,
        UINT64_MAX, UINT64_MAX - 8, UINT64_MAX - 20};
    for (const uint64_t length : lengths) {
        for (const char *opcode : {"\x8d", "\x8e", "\x96", "\x95"}) {
            EXPECT_EQ(BROOD_EDECODE, DecodeError(Pickle(opcode + Little(length, 8))));
        }
        for (const char *opcode : {"X", "B", "\x8b"}) {
            EXPECT_EQ(BROOD_EDECODE, DecodeError(Pickle(opcode + Little(length | 1, 4))));
        }
        for (const char *opcode : {"\x8c", "C", "\x8a"}) {
            EXPECT_EQ(BROOD_EDECODE, DecodeError(Pickle(opcode + Little(length | 1, 1))));
        }
    }
}

TEST(CodecHostile, NeedsNoMoreThanLongsThatAreThere)
{
    const size_t size = 1000000;
    for (const char filler : {'\0', '\xff'}) {
        const std::string zeros = "\x8b" + Little(size, 4) + std::string(size, filler);
        EXPECT_EQ(filler == 0 ? "0" : "-1", Shown(Decoded(Pickle(zeros))));
        for (const size_t at : {size_t{0}, size_t{6}, size_t{8}, size - 1}) {
            std::string other = zeros;
            other[5 + at] = '\x55';
            EXPECT_EQ(at < 8 ? 0 : BROOD_ERANGE, DecodeError(Pickle(other))) << at;
        }
    }
    /* Python reads these sizes as negative */
    for (const uint32_t length : {0x80000000u, 0xfffffffeu, 0xffffffffu}) {
        EXPECT_EQ(BROOD_EDECODE, DecodeError(Pickle("\x8b" + Little(length, 4) + "abcd")));
    }
}

/* The frame that CPython's picklers write tells where to stop reading ahead; a false one gains
 * nothing. */
TEST(CodecHostile, BelievesNoFrame)
{
    const std::string inside = Raw("(K\1K\2t");
    const std::string opening = "\x95";
    for (uint64_t size = 0; size < 20; size++) {
        const std::string bytes = Pickle(opening + Little(size, 8) + inside);
        /* at an opcode's end, with STOP in or behind it */
        const bool good =
            size == 0 || size == 1 || size == 3 || size == 5 || size == 6 || size == 7;
        EXPECT_EQ(good ? 0 : BROOD_EDECODE, DecodeError(bytes)) << size;
    }
    std::string empty;
    for (int i = 0; i < 10000; i++) {
        empty += opening + Little(0, 8);
    }
    EXPECT_EQ("(1, 2)", Shown(Decoded(Pickle(empty + inside))));
    EXPECT_EQ(BROOD_EDECODE,
              DecodeError(Pickle(opening + Little(18, 8) + opening + Little(0, 8) + inside)));
}

TEST(CodecHostile, FindsNoMoreOnTheStackThanIsThere)
{
    const struct {
        const char *opcode;
        size_t count; /* values that it needs */
        bool mark;    /* and a mark above them */
    } needs[] = {{"\x85", 1, false},     {"\x86", 2, false}, {"\x87", 3, false}, {"a", 2, false},
                 {"s", 3, false},        {"2", 1, false},    {"\x94", 1, false}, {"e", 1, true},
                 {"u", 1, true},         {"\x90", 1, true},  {"t", 0, true},     {"l", 0, true},
                 {"d", 0, true},         {"\x91", 0, true},  {"1", 0, true},     {"q\5", 1, false},
                 {"r\5\5\5\5", 1, false}};
    for (const auto &one : needs) {
        for (const char *below : {"", "(", "N(", "NNN(", "((("}) {
            for (size_t count = 0; count < one.count; count++) {
                const std::string values(count, 'N');
                const std::string opcodes = below + values + (one.mark ? "(" : "") + one.opcode;
                EXPECT_EQ(BROOD_EDECODE, DecodeError(Pickle(opcodes)));
                EXPECT_NE(std::string::npos, LastWords().find("finds too few values"))
                    << opcodes << ": " << LastWords();
            }
        }
        if (one.mark) {
            for (const char *values : {"", "N", "NNNN", "N(t", "(1"}) {
                EXPECT_EQ(BROOD_EDECODE, DecodeError(Pickle(values + std::string(one.opcode))));
                EXPECT_NE(std::string::npos, LastWords().find("finds no MARK")) << LastWords();
            }
        }
    }
}

TEST(CodecHostile, EndsWithOneValueAndNoMark)
{
    for (const char *opcodes :
         {"(", "N(", "(N", "((", "N(0(", "(((N", "(1(", "NN", "N2", "(0", ""}) {
        EXPECT_EQ(BROOD_EDECODE, DecodeError(Pickle(opcodes))) << opcodes;
    }
    for (const char *opcodes : {"N(1", "N(0", "N((01", "N(NN1",
                                "N2"
                                "0",
                                "(((N111N"}) {
        EXPECT_EQ("None", Shown(Decoded(Pickle(opcodes)))) << opcodes;
    }
}

TEST(CodecHostile, MayPopWhatIsKept)
{
    EXPECT_EQ("([1], [1])", Shown(Decoded(Pickle(Raw("]q\0"
                                                     "0(h\0K\1a1h\0h\0\x86")))));
    /* a list that is popped, grows, and is asked for again */
    EXPECT_EQ("[[2], [2]]", Shown(Decoded(Pickle(Raw("](]2q\5e0"
                                                     "](h\5K\2ah\5e")))));
    EXPECT_EQ("({1: 1}, {1: 1})", Shown(Decoded(Pickle(Raw("}2\x86q\0h\0"
                                                           "00}2\x86q\1"
                                                           "0}2K\1K\1s\x86")))));
}

TEST(CodecHostile, SurvivesNestingOfAHundredThousand)
{
    const size_t depth = 100000;
    for (const char *open : {"(", "](", "]", "}N", "\x8f("}) {
        std::string opcodes;
        for (size_t i = 0; i < depth; i++) {
            opcodes += open;
        }
        EXPECT_EQ(BROOD_EDECODE, DecodeError(Pickle(opcodes)));
    }
    EXPECT_EQ(BROOD_EDECODE, DecodeError(Pickle("N" + std::string(depth, '\x85'))));
    EXPECT_EQ(BROOD_EDECODE,
              DecodeError(Pickle(std::string(depth, ']') + std::string(depth - 1, 'a'))));
    EXPECT_EQ(BROOD_EDECODE,
              DecodeError(Pickle(std::string(depth, '(') + std::string(depth, 't'))));
    EXPECT_EQ(BROOD_EDECODE,
              DecodeError(Pickle(std::string(depth, '(') + std::string(depth, '\x91'))));
    std::string dicts;
    for (size_t i = 0; i < depth; i++) {
        dicts += "}N";
    }
    EXPECT_EQ(BROOD_EDECODE, DecodeError(Pickle(dicts + "N" + std::string(depth, 's'))));
    /* deep, but thrown away again */
    EXPECT_EQ("1", Shown(Decoded(Pickle("K\1N" + std::string(depth, '\x85') + "0"))));
}

TEST(CodecHostile, KeepsInTheMemoOnlyWhatWasPut)
{
    std::string opcodes = "N";
    for (uint32_t i = 0; i < 2000; i++) {
        opcodes += "r" + Little(UINT32_MAX - i * 1000, 4);
    }
    EXPECT_EQ("None", Shown(Decoded(Pickle(opcodes + "j" + Little(UINT32_MAX, 4) + "0"))));
    EXPECT_EQ(BROOD_EDECODE, DecodeError(Pickle(opcodes + "j" + Little(UINT32_MAX - 1, 4) + "0")));
    EXPECT_EQ("None", Shown(Decoded(Pickle("N" + std::string(100000, '\x94') +
                                           Raw("h\0"
                                               "0")))));
    /* the longest way down the tree of indices: each shares the low bits of the one before */
    opcodes = "N";
    for (int bit = 31; bit >= 10; bit--) {
        opcodes += "r" + Little(uint32_t{1} << bit, 4);
    }
    for (int bit = 31; bit >= 10; bit--) {
        opcodes += "j" + Little(uint32_t{1} << bit, 4) + "0";
    }
    EXPECT_EQ("None", Shown(Decoded(Pickle(opcodes))));
}

TEST(CodecHostile, SharesOneListWithItselfInEveryWay)
{
    for (const char *opcodes : {"]22aa",
                                "]2\x85"
                                "a",
                                "]2(2\x85\x85tea",
                                "]2]2a\x86"
                                "a",
                                "}2N2s", "](2e", "]2(22e", "]222(0t0a0a0", "]2a2a2a"}) {
        CheckFailsOrIsWhole(Pickle(opcodes));
    }
}

/* Opcodes at random, more of those that build something. */
TEST(CodecHostile, SurvivesRandomOpcodes)
{
    const std::vector<std::string> opcodes = {
        "N",   "K\1",  "\x88",      "]",         "]",         "}",        ")",   "\x8f",    "(",
        "(",   "(",    "t",         "\x85",      "\x86",      "\x87",     "a",   "e",       "e",
        "s",   "u",    "\x90",      "\x91",      "l",         "d",        "0",   "1",       "2",
        "2",   "\x94", "\x94",      Raw("h\0"),  "h\1",       Raw("q\0"), "h\2", "\x8c\1a", "C\1b",
        "h\3", "h\3",  "r\4\3\2\1", "j\4\3\2\1", "\x8c\1\xff"};
    std::mt19937 random(20240611);
    const long runs = Scaled(400000);
    long taken = 0;
    for (long i = 0; i < runs; i++) {
        std::string text;
        const unsigned count = random() % 24 + 1;
        for (unsigned k = 0; k < count; k++) {
            text += opcodes[random() % opcodes.size()];
        }
        /* so that more of them end with one value */
        const std::string bytes = Pickle(i % 2 == 0 ? text : "(" + text + "t");
        const Message message = Decoded(bytes);
        if (message) {
            CheckWhole(message);
            taken++;
        }
        ASSERT_FALSE(HasFailure()) << bytes;
    }
    EXPECT_GT(taken, runs / 100);
}

/* 64 values for each byte, and not one more. */
TEST(CodecHostile, CountsToTheLimit)
{
    /* `shares` times a list of 1,001 values, beside `rest` Nones */
    const auto bytes = [](size_t shares, size_t rest) {
        std::string opcodes = "](" + std::string(1000, 'N') + "e\x94" + "0](";
        for (size_t i = 0; i < shares; i++) {
            opcodes += Raw("h\0");
        }
        return Pickle(opcodes + std::string(rest, 'N') + "e");
    };
    const size_t shares = 1000;
    size_t size = bytes(shares, 0).size();
    ASSERT_LT(size * 64, 1000000u);
    EXPECT_EQ(BROOD_EDECODE, DecodeError(bytes(shares, 0)));
    const size_t rest = 1000000 - 1 - 999 * 1001;
    EXPECT_EQ(0, DecodeError(bytes(999, rest)));
    EXPECT_EQ(BROOD_EDECODE, DecodeError(bytes(999, rest + 1)));
    /* larger ones: a million is no longer the limit */
    const size_t large = 20000;
    size = bytes(0, large).size();
    const size_t fit = (size * 64 - large - 1) / (1001 - 2 * 64);
    EXPECT_GT(fit * 1001, 1000000u);
    EXPECT_EQ(0, DecodeError(bytes(fit, large))) << LastWords();
    EXPECT_EQ(BROOD_EDECODE, DecodeError(bytes(fit + 1, large)));
}

/* Few bytes that ask for very much. */
TEST(CodecHostile, SpendsNoMemoryOnPromises)
{
    std::string bomb = "]\x94";
    for (int i = 0; i < 10; i++) {
        bomb += Raw("0](h\0h\0h\0h\0h\0h\0h\0h\0h\0h\0eq\0");
    }
    ASSERT_LE(Pickle(bomb).size(), 280u); /* for ten billion */
    std::vector<std::string> all = {Pickle(bomb), Pickle("Nr\xff\xff\xff\xff"
                                                         "0j\xff\xff\xff\xff")};
    for (const char *opcode : {"\x8d", "\x8e", "\x96", "\x95"}) {
        all.push_back(Pickle(opcode + Little(UINT64_MAX, 8)));
        all.push_back(Pickle(opcode + Little(uint64_t{1} << 33, 8)));
    }
    for (const char *opcode : {"X", "B", "\x8b", "j"}) {
        all.push_back(Pickle(opcode + Little(UINT32_MAX, 4)));
    }
    const size_t before = PeakMemory();
    if (before == 0) {
        GTEST_SKIP() << "the peak of memory is not known here";
    }
    for (const std::string &bytes : all) {
        (void)DecodeError(bytes);
    }
    EXPECT_LT(PeakMemory() - before, size_t{1} << 20);
}

/* Repeated patterns that ask for the most memory for each of their bytes. */
const char *const kPatterns[] = {"N",
                                 "]",
                                 "]2",
                                 "]\x94",
                                 "\x85",
                                 "N\x85",
                                 "\x94",
                                 "]Na",
                                 "(t",
                                 "(N\x91",
                                 "\x8c\1a",
                                 "](NNe(Ne",
                                 "r\xff\xff\xff\xff",
                                 "2"};

class CodecMemory : public testing::TestWithParam<size_t> {};

TEST_P(CodecMemory, IsAtMost64TimesTheInput)
{
    const size_t size = 2000000;
    const std::string pattern = kPatterns[GetParam()];
    std::string opcodes = "(N\x94";
    while (opcodes.size() < size) {
        opcodes += pattern;
    }
    const std::string bytes = Pickle(opcodes + Raw("h\0t"));
    const size_t before = PeakMemory();
    if (before == 0) {
        GTEST_SKIP() << "the peak of memory is not known here";
    }
    (void)DecodeError(bytes);
    /* A quarter more than its own for the heap's bookkeeping and what else lies in those pages. */
    EXPECT_LT(PeakMemory() - before, bytes.size() * 64 + (size_t{1} << 20) * 5 / 4);
}

INSTANTIATE_TEST_SUITE_P(Patterns, CodecMemory, testing::Range(size_t{0}, std::size(kPatterns)));

} // namespace

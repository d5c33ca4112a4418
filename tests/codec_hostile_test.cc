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
    for (size_t size = 0; size < sample.size(); size++) {
        EXPECT_EQ(BROOD_EDECODE, DecodeError(sample.substr(0, size))) << size;
        if (size + 1 < sample.size()) {
            EXPECT_EQ(BROOD_EDECODE, DecodeError(sample.substr(0, size) + ".")) << size;
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

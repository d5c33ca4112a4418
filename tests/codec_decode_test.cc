#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <brood.h>

#include "support/fault.h"
#include "support/values.h"

extern "C" {
#include "codec.h"
#include "fault.h"
}

namespace {

/* What opcodes stand for, printed, or why they are refused. */
std::string Read(const std::string &opcodes)
{
    return Shown(Decoded(Pickle(opcodes)));
}

uint8_t FlagsOf(const std::string &opcodes)
{
    const Message message = Decoded(Pickle(opcodes));
    EXPECT_TRUE(message) << LastWords();
    return message ? brood_message_value(message.get()).flags : 0;
}

/* ---- scalars ---- */

TEST(CodecDecode, ReadsScalars)
{
    EXPECT_EQ("None", Read("N"));
    EXPECT_EQ("True", Read("\x88"));
    EXPECT_EQ("False", Read("\x89"));
    EXPECT_EQ("255", Read("K\xff"));
    EXPECT_EQ("65535", Read("M\xff\xff"));
    EXPECT_EQ("-1", Read("J\xff\xff\xff\xff"));
    EXPECT_EQ("-2147483648", Read(Raw("J\0\0\0\x80")));
    EXPECT_EQ("-1.5", Read(Raw("G\xbf\xf8\0\0\0\0\0\0")));
}

TEST(CodecDecode, ReadsLongsOfAnySizeThatFitInto64Bits)
{
    const std::string zeros(200, '\0'), ones(200, '\xff');
    EXPECT_EQ("0", Read(Raw("\x8a\0")));
    EXPECT_EQ("-1", Read("\x8a\x01\xff"));
    EXPECT_EQ("128", Read(Raw("\x8a\2\x80\0")));
    EXPECT_EQ("-9223372036854775808", Read(Raw("\x8a\x08\0\0\0\0\0\0\0\x80")));
    EXPECT_EQ("9223372036854775808", Read(Raw("\x8a\x09\0\0\0\0\0\0\0\x80\0")));
    EXPECT_EQ("18446744073709551615", Read(Raw("\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\0")));
    EXPECT_EQ("0", Read("\x8a\xc8" + zeros));
    EXPECT_EQ("-1", Read("\x8a\xc8" + ones));
    EXPECT_EQ("5", Read(Raw("\x8b\1\0\0\0\5")));
    EXPECT_EQ("0", Read(Raw("\x8b\0\0\0\0")));
}

TEST(CodecDecode, RefusesLongsBeyond64BitsWithTheirOffset)
{
    for (const std::string &opcodes : {Raw("N0\x8a\x09\0\0\0\0\0\0\0\0\1"),
                                       Raw("N0\x8a\x09\xff\xff\xff\xff\xff\xff\xff\x7f\xff"),
                                       Raw("N0\x8a\x09\0\0\0\0\0\0\0\0\x80"),
                                       Raw("N0\x8b\x0a\0\0\0") + std::string(10, '\x7f')}) {
        EXPECT_EQ(BROOD_ERANGE, DecodeError(Pickle(opcodes)));
        EXPECT_EQ((opcodes[2] == '\x8a' ? "opcode LONG1" : "opcode LONG4") +
                      std::string(" at byte 4 has an integer that does not fit into 64 bits"),
                  LastWords());
    }
}

TEST(CodecDecode, ReadsTextsOfAllSizes)
{
    EXPECT_EQ("'abc'", Read("\x8c\x03"
                            "abc"));
    EXPECT_EQ("''", Read(Raw("\x8c\0")));
    EXPECT_EQ("'abc'", Read(Raw("X\3\0\0\0abc")));
    EXPECT_EQ("'abc'", Read(Raw("\x8d\3\0\0\0\0\0\0\0abc")));
    EXPECT_EQ("b'abc'", Read("C\x03"
                             "abc"));
    EXPECT_EQ("b'abc'", Read(Raw("B\3\0\0\0abc")));
    EXPECT_EQ("b'abc'", Read(Raw("\x8e\3\0\0\0\0\0\0\0abc")));
    EXPECT_EQ("b'abc'", Read(Raw("\x96\3\0\0\0\0\0\0\0abc")));
}

TEST(CodecDecode, PutsAZeroByteBehindEachText)
{
    const Message message = Decoded(Pickle("\x8c\x03"
                                           "abcK\x01\x8c\x02"
                                           "de\x87"));
    ASSERT_TRUE(message) << LastWords();
    const brood_value value = brood_message_value(message.get());
    EXPECT_STREQ("abc", brood_as_str(brood_value_at(value, 0), ""));
    EXPECT_STREQ("de", brood_as_str(brood_value_at(value, 2), ""));
}

/* Texts of both kinds in turn, of sizes around every limit there is. */
std::string TextsOfAllSizes(std::vector<std::string> *texts)
{
    std::string opcodes = "(";
    for (const size_t size : {0, 1, 2, 254, 255, 256, 511, 512, 513, 0, 70000, 1, 5000}) {
        const std::string text(size, static_cast<char>('a' + texts->size() % 26));
        for (const char *const kind : {"X", "B"}) {
            const std::string opcode = size < 256 ? kind[0] == 'X' ? "\x8c" : "C" : kind;
            opcodes += opcode + Little(size, size < 256 ? 1 : 4) + text;
            texts->push_back(text);
        }
        opcodes += "\x8d" + Little(size, 8) + text + "\x8e" + Little(size, 8) + text;
        texts->insert(texts->end(), 2, text);
    }
    return Pickle(opcodes + "t");
}

void ExpectTexts(const std::vector<std::string> &texts, brood_value value)
{
    ASSERT_EQ(texts.size(), brood_value_count(value));
    for (size_t i = 0; i < texts.size(); i++) {
        const brood_value item = brood_value_at(value, i);
        const brood_view view = brood_as_view(item);
        EXPECT_EQ(texts[i], std::string(static_cast<const char *>(view.data), view.size)) << i;
        if (brood_value_kind(item) == BROOD_STR) {
            EXPECT_EQ('\0', static_cast<const char *>(view.data)[view.size]) << i;
        }
    }
}

TEST(CodecDecode, LeavesTextsWhereTheyAreIfItMayChangeTheBytes)
{
    std::vector<std::string> texts;
    std::string bytes = TextsOfAllSizes(&texts);
    brood_arena arena = {};
    brood_value value = brood_none();
    ASSERT_EQ(0, brood_codec_decode_in_place(&bytes[0], bytes.size(), nullptr, &arena, &value));
    ExpectTexts(texts, value);
    for (size_t i = 0; i < texts.size(); i++) {
        const char *data = static_cast<const char *>(brood_as_view(brood_value_at(value, i)).data);
        EXPECT_TRUE(texts[i].empty() || (data > &bytes[0] && data < &bytes[0] + bytes.size()));
    }
    brood_arena_release(&arena);
}

TEST(CodecDecode, CopiesTextsIfItMayNotChangeTheBytes)
{
    std::vector<std::string> texts;
    const std::string bytes = TextsOfAllSizes(&texts);
    const std::string before = bytes;
    brood_arena arena = {};
    brood_value value = brood_none();
    ASSERT_EQ(0, brood_codec_decode(bytes.data(), bytes.size(), nullptr, &arena, &value));
    ExpectTexts(texts, value);
    EXPECT_EQ(before, bytes);
    brood_arena_release(&arena);
}

TEST(CodecDecode, MarksTextsThatAreNotUtf8AndKeepsThem)
{
    EXPECT_EQ(0, FlagsOf("\x8c\x05"
                         "\xc3\xa9\xe2\x82\xac"));
    EXPECT_EQ(0, FlagsOf("\x8c\x04"
                         "\xf0\x9f\x98\x80"));
    for (const char *text : {"\x8c\x03\xed\xb2\x80",
                             "\x8c\x02"
                             "a\xff",
                             "\x8c\x03\xc0\x80"
                             "a",
                             "\x8c\x03\xe0\x80\x80", "\x8c\x04\xf4\x90\x80\x80", "\x8c\x01\xc3",
                             "\x8c\x10"
                             "0123456789abcde\x80"}) {
        EXPECT_EQ(BROOD_VALUE_SURROGATE, FlagsOf(text)) << text;
        const Message message = Decoded(Pickle(text));
        EXPECT_EQ(Pickle(text), Encoded(brood_message_value(message.get())));
    }
}

/* ---- containers ---- */

TEST(CodecDecode, ReadsContainers)
{
    EXPECT_EQ("()", Read(")"));
    EXPECT_EQ("(None,)", Read("N\x85"));
    EXPECT_EQ("(1, 2)", Read("K\1K\2\x86"));
    EXPECT_EQ("(1, 2, 3)", Read("K\1K\2K\3\x87"));
    EXPECT_EQ("(1, 2, 3, 4)", Read("(K\1K\2K\3K\4t"));
    EXPECT_EQ("()", Read("(t"));
    EXPECT_EQ("[]", Read("]"));
    EXPECT_EQ("[1]", Read("]K\1a"));
    EXPECT_EQ("[1, 2, 3, 4, 5]", Read("](K\1K\2eK\3a(e(K\4K\5e"));
    EXPECT_EQ("[1, 2]", Read("(K\1K\2l"));
    EXPECT_EQ("[]", Read("(l"));
    EXPECT_EQ("{}", Read("}"));
    EXPECT_EQ("{1: 2}", Read("}K\1K\2s"));
    EXPECT_EQ("{1: 2, 3: 4, 5: 6}", Read("}(K\1K\2u(K\3K\4K\5K\6u"));
    EXPECT_EQ("{1: 2}", Read("(K\1K\2d"));
    EXPECT_EQ("set()", Read("\x8f"));
    EXPECT_EQ("{1, 2}", Read("\x8f(K\1\x90(K\2\x90"));
    EXPECT_EQ("{1}", Read("(K\1\x91"));
    EXPECT_EQ("set()", Read("(\x91"));
}

TEST(CodecDecode, LeavesNoTraceOfHowItWasBuilt)
{
    EXPECT_EQ(BROOD_VALUE_SET, FlagsOf("\x8f(N\x90"));
    EXPECT_EQ(BROOD_VALUE_SET, FlagsOf("(N\x91"));
    EXPECT_EQ(BROOD_VALUE_SET, FlagsOf("(\x91"));
    EXPECT_EQ(0, FlagsOf("]"));
    const Message message = Decoded(Pickle("(\x91(N\x91]\x87"));
    ASSERT_TRUE(message);
    const brood_value value = brood_message_value(message.get());
    EXPECT_EQ(BROOD_VALUE_SET, brood_value_at(value, 0).flags);
    EXPECT_EQ(BROOD_VALUE_SET, brood_value_at(value, 1).flags);
    EXPECT_EQ(0u, brood_value_count(brood_value_at(value, 2)));
}

TEST(CodecDecode, KeepsTheOrderOfPairsAndFindsTheLastOfEqualKeys)
{
    const Message message = Decoded(Pickle("}(\x8c\1aK\1\x8c\1bK\2\x8c\1aK\3u"));
    ASSERT_TRUE(message);
    const brood_value dict = brood_message_value(message.get());
    EXPECT_EQ("{'a': 1, 'b': 2, 'a': 3}", Shown(dict));
    EXPECT_EQ(3, brood_as_int(brood_value_get(dict, "a"), 0));
}

TEST(CodecDecode, TakesAsKeysWhatPythonHashes)
{
    EXPECT_EQ("{None: 1, True: 1, 1.0: 1, 'a': 1, b'a': 1, (1, (2,)): 1, {1}: 1}",
              Read(Raw("}(NK\1\x88K\1G\x3f\xf0\0\0\0\0\0\0K\1\x8c\1aK\1C\1aK\1"
                       "K\1K\2\x85\x86K\1(K\1\x91K\1u")));
    EXPECT_EQ("{(1,), {2}}", Read("\x8f(K\1\x85(K\2\x91\x90"));
    for (const char *opcodes :
         {"}]Ns", "}}Ns", "}\x8fNs", "}](eNs", "}(]Nu", "}(NN]Nu", "}]\x85Ns", "}]\x85\x85Ns",
          "(]Nd", "\x8f(]\x90", "(]\x91", "(\x8f\x91", "}(\x8f\x85Nu"}) {
        const std::string words = Read(opcodes);
        EXPECT_NE(std::string::npos, words.find("makes a key of what cannot be one")) << words;
    }
    EXPECT_EQ("{None: []}", Read("}(N]u"));
}

/* ---- the stack and the memo ---- */

TEST(CodecDecode, PopsAndDoublesAsPythonDoes)
{
    EXPECT_EQ("1", Read("K\1K\2"
                        "0"));
    EXPECT_EQ("1", Read("K\1(K\2K\3"
                        "1"));
    EXPECT_EQ("1", Read("K\1(0"));
    EXPECT_EQ("(1, 1)", Read("K\1"
                             "2\x86"));
    EXPECT_EQ("([1], [1])", Read("]2K\1a\x86"));
    EXPECT_EQ("error: opcode POP at byte 2 finds too few values", Read("0N"));
}

TEST(CodecDecode, BringsBackWhatWasKept)
{
    EXPECT_EQ("(1, 1)", Read(Raw("K\1\x94h\0\x86")));
    EXPECT_EQ("(1, 1)", Read(Raw("K\1q\5h\5\x86")));
    EXPECT_EQ("(1, 1)", Read(Raw("K\1r\0\0\1\0j\0\0\1\0\x86")));
    EXPECT_EQ("(1, 2, 1)", Read(Raw("K\1\x94K\2\x94h\0\x87")));
    EXPECT_EQ("(1, 2, 2)", Read(Raw("K\1q\0K\2q\0h\0\x87")));
    /* MEMOIZE counts what is kept, not how often */
    EXPECT_EQ("(1, 2, 2)", Read(Raw("K\1q\0q\0K\2\x94h\1\x87")));
    EXPECT_EQ("error: opcode BINGET at byte 5 asks for what was not kept",
              Read(Raw("K\1\x94h\1\x86")));
    EXPECT_EQ("error: opcode BINGET at byte 2 asks for what was not kept", Read(Raw("h\0")));
    EXPECT_EQ("error: opcode LONG_BINGET at byte 9 asks for what was not kept",
              Read(Raw("K\1r\xff\xff\xff\xffj\xff\xff\xff\xfe\x86")));
}

TEST(CodecDecode, KeepsValuesUnderAnyIndex)
{
    std::string opcodes = "(";
    std::string expected = "(";
    for (uint32_t i = 0; i < 300; i++) {
        const uint32_t index = i % 3 == 0 ? i : i * 2654435761u;
        opcodes += "M" + Little(i, 2) + "r" + Little(index, 4);
    }
    for (uint32_t i = 0; i < 300; i++) {
        const uint32_t index = i % 3 == 0 ? i : i * 2654435761u;
        opcodes += "j" + Little(index, 4);
    }
    const Message message = Decoded(Pickle(opcodes + "t"));
    ASSERT_TRUE(message) << LastWords();
    const brood_value value = brood_message_value(message.get());
    ASSERT_EQ(600u, brood_value_count(value));
    for (size_t i = 0; i < 300; i++) {
        EXPECT_EQ(static_cast<int64_t>(i), brood_as_int(brood_value_at(value, 300 + i), -1));
    }
}

TEST(CodecDecode, KeepsALastIndexWithoutRoomForTheOthers)
{
    EXPECT_EQ("(1, 1)", Read("K\1r\xff\xff\xff\xffj\xff\xff\xff\xff\x86"));
}

TEST(CodecDecode, SharesWhatIsSharedAlsoIfItGrowsLater)
{
    EXPECT_EQ("([1, 2], [1, 2])", Read(Raw("]\x94K\1ah\0K\2a\x86")));
    EXPECT_EQ("([1, 2, 3], [1, 2, 3])", Read(Raw("]\x94(K\1K\2eh\0K\3a\x86")));
    EXPECT_EQ("([3], ([3],))", Read(Raw("]\x94h\0\x85h\0K\3a0\x86")));
    EXPECT_EQ("({1: 2}, {1: 2})", Read(Raw("}\x94h\0K\1K\2s\x86")));
    EXPECT_EQ("([], [])", Read(Raw("]\x94h\0\x86")));
    EXPECT_EQ("([], [])", Read("]2\x86"));
    const Message message = Decoded(Pickle(Raw("](K\1e\x94h\0\x86")));
    ASSERT_TRUE(message);
    const brood_value value = brood_message_value(message.get());
    EXPECT_EQ(brood_value_at(value, 0).as.items, brood_value_at(value, 1).as.items);
}

TEST(CodecDecode, RefusesCycles)
{
    for (const std::string &opcodes :
         {Raw("]\x94h\0a"), Raw("]2a"), Raw("}\x94K\1h\0s"), Raw("]\x94(h\0\x85h\0e"),
          Raw("N]\x94h\0\x85"
              "a\x86")}) {
        EXPECT_EQ("error: opcode STOP at byte " + std::to_string(opcodes.size() + 2) +
                      " finds a value that contains itself",
                  Read(opcodes));
    }
    /* tuples that contain themselves, as Python writes them */
    EXPECT_EQ("error: opcode STOP at byte 12 finds a value that contains itself",
              Read(Raw("]\x94h\0\x85\x94"
                       "a0h\1")));
    EXPECT_EQ("error: opcode STOP at byte 26 finds a value that contains itself",
              Read(Raw("(]\x94(h\0K\1K\2K\3t\x94"
                       "aK\1K\2K\3"
                       "1h\1")));
}

/* ---- what brackets it ---- */

TEST(CodecDecode, ReadsFrames)
{
    EXPECT_EQ("1", Read(Raw("\x95\3\0\0\0\0\0\0\0K\1")));
    EXPECT_EQ("(1, 2)", Read(Raw("\x95\2\0\0\0\0\0\0\0K\1K\2\x95\2\0\0\0\0\0\0\0\x86")));
    EXPECT_EQ("1", Read(Raw("\x95\0\0\0\0\0\0\0\0K\1")));
    EXPECT_EQ("error: opcode FRAME at byte 2 is cut off", Read(Raw("\x95\4\0\0\0\0\0\0\0K\1")));
    EXPECT_EQ("error: opcode FRAME at byte 2 is cut off",
              Read(Raw("\x95\xff\xff\xff\xff\xff\xff\xff\xffK\1")));
    EXPECT_EQ("error: opcode BININT1 at byte 11 goes beyond its frame",
              Read(Raw("\x95\1\0\0\0\0\0\0\0K\1")));
    EXPECT_EQ("error: opcode FRAME at byte 12 is within another frame",
              Read(Raw("\x95\x0c\0\0\0\0\0\0\0N\x95\2\0\0\0\0\0\0\0"
                       "0N")));
}

TEST(CodecDecode, WantsOneProtocolItKnows)
{
    for (const char protocol : {2, 3, 4, 5}) {
        EXPECT_EQ("1", Shown(Decoded(std::string("\x80") + protocol + "K\1.")));
    }
    EXPECT_EQ(BROOD_EDECODE, DecodeError(Raw("\x80\1K\1.")));
    EXPECT_EQ("opcode PROTO at byte 0 has 1, which is not one of 2 to 5", LastWords());
    EXPECT_EQ(BROOD_EDECODE, DecodeError(Raw("\x80\6K\1.")));
    EXPECT_EQ(BROOD_EDECODE, DecodeError("K\1."));
    EXPECT_EQ("the bytes do not begin with PROTO", LastWords());
    EXPECT_EQ("error: opcode PROTO at byte 4 is not at the beginning", Read("K\1\x80\x04"));
}

TEST(CodecDecode, WantsOneValueAndNothingBehindIt)
{
    EXPECT_EQ(BROOD_EDECODE, DecodeError(""));
    EXPECT_EQ("there are no bytes to decode", LastWords());
    EXPECT_EQ("error: opcode STOP at byte 2 finds no value", Read(""));
    EXPECT_EQ("error: opcode STOP at byte 4 finds more than one value", Read("NN"));
    EXPECT_EQ("error: opcode STOP at byte 4 finds more than one value", Read("N("));
    EXPECT_EQ("error: opcode STOP at byte 3 is not at the end", Read("N.N"));
    EXPECT_EQ(BROOD_EDECODE, DecodeError("\x80\x04N"));
    EXPECT_EQ("the bytes end at byte 3 without STOP", LastWords());
}

TEST(CodecDecode, RefusesStackOpcodesThatFindTheWrongThings)
{
    EXPECT_EQ("error: opcode TUPLE at byte 3 finds no MARK", Read("Nt"));
    EXPECT_EQ("error: opcode TUPLE2 at byte 3 finds too few values", Read("N\x86"));
    EXPECT_EQ("error: opcode TUPLE2 at byte 5 finds too few values", Read("N(N\x86"));
    EXPECT_EQ("error: opcode APPEND at byte 3 finds too few values", Read("Na"));
    EXPECT_EQ("error: opcode APPEND at byte 4 finds nothing that it can add to", Read("NNa"));
    EXPECT_EQ("error: opcode APPEND at byte 4 finds nothing that it can add to", Read(")Na"));
    EXPECT_EQ("error: opcode APPEND at byte 4 finds nothing that it can add to", Read("\x8fNa"));
    EXPECT_EQ("error: opcode APPENDS at byte 5 finds nothing that it can add to", Read("}(Ne"));
    EXPECT_EQ("error: opcode APPENDS at byte 4 finds too few values", Read("(Ne"));
    EXPECT_EQ("error: opcode APPENDS at byte 5 finds too few values", Read("((Ne"));
    EXPECT_EQ("error: opcode ADDITEMS at byte 5 finds nothing that it can add to", Read("](N\x90"));
    EXPECT_EQ("error: opcode ADDITEMS at byte 6 finds nothing that it can add to",
              Read("(\x91(N\x90"));
    EXPECT_EQ("error: opcode SETITEM at byte 5 finds nothing that it can add to", Read("]NNs"));
    EXPECT_EQ("error: opcode SETITEMS at byte 5 finds a key without a value", Read("}(Nu"));
    EXPECT_EQ("error: opcode DICT at byte 4 finds a key without a value", Read("(Nd"));
    EXPECT_EQ("error: opcode POP_MARK at byte 3 finds no MARK", Read("N1"));
    EXPECT_EQ("error: opcode DUP at byte 3 finds too few values", Read("(2"));
    EXPECT_EQ("error: opcode MEMOIZE at byte 2 finds too few values", Read("\x94"));
    EXPECT_EQ("error: opcode BINPUT at byte 3 finds too few values", Read(Raw("(q\0")));
}

TEST(CodecDecode, SaysWhichOpcodeIsNotData)
{
    const struct {
        unsigned char byte;
        const char *name;
    } refused[] = {{'c', "GLOBAL"},
                   {0x93, "STACK_GLOBAL"},
                   {'R', "REDUCE"},
                   {'b', "BUILD"},
                   {'i', "INST"},
                   {'o', "OBJ"},
                   {0x81, "NEWOBJ"},
                   {0x92, "NEWOBJ_EX"},
                   {0x82, "EXT1"},
                   {0x83, "EXT2"},
                   {0x84, "EXT4"},
                   {0x97, "NEXT_BUFFER"},
                   {0x98, "READONLY_BUFFER"},
                   {'F', "FLOAT"},
                   {'I', "INT"},
                   {'L', "LONG"},
                   {'P', "PERSID"},
                   {'Q', "BINPERSID"},
                   {'S', "STRING"},
                   {'T', "BINSTRING"},
                   {'U', "SHORT_BINSTRING"},
                   {'V', "UNICODE"},
                   {'g', "GET"},
                   {'p', "PUT"}};
    for (const auto &one : refused) {
        EXPECT_EQ(std::string("error: opcode ") + one.name + " at byte 3 is not data",
                  Read("N" + std::string(1, static_cast<char>(one.byte))));
    }
    EXPECT_EQ("error: 0x99 at byte 3 is not an opcode", Read("N\x99"));
    EXPECT_EQ("error: 0x00 at byte 3 is not an opcode", Read(Raw("N\0")));
    EXPECT_EQ("error: opcode REDUCE at byte 17 is not data", Read("\x8c\x0bos.system()N\x86R"));
}

/* ---- bounds ---- */

TEST(CodecDecode, TakesAThousandLevelsAndNoMore)
{
    EXPECT_EQ(0, DecodeError(Pickle("N" + std::string(1000, '\x85'))));
    EXPECT_EQ(BROOD_EDECODE, DecodeError(Pickle("N" + std::string(1001, '\x85'))));
    EXPECT_EQ("opcode STOP at byte 1004 finds a value nested deeper than 1000", LastWords());
    EXPECT_EQ(0, DecodeError(Pickle(std::string(1000, ']') + std::string(999, 'a'))));
    EXPECT_EQ(BROOD_EDECODE, DecodeError(Pickle(std::string(1001, ']') + std::string(1000, 'a'))));
    /* a part that is fine by itself, but not at the place where it comes again */
    const std::string part = "N" + std::string(600, '\x85') + "\x94";
    EXPECT_EQ(0, DecodeError(Pickle(part + Raw("h\0") + std::string(399, '\x85') + "\x86")));
    EXPECT_EQ(BROOD_EDECODE,
              DecodeError(Pickle(part + Raw("h\0") + std::string(400, '\x85') + "\x86")));
}

/* 234 bytes can stand for ten billion values. */
TEST(CodecDecode, RefusesWhatStandsForTooManyValues)
{
    const std::string level = Raw("(h\0h\0h\0h\0h\0h\0h\0h\0h\0h\0tq\0"
                                  "0");
    std::string five = Raw("Nq\0"
                           "0"),
                nine = five;
    for (int i = 0; i < 5; i++) {
        five += level;
    }
    for (int i = 0; i < 9; i++) {
        nine += level;
    }
    EXPECT_EQ(0, DecodeError(Pickle(five + Raw("h\0")))) << LastWords();
    EXPECT_EQ(BROOD_EDECODE, DecodeError(Pickle(five + level + Raw("h\0"))));
    EXPECT_EQ(BROOD_EDECODE, DecodeError(Pickle(nine + Raw("h\0"))));
    EXPECT_EQ("opcode STOP at byte " + std::to_string(Pickle(nine + Raw("h\0")).size() - 1) +
                  " finds what stands for more than 1000000 values",
              LastWords());
    /* so many levels that the count itself would run over */
    std::string many = Raw("Nq\0"
                           "0");
    for (int i = 0; i < 990; i++) {
        many += level;
    }
    EXPECT_EQ(BROOD_EDECODE, DecodeError(Pickle(many + Raw("h\0"))));
}

/* Four times each level, three times the last, and `nones`: the count is nothing, or little, if it
 * runs over at any power of two. */
TEST(CodecDecode, RefusesWhatTheCountCannotHold)
{
    std::string levels = Raw("Nq\0"
                             "0");
    for (int i = 0; i < 40; i++) {
        levels += Raw("(h\0h\0h\0h\0tq\0"
                      "0");
    }
    for (const size_t nones : {0, 1, 5}) {
        const std::string bytes =
            Pickle(levels + Raw("(h\0h\0h\0") + std::string(nones, 'N') + "t");
        EXPECT_EQ(BROOD_EDECODE, DecodeError(bytes));
        EXPECT_NE(std::string::npos, LastWords().find("more than 1000000 values")) << LastWords();
    }
}

TEST(CodecDecode, ReadsMoreValuesThanTheStackFirstHasRoomFor)
{
    const size_t count = 100000;
    const Message flat = Decoded(Pickle("](" + std::string(count, 'N') + "e"));
    ASSERT_TRUE(flat) << LastWords();
    EXPECT_EQ(count, brood_value_count(brood_message_value(flat.get())));
    std::string batches = "]";
    for (size_t i = 0; i < count / 1000; i++) {
        batches += "(";
        for (size_t k = 0; k < 1000; k++) {
            batches += "M" + Little(k, 2);
        }
        batches += "e";
    }
    const Message list = Decoded(Pickle(batches));
    ASSERT_TRUE(list) << LastWords();
    const brood_value value = brood_message_value(list.get());
    ASSERT_EQ(count, brood_value_count(value));
    for (size_t i = 0; i < count; i += 777) {
        EXPECT_EQ(static_cast<int64_t>(i % 1000), brood_as_int(brood_value_at(value, i), -1));
    }
}

/* ---- callers ---- */

TEST(CodecDecode, RefusesBytesAtNull)
{
    brood_message *message = nullptr;
    EXPECT_EQ(BROOD_EINVAL, brood_decode(&message, nullptr, 3));
    EXPECT_EQ(BROOD_EINVAL, brood_decode(nullptr, "N", 1));
    EXPECT_EQ(BROOD_EDECODE, brood_decode(&message, nullptr, 0));
}

TEST(CodecDecode, LeavesNothingBehindWhenMemoryIsMissing)
{
    std::string deep = "N";
    for (int i = 0; i < 40; i++) {
        deep += "\x85";
    }
    const std::string bytes =
        Pickle("(" + deep +
               "\x8c\x03"
               "abc" +
               std::string(100, 'N') + Raw("](NNe(NNe\x94h\0") +
               "r\xff\xff\xff\xffj\xff\xff\xff\xff]2}2\x8c\xff" + std::string(255, 'x') + "X" +
               Little(5000, 4) + std::string(5000, 'x') + "t");
    ForEachFault([&] {
        brood_message *raw = nullptr;
        const int rc = brood_decode(&raw, bytes.data(), bytes.size());
        EXPECT_EQ(rc == 0, raw != nullptr);
        EXPECT_EQ(brood_fault_fired(), rc != 0);
        EXPECT_TRUE(rc == 0 || rc == BROOD_ENOMEM) << rc << " " << LastWords();
        brood_message_free(raw);
    });
}

} // namespace

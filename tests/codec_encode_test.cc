#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <brood.h>

#include "support/fault.h"
#include "support/values.h"

extern "C" {
#include "codec.h"
#include "error.h"
#include "fault.h"
}

namespace {

int Nothing(brood_call *)
{
    return 0;
}

std::string Hex(const std::string &bytes)
{
    static const char digits[] = "0123456789abcdef";
    std::string text;
    for (const char c : bytes) {
        text += digits[static_cast<unsigned char>(c) >> 4];
        text += digits[static_cast<unsigned char>(c) & 15];
    }
    return text;
}

/* What stands between PROTO 4 and STOP. */
std::string Opcodes(brood_value value)
{
    const std::string bytes = Encoded(value);
    if (bytes.size() < 3 || bytes.substr(0, 2) != "\x80\x04" || bytes.back() != '.') {
        return bytes;
    }
    return bytes.substr(2, bytes.size() - 3);
}

brood_value Set(const std::vector<brood_value> &items)
{
    brood_value set = brood_list(items.data(), items.size());
    set.flags = BROOD_VALUE_SET;
    return set;
}

/* ---- what is written ---- */

TEST(CodecEncode, WritesScalarsInTheirShortestForm)
{
    EXPECT_EQ("N", Opcodes(brood_none()));
    EXPECT_EQ("\x88", Opcodes(brood_bool(true)));
    EXPECT_EQ("\x89", Opcodes(brood_bool(false)));
    EXPECT_EQ(Raw("K\0"), Opcodes(brood_int(0)));
    EXPECT_EQ("K\xff", Opcodes(brood_int(255)));
    EXPECT_EQ(Raw("M\0\1"), Opcodes(brood_int(256)));
    EXPECT_EQ("M\xff\xff", Opcodes(brood_int(65535)));
    EXPECT_EQ(Raw("J\0\0\1\0"), Opcodes(brood_int(65536)));
    EXPECT_EQ("J\xff\xff\xff\xff", Opcodes(brood_int(-1)));
    EXPECT_EQ(Raw("J\0\0\0\x80"), Opcodes(brood_int(INT32_MIN)));
    EXPECT_EQ(Raw("\x8a\5\0\0\0\x80\0"), Opcodes(brood_int(int64_t{1} << 31)));
    EXPECT_EQ(Raw("\x8a\5\xff\xff\xff\x7f\xff"), Opcodes(brood_int(-(int64_t{1} << 31) - 1)));
    EXPECT_EQ(Raw("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f"), Opcodes(brood_int(INT64_MAX)));
    EXPECT_EQ(Raw("\x8a\x08\0\0\0\0\0\0\0\x80"), Opcodes(brood_int(INT64_MIN)));
    EXPECT_EQ(Raw("\x8a\x09\0\0\0\0\0\0\0\x80\0"), Opcodes(brood_uint(uint64_t{1} << 63)));
    EXPECT_EQ(Raw("\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\0"), Opcodes(brood_uint(UINT64_MAX)));
    EXPECT_EQ(Raw("G\x3f\xf8\0\0\0\0\0\0"), Opcodes(brood_float(1.5)));
}

TEST(CodecEncode, WritesTextsAndBytesByTheirSize)
{
    const std::string small(255, 'x'), large(256, 'x');
    EXPECT_EQ(Raw("\x8c\0"), Opcodes(brood_str("")));
    EXPECT_EQ("\x8c\x03"
              "abc",
              Opcodes(brood_str("abc")));
    EXPECT_EQ("\x8c\xff" + small, Opcodes(brood_str(small.c_str())));
    EXPECT_EQ(Raw("X\0\1\0\0") + large, Opcodes(brood_str(large.c_str())));
    EXPECT_EQ("C\x02\xff\xfe", Opcodes(brood_bytes("\xff\xfe", 2)));
    EXPECT_EQ(Raw("C\0"), Opcodes(brood_bytes(nullptr, 0)));
    EXPECT_EQ(Raw("B\0\1\0\0") + large, Opcodes(brood_bytes(large.data(), large.size())));
}

TEST(CodecEncode, WritesContainersByTheirCount)
{
    const brood_value n[] = {brood_none(), brood_none(), brood_none(), brood_none()};
    EXPECT_EQ(")", Opcodes(brood_tuple(n, 0)));
    EXPECT_EQ("N\x85", Opcodes(brood_tuple(n, 1)));
    EXPECT_EQ("NN\x86", Opcodes(brood_tuple(n, 2)));
    EXPECT_EQ("NNN\x87", Opcodes(brood_tuple(n, 3)));
    EXPECT_EQ("(NNNNt", Opcodes(brood_tuple(n, 4)));
    EXPECT_EQ("]", Opcodes(brood_list(nullptr, 0)));
    EXPECT_EQ("]Na", Opcodes(brood_list(n, 1)));
    EXPECT_EQ("](NNe", Opcodes(brood_list(n, 2)));
    EXPECT_EQ("}", Opcodes(brood_dict(nullptr, 0)));
    EXPECT_EQ("}NNs", Opcodes(brood_dict(n, 1)));
    EXPECT_EQ("}(NNNNu", Opcodes(brood_dict(n, 2)));
    EXPECT_EQ("\x8f", Opcodes(Set({})));
    EXPECT_EQ("\x8f(N\x90", Opcodes(Set({n[0]})));
}

/* Python could not hash a set there. */
TEST(CodecEncode, FreezesSetsThatArePartOfAKey)
{
    const std::vector<brood_value> none = {brood_none()};
    const brood_value inner = Set(none);
    const brood_value pair[] = {inner, inner};
    EXPECT_EQ("\x8f((N\x91\x90", Opcodes(Set({inner})));
    EXPECT_EQ("}(N\x91\x8f(N\x90s", Opcodes(brood_dict(pair, 1)));
    const brood_value tuple = brood_tuple(&inner, 1);
    const brood_value keyed[] = {tuple, tuple};
    EXPECT_EQ("}(N\x91\x85\x8f(N\x90\x85s", Opcodes(brood_dict(keyed, 1)));
    EXPECT_EQ("\x8f((\x91\x90", Opcodes(Set({Set({})})));
}

TEST(CodecEncode, LeavesATextThatIsNotUtf8AsItIs)
{
    EXPECT_EQ("\x8c\x02"
              "a\xff",
              Opcodes(brood_str("a\xff")));
    EXPECT_EQ("\x8c\x03\xed\xb2\x80", Opcodes(brood_str("\xed\xb2\x80")));
}

/* ---- what is shared ---- */

TEST(CodecEncode, WritesASharedContainerOnce)
{
    const brood_value items[] = {brood_none(), brood_none()};
    const brood_value list = brood_list(items, 2);
    const brood_value both[] = {list, list, list};
    EXPECT_EQ(Raw("](NNeq\0h\0h\0\x87"), Opcodes(brood_tuple(both, 3)));
}

TEST(CodecEncode, TellsSharedItemsOfDifferentKindAndSizeApart)
{
    const brood_value items[] = {brood_none(), brood_none()};
    brood_value set = brood_list(items, 2);
    set.flags = BROOD_VALUE_SET;
    const brood_value all[] = {brood_list(items, 2), brood_list(items, 1), brood_tuple(items, 2),
                               brood_dict(items, 1), set};
    EXPECT_EQ("(](NNe]NaNN\x86}NNs\x8f(NN\x90t", Opcodes(brood_tuple(all, 5)));
}

/* Right behind one that came again. */
TEST(CodecEncode, TellsWhatFollowsARepeatApart)
{
    const brood_value items[] = {brood_none(), brood_none()};
    const brood_value list = brood_list(items, 2);
    const std::string text(64, 'x');
    const brood_value bytes = brood_bytes(text.data(), text.size());
    brood_value set = list;
    set.flags = BROOD_VALUE_SET;
    for (const brood_value &other :
         {brood_tuple(items, 2), brood_dict(items, 1), set, brood_list(items, 1)}) {
        const brood_value all[] = {list, list, other};
        const Message again = Decoded(Encoded(brood_tuple(all, 3)));
        EXPECT_TRUE(brood_value_equal(brood_tuple(all, 3), brood_message_value(again.get())))
            << Shown(again);
    }
    const brood_value texts[] = {bytes, bytes, brood_text(text.data(), text.size())};
    EXPECT_EQ("(b'" + text + "', b'" + text + "', '" + text + "')",
              Shown(Decoded(Encoded(brood_tuple(texts, 3)))));
}

TEST(CodecEncode, WritesALargeSharedTextOnce)
{
    const std::string text(64, 'x');
    const brood_value value = brood_str(text.c_str());
    const brood_value items[] = {value, value};
    EXPECT_EQ("\x8c\x40" + text + Raw("q\0h\0\x86"), Opcodes(brood_tuple(items, 2)));
}

/* More shared parts than fit into one byte, and more than are looked for one by one. */
TEST(CodecEncode, NumbersManySharedContainers)
{
    const size_t count = 1000;
    std::vector<brood_value> numbers(count), tuples(count), all;
    for (size_t i = 0; i < count; i++) {
        numbers[i] = brood_int(static_cast<int64_t>(i));
        tuples[i] = brood_tuple(&numbers[i], 1);
        all.push_back(tuples[i]);
    }
    all.insert(all.end(), tuples.rbegin(), tuples.rend());
    const brood_value value = brood_list(all.data(), all.size());
    const std::string bytes = Encoded(value);
    const Message message = Decoded(bytes);
    ASSERT_TRUE(message) << LastWords();
    EXPECT_TRUE(brood_value_equal(value, brood_message_value(message.get())));
    EXPECT_EQ(bytes, Encoded(brood_message_value(message.get())));
}

/* Five lists within each other, ten times each: written out, a hundred thousand values. */
TEST(CodecEncode, SendsADagOnWithoutWritingItOut)
{
    std::vector<std::vector<brood_value>> levels(5);
    brood_value value = brood_int(0);
    for (auto &level : levels) {
        level.assign(10, value);
        value = brood_list(level.data(), level.size());
    }
    const std::string bytes = Encoded(value);
    EXPECT_LT(bytes.size(), 400u) << bytes;
    const Message message = Decoded(bytes);
    ASSERT_TRUE(message) << LastWords();
    EXPECT_EQ(bytes, Encoded(brood_message_value(message.get())));
}

TEST(CodecEncode, RefusesWhatStandsForMoreThanCanBeReadAgain)
{
    std::vector<std::vector<brood_value>> levels(20);
    brood_value value = brood_int(0);
    for (auto &level : levels) {
        level.assign(10, value);
        value = brood_list(level.data(), level.size());
    }
    brood_message *message = nullptr;
    EXPECT_EQ(BROOD_ETOOBIG, brood_encode(&message, value));
    EXPECT_EQ("the value stands for more than 1000000 values", LastWords());
    EXPECT_EQ(nullptr, message);
}

/* Forty lists within each other, four times each, three times that, and `nones`: the count is
 * nothing, or little, if it runs over at any power of two. */
TEST(CodecEncode, RefusesWhatTheCountCannotHold)
{
    for (const size_t nones : {0, 1, 5}) {
        std::vector<std::vector<brood_value>> levels(40);
        brood_value value = brood_none();
        for (auto &level : levels) {
            level.assign(4, value);
            value = brood_list(level.data(), level.size());
        }
        std::vector<brood_value> top(3, value);
        top.insert(top.end(), nones, brood_none());
        brood_message *message = nullptr;
        EXPECT_EQ(BROOD_ETOOBIG, brood_encode(&message, brood_list(top.data(), top.size())));
        EXPECT_EQ(nullptr, message);
        brood_message_free(message);
    }
}

/* ---- what is refused ---- */

int EncodeError(brood_value value)
{
    brood_message *message = nullptr;
    const int rc = brood_encode(&message, value);
    EXPECT_EQ(rc == 0, message != nullptr);
    brood_message_free(message);
    return rc;
}

TEST(CodecEncode, TakesAThousandLevelsAndNoMore)
{
    std::vector<brood_value> chain(1002, brood_list(nullptr, 0));
    for (size_t i = 1; i < chain.size(); i++) {
        chain[i] = i % 2 == 0 ? brood_list(&chain[i - 1], 1) : brood_tuple(&chain[i - 1], 1);
    }
    EXPECT_EQ(0, EncodeError(chain[999])) << LastWords();
    EXPECT_EQ(BROOD_ETOOBIG, EncodeError(chain[1000]));
    EXPECT_EQ("the value is nested deeper than 1000", LastWords());
    EXPECT_EQ(BROOD_ETOOBIG, EncodeError(chain[1001]));
    /* by way of a part that was seen in a place where it is not too deep */
    const brood_value wide[] = {chain[600], chain[990]};
    EXPECT_EQ(0, EncodeError(brood_tuple(wide, 2)));
    std::vector<brood_value> second(500);
    second[0] = chain[600];
    for (size_t i = 1; i < second.size(); i++) {
        second[i] = brood_tuple(&second[i - 1], 1);
    }
    const brood_value deep[] = {chain[600], second[499]};
    EXPECT_EQ(BROOD_ETOOBIG, EncodeError(brood_tuple(deep, 2)));
}

TEST(CodecEncode, RefusesAValueThatContainsItself)
{
    brood_value items[2];
    items[0] = brood_int(1);
    items[1] = brood_list(items, 2);
    EXPECT_EQ(BROOD_EINVAL, EncodeError(items[1]));
    EXPECT_EQ("the value contains itself", LastWords());
}

TEST(CodecEncode, RefusesWhatPythonCannotHash)
{
    const brood_value list = brood_list(nullptr, 0), dict = brood_dict(nullptr, 0);
    const brood_value by_list[] = {list, brood_none()}, by_dict[] = {dict, brood_none()};
    EXPECT_EQ(BROOD_ETYPE, EncodeError(brood_dict(by_list, 1)));
    EXPECT_EQ("a list cannot be a key or in a set", LastWords());
    EXPECT_EQ(BROOD_ETYPE, EncodeError(brood_dict(by_dict, 1)));
    EXPECT_EQ("a dict cannot be a key or in a set", LastWords());
    EXPECT_EQ(BROOD_ETYPE, EncodeError(Set({list})));
    /* also where the same tuple was fine before */
    const brood_value inner = brood_tuple(&list, 1);
    const brood_value keyed[] = {inner, brood_none()};
    const brood_value both[] = {inner, brood_dict(keyed, 1)};
    EXPECT_EQ(BROOD_ETYPE, EncodeError(brood_tuple(both, 2)));
    EXPECT_EQ(0, EncodeError(brood_tuple(both, 1)));
}

TEST(CodecEncode, RefusesFunctionsAndObjectsWithoutASaver)
{
    EXPECT_EQ(BROOD_ETYPE, EncodeError(brood_function_value(Nothing)));
    EXPECT_EQ("a function cannot be sent here", LastWords());
    const auto pipe = Pipe();
    const brood_value item = brood_of(pipe.first.get());
    EXPECT_EQ(BROOD_ETYPE, EncodeError(brood_list(&item, 1)));
    EXPECT_EQ("a connection cannot be sent here", LastWords());
}

TEST(CodecEncode, SaysWhatIsWrongWithAValue)
{
    brood_value value = brood_tuple(nullptr, 3);
    EXPECT_EQ(BROOD_EINVAL, EncodeError(value));
    EXPECT_EQ("a tuple of size 3 at NULL", LastWords());
    EXPECT_EQ(BROOD_EINVAL, EncodeError(brood_bytes(nullptr, 1)));
    const brood_value odd[] = {brood_int(1)};
    value = brood_list(odd, 1);
    value.kind = BROOD_DICT_KIND;
    EXPECT_EQ(BROOD_EINVAL, EncodeError(value));
    EXPECT_EQ("a dict has a key without a value", LastWords());
    value.kind = 77;
    EXPECT_EQ(BROOD_EINVAL, EncodeError(value));
    EXPECT_EQ("not a value: its kind is 77", LastWords());
    EXPECT_EQ(BROOD_EINVAL, EncodeError(BROOD_LIST(BROOD_NAMED("x", 1))));
    EXPECT_EQ("a named argument can only be in BROOD_ARGS", LastWords());
    EXPECT_EQ(BROOD_EINVAL, brood_encode(nullptr, brood_none()));
}

/* ---- functions and objects ---- */

/* Saves a function as (its number, its name), numbered anew in each pass. */
struct Saver {
    int begins = 0;
    int64_t number = 0;
    brood_value fields[2];
    std::vector<int64_t> numbers;

    static void Begin(void *user)
    {
        auto *self = static_cast<Saver *>(user);
        self->begins++;
        self->number = 0;
    }
    static int Save(void *user, brood_value object, brood_value *id)
    {
        auto *self = static_cast<Saver *>(user);
        EXPECT_EQ(BROOD_FUNCTION, brood_value_kind(object));
        self->fields[0] = brood_int(++self->number);
        self->fields[1] = brood_str("nothing");
        *id = brood_tuple(self->fields, 2);
        self->numbers.push_back(self->number);
        return 0;
    }
};

struct Loader {
    std::vector<std::string> ids;

    static int Load(void *user, brood_arena *, brood_value id, brood_value *object)
    {
        static_cast<Loader *>(user)->ids.push_back(Shown(id));
        *object = brood_function_value(Nothing);
        return 0;
    }
};

int ReserveString(void *user, size_t size, void **data)
{
    auto *bytes = static_cast<std::string *>(user);
    bytes->assign(size, '\0');
    *data = &(*bytes)[0];
    return 0;
}

TEST(CodecPersistent, AsksTheSaverInBothPassesAndTheLoaderOnce)
{
    Saver state;
    const brood_saver saver = {Saver::Begin, Saver::Save, &state};
    std::string bytes;
    const brood_room room = {ReserveString, &bytes};
    const brood_value items[] = {brood_function_value(Nothing), brood_int(5),
                                 brood_function_value(Nothing)};
    ASSERT_EQ(0, brood_codec_encode(brood_list(items, 3), &saver, &room));
    EXPECT_EQ(2, state.begins);
    EXPECT_EQ((std::vector<int64_t>{1, 2, 1, 2}), state.numbers);
    EXPECT_EQ("\x80\x04](K\x01\x8c\x07nothing\x86QK\x05K\x02\x8c\x07nothing\x86Qe.", bytes)
        << Hex(bytes);

    Loader loaded;
    const brood_loader loader = {Loader::Load, &loaded};
    brood_arena arena = {};
    brood_value value = brood_none();
    ASSERT_EQ(0, brood_codec_decode(bytes.data(), bytes.size(), &loader, &arena, &value));
    EXPECT_EQ((std::vector<std::string>{"(1, 'nothing')", "(2, 'nothing')"}), loaded.ids);
    EXPECT_EQ("[<function>, 5, <function>]", Shown(value));
    brood_arena_release(&arena);
    EXPECT_EQ(BROOD_EDECODE, DecodeError(bytes));
    EXPECT_EQ("opcode BINPERSID at byte 16 is not data", LastWords());
}

TEST(CodecPersistent, PassesTheSaversFailureOn)
{
    const brood_saver saver = {
        nullptr, [](void *, brood_value, brood_value *) -> int { return BROOD_EMODULE; }, nullptr};
    std::string bytes;
    const brood_room room = {ReserveString, &bytes};
    EXPECT_EQ(BROOD_EMODULE, brood_codec_encode(brood_function_value(Nothing), &saver, &room));
    EXPECT_EQ("", bytes);
}

TEST(CodecPersistent, TakesOnlyScalarsAndTuplesOfThemAsIds)
{
    const brood_saver saver = {nullptr,
                               [](void *user, brood_value, brood_value *id) -> int {
                                   *id = *static_cast<brood_value *>(user);
                                   return 0;
                               },
                               nullptr};
    std::string bytes;
    const brood_room room = {ReserveString, &bytes};
    brood_value list = brood_list(nullptr, 0);
    brood_value nested = brood_tuple(&list, 1);
    brood_value number = brood_int(7);
    for (brood_value *id : {&list, &nested}) {
        brood_saver with_id = saver;
        with_id.user = id;
        EXPECT_EQ(BROOD_EINVAL, brood_codec_encode(brood_function_value(Nothing), &with_id, &room));
    }
    brood_saver with_number = saver;
    with_number.user = &number;
    EXPECT_EQ(0, brood_codec_encode(brood_function_value(Nothing), &with_number, &room));
    EXPECT_EQ("\x80\x04K\x07Q.", bytes);

    Loader loaded;
    const brood_loader loader = {Loader::Load, &loaded};
    brood_arena arena = {};
    brood_value value = brood_none();
    for (const char *opcodes : {"]Q", "]\x85Q", "}Q", ")Q", "(\x91Q"}) {
        const std::string pickle = Pickle(opcodes);
        EXPECT_EQ(BROOD_EDECODE,
                  brood_codec_decode(pickle.data(), pickle.size(), &loader, &arena, &value));
    }
    EXPECT_TRUE(loaded.ids.empty());
    brood_arena_release(&arena);
}

TEST(CodecPersistent, ShowsNoLoaderAnObjectAsAnId)
{
    brood_arena arena = {};
    brood_value value = brood_none();
    for (const char *opcodes : {"K\1QQ", "K\1Q\x85Q", "NK\1QN\x87Q"}) {
        Loader loaded;
        const brood_loader loader = {Loader::Load, &loaded};
        const std::string pickle = Pickle(opcodes);
        EXPECT_EQ(BROOD_EDECODE,
                  brood_codec_decode(pickle.data(), pickle.size(), &loader, &arena, &value));
        EXPECT_EQ(std::vector<std::string>{"1"}, loaded.ids);
    }
    brood_arena_release(&arena);
}

TEST(CodecPersistent, SaysWhichIdTheLoaderCouldNotRead)
{
    const auto load = [](void *user, brood_arena *, brood_value, brood_value *) {
        return brood_fail(*static_cast<int *>(user), "no such thing");
    };
    const std::string pickle = Pickle("NK\1Q\x86");
    brood_arena arena = {};
    brood_value value = brood_none();
    int error = BROOD_EDECODE;
    const brood_loader loader = {load, &error};
    EXPECT_EQ(BROOD_EDECODE,
              brood_codec_decode(pickle.data(), pickle.size(), &loader, &arena, &value));
    EXPECT_EQ("opcode BINPERSID at byte 5: no such thing", LastWords());
    /* nothing is wrong with these bytes */
    error = BROOD_EMODULE;
    EXPECT_EQ(BROOD_EMODULE,
              brood_codec_decode(pickle.data(), pickle.size(), &loader, &arena, &value));
    EXPECT_EQ("no such thing", LastWords());
    brood_arena_release(&arena);
}

TEST(CodecPersistent, ShowsTheLoaderWholeTexts)
{
    const auto load = [](void *user, brood_arena *, brood_value id, brood_value *object) {
        const brood_view view = brood_as_view(brood_value_at(id, 0));
        *static_cast<size_t *>(user) = strlen(static_cast<const char *>(view.data));
        *object = brood_function_value(Nothing);
        return 0;
    };
    for (const size_t size : {size_t{1}, size_t{511}, size_t{512}, size_t{70000}}) {
        size_t seen = 0;
        const brood_loader loader = {load, &seen};
        std::string pickle = Pickle("X" + Little(size, 4) + std::string(size, 'x') + "\x85Q");
        brood_arena arena = {};
        brood_value value = brood_none();
        ASSERT_EQ(0,
                  brood_codec_decode_in_place(&pickle[0], pickle.size(), &loader, &arena, &value));
        EXPECT_EQ(size, seen);
        brood_arena_release(&arena);
    }
}

/* ---- memory ---- */

TEST(CodecEncode, LeavesNothingBehindWhenMemoryIsMissing)
{
    std::vector<brood_value> chain(40, brood_int(1)), wide(100);
    for (size_t i = 1; i < chain.size(); i++) {
        chain[i] = brood_tuple(&chain[i - 1], 1);
    }
    for (size_t i = 0; i < wide.size(); i++) {
        wide[i] = chain[i % chain.size()];
    }
    const brood_value value = brood_list(wide.data(), wide.size());
    ForEachFault([&] {
        brood_message *raw = nullptr;
        const int rc = brood_encode(&raw, value);
        EXPECT_EQ(rc == 0, raw != nullptr);
        EXPECT_EQ(brood_fault_fired(), rc != 0);
        EXPECT_TRUE(rc == 0 || rc == BROOD_ENOMEM) << rc;
        brood_message_free(raw);
    });
}

} // namespace

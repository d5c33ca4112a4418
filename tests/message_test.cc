#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include <brood.h>

#include "support/fault.h"
#include "support/values.h"

extern "C" {
#include "arena.h"
#include "fault.h"
#include "message.h"
#include "object.h"
}

namespace {

int Nothing(brood_call *)
{
    return 0;
}

int CopyError(brood_value value)
{
    brood_message *raw = nullptr;
    const int rc = brood_message_new(&raw, value);
    EXPECT_EQ(rc == 0, raw != nullptr);
    brood_message_free(raw);
    return rc;
}

/* ---- copies ---- */

TEST(MessageNew, CopiesDeeply)
{
    char text[] = "text", bytes[] = "bytes";
    brood_value inner[] = {brood_str(text), brood_bytes(bytes, 5)};
    brood_value items[] = {brood_tuple(inner, 2), brood_int(5), brood_dict(inner, 1),
                           brood_float(0.5), brood_function_value(Nothing)};
    const Message message = Copy(brood_list(items, 5));
    std::memset(text, 'x', 4);
    std::memset(bytes, 'x', 5);
    std::memset(inner, 0, sizeof inner);
    std::memset(items, 0, sizeof items);
    EXPECT_EQ("[('text', b'bytes'), 5, {'text': b'bytes'}, 0.5, <function>]", Shown(message));
}

TEST(MessageNew, PutsAZeroByteBehindTexts)
{
    const Message message = Copy(brood_text("abcdef", 3));
    EXPECT_STREQ("abc", brood_as_str(brood_message_value(message.get()), ""));
    const Message empty = Copy(brood_text("abcdef", 0));
    EXPECT_STREQ("", brood_as_str(brood_message_value(empty.get()), "x"));
}

TEST(MessageNew, KeepsSetsAndWhatIsNotUtf8)
{
    const brood_value one = brood_int(1);
    brood_value set = brood_list(&one, 1);
    set.flags = BROOD_VALUE_SET;
    EXPECT_EQ("{1}", Shown(Copy(set)));
    EXPECT_EQ("'\\udcff'", Shown(Copy(brood_str("\xff"))));
}

TEST(MessageNew, TakesAnotherReferenceToObjects)
{
    Message message;
    {
        const auto pipe = Pipe();
        const brood_value items[] = {brood_of(pipe.first.get()), brood_of(pipe.first.get()),
                                     BROOD_GIVE(pipe.second.get())};
        message = Copy(brood_list(items, 3));
        ASSERT_TRUE(message);
        EXPECT_FALSE(brood_connection_closed(pipe.second.get()));
    }
    brood_connection *first = nullptr, *again = nullptr, *second = nullptr;
    ASSERT_EQ(0, BROOD_UNPACK(message.get(), &first, &again, &second));
    EXPECT_EQ(first, again);
    EXPECT_EQ(0, brood_send(first, brood_int(5), 1000));
    brood_message *raw = nullptr;
    ASSERT_EQ(0, brood_recv(second, &raw, 1000));
    EXPECT_EQ("5", Shown(Message(raw)));
    EXPECT_EQ(0, brood_message_value(message.get()).as.items[2].flags);
}

TEST(MessageNew, KeepsSharedPartsShared)
{
    std::vector<std::vector<brood_value>> levels(60);
    brood_value value = brood_int(0);
    for (auto &level : levels) {
        level.assign(10, value);
        value = brood_list(level.data(), level.size());
    }
    const Message message = Copy(value);
    ASSERT_TRUE(message);
    const brood_value copy = brood_message_value(message.get());
    EXPECT_EQ(brood_value_at(copy, 0).as.items, brood_value_at(copy, 9).as.items);
    EXPECT_NE(levels[58].data(), brood_value_at(copy, 0).as.items);
    const std::string text(1000, 'x');
    const brood_value texts[] = {brood_str(text.c_str()), brood_str(text.c_str()),
                                 brood_bytes(text.data(), 1000)};
    const Message shared = Copy(brood_list(texts, 3));
    const brood_value list = brood_message_value(shared.get());
    EXPECT_EQ(brood_value_at(list, 0).as.data, brood_value_at(list, 1).as.data);
    EXPECT_NE(brood_value_at(list, 0).as.data, brood_value_at(list, 2).as.data);
}

TEST(MessageNew, TakesAThousandLevelsAndNoMore)
{
    std::vector<brood_value> chain(1002, brood_list(nullptr, 0));
    for (size_t i = 1; i < chain.size(); i++) {
        chain[i] = brood_tuple(&chain[i - 1], 1);
    }
    EXPECT_EQ(0, CopyError(chain[999]));
    EXPECT_EQ(BROOD_ETOOBIG, CopyError(chain[1000]));
    EXPECT_EQ("the value is nested deeper than 1000", LastWords());
    std::vector<brood_value> second(500, chain[600]);
    for (size_t i = 1; i < second.size(); i++) {
        second[i] = brood_tuple(&second[i - 1], 1);
    }
    const brood_value deep[] = {chain[600], second[499]};
    EXPECT_EQ(BROOD_ETOOBIG, CopyError(brood_tuple(deep, 2)));
}

TEST(MessageNew, SaysWhatIsWrongWithAValue)
{
    brood_value items[2] = {brood_int(1), brood_none()};
    items[1] = brood_list(items, 2);
    EXPECT_EQ(BROOD_EINVAL, CopyError(items[1]));
    EXPECT_EQ("the value contains itself", LastWords());
    EXPECT_EQ(BROOD_EINVAL, CopyError(brood_bytes(nullptr, 3)));
    EXPECT_EQ(BROOD_EINVAL, brood_message_new(nullptr, brood_none()));
}

TEST(Message, MayBeNull)
{
    brood_message_free(nullptr);
    EXPECT_EQ(BROOD_NONE, brood_value_kind(brood_message_value(nullptr)));
}

/* Each of these has everything that needs memory: depth, many parts, objects. */
TEST(MessageNew, LeavesNothingBehindWhenMemoryIsMissing)
{
    const auto pipe = Pipe();
    std::vector<brood_value> chain(30, brood_str("text")), wide;
    for (size_t i = 1; i < chain.size(); i++) {
        chain[i] = brood_tuple(&chain[i - 1], 1);
        wide.push_back(brood_of(pipe.first.get()));
    }
    wide.insert(wide.end(), chain.begin(), chain.end());
    const brood_value value = brood_list(wide.data(), wide.size());
    ForEachFault([&] {
        brood_message *raw = nullptr;
        const int rc = brood_message_new(&raw, value);
        EXPECT_EQ(rc == 0, raw != nullptr);
        EXPECT_EQ(brood_fault_fired(), rc != 0);
        brood_message_free(raw);
    });
    /* no reference was lost or dropped twice */
    EXPECT_EQ(0, brood_send(pipe.first.get(), brood_int(1), 1000));
}

/* ---- from bytes ---- */

TEST(MessageOfBytes, TakesTheBufferOver)
{
    brood_buffer buffer = {};
    ASSERT_EQ(0, brood_buffer_new(&buffer, 3));
    std::memcpy(buffer.data, "abc", 3);
    const void *data = buffer.data;
    brood_message *raw = nullptr;
    ASSERT_EQ(0, brood_message_of_bytes(&raw, &buffer));
    const Message message(raw);
    EXPECT_EQ(nullptr, buffer.data);
    EXPECT_EQ(data, brood_as_view(brood_message_value(raw)).data);
    EXPECT_EQ("b'abc'", Shown(message));
}

brood_buffer BufferOf(const std::string &bytes)
{
    brood_buffer buffer = {};
    EXPECT_EQ(0, brood_buffer_new(&buffer, bytes.size()));
    std::memcpy(buffer.data, bytes.data(), bytes.size());
    return buffer;
}

TEST(MessageFromBuffer, BorrowsBytesFromTheBuffer)
{
    brood_buffer buffer = BufferOf(Pickle("C\x03"
                                          "abc"));
    const char *data = static_cast<const char *>(buffer.data);
    brood_message *raw = nullptr;
    ASSERT_EQ(0, brood_message_from_buffer(&raw, &buffer, nullptr));
    const Message message(raw);
    EXPECT_EQ(data + 4, brood_as_view(brood_message_value(raw)).data);
}

TEST(MessageFromBuffer, LeavesTheBufferAloneOnFailure)
{
    brood_buffer buffer = BufferOf(Pickle("R"));
    brood_message *raw = nullptr;
    EXPECT_EQ(BROOD_EDECODE, brood_message_from_buffer(&raw, &buffer, nullptr));
    EXPECT_EQ(nullptr, raw);
    EXPECT_NE(nullptr, buffer.data);
    brood_buffer_release(&buffer);
    EXPECT_EQ(nullptr, buffer.data);
}

/* Hands out references to one end of a pipe. */
struct Loader {
    brood_connection *connection;
    int failing; /* the load, from 1, that fails */
    int loads = 0;

    static int Load(void *user, brood_arena *, brood_value, brood_value *object)
    {
        auto *self = static_cast<Loader *>(user);
        if (++self->loads == self->failing) {
            return BROOD_EHANDLE;
        }
        *object = brood_of(brood_connection_ref(self->connection));
        return 0;
    }
};

TEST(MessageFromBuffer, OwnsWhatWasLoadedAlsoIfItIsThrownAway)
{
    auto pipe = Pipe();
    const std::string bytes = Pickle("(NQNQ0NQNQNQNQt");
    ForEachFault([&] {
        Loader state = {pipe.first.get(), 0};
        const brood_loader loader = {Loader::Load, &state};
        brood_buffer buffer = {};
        brood_message *raw = nullptr;
        int rc = brood_buffer_new(&buffer, bytes.size());
        if (rc == 0) {
            std::memcpy(buffer.data, bytes.data(), bytes.size());
            rc = brood_message_from_buffer(&raw, &buffer, &loader);
        }
        EXPECT_EQ(brood_fault_fired(), rc != 0);
        if (rc == 0) {
            EXPECT_EQ(6, state.loads);
            EXPECT_EQ(5u, brood_value_count(brood_message_value(raw)));
        }
        brood_message_free(raw);
        brood_buffer_release(&buffer);
    });
    Loader state = {pipe.first.get(), 4};
    const brood_loader loader = {Loader::Load, &state};
    brood_buffer buffer = BufferOf(bytes);
    brood_message *raw = nullptr;
    EXPECT_EQ(BROOD_EHANDLE, brood_message_from_buffer(&raw, &buffer, &loader));
    brood_buffer_release(&buffer);
    /* If a reference were left, the other end would not see this one go. */
    pipe.first.reset();
    EXPECT_EQ(BROOD_EEND, brood_recv(pipe.second.get(), &raw, kSoon));
}

/* ---- kinds ---- */

TEST(KindName, NamesEveryKind)
{
    EXPECT_STREQ("none", brood_kind_name(BROOD_NONE));
    EXPECT_STREQ("int", brood_kind_name(BROOD_UINT));
    EXPECT_STREQ("connection", brood_kind_name(BROOD_CONNECTION));
    EXPECT_STREQ("handle", brood_kind_name(BROOD_HANDLE));
    EXPECT_STREQ("process", brood_kind_name(BROOD_PROCESS));
    EXPECT_STREQ("lock", brood_kind_name(BROOD_LOCK));
    EXPECT_STREQ("queue", brood_kind_name(BROOD_QUEUE));
    EXPECT_STREQ("a lock", brood_kind_a(BROOD_LOCK));
    EXPECT_STREQ("an array", brood_kind_a(BROOD_ARRAY));
    EXPECT_STREQ("memory", brood_kind_name(BROOD_MEMORY));
    EXPECT_STREQ("array", brood_kind_name(BROOD_ARRAY));
    EXPECT_STREQ("unknown kind", brood_kind_name(UINT8_MAX));
    EXPECT_STREQ("unknown kind", brood_kind_name(-1));
    EXPECT_TRUE(brood_kind_is_object(BROOD_CONNECTION));
    EXPECT_TRUE(brood_kind_is_object(BROOD_HANDLE));
    EXPECT_TRUE(brood_kind_is_object(BROOD_PROCESS));
    EXPECT_TRUE(brood_kind_is_object(BROOD_MEMORY));
    EXPECT_TRUE(brood_kind_is_object(BROOD_ARRAY));
    EXPECT_FALSE(brood_kind_is_object(UINT8_MAX));
    EXPECT_FALSE(brood_kind_is_object(BROOD_FUNCTION));
}

/* ---- memory ---- */

TEST(Arena, GivesAlignedMemoryOfAnySize)
{
    brood_arena arena = {};
    std::vector<std::pair<unsigned char *, size_t>> pieces;
    for (size_t size = 0; size < 20000; size = size * 5 / 4 + 1) {
        for (int i = 0; i < 20; i++) {
            auto *piece = static_cast<unsigned char *>(brood_arena_alloc(&arena, size));
            ASSERT_NE(nullptr, piece);
            EXPECT_EQ(0u, reinterpret_cast<uintptr_t>(piece) % alignof(long double));
            std::memset(piece, static_cast<int>(pieces.size() & 255), size);
            pieces.emplace_back(piece, size);
        }
    }
    for (size_t i = 0; i < pieces.size(); i++) {
        for (size_t k = 0; k < pieces[i].second; k++) {
            ASSERT_EQ(i & 255, pieces[i].first[k]);
        }
    }
    brood_arena_release(&arena);
    EXPECT_EQ(nullptr, arena.blocks);
}

TEST(Arena, RefusesSizesThatCannotBe)
{
    brood_arena arena = {};
    EXPECT_EQ(nullptr, brood_arena_alloc(&arena, SIZE_MAX));
    EXPECT_EQ(nullptr, brood_arena_text(&arena, "", SIZE_MAX));
    EXPECT_NE(nullptr, brood_arena_alloc(&arena, 1));
    EXPECT_EQ(nullptr, brood_arena_alloc(&arena, SIZE_MAX - 8));
    brood_arena_release(&arena);
}

} // namespace

/* What travels beside bytes, when somebody has spoilt the bytes: nothing worse than an error, and no
 * handle is left (which every test is watched for). */
#include <gtest/gtest.h>

#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "support/insides.h"
#include "support/native.h"
#include "support/objects.h"
#include "support/sync.h"
#include "support/values.h"

namespace {

int Nothing(brood_call *)
{
    return 0;
}

/* One of each kind of object, two of them twice, and functions with a name and without. */
class SpoiltParcel : public testing::Test {
  protected:
    void SetUp() override
    {
        brood_process *raw = nullptr;
        ASSERT_EQ(0, brood_export("nothing", Nothing));
        ASSERT_EQ(0, inside_foreign(&raw, inside_pid(), "itself", true));
        self_ = Process(raw);
        pipe_ = Pipe();
        const brood_value items[] = {
            brood_of(pipe_.first.get()),  brood_handle_value(native_.in.get()),
            brood_of(self_.get()),        brood_function_value(Nothing),
            brood_of(pipe_.first.get()),  brood_function_value(ForRandom),
            brood_of(pipe_.second.get()), brood_of(self_.get()),
        };
        ASSERT_EQ(0, inside_pack(&parcel_, brood_list(items, std::size(items)))) << LastWords();
    }
    void TearDown() override
    {
        for (size_t i = 0; i < parcel_.handle_count; i++) {
            brood_handle_close(parcel_.handles[i]);
        }
    }
    static int ForRandom(brood_call *)
    {
        return 1;
    }
    std::string Bytes() const
    {
        return std::string(reinterpret_cast<const char *>(parcel_.bytes), parcel_.size);
    }
    /* Whether the bytes are taken; if not, there are words. */
    bool Takes(const std::string &bytes, Message *out = nullptr)
    {
        brood_message *raw = nullptr;
        const int rc = inside_unpack(&raw, &parcel_, bytes.data(), bytes.size());
        Message message(raw);
        EXPECT_EQ(rc == 0, raw != nullptr);
        EXPECT_TRUE(rc == 0 || (rc == brood_last_error()->error && !LastWords().empty())) << rc;
        error_ = rc;
        if (out != nullptr) {
            *out = std::move(message);
        }
        return rc == 0;
    }

    inside_parcel parcel_ = {};
    int error_ = 0;

  private:
    std::pair<Connection, Connection> pipe_;
    NativePipe native_;
    Process self_;
};

TEST_F(SpoiltParcel, IsTakenWhileItIsWhole)
{
    Message message;
    ASSERT_TRUE(Takes(Bytes(), &message)) << LastWords();
    EXPECT_EQ("[<connection>, <handle>, <process>, <function>, <connection>, <function>, "
              "<connection>, <process>]",
              Shown(message));
    const brood_value value = brood_message_value(message.get());
    EXPECT_TRUE(brood_value_equal(brood_value_at(value, 0), brood_value_at(value, 4)));
    EXPECT_FALSE(brood_value_equal(brood_value_at(value, 0), brood_value_at(value, 6)));
    EXPECT_TRUE(brood_value_equal(brood_value_at(value, 2), brood_value_at(value, 7)));
    EXPECT_TRUE(brood_value_equal(brood_value_at(value, 3), brood_function_value(Nothing)));
    EXPECT_TRUE(brood_value_equal(brood_value_at(value, 5), brood_function_value(ForRandom)));
}

TEST_F(SpoiltParcel, IsRefusedCutAnywhere)
{
    const std::string bytes = Bytes();
    for (size_t size = 0; size < bytes.size(); size++) {
        EXPECT_FALSE(Takes(bytes.substr(0, size))) << size;
        EXPECT_EQ(BROOD_EDECODE, error_) << size << ": " << LastWords();
    }
}

/* An id of another shape, of too few fields, of an object, or none. */
TEST_F(SpoiltParcel, SurvivesIdsOfAnotherShape)
{
    const std::string bytes = Bytes();
    for (size_t at = bytes.find('Q'); at != std::string::npos; at = bytes.find('Q', at + 1)) {
        for (const char *opcodes : {"0N", "0)", "0]", "0(", "2"}) {
            std::string other = bytes;
            other.insert(at, opcodes);
            (void)Takes(other);
        }
        std::string other = bytes;
        other.erase(at, 1);
        (void)Takes(other);
    }
}

TEST_F(SpoiltParcel, SurvivesOtherBytesInEveryPlace)
{
    const std::string bytes = Bytes();
    const int step = Scaled(100) == 100 ? 1 : 17;
    long taken = 0, refused = 0;
    for (size_t at = 0; at < bytes.size(); at++) {
        std::string other = bytes;
        for (int byte = static_cast<int>(at) % step; byte < 256; byte += step) {
            other[at] = static_cast<char>(byte);
            Takes(other) ? taken++ : refused++;
        }
    }
    EXPECT_LT(0, taken);
    EXPECT_LT(taken, refused);
}

/* Each field of each object becomes none, or as large as it can be. */
TEST_F(SpoiltParcel, SurvivesOtherFields)
{
    const std::string bytes = Bytes();
    for (size_t at = 2; at + 1 < bytes.size(); at++) {
        if (bytes[at] != 'K') {
            continue;
        }
        for (const std::string &field :
             {Raw("N"), Raw("\x88"), Raw("J\xff\xff\xff\xff"), Raw("J\xff\xff\xff\x7f"),
              Raw("\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\0"), Raw("C\2ab"), Raw("K\1"),
              Raw("K\7")}) {
            std::string other = bytes;
            other.replace(at, 2, field);
            (void)Takes(other);
        }
    }
}

/* The same of objects in shared memory that have goods: parts before them, and handles. */
class SpoiltGoods : public testing::Test {
  protected:
    void SetUp() override
    {
        const brood_value items[] = {brood_of(condition_.get()), brood_of(event_.get()),
                                     brood_of(barrier_.get()), brood_of(condition_.get())};
        ASSERT_EQ(0, inside_pack(&parcel_, brood_list(items, std::size(items)))) << LastWords();
    }
    void TearDown() override
    {
        for (size_t i = 0; i < parcel_.handle_count; i++) {
            brood_handle_close(parcel_.handles[i]);
        }
    }
    std::string Bytes() const
    {
        return std::string(reinterpret_cast<const char *>(parcel_.bytes), parcel_.size);
    }
    int Take(const std::string &bytes, Message *out = nullptr)
    {
        brood_message *raw = nullptr;
        const int rc = inside_unpack(&raw, &parcel_, bytes.data(), bytes.size());
        Message message(raw);
        EXPECT_EQ(rc == 0, raw != nullptr);
        if (out != nullptr) {
            *out = std::move(message);
        }
        return rc;
    }

    inside_parcel parcel_ = {};
    const Condition condition_ = NewCondition();
    const Event event_ = NewEvent();
    const Barrier barrier_ = NewBarrier(2, Nothing);
};

TEST_F(SpoiltGoods, AreTakenWhileTheyAreWhole)
{
    Message message;
    ASSERT_EQ(0, Take(Bytes(), &message)) << LastWords();
    brood_condition *one = nullptr;
    brood_condition *other = nullptr;
    brood_event *event = nullptr;
    brood_barrier *barrier = nullptr;
    ASSERT_EQ(0, BROOD_UNPACK(message.get(), &one, &event, &barrier, &other)) << LastWords();
    EXPECT_EQ(condition_.get(), one);
    EXPECT_EQ(condition_.get(), other);
    EXPECT_EQ(event_.get(), event);
    EXPECT_EQ(barrier_.get(), barrier);
}

TEST_F(SpoiltGoods, SurviveOtherBytesInEveryPlace)
{
    const std::string bytes = Bytes();
    const int step = Scaled(100) == 100 ? 1 : 17;
    long taken = 0, refused = 0;
    for (size_t at = 0; at < bytes.size(); at++) {
        std::string other = bytes;
        EXPECT_NE(0, Take(bytes.substr(0, at))) << at;
        for (int byte = static_cast<int>(at) % step; byte < 256; byte += step) {
            other[at] = static_cast<char>(byte);
            Take(other) == 0 ? taken++ : refused++;
        }
        other = bytes;
        other.insert(at, "N"); /* one field more, or in another place */
        (void)Take(other);
    }
    EXPECT_LT(0, taken);
    EXPECT_LT(taken, refused);
}

} // namespace

/* Whether CPython and we mean the same with the same bytes. */
#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include <brood.h>

#include "support/run_program.h"
#include "support/values.h"

namespace {

constexpr long kValues = 20000; /* in each of four protocols */
constexpr long kProtocols = 4;
constexpr const char *kEnv = "/usr/bin/env"; /* finds it in PATH */

class CodecPython : public testing::Test {
  protected:
    void SetUp() override
    {
        ProgramRun run;
        run.arguments = {kEnv, "python3", "-c", "import sys; sys.exit(sys.version_info < (3, 9))"};
        const ProgramResult result = RunProgram(run);
        if (!result.ended || result.status != 0) {
            GTEST_SKIP() << "there is no python3 of version 3.9 or later";
        }
    }
    /* Runs python/pickles.py and returns what it writes. */
    static std::string Ask(std::vector<std::string> arguments, const std::string &input = "")
    {
        ProgramRun run;
        run.arguments = {kEnv, "python3", BROOD_PICKLES_PATH};
        run.arguments.insert(run.arguments.end(), arguments.begin(), arguments.end());
        run.input = input;
        const ProgramResult result = RunProgram(run);
        EXPECT_TRUE(result.ended);
        EXPECT_EQ(0, result.status) << result.err;
        return result.out;
    }
};

std::string Framed(const std::string &text)
{
    return Little(text.size(), 4) + text;
}

std::vector<std::string> Unframed(const std::string &stream)
{
    std::vector<std::string> texts;
    size_t at = 0;
    while (at + 4 <= stream.size()) {
        size_t size = 0;
        for (size_t i = 4; i > 0; i--) {
            size = size << 8 | static_cast<unsigned char>(stream[at + i - 1]);
        }
        texts.push_back(stream.substr(at + 4, size));
        at += 4 + size;
    }
    return texts;
}

TEST_F(CodecPython, TakesOfItsPicklesWhatIsDataAndGivesItBackUnchanged)
{
    const long count = Scaled(kValues);
    /* each pickle with what we have to say to it, and to print if we take it */
    const std::vector<std::string> texts = Unframed(Ask({"write", std::to_string(count)}));
    ASSERT_EQ(static_cast<size_t>(count * kProtocols * 3), texts.size());
    std::string answers;
    long taken = 0;
    for (size_t i = 0; i < texts.size(); i += 3) {
        const Message message = Decoded(texts[i]);
        ASSERT_EQ(texts[i + 1], message ? "" : LastWords()) << "pickle " << i / 3;
        if (message && !texts[i + 2].empty()) {
            ASSERT_EQ(texts[i + 2], Shown(message)) << "pickle " << i / 3;
        }
        answers += Framed(message ? Encoded(brood_message_value(message.get())) : "");
        taken += message ? 1 : 0;
    }
    std::printf("%ld values in %ld protocols: %ld pickles were taken, %ld refused\n", count,
                kProtocols, taken, count * kProtocols - taken);
    EXPECT_GT(taken, count * kProtocols / 2);
    EXPECT_LT(taken, count * kProtocols * 9 / 10);
    EXPECT_EQ(std::to_string(taken) + "\n", Ask({"check", std::to_string(count)}, answers));
}

/* Values made here, which it has to print as we do. */
class Maker {
  public:
    brood_value Make(int depth)
    {
        switch (depth > 0 ? random_() % 12 : random_() % 8) {
        case 0:
            return brood_none();
        case 1:
            return brood_bool(random_() % 2 == 0);
        case 2:
            return brood_int(static_cast<int64_t>(Bits()));
        case 3:
            return brood_uint(Bits());
        case 4:
            return brood_int(static_cast<int64_t>(random_() % 70000) - 300);
        case 5:
            return brood_float(Float());
        case 6:
        case 7:
            return Text(random_() % 3 == 0);
        case 8:
            return Items(BROOD_LIST_KIND, depth);
        case 9:
            return Items(BROOD_TUPLE_KIND, depth);
        case 10:
            return Dict(depth);
        default:
            return Set();
        }
    }

  private:
    uint64_t Bits()
    {
        return random_() >> random_() % 64;
    }
    double Float()
    {
        const uint64_t bits = random_();
        double x = 0;
        std::memcpy(&x, &bits, sizeof x);
        return random_() % 2 == 0 ? x : static_cast<double>(static_cast<int64_t>(Bits())) / 1000;
    }
    brood_value Text(bool bytes)
    {
        static const char *const parts[] = {"a",
                                            "bc",
                                            "'",
                                            "\"",
                                            "\\",
                                            "\n",
                                            "\x01",
                                            "\x7f",
                                            "\xc3\xa9",
                                            "\xe2\x82\xac",
                                            "\xf0\x9f\x98\x80",
                                            "\xc2\x85",
                                            "\xed\xb3\xbf"};
        std::string text;
        for (size_t count = random_() % 90; count > 0; count -= count > 6 ? 6 : 1) {
            text += parts[random_() % (sizeof parts / sizeof parts[0])];
        }
        if (random_() % 4 == 0) {
            text += '\0';
        }
        texts_.push_back(text);
        return bytes ? brood_bytes(texts_.back().data(), text.size())
                     : brood_text(texts_.back().data(), text.size());
    }
    brood_value Items(brood_kind kind, int depth)
    {
        std::vector<brood_value> items;
        for (size_t count = random_() % 6; count > 0; count--) {
            const bool again = !items.empty() && random_() % 4 == 0;
            items.push_back(again ? items.back() : Make(depth - 1));
        }
        items_.push_back(items);
        return brood_items_(kind, items_.back().data(), items.size());
    }
    brood_value Dict(int depth)
    {
        std::vector<brood_value> items;
        for (int64_t count = static_cast<int64_t>(random_() % 4); count > 0; count--) {
            items.push_back(count == 2 ? Set() : brood_int(count)); /* none is there twice */
            items.push_back(Make(depth - 1));
        }
        items_.push_back(items);
        return brood_dict(items_.back().data(), items.size() / 2);
    }
    /* Python has an order of its own, so no more than one. */
    brood_value Set()
    {
        std::vector<brood_value> items;
        if (random_() % 3 != 0) {
            items.push_back(random_() % 3 == 0 ? Set() : brood_int(static_cast<int64_t>(Bits())));
        }
        items_.push_back(items);
        brood_value set = brood_list(items_.back().data(), items.size());
        set.flags = BROOD_VALUE_SET;
        return set;
    }

    std::mt19937_64 random_{20240611};
    std::deque<std::string> texts_;
    std::deque<std::vector<brood_value>> items_;
};

TEST_F(CodecPython, ReadsOurBytesAndPrintsThemAsWeDo)
{
    Maker maker;
    std::string pickles;
    std::vector<std::string> shown;
    for (long i = 0; i < Scaled(kValues); i++) {
        const brood_value value = maker.Make(static_cast<int>(i % 5));
        shown.push_back(Shown(value));
        pickles += Framed(Encoded(value));
    }
    const std::vector<std::string> texts = Unframed(Ask({"show"}, pickles));
    ASSERT_EQ(shown.size(), texts.size());
    for (size_t i = 0; i < shown.size(); i++) {
        ASSERT_EQ(texts[i], shown[i]) << i;
    }
}

TEST_F(CodecPython, ReadsAResultThatWasWrittenInPlace)
{
    const std::string room = Raw("\x80\x04N0K\0"
                                 "0\x8e") +
                             Little(3, 8) + "abc.";
    EXPECT_EQ(std::vector<std::string>{"b'abc'"}, Unframed(Ask({"show"}, Framed(room))));
}

} // namespace

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include <brood.h>

#include "support/objects.h"

extern "C" {
#include "deadline.h"
#include "error.h"
#include "options.h"
}

namespace {

TEST(LastError, SaysNothingFailedBeforeTheFirstFailure)
{
    std::thread([] {
        EXPECT_EQ(0, brood_last_error()->error);
        EXPECT_STREQ("no error", brood_last_error()->message);
        EXPECT_EQ(sizeof(brood_failure), brood_last_error()->size);
    }).join();
}

TEST(LastError, BelongsToItsThread)
{
    EXPECT_EQ(BROOD_EINVAL, brood_fail(BROOD_EINVAL, "here %d", 1));
    std::thread([] { EXPECT_EQ(BROOD_EEND, brood_fail(BROOD_EEND, "there")); }).join();
    EXPECT_EQ("here 1", LastWords());
}

TEST(LastError, MayBeMadeOfTheWordsBefore)
{
    (void)brood_fail(BROOD_EINVAL, "inner");
    (void)brood_fail(BROOD_ENOMEM, "outer: %s", brood_last_error()->message);
    EXPECT_EQ("outer: inner", LastWords());
    EXPECT_EQ(BROOD_ENOMEM, brood_fail_prefix("file"));
    EXPECT_EQ("file: outer: inner", LastWords());
}

TEST(LastError, CutsWordsThatAreTooLong)
{
    const std::string text(5000, 'x');
    (void)brood_fail(BROOD_EINVAL, "%s", text.c_str());
    EXPECT_EQ(static_cast<size_t>(BROOD_WORDS_SIZE) - 1, LastWords().size());
}

TEST(Strerror, HasAnOwnNameForEveryCode)
{
    for (int error = BROOD_EINVAL; error >= BROOD_EEXPIRED; error--) {
        EXPECT_STRNE("unknown error", brood_strerror(error)) << error;
        EXPECT_STRNE("", brood_strerror(error)) << error;
    }
    EXPECT_STREQ("no error", brood_strerror(0));
    EXPECT_STREQ("handle is gone", brood_strerror(BROOD_EHANDLE));
    for (const int error : {1, -1, BROOD_EINVAL + 1, BROOD_EEXPIRED - 1, INT32_MIN, INT32_MAX}) {
        EXPECT_STREQ("unknown error", brood_strerror(error)) << error;
    }
}

TEST(Perror, PrintsWhatAndWhyAndReturnsOne)
{
    (void)brood_fail(BROOD_ENOENT, "no such thing");
    testing::internal::CaptureStderr();
    EXPECT_EQ(1, brood_perror("open"));
    EXPECT_EQ(1, brood_perror(nullptr));
    EXPECT_EQ("open: no such thing\nno such thing\n", testing::internal::GetCapturedStderr());
}

TEST(Version, IsThatOfTheHeader)
{
    EXPECT_EQ(BROOD_VERSION_MAJOR * 10000 + BROOD_VERSION_MINOR * 100 + BROOD_VERSION_PATCH,
              brood_version());
}

TEST(Deadline, KnowsNowForeverAndRefusesOtherNegativeTimes)
{
    int64_t deadline = 7;
    EXPECT_EQ(0, brood_deadline(&deadline, BROOD_NOWAIT));
    EXPECT_TRUE(brood_deadline_passed(deadline));
    EXPECT_EQ(0, brood_deadline(&deadline, BROOD_FOREVER));
    EXPECT_FALSE(brood_deadline_passed(deadline));
    EXPECT_EQ(0, brood_deadline(&deadline, INT64_MAX));
    EXPECT_FALSE(brood_deadline_passed(deadline));
    EXPECT_EQ(0, brood_deadline(&deadline, 3600000));
    EXPECT_FALSE(brood_deadline_passed(deadline));
    EXPECT_EQ(BROOD_EINVAL, brood_deadline(&deadline, -2));
    EXPECT_EQ("a time limit of -2 ms: it is 0 or more, or BROOD_FOREVER", LastWords());
}

struct OldOptions {
    size_t size;
    size_t one;
};
struct NewOptions {
    size_t size;
    size_t one;
    size_t two;
};

TEST(Options, OfAnOlderProgramLeaveTheRestAtDefaults)
{
    const OldOptions old = {sizeof old, 5};
    NewOptions read = {1, 1, 1};
    EXPECT_EQ(0, brood_options_read(&read, sizeof read, &old, "test"));
    EXPECT_EQ(5u, read.one);
    EXPECT_EQ(0u, read.two);
    EXPECT_EQ(sizeof read, read.size);
}

TEST(Options, OfANewerProgramAreTakenWhileTheyMeanNothingNew)
{
    NewOptions given = {sizeof given + 8, 5, 0};
    struct {
        NewOptions known;
        int unknown[2];
    } newer = {given, {0, 0}};
    NewOptions read = {};
    newer.known.size = sizeof newer;
    EXPECT_EQ(0, brood_options_read(&read, sizeof read, &newer, "test"));
    EXPECT_EQ(5u, read.one);
    newer.unknown[1] = 1;
    EXPECT_EQ(BROOD_EINVAL, brood_options_read(&read, sizeof read, &newer, "test"));
    EXPECT_EQ("brood_test_options has a field that this version does not know", LastWords());
}

TEST(Options, WithoutASizeAreRefusedWithTheMacroToUse)
{
    const NewOptions given = {};
    NewOptions read = {};
    EXPECT_EQ(BROOD_EINVAL, brood_options_read(&read, sizeof read, &given, "process"));
    EXPECT_EQ("brood_process_options without its size: use BROOD_OPTIONS(process)", LastWords());
    EXPECT_EQ(0, brood_options_read(&read, sizeof read, nullptr, "process"));
    EXPECT_EQ(sizeof read, read.size);
}

struct Sink {
    std::string text;
    static void Write(void *user, brood_log_level level, const char *line)
    {
        static_cast<Sink *>(user)->text += std::to_string(level) + ":" + line + "\n";
    }
};

TEST(Log, GivesTheSinkLinesUpToItsLevel)
{
    Sink sink;
    brood_log_to(BROOD_LOG_WARNING, Sink::Write, &sink);
    brood_log(BROOD_LOG_ERROR, "first %d", 1);
    brood_log(BROOD_LOG_WARNING, "second");
    brood_log(BROOD_LOG_INFO, "not this");
    brood_log(BROOD_LOG_OFF, "nor this");
    brood_log_to_stderr(BROOD_LOG_OFF);
    EXPECT_EQ("1:first 1\n2:second\n", sink.text);
}

TEST(LastError, KeepsItsWordsWhenItIsToldAgain)
{
    brood_fail(BROOD_ETASK, "init returned %d", 7);
    brood_failure failure = *brood_last_error();
    failure.code = 7;
    EXPECT_EQ(BROOD_ETASK, brood_fail_as(&failure));
    EXPECT_STREQ("init returned 7", brood_last_error()->message);
    EXPECT_EQ(7, brood_last_error()->code);
}

TEST(Log, PrintsLevelAndProcessToStderr)
{
    testing::internal::CaptureStderr();
    brood_log_to_stderr(BROOD_LOG_INFO);
    brood_log(BROOD_LOG_INFO, "hello");
    brood_log(BROOD_LOG_DEBUG, "not this");
    brood_log_to_stderr(BROOD_LOG_OFF);
    EXPECT_EQ("[info/MainProcess] hello\n", testing::internal::GetCapturedStderr());
}

} // namespace

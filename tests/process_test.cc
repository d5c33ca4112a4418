#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "fault.h"
#include "support/family.h"
#include "support/fault.h"
#include "support/insides.h"
#include "support/methods.h"
#include "support/objects.h"
#include "support/process_list.h"

namespace {

OVER_METHODS(ProcessResult);
OVER_METHODS(ProcessArguments);
OVER_METHODS(ProcessStart);
OVER_METHODS(ProcessJoin);
OVER_METHODS(ProcessStop);
OVER_METHODS(ProcessPid);
OVER_METHODS(ProcessFree);
OVER_METHODS(ProcessRef);
OVER_METHODS(Processes);

/* ---- functions that run in children ---- */

int Nothing(brood_call *)
{
    return 0;
}

int SumTo(brood_call *call)
{
    int max = 0;
    const int rc = BROOD_UNPACK(call, &max);
    int64_t sum = 0;
    for (int i = 0; rc == 0 && i < max; i++) {
        sum += i;
    }
    return rc ? rc : brood_return(call, brood_int(sum));
}

int GiveBack(brood_call *call)
{
    brood_value value;
    const int rc = BROOD_UNPACK(call, &value);
    return rc ? rc : brood_return(call, value);
}

int ReturnCode(brood_call *call)
{
    int code = 0;
    const int rc = BROOD_UNPACK(call, &code);
    return rc ? rc : code;
}

int RaiseFour(brood_call *call)
{
    return brood_raise(call, 4, "disk %d is full", 7);
}

int RaiseRange(brood_call *call)
{
    return brood_raise(call, BROOD_ERANGE, "too far");
}

int FailInTheLibrary(brood_call *)
{
    return brood_poll(nullptr, 0);
}

int ExitWith(brood_call *call)
{
    int code = 0;
    const int rc = BROOD_UNPACK(call, &code);
    if (rc) {
        return rc;
    }
    exit(code);
}

int Trap(brood_call *)
{
    __builtin_trap();
}

/* Lives until it is ended from outside, or its parent ends. */
int Linger(brood_call *call)
{
    brood_connection *connection = nullptr;
    if (brood_call_count(call) == 0) {
        for (;;) {
            std::this_thread::yield();
        }
    }
    const int rc = BROOD_UNPACK(call, &connection);
    return rc ? rc : brood_poll(connection, BROOD_FOREVER);
}

int TellPid(brood_call *call)
{
    return brood_return(call, brood_int(inside_pid()));
}

/* ---- results ---- */

TEST_P(ProcessResult, IsWhatTheFunctionReturned)
{
    const Process child = Start(SumTo, BROOD_ARGS(100));
    ASSERT_TRUE(child) << LastWords();
    for (int again = 0; again < 2; again++) {
        Message answer;
        int64_t sum = 0;
        ASSERT_EQ(0, Result(child, &answer)) << LastWords();
        ASSERT_EQ(0, BROOD_UNPACK(answer.get(), &sum));
        EXPECT_EQ(4950, sum);
    }
    EXPECT_EQ(nullptr, brood_process_failure(child.get()));
}

TEST_P(ProcessResult, IsNoneWhenTheFunctionReturnedNothing)
{
    const Process child = Start(Nothing);
    Message answer;
    ASSERT_EQ(0, Result(child, &answer)) << LastWords();
    EXPECT_EQ(BROOD_NONE, brood_value_kind(brood_message_value(answer.get())));
}

TEST_P(ProcessResult, CarriesEveryPlainKindThereAndBack)
{
    const brood_value key[] = {brood_str("a"), brood_int(1), brood_int(2), brood_none()};
    const brood_value items[] = {
        brood_none(),
        brood_bool(true),
        brood_int(INT64_MIN),
        brood_uint(UINT64_MAX),
        brood_float(-0.25),
        brood_text("a\0\xc3\xa9", 4),
        brood_bytes("\0\xff", 2),
        brood_dict(key, 2),
        brood_tuple(key, 3),
        brood_list(key, 0),
    };
    const brood_value list = brood_list(items, sizeof items / sizeof items[0]);
    const Process child = Start(GiveBack, BROOD_ARGS(list));
    Message answer;
    ASSERT_EQ(0, Result(child, &answer)) << LastWords();
    EXPECT_TRUE(brood_value_equal(list, brood_message_value(answer.get())));
}

TEST_P(ProcessResult, SaysWhichCodeAndWordsTheFunctionRaised)
{
    const Process child = Start(RaiseFour);
    EXPECT_EQ(BROOD_ETASK, Result(child));
    const brood_failure *failure = brood_last_error();
    EXPECT_EQ(4, failure->code);
    EXPECT_EQ(4, failure->exitcode);
    EXPECT_EQ(brood_process_pid(child.get()), failure->pid);
    EXPECT_NE(std::string::npos, LastWords().find("returned 4: disk 7 is full")) << LastWords();
    int exitcode = 0;
    EXPECT_EQ(0, brood_process_exitcode(child.get(), &exitcode));
    EXPECT_EQ(4, exitcode);
}

TEST_P(ProcessResult, IsTheFunctionsOwnBroodErrorUnchanged)
{
    testing::internal::CaptureStderr();
    const Process raised = Start(RaiseRange);
    EXPECT_EQ(BROOD_ERANGE, Result(raised));
    EXPECT_NE(std::string::npos, LastWords().find("too far")) << LastWords();
    const Process library = Start(FailInTheLibrary);
    EXPECT_EQ(BROOD_EINVAL, Result(library));
    EXPECT_NE(std::string::npos, LastWords().find("the connection is NULL")) << LastWords();
    int exitcode = 0;
    EXPECT_EQ(0, brood_process_exitcode(library.get(), &exitcode));
    EXPECT_EQ(1, exitcode);
    ASSERT_NE(nullptr, brood_process_failure(library.get()));
    EXPECT_EQ(BROOD_EINVAL, brood_process_failure(library.get())->error);
    const std::string printed = testing::internal::GetCapturedStderr();
    EXPECT_NE(std::string::npos, printed.find("too far")) << printed;
}

TEST_P(ProcessResult, SaysWhyTheArgumentsDidNotFit)
{
    const Process child = Start(SumTo, BROOD_ARGS("many"));
    EXPECT_EQ(BROOD_ETYPE, Result(child));
    EXPECT_NE(std::string::npos, LastWords().find("argument 1")) << LastWords();
}

TEST_P(ProcessResult, KnowsAllCodesAFunctionMayReturn)
{
    for (const int code : {0, 1, 127, 128, 255}) {
        const Process child = Start(ReturnCode, BROOD_ARGS(code));
        int exitcode = -1;
        EXPECT_EQ(code == 0 ? 0 : BROOD_ETASK, Result(child)) << LastWords();
        EXPECT_EQ(0, brood_process_exitcode(child.get(), &exitcode));
        EXPECT_EQ(code, exitcode);
    }
    for (const int code : {256, 512, -1, -1000}) { /* must not look like success */
        const Process child = Start(ReturnCode, BROOD_ARGS(code));
        EXPECT_EQ(BROOD_ETASK, Result(child)) << code;
        EXPECT_EQ(255, brood_last_error()->code);
    }
}

TEST_P(ProcessResult, TakesExitForTheFunctionsCode)
{
    const Process three = Start(ExitWith, BROOD_ARGS(5));
    EXPECT_EQ(BROOD_ETASK, Result(three));
    EXPECT_EQ(5, brood_last_error()->code);
    EXPECT_NE(std::string::npos, LastWords().find("exited with code 5")) << LastWords();
    const Process zero = Start(ExitWith, BROOD_ARGS(0));
    EXPECT_EQ(0, Result(zero)) << LastWords();
}

TEST_P(ProcessResult, SaysThatTheProcessCrashed)
{
    const Process child = Start(Trap);
    EXPECT_EQ(BROOD_EWORKER, Result(child));
    int exitcode = 0;
    EXPECT_EQ(0, brood_process_exitcode(child.get(), &exitcode));
#if defined(__x86_64__)
    EXPECT_EQ(-4, exitcode);
#endif
    EXPECT_EQ(exitcode, brood_last_error()->exitcode);
    EXPECT_NE(std::string::npos, LastWords().find("was ended by signal")) << LastWords();
}

TEST_P(ProcessResult, CarriesManyMegabytesBack)
{
    const std::string data(static_cast<size_t>(Scaled(64)) << 20, 'z');
    const Process child = Start(GiveBack, BROOD_ARGS(brood_bytes(data.data(), data.size())));
    Message answer;
    ASSERT_EQ(0, Result(child, &answer)) << LastWords();
    const brood_view view = brood_as_view(brood_message_value(answer.get()));
    EXPECT_TRUE(data == std::string(static_cast<const char *>(view.data), view.size));
}

TEST_P(ProcessResult, CarriesEverySizeAroundAPage)
{
    for (size_t size = 1900; size<4200; size += size> 2100 && size < 3900 ? 300 : 37) {
        const std::string data(size, 'y');
        const Process child = Start(GiveBack, BROOD_ARGS(brood_bytes(data.data(), data.size())));
        Message answer;
        ASSERT_EQ(0, Result(child, &answer)) << LastWords();
        EXPECT_EQ(size, brood_as_view(brood_message_value(answer.get())).size);
    }
}

/* ---- arguments ---- */

int SizeAndEnds(brood_call *call)
{
    brood_view view = {nullptr, 0};
    const int rc = BROOD_UNPACK(call, &view);
    if (rc) {
        return rc;
    }
    const char *bytes = static_cast<const char *>(view.data);
    const brood_value items[] = {brood_uint(view.size), brood_int(bytes[0]),
                                 brood_int(bytes[view.size - 1])};
    return brood_return(call, brood_tuple(items, 3));
}

TEST_P(ProcessArguments, MayBe256Mebibytes)
{
    std::string data(static_cast<size_t>(Scaled(256)) << 20, 'a');
    data.back() = 'b';
    const Process child = Start(SizeAndEnds, BROOD_ARGS(brood_bytes(data.data(), data.size())));
    ASSERT_TRUE(child) << LastWords();
    Message answer;
    size_t size = 0;
    int first = 0;
    int last = 0;
    ASSERT_EQ(0, Result(child, &answer)) << LastWords();
    ASSERT_EQ(0, BROOD_UNPACK(answer.get(), &size, &first, &last));
    EXPECT_EQ(data.size(), size);
    EXPECT_EQ('a', first);
    EXPECT_EQ('b', last);
}

int JoinNamed(brood_call *call)
{
    int count = 0;
    const char *word = "none";
    const int rc = BROOD_BIND(call, "count", &count, "word?", &word);
    std::string text;
    for (int i = 0; rc == 0 && i < count; i++) {
        text += word;
    }
    return rc ? rc : brood_return(call, brood_str(text.c_str()));
}

TEST_P(ProcessArguments, MayBeNamed)
{
    const Process child = Start(JoinNamed, BROOD_ARGS(2, BROOD_NAMED("word", "ab")));
    Message answer;
    ASSERT_EQ(0, Result(child, &answer)) << LastWords();
    EXPECT_STREQ("abab", brood_as_str(brood_message_value(answer.get()), ""));
}

TEST_P(ProcessArguments, RefuseAPositionalOneBehindANamedOne)
{
    EXPECT_FALSE(Start(JoinNamed, BROOD_ARGS(BROOD_NAMED("word", "ab"), 2)));
    EXPECT_EQ(BROOD_EARGS, brood_last_error()->error);
}

int CallBack(brood_call *call)
{
    brood_function function = nullptr;
    const int rc = BROOD_UNPACK(call, &function);
    return rc ? rc : function(call);
}

TEST_P(ProcessArguments, MayBeFunctions)
{
    const Process child = Start(CallBack, BROOD_ARGS(TellPid));
    Message answer;
    ASSERT_EQ(0, Result(child, &answer)) << LastWords();
    EXPECT_EQ(brood_process_pid(child.get()), brood_as_int(brood_message_value(answer.get()), 0));
}

TEST_P(ProcessStart, RunsALambda)
{
    const Process child = Start([](brood_call *call) { return brood_return(call, brood_int(3)); });
    Message answer;
    ASSERT_EQ(0, Result(child, &answer)) << LastWords();
    EXPECT_EQ(3, brood_as_int(brood_message_value(answer.get()), 0));
}

/* ---- options and mistakes ---- */

TEST_P(ProcessStart, NamesProcessesInTurnOrAsAsked)
{
    brood_process_options options = BROOD_OPTIONS_INIT(process);
    options.name = "worker \xc3\xa9";
    const Process named = Start(Nothing, nullptr, &options);
    const Process a = Start(Nothing);
    const Process b = Start(Nothing);
    EXPECT_STREQ("worker \xc3\xa9", brood_process_name(named.get()));
    EXPECT_EQ(0u, std::string(brood_process_name(a.get())).find("Process-"));
    EXPECT_STRNE(brood_process_name(a.get()), brood_process_name(b.get()));
    for (const Process *child : {&named, &a, &b}) {
        EXPECT_EQ(0, Result(*child)) << LastWords();
    }
}

TEST_P(ProcessStart, RefusesWhatMakesNoSense)
{
    brood_process *raw = nullptr;
    brood_process_options options = BROOD_OPTIONS_INIT(process);
    const std::string long_name(256, 'n');
    EXPECT_EQ(BROOD_EINVAL, brood_process_start(nullptr, Nothing, nullptr, nullptr));
    EXPECT_EQ(BROOD_EINVAL, brood_process_start(&raw, nullptr, nullptr, nullptr));
    options.name = "";
    EXPECT_EQ(BROOD_EINVAL, brood_process_start(&raw, Nothing, nullptr, &options));
    options.name = long_name.c_str();
    EXPECT_EQ(BROOD_EINVAL, brood_process_start(&raw, Nothing, nullptr, &options));
    options.size = 0;
    EXPECT_EQ(BROOD_EINVAL, brood_process_start(&raw, Nothing, nullptr, &options));
    EXPECT_EQ(nullptr, raw);
}

TEST_P(ProcessStart, RefusesAFunctionThatIsNotInTheProgram)
{
    static int data;
    brood_function nowhere = nullptr;
    void *address = &data;
    memcpy(&nowhere, &address, sizeof nowhere);
    EXPECT_FALSE(Start(nowhere));
    EXPECT_EQ(BROOD_EMODULE, brood_last_error()->error);
}

int LingerWithData(brood_call *call)
{
    brood_connection *connection = nullptr;
    brood_view data = {nullptr, 0};
    const int rc = BROOD_UNPACK(call, &connection, &data);
    return rc ? rc : brood_poll(connection, BROOD_FOREVER);
}

void ExpectNothingLeftWhenAnyStepFails(size_t size)
{
    const std::string data(size, 'x');
    ForEachFault([&data] {
        brood_process *raw = nullptr;
        auto [mine, theirs] = Pipe();
        if (!theirs) {
            return;
        }
        const int rc = brood_process_start(
            &raw, LingerWithData,
            BROOD_ARGS(BROOD_GIVE(theirs.get()), brood_bytes(data.data(), data.size())), nullptr);
        EXPECT_EQ(rc == 0, raw != nullptr);
        EXPECT_TRUE(rc == 0 || brood_fault_fired()) << LastWords();
        EXPECT_EQ(rc == 0, brood_connection_closed(theirs.get()));
        brood_fault_pause(true);
        mine.reset();
        theirs.reset();
        if (rc == 0) {
            EXPECT_EQ(0, Result(Process(raw))) << LastWords();
        }
        brood_fault_pause(false);
    });
    EXPECT_TRUE(HasNoChildren());
}

/* The size decides how the arguments travel: beside the record, or in shared memory. */
TEST_P(ProcessStart, LeavesNothingBehindWhenAnyStepFails)
{
    ExpectNothingLeftWhenAnyStepFails(0);
}

TEST_P(ProcessStart, WithMuchDataLeavesNothingBehindWhenAnyStepFails)
{
    ExpectNothingLeftWhenAnyStepFails(100000);
}

TEST_P(ProcessArguments, MayHaveEverySizeAroundTheOneThatNeedsSharedMemory)
{
    for (size_t size = 3500; size<4200; size += size> 3700 && size < 4100 ? 5 : 100) {
        const std::string data(size, 'y');
        const Process child = Start(GiveBack, BROOD_ARGS(brood_bytes(data.data(), data.size())));
        Message answer;
        ASSERT_EQ(0, Result(child, &answer)) << LastWords();
        EXPECT_EQ(size, brood_as_view(brood_message_value(answer.get())).size);
    }
}

TEST_P(ProcessResult, FailsCleanlyWhenAnyStepFails)
{
    ForEachFault([] {
        brood_fault_pause(true);
        const Process child = Start(SumTo, BROOD_ARGS(10));
        ASSERT_TRUE(child) << LastWords();
        brood_fault_pause(false);
        Message answer;
        const int rc = Result(child, &answer);
        EXPECT_EQ(rc == 0, answer != nullptr);
        EXPECT_EQ(rc != 0, brood_fault_fired());
        brood_fault_pause(true);
        EXPECT_EQ(0, brood_process_join(child.get(), kSoon));
        brood_fault_pause(false);
    });
}

/* ---- life ---- */

TEST_P(ProcessJoin, TimesOutWhileItRunsAndMayBeRepeated)
{
    auto [mine, theirs] = Pipe();
    const Process child = Start(Linger, BROOD_ARGS(BROOD_GIVE(theirs.get())));
    ASSERT_TRUE(child) << LastWords();
    int exitcode = 0;
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_process_join(child.get(), 0));
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_process_join(child.get(), 20));
    EXPECT_TRUE(brood_process_is_alive(child.get()));
    EXPECT_EQ(BROOD_ERUNNING, brood_process_exitcode(child.get(), &exitcode));
    EXPECT_EQ(nullptr, brood_process_failure(child.get()));
    brood_message *raw = nullptr;
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_process_result(child.get(), &raw, 1));
    mine.reset();
    EXPECT_EQ(0, brood_process_join(child.get(), kSoon));
    EXPECT_EQ(0, brood_process_join(child.get(), 0));
    EXPECT_FALSE(brood_process_is_alive(child.get()));
    EXPECT_EQ(0, brood_process_exitcode(child.get(), &exitcode));
    EXPECT_EQ(0, exitcode);
    EXPECT_EQ(BROOD_EINVAL, brood_process_join(child.get(), -5));
    EXPECT_EQ(BROOD_EINVAL, brood_process_join(nullptr, 0));
}

TEST_P(ProcessJoin, MayBeCalledByManyThreadsAtOnce)
{
    auto [mine, theirs] = Pipe();
    const Process child = Start(Linger, BROOD_ARGS(BROOD_GIVE(theirs.get())));
    ASSERT_TRUE(child) << LastWords();
    std::vector<std::thread> threads;
    for (int i = 0; i < 6; i++) {
        threads.emplace_back([&] {
            EXPECT_EQ(0, brood_process_join(child.get(), kSoon));
            EXPECT_EQ(0, Result(child));
        });
    }
    mine.reset();
    for (std::thread &thread : threads) {
        thread.join();
    }
}

TEST_P(ProcessStop, EndsABusyProcess)
{
    for (const bool hard : {false, true}) {
        const Process child = Start(Linger);
        ASSERT_TRUE(child) << LastWords();
        ASSERT_EQ(0, hard ? brood_process_kill(child.get()) : brood_process_terminate(child.get()));
        EXPECT_EQ(BROOD_EWORKER, Result(child));
        int exitcode = 0;
        EXPECT_EQ(0, brood_process_exitcode(child.get(), &exitcode));
        EXPECT_EQ(hard ? -9 : -15, exitcode);
        EXPECT_EQ(exitcode, brood_last_error()->exitcode);
        EXPECT_EQ(0, brood_process_kill(child.get())) << "has ended already";
        EXPECT_EQ(0, brood_process_terminate(child.get()));
    }
    EXPECT_EQ(BROOD_EINVAL, brood_process_kill(nullptr));
}

TEST_P(ProcessPid, IsTheOneTheSystemKnows)
{
    const Process child = Start(TellPid);
    Message answer;
    ASSERT_EQ(0, Result(child, &answer)) << LastWords();
    EXPECT_EQ(brood_process_pid(child.get()), brood_as_int(brood_message_value(answer.get()), 0));
    EXPECT_FALSE(IsAlive(brood_process_pid(child.get())));
    EXPECT_EQ(0, brood_process_pid(nullptr));
}

TEST_P(ProcessFree, LetsGoOfTheObjectNotOfTheProcess)
{
    auto [mine, theirs] = Pipe();
    Process child = Start(Linger, BROOD_ARGS(BROOD_GIVE(theirs.get())));
    ASSERT_TRUE(child) << LastWords();
    const int64_t pid = brood_process_pid(child.get());
    child.reset();
    EXPECT_TRUE(IsAlive(pid));
    mine.reset();
    EXPECT_TRUE(WaitFor([&] { /* each start reaps what was forgotten and has ended */
                              EXPECT_EQ(0, Result(Start(Nothing))) << LastWords();
                              return !IsKnown(pid);
    }));
    brood_process_free(nullptr);
}

TEST_P(ProcessRef, KeepsTheObject)
{
    brood_process *again = nullptr;
    {
        const Process child = Start(Nothing);
        again = brood_process_ref(child.get());
    }
    EXPECT_EQ(0, brood_process_join(again, kSoon));
    brood_process_free(again);
    EXPECT_EQ(nullptr, brood_process_ref(nullptr));
}

TEST_P(Processes, MayBeStartedByManyThreadsAtOnce)
{
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; t++) {
        threads.emplace_back([t] {
            for (int i = 0; i < 5; i++) {
                const Process child = Start(SumTo, BROOD_ARGS(t * 10 + i));
                Message answer;
                ASSERT_EQ(0, Result(child, &answer)) << LastWords();
                const int64_t n = t * 10 + i;
                EXPECT_EQ(n * (n - 1) / 2, brood_as_int(brood_message_value(answer.get()), -1));
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
}

int StartOneMore(brood_call *call)
{
    int depth = 0;
    int rc = BROOD_UNPACK(call, &depth);
    if (rc || depth == 0) {
        return rc ? rc : brood_return(call, brood_int(0));
    }
    const Process child = Start(StartOneMore, BROOD_ARGS(depth - 1));
    Message answer;
    rc = Result(child, &answer);
    return rc ? rc
              : brood_return(call,
                             brood_int(1 + brood_as_int(brood_message_value(answer.get()), 0)));
}

TEST_P(Processes, MayStartItsOwn)
{
    const Process child = Start(StartOneMore, BROOD_ARGS(3));
    Message answer;
    ASSERT_EQ(0, Result(child, &answer)) << LastWords();
    EXPECT_EQ(3, brood_as_int(brood_message_value(answer.get()), -1));
}

} // namespace

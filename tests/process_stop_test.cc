/* The ways to stop a process, and what it notices of them. */
#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "support/methods.h"
#include "support/objects.h"
#include "support/process_list.h"

namespace {

constexpr bool kWindows =
#if defined(_WIN32)
    true;
#else
    false;
#endif

OVER_METHODS(ProcessInterrupt);
OVER_METHODS(ProcessStopInSteps);

/* Says that it runs, and then only stops when it is asked to. */
int RunUntilAsked(brood_call *call)
{
    brood_connection *connection = nullptr;
    const char *signals = "";
    int rc = BROOD_UNPACK(call, &connection, &signals);
    if (rc == 0 && std::string(signals) == "ignored") {
        signal(SIGINT, SIG_IGN);
        signal(SIGTERM, SIG_IGN);
    }
    const bool before = brood_call_cancelled(call);
    if (rc == 0) {
        rc = brood_send(connection, brood_bool(before), kSoon);
    }
    while (rc == 0 && !brood_call_cancelled(call)) {
        std::this_thread::yield();
    }
    return rc ? rc : brood_return(call, brood_bool(brood_call_cancelled(call)));
}

/* The same, but it never looks. */
int RunForEver(brood_call *call)
{
    brood_connection *connection = nullptr;
    const char *signals = "";
    int rc = BROOD_UNPACK(call, &connection, &signals);
    if (rc == 0 && std::string(signals) == "ignored") {
        signal(SIGTERM, SIG_IGN);
    }
    if (rc == 0) {
        rc = brood_send(connection, brood_bool(false), kSoon);
    }
    while (rc == 0) {
        std::this_thread::yield();
    }
    return rc;
}

Process StartAndAwait(brood_function function, const char *signals = "usual")
{
    auto [mine, theirs] = Pipe();
    Process child = Start(function, BROOD_ARGS(BROOD_GIVE(theirs.get()), signals));
    brood_message *raw = nullptr;
    if (brood_recv(mine.get(), &raw, kSoon) != 0) {
        return {};
    }
    const Message begun(raw);
    EXPECT_FALSE(brood_as_bool(brood_message_value(raw), true)) << "nobody had asked yet";
    return child;
}

int ExitCode(const Process &process)
{
    int exitcode = 1000;
    EXPECT_EQ(0, brood_process_join(process.get(), kSoon)) << LastWords();
    EXPECT_EQ(0, brood_process_exitcode(process.get(), &exitcode)) << LastWords();
    return exitcode;
}

/* ---- interrupt ---- */

TEST_P(ProcessInterrupt, ReachesAFunctionThatAsks)
{
    const Process child = StartAndAwait(RunUntilAsked, "ignored");
    ASSERT_TRUE(child) << LastWords();
    ASSERT_EQ(0, brood_process_interrupt(child.get())) << LastWords();
    Message answer;
    EXPECT_EQ(0, Result(child, &answer)) << LastWords();
    EXPECT_TRUE(brood_as_bool(brood_message_value(answer.get()), false)) << "it stays true";
    EXPECT_EQ(0, brood_process_interrupt(child.get())) << "has ended already";
}

TEST_P(ProcessInterrupt, EndsOthersOnUnix)
{
    const Process child = StartAndAwait(RunForEver);
    ASSERT_TRUE(child) << LastWords();
    for (int again = 0; again < 3; again++) {
        ASSERT_EQ(0, brood_process_interrupt(child.get())) << LastWords();
    }
    if (kWindows) { /* there is nothing but the question, which it never asks */
        EXPECT_TRUE(brood_process_is_alive(child.get()));
        EXPECT_EQ(0, brood_process_kill(child.get()));
    }
    EXPECT_EQ(kWindows ? -9 : -2, ExitCode(child));
}

TEST_P(ProcessInterrupt, RefusesWhatMakesNoSense)
{
    EXPECT_EQ(BROOD_EINVAL, brood_process_interrupt(nullptr));
    EXPECT_EQ(BROOD_EINVAL, brood_process_interrupt(brood_current_process()));
    EXPECT_FALSE(brood_call_cancelled(nullptr));
}

/* ---- stop ---- */

const brood_stop_step kAsk = {BROOD_STOP_ASK, kSoon};
const brood_stop_step kAskOnly = {BROOD_STOP_ASK, 1};
const brood_stop_step kTerminate = {BROOD_STOP_TERMINATE, kSoon};
const brood_stop_step kKill = {BROOD_STOP_KILL, BROOD_FOREVER};

TEST_P(ProcessStopInSteps, AsksNicelyFirst)
{
    const Process child = StartAndAwait(RunUntilAsked);
    ASSERT_TRUE(child) << LastWords();
    const brood_stop_step steps[] = {kAsk, kKill};
    ASSERT_EQ(0, brood_process_stop(child.get(), steps, 2)) << LastWords();
    EXPECT_EQ(0, ExitCode(child));
    EXPECT_EQ(0, brood_process_stop(child.get(), steps, 2)) << "has ended already";
    EXPECT_EQ(0, brood_process_stop(child.get(), nullptr, 0));
}

TEST_P(ProcessStopInSteps, GoesOnToTheNextStepWhenTheTimeIsOver)
{
    const Process child = StartAndAwait(RunForEver);
    ASSERT_TRUE(child) << LastWords();
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_process_stop(child.get(), &kAskOnly, 1));
    EXPECT_TRUE(brood_process_is_alive(child.get()));
    const brood_stop_step steps[] = {kAskOnly, kTerminate, kKill};
    ASSERT_EQ(0, brood_process_stop(child.get(), steps, 3)) << LastWords();
    EXPECT_EQ(-15, ExitCode(child));
}

TEST_P(ProcessStopInSteps, KillsWhatIgnoresAllElse)
{
    const Process child = StartAndAwait(RunForEver, "ignored");
    ASSERT_TRUE(child) << LastWords();
    const brood_stop_step steps[] = {kAskOnly, {BROOD_STOP_TERMINATE, 1}, kKill};
    ASSERT_EQ(0, brood_process_stop(child.get(), steps, 3)) << LastWords();
    if (!kWindows) { /* where terminate cannot be ignored */
        EXPECT_EQ(-9, ExitCode(child));
    }
}

TEST_P(ProcessStopInSteps, RefusesWhatMakesNoSense)
{
    const Process child = StartAndAwait(RunForEver);
    ASSERT_TRUE(child) << LastWords();
    const brood_stop_step nothing = {static_cast<brood_stop>(0), 0};
    const brood_stop_step more = {static_cast<brood_stop>(4), 0};
    const brood_stop_step never = {BROOD_STOP_KILL, -2};
    for (const brood_stop_step &step : {nothing, more, never}) {
        EXPECT_EQ(BROOD_EINVAL, brood_process_stop(child.get(), &step, 1));
    }
    const brood_stop_step late[] = {kKill, nothing};
    EXPECT_EQ(BROOD_EINVAL, brood_process_stop(child.get(), late, 2));
    EXPECT_EQ(BROOD_EINVAL, brood_process_stop(child.get(), nullptr, 1));
    EXPECT_EQ(BROOD_EINVAL, brood_process_stop(child.get(), &kKill, 0));
    EXPECT_EQ(BROOD_EINVAL, brood_process_stop(nullptr, &kKill, 1));
    EXPECT_EQ(BROOD_EINVAL, brood_process_stop(brood_current_process(), &kKill, 1));
    EXPECT_TRUE(brood_process_is_alive(child.get())) << "nothing was done";
    EXPECT_EQ(0, brood_process_stop(child.get(), &kKill, 1));
}

} // namespace

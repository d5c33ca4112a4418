/* Unix only: functions that the fork server runs before it serves. */
#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "support/insides.h"
#include "support/process_list.h"
#include "support/serving.h"

namespace {

int Nothing(brood_call *)
{
    return 0;
}

int Linger(brood_call *call)
{
    brood_connection *connection = nullptr;
    const int rc = BROOD_UNPACK(call, &connection);
    return rc ? rc : brood_poll(connection, BROOD_FOREVER);
}

int steps;
int signals;

int FirstStep(brood_call *)
{
    steps = steps * 10 + 1;
    return 0;
}

int SecondStep(brood_call *call)
{
    steps = steps * 10 + 2;
    return brood_call_count(call) == 0 ? brood_return(call, brood_str("ignored")) : 1;
}

int TellSteps(brood_call *call)
{
    return brood_return(call, brood_int(steps));
}

TEST(Preload, RunsOnceAndInOrderBeforeTheFirstStart)
{
    SetPreload({FirstStep, SecondStep, FirstStep});
    EXPECT_EQ(0, steps) << "not here";
    const Process child = Serve(TellSteps);
    EXPECT_EQ(121, AnswerOf(child));
    EXPECT_EQ(121, AnswerOf(Serve(TellSteps)));
    EXPECT_EQ(0, AnswerOf(StartBy(BROOD_SPAWN, TellSteps))) << "other methods know nothing of it";
}

TEST(Preload, MayBeChangedForLaterStarts)
{
    auto [mine, theirs] = Pipe();
    SetPreload({FirstStep});
    const int64_t before = ServersPid();
    const Process early = Serve(Linger, BROOD_ARGS(BROOD_GIVE(theirs.get())));
    ASSERT_TRUE(early) << LastWords();
    SetPreload({SecondStep});
    EXPECT_EQ(2, AnswerOf(Serve(TellSteps)));
    EXPECT_TRUE(IsAlive(before)) << "it has a child";
    EXPECT_TRUE(brood_process_is_alive(early.get()));
    mine.reset();
    EXPECT_EQ(0, ExitOf(early));
    EXPECT_TRUE(WaitFor([before] { return !IsAlive(before); }));
    SetPreload({});
    EXPECT_EQ(0, AnswerOf(Serve(TellSteps)));
}

/* Starts fail with that, one after the other, until there is another list. */
void ExpectPreloadError(brood_function function, int error, int code, const std::string &words)
{
    SetPreload({FirstStep, function});
    testing::internal::CaptureStderr();
    for (int i = 0; i < 2; i++) {
        EXPECT_FALSE(Serve(Nothing));
        EXPECT_EQ(error, brood_last_error()->error) << LastWords();
        EXPECT_EQ(code, brood_last_error()->code);
        EXPECT_NE(std::string::npos, LastWords().find(words)) << LastWords();
    }
    EXPECT_EQ("", testing::internal::GetCapturedStderr()) << "the start tells";
    SetPreload({FirstStep});
    EXPECT_EQ(1, AnswerOf(Serve(TellSteps)));
}

TEST(Preload, MakesTheStartFailWithItsOwnWords)
{
    ExpectPreloadError([](brood_call *call) { return brood_raise(call, 3, "no model"); },
                       BROOD_ETASK, 3, "preload function 2 of 2 returned 3: no model");
    ExpectPreloadError([](brood_call *) { return 4; }, BROOD_ETASK, 4,
                       "preload function 2 of 2 returned 4");
    ExpectPreloadError(
        [](brood_call *) {
            brood_connection *one = nullptr;
            return brood_pipe(&one, nullptr, BROOD_DUPLEX);
        },
        BROOD_EINVAL, 0, "preload function 2 of 2");
}

TEST(Preload, ThatEndsItsProcessIsSaidToHaveDoneSo)
{
    ExpectPreloadError([](brood_call *) -> int { _exit(5); }, BROOD_ETASK, 5, "exited with code 5");
    ExpectPreloadError([](brood_call *) -> int { _exit(0); }, BROOD_EWORKER, 0,
                       "ended before it had begun to serve");
    ExpectPreloadError([](brood_call *) { return raise(SIGKILL); }, BROOD_EWORKER, 0, "SIGKILL");
}

#if defined(__linux__)
TEST(Preload, ThatLeavesAThreadBehindIsRefused)
{
#if defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "ThreadSanitizer has a thread of its own";
#endif
    ExpectPreloadError(
        [](brood_call *) {
            std::thread([] {
                for (;;) {
                    pause();
                }
            }).detach();
            return 0;
        },
        BROOD_EINVAL, 0, "have left 1 thread behind");
    SetPreload({[](brood_call *) {
        std::thread([] { steps = 7; }).join();
        return 0;
    }});
    EXPECT_EQ(7, AnswerOf(Serve(TellSteps))) << "one that was joined is no harm";
}
#endif

int opened = -1;

int OpenAndHandle(brood_call *)
{
    opened = open("/dev/null", O_RDONLY);
    signal(SIGUSR1, [](int) { signals++; });
    signal(SIGINT, [](int) { signals++; });
    sigset_t some;
    sigemptyset(&some);
    sigaddset(&some, SIGUSR2);
    sigprocmask(SIG_BLOCK, &some, nullptr);
    return opened >= 0 ? 0 : 1;
}

TEST(Preload, LeavesNoDescriptorsAndNoSignalsToChildren)
{
    SetPreload({OpenAndHandle});
    const Process child = Serve([](brood_call *call) {
        struct sigaction user = {};
        struct sigaction interrupt = {};
        sigset_t blocked;
        sigaction(SIGUSR1, nullptr, &user);
        sigaction(SIGINT, nullptr, &interrupt);
        sigprocmask(SIG_SETMASK, nullptr, &blocked);
        CHILD_CHECK(call, opened >= 0 && fcntl(opened, F_GETFD) < 0);
        CHILD_CHECK(call, user.sa_handler == SIG_DFL && interrupt.sa_handler == SIG_DFL);
        CHILD_CHECK(call, sigismember(&blocked, SIGUSR2) == 0);
        return 0;
    });
    EXPECT_EQ(0, Result(child)) << LastWords();
}

TEST(Preload, PrintsOnce)
{
    int ends[2];
    ASSERT_EQ(0, pipe2(ends, O_CLOEXEC));
    fflush(stdout);
    const int before = dup(1);
    dup2(ends[1], 1);
    SetPreload({[](brood_call *) { return printf("loading, ") > 0 ? 0 : 1; }});
    for (int i = 0; i < 3; i++) {
        const Process child = Serve([](brood_call *) { return printf("served, ") > 0 ? 0 : 1; });
        EXPECT_EQ(0, ExitOf(child));
    }
    LetForkserverGo();
    EXPECT_TRUE(HasNoChildren());
    dup2(before, 1);
    close(before);
    close(ends[1]);
    std::string text(200, '\0');
    text.resize(static_cast<size_t>(read(ends[0], &text[0], text.size())));
    EXPECT_EQ("loading, served, served, served, ", text);
    close(ends[0]);
}

/* The server waits for its own children only, and some of them are not for its user. */
TEST(Preload, MayLeaveAZombieBehind)
{
    SetPreload({[](brood_call *) {
        const pid_t pid = fork();
        if (pid == 0) {
            _exit(1);
        }
        siginfo_t info;
        return waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
    }});
    for (int i = 0; i < 5; i++) {
        EXPECT_EQ(0, ExitOf(Serve(Nothing)));
        EXPECT_EQ(-SIGKILL, ExitOf(Serve([](brood_call *) { return raise(SIGKILL); })));
    }
}

int AskForKey(brood_call *)
{
    char key[1024];
    return inside_authkey(key) == 32 ? 0 : 1;
}

TEST(Preload, ThatAsksForTheKeyDoesNotKeepItForChildren)
{
    SetPreload({AskForKey});
    (void)ServersPid();
    ASSERT_EQ(0, brood_set_authkey("secret", 6));
    EXPECT_EQ(6, AnswerOf(Serve([](brood_call *call) {
                  char key[1024];
                  return brood_return(call, brood_int(static_cast<int64_t>(inside_authkey(key))));
              })));
}

} // namespace

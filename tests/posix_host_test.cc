/* Unix only: programs with habits of their own. */
#include <gtest/gtest.h>

#include <fcntl.h>
#include <fenv.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <clocale>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "support/host.h"
#include "support/process_list.h"
#include "support/sanitizer.h"

namespace fs = std::filesystem;

namespace {

/* ---- what the hosts' children do ---- */

int ReturnSeven(brood_call *)
{
    return 7;
}

int ReadOwn(brood_call *call)
{
    const char *path = nullptr;
    const int rc = BROOD_UNPACK(call, &path);
    const std::string text = ReadFile(path);
    return rc ? rc : brood_return(call, brood_bytes(text.data(), text.size()));
}

int ListStreams(brood_call *call)
{
    std::string text;
    for (int fd = 0; fd < 3; fd++) {
        text += fcntl(fd, F_GETFD) >= 0 ? 'o' : '-';
    }
    return brood_return(call, brood_str(text.c_str()));
}

/* ---- helpers for hosts ---- */

/* What a child reads in a file about itself. */
std::string ReadIn(const char *path)
{
    Message answer;
    const Process child = Start(ReadOwn, BROOD_ARGS(path));
    if (Result(child, &answer) != 0) {
        return LastWords();
    }
    const brood_view view = brood_as_view(brood_message_value(answer.get()));
    return std::string(static_cast<const char *>(view.data), view.size);
}

std::string Lines(const std::string &text, const std::vector<std::string> &names)
{
    std::string found;
    for (const std::string &name : names) {
        const size_t at = text.find(name);
        found += at != std::string::npos ? text.substr(at, text.find('\n', at) + 1 - at) : "";
    }
    return found;
}

/* ---- children that somebody else waits for ---- */

/* The status is lost where the system cannot be asked for it later. */
bool EndedByKillOrUnknown(const Process &child)
{
    int code = 0;
    return Result(child) == BROOD_EWORKER && brood_process_exitcode(child.get(), &code) == 0 &&
           (code == -9 || (code == 255 && LastWords().find("status unknown") != std::string::npos));
}

int Linger(brood_call *)
{
    SpinForEver();
}

int IgnoresChildSignals(brood_call *call)
{
    signal(SIGCHLD, SIG_IGN);
    const Process good = Start(Nothing);
    const Process bad = Start(ReturnSeven);
    int code = 0;
    CHILD_CHECK(call, Result(good) == 0);
    CHILD_CHECK(call, Result(bad) == BROOD_ETASK);
    CHILD_CHECK(call, brood_process_exitcode(bad.get(), &code) == 0 && code == 7);
    return 0;
}

TEST(Host, MayIgnoreChildSignals)
{
    ExpectItWorks(IgnoresChildSignals);
}

int WantsNoZombies(brood_call *call)
{
    struct sigaction action = {};
    action.sa_handler = SIG_DFL;
    action.sa_flags = SA_NOCLDWAIT;
    CHILD_CHECK(call, sigaction(SIGCHLD, &action, nullptr) == 0);
    const Process bad = Start(ReturnSeven);
    int code = 0;
    CHILD_CHECK(call, Result(bad) == BROOD_ETASK);
    CHILD_CHECK(call, brood_process_exitcode(bad.get(), &code) == 0 && code == 7);
    const Process killed = Start(Linger);
    CHILD_CHECK(call, brood_process_kill(killed.get()) == 0);
    CHILD_CHECK(call, EndedByKillOrUnknown(killed));
    return 0;
}

TEST(Host, MayWantNoZombies)
{
    ExpectItWorks(WantsNoZombies);
}

int ReapsItself(brood_call *call)
{
    const Process child = Start(Linger);
    CHILD_CHECK(call, child);
    CHILD_CHECK(call, brood_process_kill(child.get()) == 0);
    CHILD_CHECK(call, waitpid(-1, nullptr, 0) == brood_process_pid(child.get()));
    CHILD_CHECK(call, EndedByKillOrUnknown(child));
    /* its number may be a stranger's by now */
    CHILD_CHECK(call, brood_process_kill(child.get()) == 0);
    return 0;
}

TEST(Host, MayReapOurChildrenItself)
{
    ExpectItWorks(ReapsItself);
}

int ReapsInALoop(brood_call *call)
{
    std::atomic<bool> over{false};
    std::atomic<int> reaped{0};
    std::thread reaper([&] {
        while (!over) {
            if (waitpid(-1, nullptr, 0) > 0) {
                reaped++;
            } else {
                std::this_thread::yield();
            }
        }
    });
    int bad = 0;
    for (int i = 0; i < 30; i++) {
        const Process child = Start(i % 2 == 0 ? ReturnSeven : Nothing);
        int code = -1;
        bad += Result(child) != (i % 2 == 0 ? BROOD_ETASK : 0);
        bad += brood_process_exitcode(child.get(), &code) != 0 || code != (i % 2 == 0 ? 7 : 0);
    }
    const Process killed = Start(Linger);
    bad += brood_process_kill(killed.get()) != 0 || !EndedByKillOrUnknown(killed);
    over = true;
    reaper.join();
    CHILD_CHECK(call, bad == 0);
    return 0;
}

TEST(Host, MayReapAllChildrenInALoop)
{
    ExpectItWorks(ReapsInALoop);
}

/* ---- signals ---- */

const std::vector<std::string> kSignalLines = {
    "SigPnd:", "ShdPnd:", "SigBlk:", "SigIgn:", "SigCgt:"};

void CountSignal(int)
{
}

int HandlesEverything(brood_call *call)
{
    const std::string usual = Lines(ReadIn("/proc/self/status"), kSignalLines);
    CHILD_CHECK(call, usual.find("SigCgt") != std::string::npos);
    struct sigaction action = {};
    action.sa_handler = CountSignal; /* without SA_RESTART: every call may be interrupted */
    for (int signum = 1; signum < NSIG; signum++) {
        sigaction(signum, &action, nullptr);
    }
    CHILD_CHECK(call, Lines(ReadIn("/proc/self/status"), kSignalLines) == usual);
    const itimerval often = {{0, 300}, {0, 300}};
    setitimer(ITIMER_REAL, &often, nullptr);
    for (int i = 0; i < 10; i++) {
        CHILD_CHECK(call, StartsWell());
        CHILD_CHECK(call, StartsWell(std::string(300000, 'a')));
    }
    const itimerval never = {};
    setitimer(ITIMER_REAL, &never, nullptr);
    return 0;
}

TEST(Host, MayHandleAllSignals)
{
    ExpectItWorks(HandlesEverything);
}

int IgnoresAndBlocksEverything(brood_call *call)
{
    const std::string usual = Lines(ReadIn("/proc/self/status"), kSignalLines);
    for (int signum = 1; signum < NSIG; signum++) {
        if (signum != SIGHUP && signum != SIGINT && signum != SIGQUIT) {
            signal(signum, SIG_IGN);
        }
    }
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
    CHILD_CHECK(call, Lines(ReadIn("/proc/self/status"), kSignalLines) == usual);
    sigset_t now;
    pthread_sigmask(SIG_SETMASK, nullptr, &now);
    for (const int signum : {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGCHLD, SIGXFSZ, SIGPIPE}) {
        CHILD_CHECK(call, sigismember(&now, signum) == 1);
    }
    return 0;
}

TEST(Host, MayIgnoreAndBlockAllSignals)
{
    ExpectItWorks(IgnoresAndBlocksEverything);
}

/* ---- standard streams ---- */

/* Closes the streams with a bit in `which`, or lets exec close them, while a child starts. */
bool StartsWithout(int which, bool only_for_exec)
{
    int kept[3];
    for (int fd = 0; fd < 3; fd++) {
        kept[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 10);
        if ((which & 1 << fd) != 0) {
            (void)(only_for_exec ? fcntl(fd, F_SETFD, FD_CLOEXEC) : close(fd));
        }
    }
    Message answer;
    const Process child = Start(ListStreams);
    const int rc = Result(child, &answer);
    bool left_alone = true;
    for (int fd = 0; fd < 3; fd++) {
        const bool closed = !only_for_exec && (which & 1 << fd) != 0;
        left_alone = left_alone && (fcntl(fd, F_GETFD) < 0) == closed;
        dup2(kept[fd], fd);
        close(kept[fd]);
    }
    return rc == 0 && left_alone &&
           strcmp("ooo", brood_as_str(brood_message_value(answer.get()), "")) == 0;
}

int ClosesStreams(brood_call *call)
{
    for (int which = 1; which < 8; which++) {
        CHILD_CHECK(call, StartsWithout(which, false));
        CHILD_CHECK(call, StartsWithout(which, true));
    }
    return 0;
}

TEST(Host, MayHaveClosedAnyOfTheStandardStreams)
{
    ExpectItWorks(ClosesStreams);
}

/* Then the numbers of the streams are what each thread's descriptors get for a moment. */
int StartsFromManyThreadsWithoutStreams(brood_call *call)
{
    for (int fd = 0; fd < 3; fd++) {
        close(fd);
    }
    std::atomic<int> bad{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 6; t++) {
        threads.emplace_back([&bad] {
            for (int i = 0; i < 20; i++) {
                Message answer;
                const Process child = Start(ListStreams);
                bad += Result(child, &answer) != 0 ||
                       strcmp("ooo", brood_as_str(brood_message_value(answer.get()), "")) != 0;
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    CHILD_CHECK(call, bad == 0);
    return 0;
}

TEST(Host, MayStartFromManyThreadsWithoutStandardStreams)
{
    ExpectItWorks(StartsFromManyThreadsWithoutStreams);
}

/* ---- surroundings ---- */

int IsInAnEmptyRoot(brood_call *call)
{
    const std::string folder = TemporaryFile("root");
    CHILD_CHECK(call, StartsWell());
    CHILD_NEEDS(call,
                mkdir(folder.c_str(), 0700) == 0 && chroot(folder.c_str()) == 0 && chdir("/") == 0);
    const Process child = Start(Nothing);
    CHILD_CHECK(call, !child);
    CHILD_CHECK(call, brood_last_error()->error == BROOD_ENOENT);
    CHILD_CHECK(call, LastWords().find("start /") != std::string::npos);
    return 0;
}

TEST(Host, MayBeWhereItsProgramIsNot)
{
#if defined(__SANITIZE_ADDRESS__)
    GTEST_SKIP() << "LeakSanitizer needs /proc at the end of each process";
#endif
    ExpectItWorks(IsInAnEmptyRoot);
    for (const auto &entry : fs::directory_iterator(fs::temp_directory_path())) {
        const std::string name = entry.path().filename().string();
        if (name.find("brood-test-") == 0 && name.find("-root") != std::string::npos) {
            std::error_code ignored;
            fs::remove(entry.path(), ignored);
        }
    }
}

TEST(Host, MayHaveLostItsWorkingDirectory)
{
    const std::string folder = TemporaryFile("cwd");
    const pid_t pid = fork();
    if (pid == 0) {
        (void)!freopen("/dev/null", "w", stdout);
        if (mkdir(folder.c_str(), 0700) == 0 && chdir(folder.c_str()) == 0 &&
            rmdir(folder.c_str()) == 0) {
            execl(BROOD_PROGRAM_PATH, "program", "run", nullptr);
        }
        _exit(99);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

int HasAStrictUmask(brood_call *call)
{
    umask(0777);
    CHILD_CHECK(call, StartsWell());
    CHILD_CHECK(call, StartsWell(std::string(100000, 'a')));
    Message answer;
    const Process child =
        Start([](brood_call *inner) { return brood_return(inner, brood_int(umask(0))); });
    CHILD_CHECK(call, Result(child, &answer) == 0);
    CHILD_CHECK(call, brood_as_int(brood_message_value(answer.get()), 0) == 0777);
    CHILD_CHECK(call, umask(022) == 0777);
    return 0;
}

TEST(Host, MayHaveAnyUmask)
{
    ExpectItWorks(HasAStrictUmask);
}

int HasNoEnvironment(brood_call *call)
{
    clearenv();
    CHILD_CHECK(call, ReadIn("/proc/self/environ").empty());
    static char *nothing[] = {nullptr};
    environ = nothing;
    CHILD_CHECK(call, ReadIn("/proc/self/environ").empty());
    return 0;
}

TEST(Host, MayHaveNoEnvironment)
{
#if defined(BROOD_SANITIZED)
    GTEST_SKIP() << "a sanitizer is told there what to do";
#endif
    ExpectItWorks(HasNoEnvironment);
}

int HasAHugeEnvironment(brood_call *call)
{
    const std::string part(1000, 'e');
    for (int i = 0; i < 1000; i++) {
        setenv(("BROOD_TEST_LARGE_" + std::to_string(i)).c_str(), part.c_str(), 1);
    }
    CHILD_CHECK(call, StartsWell());
    setenv("BROOD_TEST_HUGE", std::string(200000, 'h').c_str(), 1);
    const Process child = Start(Nothing);
    CHILD_CHECK(call, !child);
    CHILD_CHECK(call, brood_last_error()->system_code == E2BIG);
    unsetenv("BROOD_TEST_HUGE");
    CHILD_CHECK(call, StartsWell());
    return 0;
}

TEST(Host, MayHaveAHugeEnvironment)
{
    ExpectItWorks(HasAHugeEnvironment);
}

/* Programs find out by their name what they are, and some are given none. */
TEST(Host, MayBeCalledAnything)
{
    for (const char *const name : {"", "another name", "--brood-child"}) {
        for (const char *const how : {"args", "null"}) {
            const pid_t pid = fork();
            if (pid == 0) {
                (void)!freopen("/dev/null", "w", stdout);
                execl(BROOD_PROGRAM_PATH, name, "run", how, nullptr);
                _exit(99);
            }
            int status = 0;
            waitpid(pid, &status, 0);
            EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << name << status;
        }
    }
}

int IsNiceAndPinned(brood_call *call)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    CHILD_NEEDS(call, sched_setaffinity(0, sizeof set, &set) == 0);
    CHILD_CHECK(call, setpriority(PRIO_PROCESS, 0, 5) == 0);
    const Process child = Start([](brood_call *inner) {
        cpu_set_t mine;
        CPU_ZERO(&mine);
        sched_getaffinity(0, sizeof mine, &mine);
        const brood_value both[] = {brood_int(getpriority(PRIO_PROCESS, 0)),
                                    brood_int(CPU_COUNT(&mine))};
        return brood_return(inner, brood_tuple(both, 2));
    });
    Message answer;
    int nice = 0;
    int cpus = 0;
    CHILD_CHECK(call, Result(child, &answer) == 0);
    CHILD_CHECK(call, BROOD_UNPACK(answer.get(), &nice, &cpus) == 0);
    CHILD_CHECK(call, nice == 5 && cpus == 1);
    return 0;
}

TEST(Host, PassesOnItsPriorityAndAffinity)
{
    ExpectItWorks(IsNiceAndPinned);
}

int HasItsOwnArithmetic(brood_call *call)
{
    CHILD_CHECK(call, fesetround(FE_UPWARD) == 0);
    CHILD_CHECK(call, setlocale(LC_ALL, "C.UTF-8") != nullptr);
#if defined(__GLIBC__)
    CHILD_CHECK(call, feenableexcept(FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW) >= 0);
#endif
    const Process child = Start(
        [](brood_call *inner) {
            const brood_value both[] = {brood_int(fegetround()),
                                        brood_str(setlocale(LC_ALL, nullptr))};
            return brood_return(inner, brood_tuple(both, 2));
        },
        BROOD_ARGS(0.1));
    Message answer;
    int rounding = -1;
    const char *locale = "";
    CHILD_CHECK(call, Result(child, &answer) == 0);
    CHILD_CHECK(call, BROOD_UNPACK(answer.get(), &rounding, &locale) == 0);
    CHILD_CHECK(call, rounding == FE_TONEAREST && strcmp(locale, "C") == 0);
    CHILD_CHECK(call, fegetround() == FE_UPWARD);
    CHILD_CHECK(call, strcmp(setlocale(LC_ALL, nullptr), "C.UTF-8") == 0);
    return 0;
}

TEST(Host, KeepsItsLocaleAndArithmetic)
{
    ExpectItWorks(HasItsOwnArithmetic);
}

} // namespace

/* Unix only: children in every state, and parents with habits of their own, all of which end with
 * their parent. */
#include <gtest/gtest.h>

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "config.h"
#include "support/family.h"
#include "support/process_list.h"
#include "support/stop_file.h"

namespace {

constexpr uid_t kNobody = 65534;

#if defined(BROOD_HAVE_F_SETSIG)
constexpr bool kKernelKills = true;
#else
constexpr bool kKernelKills = false; /* a thread of the child watches */
#endif

std::string ProcessFolder(int64_t pid)
{
    return "/proc/" + std::to_string(pid);
}

/* The letter in a file `stat` of /proc. */
char StateIn(const std::string &folder)
{
    const std::string text = ReadFile(folder + "/stat");
    const size_t end = text.rfind(')');
    return end != std::string::npos && end + 2 < text.size() ? text[end + 2] : '?';
}

char StateOf(int64_t pid)
{
    return StateIn(ProcessFolder(pid));
}

/* Whether any thread of it is there, be it not the first. */
bool HasThreads(int64_t pid)
{
    std::error_code error;
    for (const auto &entry :
         std::filesystem::directory_iterator(ProcessFolder(pid) + "/task", error)) {
        const char state = StateIn(entry.path().string());
        if (state != 'Z' && state != 'X' && state != '?') {
            return true;
        }
    }
    return false;
}

/* Lets go of what the program may do only as root, for good. */
bool BecomeNobody()
{
    return setgid(kNobody) == 0 && setuid(kNobody) == 0;
}

/* ---- children in every state ---- */

[[noreturn]] void BusyLoop()
{
    for (volatile unsigned i = 0;; i = i + 1) {
    }
}

int BusyLoopWithoutCalls(brood_call *call)
{
    ChildSide side(call);
    side.Ready();
    BusyLoop();
}

int BlockedSignals(brood_call *call)
{
    ChildSide side(call);
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
    side.Ready();
    BusyLoop();
}

int HandledSignals(brood_call *call)
{
    ChildSide side(call);
    for (int signum = 1; signum < NSIG; signum++) {
        signal(signum, [](int) {});
    }
    side.Ready();
    BusyLoop();
}

int IgnoredSignals(brood_call *call)
{
    ChildSide side(call);
    for (int signum = 1; signum < NSIG; signum++) {
        signal(signum, SIG_IGN);
    }
    side.Ready();
    BusyLoop();
}

int Stopped(brood_call *call)
{
    ChildSide side(call);
    side.Ready();
    raise(SIGSTOP);
    BusyLoop();
}

/* Its own child has its memory until that execs, which it never does: until then the system lets
 * no signal but a deadly one through. */
int SleepsWithoutInterruption(brood_call *call)
{
    ChildSide side(call);
    side.Ready();
    if (vfork() == 0) { // NOLINT: what it does is what the test needs
        alarm(20);      /* nobody is told to end it */
        for (;;) {
            pause();
        }
    }
    BusyLoop();
}

int MainThreadEnded(brood_call *call)
{
    ChildSide side(call);
    std::thread(BusyLoop).detach();
    side.Ready();
    syscall(SYS_exit, 0); /* of this thread alone */
    return 1;
}

int SessionOfItsOwn(brood_call *call)
{
    ChildSide side(call);
    setsid();
    side.Ready();
    BusyLoop();
}

int OtherUser(brood_call *call)
{
    ChildSide side(call);
    CHILD_CHECK(call, BecomeNobody());
    side.Ready();
    BusyLoop();
}

struct State {
    const char *name;
    brood_function child;
    char letter;    /* wait for this state; 0: any */
    bool root;      /* only root gets into it */
    bool by_signal; /* only a signal of the kernel ends it */
};

/* For lists of tests. */
void PrintTo(const State &state, std::ostream *out)
{
    *out << state.name;
}

const State kStates[] = {
    {"Busy", BusyLoopWithoutCalls, 0, false, false},
    {"BlocksSignals", BlockedSignals, 0, false, false},
    {"HandlesSignals", HandledSignals, 0, false, false},
    {"IgnoresSignals", IgnoredSignals, 0, false, false},
    {"Stopped", Stopped, 'T', false, true},
    {"SleepsWithoutInterruption", SleepsWithoutInterruption, 'D', false, false},
    {"MainThreadEnded", MainThreadEnded, 'Z', false, false},
    {"SessionOfItsOwn", SessionOfItsOwn, 0, false, false},
    {"OtherUser", OtherUser, 0, true, false},
};

const State &Find(const std::string &name)
{
    for (const State &state : kStates) {
        if (name == state.name) {
            return state;
        }
    }
    return kStates[0];
}

int HasOneInAState(brood_call *call)
{
    ParentSide side(call);
    side.Has(Find(side.setting).child);
    side.Tell(side.rc == 0 ? brood_process_pid(side.children[0].get()) : 0);
    return side.Stay();
}

class LifetimeOfAChild : public testing::TestWithParam<std::tuple<std::string, State>> {};

TEST_P(LifetimeOfAChild, EndsWithItsParentWhateverItDoes)
{
    const auto &[way, state] = GetParam();
#if defined(__SANITIZE_THREAD__)
    if (state.letter == 'D') {
        GTEST_SKIP() << "ThreadSanitizer makes a fork of vfork";
    }
#endif
    if (state.root && geteuid() != 0) {
        GTEST_SKIP() << "only root can become another user";
    }
    if (state.by_signal && !kKernelKills) {
        GTEST_SKIP() << "without a signal of the kernel it ends when it is continued";
    }
    Family family(HasOneInAState, way, state.name);
    const std::vector<int64_t> pids = family.Receive(2); /* the child's, from both */
    ASSERT_EQ(2u, pids.size()) << family.Words();
    ASSERT_EQ(pids[0], pids[1]);
    const int64_t pid = pids[0];
    if (state.letter != 0) {
        ASSERT_TRUE(WaitFor([&, letter = state.letter] { return StateOf(pid) == letter; }))
            << StateOf(pid);
    }
    const std::vector<int64_t> below = ChildrenOf(pid);
    EXPECT_TRUE(HasThreads(pid));
    family.Kill();
    EXPECT_TRUE(WaitFor([&] { return !HasThreads(pid); }));
    for (const int64_t made_by_hand : below) {
        KillHard(made_by_hand);
    }
}

INSTANTIATE_TEST_SUITE_P(ByWay, LifetimeOfAChild,
                         testing::Combine(testing::ValuesIn(StartWays()),
                                          testing::ValuesIn(kStates)),
                         [](const auto &both) {
                             return std::get<0>(both.param) + std::get<1>(both.param).name;
                         });

/* ---- parents with habits ---- */

/* A fork as programs make it, which stays and keeps all that it was given. Its number is told as a
 * negative one. */
bool ForkOneThatStays(ParentSide &side)
{
    const pid_t pid = fork();
    if (pid == 0) {
        for (;;) {
            pause();
        }
    }
    return pid > 0 && side.Tell(-pid);
}

int ForksBetweenStarts(brood_call *call)
{
    ParentSide side(call);
    side.Has(Spin);
    CHILD_CHECK(call, ForkOneThatStays(side));
    side.Has(Spin);
    return side.Stay();
}

int ForksBeforeAStart(brood_call *call)
{
    ParentSide side(call);
    CHILD_CHECK(call, ForkOneThatStays(side));
    side.Has(Spin);
    side.Has(Spin);
    return side.Stay();
}

int ForksAfterAllStarts(brood_call *call)
{
    ParentSide side(call);
    side.Has(Spin);
    side.Has(Spin);
    CHILD_CHECK(call, ForkOneThatStays(side));
    return side.Stay();
}

struct Split {
    std::vector<int64_t> children;
    std::vector<int64_t> forks;
};

Split SplitBySign(const std::vector<int64_t> &numbers)
{
    Split split;
    for (const int64_t number : numbers) {
        (number < 0 ? split.forks : split.children).push_back(number < 0 ? -number : number);
    }
    return split;
}

class LifetimeByHost : public testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(ByWay, LifetimeByHost, testing::ValuesIn(StartWays()),
                         [](const auto &way) { return way.param; });

TEST_P(LifetimeByHost, IsNotProlongedByForksOfTheParent)
{
    for (const brood_function parent :
         {ForksBetweenStarts, ForksBeforeAStart, ForksAfterAllStarts}) {
        Family family(parent, GetParam());
        const Split pids = SplitBySign(family.Receive(3));
        ASSERT_EQ(2u, pids.children.size()) << family.Words();
        ASSERT_EQ(1u, pids.forks.size());
        family.Kill();
        EXPECT_TRUE(AllGone(pids.children));
        EXPECT_TRUE(AllAlive(pids.forks)) << "a fork of the program's own may outlive it";
        KillHard(pids.forks[0]);
    }
}

/* While one thread is inside a start, another forks: the fork has a copy of whatever is open. */
int ForksInTheMiddleOfAStart(brood_call *call)
{
    ParentSide side(call);
    const std::string setting = side.setting;
    SetEnvironment("BROOD_TEST_STOP", setting);
    std::thread starter([&side] { side.Has(Spin); });
    const std::string path = setting.substr(setting.find(':') + 1);
    WaitFor([&] { return ReadFile(path).find('\n') != std::string::npos; });
    const pid_t pid = fork();
    if (pid == 0) {
        for (;;) {
            pause();
        }
    }
    side.Tell(-pid);
    starter.join();
    return side.Stay();
}

TEST_P(LifetimeByHost, IsNotProlongedByAForkInTheMiddleOfAStart)
{
    const StopFile stop("parent-started");
    Family family(ForksInTheMiddleOfAStart, GetParam(), stop.Setting());
    int64_t fork = family.Receive();
    fork = fork > 0 ? -family.Receive() : -fork; /* the child may be ready before its start is */
    ASSERT_LT(0, fork) << family.Words();
    const std::vector<int64_t> all = ChildrenOf(family.Pid());
    ASSERT_EQ(2u, all.size());
    family.Kill();
    for (const int64_t pid : all) {
        if (pid != fork) {
            EXPECT_TRUE(AllGone({pid}));
        }
    }
    KillHard(fork);
}

/* The fork is a parent, too. */
int ForksAParent(brood_call *call)
{
    ParentSide side(call);
    side.Has(Spin);
    const pid_t pid = fork();
    if (pid == 0) {
        side.children.clear(); /* they are not this process's */
        side.Has(Spin);
        side.Tell(-getpid());
        for (;;) {
            pause();
        }
    }
    return side.Stay();
}

TEST_P(LifetimeByHost, OfTheChildrenOfAForkIsThatOfTheFork)
{
    Family family(ForksAParent, GetParam());
    const Split pids = SplitBySign(family.Receive(3));
    ASSERT_EQ(2u, pids.children.size()) << family.Words();
    ASSERT_EQ(1u, pids.forks.size());
    const std::vector<int64_t> of_fork = ChildrenBy(GetParam(), pids.forks[0]);
    ASSERT_EQ(1u, of_fork.size());
    family.Kill();
    for (const int64_t pid : pids.children) {
        if (pid != of_fork[0]) {
            EXPECT_TRUE(AllGone({pid}));
        }
    }
    EXPECT_TRUE(AllAlive({pids.forks[0], of_fork[0]}));
    KillHard(pids.forks[0]);
    EXPECT_TRUE(AllGone(of_fork));
}

int BecomesAnotherProgram(brood_call *call)
{
    ParentSide side(call);
    side.Has(Spin);
    const int rc = side.Stay();
    execl("/bin/sleep", "sleep", "1000", nullptr);
    return rc;
}

TEST_P(LifetimeByHost, EndsWhenTheParentBecomesAnotherProgram)
{
    Family family(BecomesAnotherProgram, GetParam());
    const std::vector<int64_t> pids = family.Receive(1);
    ASSERT_EQ(1u, pids.size()) << family.Words();
    family.LetGo();
    EXPECT_TRUE(AllGone(pids));
    EXPECT_TRUE(AllAlive({family.Pid()})) << "the process itself goes on";
    family.Kill();
}

int MainThreadEndsAfterAStart(brood_call *call)
{
    ParentSide side(call);
    std::thread([&side] {
        side.Has(Spin);
        (void)side.Stay();
        _exit(0);
    }).detach();
    syscall(SYS_exit, 0);
    return 1;
}

TEST_P(LifetimeByHost, OutlastsTheMainThread)
{
    Family family(MainThreadEndsAfterAStart, GetParam());
    const std::vector<int64_t> pids = family.Receive(1);
    ASSERT_EQ(1u, pids.size()) << family.Words();
    ASSERT_TRUE(WaitFor([&] { return StateOf(family.Pid()) == 'Z'; }));
    EXPECT_TRUE(AllAlive(pids));
    family.Kill();
    EXPECT_TRUE(AllGone(pids));
}

int StartsOneAsRootAndOneAsNobody(brood_call *call)
{
    ParentSide side(call);
    side.Has(Spin);
    CHILD_CHECK(call, BecomeNobody());
    side.Has(Spin);
    side.Has(Stopped);
    return side.Stay();
}

TEST_P(LifetimeByHost, DoesNotDependOnTheUser)
{
    if (geteuid() != 0) {
        GTEST_SKIP() << "only root can become another user";
    }
    Family family(StartsOneAsRootAndOneAsNobody, GetParam());
    const std::vector<int64_t> pids = family.Receive(3);
    ASSERT_EQ(3u, pids.size()) << family.Words();
    const auto stopped = [](int64_t pid) { return StateOf(pid) == 'T'; };
    ASSERT_TRUE(WaitFor([&] { return std::any_of(pids.begin(), pids.end(), stopped); }));
    family.Kill();
    for (const int64_t pid : pids) { /* they told of themselves in any order */
        if (!kKernelKills) {
            kill(static_cast<pid_t>(pid), SIGCONT);
        }
    }
    EXPECT_TRUE(AllGone(pids));
}

/* ---- in namespaces of their own ---- */

/* Only the host's own mount table changes. */
bool HideProc()
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", nullptr, MS_REC | MS_PRIVATE, "") == 0 &&
           mount("none", "/proc", "tmpfs", 0, "") == 0;
}

constexpr int kSkip = 77; /* told instead of a pid: the system does not let us */

int HasOneWithoutProc(brood_call *call)
{
    ParentSide side(call);
    if (!HideProc()) {
        side.Tell(-kSkip);
        return side.rc;
    }
    side.Has(Spin);
    side.Has(BlockedSignals);
    return side.Stay();
}

TEST_P(LifetimeByHost, NeedsNoProc)
{
#if defined(__SANITIZE_THREAD__)
    if (GetParam() == BROOD_FORKSERVER) {
        GTEST_SKIP() << "ThreadSanitizer has its options from /proc, and needs one after a fork";
    }
#endif
    Family family(HasOneWithoutProc, GetParam());
    const int64_t first = family.Receive();
    if (first == -kSkip) {
        GTEST_SKIP() << "cannot have a mount table of its own here";
    }
    const int64_t second = family.Receive();
    ASSERT_TRUE(first != 0 && second != 0) << family.Words();
    family.Kill();
    EXPECT_TRUE(AllGone({first, second}));
}

/* The first child is the first process of its namespace, whom most signals cannot end. */
int HasTheFirstOfANamespace(brood_call *call)
{
    ParentSide side(call);
    if (unshare(CLONE_NEWPID) != 0) {
        side.Tell(-kSkip);
        return side.rc;
    }
    if (!side.Has(Spin) && side.rc == BROOD_ENOTSUP) { /* it has to be told its number */
        side.rc = 0;
        side.Tell(-kSkip);
        return 0;
    }
    side.Has(Spin);
    for (const Process &child : side.children) {
        side.Tell(brood_process_pid(child.get()) + 1000000);
    }
    return side.Stay();
}

TEST_P(LifetimeByHost, OfTheFirstProcessOfANamespaceIsTheParents)
{
    Family family(HasTheFirstOfANamespace, GetParam());
    std::vector<int64_t> pids;
    for (int i = 0; i < 4; i++) { /* the children themselves only know their numbers inside */
        const int64_t number = family.Receive();
        if (number == -kSkip) {
            GTEST_SKIP() << "cannot have a namespace of its own here";
        }
        if (number > 1000000) {
            pids.push_back(number - 1000000);
        }
    }
    ASSERT_EQ(2u, pids.size()) << family.Words();
    EXPECT_TRUE(AllAlive(pids));
    family.Kill();
    EXPECT_TRUE(AllGone(pids));
}

bool WriteText(const char *path, const char *text)
{
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    const bool ok = fd >= 0 && write(fd, text, strlen(text)) == static_cast<ssize_t>(strlen(text));
    close(fd);
    return ok;
}

/* Root of a namespace, as in a container: its children may become somebody else, but the kernel
 * does not take it for root. The map has to be written from outside. */
bool BecomeRootOfANamespace()
{
    int ready[2];
    int done[2];
    char byte = 0;
    if (pipe2(ready, O_CLOEXEC) != 0 || pipe2(done, O_CLOEXEC) != 0) {
        return false;
    }
    const pid_t host = getpid();
    const pid_t helper = fork();
    if (helper == 0) {
        const std::string folder = "/proc/" + std::to_string(host);
        bool ok = read(ready[0], &byte, 1) == 1;
        ok = ok && WriteText((folder + "/uid_map").c_str(), "0 100000 70000");
        ok = ok && WriteText((folder + "/gid_map").c_str(), "0 100000 70000");
        _exit(ok && write(done[1], "d", 1) == 1 ? 0 : 1);
    }
    close(done[1]);
    const bool moved = unshare(CLONE_NEWUSER) == 0 && write(ready[1], "r", 1) == 1 &&
                       read(done[0], &byte, 1) == 1 && setgid(0) == 0 && setuid(0) == 0;
    for (const int fd : {ready[0], ready[1], done[0]}) {
        close(fd);
    }
    kill(helper, SIGKILL);
    waitpid(helper, nullptr, 0);
    return moved;
}

int HasOneThatBecomesSomebodyInANamespace(brood_call *call)
{
    ParentSide side(call);
    if (geteuid() != 0 || !BecomeRootOfANamespace()) {
        side.Tell(-kSkip);
        return side.rc;
    }
    side.Has(OtherUser);
    return side.Stay();
}

TEST_P(LifetimeByHost, OfAChildThatBecomesSomebodyElseInANamespaceIsTheParents)
{
    Family family(HasOneThatBecomesSomebodyInANamespace, GetParam());
    const int64_t pid = family.Receive();
    if (pid == -kSkip) {
        GTEST_SKIP() << "cannot have a namespace of its own here";
    }
    ASSERT_NE(0, pid) << family.Words();
    family.Kill();
    EXPECT_TRUE(AllGone({pid}));
}

} // namespace

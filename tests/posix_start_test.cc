/* Unix only: what a child inherits, and children that are started by somebody who is not brood. */
#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "support/methods.h"
#include "support/objects.h"
#include "support/process_list.h"

extern "C" {
#include "bootstrap.h"
}

namespace fs = std::filesystem;

namespace {

OVER_METHODS(AnyChild);
OVER_METHODS(Sentinel);

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

/* ---- what a child has ---- */

/* What is open, one line each. */
int ListDescriptors(brood_call *call)
{
    std::string text;
    for (const auto &entry : fs::directory_iterator("/proc/self/fd")) {
        std::error_code gone;
        const std::string target = fs::read_symlink(entry.path(), gone).string();
        if (!gone && target.find("/fd") == std::string::npos) {
            text += entry.path().filename().string() + " " +
                    target.substr(0, target.find_first_of("0123456789")) + "\n";
        }
    }
    return brood_return(call, brood_str(text.c_str()));
}

TEST_P(AnyChild, InheritsNoDescriptorThatWasNotSent)
{
    std::vector<int> open;
    for (int i = 0; i < 50; i++) { /* inheritable, as careless programs have them */
        open.push_back(::open("/dev/null", O_RDONLY));
    }
    auto [mine, theirs] = Pipe();
    const Process child = Start(ListDescriptors, BROOD_ARGS());
    Message answer;
    ASSERT_EQ(0, Result(child, &answer)) << LastWords();
    const std::string list = brood_as_str(brood_message_value(answer.get()), "");
    size_t lines = 0;
    for (size_t at = 0; (at = list.find('\n', at)) != std::string::npos; at++) {
        lines++;
    }
    /* the standard streams; the channel with the key; the lifeline; where the report goes */
    EXPECT_LE(lines, 6u) << list;
    EXPECT_EQ(std::string::npos, list.find("/dev/null", list.find("\n3 "))) << list;
    for (const int fd : open) {
        close(fd);
    }
}

int ReadOwn(brood_call *call)
{
    const char *path = nullptr;
    const int rc = BROOD_UNPACK(call, &path);
    const std::string text = ReadFile(path);
    return rc ? rc : brood_return(call, brood_bytes(text.data(), text.size()));
}

TEST(Child, HasNothingButAMarkerOnItsCommandLine)
{
    const Process child = Start(ReadOwn, BROOD_ARGS("/proc/self/cmdline"));
    Message answer;
    ASSERT_EQ(0, Result(child, &answer)) << LastWords();
    const brood_view view = brood_as_view(brood_message_value(answer.get()));
    const std::string text(static_cast<const char *>(view.data), view.size);
    const size_t first = text.find('\0');
    ASSERT_NE(std::string::npos, first);
    EXPECT_EQ(std::string("--brood-child\0", 14), text.substr(first + 1));
    EXPECT_EQ(fs::read_symlink("/proc/self/exe").string(), text.substr(0, first));
}

TEST(Child, HasTheEnvironmentOfItsParentAndNoMore)
{
    const Process child = Start(ReadOwn, BROOD_ARGS("/proc/self/environ"));
    Message answer;
    std::string ours;
    for (char **entry = environ; *entry != nullptr; entry++) {
        ours += std::string(*entry) + '\0';
    }
    ASSERT_EQ(0, Result(child, &answer)) << LastWords();
    const brood_view view = brood_as_view(brood_message_value(answer.get()));
    EXPECT_EQ(ours, std::string(static_cast<const char *>(view.data), view.size));
}

int DescribeSignals(brood_call *call)
{
    sigset_t blocked;
    struct sigaction user = {};
    struct sigaction hangup = {};
    sigprocmask(SIG_SETMASK, nullptr, &blocked);
    sigaction(SIGUSR1, nullptr, &user);
    sigaction(SIGHUP, nullptr, &hangup);
    const brood_value items[] = {brood_bool(sigismember(&blocked, SIGUSR1) != 0),
                                 brood_bool(user.sa_handler == SIG_DFL),
                                 brood_bool(hangup.sa_handler == SIG_IGN)};
    return brood_return(call, brood_tuple(items, 3));
}

TEST_P(AnyChild, HasDefaultSignalsButIsLeftAloneByTheTerminalAsItsParentIs)
{
    sigset_t some;
    sigset_t before;
    sigemptyset(&some);
    sigaddset(&some, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &some, &before);
    signal(SIGUSR1, SIG_IGN);
    for (const bool nohup : {false, true}) {
        signal(SIGHUP, nohup ? SIG_IGN : SIG_DFL);
        const Process child = Start(DescribeSignals);
        Message answer;
        bool blocked = true;
        bool usual = false;
        bool ignored = !nohup;
        ASSERT_EQ(0, Result(child, &answer)) << LastWords();
        ASSERT_EQ(0, BROOD_UNPACK(answer.get(), &blocked, &usual, &ignored));
        EXPECT_FALSE(blocked);
        EXPECT_TRUE(usual);
        EXPECT_EQ(nohup, ignored);
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    signal(SIGUSR1, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
}

/* Its limit of open files is too low for what it is sent: it fails before it knows its function. */
TEST(Child, TellsItsParentWhyItCouldNotStart)
{
    constexpr int kLimit = 24;
    std::vector<int> low;
    std::vector<std::pair<Connection, Connection>> pipes;
    std::vector<brood_value> items;
    while (low.empty() || low.back() < kLimit) { /* so that the pipes get high numbers */
        low.push_back(dup(0));
    }
    for (int i = 0; i < 40; i++) {
        pipes.push_back(Pipe());
        ASSERT_TRUE(pipes.back().second) << LastWords();
        items.push_back(brood_of(pipes.back().second.get()));
    }
    for (const int fd : low) {
        close(fd);
    }
    rlimit before = {};
    getrlimit(RLIMIT_NOFILE, &before);
    const rlimit tight = {kLimit, before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &tight);
    const Process child = Start(Nothing, BROOD_ARGS(brood_list(items.data(), items.size())));
    setrlimit(RLIMIT_NOFILE, &before);
    ASSERT_TRUE(child) << LastWords();
    EXPECT_EQ(BROOD_ESYSTEM, Result(child));
    EXPECT_NE(std::string::npos, LastWords().find("descriptors from the parent were lost"))
        << LastWords();
    int exitcode = 0;
    EXPECT_EQ(0, brood_process_exitcode(child.get(), &exitcode));
    EXPECT_EQ(1, exitcode);
}

/* ---- the parent's side ---- */

TEST_P(Sentinel, BecomesReadableAtTheEnd)
{
    auto [mine, theirs] = Pipe();
    const Process child = Start(Linger, BROOD_ARGS(BROOD_GIVE(theirs.get())));
    ASSERT_TRUE(child) << LastWords();
    pollfd one = {static_cast<int>(brood_process_sentinel(child.get())), POLLIN, 0};
    EXPECT_EQ(0, poll(&one, 1, 0));
    mine.reset();
    EXPECT_EQ(1, poll(&one, 1, static_cast<int>(kSoon)));
    EXPECT_EQ(0, Result(child)) << LastWords();
}

/* ---- started by somebody else ---- */

struct Outcome {
    int status = -1;
    std::string err;
};

/* Starts this program as a child, with what `prepare` puts at descriptors 3 and 4, and lets `talk`
 * speak to it. */
Outcome StartByHand(const std::function<void()> &prepare, const std::function<void()> &talk)
{
    int err[2];
    Outcome outcome;
    EXPECT_EQ(0, pipe2(err, O_CLOEXEC));
    const std::string self = fs::read_symlink("/proc/self/exe").string();
    const pid_t pid = fork();
    if (pid == 0) {
        dup2(err[1], 2);
        prepare();
        /* not by its path, which another user may not be allowed to follow */
        execl("/proc/self/exe", self.c_str(), "--brood-child", static_cast<char *>(nullptr));
        _exit(99);
    }
    close(err[1]);
    talk();
    char room[4096];
    ssize_t n;
    while ((n = read(err[0], room, sizeof room)) > 0) {
        outcome.err.append(room, static_cast<size_t>(n));
    }
    close(err[0]);
    waitpid(pid, &outcome.status, 0);
    return outcome;
}

int ExitCode(const Outcome &outcome)
{
    return WIFEXITED(outcome.status) ? WEXITSTATUS(outcome.status) : -WTERMSIG(outcome.status);
}

/* What a parent sends: preface, record, a small body, then handles. */
struct Preface {
    uint32_t magic = 0x646f7262;
    uint32_t report = 0; /* over the channel */
    uint32_t record_size = BROOD_RECORD_SIZE;
    uint32_t body_size = 0; /* in a section */
    uint32_t handle_count = 0;
    uint32_t secret_size = 0;
    uint32_t others = 0;
};

class Starter {
  public:
    Starter()
    {
        EXPECT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair_));
        EXPECT_EQ(0, pipe2(lifeline_, O_CLOEXEC));
        body_ = memfd_create("body", MFD_CLOEXEC);
        EXPECT_EQ(static_cast<ssize_t>(text_.size()), write(body_, text_.data(), text_.size()));
        brood_record_sign(record, text_.data(), text_.size(), 0);
    }
    ~Starter()
    {
        for (const int fd : {pair_[0], pair_[1], lifeline_[0], lifeline_[1], body_}) {
            if (fd >= 0) {
                close(fd);
            }
        }
    }
    Outcome Run(size_t send_size)
    {
        std::string bytes(reinterpret_cast<const char *>(&preface), sizeof preface);
        bytes.append(reinterpret_cast<const char *>(record), sizeof record);
        bytes.append(text_, 0, preface.body_size);
        bytes.resize(std::min(bytes.size(), send_size));
        return StartByHand(
            [&] {
                const int channel = fcntl(pair_[1], F_DUPFD, 10);
                const int lifeline = fcntl(lifeline_[0], F_DUPFD, 10);
                dup2(channel, 3);
                dup2(lifeline, 4);
                if (other_user && setresuid(65534, 65534, 65534) != 0) {
                    _exit(98);
                }
            },
            [&] {
                close(pair_[1]);
                pair_[1] = -1;
                if (!bytes.empty()) {
                    Send(bytes);
                }
                shutdown(pair_[0], SHUT_WR);
            });
    }

    Preface preface;
    unsigned char record[BROOD_RECORD_SIZE];
    bool other_user = false;

  private:
    void Send(const std::string &bytes)
    {
        char room[CMSG_SPACE(sizeof(int))] = {};
        iovec piece = {const_cast<char *>(bytes.data()), bytes.size()};
        msghdr message = {};
        message.msg_iov = &piece;
        message.msg_iovlen = 1;
        if (preface.body_size > 0) {
            EXPECT_EQ(static_cast<ssize_t>(bytes.size()), sendmsg(pair_[0], &message, 0));
            return;
        }
        message.msg_control = room;
        message.msg_controllen = sizeof room;
        cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(head), &body_, sizeof(int));
        EXPECT_EQ(static_cast<ssize_t>(bytes.size()), sendmsg(pair_[0], &message, MSG_NOSIGNAL));
    }

    const std::string text_ = "no value at all";
    int pair_[2] = {-1, -1};
    int lifeline_[2] = {-1, -1};
    int body_ = -1;
};

constexpr size_t kAll = 1000;

void ExpectRefused(const Outcome &outcome, const std::string &words)
{
    EXPECT_EQ(1, ExitCode(outcome)) << outcome.err;
    EXPECT_NE(std::string::npos, outcome.err.find(words)) << outcome.err;
}

TEST(ForeignStart, WithoutAChannelIsRefused)
{
    const auto nobody = [] {};
    ExpectRefused(StartByHand([] { close(3); }, nobody), "is for programs that brood starts");
    ExpectRefused(StartByHand([] { dup2(::open("/dev/zero", O_RDONLY), 3); }, nobody),
                  "is for programs that brood starts");
}

TEST(ForeignStart, ThatSendsNothingEndsTheChildQuietly)
{
    const Outcome outcome = Starter().Run(0);
    EXPECT_EQ(1, ExitCode(outcome));
    EXPECT_EQ("", outcome.err);
}

TEST(ForeignStart, ThatIsWhollyRightIsReadAndFoundToBeNoValue)
{
    ExpectRefused(Starter().Run(kAll), "PROTO"); /* signed well, so now it was decoded */
}

TEST(ForeignStart, CutShortAtAnyByteIsRefused)
{
    for (size_t size = 1; size < sizeof(Preface) + BROOD_RECORD_SIZE; size += size < 20 ? 1 : 9) {
        const Outcome outcome = Starter().Run(size);
        EXPECT_EQ(1, ExitCode(outcome)) << size;
        EXPECT_NE("", outcome.err) << size;
    }
}

TEST(ForeignStart, WithAnotherMagicIsRefused)
{
    Starter starter;
    starter.preface.magic++;
    ExpectRefused(starter.Run(kAll), "is no start record");
}

TEST(ForeignStart, WithImpossibleSizesIsRefused)
{
    Starter record;
    record.preface.record_size = 100000;
    ExpectRefused(record.Run(kAll), "is no start record");
    Starter handles;
    handles.preface.handle_count = 0x7fffffff;
    ExpectRefused(handles.Run(kAll), "is no start record");
    Starter secret;
    secret.preface.secret_size = 1025;
    ExpectRefused(secret.Run(kAll), "is no start record");
}

TEST(ForeignStart, WithAWrongSignatureIsRefusedBeforeItIsDecoded)
{
    Starter starter;
    starter.record[BROOD_RECORD_SIZE - 1] ^= 1;
    ExpectRefused(starter.Run(kAll), "signature is wrong");
}

TEST(ForeignStart, OfAnotherVersionIsRefused)
{
    Starter starter;
    starter.record[11] = 2;
    ExpectRefused(starter.Run(kAll), "version 2");
}

TEST(ForeignStart, WithASmallerBodyThanItSaysIsRefused)
{
    Starter starter;
    starter.record[54] = 1; /* 256 bytes more */
    ExpectRefused(starter.Run(kAll), "shared memory of 15 bytes");
}

TEST(ForeignStart, WithASmallBodyIsRead)
{
    Starter starter;
    starter.preface.body_size = 15;
    ExpectRefused(starter.Run(kAll), "PROTO");
}

TEST(ForeignStart, WithASmallBodyCutShortAtAnyByteIsRefused)
{
    for (size_t size = 0; size < 15; size++) {
        Starter starter;
        starter.preface.body_size = 15;
        ExpectRefused(starter.Run(sizeof(Preface) + BROOD_RECORD_SIZE + size), "cut short");
    }
}

TEST(ForeignStart, WithLessOfASmallBodyThanTheRecordSaysIsRefused)
{
    Starter starter;
    starter.preface.body_size = 14;
    ExpectRefused(starter.Run(kAll), "14 bytes came where 15 were announced");
    Starter much;
    much.preface.body_size = 1u << 20;
    ExpectRefused(much.Run(kAll), "is no start record");
}

TEST(ForeignStart, ByAnotherUserIsRefused)
{
    if (geteuid() != 0) {
        GTEST_SKIP() << "only root can start a program as another user";
    }
    Starter starter;
    starter.other_user = true;
    ExpectRefused(starter.Run(kAll), "started by user 0");
}

} // namespace

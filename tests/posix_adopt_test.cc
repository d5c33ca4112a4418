#include <gtest/gtest.h>

#include <csignal>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <thread>

#include "fault.h"
#include "support/fault.h"
#include "support/objects.h"
#include "support/transports.h"

namespace {

TEST(PosixAdopt, RefusesInWordsWhatHasNoMessages)
{
    brood_connection *raw = nullptr;
    const auto refused = [&raw](int fd, bool readable, bool writable) {
        const int rc = brood_connection_adopt(&raw, fd, readable, writable);
        EXPECT_TRUE(rc == BROOD_EINVAL) << rc;
        EXPECT_EQ(nullptr, raw);
        return rc == 0 ? std::string("taken") : LastWords();
    };
    EXPECT_EQ("descriptor -1 is not open", refused(-1, true, true));
    EXPECT_EQ("a connection that neither receives nor sends", refused(0, false, false));
    EXPECT_EQ(BROOD_EINVAL, brood_connection_adopt(nullptr, 0, true, true));

    int ends[2];
    ASSERT_EQ(0, pipe(ends));
    const std::string first = std::to_string(ends[0]);
    const std::string second = std::to_string(ends[1]);
    EXPECT_EQ("descriptor " + first + " cannot be written to", refused(ends[0], true, true));
    EXPECT_EQ("descriptor " + second + " cannot be read from", refused(ends[1], true, false));
    EXPECT_EQ(0, fcntl(ends[0], F_GETFD)) << "and is as it was";
    close(ends[0]);
    close(ends[1]);
    EXPECT_EQ("descriptor " + first + " is not open", refused(ends[0], true, false));

    ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
    EXPECT_EQ("descriptor " + first + " is a socket, but no stream", refused(ends[0], true, true));
    close(ends[0]);
    close(ends[1]);
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_EQ(0, listen(listener, 1));
    EXPECT_NE(std::string::npos, refused(listener, true, true).find("listens"));
    close(listener);
    const int folder = open("/", O_RDONLY);
    EXPECT_NE(std::string::npos, refused(folder, true, false).find("no socket, pipe or terminal"));
    close(folder);
}

TEST(PosixAdopt, LeavesTheDescriptorAloneWhenAnyStepFails)
{
    int ends[2];
    ASSERT_EQ(0, pipe(ends));
    ForEachFault([&] {
        brood_connection *raw = nullptr;
        const int copy = dup(ends[0]);
        const int rc = brood_connection_adopt(&raw, copy, true, false);
        EXPECT_EQ(brood_fault_fired(), rc != 0);
        EXPECT_EQ(rc == 0, raw != nullptr);
        EXPECT_EQ(rc == 0 ? FD_CLOEXEC : 0, fcntl(copy, F_GETFD));
        brood_connection_free(raw);
        EXPECT_EQ(rc == 0 ? -1 : 0, close(copy));
    });
    close(ends[0]);
    close(ends[1]);
}

TEST(PosixAdopt, LeavesTheProgramsSignalsAlone)
{
    int ends[2];
    ASSERT_EQ(0, pipe(ends));
    const Connection sends = Adopted(ends[1], false, true);
    ASSERT_TRUE(sends) << LastWords();
    close(ends[0]);
    EXPECT_EQ(BROOD_EPEER, brood_send_bytes(sends.get(), "x", 1, kSoon)); /* SIGPIPE would end us */
    sigset_t set;
    EXPECT_EQ(0, sigpending(&set));
    EXPECT_EQ(0, sigismember(&set, SIGPIPE));
    EXPECT_EQ(0, pthread_sigmask(SIG_BLOCK, nullptr, &set));
    EXPECT_EQ(0, sigismember(&set, SIGPIPE));
}

TEST(PosixAdopt, TakesATerminal)
{
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    ASSERT_GE(master, 0);
    ASSERT_EQ(0, grantpt(master));
    ASSERT_EQ(0, unlockpt(master));
    const int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    ASSERT_GE(slave, 0);
    struct termios mode;
    ASSERT_EQ(0, tcgetattr(slave, &mode));
    cfmakeraw(&mode);
    ASSERT_EQ(0, tcsetattr(slave, TCSANOW, &mode));
    Connection a = Adopted(master, true, true);
    Connection b = Adopted(slave, true, true);
    ASSERT_TRUE(a && b) << LastWords();
    const std::string text(20000, 'x');
    std::thread sender([&] {
        EXPECT_EQ(0, brood_send_bytes(a.get(), text.data(), text.size(), kSoon)) << LastWords();
    });
    EXPECT_TRUE(text == ReceiveBytes(b));
    sender.join();
    ASSERT_EQ(0, brood_send_bytes(b.get(), "back", 4, kSoon));
    EXPECT_EQ("back", ReceiveBytes(a));
    b.reset();
    EXPECT_EQ("error: receive: the other end is closed", ReceiveBytes(a));
}

} // namespace

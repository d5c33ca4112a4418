/* Unix only: the fork server forks for its user and for nobody else. */
#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "support/serve.h"

namespace {

constexpr int kServed = 0;
constexpr int kRefused = 1;

/* A server in a fork of this process, and its user's end. */
class Server {
  public:
    Server()
    {
        EXPECT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair_));
        pid_ = fork();
        if (pid_ == 0) {
            close(pair_[0]);
            const int rc = serve(pair_[1]);
            _exit(rc == 0 ? kServed : rc == BROOD_EAUTH ? kRefused : 2);
        }
        close(pair_[1]);
        EXPECT_EQ(SERVE_KEY, write(pair_[0], key.data(), key.size()));
    }
    ~Server()
    {
        Close();
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    void Close()
    {
        close(pair_[0]);
        pair_[0] = -1;
    }
    /* Sends these bytes with one end of a new channel (or none) and returns what comes over it until
     * all others have closed it. */
    std::string Ask(const std::string &bytes, bool with_channel = true)
    {
        int channel[2];
        EXPECT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel));
        Send(bytes, with_channel ? channel[1] : -1);
        close(channel[1]);
        std::string text;
        char room[256];
        ssize_t n;
        while ((n = read(channel[0], room, sizeof room)) > 0) {
            text.append(room, static_cast<size_t>(n));
        }
        close(channel[0]);
        return text;
    }
    int End()
    {
        int status = 0;
        waitpid(pid_, &status, 0);
        const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
        pid_ = fork(); /* something to wait for later */
        if (pid_ == 0) {
            _exit(0);
        }
        return code;
    }

    const std::string key = std::string(SERVE_KEY, 'k');

  private:
    void Send(const std::string &bytes, int fd)
    {
        char room[CMSG_SPACE(sizeof(int))] = {};
        iovec piece = {const_cast<char *>(bytes.data()), bytes.size()};
        msghdr message = {};
        message.msg_iov = &piece;
        message.msg_iovlen = 1;
        if (fd >= 0) {
            message.msg_control = room;
            message.msg_controllen = sizeof room;
            cmsghdr *head = CMSG_FIRSTHDR(&message);
            head->cmsg_level = SOL_SOCKET;
            head->cmsg_type = SCM_RIGHTS;
            head->cmsg_len = CMSG_LEN(sizeof(int));
            memcpy(CMSG_DATA(head), &fd, sizeof(int));
        }
        EXPECT_EQ(static_cast<ssize_t>(bytes.size()), sendmsg(pair_[0], &message, MSG_NOSIGNAL));
    }
    int pair_[2];
    pid_t pid_;
};

std::string Request(uint64_t counter, const std::string &key)
{
    char room[SERVE_REQUEST_MAX];
    return std::string(room, serve_request(room, counter, key.data()));
}

bool Starts(const std::string &answer)
{
    return serve_is_reply(answer.data(), answer.size());
}

TEST(ForkserverProtocol, AnswersItsUsersRequestsAndEndsWithThem)
{
    Server server;
    EXPECT_TRUE(Starts(server.Ask(Request(1, server.key))));
    EXPECT_TRUE(Starts(server.Ask(Request(2, server.key))));
    server.Close();
    EXPECT_EQ(kServed, server.End());
}

TEST(ForkserverProtocol, RefusesARequestThatWasMadeBefore)
{
    Server server;
    const std::string first = Request(1, server.key);
    EXPECT_TRUE(Starts(server.Ask(first)));
    EXPECT_EQ("", server.Ask(first));
    EXPECT_EQ(kRefused, server.End());
}

TEST(ForkserverProtocol, RefusesARequestOutOfTurn)
{
    Server server;
    EXPECT_EQ("", server.Ask(Request(2, server.key)));
    EXPECT_EQ(kRefused, server.End());
}

TEST(ForkserverProtocol, RefusesARequestOfSomebodyElse)
{
    Server server;
    EXPECT_EQ("", server.Ask(Request(1, std::string(SERVE_KEY, 'x'))));
    EXPECT_EQ(kRefused, server.End());
}

TEST(ForkserverProtocol, RefusesARequestOfWhichAnyByteWasChanged)
{
    const size_t size = Request(1, std::string(SERVE_KEY, 'k')).size();
    for (size_t i = 0; i < size; i += 5) {
        Server server;
        std::string request = Request(1, server.key);
        request[i] = static_cast<char>(request[i] ^ 1);
        EXPECT_EQ("", server.Ask(request)) << i;
        EXPECT_EQ(kRefused, server.End()) << i;
    }
}

TEST(ForkserverProtocol, RefusesWhatIsCutShort)
{
    for (const size_t size : {size_t{1}, size_t{31}}) {
        Server server;
        EXPECT_EQ("", server.Ask(Request(1, server.key).substr(0, size), false));
        server.Close(); /* it waits for the rest until nobody can send it */
        EXPECT_EQ(kRefused, server.End()) << size;
    }
}

TEST(ForkserverProtocol, RefusesARequestWithoutAChannel)
{
    Server server;
    EXPECT_EQ("", server.Ask(Request(1, server.key), false));
    EXPECT_EQ(kRefused, server.End());
}

} // namespace

/* Forked children that do something as often as they are told, without brood. */
#pragma once

#include "raw.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace raw {

inline void Check(bool ok, const char *what)
{
    if (!ok) {
        throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
    }
}

/* What a child does: as often as it is told, and then it answers. */
inline void Serve(int channel, const std::function<void(uint64_t)> &work)
{
    uint64_t count = 0;
    while (ReadAll(channel, &count, sizeof count)) {
        work(count);
        WriteAll(channel, "", 1);
    }
}

struct Child {
    pid_t pid;
    int channel;
};

inline Child Fork(const std::function<void(uint64_t)> &work, const std::vector<Child> &others)
{
    int ends[2];
    Check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
    const pid_t pid = fork();
    Check(pid >= 0, "fork");
    if (pid == 0) {
        close(ends[0]);
        for (const Child &other : others) {
            close(other.channel);
        }
        try {
            Serve(ends[1], work);
        } catch (const std::exception &problem) {
            (void)std::fprintf(stderr, "brood_bench: %s\n", problem.what());
            _exit(1);
        }
        _exit(0);
    }
    close(ends[1]);
    return {pid, ends[0]};
}

inline void End(const Child &child)
{
    close(child.channel);
    (void)waitpid(child.pid, nullptr, 0);
}

inline void Tell(const Child &child, uint64_t count)
{
    WriteAll(child.channel, &count, sizeof count);
}

inline void Await(const Child &child)
{
    char answer;
    Check(ReadAll(child.channel, &answer, 1), "a child has ended");
}

} // namespace raw

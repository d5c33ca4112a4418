#include "raw.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

extern char **environ;

namespace raw {

const char *const kSpawnIs = "posix_spawn + waitpid of the same program";
const char *const kForkIs = "fork + waitpid";
const char *const kZygoteIs = "a byte to a small process, which does fork + waitpid, and one back";
const char *const kChannelIs = "read and write on a socketpair";
const char *const kWaitIs = "poll on the same descriptors";
const char *const kMemoryIs = "memfd_create + fallocate + mmap, and back";
const char *const kPassIs = "SCM_RIGHTS, fstat, mmap and munmap there, a byte back";

namespace {

[[noreturn]] void Fail(const char *what, int error)
{
    throw std::runtime_error(std::string(what) + ": " + std::strerror(error));
}

void Check(bool ok, const char *what)
{
    if (!ok) {
        Fail(what, errno);
    }
}

const char *ThisProgram()
{
    static char path[PATH_MAX];
    if (path[0] == '\0') {
        const ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
        Check(size > 0, "/proc/self/exe");
        path[size] = '\0';
    }
    return path;
}

pid_t Spawn(const std::vector<std::string> &arguments, const posix_spawn_file_actions_t *actions)
{
    std::vector<char *> argv;
    pid_t pid = -1;
    for (const std::string &argument : arguments) {
        argv.push_back(const_cast<char *>(argument.c_str()));
    }
    argv.push_back(nullptr);
    const int error = posix_spawn(&pid, ThisProgram(), actions, nullptr, argv.data(), environ);
    if (error != 0) {
        Fail("posix_spawn", error);
    }
    return pid;
}

void Wait(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {
        Check(errno == EINTR, "waitpid");
    }
}

/* As large as the system lets us have it: the limit should be a good one. */
void Enlarge(int fd)
{
    const int size = 4 * 1024 * 1024;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

} // namespace

void RunAndWait()
{
    Wait(Spawn({ThisProgram(), kExitMode}, nullptr));
}

void ForkAndWait()
{
    const pid_t pid = fork();
    Check(pid >= 0, "fork");
    if (pid == 0) {
        _exit(0);
    }
    Wait(pid);
}

void WriteAll(Channel channel, const void *data, size_t size)
{
    const char *next = static_cast<const char *>(data);
    while (size > 0) {
        const ssize_t count = write(static_cast<int>(channel), next, size);
        if (count < 0) {
            Check(errno == EINTR, "write");
            continue;
        }
        next += count;
        size -= static_cast<size_t>(count);
    }
}

size_t ReadSome(Channel channel, void *data, size_t size)
{
    for (;;) {
        const ssize_t count = read(static_cast<int>(channel), data, size);
        if (count >= 0) {
            return static_cast<size_t>(count);
        }
        Check(errno == EINTR, "read");
    }
}

bool ReadAll(Channel channel, void *data, size_t size)
{
    char *next = static_cast<char *>(data);
    while (size > 0) {
        const size_t count = ReadSome(channel, next, size);
        if (count == 0) {
            return false;
        }
        next += count;
        size -= count;
    }
    return true;
}

Peer::Peer(const std::vector<std::string> &arguments, const char *mode)
{
    constexpr int kChild = 3;
    int ends[2];
    std::vector<std::string> all = {ThisProgram(), mode, std::to_string(kChild)};
    all.insert(all.end(), arguments.begin(), arguments.end());
    posix_spawn_file_actions_t actions;
    Check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
    Enlarge(ends[0]);
    Enlarge(ends[1]);
    /* dup2 onto itself would keep CLOEXEC, and 3 may be the other end. */
    const int source = fcntl(ends[1], F_DUPFD_CLOEXEC, kChild + 1);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, source, kChild);
    process_ = Spawn(all, &actions);
    posix_spawn_file_actions_destroy(&actions);
    close(source);
    close(ends[1]);
    channel_ = ends[0];
}

Peer::~Peer()
{
    close(static_cast<int>(channel_));
    Wait(static_cast<pid_t>(process_));
}

void AskZygoteAndWait()
{
    static const Peer zygote({}, kZygoteMode);
    char byte = 'f';
    WriteAll(zygote.channel(), &byte, 1);
    Check(ReadAll(zygote.channel(), &byte, 1) && byte == 0, "the zygote");
}

int Zygote(int argc, char **argv)
{
    const Channel channel = argc > 2 ? std::atoll(argv[2]) : -1;
    char byte = 0;
    while (ReadAll(channel, &byte, 1)) {
        int status = 1;
        const pid_t pid = fork();
        if (pid == 0) {
            _exit(0);
        }
        while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
        byte = status == 0 ? 0 : 1;
        WriteAll(channel, &byte, 1);
    }
    return 0;
}

namespace {

/* What memfd_create is on Linux, by hand elsewhere. */
int OpenMemory()
{
#if defined(MFD_CLOEXEC)
    return memfd_create("raw", MFD_CLOEXEC);
#else
    const std::string name = "/brood-bench-" + std::to_string(getpid());
    const int fd = shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
    shm_unlink(name.c_str());
    return fd;
#endif
}

/* The message, and room for one descriptor beside it. */
struct Carrier {
    char byte = 0;
    iovec bytes = {&byte, 1};
    alignas(cmsghdr) char room[CMSG_SPACE(sizeof(int))] = {};
    msghdr message = {};
    Carrier()
    {
        message.msg_iov = &bytes;
        message.msg_iovlen = 1;
        message.msg_control = room;
        message.msg_controllen = sizeof room;
    }
};

} // namespace

Memory::Memory(size_t size) : handle_(OpenMemory()), size_(size)
{
    const int fd = static_cast<int>(handle_);
    Check(fd >= 0, "memfd_create");
    Check((errno = posix_fallocate(fd, 0, static_cast<off_t>(size))) == 0, "posix_fallocate");
    data_ = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    Check(data_ != MAP_FAILED, "mmap");
}

Memory::~Memory()
{
    munmap(data_, size_);
    close(static_cast<int>(handle_));
}

void Peer::Give(const Memory &memory) const
{
    const int fd = static_cast<int>(memory.handle());
    Carrier carrier;
    cmsghdr *head = CMSG_FIRSTHDR(&carrier.message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(head), &fd, sizeof fd);
    Check(sendmsg(static_cast<int>(channel_), &carrier.message, 0) == 1, "sendmsg");
}

bool TakeMemory(Channel channel, size_t size)
{
    Carrier carrier;
    struct stat facts;
    int fd = -1;
    if (recvmsg(static_cast<int>(channel), &carrier.message, MSG_CMSG_CLOEXEC) != 1) {
        return false;
    }
    Check(CMSG_FIRSTHDR(&carrier.message) != nullptr, "recvmsg");
    std::memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&carrier.message)), sizeof fd);
    Check(fstat(fd, &facts) == 0 && facts.st_size >= static_cast<off_t>(size), "fstat");
    void *data = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    Check(data != MAP_FAILED, "mmap");
    munmap(data, size);
    close(fd);
    return true;
}

std::string OutputOf(const std::string &command)
{
    std::string text;
    char part[4096];
    size_t size = 0;
    FILE *output = popen((command + " 2>/dev/null").c_str(), "r");
    while (output != nullptr && (size = std::fread(part, 1, sizeof part, output)) > 0) {
        text.append(part, size);
    }
    return output != nullptr && pclose(output) == 0 ? text : "";
}

struct Waiter::Set {
    std::vector<struct pollfd> polled;
};

Waiter::Waiter(const std::vector<Channel> &channels) : set_(new Set)
{
    for (const Channel channel : channels) {
        set_->polled.push_back({static_cast<int>(channel), POLLIN, 0});
    }
}

Waiter::~Waiter()
{
    delete set_;
}

void Waiter::Wait()
{
    Check(poll(set_->polled.data(), set_->polled.size(), -1) > 0, "poll");
}

bool AllowChannels(size_t count)
{
    constexpr rlim_t kOthers = 64;
    struct rlimit limit;
    Check(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
    const rlim_t wanted = static_cast<rlim_t>(count) + kOthers;
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
        Check(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
    }
    return limit.rlim_cur >= wanted;
}

#if defined(CPU_SET)

std::vector<int> Cpus()
{
    cpu_set_t set;
    std::vector<int> cpus;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
            if (CPU_ISSET(cpu, &set)) {
                cpus.push_back(cpu);
            }
        }
    }
    return cpus;
}

void PinTo(const std::vector<int> &cpus)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const int cpu : cpus) {
        CPU_SET(cpu, &set);
    }
    if (!cpus.empty()) {
        Check(sched_setaffinity(0, sizeof set, &set) == 0, "sched_setaffinity");
    }
}

#else

std::vector<int> Cpus()
{
    return {};
}

void PinTo(const std::vector<int> &)
{
}

#endif

} // namespace raw

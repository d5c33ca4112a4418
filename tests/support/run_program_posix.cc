#include "support/run_program.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <stdexcept>

namespace {

constexpr id_t kNobody = 65534;

using Clock = std::chrono::steady_clock;

class Fd {
  public:
    Fd() = default;
    Fd(const Fd &) = delete;
    Fd &operator=(const Fd &) = delete;
    ~Fd()
    {
        Reset();
    }
    void Reset(int fd = -1)
    {
        if (fd_ >= 0) {
            close(fd_);
        }
        fd_ = fd;
    }
    int get() const
    {
        return fd_;
    }

  private:
    int fd_ = -1;
};

void Check(bool ok, const char *what)
{
    if (!ok) {
        throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
    }
}

void MakePair(Fd &ours, Fd &theirs)
{
    /* Sockets, for sends that raise no signal when the program does not read. */
    int ends[2];
    Check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
    ours.Reset(ends[0]);
    theirs.Reset(ends[1]);
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
}

/* Runs after fork: only what is safe there. */
[[noreturn]] void Become(const ProgramRun &run, char **argv, int in, int out, int err)
{
    if (run.unprivileged && geteuid() == 0 && (setgid(kNobody) != 0 || setuid(kNobody) != 0)) {
        _exit(127);
    }
    if ((run.directory.empty() || chdir(run.directory.c_str()) == 0) && dup2(in, 0) == 0 &&
        dup2(out, 1) == 1 && dup2(err, 2) == 2) {
        execv(argv[0], argv);
    }
    _exit(127);
}

class Session {
  public:
    explicit Session(const ProgramRun &run) : run_(run), input_sent_(0)
    {
    }

    ProgramResult Run()
    {
        Start();
        const auto deadline = Clock::now() + std::chrono::seconds(100);
        while (out_.get() >= 0 || err_.get() >= 0) {
            if (Clock::now() >= deadline) {
                kill(pid_, SIGKILL);
                break;
            }
            Step();
        }
        result_.ended = out_.get() < 0 && err_.get() < 0;
        Reap();
        return result_;
    }

  private:
    void Start()
    {
        Fd in, out, err;
        std::vector<char *> argv;
        for (const std::string &argument : run_.arguments) {
            argv.push_back(const_cast<char *>(argument.c_str()));
        }
        argv.push_back(nullptr);
        MakePair(in_, in);
        MakePair(out_, out);
        MakePair(err_, err);
        if (!run_.output_file.empty()) {
            out_.Reset();
            out.Reset(open(run_.output_file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
            Check(out.get() >= 0, run_.output_file.c_str());
        }
        pid_ = fork();
        Check(pid_ >= 0, "fork");
        if (pid_ == 0) {
            Become(run_, argv.data(), in.get(), out.get(), err.get());
        }
    }

    bool InputIsDue() const
    {
        return in_.get() >= 0 && result_.Says(run_.input_after);
    }

    void Step()
    {
        pollfd items[] = {{out_.get(), POLLIN, 0},
                          {err_.get(), POLLIN, 0},
                          {InputIsDue() ? in_.get() : -1, POLLOUT, 0}};
        if (poll(items, 3, 1000) <= 0) {
            return;
        }
        if (items[0].revents != 0) {
            Read(out_, result_.out);
        }
        if (items[1].revents != 0) {
            Read(err_, result_.err);
        }
        if (items[2].revents != 0) {
            Write();
        }
    }

    static void Read(Fd &fd, std::string &text)
    {
        char buffer[65536];
        const ssize_t count = read(fd.get(), buffer, sizeof buffer);
        if (count > 0) {
            text.append(buffer, static_cast<size_t>(count));
        } else {
            fd.Reset();
        }
    }

    void Write()
    {
        const std::string &input = run_.input;
        ssize_t count = 0;
        if (input_sent_ < input.size()) {
            count = send(in_.get(), input.data() + input_sent_, input.size() - input_sent_,
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        }
        input_sent_ += count > 0 ? static_cast<size_t>(count) : 0;
        if (count < 0 || input_sent_ == input.size()) {
            in_.Reset();
        }
    }

    void Reap()
    {
        int status = 0;
        while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        result_.status = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    }

    const ProgramRun &run_;
    ProgramResult result_;
    size_t input_sent_;
    pid_t pid_ = -1;
    Fd in_, out_, err_;
};

} // namespace

ProgramResult RunProgram(const ProgramRun &run)
{
    return Session(run).Run();
}

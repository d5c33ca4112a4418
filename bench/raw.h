/* The limits: what the system itself does, without brood. What it refuses throws
 * std::runtime_error. */
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace raw {

/* The first argument of this program when it is a counterpart. */
constexpr const char *kExitMode = "--raw-exit";     /* ends at once */
constexpr const char *kZygoteMode = "--raw-zygote"; /* forks on request, see AskZygoteAndWait */
constexpr const char *kPeerMode = "--raw-peer";     /* the other end of a channel, see Peer */

/// What the calls behind this header are, for the reports.
extern const char *const kSpawnIs;
extern const char *const kForkIs;   /* null where processes do not fork */
extern const char *const kZygoteIs; /* null there, too */
extern const char *const kChannelIs;
extern const char *const kWaitIs;
extern const char *const kMemoryIs;
extern const char *const kPassIs;

/// RunAndWait starts this program in kExitMode and waits for its end.
void RunAndWait();

/// ForkAndWait makes a copy of this program that ends at once, and waits for its end.
void ForkAndWait();

/// AskZygoteAndWait lets a small process, this program in kZygoteMode, make a copy of itself that
/// ends at once, and waits until it says so. It is started with the first call.
void AskZygoteAndWait();

/// Zygote is what it does.
int Zygote(int argc, char **argv);

using Channel = intptr_t;

/// WriteAll writes with blocking calls; ReadAll returns false at the end of the stream.
void WriteAll(Channel channel, const void *data, size_t size);
bool ReadAll(Channel channel, void *data, size_t size);

/// ReadSome reads 1 to `size` bytes, 0 at the end of the stream.
size_t ReadSome(Channel channel, void *data, size_t size);

/// Memory is shared memory without a name, all of it there.
class Memory {
  public:
    explicit Memory(size_t size);
    Memory(const Memory &) = delete;
    Memory &operator=(const Memory &) = delete;
    ~Memory();
    intptr_t handle() const
    {
        return handle_;
    }

  private:
    intptr_t handle_;
    void *data_;
    size_t size_;
};

/// TakeMemory receives shared memory, maps it, and lets it go again; false at the end of the stream.
bool TakeMemory(Channel channel, size_t size);

/// Peer is this program, started as: `mode`, the channel's number, `arguments`.
class Peer {
  public:
    explicit Peer(const std::vector<std::string> &arguments, const char *mode = kPeerMode);
    Peer(const Peer &) = delete;
    Peer &operator=(const Peer &) = delete;
    ~Peer(); /* closes the channel and waits for the peer's end */

    /// Give sends shared memory.
    void Give(const class Memory &memory) const;

    Channel channel() const
    {
        return channel_;
    }

  private:
    Channel channel_ = -1;
    intptr_t process_ = -1;
};

/// CrowdWay is a way for several processes to exchange messages of up to `size_max` bytes.
struct CrowdWay {
    std::string name;
    size_t size_max;
    bool is_peer; /* somebody's library, not the system itself */
};

/// CrowdWays lists those that there are here; none where it is not known how.
std::vector<CrowdWay> CrowdWays();

/// Crowd is `pairs` processes that send and as many that receive, of which each message reaches one.
class Crowd {
  public:
    Crowd(const std::string &way, int pairs, size_t size, size_t maxsize);
    Crowd(const Crowd &) = delete;
    Crowd &operator=(const Crowd &) = delete;
    ~Crowd();
    /// Run lets each send, or receive, `count` messages, and waits until all have.
    void Run(uint64_t count);

  private:
    struct Insides;
    Insides *insides_;
};

/// Words is two that hand each other a word of shared memory, on these processors (-1: any).
extern const char *const kWordIs;
class Words {
  public:
    Words(int ours, int theirs);
    Words(const Words &) = delete;
    Words &operator=(const Words &) = delete;
    ~Words();
    void Run(uint64_t count);

  private:
    struct Insides;
    Insides *insides_;
};

/// LockWays lists what the system itself has to exclude processes from each other; none where it is
/// not known how.
std::vector<std::string> LockWays();

/// LockCrowd is so many processes that lock and unlock one of these; 0: only this one.
class LockCrowd {
  public:
    LockCrowd(const std::string &way, int processes);
    LockCrowd(const LockCrowd &) = delete;
    LockCrowd &operator=(const LockCrowd &) = delete;
    ~LockCrowd();
    /// Run lets each do it `count` times.
    void Run(uint64_t count);

  private:
    struct Insides;
    Insides *insides_;
};

/// HandOffWays lists what the system itself has to wake another process.
std::vector<std::string> HandOffWays();

/// HandOff is two processes that wake each other in turns by one of these.
class HandOff {
  public:
    explicit HandOff(const std::string &way);
    HandOff(const HandOff &) = delete;
    HandOff &operator=(const HandOff &) = delete;
    ~HandOff();
    void Run(uint64_t count);

  private:
    struct Insides;
    Insides *insides_;
};

extern const char *const kDeathIs; /* null where it is not known how */

/// SecondsToNotice kills a process that has a lock, and returns how long it takes until this one,
/// which waits for it, is told.
double SecondsToNotice();

/// ResidentMiB is how much memory this process has; less than 0 where the system does not say.
double ResidentMiB();

/// OutputOf runs a command line and returns what it writes; "" if it fails.
std::string OutputOf(const std::string &command);

/// Waiter waits for channels as poll does: until one or more can be read from.
class Waiter {
  public:
    explicit Waiter(const std::vector<Channel> &channels);
    Waiter(const Waiter &) = delete;
    Waiter &operator=(const Waiter &) = delete;
    ~Waiter();
    void Wait();

  private:
    struct Set;
    Set *set_;
};

/// AllowChannels asks the system for so many at the same time and tells whether it allows them.
bool AllowChannels(size_t count);

/// Cpus lists the processors this process may use; empty where it cannot be pinned to one.
std::vector<int> Cpus();

/// PinTo keeps this thread, and what it starts, on these processors; an empty list does nothing.
void PinTo(const std::vector<int> &cpus);

} // namespace raw

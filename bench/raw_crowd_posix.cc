/* Several processes that exchange messages without brood, and two that hand each other a word. */
#include "raw.h"
#include "raw_children_posix.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <stdexcept>

#if defined(BROOD_BENCH_BOOST)
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wundef"
#endif
#include <boost/interprocess/ipc/message_queue.hpp>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
#endif

namespace raw {

const char *const kWordIs = "a word of shared memory, spinning, on one CPU yielding";

namespace {

/* A way to exchange messages. Each process has its copy. */
class Way {
  public:
    virtual ~Way() = default;
    virtual void Send(const void *data, size_t size) = 0;
    virtual void Receive(void *data, size_t size) = 0;
};

/* ---- a socket pair that all share ---- */

class Packets : public Way {
  public:
    Packets()
    {
        Check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends_) == 0, "socketpair");
    }
    ~Packets() override
    {
        close(ends_[0]);
        close(ends_[1]);
    }
    void Send(const void *data, size_t size) override
    {
        Check(send(ends_[0], data, size, 0) == static_cast<ssize_t>(size), "send");
    }
    void Receive(void *data, size_t size) override
    {
        Check(recv(ends_[1], data, size, 0) == static_cast<ssize_t>(size), "recv");
    }

  private:
    int ends_[2];
};

/* ---- a ring in shared memory, under a robust mutex ---- */

class Ring : public Way {
  public:
    Ring(size_t size, size_t count) : size_(size), count_(count)
    {
        bytes_ = sizeof(Head) + size * count;
        void *data =
            mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        Check(data != MAP_FAILED, "mmap");
        head_ = new (data) Head;
        pthread_mutexattr_t mutex;
        pthread_mutexattr_init(&mutex);
        pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
        pthread_mutexattr_setrobust(&mutex, PTHREAD_MUTEX_ROBUST);
        pthread_mutex_init(&head_->mutex, &mutex);
        pthread_mutexattr_destroy(&mutex);
        pthread_condattr_t condition;
        pthread_condattr_init(&condition);
        pthread_condattr_setpshared(&condition, PTHREAD_PROCESS_SHARED);
        pthread_cond_init(&head_->not_empty, &condition);
        pthread_cond_init(&head_->not_full, &condition);
        pthread_condattr_destroy(&condition);
    }
    ~Ring() override
    {
        munmap(head_, bytes_);
    }
    void Send(const void *data, size_t size) override
    {
        pthread_mutex_lock(&head_->mutex);
        while (head_->put - head_->taken == count_) {
            head_->putters++;
            pthread_cond_wait(&head_->not_full, &head_->mutex);
            head_->putters--;
        }
        std::memcpy(Slot(head_->put++), data, size);
        const bool wake = head_->takers > 0;
        pthread_mutex_unlock(&head_->mutex);
        if (wake) {
            pthread_cond_signal(&head_->not_empty);
        }
    }
    void Receive(void *data, size_t size) override
    {
        pthread_mutex_lock(&head_->mutex);
        while (head_->put == head_->taken) {
            head_->takers++;
            pthread_cond_wait(&head_->not_empty, &head_->mutex);
            head_->takers--;
        }
        std::memcpy(data, Slot(head_->taken++), size);
        const bool wake = head_->putters > 0;
        pthread_mutex_unlock(&head_->mutex);
        if (wake) {
            pthread_cond_signal(&head_->not_full);
        }
    }

  private:
    struct Head {
        pthread_mutex_t mutex;
        pthread_cond_t not_empty, not_full;
        uint64_t put = 0, taken = 0;
        unsigned putters = 0, takers = 0;
    };
    char *Slot(uint64_t number)
    {
        return reinterpret_cast<char *>(head_ + 1) + number % count_ * size_;
    }
    size_t size_;
    uint64_t count_;
    size_t bytes_;
    Head *head_;
};

/* ---- Boost ---- */

#if defined(BROOD_BENCH_BOOST)
class Boost : public Way {
  public:
    Boost(size_t size, size_t count)
        : name_("brood-bench-" + std::to_string(getpid())),
          queue_(boost::interprocess::create_only, name_.c_str(), count, size)
    {
        boost::interprocess::message_queue::remove(name_.c_str()); /* it is open already */
    }
    void Send(const void *data, size_t size) override
    {
        queue_.send(data, size, 0);
    }
    void Receive(void *data, size_t size) override
    {
        boost::interprocess::message_queue::size_type got = 0;
        unsigned priority = 0;
        queue_.receive(data, size, got, priority);
    }

  private:
    std::string name_;
    boost::interprocess::message_queue queue_;
};
#endif

constexpr char kPackets[] = "a shared socket pair";
constexpr char kRing[] = "a ring";
constexpr char kBoost[] = "Boost";
constexpr size_t kPacketMax = 65536;

std::unique_ptr<Way> MakeWay(const std::string &name, size_t size, size_t maxsize)
{
#if defined(BROOD_BENCH_BOOST)
    if (name == kBoost) {
        return std::make_unique<Boost>(size, maxsize);
    }
#endif
    if (name == kPackets) {
        return std::make_unique<Packets>();
    }
    return std::make_unique<Ring>(size, size > kPacketMax ? 16 : maxsize);
}

} // namespace

std::vector<CrowdWay> CrowdWays()
{
    std::vector<CrowdWay> ways = {{kPackets, kPacketMax, false}, {kRing, size_t{1} << 20, false}};
#if defined(BROOD_BENCH_BOOST)
    ways.push_back({kBoost, kPacketMax, true});
#endif
    return ways;
}

struct Crowd::Insides {
    std::unique_ptr<Way> way;
    std::vector<Child> children;
};

Crowd::Crowd(const std::string &way, int pairs, size_t size, size_t maxsize) : insides_(new Insides)
{
    insides_->way = MakeWay(way, size, maxsize);
    for (int i = 0; i < 2 * pairs; i++) {
        const auto work = [this, i, pairs, size](uint64_t count) {
            std::vector<char> buffer(size, 'x');
            for (; count > 0; count--) {
                if (i < pairs) {
                    insides_->way->Send(buffer.data(), size);
                } else {
                    insides_->way->Receive(buffer.data(), size);
                }
            }
        };
        insides_->children.push_back(Fork(work, insides_->children));
    }
}

Crowd::~Crowd()
{
    for (const Child &child : insides_->children) {
        End(child);
    }
    delete insides_;
}

void Crowd::Run(uint64_t count)
{
    for (const Child &child : insides_->children) {
        Tell(child, count);
    }
    for (const Child &child : insides_->children) {
        Await(child);
    }
}

/* ---- a word ---- */

struct Words::Insides {
    std::atomic<uint32_t> *word;
    std::vector<Child> children;
};

Words::Words(int ours, int theirs) : insides_(new Insides)
{
    void *data = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    Check(data != MAP_FAILED, "mmap");
    insides_->word = new (data) std::atomic<uint32_t>(0);
    for (const uint32_t mine : {0u, 1u}) {
        const int cpu = mine == 0 ? ours : theirs;
        const bool alone = ours == theirs && ours >= 0;
        const auto work = [this, mine, cpu, alone](uint64_t count) {
            PinTo(cpu < 0 ? std::vector<int>{} : std::vector<int>{cpu});
            for (; count > 0; count--) {
                while (insides_->word->load() % 2 != mine) {
                    if (alone) {
                        (void)usleep(0); /* not sched_yield, which need not yield */
                    }
                }
                insides_->word->fetch_add(1);
            }
        };
        insides_->children.push_back(Fork(work, insides_->children));
    }
}

Words::~Words()
{
    for (const Child &child : insides_->children) {
        End(child);
    }
    munmap(insides_->word, 4096);
    delete insides_;
}

void Words::Run(uint64_t count)
{
    for (const Child &child : insides_->children) {
        Tell(child, count);
    }
    for (const Child &child : insides_->children) {
        Await(child);
    }
}

double ResidentMiB()
{
    long pages = -1;
    FILE *file = std::fopen("/proc/self/statm", "r");
    if (file != nullptr) {
        if (std::fscanf(file, "%*d %ld", &pages) != 1) {
            pages = -1;
        }
        (void)std::fclose(file);
    }
    return pages < 0 ? -1
                     : static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE)) /
                           (1024 * 1024);
}

} // namespace raw

/* Processes that exclude and wake each other without brood. */
#include "raw.h"
#include "raw_children_posix.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#endif

#include <atomic>
#include <chrono>
#include <memory>
#include <new>

namespace raw {

const char *const kDeathIs = "a robust pthread mutex";

namespace {

constexpr char kPlain[] = "a pthread mutex";
constexpr char kRobust[] = "a robust pthread mutex";
constexpr char kSemaphore[] = "sem_t";
constexpr char kFutex[] = "two futexes";

/// Shared is a T in memory that forked children share.
template <class T>
class Shared {
  public:
    Shared()
    {
        void *data =
            mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        Check(data != MAP_FAILED, "mmap");
        item_ = new (data) T;
    }
    Shared(const Shared &) = delete;
    Shared &operator=(const Shared &) = delete;
    ~Shared()
    {
        munmap(item_, sizeof(T));
    }
    T *get() const
    {
        return item_;
    }

  private:
    T *item_;
};

/* ---- locks ---- */

class Lock {
  public:
    virtual ~Lock() = default;
    virtual void Repeat(uint64_t count) = 0;
};

class Mutex : public Lock {
  public:
    explicit Mutex(bool robust)
    {
        pthread_mutexattr_t attributes;
        pthread_mutexattr_init(&attributes);
        pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
        if (robust) {
            pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
        }
        Check(pthread_mutex_init(mutex_.get(), &attributes) == 0, "pthread_mutex_init");
        pthread_mutexattr_destroy(&attributes);
    }
    void Repeat(uint64_t count) override
    {
        for (; count > 0; count--) {
            pthread_mutex_lock(mutex_.get());
            pthread_mutex_unlock(mutex_.get());
        }
    }
    pthread_mutex_t *get() const
    {
        return mutex_.get();
    }

  private:
    Shared<pthread_mutex_t> mutex_;
};

class Semaphore : public Lock {
  public:
    Semaphore()
    {
        Check(sem_init(semaphore_.get(), 1, 1) == 0, "sem_init");
    }
    void Repeat(uint64_t count) override
    {
        for (; count > 0; count--) {
            while (sem_wait(semaphore_.get()) != 0) {
            }
            sem_post(semaphore_.get());
        }
    }

  private:
    Shared<sem_t> semaphore_;
};

std::unique_ptr<Lock> MakeLock(const std::string &way)
{
    if (way == kSemaphore) {
        return std::make_unique<Semaphore>();
    }
    return std::make_unique<Mutex>(way == kRobust);
}

void TellAll(const std::vector<Child> &children, uint64_t count)
{
    for (const Child &child : children) {
        Tell(child, count);
    }
    for (const Child &child : children) {
        Await(child);
    }
}

} // namespace

std::vector<std::string> LockWays()
{
    return {kPlain, kRobust, kSemaphore};
}

struct LockCrowd::Insides {
    std::unique_ptr<Lock> lock;
    std::vector<Child> children;
};

LockCrowd::LockCrowd(const std::string &way, int processes) : insides_(new Insides)
{
    insides_->lock = MakeLock(way);
    for (int i = 0; i < processes; i++) {
        insides_->children.push_back(
            Fork([this](uint64_t count) { insides_->lock->Repeat(count); }, insides_->children));
    }
}

LockCrowd::~LockCrowd()
{
    for (const Child &child : insides_->children) {
        End(child);
    }
    delete insides_;
}

void LockCrowd::Run(uint64_t count)
{
    if (insides_->children.empty()) {
        insides_->lock->Repeat(count);
    }
    TellAll(insides_->children, count);
}

/* ---- waking each other ---- */

namespace {

/* One that waits, and one that wakes it. */
struct Bell {
    sem_t semaphore;
    std::atomic<uint32_t> word{0};
};

#if defined(__linux__)
void WaitForWord(std::atomic<uint32_t> *word)
{
    while (word->exchange(0) == 0) {
        (void)syscall(SYS_futex, word, FUTEX_WAIT, 0, nullptr, nullptr, 0);
    }
}

void WakeWord(std::atomic<uint32_t> *word)
{
    word->store(1);
    (void)syscall(SYS_futex, word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}
#else
void WaitForWord(std::atomic<uint32_t> *)
{
}

void WakeWord(std::atomic<uint32_t> *)
{
}
#endif

void Wait(Bell *bell, bool by_futex)
{
    if (by_futex) {
        WaitForWord(&bell->word);
        return;
    }
    while (sem_wait(&bell->semaphore) != 0) {
    }
}

void Ring(Bell *bell, bool by_futex)
{
    if (by_futex) {
        WakeWord(&bell->word);
    } else {
        sem_post(&bell->semaphore);
    }
}

} // namespace

std::vector<std::string> HandOffWays()
{
#if defined(__linux__)
    return {kSemaphore, kFutex};
#else
    return {kSemaphore};
#endif
}

struct HandOff::Insides {
    Shared<Bell> bells[2];
    std::vector<Child> children;
};

HandOff::HandOff(const std::string &way) : insides_(new Insides)
{
    const bool by_futex = way == kFutex;
    for (const Shared<Bell> &bell : insides_->bells) {
        Check(sem_init(&bell.get()->semaphore, 1, 0) == 0, "sem_init");
    }
    for (const int place : {0, 1}) {
        const auto work = [this, by_futex, place](uint64_t count) {
            for (; count > 0; count--) {
                if (place == 0) {
                    Ring(insides_->bells[1].get(), by_futex);
                }
                Wait(insides_->bells[place].get(), by_futex);
                if (place == 1) {
                    Ring(insides_->bells[0].get(), by_futex);
                }
            }
        };
        insides_->children.push_back(Fork(work, insides_->children));
    }
}

HandOff::~HandOff()
{
    for (const Child &child : insides_->children) {
        End(child);
    }
    delete insides_;
}

void HandOff::Run(uint64_t count)
{
    TellAll(insides_->children, count);
}

/* ---- the death of an owner ---- */

double SecondsToNotice()
{
    using Clock = std::chrono::steady_clock;
    const Mutex mutex(true);
    const Child child = Fork([&](uint64_t) { pthread_mutex_lock(mutex.get()); }, {});
    Tell(child, 1);
    Await(child);
    const Clock::time_point start = Clock::now();
    kill(child.pid, SIGKILL);
    Check(pthread_mutex_lock(mutex.get()) == EOWNERDEAD, "the owner's death");
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    End(child);
    pthread_mutex_consistent(mutex.get());
    pthread_mutex_unlock(mutex.get());
    return seconds;
}

} // namespace raw

/* Somebody kills one of the processes that use an object, again and again, at any instruction of
 * theirs, and starts another one in its place. Whoever is left gets the right answer, or the error
 * that is documented, within its time limit.
 *
 * What the processes count stands in memory that all share and that has nothing to do with the
 * objects. Then the same without anybody being killed, with many more, and without slices: a
 * wake-up that gets lost is then a time limit that passes. */
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "support/family.h"
#include "support/insides.h"
#include "support/methods.h"
#include "support/process_list.h"
#include "support/sync.h"

namespace {

constexpr int64_t kDeadline = 30000; /* ms, of a survivor; the machine may be busy */
constexpr int kWorkers = 4;
constexpr double kEnough = 25; /* seconds that one test kills at most */

/* In memory that all share. */
struct Board {
    std::atomic<int64_t> inside;    /* the pid of who has the lock, or died with it */
    std::atomic<uint64_t> steps;    /* things done by all workers */
    std::atomic<uint64_t> repaired; /* after deaths */
    std::atomic<uint64_t> plain;    /* written only by who has the lock, in two steps */
    std::atomic<uint64_t> twice;
    std::atomic<int64_t> things; /* as `plain` */
    std::atomic<uint32_t> stop;
};

Board *board;

int OpenBoard(brood_value memory)
{
    void *data = nullptr;
    const int rc = inside_memory_open(&data, brood_as_handle(memory));
    board = static_cast<Board *>(data);
    return rc;
}

/// BoardMemory is this process's own.
class BoardMemory {
  public:
    BoardMemory()
    {
        void *data = nullptr;
        EXPECT_EQ(0, inside_memory_new(&data, &handle_, sizeof(Board))) << LastWords();
        board = static_cast<Board *>(data);
    }
    ~BoardMemory()
    {
        inside_memory_close(board, handle_, sizeof(Board));
    }
    BoardMemory(const BoardMemory &) = delete;
    BoardMemory &operator=(const BoardMemory &) = delete;
    brood_value Value() const
    {
        return brood_handle_value(handle_);
    }

  private:
    brood_handle handle_ = BROOD_NO_HANDLE;
};

/// Killer keeps workers running and kills them.
class Killer {
  public:
    explicit Killer(std::function<Process()> start) : start_(std::move(start))
    {
        for (int i = 0; i < kWorkers; i++) {
            workers_.push_back(start_());
            EXPECT_TRUE(workers_.back()) << LastWords();
        }
    }
    /// Run kills `count` of them, or as many as there is time for; `between` is called each time.
    template <class Between>
    void Run(long count, Between between)
    {
        const double limit = SecondsNow() + kEnough;
        for (kills_ = 0; kills_ < count && SecondsNow() < limit; kills_++) {
            const uint64_t goal = board->steps.load() + random_() % 40;
            ASSERT_TRUE(WaitFor([&] { return board->steps.load() >= goal; }))
                << "they stand still; " << kills_ << " killed";
            for (unsigned i = random_() % 2000; i > 0; i--) {
                (void)board->stop.load();
            }
            KillOne(random_() % kWorkers);
            between();
            if (testing::Test::HasFailure()) {
                return;
            }
        }
    }
    /// End waits until all have ended well, once they were told to.
    void End()
    {
        board->stop.store(1);
        EXPECT_LT(0, kills_) << "nobody was killed";
        for (const Process &worker : workers_) {
            EXPECT_EQ(0, Result(worker)) << LastWords();
        }
        std::printf("%ld killed, %llu steps, %llu repaired\n", kills_,
                    static_cast<unsigned long long>(board->steps.load()),
                    static_cast<unsigned long long>(board->repaired.load()));
    }

  private:
    void KillOne(size_t index)
    {
        ASSERT_TRUE(brood_process_is_alive(workers_[index].get()))
            << (Result(workers_[index]), LastWords());
        brood_process_kill(workers_[index].get());
        ASSERT_EQ(0, brood_process_join(workers_[index].get(), kSoon)) << LastWords();
        workers_[index] = start_();
        ASSERT_TRUE(workers_[index]) << LastWords();
    }
    std::function<Process()> start_;
    std::vector<Process> workers_;
    std::mt19937 random_{4711};
    long kills_ = 0;
};

void NothingBetween()
{
}

OVER_METHODS(SyncKill);

/* ---- Lock, RLock ---- */

/* Whoever is inside is alone there, or somebody died inside and this is the one that was told. */
int BeInside(brood_call *call, bool repairs)
{
    const int64_t pid = inside_pid();
    const int64_t before = board->inside.exchange(pid);
    CHILD_CHECK(call, before == 0 || (repairs && !IsAlive(before)));
    const uint64_t plain = board->plain.load();
    if (repairs) {
        board->twice.store(plain * 2);
        board->repaired++;
    }
    CHILD_CHECK(call, board->twice.load() == plain * 2);
    board->plain.store(plain + 1);
    board->twice.store(plain * 2 + 2);
    CHILD_CHECK(call, board->inside.exchange(0) == pid);
    board->steps++;
    return 0;
}

int UseLock(brood_call *call)
{
    brood_lock *lock;
    brood_value memory;
    int depth;
    int rc = BROOD_UNPACK(call, &lock, &memory, &depth);
    rc = rc ? rc : OpenBoard(memory);
    while (rc == 0 && board->stop.load() == 0) {
        rc = brood_lock_acquire(lock, kDeadline);
        const bool repairs = rc == BROOD_EOWNERDEAD;
        if (repairs) {
            rc = brood_lock_recover(lock, kDeadline);
        }
        for (int i = 1; rc == 0 && i < depth; i++) {
            rc = brood_lock_acquire(lock, kDeadline);
        }
        rc = rc ? rc : BeInside(call, repairs);
        for (int i = 0; rc == 0 && i < depth; i++) {
            rc = brood_lock_release(lock);
        }
    }
    return rc;
}

TEST_P(SyncKill, OfOwnersAndWaitersOfALock)
{
    const BoardMemory memory;
    const Lock lock = NewLock();
    Killer killer([&] { return Start(UseLock, BROOD_ARGS(lock.get(), memory.Value(), 1)); });
    killer.Run(Scaled(1000), NothingBetween);
    killer.End();
}

TEST_P(SyncKill, OfOwnersAndWaitersOfAnRLock)
{
    const BoardMemory memory;
    const Lock lock = NewRLock();
    Killer killer([&] { return Start(UseLock, BROOD_ARGS(lock.get(), memory.Value(), 3)); });
    killer.Run(Scaled(1000), NothingBetween);
    killer.End();
}

/* ---- Semaphore ---- */

/* The workers move permits from one semaphore to the other, and we move them back. Each of the
 * killed takes one along at most, for which there is a new one. */
int MovePermits(brood_call *call)
{
    brood_semaphore *from;
    brood_semaphore *to;
    brood_value memory;
    int rc = BROOD_UNPACK(call, &from, &to, &memory);
    rc = rc ? rc : OpenBoard(memory);
    while (rc == 0 && board->stop.load() == 0) {
        rc = brood_semaphore_acquire(from, kDeadline);
        rc = rc ? rc : brood_semaphore_release(to, 1);
        board->steps++;
    }
    return rc;
}

TEST_P(SyncKill, OfThoseWhoAcquireAndReleaseASemaphore)
{
    const BoardMemory memory;
    const uint32_t permits = 3;
    const Semaphore from = NewSemaphore(permits);
    const Semaphore to = NewSemaphore(0);
    uint32_t kills = 0;
    Killer killer(
        [&] { return Start(MovePermits, BROOD_ARGS(from.get(), to.get(), memory.Value())); });
    std::thread mover([&] {
        while (board->stop.load() == 0) {
            ASSERT_EQ(0, brood_semaphore_acquire(to.get(), kDeadline)) << LastWords();
            ASSERT_EQ(0, brood_semaphore_release(from.get(), 1)) << LastWords();
        }
    });
    killer.Run(Scaled(1000), [&] {
        kills++;
        EXPECT_EQ(0, brood_semaphore_release(from.get(), 1));
    });
    board->stop.store(1);
    EXPECT_EQ(0, brood_semaphore_release(from.get(), kWorkers));
    EXPECT_EQ(0, brood_semaphore_release(to.get(), 1));
    mover.join();
    killer.End();
    const uint32_t left = brood_semaphore_value(from.get()) + brood_semaphore_value(to.get());
    EXPECT_LE(permits + kWorkers + 1, left) << "a permit was lost without a death";
    EXPECT_GE(permits + kWorkers + 1 + kills, left) << "a permit came from nowhere";
}

/* ---- Condition ---- */

bool HasItem(void *user)
{
    return board->stop.load() != 0 ||
           brood_semaphore_value(static_cast<brood_semaphore *>(user)) > 0;
}

bool HasRoom(void *user)
{
    return board->stop.load() != 0 ||
           brood_semaphore_value(static_cast<brood_semaphore *>(user)) < 4;
}

/* Owner deaths are repaired at once: there is nothing that could be half changed. */
int Enter(brood_lock *lock)
{
    int rc = brood_lock_acquire(lock, kDeadline);
    if (rc == BROOD_EOWNERDEAD) {
        board->repaired++;
        rc = brood_lock_recover(lock, kDeadline);
    }
    return rc;
}

int WaitUnder(brood_condition *condition, bool (*predicate)(void *), brood_semaphore *items)
{
    int rc = brood_condition_wait_for(condition, predicate, items, kDeadline);
    while (rc == BROOD_EOWNERDEAD) {
        board->repaired++;
        rc = brood_lock_recover(brood_condition_lock(condition), kDeadline);
        rc = rc ? rc : brood_condition_wait_for(condition, predicate, items, kDeadline);
    }
    return rc;
}

/* One item, and a word to whoever waits for room. */
int Consume(brood_call *call)
{
    brood_condition *full;
    brood_condition *empty;
    brood_semaphore *items;
    brood_value memory;
    int rc = BROOD_UNPACK(call, &full, &empty, &items, &memory);
    rc = rc ? rc : OpenBoard(memory);
    while (rc == 0 && board->stop.load() == 0) {
        rc = Enter(brood_condition_lock(full));
        rc = rc ? rc : WaitUnder(full, HasItem, items);
        if (rc == 0 && board->stop.load() == 0) {
            rc = brood_semaphore_acquire(items, BROOD_NOWAIT);
        }
        board->steps++;
        rc = rc ? rc : brood_condition_notify(empty, 1);
        rc = rc ? rc : brood_lock_release(brood_condition_lock(full));
    }
    return rc;
}

/* A notification that a killed one was given is lost, so now and then all are told. */
TEST_P(SyncKill, OfThoseWhoWaitForAConditionAndNotify)
{
    const BoardMemory memory;
    const Lock lock = NewLock();
    const Condition full = NewCondition(lock);
    const Condition empty = NewCondition(lock);
    const Semaphore items = NewSemaphore(0);
    Killer killer([&] {
        return Start(Consume, BROOD_ARGS(full.get(), empty.get(), items.get(), memory.Value()));
    });
    std::thread producer([&] {
        while (board->stop.load() == 0) {
            ASSERT_EQ(0, Enter(lock.get())) << LastWords();
            ASSERT_EQ(0, WaitUnder(empty.get(), HasRoom, items.get())) << LastWords();
            ASSERT_EQ(0, brood_semaphore_release(items.get(), 1));
            ASSERT_EQ(0, brood_semaphore_value(items.get()) < 2
                             ? brood_condition_notify(full.get(), 1)
                             : brood_condition_notify_all(full.get()));
            ASSERT_EQ(0, brood_lock_release(lock.get()));
        }
    });
    const auto tell_all = [&] {
        EXPECT_EQ(0, Enter(lock.get())) << LastWords();
        EXPECT_EQ(0, brood_condition_notify_all(full.get())) << LastWords();
        EXPECT_EQ(0, brood_condition_notify_all(empty.get())) << LastWords();
        EXPECT_EQ(0, brood_lock_release(lock.get())) << LastWords();
    };
    killer.Run(Scaled(1000), tell_all);
    board->stop.store(1);
    tell_all();
    producer.join();
    killer.End();
}

/* ---- Event ---- */

int Answer(brood_call *call)
{
    brood_event *ask;
    brood_event *answer;
    brood_value memory;
    int rc = BROOD_UNPACK(call, &ask, &answer, &memory);
    rc = rc ? rc : OpenBoard(memory);
    for (int i = 0; rc == 0 && board->stop.load() == 0; i++) {
        brood_wait_item items[] = {{brood_of(ask), false}};
        rc = i % 2 == 0 ? brood_wait(items, 1, kDeadline) : brood_event_wait(ask, kDeadline);
        brood_event_clear(ask);
        brood_event_set(answer);
        board->steps++;
    }
    return rc;
}

/* Who is killed may have cleared the question and not answered it: it is asked again. */
TEST_P(SyncKill, OfThoseWhoSetAndClearAnEvent)
{
    const BoardMemory memory;
    const Event ask = NewEvent();
    const Event answer = NewEvent();
    Killer killer(
        [&] { return Start(Answer, BROOD_ARGS(ask.get(), answer.get(), memory.Value())); });
    std::thread asker([&] {
        for (int i = 0; board->stop.load() == 0; i++) {
            brood_wait_item items[] = {{brood_of(answer.get()), false}};
            brood_event_set(ask.get());
            ASSERT_EQ(0, i % 2 == 0 ? brood_wait(items, 1, kDeadline)
                                    : brood_event_wait(answer.get(), kDeadline))
                << LastWords();
            brood_event_clear(answer.get());
        }
    });
    killer.Run(Scaled(1000), [&] { brood_event_set(ask.get()); });
    board->stop.store(1);
    std::atomic<bool> over{false};
    std::thread setter([&] { /* one may clear what another one waits for */
                             while (!over) {
                                 brood_event_set(ask.get());
                                 brood_event_set(answer.get());
                                 std::this_thread::yield();
                             }
    });
    killer.End();
    asker.join();
    over = true;
    setter.join();
}

/* ---- Barrier ---- */

constexpr uint32_t kParties = 3; /* fewer than there are, so rounds overlap */

int MeetAgain(brood_call *call)
{
    brood_barrier *barrier;
    brood_value memory;
    int rc = BROOD_UNPACK(call, &barrier, &memory);
    rc = rc ? rc : OpenBoard(memory);
    while (rc == 0 && board->stop.load() == 0) {
        uint32_t index = 99;
        rc = brood_barrier_wait(barrier, &index, kDeadline);
        board->steps++;
        CHILD_CHECK(call, rc != 0 || index < kParties);
        if (rc == 0) {
            board->plain++;
            board->twice += index == 0 ? 1 : 0;
        } else if (rc == BROOD_EBROKEN && board->stop.load() == 0) {
            board->repaired++;
            rc = brood_barrier_reset(barrier);
        }
    }
    return rc == BROOD_EBROKEN ? 0 : rc;
}

TEST_P(SyncKill, OfPartiesOfABarrier)
{
    const BoardMemory memory;
    const Barrier barrier = NewBarrier(kParties);
    std::atomic<bool> over{false};
    uint64_t kills = 0;
    Killer killer([&] { return Start(MeetAgain, BROOD_ARGS(barrier.get(), memory.Value())); });
    killer.Run(Scaled(1000), [&] { kills++; });
    board->stop.store(1);
    std::thread breaker([&] { /* one may have reset it just now */
                              while (!over) {
                                  brood_barrier_abort(barrier.get());
                                  std::this_thread::yield();
                              }
    });
    killer.End();
    over = true;
    breaker.join();
    const uint64_t passed = board->plain.load();
    const uint64_t firsts = board->twice.load();
    EXPECT_LE(passed, kParties * (firsts + kills)) << "rounds without a first";
    EXPECT_LE(firsts * kParties, passed + (kParties - 1) * (kills + kWorkers))
        << "rounds with two firsts";
}

/* ---- many, and no slices ---- */

constexpr int kProcesses = 24;
constexpr int kThreads = 4;
constexpr int kSemaphores = 8;

struct Crowd {
    brood_lock *lock;
    brood_condition *condition;
    brood_event *event;
    brood_barrier *barrier;
    brood_semaphore *semaphores[kSemaphores];
    int64_t rounds;
};

/* Those with even places make things, the others take them. */
int MakeOrTake(const Crowd &crowd, int place)
{
    int rc = brood_lock_acquire(crowd.lock, kSoon);
    while (rc == 0 && place % 2 != 0 && board->things.load() == 0) {
        rc = brood_condition_wait(crowd.condition, kSoon);
    }
    if (rc) {
        return rc;
    }
    const uint64_t plain = board->plain.load();
    board->things.store(board->things.load() + (place % 2 == 0 ? 1 : -1));
    rc = place % 2 == 0 ? brood_condition_notify(crowd.condition, 1) : 0;
    board->plain.store(plain + 1);
    return rc ? rc : brood_lock_release(crowd.lock);
}

/* Turns at each of the objects. Any wake-up that is lost is a time limit that passes. */
int TakeTurns(const Crowd &crowd, int place)
{
    int rc = 0;
    for (int64_t i = 0; rc == 0 && i < crowd.rounds; i++) {
        rc = MakeOrTake(crowd, place);
    }
    rc = rc ? rc : brood_barrier_wait(crowd.barrier, nullptr, kSoon);
    for (int64_t i = 0; rc == 0 && i < crowd.rounds; i++) { /* nobody has to wait for ever: each */
        const int at =
            static_cast<int>((place + i) % kSemaphores); /* has as many that begin there */
        rc = brood_semaphore_acquire(crowd.semaphores[at], kSoon);
        rc = rc ? rc : brood_semaphore_release(crowd.semaphores[(at + 1) % kSemaphores], 1);
    }
    rc = rc ? rc : brood_barrier_wait(crowd.barrier, nullptr, kSoon);
    if (rc == 0 && place == 0) {
        brood_event_set(crowd.event);
    }
    rc = rc ? rc : brood_event_wait(crowd.event, kSoon);
    return rc ? rc : brood_barrier_wait(crowd.barrier, nullptr, kSoon);
}

int BeInCrowd(brood_call *call)
{
    Crowd crowd;
    brood_value memory;
    brood_value semaphores;
    int first;
    int rc = BROOD_UNPACK(call, &memory, &first, &crowd.rounds, &crowd.lock, &crowd.condition,
                          &crowd.event, &crowd.barrier, &semaphores);
    for (size_t i = 0; rc == 0 && i < kSemaphores; i++) {
        const brood_value one = brood_value_at(semaphores, i);
        const brood_value list = brood_list(&one, 1);
        rc = BROOD_UNPACK(&list, &crowd.semaphores[i]);
    }
    rc = rc ? rc : OpenBoard(memory);
    CHILD_CHECK(call, rc == 0);
    std::atomic<int> failed{0};
    std::string words;
    InThreads(kThreads, [&](int index) {
        if (TakeTurns(crowd, first + index) != 0 && failed++ == 0) {
            words = LastWords();
        }
    });
    return failed != 0 ? brood_raise(call, 1, "%d failed: %s", failed.load(), words.c_str()) : 0;
}

class SyncCrowd : public OverMethods {
  protected:
    void SetUp() override
    {
        SetEnvironment("BROOD_TEST_NO_SLICES", "1");
        OverMethods::SetUp();
    }
    void TearDown() override
    {
        OverMethods::TearDown();
        SetEnvironment("BROOD_TEST_NO_SLICES", "");
    }
};
INSTANTIATE_TEST_SUITE_P(By, SyncCrowd, testing::ValuesIn(StartMethods()), MethodName);

TEST_P(SyncCrowd, LosesNoWakeUp)
{
    const BoardMemory memory;
    const int64_t rounds = Scaled(10000);
    const Lock lock = NewLock();
    const Condition condition = NewCondition(lock);
    const Event event = NewEvent();
    const Barrier barrier = NewBarrier(kProcesses * kThreads);
    std::vector<Semaphore> semaphores;
    std::vector<brood_value> values;
    for (int i = 0; i < kSemaphores; i++) {
        semaphores.push_back(NewSemaphore(2));
        values.push_back(brood_of(semaphores.back().get()));
    }
    std::vector<Process> children;
    for (int i = 0; i < kProcesses; i++) {
        children.push_back(
            Start(BeInCrowd, BROOD_ARGS(memory.Value(), i * kThreads, rounds, lock.get(),
                                        condition.get(), event.get(), barrier.get(),
                                        brood_list(values.data(), values.size()))));
        ASSERT_TRUE(children.back()) << LastWords();
    }
    for (const Process &child : children) {
        EXPECT_EQ(0, Result(child)) << LastWords();
    }
    EXPECT_EQ(static_cast<uint64_t>(rounds * kProcesses * kThreads), board->plain.load());
    uint32_t permits = 0;
    for (const Semaphore &semaphore : semaphores) {
        permits += brood_semaphore_value(semaphore.get());
    }
    EXPECT_EQ(2u * kSemaphores, permits);
}

} // namespace

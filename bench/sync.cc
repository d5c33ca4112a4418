/* Locks and semaphores: with nobody else there, wanted by several processes, handed to and fro, and
 * how long it takes until the death of an owner is noticed. */
#include "bench.h"
#include "raw.h"
#include "workers.h"

#include <brood.h>

#include <string>
#include <vector>

namespace {

/* ---- the workers ---- */

int RepeatLock(brood_lock *lock, uint64_t count)
{
    int rc = 0;
    for (; rc == 0 && count > 0; count--) {
        rc = brood_lock_acquire(lock, BROOD_FOREVER);
        rc = rc != 0 ? rc : brood_lock_release(lock);
    }
    return rc;
}

int RepeatSemaphore(brood_semaphore *semaphore, uint64_t count)
{
    int rc = 0;
    for (; rc == 0 && count > 0; count--) {
        rc = brood_semaphore_acquire(semaphore, BROOD_FOREVER);
        rc = rc != 0 ? rc : brood_semaphore_release(semaphore, 1);
    }
    return rc;
}

/* Does `work` as often as it is told, until nobody tells it. */
template <class Do>
int Obey(brood_connection *connection, const Do &work)
{
    int rc = 0;
    while (rc == 0) {
        uint64_t count = 0;
        size_t size = sizeof count;
        rc = brood_recv_bytes_into(connection, &count, &size, BROOD_FOREVER);
        rc = rc != 0 ? rc : work(count);
        rc = rc != 0 ? rc : brood_send_bytes(connection, "", 1, BROOD_FOREVER);
    }
    return rc == BROOD_EEND ? 0 : rc;
}

int WantLock(brood_call *call)
{
    brood_lock *lock;
    brood_connection *connection;
    const int rc = BROOD_UNPACK(call, &lock, &connection);
    return rc != 0 ? rc : Obey(connection, [&](uint64_t count) { return RepeatLock(lock, count); });
}

int WantSemaphore(brood_call *call)
{
    brood_semaphore *semaphore;
    brood_connection *connection;
    const int rc = BROOD_UNPACK(call, &semaphore, &connection);
    return rc != 0 ? rc : Obey(connection, [&](uint64_t count) {
        return RepeatSemaphore(semaphore, count);
    });
}

/* The first one begins: it gives to the other, and then waits for its own. */
int TakeTurns(brood_call *call)
{
    brood_semaphore *mine;
    brood_semaphore *other;
    brood_connection *connection;
    bool first;
    const int rc = BROOD_UNPACK(call, &mine, &other, &connection, &first);
    return rc != 0 ? rc : Obey(connection, [&](uint64_t count) {
        int failed = 0;
        for (; failed == 0 && count > 0; count--) {
            failed = first ? brood_semaphore_release(other, 1) : 0;
            failed = failed != 0 ? failed : brood_semaphore_acquire(mine, BROOD_FOREVER);
            failed = failed != 0 || first ? failed : brood_semaphore_release(other, 1);
        }
        return failed;
    });
}

int HoldLock(brood_call *call)
{
    brood_lock *lock;
    brood_connection *connection;
    const int rc = BROOD_UNPACK(call, &lock, &connection);
    return rc != 0 ? rc : Obey(connection, [&](uint64_t) {
        return brood_lock_acquire(lock, BROOD_FOREVER);
    });
}

/* ---- this process ---- */

struct Lock {
    brood_lock *it = nullptr;
    Lock()
    {
        Must(brood_lock_new(&it, nullptr), "lock");
    }
    Lock(const Lock &) = delete;
    Lock &operator=(const Lock &) = delete;
    ~Lock()
    {
        brood_lock_free(it);
    }
};

struct Semaphore {
    brood_semaphore *it = nullptr;
    explicit Semaphore(uint32_t value)
    {
        Must(brood_semaphore_new(&it, value, 0), "semaphore");
    }
    Semaphore(const Semaphore &) = delete;
    Semaphore &operator=(const Semaphore &) = delete;
    ~Semaphore()
    {
        brood_semaphore_free(it);
    }
};

/* A semaphore of the system's stands beside one of ours. */
bool IsSemaphore(const std::string &way)
{
    return way == "sem_t";
}

std::string NameOf(const std::string &way)
{
    return IsSemaphore(way) ? "semaphore" : "lock";
}

void Alone(Bench &bench, const std::string &way)
{
    Row row;
    row.name = NameOf(way) + " and unlock, beside " + way;
    row.unit = "ns";
    row.limit_is = way;
    row.value = [](double seconds) { return seconds * 1e9; };
    if (!bench.Wants(row.name)) {
        return;
    }
    const Lock lock;
    const Semaphore semaphore(1);
    raw::LockCrowd alone(way, 0);
    bench.Compare(
        row, [&](uint64_t count) { return Seconds([&] { alone.Run(count); }); },
        [&](uint64_t count) {
            return Seconds([&] {
                Must(IsSemaphore(way) ? RepeatSemaphore(semaphore.it, count)
                                      : RepeatLock(lock.it, count),
                     "acquire");
            });
        });
}

/* All turns of all processes, in the time of one. */
template <class Group>
Work Turns(Group &group, int processes)
{
    return [&group, processes](uint64_t count) {
        const uint64_t each = count / static_cast<uint64_t>(processes) + 1;
        return Seconds([&] { group.Run(each); }) / static_cast<double>(each) /
               static_cast<double>(processes) * static_cast<double>(count);
    };
}

void Wanted(Bench &bench, const std::string &way, int processes)
{
    Row row;
    row.name = NameOf(way) + ", " + std::to_string(processes) + " processes, beside " + way;
    row.unit = "1000/s";
    row.limit_is = way;
    row.value = [](double seconds) { return 1e-3 / seconds; };
    row.more_is_better = true;
    if (!bench.Wants(row.name)) {
        return;
    }
    const Lock lock;
    const Semaphore semaphore(1);
    Workers workers;
    for (int i = 0; i < processes; i++) {
        workers.Add([&](brood_process **process, brood_connection *theirs) {
            return IsSemaphore(way)
                       ? brood_process_start(process, WantSemaphore,
                                             BROOD_ARGS(semaphore.it, BROOD_GIVE(theirs)), nullptr)
                       : brood_process_start(process, WantLock,
                                             BROOD_ARGS(lock.it, BROOD_GIVE(theirs)), nullptr);
        });
    }
    raw::LockCrowd crowd(way, processes);
    bench.Compare(row, Turns(crowd, processes), Turns(workers, processes));
}

void ToAndFro(Bench &bench, const std::string &way)
{
    Row row;
    row.name = "semaphore round trip, beside " + way;
    row.unit = "us";
    row.limit_is = way;
    row.value = [](double seconds) { return seconds * 1e6; };
    if (!bench.Wants(row.name)) {
        return;
    }
    const Semaphore one(0);
    const Semaphore two(0);
    Workers workers;
    for (const bool first : {true, false}) {
        workers.Add([&](brood_process **process, brood_connection *theirs) {
            return brood_process_start(process, TakeTurns,
                                       BROOD_ARGS(first ? one.it : two.it, first ? two.it : one.it,
                                                  BROOD_GIVE(theirs), brood_bool(first)),
                                       nullptr);
        });
    }
    raw::HandOff pair(way);
    bench.Compare(
        row, [&](uint64_t count) { return Seconds([&] { pair.Run(count); }); },
        [&](uint64_t count) { return Seconds([&] { workers.Run(count); }); });
}

/* From the kill until whoever waits for the lock is told. */
double Notice()
{
    const Lock lock;
    brood_connection *ours = nullptr;
    brood_connection *theirs = nullptr;
    brood_process *child = nullptr;
    uint64_t count = 1;
    char answer;
    size_t size = 1;
    Must(brood_pipe(&ours, &theirs, BROOD_DUPLEX), "pipe");
    Must(brood_process_start(&child, HoldLock, BROOD_ARGS(lock.it, BROOD_GIVE(theirs)), nullptr),
         "start");
    brood_connection_free(theirs);
    Must(brood_send_bytes(ours, &count, sizeof count, BROOD_FOREVER), "send");
    Must(brood_recv_bytes_into(ours, &answer, &size, BROOD_FOREVER), "receive");
    int rc = 0;
    const double seconds = Seconds([&] {
        brood_process_kill(child);
        rc = brood_lock_acquire(lock.it, BROOD_FOREVER);
    });
    if (rc != BROOD_EOWNERDEAD) {
        Must(rc != 0 ? rc : BROOD_EOWNERDEAD, "the owner's death");
    }
    (void)brood_process_join(child, BROOD_FOREVER);
    brood_process_free(child);
    brood_connection_free(ours);
    return seconds;
}

void Death(Bench &bench)
{
    Row row;
    row.name = "death of a lock's owner noticed";
    row.unit = "us";
    row.value = [](double seconds) { return seconds * 1e6; };
    if (!bench.Wants(row.name)) {
        return;
    }
    if (raw::kDeathIs == nullptr) {
        bench.Skip(row.name, "there is nothing to compare it with here");
        return;
    }
    row.limit_is = raw::kDeathIs;
    const auto sum = [](double (*one)()) {
        return [one](uint64_t count) {
            double seconds = 0;
            for (; count > 0; count--) {
                seconds += one();
            }
            return seconds;
        };
    };
    bench.Compare(row, sum(raw::SecondsToNotice), sum(Notice));
}

} // namespace

void BenchSync(Bench &bench)
{
    for (const std::string &way : raw::LockWays()) {
        Alone(bench, way);
    }
    for (const int processes : {2, 4}) {
        for (const std::string &way : raw::LockWays()) {
            Wanted(bench, way, processes);
        }
    }
    for (const std::string &way : raw::HandOffWays()) {
        ToAndFro(bench, way);
    }
    Death(bench);
}

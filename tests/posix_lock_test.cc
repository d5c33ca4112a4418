/* Unix only: locks where processes fork, and where threads end. */
#include <gtest/gtest.h>

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <future>
#include <thread>

#include "support/objects.h"

namespace {

/* In a forked child nothing of GoogleTest's may be used: it tells by its exit code. */
int64_t Fork()
{
    const int64_t pid = brood_fork();
    EXPECT_GE(pid, 0) << LastWords();
    return pid;
}

int ExitCode(int64_t pid)
{
    int status = 0;
    EXPECT_EQ(pid, waitpid(static_cast<pid_t>(pid), &status, 0));
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A child that has not used a lock has no part in it: when its parent has given that up there may be
 * another one in its place. */
TEST(PosixLock, OfAParentThatGaveItUpIsClosedInItsChild)
{
    const auto [ours, theirs] = Pipe();
    brood_lock *lock = nullptr;
    ASSERT_EQ(0, brood_lock_new(&lock, nullptr)) << LastWords();
    const int64_t pid = Fork();
    if (pid == 0) {
        brood_message *message = nullptr;
        brood_lock *second = nullptr;
        brood_lock *again = nullptr;
        bool fine = brood_recv(theirs.get(), &message, kSoon) == 0 &&
                    BROOD_UNPACK(message, &second) == 0 &&
                    brood_lock_acquire(lock, kSoon) == BROOD_ECLOSED;
        brood_lock_free(lock); /* which does not touch the one that is there now */
        brood_message *other = nullptr;
        fine = fine && brood_recv(theirs.get(), &other, kSoon) == 0 &&
               BROOD_UNPACK(other, &again) == 0 && second == again &&
               brood_lock_acquire(second, kSoon) == 0 && brood_lock_release(again) == 0;
        _exit(fine ? 0 : 1);
    }
    brood_lock_free(lock);
    brood_lock *next = nullptr;
    ASSERT_EQ(0, brood_lock_new(&next, nullptr)) << LastWords();
    EXPECT_EQ(0, brood_send(ours.get(), BROOD_TUPLE(next), kSoon)) << LastWords();
    EXPECT_EQ(0, brood_send(ours.get(), BROOD_TUPLE(next), kSoon)) << LastWords();
    EXPECT_EQ(0, ExitCode(pid));
    brood_lock_free(next);
}

#if defined(__linux__)
int SendANewLock(brood_call *call)
{
    brood_connection *connection;
    brood_lock *lock = nullptr;
    int rc = BROOD_UNPACK(call, &connection);
    if (rc == 0) {
        rc = brood_lock_new(&lock, nullptr);
    }
    if (rc == 0) {
        rc = brood_send(connection, BROOD_TUPLE(lock), kSoon);
    }
    brood_lock_free(lock);
    return rc;
}

/* What the system looks at when this thread ends: the first entry of its list of robust mutexes, if
 * it is in memory at all. */
bool ThreadEndsWell()
{
    struct {
        uintptr_t newest;
        long offset;
        uintptr_t pending;
    } *head = nullptr;
    size_t size = 0;
    if (syscall(SYS_get_robust_list, 0, &head, &size) != 0 || head == nullptr) {
        return true; /* there is no such list */
    }
    const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
    return msync(reinterpret_cast<void *>(head->newest / page * page), page, MS_ASYNC) == 0;
}

/* A thread that was the first to use shared memory is its process's witness there, also when another
 * one lets go of all that is in it. */
TEST(PosixLock, MayBeFreedByAnotherThreadThanItCameTo)
{
    std::promise<Message> came;
    std::promise<void> gone;
    std::thread first([&] {
        auto [ours, theirs] = Pipe();
        const Process child = Start(SendANewLock, BROOD_ARGS(BROOD_GIVE(theirs.get())));
        brood_message *raw = nullptr;
        EXPECT_EQ(0, brood_recv(ours.get(), &raw, kSoon)) << LastWords();
        EXPECT_EQ(0, Result(child)) << LastWords();
        came.set_value(Message(raw));
        gone.get_future().wait();
        EXPECT_TRUE(ThreadEndsWell());
    });
    came.get_future().get().reset();
    gone.set_value();
    first.join();
}

#endif

} // namespace

/* Unix only: locks where processes fork. */
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

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

} // namespace

/* Unix only: objects to synchronise with in signal handlers, and after plain forks. */
#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <sys/time.h>
#include <unistd.h>

#include <thread>

#include "support/process_list.h"
#include "support/sync.h"

namespace {

/* A plain fork's child has the objects of its parent without having been sent them. */
TEST(SyncFork, ChildUsesWhatItsParentHas)
{
    const Semaphore semaphore = NewSemaphore(0);
    const Event event = NewEvent();
    const Barrier barrier = NewBarrier(2);
    const int64_t pid = brood_fork();
    ASSERT_GE(pid, 0) << LastWords();
    if (pid == 0) {
        brood_event_set(event.get());
        int rc = brood_semaphore_acquire(semaphore.get(), kSoon);
        rc = rc ? rc : brood_barrier_wait(barrier.get(), nullptr, kSoon);
        _exit(rc == 0 ? 0 : 1);
    }
    brood_wait_item items[] = {{brood_of(event.get()), false}};
    EXPECT_EQ(0, brood_wait(items, 1, kSoon)) << LastWords();
    EXPECT_EQ(0, brood_semaphore_release(semaphore.get(), 1));
    EXPECT_EQ(0, brood_barrier_wait(barrier.get(), nullptr, kSoon)) << LastWords();
    EXPECT_TRUE(WaitFor([&] { return !IsAlive(pid); }));
}

brood_event *signalled;
volatile std::sig_atomic_t signals;

void SetInHandler(int)
{
    brood_event_set(signalled);
    signals = signals + 1;
}

/* The handler interrupts this thread wherever it is, also in the middle of set, clear and waiting
 * for the same event. */
TEST(EventSet, IsForSignalHandlers)
{
    const Event event = NewEvent();
    signalled = event.get();
    brood_handle handle = BROOD_NO_HANDLE;
    ASSERT_EQ(0, brood_waitable_handle(brood_of(event.get()), &handle)) << LastWords();
    struct sigaction action = {};
    action.sa_handler = SetInHandler;
    ASSERT_EQ(0, sigaction(SIGALRM, &action, nullptr));
    const struct itimerval often = {{0, 200}, {0, 200}};
    ASSERT_EQ(0, setitimer(ITIMER_REAL, &often, nullptr));
    while (signals < 300) {
        errno = 77;
        brood_event_set(event.get());
        ASSERT_EQ(77, errno);
        brood_event_clear(event.get());
        ASSERT_EQ(0, brood_event_wait(event.get(), kSoon)) << LastWords();
        brood_event_clear(event.get());
        brood_wait_item items[] = {{brood_of(event.get()), false}};
        ASSERT_EQ(0, brood_wait(items, 1, kSoon)) << LastWords();
    }
    const struct itimerval never = {};
    ASSERT_EQ(0, setitimer(ITIMER_REAL, &never, nullptr));
    action.sa_handler = SIG_IGN;
    ASSERT_EQ(0, sigaction(SIGALRM, &action, nullptr));
}

} // namespace

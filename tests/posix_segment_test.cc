/* Unix only: who is alive, as others that share memory with it see it. */
#include <gtest/gtest.h>

#include <pthread.h>

#include <thread>

#include "support/family.h"
#include "support/objects.h"

namespace {

/* The lock is held by a thread that outlives the first one, after which the system calls the process
 * a zombie. */
int OutliveFirstThread(brood_call *call)
{
    brood_lock *lock;
    brood_connection *connection;
    const int rc = BROOD_UNPACK(call, &lock, &connection);
    if (rc) {
        return rc;
    }
    const pthread_t first = pthread_self();
    brood_lock_ref(lock);
    brood_connection_ref(connection);
    std::thread([=] {
        int failed = brood_lock_acquire(lock, kSoon);
        failed = failed ? failed : pthread_join(first, nullptr);
        failed = failed ? failed : brood_send(connection, brood_int(1), kSoon);
        brood_message *raw = nullptr;
        failed = failed ? failed : brood_recv(connection, &raw, kSoon);
        failed = failed ? failed : brood_lock_release(lock);
        _exit(failed ? 1 : 0);
    }).detach();
    pthread_exit(nullptr);
}

TEST(Segment, OfAProcessThatOutlivesItsFirstThread)
{
#if defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "ThreadSanitizer does not know threads that outlive the first";
#endif
    brood_lock *lock = nullptr;
    ASSERT_EQ(0, brood_lock_new(&lock, nullptr)) << LastWords();
    auto [mine, theirs] = Pipe();
    const Process child = Start(OutliveFirstThread, BROOD_ARGS(lock, BROOD_GIVE(theirs.get())));
    ASSERT_TRUE(child) << LastWords();
    brood_message *raw = nullptr;
    ASSERT_EQ(0, brood_recv(mine.get(), &raw, kSoon)) << LastWords();
    brood_message_free(raw);
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_lock_acquire(lock, 150)) << LastWords();
    ASSERT_EQ(0, brood_send(mine.get(), brood_none(), kSoon)) << LastWords();
    EXPECT_EQ(0, brood_lock_acquire(lock, kSoon)) << LastWords();
    EXPECT_EQ(0, brood_lock_release(lock)) << LastWords();
    EXPECT_EQ(0, Result(child)) << LastWords();
    brood_lock_free(lock);
}

} // namespace

/* Semaphore, Condition, Event and Barrier between processes, by every start method. */
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "support/family.h"
#include "support/insides.h"
#include "support/methods.h"
#include "support/process_list.h"
#include "support/receive.h"
#include "support/sync.h"

namespace {

/* ---- values ---- */

/* What arrives is the object that is here already, and it came twice in one message. */
template <class Object>
void ExpectTheSameComesBack(const std::unique_ptr<Object, Freer> &object)
{
    ASSERT_TRUE(object) << LastWords();
    const auto [a, b] = Pipe();
    ASSERT_EQ(0, brood_send(a.get(), BROOD_LIST(object.get(), object.get()), kSoon)) << LastWords();
    const Message message = Receive(b);
    ASSERT_TRUE(message) << LastWords();
    Object *first = nullptr;
    Object *second = nullptr;
    ASSERT_EQ(0, BROOD_UNPACK(message.get(), &first, &second)) << LastWords();
    EXPECT_EQ(object.get(), first);
    EXPECT_EQ(object.get(), second);
    brood_lock *other = nullptr;
    brood_lock *another = nullptr;
    EXPECT_EQ(BROOD_ETYPE, BROOD_UNPACK(message.get(), &other, &another));
}

int DoNothing(brood_call *)
{
    return 0;
}

TEST(SyncValue, IsTheSameObjectWhenItComesBack)
{
    ExpectTheSameComesBack(NewSemaphore(1));
    ExpectTheSameComesBack(NewCondition());
    ExpectTheSameComesBack(NewEvent());
    ExpectTheSameComesBack(NewBarrier(2));
    ExpectTheSameComesBack(NewBarrier(2, DoNothing));
}

/* ---- conformance ---- */

OVER_METHODS(SyncOverMethods);

int SetByName(brood_call *call)
{
    brood_semaphore *semaphore;
    brood_event *event;
    const int rc = BROOD_BIND(call, "semaphore", &semaphore, "event", &event);
    CHILD_CHECK(call, rc == 0);
    brood_event_set(event);
    return brood_semaphore_release(semaphore, 1);
}

TEST_P(SyncOverMethods, AreBoundByName)
{
    const Semaphore semaphore = NewSemaphore(1);
    const Event event = NewEvent();
    const Process child = Start(SetByName, BROOD_ARGS(BROOD_NAMED("event", event.get()),
                                                      BROOD_NAMED("semaphore", semaphore.get())));
    EXPECT_EQ(0, Result(child)) << LastWords();
    EXPECT_EQ(2u, brood_semaphore_value(semaphore.get()));
    EXPECT_TRUE(brood_event_is_set(event.get()));
}

int AcquireThenRelease(brood_call *call)
{
    brood_semaphore *take;
    brood_semaphore *give;
    int count;
    int rc = BROOD_UNPACK(call, &take, &give, &count);
    for (int i = 0; rc == 0 && i < count; i++) {
        rc = brood_semaphore_acquire(take, kSoon);
        if (rc == 0) {
            rc = brood_semaphore_release(give, 1);
        }
    }
    return rc;
}

TEST_P(SyncOverMethods, SemaphoreIsOneInAllProcesses)
{
    const Semaphore there = NewSemaphore(0);
    const Semaphore back = NewSemaphore(0, 300);
    std::vector<Process> children;
    for (int i = 0; i < 3; i++) {
        children.push_back(Start(AcquireThenRelease, BROOD_ARGS(there.get(), back.get(), 100)));
        ASSERT_TRUE(children.back()) << LastWords();
    }
    for (int i = 0; i < 300; i++) {
        ASSERT_EQ(0, brood_semaphore_release(there.get(), 1)) << LastWords();
        ASSERT_EQ(0, brood_semaphore_acquire(back.get(), kSoon)) << LastWords();
    }
    for (const Process &child : children) {
        EXPECT_EQ(0, Result(child)) << LastWords();
    }
    EXPECT_EQ(0u, brood_semaphore_value(there.get()));
}

bool HasValue(void *user)
{
    return brood_semaphore_value(static_cast<brood_semaphore *>(user)) > 0;
}

/* The number of items is a semaphore's value, which is only looked at under the lock. */
int TakeItems(brood_call *call)
{
    brood_condition *condition;
    brood_lock *lock;
    brood_semaphore *items;
    int count;
    int rc = BROOD_UNPACK(call, &condition, &lock, &items, &count);
    if (rc == 0 && lock != brood_condition_lock(condition)) {
        return brood_raise(call, BROOD_EINVAL, "the condition has another lock here");
    }
    for (int i = 0; rc == 0 && i < count; i++) {
        rc = brood_lock_acquire(lock, kSoon);
        if (rc == 0) {
            rc = brood_condition_wait_for(condition, HasValue, items, kSoon);
        }
        if (rc == 0) {
            rc = brood_semaphore_acquire(items, BROOD_NOWAIT);
        }
        if (rc == 0) {
            rc = brood_lock_release(lock);
        }
    }
    return rc;
}

TEST_P(SyncOverMethods, ConditionTravelsWithItsLock)
{
    const Lock lock = NewLock();
    const Condition condition = NewCondition(lock);
    const Semaphore items = NewSemaphore(0);
    std::vector<Process> children;
    for (int i = 0; i < 3; i++) {
        children.push_back(
            Start(TakeItems, BROOD_ARGS(condition.get(), lock.get(), items.get(), 50)));
        ASSERT_TRUE(children.back()) << LastWords();
    }
    for (int i = 0; i < 150; i++) {
        ASSERT_EQ(0, brood_lock_acquire(lock.get(), kSoon)) << LastWords();
        ASSERT_EQ(0, brood_semaphore_release(items.get(), 1));
        ASSERT_EQ(0, brood_condition_notify(condition.get(), 1)) << LastWords();
        ASSERT_EQ(0, brood_lock_release(lock.get()));
    }
    for (const Process &child : children) {
        EXPECT_EQ(0, Result(child)) << LastWords();
    }
    EXPECT_EQ(0u, brood_semaphore_value(items.get()));
}

/* The lock comes with the condition, and goes when that goes. */
int NotifyOnly(brood_call *call)
{
    brood_condition *condition;
    int rc = BROOD_UNPACK(call, &condition);
    CHILD_CHECK(call, rc == 0);
    CHILD_CHECK(call, brood_condition_notify(condition, 1) == BROOD_ENOTOWNER);
    rc = brood_lock_acquire(brood_condition_lock(condition), kSoon);
    CHILD_CHECK(call, rc == 0);
    CHILD_CHECK(call, brood_condition_notify_all(condition) == 0);
    return brood_lock_release(brood_condition_lock(condition));
}

TEST_P(SyncOverMethods, ConditionNotifiesAcrossProcesses)
{
    const Condition condition = NewCondition();
    brood_lock *lock = brood_condition_lock(condition.get());
    ASSERT_EQ(0, brood_lock_acquire(lock, kSoon));
    const Process child = Start(NotifyOnly, BROOD_ARGS(condition.get()));
    ASSERT_TRUE(child) << LastWords();
    EXPECT_EQ(0, brood_condition_wait(condition.get(), kSoon)) << LastWords();
    EXPECT_EQ(0, brood_lock_release(lock));
    EXPECT_EQ(0, Result(child)) << LastWords();
}

int AnswerEvents(brood_call *call)
{
    brood_event *ask;
    brood_event *answer;
    int rounds;
    int rc = BROOD_UNPACK(call, &ask, &answer, &rounds);
    for (int i = 0; rc == 0 && i < rounds; i++) {
        brood_wait_item items[] = {{brood_of(ask), false}};
        rc = i % 2 == 0 ? brood_wait(items, 1, kSoon) : brood_event_wait(ask, kSoon);
        brood_event_clear(ask);
        brood_event_set(answer);
    }
    return rc;
}

TEST_P(SyncOverMethods, EventIsSetAndWaitedForAcrossProcesses)
{
    const Event ask = NewEvent();
    const Event answer = NewEvent();
    const Process child = Start(AnswerEvents, BROOD_ARGS(ask.get(), answer.get(), 40));
    ASSERT_TRUE(child) << LastWords();
    for (int i = 0; i < 40; i++) {
        brood_event_set(ask.get());
        brood_wait_item items[] = {{brood_of(child.get()), false}, {brood_of(answer.get()), false}};
        ASSERT_EQ(0,
                  i % 3 == 0 ? brood_event_wait(answer.get(), kSoon) : brood_wait(items, 2, kSoon))
            << LastWords();
        ASSERT_TRUE(brood_event_is_set(answer.get()));
        brood_event_clear(answer.get());
    }
    EXPECT_EQ(0, Result(child)) << LastWords();
}

/* The action runs in whichever process comes last, and counts with the semaphore that it finds
 * there. */
brood_semaphore *action_count;

int CountAction(brood_call *)
{
    return brood_semaphore_release(action_count, 1);
}

int Meet(brood_call *call)
{
    brood_barrier *barrier;
    brood_semaphore *zeros;
    int rounds;
    int rc = BROOD_UNPACK(call, &barrier, &zeros, &action_count, &rounds);
    for (int i = 0; rc == 0 && i < rounds; i++) {
        uint32_t index = 99;
        rc = brood_barrier_wait(barrier, &index, kSoon);
        if (rc == 0 && index == 0) {
            rc = brood_semaphore_release(zeros, 1);
        }
        CHILD_CHECK(call, rc != 0 || index < 3);
    }
    return rc;
}

TEST_P(SyncOverMethods, BarrierLetsAllProcessesPassTogether)
{
    const int rounds = 50;
    const Barrier barrier = NewBarrier(3, CountAction);
    const Semaphore zeros = NewSemaphore(0);
    const Semaphore count = NewSemaphore(0);
    std::vector<Process> children;
    for (int i = 0; i < 3; i++) {
        children.push_back(
            Start(Meet, BROOD_ARGS(barrier.get(), zeros.get(), count.get(), rounds)));
        ASSERT_TRUE(children.back()) << LastWords();
    }
    for (const Process &child : children) {
        EXPECT_EQ(0, Result(child)) << LastWords();
    }
    EXPECT_EQ(static_cast<uint32_t>(rounds), brood_semaphore_value(zeros.get()));
    EXPECT_EQ(static_cast<uint32_t>(rounds), brood_semaphore_value(count.get()));
}

/* Objects are made in a child, sent to us, and outlive it. */
int MakeAndSend(brood_call *call)
{
    brood_connection *connection;
    int rc = BROOD_UNPACK(call, &connection);
    CHILD_CHECK(call, rc == 0);
    const Semaphore semaphore = NewSemaphore(3);
    const Condition condition = NewCondition();
    const Event event = NewEvent();
    const Barrier barrier = NewBarrier(1, DoNothing);
    CHILD_CHECK(call, semaphore && condition && event && barrier);
    brood_event_set(event.get());
    return brood_send(connection,
                      BROOD_LIST(semaphore.get(), condition.get(), event.get(), barrier.get()),
                      kSoon);
}

TEST_P(SyncOverMethods, ObjectsOutliveTheProcessThatMadeThem)
{
    auto [mine, theirs] = Pipe();
    const Process child = Start(MakeAndSend, BROOD_ARGS(BROOD_GIVE(theirs.get())));
    ASSERT_TRUE(child) << LastWords();
    const Message message = Receive(mine);
    ASSERT_TRUE(message) << LastWords();
    EXPECT_EQ(0, Result(child)) << LastWords();
    brood_semaphore *semaphore;
    brood_condition *condition;
    brood_event *event;
    brood_barrier *barrier;
    ASSERT_EQ(0, BROOD_UNPACK(message.get(), &semaphore, &condition, &event, &barrier))
        << LastWords();
    EXPECT_EQ(3u, brood_semaphore_value(semaphore));
    EXPECT_EQ(0, brood_semaphore_acquire(semaphore, BROOD_NOWAIT));
    EXPECT_EQ(0, brood_lock_acquire(brood_condition_lock(condition), BROOD_NOWAIT));
    EXPECT_EQ(0, brood_condition_notify_all(condition));
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_condition_wait(condition, 5));
    EXPECT_EQ(0, brood_lock_release(brood_condition_lock(condition)));
    brood_wait_item items[] = {{brood_of(event), false}};
    EXPECT_EQ(0, brood_wait(items, 1, BROOD_NOWAIT)) << LastWords();
    EXPECT_EQ(0, brood_barrier_wait(barrier, nullptr, BROOD_NOWAIT)) << LastWords();
}

/* A lock is held, a semaphore waited for, and an event watched, while all of them are being
 * sent. */
TEST_P(SyncOverMethods, ObjectsAreSentWhileInUse)
{
    const Condition condition = NewCondition();
    brood_lock *lock = brood_condition_lock(condition.get());
    const Semaphore items = NewSemaphore(0);
    ASSERT_EQ(0, brood_lock_acquire(lock, kSoon));
    std::thread waiter([&] { EXPECT_EQ(0, brood_semaphore_acquire(items.get(), kSoon)); });
    const Process child = Start(TakeItems, BROOD_ARGS(condition.get(), lock, items.get(), 1));
    ASSERT_TRUE(child) << LastWords();
    ASSERT_EQ(0, brood_semaphore_release(items.get(), 1));
    waiter.join();
    ASSERT_EQ(0, brood_semaphore_release(items.get(), 1));
    ASSERT_EQ(0, brood_lock_release(lock));
    EXPECT_EQ(0, Result(child)) << LastWords();
}

/* ---- misuse that is only logged ---- */

/* What is logged as a warning while it lives. */
class Warnings {
  public:
    Warnings()
    {
        brood_log_to(BROOD_LOG_WARNING, Keep, &text_);
    }
    ~Warnings()
    {
        brood_log_to(BROOD_LOG_OFF, nullptr, nullptr);
    }
    Warnings(const Warnings &) = delete;
    Warnings &operator=(const Warnings &) = delete;
    bool Say(const std::string &words) const
    {
        return text_.find(words) != std::string::npos;
    }
    const std::string &Text() const
    {
        return text_;
    }

  private:
    static void Keep(void *user, brood_log_level, const char *line)
    {
        *static_cast<std::string *>(user) += line + std::string("\n");
    }
    std::string text_;
};

int HoldUntilTold(brood_call *call)
{
    brood_lock *lock;
    brood_event *held;
    brood_event *go;
    int rc = BROOD_UNPACK(call, &lock, &held, &go);
    rc = rc ? rc : brood_lock_acquire(lock, kSoon);
    if (rc == 0) {
        brood_event_set(held);
        rc = brood_event_wait(go, kSoon);
    }
    return rc ? rc : brood_lock_release(lock);
}

TEST_P(SyncOverMethods, FreeingWhatAnotherHoldsIsLogged)
{
    const Event held = NewEvent();
    const Event go = NewEvent();
    Lock lock = NewLock();
    const Process child = Start(HoldUntilTold, BROOD_ARGS(lock.get(), held.get(), go.get()));
    ASSERT_TRUE(child) << LastWords();
    ASSERT_EQ(0, brood_event_wait(held.get(), kSoon)) << LastWords();
    {
        const Warnings warnings;
        lock.reset();
        EXPECT_TRUE(warnings.Say("a lock is freed by its maker while somebody holds it"))
            << warnings.Text();
    }
    brood_event_set(go.get());
    EXPECT_EQ(0, Result(child)) << "it lives until it is released: " << LastWords();
}

TEST(LockFree, OfWhatThisProcessHoldsIsLogged)
{
    Lock lock = NewLock();
    ASSERT_EQ(0, brood_lock_acquire(lock.get(), BROOD_NOWAIT));
    const Warnings warnings;
    lock.reset();
    EXPECT_TRUE(warnings.Say("a lock is freed by a process that holds it")) << warnings.Text();
}

} // namespace

/* Queues between processes, by every start method and over connections, and when processes die. */
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "support/family.h"
#include "support/insides.h"
#include "support/methods.h"
#include "support/process_list.h"
#include "support/stop_file.h"

namespace {

OVER_METHODS(QueueOverMethods);

constexpr size_t kMiB = 1024 * 1024;

std::string Text(size_t size, int seed)
{
    std::string text(size, '\0');
    for (size_t i = 0; i < size; i++) {
        text[i] = static_cast<char>((i * 31 + static_cast<size_t>(seed) * 7 + i / 256) & 0xff);
    }
    return text;
}

int PutText(brood_queue *queue, const std::string &text, int64_t timeout_ms = kSoon)
{
    return brood_queue_put_bytes(queue, text.data(), text.size(), timeout_ms);
}

void Kill(const Process &child)
{
    brood_process_kill(child.get());
    EXPECT_EQ(0, brood_process_join(child.get(), kSoon)) << LastWords();
}

/* ---- what every queue does ---- */

int PutNumbers(brood_call *call)
{
    brood_queue *queue;
    int count;
    int rc = BROOD_UNPACK(call, &queue, &count);
    for (int i = 0; rc == 0 && i < count; i++) {
        rc = brood_queue_put(queue, brood_int(i), kSoon);
    }
    return rc;
}

/* The producer has ended before anything is taken. */
TEST_P(QueueOverMethods, KeepsWhatAChildHasPut)
{
    const Queue queue = NewQueue();
    const int count = static_cast<int>(Scaled(200000));
    const Process child = Start(PutNumbers, BROOD_ARGS(queue.get(), count));
    ASSERT_TRUE(child) << LastWords();
    ASSERT_EQ(0, Result(child)) << LastWords();
    EXPECT_EQ(static_cast<size_t>(count), brood_queue_qsize(queue.get()));
    for (int i = 0; i < count; i++) {
        brood_message *raw = nullptr;
        ASSERT_EQ(0, brood_queue_get(queue.get(), &raw, kSoon)) << LastWords();
        const Message message(raw);
        ASSERT_EQ(i, brood_as_int(brood_message_value(raw), -1));
    }
    EXPECT_TRUE(brood_queue_empty(queue.get()));
}

/* Sends back what comes until nothing can come any more. */
int EchoQueue(brood_call *call)
{
    brood_queue *requests;
    brood_queue *answers;
    int rc = BROOD_UNPACK(call, &requests, &answers);
    while (rc == 0) {
        brood_message *raw = nullptr;
        rc = brood_queue_get(requests, &raw, kSoon);
        if (rc == 0) {
            rc = brood_queue_put(answers, brood_message_value(raw), kSoon);
        }
        brood_message_free(raw);
    }
    return rc == BROOD_ESHUTDOWN ? 0 : rc;
}

TEST_P(QueueOverMethods, CarriesRequestsAndAnswers)
{
    const Queue requests = NewQueue(3);
    const Queue answers = NewQueue();
    const Process child = Start(EchoQueue, BROOD_ARGS(requests.get(), answers.get()));
    ASSERT_TRUE(child) << LastWords();
    for (int i = 0; i < 200; i++) {
        const std::string text = Text(i % 10 == 0 ? 100000 : static_cast<size_t>(i), i);
        brood_message *raw = nullptr;
        ASSERT_EQ(0, brood_queue_put(requests.get(),
                                     BROOD_TUPLE(i, brood_bytes(text.data(), text.size())), kSoon))
            << LastWords();
        ASSERT_EQ(0, brood_queue_get(answers.get(), &raw, kSoon)) << LastWords();
        const Message message(raw);
        int number;
        brood_view view;
        ASSERT_EQ(0, BROOD_UNPACK(raw, &number, &view)) << LastWords();
        EXPECT_EQ(i, number);
        EXPECT_TRUE(text == std::string(static_cast<const char *>(view.data), view.size));
    }
    EXPECT_EQ(0, brood_queue_shutdown(requests.get(), false));
    EXPECT_EQ(0, Result(child)) << LastWords();
}

int PassOn(brood_call *call)
{
    brood_queue *queue;
    int depth;
    int rc = BROOD_UNPACK(call, &queue, &depth);
    if (rc || depth == 0) {
        return rc ? rc : brood_queue_put(queue, brood_str("from below"), kSoon);
    }
    const Process child = Start(PassOn, BROOD_ARGS(queue, depth - 1));
    return child ? Result(child) : brood_last_error()->error;
}

TEST_P(QueueOverMethods, IsPassedOnToGrandchildren)
{
    const Queue queue = NewQueue();
    const Process child = Start(PassOn, BROOD_ARGS(queue.get(), 3));
    ASSERT_TRUE(child) << LastWords();
    EXPECT_EQ(0, Result(child)) << LastWords();
    brood_message *raw = nullptr;
    ASSERT_EQ(0, brood_queue_get(queue.get(), &raw, BROOD_NOWAIT)) << LastWords();
    EXPECT_STREQ("from below", brood_as_str(brood_message_value(raw), ""));
    brood_message_free(raw);
}

int ReceiveQueues(brood_call *call)
{
    brood_connection *connection;
    brood_message *raw = nullptr;
    brood_queue *first;
    brood_queue *second;
    int rc = BROOD_UNPACK(call, &connection);
    rc = rc ? rc : brood_recv(connection, &raw, kSoon);
    const Message message(raw);
    rc = rc ? rc : BROOD_UNPACK(raw, &first, &second);
    if (rc == 0) {
        CHILD_CHECK(call, first == second);
        rc = PutText(first, "it came");
    }
    return rc ? rc : brood_send(connection, BROOD_LIST(first), kSoon);
}

TEST_P(QueueOverMethods, TravelsOverConnections)
{
    const Queue queue = NewQueue();
    auto [mine, theirs] = Pipe();
    const Process child = Start(ReceiveQueues, BROOD_ARGS(BROOD_GIVE(theirs.get())));
    ASSERT_TRUE(child) << LastWords();
    ASSERT_EQ(0, brood_send(mine.get(), BROOD_LIST(queue.get(), queue.get()), kSoon))
        << LastWords();
    brood_message *raw = nullptr;
    ASSERT_EQ(0, brood_recv(mine.get(), &raw, kSoon)) << LastWords();
    const Message message(raw);
    brood_queue *back = nullptr;
    ASSERT_EQ(0, BROOD_UNPACK(raw, &back)) << LastWords();
    EXPECT_EQ(queue.get(), back);
    EXPECT_EQ("it came", GetBytes(back));
    EXPECT_EQ(0, Result(child)) << LastWords();
}

int CloseAndFail(brood_call *call)
{
    brood_queue *queue;
    int rc = BROOD_UNPACK(call, &queue);
    brood_queue_close(queue);
    CHILD_CHECK(call, rc == 0);
    CHILD_CHECK(call, PutText(queue, "x") == BROOD_ECLOSED);
    return 0;
}

TEST_P(QueueOverMethods, IsClosedByOneProcessForItselfAlone)
{
    const Queue queue = NewQueue();
    const Process child = Start(CloseAndFail, BROOD_ARGS(queue.get()));
    ASSERT_TRUE(child) << LastWords();
    EXPECT_EQ(0, Result(child)) << LastWords();
    EXPECT_EQ(0, PutText(queue.get(), "y")) << LastWords();
}

int ShutDown(brood_call *call)
{
    brood_queue *queue;
    bool immediate;
    const int rc = BROOD_UNPACK(call, &queue, &immediate);
    return rc ? rc : brood_queue_shutdown(queue, immediate);
}

TEST_P(QueueOverMethods, IsShutDownForEverybody)
{
    for (const bool immediate : {false, true}) {
        const Queue queue = NewQueue();
        const Process child = Start(ShutDown, BROOD_ARGS(queue.get(), brood_bool(immediate)));
        ASSERT_TRUE(child) << LastWords();
        brood_message *raw = nullptr;
        EXPECT_EQ(BROOD_ESHUTDOWN, brood_queue_get(queue.get(), &raw, BROOD_FOREVER));
        EXPECT_EQ(BROOD_ESHUTDOWN, PutText(queue.get(), "y"));
        EXPECT_EQ(0, Result(child)) << LastWords();
    }
}

TEST_P(QueueOverMethods, IsRefusedWhereItWasNotSent)
{
    if (GetParam() != BROOD_FORK) {
        GTEST_SKIP() << "only a forked child sees an object that was not sent to it";
    }
    static brood_queue *queue;
    const Queue owner = NewQueue();
    queue = owner.get();
    const Process child = Start([](brood_call *call) {
        brood_message *raw = nullptr;
        CHILD_CHECK(call, PutText(queue, "x") == BROOD_EHANDLE);
        CHILD_CHECK(call, brood_queue_get(queue, &raw, BROOD_NOWAIT) == BROOD_EHANDLE);
        brood_queue_free(queue);
        return 0;
    });
    ASSERT_TRUE(child) << LastWords();
    EXPECT_EQ(0, Result(child)) << LastWords();
    EXPECT_EQ(0, PutText(owner.get(), "x")) << LastWords();
}

/* ---- waiting ---- */

int PutWhenTold(brood_call *call)
{
    brood_queue *queue;
    brood_connection *connection;
    int rc = BROOD_UNPACK(call, &queue, &connection);
    while (rc == 0) {
        brood_message *raw = nullptr;
        rc = brood_recv(connection, &raw, kSoon);
        rc = rc ? rc : brood_queue_put(queue, brood_message_value(raw), kSoon);
        brood_message_free(raw);
    }
    return rc == BROOD_EEND ? 0 : rc;
}

TEST_P(QueueOverMethods, IsWaitedForTogetherWithItsProducer)
{
    const Queue queue = NewQueue();
    auto [mine, theirs] = Pipe();
    const Process child = Start(PutWhenTold, BROOD_ARGS(queue.get(), BROOD_GIVE(theirs.get())));
    ASSERT_TRUE(child) << LastWords();
    brood_wait_item items[2] = {{brood_of(queue.get()), false}, {brood_of(child.get()), false}};
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_wait(items, 2, 20));
    for (int i = 0; i < 50; i++) {
        ASSERT_EQ(0, brood_send(mine.get(), brood_int(i), kSoon));
        ASSERT_EQ(0, brood_wait(items, 2, kSoon)) << LastWords();
        EXPECT_TRUE(items[0].ready);
        EXPECT_FALSE(items[1].ready);
        ASSERT_EQ(0, brood_wait(items, 2, BROOD_NOWAIT)) << "it is a state";
        brood_message *raw = nullptr;
        ASSERT_EQ(0, brood_queue_get(queue.get(), &raw, BROOD_NOWAIT)) << LastWords();
        brood_message_free(raw);
        EXPECT_EQ(BROOD_ETIMEDOUT, brood_wait(items, 2, BROOD_NOWAIT));
    }
    mine.reset();
    ASSERT_EQ(0, brood_wait(items, 2, kSoon)) << LastWords();
    EXPECT_FALSE(items[0].ready);
    EXPECT_TRUE(items[1].ready);
    EXPECT_EQ(0, Result(child)) << LastWords();
    EXPECT_EQ(0, brood_queue_shutdown(queue.get(), false));
    ASSERT_EQ(0, brood_wait(items, 1, kSoon)) << "a get would say so";
}

/* As a foreign event loop does it: take until there is nothing, then wait for the handle. */
TEST_P(QueueOverMethods, HasAHandleForForeignLoops)
{
    const Queue queue = NewQueue();
    const int count = 2000;
    const Process child = Start(PutNumbers, BROOD_ARGS(queue.get(), count));
    ASSERT_TRUE(child) << LastWords();
    brood_handle handle = BROOD_NO_HANDLE;
    ASSERT_EQ(0, brood_waitable_handle(brood_of(queue.get()), &handle)) << LastWords();
    for (int got = 0; got < count;) {
        brood_wait_item item = {brood_handle_value(handle), false};
        brood_message *raw = nullptr;
        int rc;
        while ((rc = brood_queue_get(queue.get(), &raw, BROOD_NOWAIT)) == 0) {
            ASSERT_EQ(got, brood_as_int(brood_message_value(raw), -1));
            brood_message_free(raw);
            got++;
        }
        ASSERT_EQ(BROOD_EEMPTY, rc) << LastWords();
        if (got < count) {
            ASSERT_EQ(0, brood_wait(&item, 1, kSoon)) << LastWords();
        }
    }
    EXPECT_EQ(0, Result(child)) << LastWords();
}

/* ---- task_done and join ---- */

int TakeAndFinish(brood_call *call)
{
    brood_queue *queue;
    int rc = BROOD_UNPACK(call, &queue);
    while (rc == 0) {
        brood_message *raw = nullptr;
        rc = brood_queue_get(queue, &raw, kSoon);
        brood_message_free(raw);
        rc = rc ? rc : brood_queue_task_done(queue);
    }
    return rc == BROOD_ESHUTDOWN ? 0 : rc;
}

TEST_P(QueueOverMethods, IsJoinedWhenItsConsumersAreDone)
{
    const Queue queue = NewQueue(10, 0, true);
    std::vector<Process> children;
    for (int i = 0; i < 3; i++) {
        children.push_back(Start(TakeAndFinish, BROOD_ARGS(queue.get())));
        ASSERT_TRUE(children.back()) << LastWords();
    }
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 100; i++) {
            ASSERT_EQ(0, brood_queue_put(queue.get(), brood_int(i), kSoon)) << LastWords();
        }
        ASSERT_EQ(0, brood_queue_join(queue.get(), kSoon)) << LastWords();
        EXPECT_TRUE(brood_queue_empty(queue.get()));
    }
    EXPECT_EQ(0, brood_queue_shutdown(queue.get(), false));
    for (const Process &child : children) {
        EXPECT_EQ(0, Result(child)) << LastWords();
    }
}

int TakeAndStay(brood_call *call)
{
    brood_queue *queue;
    brood_connection *connection;
    int count;
    int rc = BROOD_UNPACK(call, &queue, &connection, &count);
    for (int i = 0; rc == 0 && i < count; i++) {
        brood_message *raw = nullptr;
        rc = brood_queue_get(queue, &raw, kSoon);
        brood_message_free(raw);
    }
    rc = rc ? rc : brood_send(connection, brood_int(1), kSoon);
    brood_message *raw = nullptr;
    rc = rc ? rc : brood_recv(connection, &raw, BROOD_FOREVER);
    brood_message_free(raw);
    return rc;
}

TEST_P(QueueOverMethods, SaysWhenAConsumerDiedBeforeItWasDone)
{
    const Queue queue = NewQueue(0, 0, true);
    auto [mine, theirs] = Pipe();
    for (int i = 0; i < 3; i++) {
        ASSERT_EQ(0, brood_queue_put(queue.get(), brood_int(i), kSoon));
    }
    const Process child = Start(TakeAndStay, BROOD_ARGS(queue.get(), BROOD_GIVE(theirs.get()), 2));
    ASSERT_TRUE(child) << LastWords();
    const int64_t pid = brood_process_pid(child.get());
    brood_message *raw = nullptr;
    ASSERT_EQ(0, brood_recv(mine.get(), &raw, kSoon)) << LastWords();
    brood_message_free(raw);
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_queue_join(queue.get(), 30)) << "it lives";
    std::thread waiting([&] {
        EXPECT_EQ(BROOD_EPEER, brood_queue_join(queue.get(), BROOD_FOREVER));
        EXPECT_EQ(pid, brood_last_error()->pid) << LastWords();
    });
    Kill(child);
    waiting.join();
    EXPECT_EQ(BROOD_EPEER, brood_queue_join(queue.get(), BROOD_NOWAIT));
    ASSERT_EQ(0, brood_queue_get(queue.get(), &raw, kSoon)) << LastWords();
    brood_message_free(raw);
    EXPECT_EQ(0, brood_queue_task_done(queue.get())) << "ours";
    EXPECT_EQ(BROOD_EPEER, brood_queue_join(queue.get(), BROOD_NOWAIT));
    EXPECT_EQ(0, brood_queue_task_done(queue.get())) << "for the dead";
    EXPECT_EQ(0, brood_queue_task_done(queue.get())) << "for the dead";
    EXPECT_EQ(0, brood_queue_join(queue.get(), kSoon)) << LastWords();
    EXPECT_EQ(BROOD_EINVAL, brood_queue_task_done(queue.get()));
}

TEST_P(QueueOverMethods, IsDoneForWhoeverHasTaken)
{
    const Queue queue = NewQueue(0, 0, true);
    auto [mine, theirs] = Pipe();
    ASSERT_EQ(0, brood_queue_put(queue.get(), brood_int(1), kSoon));
    const Process child = Start(TakeAndStay, BROOD_ARGS(queue.get(), BROOD_GIVE(theirs.get()), 1));
    ASSERT_TRUE(child) << LastWords();
    brood_message *raw = nullptr;
    ASSERT_EQ(0, brood_recv(mine.get(), &raw, kSoon)) << LastWords();
    brood_message_free(raw);
    EXPECT_EQ(0, brood_queue_task_done(queue.get())) << LastWords();
    EXPECT_EQ(0, brood_queue_join(queue.get(), kSoon)) << LastWords();
    Kill(child);
    EXPECT_EQ(0, brood_queue_join(queue.get(), kSoon)) << "nothing was lost with it";
}

/* ---- death at each step ---- */

struct Step {
    const char *point;
    const char *what; /* the message at which it dies */
};

/* A message of each make: small, the first of a strip, with memory of its own, and both. */
size_t SizeOf(const std::string &what)
{
    return what == "large" || what == "large in a new strip" ? 100000 : 4000;
}

/* Moves the queue's end to where the next message, also a short one, needs a new strip; or to its
 * beginning. */
void MoveTo(brood_queue *queue, const std::string &what)
{
    if (what != "new strip" && what != "large in a new strip") {
        return;
    }
    while (const size_t left = inside_queue_strip_left(queue)) {
        ASSERT_EQ(0, PutText(queue, Text(std::min<size_t>(left, 501) * 8 - 8, 0)));
        GetBytes(queue);
    }
}

constexpr int kMessages = 5;

int PutSome(brood_call *call)
{
    brood_queue *queue;
    int size;
    int rc = BROOD_UNPACK(call, &queue, &size);
    for (int i = 0; rc == 0 && i < kMessages; i++) {
        rc = PutText(queue, Text(static_cast<size_t>(size), i));
    }
    return rc;
}

int GetSome(brood_call *call)
{
    brood_queue *queue;
    int rc = BROOD_UNPACK(call, &queue);
    for (int i = 0; rc == 0 && i < kMessages; i++) {
        brood_message *raw = nullptr;
        rc = brood_queue_get_bytes(queue, &raw, kSoon);
        brood_message_free(raw);
    }
    return rc;
}

/* Starts a child that dies at that point. */
void DieAt(const std::string &point, brood_function function, const brood_args *arguments)
{
    const StopFile stop(point);
    SetEnvironment("BROOD_TEST_STOP", stop.Setting());
    const Process child = Start(function, arguments);
    SetEnvironment("BROOD_TEST_STOP", "");
    ASSERT_TRUE(child) << LastWords();
    ASSERT_NE(0, stop.Pid()) << "it never comes to " << point;
    Kill(child);
}

/* How many messages of that size it takes. */
size_t Fill(brood_queue *queue, size_t size)
{
    const std::string text = Text(size, 0);
    size_t count = 0;
    while (PutText(queue, text, BROOD_NOWAIT) == 0) {
        count++;
    }
    EXPECT_EQ(BROOD_EFULL, brood_last_error()->error) << LastWords();
    for (size_t i = 0; i < count; i++) {
        EXPECT_TRUE(text == GetBytes(queue));
    }
    return count;
}

void ExpectAllMemoryToBeThere(brood_queue *queue)
{
    const Queue fresh = NewQueue(0, kMiB);
    for (const size_t size : {4000u, 16000u, 100000u}) {
        EXPECT_GE(Fill(queue, size) + (size < 5000 ? 16 : 1), Fill(fresh.get(), size)) << size;
    }
    EXPECT_TRUE(brood_queue_empty(queue));
}

/* What is there is what was put first, or last, whole and in order. */
int TakeRest(brood_queue *queue, size_t size, int first)
{
    int next = first;
    while (!brood_queue_empty(queue)) {
        const std::string text = GetBytes(queue);
        if (first < 0) { /* whichever it begins with */
            next = 0;
            while (next < kMessages && text != Text(size, next)) {
                next++;
            }
            first = next;
        }
        EXPECT_TRUE(text == Text(size, next)) << next;
        next++;
    }
    return next;
}

class QueueDeath : public testing::TestWithParam<std::pair<Step, bool>> {};

TEST_P(QueueDeath, LosesAndLeavesNothing)
{
    const Step step = GetParam().first;
    const bool puts = GetParam().second;
    const size_t size = SizeOf(step.what);
    const Queue queue = NewQueue(0, kMiB);
    for (int round = 0; round < 4; round++) {
        SCOPED_TRACE(testing::Message() << "round " << round);
        MoveTo(queue.get(), step.what);
        if (puts) {
            DieAt(step.point, PutSome, BROOD_ARGS(queue.get(), static_cast<int>(size)));
            EXPECT_LE(TakeRest(queue.get(), size, 0), kMessages);
        } else {
            for (int i = 0; i < kMessages; i++) {
                ASSERT_EQ(0, PutText(queue.get(), Text(size, i)));
            }
            DieAt(step.point, GetSome, BROOD_ARGS(queue.get()));
            const size_t left = brood_queue_qsize(queue.get());
            EXPECT_LE(left, static_cast<size_t>(kMessages));
            EXPECT_GE(left, static_cast<size_t>(kMessages - 1));
            EXPECT_EQ(kMessages, TakeRest(queue.get(), size, -1));
        }
        EXPECT_EQ(0, PutText(queue.get(), "and on")) << LastWords();
        EXPECT_EQ("and on", GetBytes(queue.get()));
    }
    ExpectAllMemoryToBeThere(queue.get());
}

std::vector<std::pair<Step, bool>> Deaths()
{
    std::vector<std::pair<Step, bool>> all;
    for (const char *what : {"small", "new strip", "large", "large in a new strip"}) {
        for (const char *point : {"queue-put", "queue-put-done", "queue-put-unlocked"}) {
            all.push_back({{point, what}, true});
        }
        for (const char *point : {"queue-take", "queue-take-done", "queue-take-unlocked"}) {
            all.push_back({{point, what}, false});
        }
        if (SizeOf(what) > 4096) {
            all.push_back({{"queue-loaned", what}, true});
            all.push_back({{"queue-marked", what}, true});
            all.push_back({{"queue-copied", what}, false});
        }
        if (std::string(what).find("new strip") != std::string::npos) {
            all.push_back({{"queue-strip", what}, true});
        }
    }
    return all;
}

INSTANTIATE_TEST_SUITE_P(At, QueueDeath, testing::ValuesIn(Deaths()),
                         [](const testing::TestParamInfo<std::pair<Step, bool>> &about) {
                             std::string name = std::string(about.param.first.point) + " of " +
                                                about.param.first.what;
                             std::replace_if(
                                 name.begin(), name.end(), [](char c) { return !isalnum(c); }, '_');
                             return name;
                         });

TEST(QueueDeath, WhileMemoryIsGivenBackLeavesIt)
{
    const Queue queue = NewQueue(0, 64 * kMiB);
    const std::string text = Text(8 * kMiB, 0);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < kMessages; i++) {
            ASSERT_EQ(0, PutText(queue.get(), text)) << LastWords();
        }
        DieAt("queue-trimmed", GetSome, BROOD_ARGS(queue.get()));
        while (!brood_queue_empty(queue.get())) {
            ASSERT_TRUE(text == GetBytes(queue.get()));
        }
    }
    EXPECT_GE(Fill(queue.get(), 16 * kMiB), 3u);
}

/* Who waits for memory looks whether somebody has died with it. */
TEST_P(QueueOverMethods, GivesTheMemoryOfTheDeadToWhoWaitsForIt)
{
    const Queue queue = NewQueue(0, 4 * kMiB);
    const std::string text = Text(kMiB, 0);
    int count = 0;
    while (PutText(queue.get(), text, BROOD_NOWAIT) == 0) {
        count++;
    }
    GetBytes(queue.get());
    DieAt("queue-loaned", PutSome, BROOD_ARGS(queue.get(), static_cast<int>(kMiB)));
    EXPECT_EQ(0, PutText(queue.get(), text, kSoon)) << LastWords();
    for (int i = 0; i < count; i++) {
        EXPECT_TRUE(text == GetBytes(queue.get()));
    }
}

/* A message that was committed just before its producer died wakes who waits, if only later. */
TEST_P(QueueOverMethods, WakesWhoWaitsWhenItsWakerHasDied)
{
    const Queue queue = NewQueue();
    const StopFile stop("queue-put-done");
    SetEnvironment("BROOD_TEST_STOP", stop.Setting()); /* while no other thread reads it */
    std::thread waiting([&] { EXPECT_TRUE(Text(4000, 0) == GetBytes(queue.get())); });
    std::thread polling([&] {
        brood_wait_item item = {brood_of(queue.get()), false};
        EXPECT_EQ(0, brood_wait(&item, 1, kSoon)) << LastWords();
    });
    const Process child = Start(PutSome, BROOD_ARGS(queue.get(), 4000));
    EXPECT_TRUE(child) << LastWords();
    EXPECT_NE(0, stop.Pid()) << "it never comes there";
    Kill(child);
    waiting.join();
    EXPECT_EQ(0, brood_queue_shutdown(queue.get(), false)) << "which ends the other one's wait";
    polling.join();
    SetEnvironment("BROOD_TEST_STOP", "");
}

} // namespace

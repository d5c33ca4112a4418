#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "fault.h"
#include "support/fault.h"
#include "support/insides.h"
#include "support/objects.h"
#include "support/process_list.h"

namespace {

using Items = std::vector<brood_wait_item>;

template <class... Objects>
Items ItemsOf(const Objects &...objects)
{
    return {brood_wait_item{brood_of(objects.get()), true}...};
}

int Wait(Items &items, int64_t timeout_ms = kSoon)
{
    return brood_wait(items.data(), items.size(), timeout_ms);
}

/* The ready ones as "-x-". */
std::string Marks(const Items &items)
{
    std::string marks;
    for (const brood_wait_item &item : items) {
        marks += item.ready ? 'x' : '-';
    }
    return marks;
}

void Send(const Connection &connection, const std::string &text)
{
    ASSERT_EQ(0, brood_send_bytes(connection.get(), text.data(), text.size(), kSoon))
        << LastWords();
}

/* ---- one thread ---- */

TEST(Wait, MarksAllThatAreReadyAndNoOthers)
{
    const auto [a, a2] = Pipe();
    const auto [b, b2] = Pipe();
    const auto [c, c2] = Pipe(BROOD_ONE_WAY);
    Items items = ItemsOf(a, b, c);
    Send(b2, "x");
    ASSERT_EQ(0, Wait(items)) << LastWords();
    EXPECT_EQ("-x-", Marks(items));
    Send(c2, "x");
    ASSERT_EQ(0, Wait(items)) << LastWords();
    EXPECT_EQ("-xx", Marks(items));
    EXPECT_EQ("x", ReceiveBytes(b, BROOD_NOWAIT));
    ASSERT_EQ(0, Wait(items, BROOD_NOWAIT)) << LastWords();
    EXPECT_EQ("--x", Marks(items));
    EXPECT_EQ("x", ReceiveBytes(c, BROOD_NOWAIT));
    EXPECT_EQ(BROOD_ETIMEDOUT, Wait(items, BROOD_NOWAIT));
    EXPECT_EQ(BROOD_ETIMEDOUT, Wait(items, 5));
    EXPECT_EQ("wait: nothing was ready in time", LastWords());
    EXPECT_EQ("---", Marks(items));
}

TEST(Wait, KnowsWhatWasReadAhead)
{
    const auto [a, b] = Pipe();
    const auto [c, d] = Pipe();
    for (const char *text : {"1", "2", "3"}) {
        Send(a, text);
    }
    Items items = ItemsOf(b, d);
    for (const char *text : {"1", "2", "3"}) {
        ASSERT_EQ(0, Wait(items, BROOD_FOREVER));
        EXPECT_EQ("x-", Marks(items));
        EXPECT_EQ(text, ReceiveBytes(b, BROOD_NOWAIT));
    }
    EXPECT_EQ(BROOD_ETIMEDOUT, Wait(items, BROOD_NOWAIT));
    Send(a, "4");
    Send(a, "5");
    Send(c, "6");
    EXPECT_EQ("4", ReceiveBytes(b));
    ASSERT_EQ(0, Wait(items, BROOD_FOREVER));
    EXPECT_EQ("xx", Marks(items)) << "one was read ahead, the other is in the stream";
}

TEST(Wait, IsReadyAtTheEndAndWhenThePeerIsGone)
{
    auto [a, b] = Pipe();
    auto [c, d] = Pipe();
    Items items = ItemsOf(b, d);
    ASSERT_EQ(0, inside_send_raw(c.get(), "\0\0\0\5ab", 6));
    c.reset();
    a.reset();
    ASSERT_EQ(0, Wait(items));
    ASSERT_EQ(0, Wait(items)) << "it is a state";
    EXPECT_EQ("xx", Marks(items));
    EXPECT_EQ("error: receive: the other end is closed", ReceiveBytes(b));
    EXPECT_EQ("error: receive: the other end went away in the middle of a message",
              ReceiveBytes(d));
    ASSERT_EQ(0, Wait(items));
    EXPECT_EQ("xx", Marks(items)) << "an end stays one";
}

TEST(Wait, DoesNotComeBackForAPartThatWasTakenAlready)
{
    const auto [a, b] = Pipe();
    Items items = ItemsOf(b);
    for (const char *part : {"\0", "\0", "\0", "\3", "a", "b"}) {
        ASSERT_EQ(0, inside_send_raw(a.get(), part, 1));
        ASSERT_EQ(0, Wait(items));
        EXPECT_EQ("error: receive: timed out", ReceiveBytes(b, BROOD_NOWAIT));
        EXPECT_EQ(BROOD_ETIMEDOUT, Wait(items, BROOD_NOWAIT));
        EXPECT_EQ(BROOD_ETIMEDOUT, brood_poll(b.get(), BROOD_NOWAIT));
    }
    ASSERT_EQ(0, inside_send_raw(a.get(), "c", 1));
    ASSERT_EQ(0, Wait(items));
    EXPECT_EQ("abc", ReceiveBytes(b, BROOD_NOWAIT));
}

TEST(Wait, TellsOfMessagesThatAreLargerThanWhatIsReadAhead)
{
    const auto [a, b] = Pipe();
    const Connection &from = a;
    const std::string text(3 << 20, 'x');
    Items items = ItemsOf(b);
    std::thread sender([&] {
        Send(from, text);
        Send(from, "next");
    });
    ASSERT_EQ(0, Wait(items));
    ASSERT_EQ(0, brood_poll(b.get(), kSoon));
    ASSERT_EQ(0, Wait(items)) << "the beginning was read ahead by now";
    EXPECT_TRUE(text == ReceiveBytes(b));
    ASSERT_EQ(0, Wait(items));
    EXPECT_EQ("next", ReceiveBytes(b));
    sender.join();
}

TEST(Wait, TellsOfAStreamThatMakesNoSense)
{
    const auto [a, b] = Pipe();
    const unsigned char negative[] = {255, 255, 255, 253};
    Items items = ItemsOf(b);
    ASSERT_EQ(0, inside_send_raw(a.get(), negative, sizeof negative));
    ASSERT_EQ(0, Wait(items));
    brood_message *raw = nullptr;
    EXPECT_EQ(BROOD_EDECODE, brood_recv_bytes(b.get(), &raw, 0, BROOD_NOWAIT));
    ASSERT_EQ(0, Wait(items, BROOD_NOWAIT));
    EXPECT_EQ(BROOD_EBROKEN, brood_recv_bytes(b.get(), &raw, 0, BROOD_NOWAIT));
}

TEST(Wait, SkipsNoneAndTakesTheSameObjectTwice)
{
    const auto [a, b] = Pipe();
    const auto [c, d] = Pipe();
    Items items = ItemsOf(b, d, b, d);
    items[0].object = brood_none();
    Send(a, "x");
    ASSERT_EQ(0, Wait(items));
    EXPECT_EQ("--x-", Marks(items));
    items[0].object = items[2].object;
    ASSERT_EQ(0, Wait(items));
    EXPECT_EQ("x-x-", Marks(items));
}

TEST(Wait, TimesOutWithNothingToWaitForButNotForEver)
{
    Items none = {brood_wait_item{brood_none(), true}, brood_wait_item{brood_none(), true}};
    EXPECT_EQ(BROOD_ETIMEDOUT, Wait(none, 2));
    EXPECT_EQ("--", Marks(none));
    EXPECT_EQ(BROOD_ETIMEDOUT, Wait(none, BROOD_NOWAIT));
    EXPECT_EQ(BROOD_ETIMEDOUT, brood_wait(nullptr, 0, 2));
    EXPECT_EQ(BROOD_EINVAL, Wait(none, BROOD_FOREVER));
    EXPECT_EQ("there is nothing to wait for: it would never end", LastWords());
    EXPECT_EQ(BROOD_EINVAL, brood_wait(nullptr, 0, BROOD_FOREVER));
}

TEST(Wait, RefusesWhatCannotBeWaitedFor)
{
    const auto [receives, sends] = Pipe(BROOD_ONE_WAY);
    Items items = ItemsOf(receives, sends);
    Send(sends, "x");
    EXPECT_EQ(BROOD_EINVAL, Wait(items));
    EXPECT_EQ("item 1: this end only sends", LastWords());
    EXPECT_EQ("--", Marks(items)) << "a failure marks none";
    items[1].object = brood_int(7);
    EXPECT_EQ(BROOD_ETYPE, Wait(items));
    EXPECT_EQ("item 1: a value of kind int is nothing to wait for", LastWords());
    EXPECT_EQ(BROOD_EINVAL, brood_wait(nullptr, 2, 0));
    EXPECT_EQ(BROOD_EINVAL, Wait(items, -5));
    brood_connection_close(receives.get());
    items[1].object = brood_none();
    EXPECT_EQ(BROOD_ECLOSED, Wait(items));
    EXPECT_EQ("item 0: the connection was closed here", LastWords());
}

TEST(Wait, WaitsForHundreds)
{
    constexpr size_t kCount = 150; /* Windows knows 64 */
    std::vector<std::pair<Connection, Connection>> pipes;
    Items items;
    for (size_t i = 0; i < kCount; i++) {
        pipes.push_back(Pipe(BROOD_ONE_WAY));
        ASSERT_TRUE(pipes.back().second) << LastWords();
        items.push_back({brood_of(pipes.back().first.get()), false});
    }
    EXPECT_EQ(BROOD_ETIMEDOUT, Wait(items, BROOD_NOWAIT));
    EXPECT_EQ(BROOD_ETIMEDOUT, Wait(items, 5));
    for (const size_t which :
         {size_t{0}, size_t{62}, size_t{63}, size_t{64}, size_t{126}, kCount - 1}) {
        std::thread sender([&] { Send(pipes[which].second, "x"); });
        ASSERT_EQ(0, Wait(items)) << LastWords();
        sender.join();
        for (size_t i = 0; i < kCount; i++) {
            EXPECT_EQ(i == which, items[i].ready) << i;
        }
        EXPECT_EQ("x", ReceiveBytes(pipes[which].first, BROOD_NOWAIT));
    }
    for (const auto &ends : pipes) {
        Send(ends.second, "y");
    }
    ASSERT_EQ(0, Wait(items));
    EXPECT_EQ(std::string(kCount, 'x'), Marks(items));
}

TEST(Wait, TakesThousandsOfItems)
{
    const auto [a, b] = Pipe();
    const auto [c, d] = Pipe();
    Items items;
    for (int i = 0; i < 5000; i++) {
        items.push_back({brood_of(i % 2 == 0 ? b.get() : d.get()), false});
    }
    EXPECT_EQ(BROOD_ETIMEDOUT, Wait(items, 1));
    Send(c, "x");
    ASSERT_EQ(0, Wait(items)) << LastWords();
    for (size_t i = 0; i < items.size(); i++) {
        ASSERT_EQ(i % 2 == 1, items[i].ready) << i;
    }
}

/* ---- several threads ---- */

TEST(Wait, EndsWhenAnotherThreadClosesWhatItWaitsFor)
{
    const auto [a, b] = Pipe();
    const auto [c, d] = Pipe();
    Items items = ItemsOf(b, d);
    std::atomic<bool> started{false};
    std::thread waiter([&] {
        started = true;
        EXPECT_EQ(BROOD_ECLOSED, Wait(items, BROOD_FOREVER));
        EXPECT_EQ("item 1: the connection was closed here", LastWords());
    });
    EXPECT_TRUE(WaitFor([&] { return started.load(); }));
    brood_connection_close(d.get());
    waiter.join();
    EXPECT_EQ(BROOD_EPEER, brood_send_bytes(c.get(), "x", 1, kSoon)) << "the stream is closed, too";
}

TEST(Wait, LetsSeveralThreadsWaitForTheSame)
{
    constexpr int kThreads = 4;
    const int count = static_cast<int>(Scaled(2000));
    const auto [a, b] = Pipe();
    const auto [c, d] = Pipe();
    const Connection *const ends[] = {&b, &d};
    std::atomic<int> received{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; t++) {
        threads.emplace_back([&] {
            for (;;) {
                Items items = {{brood_of(ends[0]->get()), false},
                               {brood_of(ends[1]->get()), false}};
                ASSERT_EQ(0, Wait(items, kSoon)) << LastWords();
                for (size_t i = 0; i < items.size(); i++) {
                    brood_message *raw = nullptr;
                    int rc = BROOD_ETIMEDOUT;
                    if (items[i].ready) {
                        rc = brood_recv_bytes(ends[i]->get(), &raw, 0, BROOD_NOWAIT);
                    }
                    if (rc == BROOD_EEND) {
                        return;
                    }
                    ASSERT_TRUE(rc == 0 || rc == BROOD_ETIMEDOUT) << LastWords();
                    received += rc == 0;
                    brood_message_free(raw);
                }
            }
        });
    }
    for (int i = 0; i < count; i++) {
        Send(i % 3 == 0 ? c : a, "message " + std::to_string(i));
    }
    EXPECT_TRUE(WaitFor([&] { return received.load() == count; }));
    brood_connection_close(a.get());
    brood_connection_close(c.get());
    for (std::thread &thread : threads) {
        thread.join();
    }
}

/* Until another thread is in a receive. */
void WaitForReader(const Connection &end)
{
    EXPECT_TRUE(WaitFor([&] {
        EXPECT_EQ(BROOD_ETIMEDOUT, brood_poll(end.get(), BROOD_NOWAIT));
        return LastWords() == "another thread uses the connection";
    }));
}

TEST(Wait, IsToldWhatAnotherThreadReadAheadAndLeft)
{
    const auto [a, b] = Pipe();
    const Connection &end = b;
    for (long i = 0; i < Scaled(500); i++) {
        std::thread reader([&] { EXPECT_EQ("1", ReceiveBytes(end)); });
        WaitForReader(end);
        std::thread waiter([&] {
            Items items = ItemsOf(end);
            EXPECT_EQ(0, Wait(items)) << LastWords();
            EXPECT_EQ("2", ReceiveBytes(end, BROOD_NOWAIT)) << "the first is for the reader";
        });
        ASSERT_EQ(0, inside_send_raw(a.get(), "\0\0\0\0011\0\0\0\0012", 10));
        reader.join();
        waiter.join();
    }
}

TEST(Wait, GoesOnWhereAnotherThreadGaveUpReceiving)
{
    const auto [a, b] = Pipe();
    const Connection &end = b;
    std::thread reader([&] { EXPECT_EQ("error: receive: timed out", ReceiveBytes(end, 150)); });
    WaitForReader(end);
    std::thread waiter([&] {
        Items items = ItemsOf(end);
        EXPECT_EQ(0, Wait(items)) << LastWords();
        EXPECT_EQ("x", ReceiveBytes(end, BROOD_NOWAIT));
    });
    reader.join();
    Send(a, "x");
    waiter.join();
}

TEST(Wait, IsHarmlessWhenAThreadThatLookedHasEnded)
{
    const auto [a, b] = Pipe();
    Items items = ItemsOf(b);
    std::thread([&] { EXPECT_EQ(BROOD_ETIMEDOUT, Wait(items, 1)); }).join();
    EXPECT_EQ(BROOD_ETIMEDOUT, Wait(items, 1));
    std::thread([&] { EXPECT_EQ(BROOD_ETIMEDOUT, Wait(items, BROOD_NOWAIT)); }).join();
    EXPECT_EQ(BROOD_ETIMEDOUT, Wait(items, BROOD_NOWAIT));
    Send(a, "x");
    EXPECT_EQ(0, Wait(items));
}

/* ---- when something fails ---- */

TEST(Wait, FailsCleanlyWhenAnyStepFails)
{
    const auto [a, b] = Pipe();
    const auto [c, d] = Pipe();
    const Connection &from = a;
    const Connection &to = b;
    Items few = ItemsOf(d, b);
    Items many(100, few[0]);
    many[70] = few[1];
    for (Items *items : {&few, &many}) {
        ForEachFault([&] {
            const int rc = Wait(*items, 1);
            EXPECT_EQ(brood_fault_fired(), rc != BROOD_ETIMEDOUT) << LastWords();
            EXPECT_NE(0, rc);
        });
        Send(from, "x");
        ForEachFault([&] {
            const int rc = Wait(*items);
            EXPECT_EQ(brood_fault_fired(), rc != 0) << LastWords();
            EXPECT_EQ(rc == 0, items->at(items == &few ? 1 : 70).ready);
        });
        EXPECT_EQ("x", ReceiveBytes(to));
    }
}

/* What ends a thread's waits is made at its first. */
TEST(Wait, FailsCleanlyWhenAThreadsFirstWaitFails)
{
    const auto [a, b] = Pipe();
    bool fired = true;
    for (long i = 0; fired; i++) {
        std::thread([&, &end = b] {
            Items items = ItemsOf(end);
            brood_fault_arm(i, BROOD_FAULT_ONCE);
            const int rc = Wait(items, 1);
            fired = brood_fault_fired();
            EXPECT_EQ(fired, rc != BROOD_ETIMEDOUT) << LastWords();
            EXPECT_NE(0, rc);
            brood_fault_arm(0, BROOD_FAULT_OFF);
            EXPECT_EQ(BROOD_ETIMEDOUT, Wait(items, 1)) << "and goes well the next time";
        }).join();
    }
}

/* ---- processes ---- */

int WaitForEnd(brood_call *call)
{
    brood_connection *connection = nullptr;
    brood_message *message = nullptr;
    const int rc = BROOD_UNPACK(call, &connection);
    return rc ? rc : brood_recv(connection, &message, BROOD_FOREVER) == BROOD_EEND ? 7 : 1;
}

TEST(Wait, IsReadyWhenAProcessHasEnded)
{
    auto [mine, theirs] = Pipe();
    auto [first, second] = Pipe();
    const Process child = Start(WaitForEnd, BROOD_ARGS(BROOD_GIVE(theirs.get())));
    ASSERT_TRUE(child) << LastWords();
    Items items = ItemsOf(child, first);
    EXPECT_EQ(BROOD_ETIMEDOUT, Wait(items, BROOD_NOWAIT));
    EXPECT_EQ(BROOD_ETIMEDOUT, Wait(items, 50));
    Send(second, "x");
    ASSERT_EQ(0, Wait(items));
    EXPECT_EQ("-x", Marks(items));
    EXPECT_EQ("x", ReceiveBytes(first));
    mine.reset();
    ASSERT_EQ(0, Wait(items)) << LastWords();
    EXPECT_EQ("x-", Marks(items));
    ASSERT_EQ(0, Wait(items, BROOD_NOWAIT)) << "it stays ready, collected or not";
    int code = -1;
    EXPECT_EQ(0, brood_process_exitcode(child.get(), &code)) << "it has ended for certain";
    EXPECT_EQ(7, code);
    ASSERT_EQ(0, Wait(items, BROOD_NOWAIT));
    EXPECT_EQ("x-", Marks(items));
}

TEST(Wait, TellsWhichOfManyProcessesWereKilled)
{
    std::vector<std::pair<Connection, Process>> children;
    Items items;
    for (int i = 0; i < 10; i++) {
        auto [mine, theirs] = Pipe();
        Process child = Start(WaitForEnd, BROOD_ARGS(BROOD_GIVE(theirs.get())));
        ASSERT_TRUE(child) << LastWords();
        items.push_back({brood_of(child.get()), false});
        children.emplace_back(std::move(mine), std::move(child));
    }
    for (const size_t which : {3, 9, 0}) {
        ASSERT_EQ(0, brood_process_kill(children[which].second.get()));
        ASSERT_EQ(0, Wait(items)) << LastWords();
        for (size_t i = 0; i < items.size(); i++) {
            EXPECT_EQ(i == which, items[i].ready) << i;
        }
        items[which].object = brood_none();
    }
    for (auto &[connection, child] : children) {
        connection.reset();
        EXPECT_EQ(0, brood_process_join(child.get(), kSoon));
    }
}

/* A child waits for its parent to end, which it does not, beside a message, which comes. */
int WaitForParentOrMessage(brood_call *call)
{
    brood_connection *connection = nullptr;
    int rc = BROOD_UNPACK(call, &connection);
    if (rc != 0) {
        return rc;
    }
    brood_wait_item items[] = {{brood_of(brood_parent_process()), false},
                               {brood_of(connection), false}};
    rc = brood_wait(items, 2, kSoon);
    return rc != 0 ? rc : (items[0].ready ? 1 : 0) + (items[1].ready ? 2 : 0);
}

TEST(Wait, TakesTheParentProcess)
{
    auto [mine, theirs] = Pipe();
    const Process child = Start(WaitForParentOrMessage, BROOD_ARGS(BROOD_GIVE(theirs.get())));
    ASSERT_TRUE(child) << LastWords();
    Send(mine, "x");
    EXPECT_EQ(BROOD_ETASK, Result(child)) << LastWords();
    int code = -1;
    EXPECT_EQ(0, brood_process_exitcode(child.get(), &code));
    EXPECT_EQ(2, code);
}

TEST(Wait, DoesNotWaitForItself)
{
    brood_wait_item item = {brood_of(brood_current_process()), false};
    EXPECT_EQ(BROOD_EDEADLK, brood_wait(&item, 1, BROOD_FOREVER));
    brood_handle handle = BROOD_NO_HANDLE;
    EXPECT_EQ(BROOD_ENOTSUP, brood_waitable_handle(item.object, &handle));
}

TEST(WaitableHandle, IsThereOrNotWhenAnyStepFails)
{
    const auto [a, b] = Pipe();
    const Process child = Start([](brood_call *) { return 0; });
    for (const brood_value object : {brood_of(b.get()), brood_of(child.get())}) {
        ForEachFault([object] {
            brood_handle handle = BROOD_NO_HANDLE;
            const int rc = brood_waitable_handle(object, &handle);
            EXPECT_EQ(rc == 0, handle != BROOD_NO_HANDLE);
            EXPECT_EQ(brood_fault_fired(), rc != 0) << LastWords();
        });
    }
    EXPECT_EQ(0, Result(child)) << LastWords();
    Send(a, "x");
    EXPECT_EQ("x", ReceiveBytes(b));
}

TEST(WaitableHandle, RefusesWhatHasNone)
{
    const auto [receives, sends] = Pipe(BROOD_ONE_WAY);
    brood_handle handle = BROOD_NO_HANDLE;
    EXPECT_EQ(BROOD_EINVAL, brood_waitable_handle(brood_of(sends.get()), &handle));
    EXPECT_EQ(BROOD_ETYPE, brood_waitable_handle(brood_none(), &handle));
    EXPECT_EQ(BROOD_EINVAL, brood_waitable_handle(brood_of(receives.get()), nullptr));
    EXPECT_EQ(0, brood_waitable_handle(brood_handle_value(5), &handle));
    EXPECT_EQ(5, handle);
    brood_connection_close(receives.get());
    EXPECT_EQ(BROOD_ECLOSED, brood_waitable_handle(brood_of(receives.get()), &handle));
}

} // namespace

/* Handles and objects that children get, send, return, and take with them when they are killed. */
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "fault.h"
#include "support/fault.h"
#include "support/insides.h"
#include "support/native.h"
#include "support/objects.h"
#include "support/process_list.h"
#include "support/receive.h"
#include "support/stop_file.h"
#include "support/values.h"

namespace {

int Nothing(brood_call *)
{
    return 0;
}

int WaitForEnd(brood_call *call)
{
    brood_connection *connection = nullptr;
    const int rc = BROOD_UNPACK(call, &connection);
    return rc ? rc : brood_poll(connection, BROOD_FOREVER);
}

/* ---- with children ---- */

/* Answers each handle or connection that it is sent by writing to it. */
int Answer(brood_call *call)
{
    brood_connection *connection = nullptr;
    int rc = BROOD_UNPACK(call, &connection);
    while (rc == 0) {
        brood_message *message = nullptr;
        brood_value value = brood_none();
        rc = brood_recv(connection, &message, BROOD_FOREVER);
        value = brood_message_value(message);
        brood_connection *other = nullptr;
        if (rc == 0 && brood_value_kind(value) == BROOD_HANDLE) {
            rc = NativeWrite(brood_as_handle(value), "answer") ? 0 : 1;
        } else if (rc == 0 && BROOD_UNPACK(&value, &other) == 0) {
            rc = brood_send(other, BROOD_LIST("answer", brood_current_process()), kSoon);
        }
        brood_message_free(message);
    }
    return rc == BROOD_EEND ? 0 : rc;
}

TEST(ObjectsToChild, AreUsedThere)
{
    auto [mine, theirs] = Pipe();
    const Process child = Start(Answer, BROOD_ARGS(BROOD_GIVE(theirs.get())));
    ASSERT_TRUE(child) << LastWords();
    for (int i = 0; i < 20; i++) {
        NativePipe pipe;
        auto [near, far] = Pipe();
        ASSERT_EQ(0,
                  brood_send(mine.get(), BROOD_GIVE(brood_handle_value(pipe.in.Release())), kSoon))
            << LastWords();
        EXPECT_EQ("answer", NativeRead(pipe.out.get()));
        EXPECT_TRUE(Ended(pipe));
        ASSERT_EQ(0, brood_send(mine.get(), BROOD_GIVE(far.get()), kSoon)) << LastWords();
        const Message answer = Receive(near);
        const char *text = nullptr;
        brood_process *sender = nullptr;
        ASSERT_EQ(0, BROOD_UNPACK(answer.get(), &text, &sender)) << LastWords();
        EXPECT_EQ(child.get(), sender);
        EXPECT_EQ(BROOD_EEND, ReceiveError(near));
    }
    mine.reset();
    EXPECT_EQ(0, Result(child)) << LastWords();
}

/* Makes a pipe, sends one end, and ends at once: what is under way has to arrive. */
int SendAndEnd(brood_call *call)
{
    brood_connection *connection = nullptr;
    brood_connection *first = nullptr;
    brood_connection *second = nullptr;
    int rc = BROOD_UNPACK(call, &connection);
    rc = rc ? rc : brood_pipe(&first, &second, BROOD_DUPLEX);
    rc = rc ? rc : brood_send(first, brood_str("from the dead"), kSoon);
    rc = rc ? rc : brood_send(connection, BROOD_GIVE(second), kSoon);
    brood_connection_free(first);
    brood_connection_free(second);
    return rc;
}

TEST(ObjectsToParent, ArriveFromAChildThatEnds)
{
    auto [mine, theirs] = Pipe();
    const Process child = Start(SendAndEnd, BROOD_ARGS(BROOD_GIVE(theirs.get())));
    ASSERT_TRUE(child) << LastWords();
    const Message message = Receive(mine);
    ASSERT_TRUE(message) << LastWords();
    brood_connection *received = nullptr;
    ASSERT_EQ(0, BROOD_UNPACK(message.get(), &received)) << LastWords();
    const Connection kept(brood_connection_ref(received));
    EXPECT_EQ(0, Result(child)) << LastWords();
    EXPECT_EQ("'from the dead'", Shown(Receive(kept)));
    EXPECT_EQ(BROOD_EEND, ReceiveError(kept));
}

int ReturnAConnection(brood_call *call)
{
    brood_connection *connection = nullptr;
    const int rc = BROOD_UNPACK(call, &connection);
    return rc ? rc : brood_return(call, brood_of(connection));
}

int ReturnAFunction(brood_call *call)
{
    return brood_return(call, BROOD_LIST("run", Nothing));
}

TEST(ObjectsInResults, AreFunctionsOnly)
{
    const auto [a, b] = Pipe();
    Message result;
    ASSERT_EQ(0, Result(Start(ReturnAFunction), &result)) << LastWords();
    const char *text = nullptr;
    brood_function function = nullptr;
    ASSERT_EQ(0, BROOD_UNPACK(result.get(), &text, &function)) << LastWords();
    EXPECT_EQ(Nothing, function);
    EXPECT_EQ(BROOD_ETYPE, Result(Start(ReturnAConnection, BROOD_ARGS(a.get()))));
    EXPECT_NE(std::string::npos, LastWords().find("a connection cannot be a result"))
        << LastWords();
}

/* ---- in start arguments ---- */

int TakeAll(brood_call *call)
{
    brood_value handle = brood_none();
    brood_value again = brood_none();
    brood_connection *connection = nullptr;
    brood_process *process = nullptr;
    brood_function function = nullptr;
    brood_value nested = brood_none();
    int rc = BROOD_UNPACK(call, &handle, &again, &connection, &process, &function, &nested);
    if (rc) {
        return rc;
    }
    const brood_value inner = brood_value_get(nested, "handle");
    const brood_value parent = brood_value_get(nested, "parent");
    brood_process *me = nullptr;
    rc = BROOD_UNPACK(&parent, &me);
    const bool same = brood_value_equal(handle, again) && brood_value_equal(handle, inner);
    const bool told = NativeWrite(brood_as_handle(handle), same ? "the same" : "others");
    return rc ? rc
              : brood_send(connection,
                           BROOD_LIST(brood_bool(told), brood_process_pid(process),
                                      brood_process_pid(me), brood_bool(function == TakeAll),
                                      brood_bool(brood_process_is_alive(me))),
                           kSoon);
}

TEST(ObjectsInArguments, TravelNestedAndKeepTheirIdentity)
{
    auto [mine, theirs] = Pipe();
    const auto [near, far] = Pipe();
    const Process other = Start(WaitForEnd, BROOD_ARGS(BROOD_GIVE(far.get())));
    NativePipe pipe;
    const brood_handle in = pipe.in.Release();
    const brood_value handle = brood_handle_value(in);
    ASSERT_TRUE(other) << LastWords();
    const Process child =
        Start(TakeAll,
              BROOD_ARGS(BROOD_GIVE(handle), handle, BROOD_GIVE(theirs.get()), other.get(), TakeAll,
                         BROOD_DICT("handle", handle, "parent", brood_current_process())));
    ASSERT_TRUE(child) << LastWords();
    EXPECT_FALSE(NativeIsOpen(in));
    EXPECT_EQ("[True, " + std::to_string(brood_process_pid(other.get())) + ", " +
                  std::to_string(inside_pid()) + ", True, True]",
              Shown(Receive(mine)));
    EXPECT_EQ(0, Result(child)) << LastWords();
    EXPECT_EQ("the same", NativeRead(pipe.out.get()));
    EXPECT_TRUE(Ended(pipe));
    brood_connection_close(near.get());
    EXPECT_EQ(0, Result(other));
}

TEST(ObjectsInArguments, StayHereWhenTheStartFails)
{
    auto [mine, theirs] = Pipe();
    NativePipe pipe;
    brood_process *raw = nullptr;
    EXPECT_EQ(BROOD_EINVAL,
              brood_process_start(&raw, Nothing,
                                  BROOD_ARGS(BROOD_GIVE(brood_handle_value(pipe.in.get())),
                                             BROOD_GIVE(theirs.get()), brood_bytes(nullptr, 5)),
                                  nullptr));
    EXPECT_TRUE(NativeIsOpen(pipe.in.get()));
    EXPECT_FALSE(brood_connection_closed(theirs.get()));
    NativePipe closed;
    const brood_handle gone = closed.in.get();
    closed.in.Close();
    EXPECT_EQ(BROOD_EINVAL,
              brood_process_start(&raw, Nothing, BROOD_ARGS(brood_handle_value(gone)), nullptr));
    EXPECT_NE(std::string::npos, LastWords().find("is not open")) << LastWords();
}

TEST(ObjectsInArguments, LeaveNothingBehindWhenAnyStepFails)
{
    auto [mine, theirs] = Pipe();
    const Process other = Start(Nothing);
    NativePipe pipe;
    ForEachFault([&, connection = theirs.get()] {
        brood_process *raw = nullptr;
        const int rc = brood_process_start(
            &raw, Nothing, BROOD_ARGS(brood_handle_value(pipe.in.get()), connection, other.get()),
            nullptr);
        EXPECT_EQ(rc != 0, raw == nullptr);
        brood_fault_pause(true);
        if (rc == 0) {
            const Process child(raw);
            (void)Result(child);
        }
        brood_fault_pause(false);
    });
    pipe.in.Close();
    EXPECT_TRUE(Ended(pipe));
    EXPECT_EQ(0, Result(other));
}

/* ---- when a participant is killed ---- */

int SendHandlesForEver(brood_call *call)
{
    brood_connection *connection = nullptr;
    int rc = BROOD_UNPACK(call, &connection);
    while (rc == 0) {
        brood_connection *first = nullptr;
        brood_connection *second = nullptr;
        rc = brood_pipe(&first, &second, BROOD_DUPLEX);
        rc = rc ? rc : brood_send(connection, BROOD_LIST("here", first, second), BROOD_FOREVER);
        brood_connection_free(first);
        brood_connection_free(second);
    }
    return rc;
}

TEST(KilledSender, LeavesNoHalfMessage)
{
    for (int i = 0; i < 5; i++) {
        auto [mine, theirs] = Pipe();
        const Process child = Start(SendHandlesForEver, BROOD_ARGS(BROOD_GIVE(theirs.get())));
        ASSERT_TRUE(child) << LastWords();
        for (int k = 0; k <= i; k++) {
            EXPECT_EQ("['here', <connection>, <connection>]", Shown(Receive(mine))) << LastWords();
        }
        brood_process_kill(child.get());
        EXPECT_EQ(BROOD_EWORKER, Result(child));
        int rc = 0;
        /* What it had sent whole is still there, but on Windows the handles went with it. */
        while (rc == 0 || brood_last_error()->error == BROOD_EPEER) {
            rc = ReceiveError(mine);
            if (rc == BROOD_EEND || (rc == BROOD_EPEER && ReceiveError(mine, 0) == rc)) {
                break;
            }
        }
        EXPECT_TRUE(rc == BROOD_EEND || rc == BROOD_EPEER) << LastWords();
    }
}

TEST(KilledSender, IsNoticedBetweenAnnouncementAndHandles)
{
    const StopFile stop("send-announced");
    auto [mine, theirs] = Pipe();
    SetEnvironment("BROOD_TEST_STOP", stop.Setting());
    const Process child = Start(SendHandlesForEver, BROOD_ARGS(BROOD_GIVE(theirs.get())));
    SetEnvironment("BROOD_TEST_STOP", "");
    ASSERT_TRUE(child) << LastWords();
    ASSERT_EQ(brood_process_pid(child.get()), stop.Pid());
    EXPECT_EQ(BROOD_ETIMEDOUT, ReceiveError(mine, 0));
    brood_process_kill(child.get());
    EXPECT_EQ(BROOD_EPEER, ReceiveError(mine)) << LastWords();
    EXPECT_EQ(BROOD_EWORKER, Result(child));
}

TEST(KilledReceiver, LetsGoOfWhatItDidNotTake)
{
    const StopFile stop("recv-group");
    auto [mine, theirs] = Pipe();
    SetEnvironment("BROOD_TEST_STOP", stop.Setting());
    const Process child = Start(Answer, BROOD_ARGS(BROOD_GIVE(theirs.get())));
    SetEnvironment("BROOD_TEST_STOP", "");
    ASSERT_TRUE(child) << LastWords();
    NativePipe pipe;
    ASSERT_EQ(0, brood_send(mine.get(), BROOD_GIVE(brood_handle_value(pipe.in.Release())), kSoon));
    ASSERT_EQ(brood_process_pid(child.get()), stop.Pid());
    brood_process_kill(child.get());
    EXPECT_EQ(BROOD_EWORKER, Result(child));
    EXPECT_NE(0, ReceiveError(mine));
    mine.reset();
    EXPECT_TRUE(Ended(pipe));
}

} // namespace

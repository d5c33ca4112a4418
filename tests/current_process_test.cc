/* Who a process is, who its parent is, and processes that are nobody's children here. */
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "fault.h"
#include "support/fault.h"
#include "support/insides.h"
#include "support/objects.h"
#include "support/process_list.h"

namespace {

int Nothing(brood_call *)
{
    return 0;
}

int Linger(brood_call *call)
{
    brood_connection *connection = nullptr;
    const int rc = BROOD_UNPACK(call, &connection);
    return rc ? rc : brood_poll(connection, BROOD_FOREVER);
}

/* ---- this process ---- */

int DescribeMyself(brood_call *call)
{
    brood_process *me = brood_current_process();
    const brood_value items[] = {brood_str(brood_process_name(me)),
                                 brood_bool(brood_process_pid(me) == inside_pid()),
                                 brood_bool(brood_process_is_alive(me))};
    return brood_return(call, brood_tuple(items, 3));
}

TEST(CurrentProcess, IsTheMainProcessInTheFirstOne)
{
    brood_process *me = brood_current_process();
    int exitcode = 0;
    EXPECT_STREQ("MainProcess", brood_process_name(me));
    EXPECT_EQ(inside_pid(), brood_process_pid(me));
    EXPECT_TRUE(brood_process_is_alive(me));
    EXPECT_EQ(BROOD_ERUNNING, brood_process_exitcode(me, &exitcode));
    EXPECT_EQ(nullptr, brood_process_failure(me));
    EXPECT_EQ(BROOD_NO_HANDLE, brood_process_sentinel(me));
}

TEST(CurrentProcess, HasInAChildTheNameThatItsParentGave)
{
    brood_process_options options = BROOD_OPTIONS_INIT(process);
    options.name = "worker \xc3\xa9";
    const Process child = Start(DescribeMyself, nullptr, &options);
    Message answer;
    const char *name = "";
    bool same = false;
    bool alive = false;
    ASSERT_EQ(0, Result(child, &answer)) << LastWords();
    ASSERT_EQ(0, BROOD_UNPACK(answer.get(), &name, &same, &alive));
    EXPECT_STREQ("worker \xc3\xa9", name);
    EXPECT_TRUE(same);
    EXPECT_TRUE(alive);
}

TEST(CurrentProcess, CannotWaitForItsOwnEnd)
{
    brood_message *raw = nullptr;
    for (const int64_t timeout_ms : {BROOD_NOWAIT, BROOD_FOREVER}) {
        EXPECT_EQ(BROOD_EDEADLK, brood_process_join(brood_current_process(), timeout_ms));
    }
    EXPECT_EQ("MainProcess would wait for its own end", LastWords());
    EXPECT_EQ(BROOD_EINVAL, brood_process_result(brood_current_process(), &raw, 0));
    EXPECT_EQ(BROOD_EINVAL, brood_process_kill(brood_current_process()));
    EXPECT_EQ(BROOD_EINVAL, brood_process_terminate(brood_current_process()));
}

/* ---- names ---- */

std::string NameAfter(const std::string &name, int n)
{
    return name + ":" + std::to_string(n);
}

/* Starts two children of its own and returns all three names. */
int TellNames(brood_call *call)
{
    const Process first = Start(DescribeMyself);
    brood_process_options options = BROOD_OPTIONS_INIT(process);
    options.name = "named";
    const Process named = Start(DescribeMyself, nullptr, &options);
    const Process third = Start(DescribeMyself);
    const brood_value names[] = {brood_str(brood_process_name(brood_current_process())),
                                 brood_str(brood_process_name(first.get())),
                                 brood_str(brood_process_name(named.get())),
                                 brood_str(brood_process_name(third.get()))};
    const int rc = brood_return(call, brood_tuple(names, 4));
    for (const Process *child : {&first, &named, &third}) {
        if (Result(*child)) {
            return brood_last_error()->error;
        }
    }
    return rc;
}

TEST(ProcessName, TellsWhoseChildItIs)
{
    const Process child = Start(TellNames);
    const std::string name = brood_process_name(child.get());
    EXPECT_EQ(0u, name.find("Process-")) << name;
    Message answer;
    const char *names[4] = {};
    ASSERT_EQ(0, Result(child, &answer)) << LastWords();
    ASSERT_EQ(0, BROOD_UNPACK(answer.get(), &names[0], &names[1], &names[2], &names[3]));
    EXPECT_EQ(name, names[0]);
    EXPECT_EQ(NameAfter(name, 1), names[1]);
    EXPECT_STREQ("named", names[2]);
    EXPECT_EQ(NameAfter(name, 3), names[3]) << "a name of its own uses up a number";
}

TEST(ProcessName, CountsOnFromTheParentsNumberEvenIfThatHasANameOfItsOwn)
{
    const Process before = Start(Nothing);
    brood_process_options options = BROOD_OPTIONS_INIT(process);
    options.name = "boss";
    const Process child = Start(TellNames, nullptr, &options);
    const std::string last = brood_process_name(before.get());
    const int number = std::stoi(last.substr(last.find('-') + 1)) + 1;
    Message answer;
    const char *names[4] = {};
    ASSERT_EQ(0, Result(child, &answer)) << LastWords();
    ASSERT_EQ(0, BROOD_UNPACK(answer.get(), &names[0], &names[1], &names[2], &names[3]));
    EXPECT_STREQ("boss", names[0]);
    EXPECT_EQ(NameAfter("Process-" + std::to_string(number), 1), names[1]);
    EXPECT_EQ(0, Result(before)) << LastWords();
}

/* ---- the parent ---- */

int DescribeParent(brood_call *call)
{
    brood_process *parent = brood_parent_process();
    brood_message *raw = nullptr;
    int exitcode = 0;
    const brood_value items[] = {
        brood_str(brood_process_name(parent)),
        brood_int(brood_process_pid(parent)),
        brood_bool(brood_process_is_alive(parent)),
        brood_bool(parent == brood_parent_process()),
        brood_bool(brood_process_sentinel(parent) != BROOD_NO_HANDLE),
        brood_int(brood_process_join(parent, 0)),
        brood_int(brood_process_join(parent, 1)),
        brood_int(brood_process_exitcode(parent, &exitcode)),
        brood_int(brood_process_result(parent, &raw, 0)),
    };
    return brood_return(call, brood_tuple(items, sizeof items / sizeof items[0]));
}

TEST(ParentProcess, IsNoneInTheFirstOne)
{
    EXPECT_EQ(nullptr, brood_parent_process());
}

TEST(ParentProcess, IsTheOneThatStartedUs)
{
    const Process child = Start(DescribeParent);
    Message answer;
    ASSERT_EQ(0, Result(child, &answer)) << LastWords();
    const char *name = "";
    int64_t pid = 0;
    bool alive = false;
    bool same = false;
    bool sentinel = false;
    int codes[4] = {};
    ASSERT_EQ(0, BROOD_UNPACK(answer.get(), &name, &pid, &alive, &same, &sentinel, &codes[0],
                              &codes[1], &codes[2], &codes[3]));
    EXPECT_STREQ("MainProcess", name);
    EXPECT_EQ(inside_pid(), pid);
    EXPECT_TRUE(alive);
    EXPECT_TRUE(same);
    EXPECT_TRUE(sentinel);
    EXPECT_EQ(BROOD_ETIMEDOUT, codes[0]);
    EXPECT_EQ(BROOD_ETIMEDOUT, codes[1]);
    EXPECT_EQ(BROOD_ERUNNING, codes[2]);
    EXPECT_EQ(BROOD_EINVAL, codes[3]);
}

/* ---- foreign processes ---- */

/* Starts a child that lingers until it is killed, tells its pid, and lingers itself. */
int HaveAChild(brood_call *call)
{
    brood_connection *connection = nullptr;
    const int rc = BROOD_UNPACK(call, &connection);
    auto [mine, theirs] = Pipe();
    const Process child = Start(Linger, BROOD_ARGS(BROOD_GIVE(theirs.get())));
    if (rc || !child) {
        return brood_last_error()->error;
    }
    const int sent = brood_send(connection, brood_int(brood_process_pid(child.get())), kSoon);
    return sent ? sent : brood_process_join(child.get(), BROOD_FOREVER);
}

/* A grandchild of ours, which is not our child, as an outsider sees it: by its number. */
struct Grandchild {
    Grandchild()
    {
        auto [mine, theirs] = Pipe();
        parent = Start(HaveAChild, BROOD_ARGS(BROOD_GIVE(theirs.get())));
        brood_message *raw = nullptr;
        if (parent && brood_recv(mine.get(), &raw, kSoon) == 0) {
            pid = brood_as_int(brood_message_value(raw), 0);
        }
        brood_message_free(raw);
    }
    Process parent;
    int64_t pid = 0;
};

Process Foreign(int64_t pid, bool with_handle)
{
    brood_process *raw = nullptr;
    return Process(inside_foreign(&raw, pid, "stranger", with_handle) == 0 ? raw : nullptr);
}

TEST(ForeignProcess, IsSeenToLiveAndToEnd)
{
    for (const bool with_handle : {false, true}) {
        const Grandchild grandchild;
        ASSERT_NE(0, grandchild.pid) << LastWords();
        const Process stranger = Foreign(grandchild.pid, with_handle);
        ASSERT_TRUE(stranger) << LastWords();
        EXPECT_EQ(grandchild.pid, brood_process_pid(stranger.get()));
        EXPECT_STREQ("stranger", brood_process_name(stranger.get()));
        EXPECT_TRUE(brood_process_is_alive(stranger.get()));
        EXPECT_EQ(BROOD_ETIMEDOUT, brood_process_join(stranger.get(), 1));
        ASSERT_EQ(0, brood_process_kill(stranger.get())) << LastWords();
        ASSERT_EQ(0, brood_process_join(stranger.get(), kSoon)) << LastWords();
        EXPECT_FALSE(brood_process_is_alive(stranger.get()));
        EXPECT_EQ(0, brood_process_kill(stranger.get())) << "has ended already";
        int exitcode = 0;
        EXPECT_EQ(0, brood_process_exitcode(stranger.get(), &exitcode));
#if defined(_WIN32)
        EXPECT_EQ(-9, exitcode);
#else
        EXPECT_EQ(255, exitcode);
        ASSERT_NE(nullptr, brood_process_failure(stranger.get()));
        EXPECT_NE(std::string::npos, std::string(brood_process_failure(stranger.get())->message)
                                         .find("status unknown: only its parent is told"));
#endif
        EXPECT_EQ(0, Result(grandchild.parent)) << LastWords();
    }
}

TEST(ForeignProcess, IsToldOfToAThirdOne)
{
    const Grandchild grandchild;
    ASSERT_NE(0, grandchild.pid) << LastWords();
    const Process stranger = Foreign(grandchild.pid, true);
    brood_process *raw = nullptr;
    ASSERT_TRUE(stranger) << LastWords();
    ASSERT_EQ(0, inside_retell(&raw, stranger.get())) << LastWords();
    const Process retold(raw);
    EXPECT_TRUE(brood_process_is_alive(retold.get()));
    EXPECT_EQ(0, brood_process_kill(grandchild.parent.get()));
    EXPECT_EQ(0, brood_process_join(retold.get(), kSoon)) << "it ends with its parent";
    EXPECT_EQ(0, brood_process_join(grandchild.parent.get(), kSoon));
    ASSERT_EQ(0, inside_retell(&raw, retold.get())) << LastWords();
    EXPECT_FALSE(brood_process_is_alive(Process(raw).get())) << "also when it has ended";
}

TEST(ForeignProcess, IsNotTakenForALaterOneOfTheSameNumber)
{
    const Grandchild grandchild;
    ASSERT_NE(0, grandchild.pid) << LastWords();
    brood_process *raw = nullptr;
    ASSERT_EQ(0, inside_earlier(&raw, grandchild.pid)) << LastWords();
    const Process earlier(raw);
    EXPECT_FALSE(brood_process_is_alive(earlier.get()));
    EXPECT_EQ(0, brood_process_kill(earlier.get()));
    EXPECT_TRUE(IsAlive(grandchild.pid)) << "it was another one that ended";
    EXPECT_EQ(0, brood_process_kill(grandchild.parent.get()));
    EXPECT_EQ(0, brood_process_join(grandchild.parent.get(), kSoon));
}

TEST(ForeignProcess, IsRefusedWhenItIsNone)
{
    brood_process *raw = nullptr;
    auto [mine, theirs] = Pipe();
    for (const int64_t pid : {int64_t{0}, int64_t{-1}, int64_t{1} << 40}) {
        EXPECT_EQ(BROOD_EHANDLE, inside_foreign(&raw, pid, "x", false)) << pid;
    }
    const int rc = inside_foreign_handle(&raw, 1, brood_connection_handle(mine.get()));
    if (rc == 0) { /* Unix without process descriptors: the handle is of no use and was closed */
        brood_process_free(raw);
        GTEST_SKIP() << "no process descriptors";
    }
    EXPECT_EQ(BROOD_EHANDLE, rc) << "a handle that is something else";
}

TEST(ForeignProcess, ThatIsOursIsTheObjectWeHave)
{
    auto [mine, theirs] = Pipe();
    const Process child = Start(Linger, BROOD_ARGS(BROOD_GIVE(theirs.get())));
    brood_process *raw = nullptr;
    ASSERT_TRUE(child) << LastWords();
    ASSERT_EQ(0, inside_retell(&raw, child.get())) << LastWords();
    EXPECT_EQ(child.get(), raw);
    brood_process_free(raw);
    ASSERT_EQ(0, inside_retell(&raw, brood_current_process())) << LastWords();
    EXPECT_EQ(brood_current_process(), raw);
    brood_process_free(raw);
    mine.reset();
    EXPECT_EQ(0, Result(child)) << LastWords();
    ASSERT_EQ(0, inside_retell(&raw, child.get())) << LastWords();
    EXPECT_FALSE(brood_process_is_alive(Process(raw).get())) << "ended, so its number is free";
}

TEST(ForeignProcess, LeavesNothingBehindWhenAnyStepFails)
{
    const Grandchild grandchild;
    ASSERT_NE(0, grandchild.pid) << LastWords();
    const Process stranger = Foreign(grandchild.pid, true);
    ASSERT_TRUE(stranger) << LastWords();
    ForEachFault([&] {
        brood_process *raw = nullptr;
        const int rc = inside_retell(&raw, stranger.get());
        EXPECT_EQ(rc == 0, raw != nullptr);
        EXPECT_TRUE(rc == 0 || brood_fault_fired());
        brood_process_free(raw);
    });
    EXPECT_EQ(0, brood_process_kill(grandchild.parent.get()));
    EXPECT_EQ(0, brood_process_join(grandchild.parent.get(), kSoon));
}

} // namespace

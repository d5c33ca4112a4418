/* What a process can be told at its start. */
#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <thread>
#include <vector>

#include "fault.h"
#include "support/family.h"
#include "support/fault.h"
#include "support/insides.h"
#include "support/methods.h"
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

int RunForEver(brood_call *)
{
    for (;;) {
        std::this_thread::yield();
    }
}

OVER_METHODS(ProcessDaemon);
OVER_METHODS(ProcessAuthkey);
OVER_METHODS(ProcessDeadline);

brood_process_options Options()
{
    brood_process_options options = BROOD_OPTIONS_INIT(process);
    return options;
}

int StartError(const brood_process_options &options)
{
    brood_process *raw = nullptr;
    const int rc = brood_process_start(&raw, Nothing, nullptr, &options);
    EXPECT_EQ(rc == 0, raw != nullptr);
    brood_process_free(raw);
    return rc;
}

/* ---- the struct ---- */

TEST(ProcessOptions, OfAnOlderProgramAreShorter)
{
    brood_process_options options = Options();
    options.name = "old";
    options.size = offsetof(brood_process_options, context);
    options.daemon = 77; /* what lies behind is not looked at */
    const Process child = Start(Nothing, nullptr, &options);
    ASSERT_TRUE(child) << LastWords();
    EXPECT_STREQ("old", brood_process_name(child.get()));
    EXPECT_FALSE(brood_process_daemon(child.get()));
    EXPECT_EQ(0, Result(child)) << LastWords();
}

TEST(ProcessOptions, OfANewerProgramAreTakenIfWeNeedNotKnowThem)
{
    struct Newer {
        brood_process_options known;
        int64_t unknown;
    } newer = {};
    newer.known.size = sizeof newer;
    EXPECT_EQ(0, Result(Start(Nothing, nullptr, &newer.known))) << LastWords();
    newer.unknown = 1;
    EXPECT_EQ(BROOD_EINVAL, StartError(newer.known));
}

TEST(ProcessOptions, AreRefusedWhenTheyMakeNoSense)
{
    brood_process_options options = Options();
    options.daemon = 2;
    EXPECT_EQ(BROOD_EINVAL, StartError(options));
    options.daemon = -2;
    EXPECT_EQ(BROOD_EINVAL, StartError(options));
    options = Options();
    options.deadline_ms = -1;
    EXPECT_EQ(BROOD_EINVAL, StartError(options));
    options = Options();
    options.outlive_parent = true;
    options.daemon = 1;
    EXPECT_EQ(BROOD_EINVAL, StartError(options));
    options.daemon = 0;
    options.deadline_ms = 1;
    EXPECT_EQ(BROOD_EINVAL, StartError(options));
    options = Options();
    options.kill_tree = true;
    EXPECT_EQ(BROOD_ENOTSUP, StartError(options));
    EXPECT_EQ("kill_tree is not in this version", LastWords());
    EXPECT_TRUE(HasNoChildren());
}

/* ---- daemon ---- */

int TellDaemon(brood_call *call)
{
    brood_process *raw = nullptr;
    const int rc = brood_process_start(&raw, Nothing, nullptr, nullptr);
    const Process child(raw);
    const brood_value items[] = {brood_bool(brood_process_daemon(brood_current_process())),
                                 brood_int(rc)};
    return brood_return(call, brood_tuple(items, 2));
}

TEST_P(ProcessDaemon, HasNoChildrenOfItsOwn)
{
    EXPECT_FALSE(brood_process_daemon(brood_current_process()));
    EXPECT_FALSE(brood_process_daemon(nullptr));
    for (const int daemon : {1, 0, -1}) {
        brood_process_options options = Options();
        options.daemon = daemon;
        const Process child = Start(TellDaemon, nullptr, &options);
        Message answer;
        bool told = false;
        int rc = 99;
        ASSERT_EQ(0, Result(child, &answer)) << LastWords();
        ASSERT_EQ(0, BROOD_UNPACK(answer.get(), &told, &rc));
        EXPECT_EQ(daemon == 1, brood_process_daemon(child.get()));
        EXPECT_EQ(daemon == 1, told);
        EXPECT_EQ(daemon == 1 ? BROOD_EINVAL : 0, rc);
    }
}

int TellWhyNot(brood_call *)
{
    brood_process *raw = nullptr;
    return brood_process_start(&raw, Nothing, nullptr, nullptr);
}

TEST_P(ProcessDaemon, IsToldInWordsThatItHasNone)
{
    brood_process_options options = Options();
    options.daemon = 1;
    options.name = "imp";
    testing::internal::CaptureStderr();
    const Process child = Start(TellWhyNot, nullptr, &options);
    EXPECT_EQ(BROOD_EINVAL, Result(child));
    EXPECT_NE(std::string::npos, LastWords().find("imp is daemonic: such processes have no "
                                                  "children"))
        << LastWords();
    EXPECT_NE("", testing::internal::GetCapturedStderr());
}

/* ---- authkey ---- */

std::string OwnKey()
{
    char key[1024];
    return std::string(key, inside_authkey(key));
}

int TellKeys(brood_call *call)
{
    const std::string mine = OwnKey();
    std::vector<std::string> keys = {mine, OwnKey()};
    if (brood_call_count(call) > 0) { /* another generation */
        const Process child = Start(TellKeys);
        Message answer;
        if (Result(child, &answer)) {
            return brood_last_error()->error;
        }
        const brood_view view = brood_as_view(brood_value_at(brood_message_value(answer.get()), 0));
        keys.emplace_back(static_cast<const char *>(view.data), view.size);
    }
    std::vector<brood_value> values;
    values.reserve(keys.size());
    for (const std::string &key : keys) {
        values.push_back(brood_bytes(key.data(), key.size()));
    }
    return brood_return(call, brood_list(values.data(), values.size()));
}

std::vector<std::string> KeysOf(const Process &child)
{
    std::vector<std::string> keys;
    Message answer;
    EXPECT_EQ(0, Result(child, &answer)) << LastWords();
    const brood_value list = brood_message_value(answer.get());
    for (size_t i = 0; i < brood_value_count(list); i++) {
        const brood_view view = brood_as_view(brood_value_at(list, i));
        keys.emplace_back(static_cast<const char *>(view.data), view.size);
    }
    return keys;
}

TEST_P(ProcessAuthkey, IsRandomAtFirstAndInheritedByAllGenerations)
{
    const std::string key = OwnKey();
    EXPECT_EQ(32u, key.size());
    EXPECT_NE(std::string(32, '\0'), key);
    EXPECT_EQ(std::vector<std::string>(3, key), KeysOf(Start(TellKeys, BROOD_ARGS(1))));
}

TEST_P(ProcessAuthkey, MayBeGivenToAChildAndIsInheritedFromIt)
{
    for (const size_t size : {size_t{1}, size_t{16}, size_t{1024}}) {
        const std::string given(size, static_cast<char>('a' + size % 7));
        brood_process_options options = Options();
        options.authkey = {given.data(), given.size()};
        EXPECT_EQ(std::vector<std::string>(3, given),
                  KeysOf(Start(TellKeys, BROOD_ARGS(1), &options)));
    }
    EXPECT_EQ(32u, OwnKey().size()) << "ours stays";
}

/* Asks for it only when the other end is closed. */
int TellKeyLater(brood_call *call)
{
    const int rc = Linger(call);
    const std::string key = OwnKey();
    return rc ? rc : brood_return(call, brood_bytes(key.data(), key.size()));
}

TEST_P(ProcessAuthkey, MayBeChangedForLaterChildren)
{
    const std::string before = OwnKey();
    auto [mine, theirs] = Pipe();
    const Process early = Start(TellKeyLater, BROOD_ARGS(BROOD_GIVE(theirs.get())));
    ASSERT_TRUE(early) << LastWords();
    ASSERT_EQ(0, brood_set_authkey("our secret", 10)) << LastWords();
    EXPECT_EQ("our secret", OwnKey());
    EXPECT_EQ(std::vector<std::string>(2, "our secret"), KeysOf(Start(TellKeys)));
    mine.reset();
    Message answer;
    ASSERT_EQ(0, Result(early, &answer)) << LastWords();
    const brood_view view = brood_as_view(brood_message_value(answer.get()));
    EXPECT_EQ(before, std::string(static_cast<const char *>(view.data), view.size));
}

TEST_P(ProcessAuthkey, HasOneTo1024Bytes)
{
    const std::string large(1025, 'k');
    brood_process_options options = Options();
    options.authkey = {large.data(), large.size()};
    EXPECT_EQ(BROOD_EINVAL, StartError(options));
    options.authkey = {nullptr, 1};
    EXPECT_EQ(BROOD_EINVAL, StartError(options));
    EXPECT_EQ(BROOD_EINVAL, brood_set_authkey(large.data(), large.size()));
    EXPECT_EQ(BROOD_EINVAL, brood_set_authkey(large.data(), 0));
    EXPECT_EQ(BROOD_EINVAL, brood_set_authkey(nullptr, 4));
    EXPECT_EQ(0, brood_set_authkey(large.data(), 1024));
    EXPECT_EQ(large.substr(1), OwnKey());
}

int SetKeyWithFaults(brood_call *)
{
    int bad = 0;
    ForEachFault([&bad] { /* the first time, so this needs a process of its own */
                          const int rc = brood_set_authkey("key", 3);
                          bad += rc != 0 && !brood_fault_fired();
    });
    return bad == 0 && OwnKey() == "key" ? 0 : 1;
}

TEST_P(ProcessAuthkey, IsKeptOrNotWhenAnyStepFails)
{
    EXPECT_EQ(0, Result(Start(SetKeyWithFaults))) << LastWords();
}

/* ---- deadline ---- */

TEST_P(ProcessDeadline, KillsABusyProcessThatNobodyWaitsFor)
{
    brood_process_options options = Options();
    options.deadline_ms = 30;
    const Process child = Start(RunForEver, nullptr, &options);
    ASSERT_TRUE(child) << LastWords();
    const int64_t pid = brood_process_pid(child.get());
    EXPECT_TRUE(WaitFor([pid] { return !IsAlive(pid); })) << "and no brood call meanwhile";
    int exitcode = 0;
    EXPECT_EQ(0, brood_process_join(child.get(), kSoon));
    EXPECT_EQ(0, brood_process_exitcode(child.get(), &exitcode));
    EXPECT_EQ(-9, exitcode);
    EXPECT_EQ(BROOD_EWORKER, Result(child));
    EXPECT_NE(std::string::npos, LastWords().find("was killed: its deadline of 30 ms had passed"))
        << LastWords();
}

TEST_P(ProcessDeadline, IsEachChildsOwn)
{
    auto [mine, theirs] = Pipe();
    brood_process_options options = Options();
    options.deadline_ms = 3600 * 1000;
    const Process later = Start(Linger, BROOD_ARGS(BROOD_GIVE(theirs.get())), &options);
    options.deadline_ms = 20;
    const Process first = Start(RunForEver, nullptr, &options);
    options.deadline_ms = 1;
    const Process second = Start(RunForEver, nullptr, &options);
    ASSERT_TRUE(later && first && second) << LastWords();
    EXPECT_EQ(BROOD_EWORKER, Result(first));
    EXPECT_EQ(BROOD_EWORKER, Result(second));
    EXPECT_TRUE(brood_process_is_alive(later.get()));
    mine.reset();
    EXPECT_EQ(0, Result(later)) << LastWords();
    EXPECT_EQ(nullptr, brood_process_failure(later.get()));
}

TEST_P(ProcessDeadline, HoldsWhenTheObjectIsLetGo)
{
    brood_process_options options = Options();
    options.deadline_ms = 20;
    Process child = Start(RunForEver, nullptr, &options);
    ASSERT_TRUE(child) << LastWords();
    const int64_t pid = brood_process_pid(child.get());
    child.reset();
    EXPECT_TRUE(WaitFor([pid] { return !IsAlive(pid); }));
    const auto is_reaped = [pid] {
        EXPECT_EQ(0, Result(Start(Nothing))) << LastWords(); /* each start reaps */
        return !IsKnown(pid);
    };
    EXPECT_TRUE(WaitFor(is_reaped));
}

TEST_P(ProcessDeadline, IsNotBlamedForAnotherEnd)
{
    brood_process_options options = Options();
    options.deadline_ms = 3600 * 1000;
    const Process child = Start(RunForEver, nullptr, &options);
    ASSERT_TRUE(child) << LastWords();
    ASSERT_EQ(0, brood_process_kill(child.get()));
    EXPECT_EQ(BROOD_EWORKER, Result(child));
    EXPECT_NE(std::string::npos, LastWords().find("was ended by signal 9")) << LastWords();
}

TEST_P(ProcessDeadline, LeavesNothingBehindWhenAnyStepFails)
{
    ForEachFault([] {
        brood_process *raw = nullptr;
        auto [mine, theirs] = Pipe();
        if (!theirs) {
            return;
        }
        brood_process_options options = Options();
        options.deadline_ms = 3600 * 1000;
        const int rc =
            brood_process_start(&raw, Linger, BROOD_ARGS(BROOD_GIVE(theirs.get())), &options);
        EXPECT_TRUE(rc == 0 || brood_fault_fired()) << LastWords();
        brood_fault_pause(true);
        mine.reset();
        theirs.reset();
        if (rc == 0) {
            EXPECT_EQ(0, Result(Process(raw))) << LastWords();
        }
        brood_fault_pause(false);
    });
    EXPECT_TRUE(HasNoChildren());
}

TEST_P(ProcessDeadline, OfManyAreKept)
{
    std::vector<Process> children;
    brood_process_options options = Options();
    for (int64_t i = 0; i < 8; i++) {
        options.deadline_ms = 1 + i * 7 % 20;
        children.push_back(Start(RunForEver, nullptr, &options));
        ASSERT_TRUE(children.back()) << LastWords();
    }
    for (const Process &child : children) {
        EXPECT_EQ(BROOD_EWORKER, Result(child)) << LastWords();
        EXPECT_NE(std::string::npos, LastWords().find("deadline")) << LastWords();
    }
}

} // namespace

/* The children of this process as a list. */
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

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

/* A child that lives until it is let go. */
struct Lingering {
    Lingering()
    {
        auto [here, there] = Pipe();
        process = Start(Linger, BROOD_ARGS(BROOD_GIVE(there.get())));
        connection = std::move(here);
    }
    ~Lingering()
    {
        connection.reset();
        (void)brood_process_join(process.get(), kSoon);
    }
    Process process;
    Connection connection;
};

std::vector<brood_process *> ActiveChildren()
{
    brood_process **list = nullptr;
    size_t count = 99;
    EXPECT_EQ(0, brood_active_children(&list, &count)) << LastWords();
    EXPECT_EQ(count == 0, list == nullptr);
    const std::vector<brood_process *> copy(list, list + count);
    brood_processes_free(list, count); /* the tests hold references of their own */
    return copy;
}

TEST(ActiveChildren, AreThoseThatStillRunOldestFirst)
{
    EXPECT_TRUE(ActiveChildren().empty());
    const Lingering first;
    Lingering second;
    const Lingering third;
    ASSERT_TRUE(third.process) << LastWords();
    EXPECT_EQ((std::vector<brood_process *>{first.process.get(), second.process.get(),
                                            third.process.get()}),
              ActiveChildren());
    second.connection.reset();
    EXPECT_EQ(0, brood_process_join(second.process.get(), kSoon));
    EXPECT_EQ((std::vector<brood_process *>{first.process.get(), third.process.get()}),
              ActiveChildren());
}

TEST(ActiveChildren, KeepTheirObjects)
{
    brood_process **list = nullptr;
    size_t count = 0;
    Lingering child;
    ASSERT_TRUE(child.process) << LastWords();
    const int64_t pid = brood_process_pid(child.process.get());
    ASSERT_EQ(0, brood_active_children(&list, &count));
    ASSERT_EQ(1u, count);
    child.process.reset();
    EXPECT_EQ(pid, brood_process_pid(list[0]));
    child.connection.reset();
    EXPECT_EQ(0, brood_process_join(list[0], kSoon));
    brood_processes_free(list, count);
    brood_processes_free(nullptr, 0);
    EXPECT_EQ(BROOD_EINVAL, brood_active_children(nullptr, &count));
    EXPECT_EQ(BROOD_EINVAL, brood_active_children(&list, nullptr));
}

TEST(ActiveChildren, ReapsThoseThatHaveEnded)
{
    Process child = Start(Nothing);
    ASSERT_TRUE(child) << LastWords();
    const int64_t pid = brood_process_pid(child.get());
    child.reset();
    EXPECT_TRUE(WaitFor([] { return ActiveChildren().empty(); }));
    EXPECT_TRUE(WaitFor([pid] { return !IsKnown(pid); }));
}

int CountChildren(brood_call *call)
{
    brood_process **list = nullptr;
    size_t count = 0;
    const int rc = brood_active_children(&list, &count);
    brood_processes_free(list, count);
    return rc ? rc : brood_return(call, brood_uint(count));
}

TEST(ActiveChildren, AreThoseOfThisProcessOnly)
{
    const Lingering other;
    const Process child = Start(CountChildren);
    Message answer;
    ASSERT_EQ(0, Result(child, &answer)) << LastWords();
    EXPECT_EQ(0u, brood_as_uint(brood_message_value(answer.get()), 99));
}

TEST(ActiveChildren, MayBeAskedForWhileOthersStartAndJoin)
{
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; t++) {
        threads.emplace_back([t] {
            for (long i = 0; i < Scaled(20); i++) {
                const Process child = t == 0 ? Process() : Start(Nothing);
                brood_process **list = nullptr;
                size_t count = 0;
                EXPECT_EQ(0, brood_active_children(&list, &count));
                brood_processes_free(list, count);
                EXPECT_EQ(t == 0 ? BROOD_EINVAL : 0, brood_process_join(child.get(), kSoon));
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    EXPECT_TRUE(ActiveChildren().empty());
}

TEST(ActiveChildren, FailsCleanlyWhenAnyStepFails)
{
    const Lingering child;
    ASSERT_TRUE(child.process) << LastWords();
    ForEachFault([] {
        brood_process **list = nullptr;
        size_t count = 0;
        const int rc = brood_active_children(&list, &count);
        EXPECT_TRUE(rc == 0 || brood_fault_fired()) << LastWords();
        EXPECT_EQ(rc == 0, list != nullptr);
        EXPECT_EQ(rc == 0 ? 1u : 0u, count);
        brood_processes_free(list, count);
    });
}

} // namespace

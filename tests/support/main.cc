/* Every test is a process of its own (see CMakeLists.txt); around each one, open handles and names
 * of shared memory are compared. */
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <thread>

#include <brood.h>

#include "support/insides.h"
#include "support/leaks.h"
#include "support/process_list.h"

namespace {

std::string Missing(const std::multiset<std::string> &from, const std::multiset<std::string> &in)
{
    std::multiset<std::string> rest;
    std::string text;
    std::set_difference(from.begin(), from.end(), in.begin(), in.end(),
                        std::inserter(rest, rest.end()));
    for (const std::string &one : rest) {
        text += "\n  " + one;
    }
    return text;
}

/* It is a process of the library's own, with handles of ours, for as long as it may be used. */
void EndForkserver()
{
    const auto collect = [] {
        brood_process **children = nullptr;
        size_t count = 0;
        (void)!brood_active_children(&children, &count);
        brood_processes_free(children, count);
        return count;
    };
    if (brood_set_forkserver_preload(nullptr, 0) == 0) {
        EXPECT_TRUE(WaitFor([&] { return ChildrenOf(inside_pid()).size() <= collect(); }));
        (void)collect();
    }
}

class LeakCheck : public testing::EmptyTestEventListener {
    void OnTestStart(const testing::TestInfo &) override
    {
        before_ = ListOpenThings();
    }
    void OnTestEnd(const testing::TestInfo &info) override
    {
        if (info.result()->Skipped() || !before_.known) {
            return;
        }
        EndForkserver();
        OpenThings after = ListOpenThings();
        /* A server that has just ended leaves its children's handles to whoever looks next. */
        (void)WaitFor([&] {
            EndForkserver();
            after = ListOpenThings();
            return after.handles.size() <= before_.handles.size();
        });
        if (after.handles.size() > before_.handles.size()) {
            ADD_FAILURE() << "handles left open:" << Missing(after.handles, before_.handles);
        }
        CheckNames(after.memory_names);
    }
    /* Other tests run at the same time, and where there is no memfd their memory has a name for a
     * moment: what is gone at the next look was no leak. */
    void CheckNames(std::set<std::string> added) const
    {
        for (const std::string &name : before_.memory_names) {
            added.erase(name);
        }
        const bool gone = WaitFor([&added] {
            const OpenThings now = ListOpenThings();
            for (auto it = added.begin(); it != added.end();) {
                it = now.memory_names.count(*it) != 0 ? std::next(it) : added.erase(it);
            }
            return added.empty();
        });
        EXPECT_TRUE(gone) << "left in shared memory: " << (gone ? "" : *added.begin());
    }
    OpenThings before_;
};

/* Shared objects have memory that stays, and so does what their sleepers are woken with. */
bool WaitForALock()
{
    brood_lock *lock = nullptr;
    int rc = brood_lock_new(&lock, nullptr);
    if (rc == 0) {
        rc = brood_lock_acquire(lock, BROOD_FOREVER);
    }
    std::thread([&] { rc = rc == 0 ? brood_lock_acquire(lock, 1) : rc; }).join();
    const bool ok = rc == BROOD_ETIMEDOUT && brood_lock_release(lock) == 0;
    brood_lock_free(lock);
    return ok;
}

#if defined(BROOD_TESTS_PURE)
int StartOne()
{
    return 0; /* these tests start none */
}
#else
int Nothing(brood_call *)
{
    return 0;
}

int StartOne()
{
    brood_process *process = nullptr;
    brood_message *answer = nullptr;
    brood_memory *memory = nullptr; /* Windows keeps the folder of names open */
    int rc = brood_memory_open(&memory, "brood-test-warm-up", nullptr);
    if (rc == BROOD_ENOENT) {
        rc = brood_process_start(&process, Nothing, nullptr, nullptr);
    }
    if (rc == 0) {
        rc = brood_process_result(process, &answer, 60000);
    }
    brood_message_free(answer);
    brood_process_free(process);
    return rc;
}
#endif

/* What the library makes once per process or thread (the lifeline, a job, what ends a wait) is made
 * before the first count; so is what GoogleTest keeps on Windows after the first trace, and MinGW
 * after the first thread. */
bool WarmUp()
{
    std::thread([] {}).join();
    SCOPED_TRACE("warm-up");
    const bool ok =
        WaitForALock() && brood_wait(nullptr, 0, 1) == BROOD_ETIMEDOUT && StartOne() == 0;
    if (!ok) {
        brood_perror("warm-up");
    }
    return ok;
}

} // namespace

int main(int argc, char **argv)
{
    brood_init(argc, argv);
    testing::InitGoogleTest(&argc, argv);
    if (!GTEST_FLAG_GET(list_tests) && !WarmUp()) {
        return 1;
    }
    testing::UnitTest::GetInstance()->listeners().Append(new LeakCheck);
    return RUN_ALL_TESTS();
}

/* Many children alive at once, and what each of them costs its parent. */
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/leaks.h"
#include "support/methods.h"
#include "support/objects.h"
#include "support/process_list.h"
#include "support/usage.h"

namespace {

/* Lives as long as the other end of the connection. */
int Stay(brood_call *call)
{
    brood_connection *connection = nullptr;
    const int rc = BROOD_UNPACK(call, &connection);
    return rc ? rc : brood_poll(connection, BROOD_FOREVER);
}

/* Children that stay until they are let go. */
class Crowd {
  public:
    explicit Crowd(size_t count)
    {
        auto [mine, theirs] = Pipe();
        mine_ = std::move(mine);
        theirs_ = std::move(theirs);
        while (children.size() < count) {
            children.push_back(Start(Stay, BROOD_ARGS(theirs_.get())));
            if (!children.back()) {
                children.pop_back();
                break;
            }
        }
        theirs_.reset();
    }
    void LetGo()
    {
        mine_.reset();
    }
    std::vector<Process> children;

  private:
    Connection mine_, theirs_;
};

/* Waits for whoever ends next until all have, and returns how many that were. */
size_t JoinAll(const std::vector<Process> &children)
{
    std::vector<brood_wait_item> items;
    size_t ended = 0;
    for (const Process &child : children) {
        items.push_back({brood_of(child.get()), false});
    }
    while (ended < items.size() && brood_wait(items.data(), items.size(), kSoon) == 0) {
        for (brood_wait_item &item : items) {
            ended += item.ready;
            item = item.ready ? brood_wait_item{brood_none(), false} : item;
        }
    }
    return ended;
}

size_t OpenHandles()
{
    return ListOpenThings().handles.size();
}

OVER_METHODS(ManyChildrenBy);

TEST_P(ManyChildrenBy, CostOneHandleEach)
{
    {
        Crowd first(1); /* a fork server stays from then on */
        ASSERT_EQ(1u, first.children.size()) << LastWords();
        first.LetGo();
        EXPECT_EQ(0, Result(first.children[0])) << LastWords();
    }
    for (const size_t count : {1u, 10u}) {
        const size_t before = OpenHandles();
        Crowd crowd(count);
        ASSERT_EQ(count, crowd.children.size()) << LastWords();
        EXPECT_GE(before + 1 + count, OpenHandles()) << "with the crowd's connection";
        crowd.LetGo();
        for (const Process &child : crowd.children) {
            EXPECT_EQ(0, Result(child)) << LastWords();
        }
        EXPECT_GE(before + count, OpenHandles()) << "as long as there is the object";
        crowd.children.clear();
        EXPECT_EQ(before, OpenHandles());
    }
}

TEST(ManyChildren, LiveAtOnceUnderTheUsualLimits)
{
    const size_t count = static_cast<size_t>(Scaled(kMostChildren));
    const std::string reason = WhyNotSoManyProcesses(count);
    if (!reason.empty()) {
        GTEST_SKIP() << reason;
    }
    const UsualLimits limits;
    const size_t handles = OpenHandles();
    const size_t memory = ResidentMemory();
    Crowd crowd(count);
    ASSERT_EQ(count, crowd.children.size()) << LastWords();
    EXPECT_GE(handles + 1 + count, OpenHandles());
    const size_t alive = (ResidentMemory() - memory) / count;
    for (const Process &child : crowd.children) {
        EXPECT_TRUE(brood_process_is_alive(child.get()));
    }
    crowd.LetGo();
    EXPECT_EQ(count, JoinAll(crowd.children)) << LastWords();
    for (const Process &child : crowd.children) {
        EXPECT_EQ(0, Result(child)) << LastWords();
    }
    const size_t ended = (ResidentMemory() - memory) / count;
    RecordProperty("bytes_each_alive", static_cast<int>(alive));
    RecordProperty("bytes_each_ended", static_cast<int>(ended));
    if (kMemoryIsMeasured && count >= 100) {
        EXPECT_GE(4096u, alive);
        EXPECT_GE(4096u, ended);
    }
}

} // namespace

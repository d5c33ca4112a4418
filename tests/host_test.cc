/* Programs with many threads. */
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "support/leaks.h"
#include "support/methods.h"
#include "support/native.h"
#include "support/objects.h"
#include "support/process_list.h"
#include "support/sanitizer.h"

namespace {

/* The kinds of all handles of the child, one a line. */
int ListOwnHandles(brood_call *call)
{
    std::string text;
    for (const std::string &one : ListOpenThings().handles) {
        text += one + "\n";
    }
    return brood_return(call, brood_str(text.c_str()));
}

std::string HandlesOfAChild()
{
    Message answer;
    const Process child = Start(ListOwnHandles);
    if (Result(child, &answer) != 0) {
        return LastWords();
    }
    return brood_as_str(brood_message_value(answer.get()), "no text");
}

OVER_METHODS(HostHandles);

TEST_P(HostHandles, AreKeptToItselfWhateverItsThreadsDo)
{
#if defined(BROOD_SANITIZED)
    if (GetParam() == BROOD_FORK) {
        GTEST_SKIP() << "a sanitizer's allocator may be locked by a thread that the child has not";
    }
#endif
    const std::string usual = HandlesOfAChild();
    ASSERT_NE("", usual);
    std::atomic<bool> over{false};
    std::vector<std::thread> noise;
    for (int t = 0; t < 3; t++) {
        noise.emplace_back([&over] {
            while (!over) {
                (void)NativeInheritable();
            }
        });
    }
    std::vector<std::thread> starters;
    for (int t = 0; t < 8; t++) {
        starters.emplace_back([&usual] {
            for (long i = Scaled(50); i > 0; i--) {
                EXPECT_EQ(usual, HandlesOfAChild());
            }
        });
    }
    for (std::thread &thread : starters) {
        thread.join();
    }
    over = true;
    for (std::thread &thread : noise) {
        thread.join();
    }
}

} // namespace

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/objects.h"

namespace {

std::vector<std::string> AllMethods()
{
    std::vector<std::string> all;
    for (const char *const *name = brood_get_all_start_methods(); *name != nullptr; name++) {
        all.push_back(*name);
    }
    return all;
}

TEST(StartMethods, AreListedWithTheDefaultFirst)
{
    const std::vector<std::string> all = AllMethods();
    ASSERT_FALSE(all.empty());
    EXPECT_EQ(BROOD_SPAWN, all[0]);
    EXPECT_EQ(all, AllMethods());
#if defined(_WIN32)
    EXPECT_EQ(1u, all.size());
#endif
}

TEST(GetContext, FindsTheOneOfEachMethod)
{
    for (const std::string &method : AllMethods()) {
        const brood_context *context = nullptr;
        const brood_context *again = nullptr;
        ASSERT_EQ(0, brood_get_context(&context, method.c_str())) << LastWords();
        ASSERT_EQ(0, brood_get_context(&again, method.c_str()));
        EXPECT_EQ(method, brood_context_method(context));
        EXPECT_EQ(context, again);
    }
}

TEST(GetContext, RefusesWhatThereIsNot)
{
    const brood_context *context = nullptr;
    EXPECT_EQ(BROOD_EINVAL, brood_get_context(&context, "thread"));
    EXPECT_NE(std::string::npos, LastWords().find("\"thread\"")) << LastWords();
    EXPECT_EQ(BROOD_EINVAL, brood_get_context(&context, ""));
    EXPECT_EQ(BROOD_EINVAL, brood_get_context(nullptr, BROOD_SPAWN));
    const std::vector<std::string> all = AllMethods();
    for (const char *method : {BROOD_FORK, BROOD_FORKSERVER}) {
        if (std::find(all.begin(), all.end(), method) == all.end()) {
            EXPECT_EQ(BROOD_ENOTSUP, brood_get_context(&context, method));
            EXPECT_NE(std::string::npos, LastWords().find(method)) << LastWords();
            EXPECT_EQ(BROOD_ENOTSUP, brood_set_start_method(method, true));
        }
    }
    EXPECT_EQ(nullptr, context);
}

int Nothing(brood_call *)
{
    return 0;
}

TEST(SetForkserverPreload, RefusesWhatIsNoFunction)
{
    const brood_function two[] = {Nothing, nullptr};
    EXPECT_EQ(BROOD_EINVAL, brood_set_forkserver_preload(nullptr, 1));
    EXPECT_EQ(BROOD_EINVAL, brood_set_forkserver_preload(two, 2));
    EXPECT_NE(std::string::npos, LastWords().find("preload function 2 is NULL")) << LastWords();
#if defined(_WIN32)
    EXPECT_EQ(BROOD_ENOTSUP, brood_set_forkserver_preload(two, 1));
    EXPECT_NE(std::string::npos, LastWords().find("forkserver")) << LastWords();
#else
    EXPECT_EQ(0, brood_set_forkserver_preload(two, 1)) << LastWords();
    EXPECT_EQ(0, brood_set_forkserver_preload(nullptr, 0)) << LastWords();
#endif
}

TEST(SetStartMethod, ChoosesTheDefaultOnce)
{
    EXPECT_STREQ(BROOD_SPAWN, brood_get_start_method()); /* asking does not choose */
    const std::string method = AllMethods().back();
    const brood_context *context = nullptr;
    ASSERT_EQ(0, brood_set_start_method(method.c_str(), false)) << LastWords();
    EXPECT_EQ(method, brood_get_start_method());
    ASSERT_EQ(0, brood_get_context(&context, nullptr));
    EXPECT_EQ(method, brood_context_method(context));
    EXPECT_EQ(method, brood_context_method(nullptr));
    EXPECT_EQ(BROOD_EEXIST, brood_set_start_method(BROOD_SPAWN, false));
    EXPECT_NE(std::string::npos, LastWords().find(method)) << LastWords();
    EXPECT_EQ(method, brood_get_start_method());
    EXPECT_EQ(0, brood_set_start_method(BROOD_SPAWN, true)) << LastWords();
    EXPECT_STREQ(BROOD_SPAWN, brood_get_start_method());
}

TEST(SetStartMethod, GoesBackWithNullAndForce)
{
    EXPECT_EQ(BROOD_EINVAL, brood_set_start_method(nullptr, false));
    ASSERT_EQ(0, brood_set_start_method(BROOD_SPAWN, false));
    ASSERT_EQ(0, brood_set_start_method(nullptr, true));
    EXPECT_EQ(0, brood_set_start_method(BROOD_SPAWN, false)) << "as if none had been chosen";
}

TEST(SetStartMethod, LeavesTheDefaultAloneWhenItRefuses)
{
    EXPECT_EQ(BROOD_EINVAL, brood_set_start_method("thread", true));
    EXPECT_STREQ(BROOD_SPAWN, brood_get_start_method());
    EXPECT_EQ(0, brood_set_start_method(BROOD_SPAWN, false)) << LastWords();
}

int TryToChoose(brood_call *call)
{
    const brood_value items[] = {brood_str(brood_get_start_method()),
                                 brood_int(brood_set_start_method(BROOD_SPAWN, false))};
    return brood_return(call, brood_tuple(items, 2));
}

void ExpectInChild(const std::string &method, int rc)
{
    const Process child = Start(TryToChoose);
    Message answer;
    const char *name = nullptr;
    int code = 1;
    ASSERT_EQ(0, Result(child, &answer)) << LastWords();
    ASSERT_EQ(0, BROOD_UNPACK(answer.get(), &name, &code)) << LastWords();
    EXPECT_EQ(method, name);
    EXPECT_EQ(rc, code);
}

TEST(SetStartMethod, HoldsInChildrenToo)
{
    ExpectInChild(BROOD_SPAWN, 0);
    const std::string method = AllMethods().back();
    ASSERT_EQ(0, brood_set_start_method(method.c_str(), false));
    ExpectInChild(method, BROOD_EEXIST);
}

TEST(Context, IsAnOptionOfAProcess)
{
    for (const std::string &method : AllMethods()) {
        brood_process_options options = BROOD_OPTIONS_INIT(process);
        ASSERT_EQ(0, brood_get_context(&options.context, method.c_str()));
        const Process child =
            Start([](brood_call *call) { return brood_return(call, brood_str("hello")); }, nullptr,
                  &options);
        Message answer;
        ASSERT_EQ(0, Result(child, &answer)) << method << ": " << LastWords();
        EXPECT_STREQ("hello", brood_as_str(brood_message_value(answer.get()), ""));
    }
}

} // namespace

/* Children of the fork server, for tests of it (Unix). */
#pragma once

#include <gtest/gtest.h>

#include <unistd.h>

#include <vector>

#include "support/family.h"
#include "support/objects.h"

/// Serve starts a child by the fork server.
inline Process Serve(brood_function target, const brood_args *args = nullptr)
{
    return StartBy(BROOD_FORKSERVER, target, args);
}

/// AnswerOf waits for a number that a child returns.
inline int64_t AnswerOf(const Process &child)
{
    Message answer;
    EXPECT_EQ(0, Result(child, &answer)) << LastWords();
    return brood_as_int(brood_message_value(answer.get()), -1);
}

/// TellWhoForkedMe returns who is the child's parent for the system.
inline int TellWhoForkedMe(brood_call *call)
{
    return brood_return(call, brood_int(getppid()));
}

/// ServersPid tells which server there is, after beginning one if there is none.
inline int64_t ServersPid()
{
    return AnswerOf(Serve(TellWhoForkedMe));
}

/// ExitOf waits for a child and returns its exit code.
inline int ExitOf(const Process &child)
{
    int exitcode = -1000;
    EXPECT_EQ(0, brood_process_join(child.get(), kSoon)) << LastWords();
    EXPECT_EQ(0, brood_process_exitcode(child.get(), &exitcode)) << LastWords();
    return exitcode;
}

/// SetPreload has these functions run by later servers.
inline void SetPreload(const std::vector<brood_function> &functions)
{
    ASSERT_EQ(0, brood_set_forkserver_preload(functions.data(), functions.size())) << LastWords();
}

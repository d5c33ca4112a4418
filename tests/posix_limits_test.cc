/* Unix only: programs under limits. */
#include <gtest/gtest.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "support/host.h"
#include "support/leaks.h"
#include "support/sanitizer.h"

namespace {

constexpr uid_t kSomebody = 54321; /* who has no other process */

bool Limit(int what, rlim_t soft)
{
    rlimit limit = {};
    getrlimit(static_cast<decltype(RLIMIT_CORE)>(what), &limit);
    limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
    return setrlimit(static_cast<decltype(RLIMIT_CORE)>(what), &limit) == 0;
}

int IsAtItsDescriptorLimit(brood_call *call)
{
    CHILD_CHECK(call, StartsWell());
    const OpenThings before = ListOpenThings();
    std::vector<int> taken;
    int fd;
    CHILD_CHECK(call, Limit(RLIMIT_NOFILE, 64));
    while ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0) {
        taken.push_back(fd);
    }
    int failures = 0;
    bool worked = false;
    while (!worked) {
        const Process child = Start(Nothing);
        if (!child) {
            failures++;
            CHILD_CHECK(call, brood_last_error()->error == BROOD_ESYSTEM);
            CHILD_CHECK(call, brood_last_error()->system_code == EMFILE);
            CHILD_CHECK(call, LastWords().find("Too many open files") != std::string::npos);
        }
        worked = child && Result(child) == 0;
        CHILD_CHECK(call, !taken.empty());
        close(taken.back()); /* one more for the next try */
        taken.pop_back();
    }
    CHILD_CHECK(call, failures > 2);
    for (const int one : taken) {
        close(one);
    }
    CHILD_CHECK(call, ListOpenThings().handles == before.handles);
    CHILD_CHECK(call, StartsWell(std::string(100000, 'a')));
    return 0;
}

TEST(Host, MayBeAtItsLimitOfDescriptors)
{
    ExpectItWorks(IsAtItsDescriptorLimit);
}

int ListNumbers(brood_call *call)
{
    std::string text;
    for (int fd = 0; fd < 5000; fd++) {
        text += fcntl(fd, F_GETFD) >= 0 ? " " + std::to_string(fd) : "";
    }
    return brood_return(call, brood_str(text.c_str()));
}

int HasDescriptorsBeyondItsLimit(brood_call *call)
{
    for (const int fd : {60, 100, 700, 1500, 4000}) {
        CHILD_NEEDS(call, dup2(0, fd) == fd); /* inheritable */
    }
    CHILD_CHECK(call, Limit(RLIMIT_NOFILE, 64));
    Message answer;
    const Process child = Start(ListNumbers);
    CHILD_CHECK(call, Result(child, &answer) == 0);
    const std::string list = brood_as_str(brood_message_value(answer.get()), "");
    for (const char *number : {" 60", " 100", " 700", " 1500", " 4000"}) {
        CHILD_CHECK(call, list.find(number) == std::string::npos);
    }
    return 0;
}

TEST(Host, MayHaveDescriptorsBeyondItsLimit)
{
    ExpectItWorks(HasDescriptorsBeyondItsLimit);
}

rlim_t AddressSpace()
{
    std::ifstream file("/proc/self/statm");
    rlim_t pages = 0;
    file >> pages;
    return pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE));
}

/* Its children are under the same limit and may not get far: that has to be told. */
int IsOutOfMemory(brood_call *call)
{
    CHILD_CHECK(call, StartsWell());
    rlimit before = {};
    getrlimit(RLIMIT_AS, &before);
    const rlim_t now = AddressSpace();
    int failures = 0;
    for (rlim_t more = 0; more < (4u << 20); more += more < 65536 ? 4096 : 1u << 20) {
        const std::string data(3 << 20, 'a');
        CHILD_CHECK(call, Limit(RLIMIT_AS, now + more));
        const Process child = Start(GiveBack, BROOD_ARGS(brood_bytes(data.data(), data.size())));
        const int rc = child ? Result(child) : brood_last_error()->error;
        setrlimit(RLIMIT_AS, &before);
        failures += rc != 0;
        CHILD_CHECK(call, rc == 0 || (LastWords() != "" && rc <= BROOD_EINVAL));
    }
    CHILD_CHECK(call, failures > 3);
    CHILD_CHECK(call, StartsWell(std::string(3 << 20, 'a')));
    return 0;
}

TEST(Host, MayBeOutOfMemory)
{
#if defined(BROOD_SANITIZED)
    GTEST_SKIP() << "a sanitizer needs its address space";
#endif
    ExpectItWorks(IsOutOfMemory);
}

int MayHaveNoMoreProcesses(brood_call *call)
{
    CHILD_NEEDS(call, geteuid() == 0 && setgid(kSomebody) == 0 && setuid(kSomebody) == 0);
    CHILD_CHECK(call, StartsWell());
    const OpenThings before = ListOpenThings();
    CHILD_CHECK(call, Limit(RLIMIT_NPROC, 1));
    const Process child = Start(Nothing);
    CHILD_CHECK(call, !child);
    CHILD_CHECK(call, brood_last_error()->error == BROOD_ESYSTEM);
    CHILD_CHECK(call, brood_last_error()->system_code == EAGAIN);
    CHILD_CHECK(call, LastWords().find("start ") != std::string::npos);
    CHILD_CHECK(call, ListOpenThings().handles == before.handles);
    CHILD_CHECK(call, Limit(RLIMIT_NPROC, RLIM_INFINITY));
    CHILD_CHECK(call, StartsWell());
    return 0;
}

TEST(Host, MayBeAtItsLimitOfProcesses)
{
    ExpectItWorks(MayHaveNoMoreProcesses);
}

/* The limit holds for shared memory, too, and its signal would end whoever goes over it. */
int MayWriteNoFiles(brood_call *call)
{
    for (const rlim_t limit : {rlim_t{0}, rlim_t{100}, rlim_t{5000}, rlim_t{50000}}) {
        rlimit before = {};
        getrlimit(RLIMIT_FSIZE, &before);
        CHILD_CHECK(call, Limit(RLIMIT_FSIZE, limit));
        const bool small = StartsWell();
        const bool two_pages = StartsWell(std::string(1500, 'a'));
        /* too large an argument fails here; too large a result fails in the child */
        const Process large = Start(Nothing, BROOD_ARGS(std::string(100000, 'a').c_str()));
        const int rc = large ? 0 : brood_last_error()->error;
        const std::string words = LastWords();
        const Process result = Start([](brood_call *inner) {
            void *room = nullptr;
            return brood_return_room(inner, &room, 100000);
        });
        const int result_rc = Result(result);
        const std::string result_words = LastWords();
        setrlimit(RLIMIT_FSIZE, &before);
        CHILD_CHECK(call, small);
        CHILD_CHECK(call, two_pages);
        CHILD_CHECK(call, rc == BROOD_ESYSTEM && words.find("File too large") != std::string::npos);
        CHILD_CHECK(call, result_rc == BROOD_ESYSTEM &&
                              result_words.find("the result is lost") != std::string::npos);
        CHILD_CHECK(call, StartsWell(std::string(100000, 'a')));
    }
    sigset_t pending;
    sigpending(&pending);
    CHILD_CHECK(call, sigismember(&pending, SIGXFSZ) == 0);
    return 0;
}

TEST(Host, MayBeAllowedNoFiles)
{
#if defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "ThreadSanitizer takes part in signals: this one ends its process";
#endif
    ExpectItWorks(MayWriteNoFiles);
}

int MayLockNoMemory(brood_call *call)
{
    CHILD_CHECK(call, Limit(RLIMIT_MEMLOCK, 0));
    CHILD_CHECK(call, StartsWell());
    CHILD_CHECK(call, StartsWell(std::string(100000, 'a')));
    return 0;
}

TEST(Host, MayBeAllowedToLockNoMemory)
{
    ExpectItWorks(MayLockNoMemory);
}

int StartsFromASmallStack(brood_call *call)
{
    pthread_attr_t attributes;
    pthread_t thread;
    int rc = -1;
    const auto start = [](void *out) -> void * {
        *static_cast<int *>(out) = StartsWell() ? 0 : 1;
        return nullptr;
    };
    pthread_attr_init(&attributes);
    CHILD_CHECK(call, pthread_attr_setstacksize(&attributes, 96 << 10) == 0);
    CHILD_CHECK(call, pthread_create(&thread, &attributes, start, &rc) == 0);
    pthread_join(thread, nullptr);
    pthread_attr_destroy(&attributes);
    CHILD_CHECK(call, rc == 0);
    return 0;
}

TEST(Host, MayStartFromAThreadWithASmallStack)
{
#if defined(BROOD_SANITIZED)
    GTEST_SKIP() << "a sanitizer needs a larger one";
#endif
    ExpectItWorks(StartsFromASmallStack);
}

} // namespace

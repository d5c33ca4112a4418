/* Pools and what only Unix has: terminals, and Ctrl-C for a whole group. */
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "support/family.h"
#include "support/methods.h"
#include "support/pools.h"
#include "support/process_list.h"

namespace {

/* Standard error is a terminal while it lives. */
class Terminal {
  public:
    Terminal() : kept_(dup(STDERR_FILENO)), master_(posix_openpt(O_RDWR | O_NOCTTY))
    {
        if (master_ >= 0 && grantpt(master_) == 0 && unlockpt(master_) == 0) {
            const int slave = open(ptsname(master_), O_RDWR | O_NOCTTY);
            good = slave >= 0 && dup2(slave, STDERR_FILENO) == STDERR_FILENO;
            (void)close(slave);
        }
        (void)fcntl(master_, F_SETFL, O_NONBLOCK);
    }
    Terminal(const Terminal &) = delete;
    Terminal &operator=(const Terminal &) = delete;
    ~Terminal()
    {
        (void)dup2(kept_, STDERR_FILENO);
        (void)close(kept_);
        (void)close(master_);
    }
    std::string Shown() const
    {
        char text[4096];
        const ssize_t n = read(master_, text, sizeof text);
        return n > 0 ? std::string(text, static_cast<size_t>(n)) : "";
    }
    bool good = false;

  private:
    int kept_, master_;
};

TEST(ProgressBar, ShowsHowFarItIsAndGoesAway)
{
    std::string first, last;
    char label[] = "work";
    {
        const Terminal terminal;
        if (!terminal.good) {
            GTEST_SKIP() << "no terminals to be had";
        }
        brood_progress_bar(label, 250, 1000);
        first = terminal.Shown();
        brood_progress_bar(label, 1000, 1000);
        last = terminal.Shown();
    }
    EXPECT_NE(std::string::npos, first.find("work  25% [######")) << first;
    EXPECT_NE(std::string::npos, first.find(" 250/1000 ")) << first;
    EXPECT_NE(std::string::npos, first.find("/s ")) << first;
    EXPECT_NE(std::string::npos, first.find(" left")) << first;
    EXPECT_EQ(std::string::npos, last.find_first_not_of("\r ")) << last;
}

class PoolSignals : public OverMethods {};
INSTANTIATE_TEST_SUITE_P(By, PoolSignals, testing::ValuesIn(StartMethods()), MethodName);

int InterruptMyself(brood_call *call)
{
    (void)raise(SIGINT);
    return brood_return(call, brood_int(1));
}

TEST_P(PoolSignals, WorkersIgnoreInterrupts)
{
    const Pool pool = NewPool(1);
    Message message;
    ASSERT_EQ(0, Apply(pool, &message, InterruptMyself)) << LastWords();
    EXPECT_EQ(1, IntIn(message));
}

/* What a terminal does for Ctrl-C: every process of the group gets the signal, fork server and
 * workers too. */
volatile std::sig_atomic_t interrupts;

std::atomic<int32_t> *Come(brood_array *come)
{
    return reinterpret_cast<std::atomic<int32_t> *>(brood_array_data(come, int32_t));
}

int ComeIn(brood_call *call)
{
    brood_array *come;
    const int rc = BROOD_UNPACK(call, &come);
    if (rc == 0) {
        Come(come)->fetch_add(1);
    }
    return rc;
}

Pool PoolThatComesIn(const brood_args *args)
{
    brood_pool_options options = BROOD_OPTIONS_INIT(pool);
    options.workers = 2;
    options.initializer = ComeIn;
    options.initargs = args;
    return NewPool(options);
}

int PoolInAGroup(brood_call *call)
{
    const char *method;
    const int rc = BROOD_UNPACK(call, &method);
    CHILD_CHECK(call, rc == 0);
    CHILD_CHECK(call, setpgid(0, 0) == 0);
    CHILD_CHECK(call, brood_set_start_method(method, true) == 0);
    (void)signal(SIGINT, [](int) { interrupts = interrupts + 1; });
    brood_array *come = nullptr; /* workers do not listen any more */
    CHILD_CHECK(call, brood_array_new(&come, int32_t, 1, nullptr) == 0);
    const std::unique_ptr<brood_array, decltype(&brood_array_free)> owned(come, brood_array_free);
    const Pool pool = PoolThatComesIn(BROOD_ARGS(come));
    CHILD_CHECK(call, pool && WaitFor([come] { return Come(come)->load() == 2; }));
    Message after;
    const std::vector<int64_t> workers = Workers();
    std::vector<PoolResult> results;
    for (int i = 0; i < 200; i++) {
        results.push_back(ApplyAsync(pool, Square, BROOD_ARGS(i)));
        if (i % 50 == 25) {
            CHILD_CHECK(call, kill(0, SIGINT) == 0);
        }
    }
    for (const PoolResult &result : results) {
        CHILD_CHECK(call, Get(result) == 0);
    }
    CHILD_CHECK(call, Map(pool, &after, Square, Numbers(100)) == 0 && IsSquares(after, 100));
    CHILD_CHECK(call, workers == Workers());
    CHILD_CHECK(call, interrupts == 4);
    return 0;
}

TEST_P(PoolSignals, CtrlCReachesTheParentOnly)
{
    EXPECT_EQ(0, Result(Start(PoolInAGroup, BROOD_ARGS(GetParam().c_str())))) << LastWords();
}

} // namespace

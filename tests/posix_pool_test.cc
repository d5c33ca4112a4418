/* Pools and what only Unix has: terminals, and Ctrl-C for a whole group. */
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <string>

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

} // namespace

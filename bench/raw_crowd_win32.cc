/* What raw_crowd_posix.cc does is not done here: there is only the word, between two threads. */
#include "raw.h"

#include <windows.h>

#include <atomic>
#include <thread>

namespace raw {

const char *const kWordIs = "a word between two threads, spinning";

std::vector<CrowdWay> CrowdWays()
{
    return {};
}

struct Crowd::Insides {};

Crowd::Crowd(const std::string &, int, size_t, size_t) : insides_(nullptr)
{
}

Crowd::~Crowd() = default;

void Crowd::Run(uint64_t)
{
}

struct Words::Insides {
    std::atomic<uint32_t> word{0};
};

Words::Words(int, int) : insides_(new Insides)
{
}

Words::~Words()
{
    delete insides_;
}

void Words::Run(uint64_t count)
{
    const auto work = [this, count](uint32_t mine) {
        for (uint64_t i = 0; i < count; i++) {
            while (insides_->word.load() % 2 != mine) {
                YieldProcessor();
            }
            insides_->word.fetch_add(1);
        }
    };
    std::thread other(work, 1);
    work(0);
    other.join();
}

double ResidentMiB()
{
    return -1;
}

} // namespace raw

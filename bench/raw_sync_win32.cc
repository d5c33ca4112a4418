/* What raw_sync_posix.cc does is not done here. */
#include "raw.h"

namespace raw {

const char *const kDeathIs = nullptr;

std::vector<std::string> LockWays()
{
    return {};
}

struct LockCrowd::Insides {};

LockCrowd::LockCrowd(const std::string &, int) : insides_(nullptr)
{
}

LockCrowd::~LockCrowd() = default;

void LockCrowd::Run(uint64_t)
{
}

std::vector<std::string> HandOffWays()
{
    return {};
}

struct HandOff::Insides {};

HandOff::HandOff(const std::string &) : insides_(nullptr)
{
}

HandOff::~HandOff() = default;

void HandOff::Run(uint64_t)
{
}

double SecondsToNotice()
{
    return 0;
}

} // namespace raw

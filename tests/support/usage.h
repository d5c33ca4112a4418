/* How much a process uses, and how much it may. */
#pragma once

#include <cstddef>
#include <string>

/// kMostChildren is how many processes at once a test may ask of this system.
extern const long kMostChildren;

/// WhyNotSoManyProcesses says in words why this machine cannot have `count` children at once, or
/// nothing if it can.
std::string WhyNotSoManyProcesses(size_t count);

/// AvailableMemory is how many bytes of memory the machine has left.
unsigned long long AvailableMemory();

/// ResidentMemory is how many bytes of memory this process has, shared ones too.
size_t ResidentMemory();

/// kMemoryIsMeasured tells whether ResidentMemory is that of the program alone.
extern const bool kMemoryIsMeasured;

/// UsualLimits is, while it lives, the limit of open descriptors that most systems have: 1,024.
class UsualLimits {
  public:
    UsualLimits();
    UsualLimits(const UsualLimits &) = delete;
    UsualLimits &operator=(const UsualLimits &) = delete;
    ~UsualLimits();

  private:
    unsigned long long before_ = 0;
};

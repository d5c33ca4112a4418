/* How much memory this process has had at most. */
#pragma once

#include <cstddef>

/// PeakMemory is in bytes; 0 where it is not known or where a sanitizer needs most of it.
size_t PeakMemory();

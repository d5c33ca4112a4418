/* What a test of the Windows port must not leave behind either. */
#pragma once

#include <cstddef>

/// CountEvents returns how many event objects this process holds open.
size_t CountEvents();

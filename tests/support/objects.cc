#include "support/objects.h"

#include <cstdlib>

long Scaled(long full)
{
    const char *text = std::getenv("BROOD_TEST_SCALE");
    const long percent = text != nullptr ? std::atol(text) : 10;
    const long scaled = full / 100 * percent + full % 100 * percent / 100;

    return scaled > 0 ? scaled : 1;
}

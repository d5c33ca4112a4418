#include "support/host.h"

#include <gtest/gtest.h>

void ExpectItWorks(brood_function host)
{
    const Process process = Start(host);
    const int rc = Result(process);
    if (rc == BROOD_ETASK && brood_last_error()->code == 77) {
        GTEST_SKIP() << LastWords();
    }
    EXPECT_EQ(0, rc) << LastWords();
}

int Nothing(brood_call *)
{
    return 0;
}

int GiveBack(brood_call *call)
{
    brood_value value;
    const int rc = BROOD_UNPACK(call, &value);
    return rc ? rc : brood_return(call, value);
}

bool StartsWell()
{
    return Result(Start(Nothing)) == 0;
}

bool StartsWell(const std::string &data)
{
    Message answer;
    if (Result(Start(GiveBack, BROOD_ARGS(brood_bytes(data.data(), data.size()))), &answer) != 0) {
        return false;
    }
    const brood_view view = brood_as_view(brood_message_value(answer.get()));
    return data == std::string(static_cast<const char *>(view.data), view.size);
}

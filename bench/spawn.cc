/* Starting a process and waiting for its end, from a small parent and from a large one. */
#include "bench.h"
#include "raw.h"

#include <brood.h>

#include <cstring>
#include <memory>

namespace {

int Nothing(brood_call *)
{
    return 0;
}

void StartAndJoin()
{
    brood_process *process = nullptr;
    Must(brood_process_start(&process, Nothing, nullptr, nullptr), "start");
    Must(brood_process_join(process, BROOD_FOREVER), "join");
    int code = -1;
    Must(brood_process_exitcode(process, &code), "exit code");
    brood_process_free(process);
    if (code != 0) {
        Must(BROOD_EINVAL, "the child failed");
    }
}

Work Repeat(void (*once)())
{
    return [once](uint64_t count) {
        return Seconds([&] {
            for (uint64_t i = 0; i < count; i++) {
                once();
            }
        });
    };
}

void StartWith(Bench &bench, const char *words, size_t touched)
{
    Row row;
    row.name = std::string("spawn start+join, parent has ") + words;
    row.unit = "us";
    row.limit_is = raw::kSpawnIs;
    row.value = [](double seconds) { return seconds * 1e6; };
    row.bar = 1.2;
    if (!bench.Wants(row.name)) {
        return;
    }
    const std::unique_ptr<char[]> memory(new (std::nothrow) char[touched]);
    if (!memory) {
        bench.Skip(row.name, "not enough memory");
        return;
    }
    std::memset(memory.get(), 1, touched);
    bench.Compare(row, Repeat(raw::RunAndWait), Repeat(StartAndJoin));
}

} // namespace

void BenchSpawn(Bench &bench)
{
    StartWith(bench, "10 MiB", size_t{10} << 20);
    StartWith(bench, "1 GiB", size_t{1} << 30);
}

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

void StartAndJoin(const brood_context *context)
{
    brood_process_options options = BROOD_OPTIONS_INIT(process);
    options.context = context;
    brood_process *process = nullptr;
    Must(brood_process_start(&process, Nothing, nullptr, &options), "start");
    Must(brood_process_join(process, BROOD_FOREVER), "join");
    int code = -1;
    Must(brood_process_exitcode(process, &code), "exit code");
    brood_process_free(process);
    if (code != 0) {
        Must(BROOD_EINVAL, "the child failed");
    }
}

Work Repeat(const std::function<void()> &once)
{
    return [once](uint64_t count) {
        return Seconds([&] {
            for (uint64_t i = 0; i < count; i++) {
                once();
            }
        });
    };
}

/* A start method beside what the system itself takes for it. */
struct Method {
    const char *name;
    const char *limit_is;
    void (*limit)();
    double bar;
};

void StartWith(Bench &bench, const Method &method, const char *words, size_t touched)
{
    Row row;
    row.name = std::string(method.name) + " start+join, parent has " + words;
    row.unit = "us";
    row.limit_is = method.limit_is;
    row.value = [](double seconds) { return seconds * 1e6; };
    row.bar = method.bar;
    if (!bench.Wants(row.name)) {
        return;
    }
    const brood_context *context = nullptr;
    Must(brood_get_context(&context, method.name), method.name);
    const std::unique_ptr<char[]> memory(new (std::nothrow) char[touched]);
    if (!memory) {
        bench.Skip(row.name, "not enough memory");
        return;
    }
    std::memset(memory.get(), 1, touched);
    bench.Compare(row, Repeat(method.limit), Repeat([context] { StartAndJoin(context); }));
}

} // namespace

void BenchSpawn(Bench &bench)
{
    const Method spawn = {BROOD_SPAWN, raw::kSpawnIs, raw::RunAndWait, 1.2};
    const Method fork = {BROOD_FORK, raw::kForkIs, raw::ForkAndWait, 1.3};
    const Method server = {BROOD_FORKSERVER, raw::kZygoteIs, raw::AskZygoteAndWait, 1.4};
    for (const Method &method : {spawn, fork, server}) {
        if (method.limit_is != nullptr) {
            StartWith(bench, method, "10 MiB", size_t{10} << 20);
            StartWith(bench, method, "1 GiB", size_t{1} << 30);
        }
    }
}

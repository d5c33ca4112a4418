#include "bench.h"
#include "raw.h"

#include <brood.h>

#include <cstdio>
#include <cstring>
#include <exception>

namespace {

int Usage()
{
    (void)std::fputs("Usage: brood_bench [--quick] [--filter PART-OF-A-NAME] [--json FILE]\n",
                     stderr);
    return 2;
}

bool Parse(Settings &settings, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const bool has_value = i + 1 < argc;
        if (std::strcmp(argv[i], "--quick") == 0) {
            settings.quick = true;
        } else if (std::strcmp(argv[i], "--filter") == 0 && has_value) {
            settings.filter = argv[++i];
        } else if (std::strcmp(argv[i], "--json") == 0 && has_value) {
            settings.json = argv[++i];
        } else {
            return false;
        }
    }
    return true;
}

int Run(const Settings &settings)
{
    try {
        Bench bench(settings);
        BenchSpawn(bench);
        BenchConnection(bench);
        BenchWait(bench);
        BenchMemory(bench);
        BenchPool(bench);
        BenchQueue(bench);
        BenchSync(bench);
        BenchCodec(bench);
        bench.WriteJson();
    } catch (const std::exception &problem) {
        (void)std::fprintf(stderr, "brood_bench: %s\n", problem.what());
        return 1;
    }
    return 0;
}

} // namespace

int main(int argc, char **argv)
{
    /* The raw counterparts: the same program without brood. */
    if (argc > 1 && std::strcmp(argv[1], raw::kExitMode) == 0) {
        return 0;
    }
    if (argc > 1 && std::strcmp(argv[1], raw::kZygoteMode) == 0) {
        return raw::Zygote(argc, argv);
    }
    if (argc > 1 && std::strcmp(argv[1], raw::kPeerMode) == 0) {
        return RawPeer(argc, argv);
    }
    brood_init(argc, argv);

    Settings settings;
    return Parse(settings, argc, argv) ? Run(settings) : Usage();
}

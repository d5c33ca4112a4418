/* Shared memory: making it, and handing it to another process. */
#include "bench.h"
#include "raw.h"

#include <brood.h>

#include <string>

namespace {

constexpr size_t kPassed = size_t{1} << 20;

Row RowOf(const std::string &name, const char *limit_is, double bar)
{
    Row row;
    row.name = name;
    row.unit = "us";
    row.limit_is = limit_is;
    row.value = [](double seconds) { return seconds * 1e6; };
    row.bar = bar;
    return row;
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

void NewAndFree(Bench &bench, size_t mebibytes)
{
    const size_t size = mebibytes << 20;
    const Row row =
        RowOf("memory new+free, " + std::to_string(mebibytes) + " MiB", raw::kMemoryIs, 1.15);
    if (!bench.Wants(row.name)) {
        return;
    }
    const auto limit = [size] { const raw::Memory memory(size); };
    const auto ours = [size] {
        brood_memory *memory = nullptr;
        Must(brood_memory_new(&memory, size, nullptr), "memory");
        brood_memory_free(memory);
    };
    bench.Compare(row, Repeat(limit), Repeat(ours));
}

void NewAndFreeOfOne(Bench &bench)
{
    const Row row = RowOf("array new+free, one int with a lock", raw::kMemoryIs, 0);
    if (!bench.Wants(row.name)) {
        return;
    }
    const auto limit = [] { const raw::Memory memory(sizeof(int)); };
    const auto ours = [] {
        brood_array *array = nullptr;
        Must(brood_array_new(&array, int, 1, nullptr), "array");
        brood_array_free(array);
    };
    bench.Compare(row, Repeat(limit), Repeat(ours));
}

/* Takes what it is sent, lets it go, and says so. */
int Take(brood_call *call)
{
    brood_connection *connection = nullptr;
    int rc = BROOD_UNPACK(call, &connection);
    while (rc == 0) {
        brood_message *message = nullptr;
        brood_memory *memory = nullptr;
        rc = brood_recv(connection, &message, BROOD_FOREVER);
        rc = rc ? rc : BROOD_UNPACK(message, &memory);
        brood_message_free(message);
        rc = rc ? rc : brood_send_bytes(connection, "", 1, BROOD_FOREVER);
    }
    return rc == BROOD_EEND ? 0 : rc;
}

void Pass(Bench &bench)
{
    const Row row = RowOf("memory passed to a child, 1 MiB", raw::kPassIs, 0);
    if (!bench.Wants(row.name)) {
        return;
    }
    const raw::Memory raw_memory(kPassed);
    const raw::Peer peer({"memory", std::to_string(kPassed), "-1"});
    brood_memory *memory = nullptr;
    brood_connection *ours = nullptr;
    brood_connection *theirs = nullptr;
    brood_process *child = nullptr;
    Must(brood_memory_new(&memory, kPassed, nullptr), "memory");
    Must(brood_pipe(&ours, &theirs, BROOD_DUPLEX), "pipe");
    Must(brood_process_start(&child, Take, BROOD_ARGS(BROOD_GIVE(theirs)), nullptr), "start");
    brood_connection_free(theirs);
    const auto limit = [&] {
        char byte = 0;
        peer.Give(raw_memory);
        (void)raw::ReadAll(peer.channel(), &byte, 1);
    };
    const auto brood = [&] {
        char byte = 0;
        size_t size = 1;
        Must(brood_send(ours, brood_of(memory), BROOD_FOREVER), "send");
        Must(brood_recv_bytes_into(ours, &byte, &size, BROOD_FOREVER), "receive");
    };
    bench.Compare(row, Repeat(limit), Repeat(brood));
    brood_connection_free(ours);
    (void)brood_process_join(child, BROOD_FOREVER);
    brood_process_free(child);
    brood_memory_free(memory);
}

} // namespace

void TakeMemories(intptr_t channel, size_t size)
{
    while (raw::TakeMemory(channel, size)) {
        raw::WriteAll(channel, "", 1);
    }
}

void BenchMemory(Bench &bench)
{
    NewAndFree(bench, 1);
    NewAndFree(bench, 256);
    NewAndFreeOfOne(bench);
    Pass(bench);
}

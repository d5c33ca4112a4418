/* Values to bytes and back. The limit is a copy of the same bytes into new memory. */
#include "bench.h"

#include <brood.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

/* The compiler may not leave out a copy that nobody reads. */
void *volatile kept;

Work Copies(const brood_view &bytes)
{
    return [bytes](uint64_t count) {
        return Seconds([&] {
            for (uint64_t i = 0; i < count; i++) {
                void *copy = std::malloc(bytes.size);
                std::memcpy(copy, bytes.data, bytes.size);
                kept = copy;
                std::free(kept);
            }
        });
    };
}

Work Encodes(brood_value value)
{
    return [value](uint64_t count) {
        return Seconds([&] {
            for (uint64_t i = 0; i < count; i++) {
                brood_message *bytes = nullptr;
                Must(brood_encode(&bytes, value), "encode");
                brood_message_free(bytes);
            }
        });
    };
}

Work Decodes(const brood_view &bytes)
{
    return [bytes](uint64_t count) {
        return Seconds([&] {
            for (uint64_t i = 0; i < count; i++) {
                brood_message *message = nullptr;
                Must(brood_decode(&message, bytes.data, bytes.size), "decode");
                brood_message_free(message);
            }
        });
    };
}

/* `value` both ways; a large one counts in MB/s. */
void BothWays(Bench &bench, const char *words, brood_value value, bool large)
{
    brood_message *encoded = nullptr;
    Must(brood_encode(&encoded, value), "encode");
    const brood_view bytes = brood_as_view(brood_message_value(encoded));
    Row row;
    row.unit = large ? "MB/s" : "ns";
    row.limit_is = "malloc + memcpy + free of the encoded bytes";
    row.more_is_better = large;
    row.value = [large, bytes](double seconds) {
        return large ? 1e-6 * static_cast<double>(bytes.size) / seconds : seconds * 1e9;
    };
    row.name = std::string("encode ") + words;
    if (bench.Wants(row.name)) {
        bench.Compare(row, Copies(bytes), Encodes(value));
    }
    row.name = std::string("decode ") + words;
    if (bench.Wants(row.name)) {
        bench.Compare(row, Copies(bytes), Decodes(bytes));
    }
    brood_message_free(encoded);
}

} // namespace

void BenchCodec(Bench &bench)
{
    brood_message *small = nullptr;
    Must(brood_message_new(&small, BROOD_DICT("id", 123456, "name", "a small message", "ratio", 0.5,
                                              "tags", BROOD_LIST(1, 2, 3))),
         "message");
    BothWays(bench, "a small message", brood_message_value(small), false);
    brood_message_free(small);

    const std::vector<char> large(16 << 20, 'x');
    BothWays(bench, "16 MiB of bytes", brood_bytes(large.data(), large.size()), true);
}

/* Values to bytes and back, in the processor's time. The limit is a copy of the same bytes into new
 * memory; CPython's pickle is measured right before, where there is a python3. */
#include "bench.h"
#include "raw.h"

#include <brood.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <iterator>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace {

/* Nothing here waits, so that the processor's time is what counts: other programs take none of it.
 * (On Windows the C library's clock shows real time.) */
double CpuSeconds(const std::function<void()> &work)
{
    const std::clock_t start = std::clock();
    work();
    return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

/* The compiler may not leave out a copy that nobody reads. */
void *volatile kept;

Work Copies(const brood_view &bytes)
{
    return [bytes](uint64_t count) {
        return CpuSeconds([&] {
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
        return CpuSeconds([&] {
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
        return CpuSeconds([&] {
            for (uint64_t i = 0; i < count; i++) {
                brood_message *message = nullptr;
                Must(brood_decode(&message, bytes.data, bytes.size), "decode");
                brood_message_free(message);
            }
        });
    };
}

/* What CPython takes for the same values, by row: seconds in each round. Empty where there is no
 * python3. */
nlohmann::json AskPython(const Bench &bench)
{
    const auto effort = bench.Effort();
    const std::string command = "python3 \"" BROOD_BENCH_PICKLES "\" " +
                                std::to_string(effort.first) + " " + std::to_string(effort.second);
    const nlohmann::json answer = nlohmann::json::parse(raw::OutputOf(command), nullptr, false);
    return answer.is_object() ? answer : nlohmann::json::object();
}

class Codec {
  public:
    explicit Codec(Bench &bench) : bench_(bench)
    {
    }
    /* `value` both ways; a large one counts in MB/s, of our bytes for CPython too. */
    void BothWays(const char *words, brood_value value, bool large)
    {
        const std::string encode = std::string("encode ") + words;
        const std::string decode = std::string("decode ") + words;
        if (!bench_.Wants(encode) && !bench_.Wants(decode)) {
            return;
        }
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
        Measure(row, encode, Copies(bytes), Encodes(value));
        Measure(row, decode, Copies(bytes), Decodes(bytes));
        brood_message_free(encoded);
    }

  private:
    void Measure(Row row, const std::string &name, const Work &limit, const Work &brood)
    {
        if (!bench_.Wants(name)) {
            return;
        }
        if (python_.is_null()) {
            python_ = AskPython(bench_);
        }
        row.name = name;
        if (python_.contains(name)) {
            row.peer_is = python_["python"].get<std::string>();
            row.peer = python_[name].get<std::vector<double>>();
        }
        bench_.Compare(row, limit, brood);
    }

    Bench &bench_;
    nlohmann::json python_;
};

/* 1,000 values; `make` gets the number of each, and a place for its items. */
void Thousand(Codec &codec, const char *words,
              const std::function<brood_value(int i, brood_value *items)> &make)
{
    constexpr size_t kCount = 1000;
    constexpr size_t kItems = 6;
    std::vector<brood_value> values(kCount), items(kCount * kItems);
    for (size_t i = 0; i < kCount; i++) {
        values[i] = make(static_cast<int>(i), &items[i * kItems]);
    }
    codec.BothWays(words, brood_list(values.data(), kCount), true);
}

/* As in pickles.py. */
void Thousands(Codec &codec)
{
    std::vector<std::string> texts;
    for (int i = 0; i < 1000; i++) {
        texts.push_back("text " + std::to_string(i));
    }
    const auto text = [&texts](int i) { return brood_str(texts[static_cast<size_t>(i)].c_str()); };
    const auto three = [text](int i, brood_value *items) {
        items[0] = brood_int(i);
        items[1] = brood_float(i * 1.1);
        items[2] = text(i);
    };
    Thousand(codec, "1,000 ints", [](int i, brood_value *) { return brood_int(i * 1000); });
    Thousand(codec, "1,000 floats", [](int i, brood_value *) { return brood_float(i * 1.1); });
    Thousand(codec, "1,000 short texts", [text](int i, brood_value *) { return text(i); });
    Thousand(codec, "1,000 tuples", [three](int i, brood_value *items) {
        three(i, items);
        return brood_tuple(items, 3);
    });
    Thousand(codec, "1,000 lists", [three](int i, brood_value *items) {
        three(i, items);
        return brood_list(items, 3);
    });
    Thousand(codec, "1,000 dicts", [text](int i, brood_value *items) {
        const brood_value pairs[] = {brood_str("id"), brood_int(i),       brood_str("name"),
                                     text(i),         brood_str("ratio"), brood_float(i * 1.1)};
        std::copy(std::begin(pairs), std::end(pairs), items);
        return brood_dict(items, 3);
    });
}

} // namespace

void BenchCodec(Bench &bench)
{
    Codec codec(bench);
    brood_message *small = nullptr;
    Must(brood_message_new(&small, BROOD_DICT("id", 123456, "name", "a small message", "ratio", 0.5,
                                              "tags", BROOD_LIST(1, 2, 3))),
         "message");
    codec.BothWays("a small message", brood_message_value(small), false);
    Thousands(codec);
    Thousand(codec, "1,000 times one dict",
             [small](int, brood_value *) { return brood_message_value(small); });
    brood_message_free(small);

    const std::vector<char> large(16 << 20, 'x');
    codec.BothWays("16 MiB of bytes", brood_bytes(large.data(), large.size()), true);
    codec.BothWays("16 MiB of text", brood_text(large.data(), large.size()), true);
}

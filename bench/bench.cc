#include "bench.h"

#include <brood.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <stdexcept>

#include <nlohmann/json.hpp>

namespace {

/* A run has about 40 rows: 2 * rounds * slice each, and a tenth more to find the counts. */
struct EffortOfRow {
    int rounds;
    double slice; /* seconds */
};

EffortOfRow EffortOf(const Settings &settings)
{
    return settings.quick ? EffortOfRow{5, 0.01} : EffortOfRow{25, 0.035};
}

/* How many operations fill a slice; this is also the warm-up. */
uint64_t CountFor(const Work &work, double slice)
{
    uint64_t count = 1;
    for (;;) {
        const double now = static_cast<double>(count);
        const double seconds = work(count);
        if (seconds >= slice / 4) {
            return std::max<uint64_t>(1, static_cast<uint64_t>(now * slice / seconds));
        }
        const double factor = seconds > 0 ? slice / 2 / seconds : 10;
        count = static_cast<uint64_t>(now * std::clamp(factor, 2.0, 10.0));
    }
}

double Median(std::vector<double> samples)
{
    std::sort(samples.begin(), samples.end());
    const size_t half = samples.size() / 2;
    return samples.size() % 2 == 1 ? samples[half] : (samples[half - 1] + samples[half]) / 2;
}

/* The two of a round were measured one right after the other: their ratio says more than that of
 * the medians when the machine has other work at times. */
double MedianRatio(const std::vector<double> &brood, const std::vector<double> &limit)
{
    std::vector<double> ratios;
    for (size_t i = 0; i < brood.size(); i++) {
        ratios.push_back(brood[i] / limit[i]);
    }
    return Median(ratios);
}

} // namespace

double Seconds(const std::function<void()> &work)
{
    using Clock = std::chrono::steady_clock;
    const Clock::time_point start = Clock::now();
    work();
    return std::chrono::duration<double>(Clock::now() - start).count();
}

void Must(int rc, const char *what)
{
    if (rc != 0) {
        throw std::runtime_error(std::string(what) + ": " + brood_last_error()->message);
    }
}

Bench::Bench(const Settings &settings) : settings_(settings)
{
    std::printf("%-44s %12s %12s %8s  %s\n", "", "limit", "brood", "ratio", "bar");
}

std::pair<int, double> Bench::Effort() const
{
    const auto effort = EffortOf(settings_);
    return {effort.rounds, effort.slice};
}

bool Bench::Wants(const std::string &name) const
{
    return name.find(settings_.filter) != std::string::npos;
}

void Bench::Compare(const Row &row, const Work &limit, const Work &brood)
{
    const auto effort = EffortOf(settings_);
    Result result;
    result.row = row;
    for (double &sample : result.row.peer) {
        sample = row.value(sample);
    }
    const uint64_t limit_count = CountFor(limit, effort.slice);
    const uint64_t brood_count = CountFor(brood, effort.slice);
    const auto measure = [&](std::vector<double> &samples, const Work &work, uint64_t count) {
        samples.push_back(row.value(work(count) / static_cast<double>(count)));
    };
    for (int i = 0; i < effort.rounds; i++) {
        if (i % 2 == 0) {
            measure(result.limit, limit, limit_count);
            measure(result.brood, brood, brood_count);
        } else {
            measure(result.brood, brood, brood_count);
            measure(result.limit, limit, limit_count);
        }
    }
    Print(result);
    results_.push_back(result);
}

void Bench::Skip(const std::string &name, const std::string &reason)
{
    Result result;
    result.row.name = name;
    result.skipped = reason;
    Print(result);
    results_.push_back(result);
}

void Bench::Print(const Result &result) const
{
    const Row &row = result.row;
    char bar[32] = "";
    if (!result.skipped.empty()) {
        std::printf("%-44s skipped: %s\n", row.name.c_str(), result.skipped.c_str());
        return;
    }
    const double ratio = MedianRatio(result.brood, result.limit);
    if (row.bar > 0) {
        const bool reached = row.more_is_better ? ratio >= row.bar : ratio <= row.bar;
        (void)std::snprintf(bar, sizeof bar, "%s %.2f%s", row.more_is_better ? ">=" : "<=", row.bar,
                            reached ? "" : "  missed");
    }
    char peer[96] = "";
    if (!row.peer_is.empty()) {
        (void)std::snprintf(peer, sizeof peer, "%s: %.4g", row.peer_is.c_str(), Median(row.peer));
    }
    const std::string name = row.name + " [" + row.unit + "]";
    std::printf("%-44s %12.4g %12.4g %8.2f  %s%s\n", name.c_str(), Median(result.limit),
                Median(result.brood), ratio, bar, peer);
    (void)std::fflush(stdout);
}

void Bench::WriteJson() const
{
    if (settings_.json.empty()) {
        return;
    }
    nlohmann::json rows = nlohmann::json::array();
    for (const Result &result : results_) {
        const Row &row = result.row;
        if (!result.skipped.empty()) {
            rows.push_back({{"name", row.name}, {"skipped", result.skipped}});
            continue;
        }
        rows.push_back({{"name", row.name},
                        {"unit", row.unit},
                        {"better", row.more_is_better ? "more" : "less"},
                        {"limit", {{"is", row.limit_is}, {"median", Median(result.limit)}}},
                        {"brood", {{"median", Median(result.brood)}}},
                        {"ratio", MedianRatio(result.brood, result.limit)}});
        rows.back()["limit"]["samples"] = result.limit;
        rows.back()["brood"]["samples"] = result.brood;
        if (row.bar > 0) {
            rows.back()["bar"] = row.bar;
        }
        if (!row.peer_is.empty()) {
            rows.back()["peer"] = {{"is", row.peer_is}, {"median", Median(row.peer)}};
            rows.back()["peer"]["samples"] = row.peer;
        }
    }
    const nlohmann::json report = {
        {"program", "brood_bench"}, {"version", brood_version()}, {"rows", rows}};
    std::ofstream file(settings_.json);
    file << report.dump(2) << "\n";
    if (!file.flush()) {
        throw std::runtime_error("cannot write " + settings_.json);
    }
}

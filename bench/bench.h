/* The benchmark: each row sets brood beside a limit, the raw system calls that do the same. Both
 * are measured in the same run, in turns, so that what else the machine does meets both. Printed are
 * medians; the ratio is the median of the rounds' ratios. */
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

/// Work does `count` operations and returns how many seconds they took.
using Work = std::function<double(uint64_t count)>;

struct Row {
    std::string name;
    std::string unit; /* what `value` returns */
    std::string limit_is;
    std::function<double(double seconds)> value; /* of what one operation took */
    double bar = 0; /* the ratio to reach: at most, or with `more_is_better` at least; 0: none */
    bool more_is_better = false;
    std::string peer_is;      /* somebody else's program for the same; "" where there is none */
    std::vector<double> peer; /* what one operation took it in each round, in seconds */
};

struct Settings {
    bool quick = false;
    std::string filter; /* a part of the row's name */
    std::string json;   /* a file */
};

class Bench {
  public:
    explicit Bench(const Settings &settings);

    /// Wants tells whether the row is to be measured: what it needs should only be made then.
    bool Wants(const std::string &name) const;

    /// Compare measures a row and prints it.
    void Compare(const Row &row, const Work &limit, const Work &brood);

    /// Effort is how many rounds a row takes, and how many seconds each of its two sides in a round.
    std::pair<int, double> Effort() const;

    /// Skip prints why a row is not measured.
    void Skip(const std::string &name, const std::string &reason);

    /// WriteJson writes all rows with all their samples.
    void WriteJson() const;

  private:
    struct Result {
        Row row;
        std::vector<double> limit, brood; /* samples */
        std::string skipped;
    };
    void Print(const Result &result) const;

    Settings settings_;
    std::vector<Result> results_;
};

/// Seconds measures `work`.
double Seconds(const std::function<void()> &work);

/// Must throws std::runtime_error with brood's words if `rc` is not 0.
void Must(int rc, const char *what);

/* The rows, each group in its file. */
void BenchSpawn(Bench &bench);
void BenchConnection(Bench &bench);
void BenchWait(Bench &bench);
void BenchMemory(Bench &bench);
void BenchQueue(Bench &bench);
void BenchSync(Bench &bench);
void BenchCodec(Bench &bench);
void BenchPool(Bench &bench);

/// TakeMemories is what RawPeer does for BenchMemory.
void TakeMemories(intptr_t channel, size_t size);

/// RawPeer is what this program does when it is started as the other end of a raw channel.
int RawPeer(int argc, char **argv);

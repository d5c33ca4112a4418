#!/bin/sh
# bench.sh [OPTION...]: builds the benchmark in the preset `release` and runs it with the options
# given. It prints a table; the figures are also in build/bench.json.
. "$(dirname "$0")/common.sh"

sh tools/setup.sh
mkdir -p build
if ! { cmake --preset release && cmake --build --preset release --target brood_bench; } \
    >build/bench.log 2>&1; then
    tail -n 40 build/bench.log >&2
    fail "cannot build the benchmark"
fi
exec build/release/bench/brood_bench --json build/bench.json "$@"

#!/bin/sh
# coverage.sh [FOLDER]: shows how many of the lines and branches that each fuzzer is about its inputs
# reach: the seeds, and what was found in FOLDER/NAME (build/fuzz/fuzz/found if none is given).
# With DETAILS=yes it shows the lines that none of them reaches.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
found=$(cd "${1-$here/../build/fuzz/fuzz/found}" && pwd)
cd "$here/.."
build=build/fuzz-coverage

# tool NAME: LLVM's, by the version of the compiler where it has no plain name.
tool() {
    command -v "$1" || command -v "$1-$(clang -dumpversion | cut -d . -f 1)"
}
profdata=$(tool llvm-profdata)
cov=$(tool llvm-cov)

mkdir -p "$build"
{ cmake --preset fuzz-coverage && cmake --build --preset fuzz-coverage; } >"$build/log" 2>&1 || {
    tail -n 40 "$build/log" >&2
    exit 1
}

# cover NAME FILE...: the files in src that fuzz_NAME is about.
cover() {
    name=fuzz_$1
    shift
    program=$build/fuzz/$name
    profile=$build/$name
    inputs=fuzz/corpus/$name
    [ ! -d "$found/$name" ] || inputs="$inputs $found/$name"
    # The word splitting of $inputs is wanted: one or two folders.
    # shellcheck disable=SC2086
    LLVM_PROFILE_FILE="$profile.raw" "$program" -runs=0 -max_len=100000 $inputs >"$profile.log" 2>&1
    "$profdata" merge -sparse "$profile.raw" -o "$profile.data"
    say_coverage "$name" " $* "
}

# Which sources llvm-cov is to show it could be told, but not where the compiler's cache has made
# their names relative.
say_coverage() {
    echo "== $1"
    if [ "${DETAILS-}" = yes ]; then
        "$cov" show "$program" -instr-profile="$profile.data" | awk -v files="$2" '
            /:$/ { name = $0; sub(/:$/, "", name); sub(/.*\//, "", name)
                   wanted = index(files, " " name " "); shown = 0 }
            wanted && /^ *[0-9]+\| +0\|/ { if (!shown++) print name; print }'
    else
        "$cov" report "$program" -instr-profile="$profile.data" | awk -v files="$2" '
            { name = $1; sub(/.*\//, "", name) }
            index(files, " " name " ") {
                printf "%-24s %5d lines %8s  %4d branches %8s\n", name, $8, $10, $11, $13
            }'
    fi
}

decoding='codec_decode.c codec_scan.c codec_build.c codec_leaf.c codec_memo.c codec_node.c
    codec_check.c arena.c utf8.c'
# shellcheck disable=SC2086
{
    cover codec $decoding codec_encode.c codec_write.c sharing.c
    cover memory $decoding
    cover frame frame.c connection_recv.c
    cover bootstrap bootstrap.c report.c
    cover quoting quoting.c
}

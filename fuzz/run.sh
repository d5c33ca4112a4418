#!/bin/sh
# run.sh PROGRAM [SECONDS [OPTION]...]: runs a fuzzer from its seeds and from what it found earlier.
# Without SECONDS it is 30, or 15 if BROOD_TEST_SCALE is below 100. OPTIONs are libFuzzer's.
set -eu

program=$1
seconds=${2-}
shift
[ $# -eq 0 ] || shift
if [ -z "$seconds" ]; then
    seconds=30
    [ "${BROOD_TEST_SCALE:-100}" -ge 100 ] || seconds=15
fi

name=$(basename "$program")
here=$(cd "$(dirname "$0")" && pwd)
work=$(cd "$(dirname "$program")" && pwd)
found=$work/found/$name
crashes=$work/crashes
seeds=$here/corpus/$name
if [ -z "$(ls "$seeds")" ]; then
    echo "no seeds in $seeds" >&2
    exit 1
fi
mkdir -p "$found" "$crashes"

# As long as what they look for needs, and not longer: short inputs are quick.
case $name in
fuzz_codec) longest=2048 ;;
fuzz_memory) longest=64 ;;
fuzz_quoting) longest=160 ;;
*) longest=512 ;;
esac

status=0
"$program" -max_total_time="$seconds" -timeout=20 -max_len="$longest" -print_final_stats=1 \
    -artifact_prefix="$crashes/$name-" "$@" "$found" "$seeds" || status=$?
if [ "$status" -ne 0 ]; then
    echo "$name failed. If it says above where it wrote the test unit, this runs it again:"
    echo "    $work/$name $crashes/$name-..."
fi
exit "$status"

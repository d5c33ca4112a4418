#!/bin/sh
# run.sh PROGRAM [SECONDS [OPTION]...]: runs a fuzzer from its seeds and from what it found earlier.
# Without SECONDS it is 30, or 15 if BROOD_TEST_SCALE is below 100. OPTIONs are libFuzzer's.
set -eu

program=$1
seconds=${2-}
shift
[ $# -eq 0 ] || shift
by_hand=yes
if [ -z "$seconds" ]; then
    by_hand=no
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

fuzz() {
    "$program" -max_total_time="$seconds" -timeout=20 -max_len="$longest" -print_final_stats=1 \
        -artifact_prefix="$crashes/$name-" "$@" "$found" "$seeds"
}

status=0
if [ "$by_hand" = yes ]; then
    fuzz "$@" || status=$?
else
    # Kept whole, shown without what libFuzzer has to say while nothing is wrong.
    fuzz "$@" >"$work/$name.log" 2>&1 || status=$?
    grep -vE '^#[0-9]+[[:space:]]+(NEW|REDUCE|RELOAD|pulse)|# Uses:' "$work/$name.log" || :
    reproducer=$(sed -n 's/.*Test unit written to //p' "$work/$name.log" | tail -n 1)
    if [ -n "$reproducer" ]; then
        echo "This runs it again: $work/$name $reproducer"
    fi
fi
exit "$status"

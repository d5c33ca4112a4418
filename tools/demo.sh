#!/bin/sh
# demo.sh: builds examples/b2sum.c and checks it against the b2sum of GNU coreutils, byte for byte, over
# this project's files, all license texts of the system and a few large files; then measures both.
. "$(dirname "$0")/common.sh"

sh tools/setup.sh
command -v b2sum >/dev/null || fail "b2sum of GNU coreutils is needed to compare with"

demo=$top/build/demo
mkdir -p "$demo"
say "== building"
if ! { cmake --preset release && cmake --build --preset release --target b2sum; } \
    >"$demo/build.log" 2>&1; then
    tail -n 40 "$demo/build.log" >&2
    fail "cannot build the example"
fi
ours=$top/build/release/examples/b2sum

# list_files: the texts, one name a line. A tracked file may be gone, a license may be a dead link.
list_files() {
    git ls-files 2>/dev/null || find . -path ./build -prune -o -type f -print
    find /usr/share/common-licenses /usr/share/doc -name copyright -o \
        -path '/usr/share/common-licenses/*' 2>/dev/null || :
}
list_files | while IFS= read -r file; do
    if [ -f "$file" ] && [ -r "$file" ]; then
        printf '%s\n' "$file"
    fi
done >"$demo/texts"

# Small files show what a task costs, large ones what a second processor brings.
: >"$demo/large"
for number in 1 2 3 4 5 6 7 8; do
    file=$demo/large-$number
    [ -s "$file" ] || dd if=/dev/urandom of="$file" bs=1048576 count=16 2>/dev/null
    printf '%s\n' "$file" >>"$demo/large"
done

# on LIST COMMAND...: runs COMMAND with the names in LIST added, in one call.
on() {
    names=$1
    shift
    old_ifs=$IFS
    IFS='
'
    set -f
    # The word splitting is wanted: one word a line.
    # shellcheck disable=SC2046
    set -- "$@" $(cat "$names")
    set +f
    IFS=$old_ifs
    "$@"
}

workers=$(cores)
[ "$workers" -gt 1 ] || workers=2

wrong=0
for bits in 512 256 128; do
    for list in texts large; do
        on "$demo/$list" b2sum -l "$bits" >"$demo/expected" || fail "coreutils' b2sum fails"
        for count in 1 "$workers"; do
            if on "$demo/$list" "$ours" -j "$count" -l "$bits" >"$demo/got" &&
                cmp "$demo/expected" "$demo/got" >&2; then
                say "same as coreutils: $bits bits, $count at a time," \
                    "$(wc -l <"$demo/got" | tr -d ' ') $list"
            else
                say "DIFFERENT from coreutils: $bits bits, $count at a time, $list"
                wrong=$((wrong + 1))
            fi
        done
    done
done

# seconds COMMAND...: the best of three runs, which have the files in memory.
seconds() {
    for _ in 1 2 3; do
        start=$(date +%s%N)
        "$@" >/dev/null
        end=$(date +%s%N)
        say "$start $end"
    done | awk '{ s = ($2 - $1) / 1e9; if (NR == 1 || s < best) best = s }
                END { printf "%.3f", best }'
}

# row NAME COMMAND...: one line of the table.
row() {
    name=$1
    shift
    printf '%-20s %10s s %10s s\n' "$name" "$(seconds on "$demo/texts" "$@")" \
        "$(seconds on "$demo/large" "$@")"
}

say "== time"
printf '%-20s %12s %12s\n' "" "$(wc -l <"$demo/texts" | tr -d ' ') texts" "8 x 16 MiB"
row "coreutils" b2sum
row "brood, 1 worker" "$ours" -j 1
row "brood, $workers workers" "$ours" -j "$workers"

[ "$wrong" -eq 0 ] || fail "$wrong comparisons differ"

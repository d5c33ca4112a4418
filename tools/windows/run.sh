#!/bin/sh
# run.sh PROGRAM ARG...: runs a Windows program under Wine, for ctest.
# About once in a thousand starts Wine 8 ends by itself before the program has run a line: the status
# is not 0 and there is not one byte of output. A test program always prints, so that is told apart
# from a failing test, and the start is tried again.
set -u
wine=/usr/lib/wine/wine64
[ -x "$wine" ] || wine=$(command -v wine64 || command -v wine)

out=$(mktemp)
trap 'rm -f "$out"' EXIT
for try in 1 2 3; do
    rc=0
    "$wine" "$@" >"$out" 2>&1 || rc=$?
    if [ "$rc" -eq 0 ] || [ -s "$out" ]; then
        break
    fi
    echo "start $try: Wine ended with status $rc before the program ran" >&2
done
cat "$out"
exit "$rc"

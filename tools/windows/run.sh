#!/bin/sh
# run.sh PROGRAM ARG...: runs a Windows program under Wine, for ctest.
# About once in a thousand starts of a process Wine 8 loses the new one before it has run a line. Of
# the program itself that leaves a status that is not 0 and not one byte of output, though a test
# program always prints; of a child, CreateProcess answers "Internal error" (1359), which nothing of
# ours makes up. Only then is the test run again; what fails otherwise has failed.
set -u
wine=/usr/lib/wine/wine64
[ -x "$wine" ] || wine=$(command -v wine64 || command -v wine)

out=$(mktemp)
trap 'rm -f "$out"' EXIT
for try in 1 2 3; do
    rc=0
    "$wine" "$@" >"$out" 2>&1 || rc=$?
    if [ "$rc" -eq 0 ] || { [ -s "$out" ] && ! grep -qE 'Internal error|error 1359' "$out"; }; then
        break
    fi
    echo "run $try: Wine lost a process that was to start (status $rc)" >&2
done
cat "$out"
exit "$rc"

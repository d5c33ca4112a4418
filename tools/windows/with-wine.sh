#!/bin/sh
# with-wine.sh CMD...: runs CMD (ctest, say) with one warm Wine session around it, so that starting
# a Windows program costs milliseconds, not seconds. At its end every program of the session ends.
. "$(dirname "$0")/../common.sh"

# A prefix of our own for each run: two runs at once must not end each other's programs.
wine=/usr/lib/wine/wine64
[ -x "$wine" ] || wine=$(command -v wine64 || command -v wine)
server=/usr/lib/wine/wineserver
[ -x "$server" ] || server=$(command -v wineserver)

export WINEDEBUG="${WINEDEBUG:--all}"
# No Mono, no HTML engine, no menu entries: a test needs none and each asks or waits for something.
export WINEDLLOVERRIDES="${WINEDLLOVERRIDES:-mscoree,mshtml=;winemenubuilder.exe=d}"
WINEPREFIX=$(mktemp -d)
export WINEPREFIX

keeper=
finish() {
    [ -z "$keeper" ] || kill "$keeper" 2>/dev/null || :
    "$server" -k 2>/dev/null || :
    "$server" -w 2>/dev/null || :
    rm -rf "$WINEPREFIX"
}
trap finish EXIT
trap 'exit 1' INT TERM

"$wine" wineboot -i >/dev/null 2>&1
"$server" -w
"$wine" winecfg -v win10 >/dev/null 2>&1
"$server" -w

# Any program that stays keeps the server and the services up between tests.
"$wine" ping -n 100000 127.0.0.1 >/dev/null 2>&1 &
keeper=$!

rc=0
"$@" || rc=$?
exit "$rc"

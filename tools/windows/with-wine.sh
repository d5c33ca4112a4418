#!/bin/sh
# with-wine.sh CMD...: runs CMD (ctest, say) with one warm Wine session around it, so that starting
# a Windows program costs milliseconds, not seconds. At its end every program of the session ends.
here=$PWD
. "$(dirname "$0")/../common.sh"

wine=/usr/lib/wine/wine64
[ -x "$wine" ] || wine=$(command -v wine64 || command -v wine) || fail "Wine is not installed"
server=/usr/lib/wine/wineserver
[ -x "$server" ] || server=$(command -v wineserver)

export WINEDEBUG="${WINEDEBUG:--all}"
# No Mono, no HTML engine, no menu entries: a test needs none and each asks or waits for something.
# No debugger: one for each child that crashes on purpose takes seconds, or a minute.
export WINEDLLOVERRIDES="${WINEDLLOVERRIDES:-mscoree,mshtml=;winemenubuilder.exe=d;winedbg.exe=d}"
# File names that are not ASCII reach the disk only under a locale that has them.
export LC_ALL=C.UTF-8
# No window either, even where there is a display.
unset DISPLAY WAYLAND_DISPLAY

# A prefix of our own for each run: two runs at once must not end each other's programs. Making one
# takes long and 700 MB, so it is made once and copied by hard links, all but the registry, which is
# what Wine writes into.
mkdir -p "$cache"
session=$(mktemp -d "$cache/wine-session.XXXXXX")
export WINEPREFIX="$session/prefix"
keeper=
finish() {
    [ -z "$keeper" ] || kill "$keeper" 2>/dev/null || :
    "$server" -k 2>/dev/null || :
    "$server" -w 2>/dev/null || :
    rm -rf "$session"
}
trap finish EXIT
trap 'exit 1' INT TERM

template=$cache/$("$wine" --version | cut -d ' ' -f 1)
if [ ! -d "$template" ]; then
    "$wine" wineboot -i >"$session/log" 2>&1 || fail "wineboot: $(cat "$session/log")"
    "$server" -w
    "$wine" winecfg -v win10 >"$session/log" 2>&1 || fail "winecfg: $(cat "$session/log")"
    "$server" -w
    # A rename is atomic; if another run was faster, its prefix is as good.
    mv -T "$WINEPREFIX" "$template" 2>/dev/null || rm -rf "$WINEPREFIX"
fi
cp -al "$template" "$WINEPREFIX"
cp -p --remove-destination "$template"/*.reg "$WINEPREFIX/"

# Any program that stays keeps the server and the services up between tests.
"$wine" ping -n 100000 127.0.0.1 >/dev/null 2>&1 &
keeper=$!
# The first program waits until the session is up, so that no test's time limit pays for it.
"$wine" cmd /c exit >/dev/null 2>&1 || fail "Wine cannot run a program"

cd "$here"
rc=0
"$@" || rc=$?
exit "$rc"

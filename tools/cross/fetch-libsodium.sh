#!/bin/sh
# fetch-libsodium.sh DEST: unpacks Debian's libsodium source, with its security patches, into DEST.
# Debian ships no libsodium for Windows. The machine's own package sources are asked for the source
# package through a private apt configuration, so nothing about the system's changes.
set -eu

dest=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
mkdir -p "$work/sources.d" "$work/lists/partial" "$work/download"

# The same archives, asked for sources instead of binaries. Only the distribution's own: other
# vendors' archives often carry no sources, which apt takes for an error.
for name in debian ubuntu; do
    if [ -e "/etc/apt/sources.list.d/$name.sources" ]; then
        sed 's/^Types:.*/Types: deb-src/' "/etc/apt/sources.list.d/$name.sources" \
            >"$work/sources.d/$name.sources"
    fi
done
if [ -s /etc/apt/sources.list ]; then
    sed -n 's/^deb \(\[.*\] \)\{0,1\}\(.* main.*\)/deb-src \1\2/p' /etc/apt/sources.list \
        >"$work/sources.d/list.list"
fi

private_apt() {
    apt-get -qq -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/sources.d" \
        -o Dir::State::lists="$work/lists" -o APT::Sandbox::User=root "$@"
}

private_apt update
(cd "$work/download" && private_apt source --download-only libsodium)

# apt has checked the files against its signed index, so the maintainer's signature is not needed.
rm -rf "$dest"
dpkg-source --no-check -x "$work"/download/*.dsc "$dest" >/dev/null
test -e "$dest/src/libsodium/include/sodium.h"

#!/bin/sh
# build-parts.sh: builds what the Windows tests link with (libsodium, GoogleTest) with MinGW into the
# user's cache, once per version. $BROOD_CACHE/mingw then points at all the parts.
. "$(dirname "$0")/../common.sh"

toolchain=$top/cmake/toolchain-mingw.cmake
compiler=gcc$(x86_64-w64-mingw32-gcc-posix -dumpversion)
parts=$cache/mingw
mkdir -p "$parts"

# version PACKAGE: of the installed Debian package, without what a file name should not have.
version() { dpkg-query -W -f '${Version}' "$1" | tr ':~+' '---'; }

work=
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

# build NAME SOURCE PREFIX OPTION...: configures, builds and installs one part into PREFIX.
build() {
    name=$1 source=$2 prefix=$3
    shift 3
    say "building $name for Windows"
    if ! {
        cmake -S "$source" -B "$work/build" -G Ninja -DCMAKE_TOOLCHAIN_FILE="$toolchain" \
            -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$prefix" "$@" &&
            cmake --build "$work/build" && cmake --install "$work/build"
    } >"$work/log" 2>&1; then
        tail -n 40 "$work/log" >&2
        fail "cannot build $name for Windows"
    fi
}

# part NAME VERSION: makes $cache/NAME-VERSION with make_NAME if it is absent, and points at it.
part() {
    final=$cache/$1-$2
    if [ ! -d "$final" ]; then
        work=$(mktemp -d)
        "make_$1" "$final.$$"
        # A rename is atomic: what is in the cache is whole, even when two builds race.
        mv -T "$final.$$" "$final" 2>/dev/null || rm -rf "$final.$$"
        rm -rf "$work"
        work=
    fi
    ln -sfn "../$1-$2" "$parts/$1"
}

make_libsodium() {
    sh "$top/tools/windows/fetch-libsodium.sh" "$work/source"
    build libsodium "$top/tools/windows/libsodium" "$1" -DSODIUM_SOURCE="$work/source"
}

make_googletest() {
    build GoogleTest /usr/src/googletest "$1" -DBUILD_GMOCK=OFF -DINSTALL_GTEST=ON
}

# Headers only; copied, since /usr/include itself must never be on a cross compiler's path.
make_json() {
    mkdir -p "$1/include"
    cp -R /usr/include/nlohmann "$1/include/"
}

part libsodium "$(version libsodium-dev)-$compiler"
part googletest "$(version googletest)-$compiler"
part json "$(version nlohmann-json3-dev)"

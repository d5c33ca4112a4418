#!/bin/sh
# build-parts.sh TARGET: builds what the tests link with (libsodium, GoogleTest) for a cross compiler,
# the one of cmake/toolchain-TARGET.cmake, into the user's cache, once per version.
# $BROOD_CACHE/TARGET then points at all the parts.
. "$(dirname "$0")/../common.sh"

# version PACKAGE: of the installed Debian package, without what a file name should not have.
version() { dpkg-query -W -f '${Version}' "$1" | tr ':~+' '---'; }

target=$1
toolchain=$top/cmake/toolchain-$target.cmake
case $target in
mingw) compiler=gcc$(x86_64-w64-mingw32-gcc-posix -dumpversion) ;;
musl) compiler=gcc$(musl-gcc -dumpversion)-musl$(version musl-dev) ;;
*) compiler=gcc$("$target-linux-gnu-gcc" -dumpversion)-$target ;;
esac
parts=$cache/$target
mkdir -p "$parts"

work=
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

# build NAME SOURCE PREFIX OPTION...: configures, builds and installs one part into PREFIX.
build() {
    name=$1 source=$2 prefix=$3
    shift 3
    say "building $name for $target"
    if ! {
        cmake -S "$source" -B "$work/build" -G Ninja -DCMAKE_TOOLCHAIN_FILE="$toolchain" \
            -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$prefix" "$@" &&
            cmake --build "$work/build" && cmake --install "$work/build"
    } >"$work/log" 2>&1; then
        tail -n 40 "$work/log" >&2
        fail "cannot build $name for $target"
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

# The sources serve all targets, so they are kept as well.
make_libsodium() {
    source=$cache/libsodium-$sodium-source
    if [ ! -d "$source" ]; then
        sh "$top/tools/cross/fetch-libsodium.sh" "$work/source"
        mv -T "$work/source" "$source" 2>/dev/null || :
    fi
    build libsodium "$top/tools/cross/libsodium" "$1" -DSODIUM_SOURCE="$source"
}

make_googletest() {
    build GoogleTest /usr/src/googletest "$1" -DBUILD_GMOCK=OFF -DINSTALL_GTEST=ON
}

# Headers only; copied, since /usr/include itself must never be on a cross compiler's path.
make_json() {
    mkdir -p "$1/include"
    cp -R /usr/include/nlohmann "$1/include/"
}

# Copied for the same reason: beside them are those of another C library.
make_kernel() {
    mkdir -p "$1/include"
    cp -R /usr/include/linux /usr/include/asm-generic "$1/include/"
    cp -RL "/usr/include/$(gcc -print-multiarch)/asm" "$1/include/"
}

sodium=$(version libsodium-dev)
if [ "$target" = musl ]; then # without C++
    part kernel "$(version linux-libc-dev)"
    part libsodium "$sodium-$compiler"
    exit
fi
part libsodium "$sodium-$compiler"
part googletest "$(version googletest)-$compiler"
part json "$(version nlohmann-json3-dev)"

#!/bin/sh
# setup.sh [clang] [fuzz] [windows] [cross] [musl]: makes sure that what the build needs is here. As root on Debian
# or Ubuntu it installs what is missing; elsewhere it prints the commands that would.
#   (nothing)  compilers, CMake, Ninja, libsodium, GoogleTest, nlohmann-json
#   clang      the second compiler
#   fuzz       Clang with libFuzzer and the sanitizers
#   windows    MinGW, Wine, and libsodium and GoogleTest for Windows in the user's cache
#   cross      compilers for s390x and aarch64, QEMU, and the same libraries for each
#   musl       another C library, and libsodium for it
. "$(dirname "$0")/common.sh"

missing=

# need PACKAGE CHECK...: notes a Debian package for what CHECK does not find.
need() {
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}

has_header() { printf '#include <%s>\n' "$2" | "$1" -E -x c++ - ; }

need_base() {
    need build-essential command -v make
    need gcc command -v cc
    need g++ command -v c++
    need cmake command -v cmake
    need ninja-build command -v ninja
    need pkg-config command -v pkg-config
    need libsodium-dev pkg-config --exists libsodium
    need libgtest-dev has_header c++ gtest/gtest.h
    need nlohmann-json3-dev has_header c++ nlohmann/json.hpp
}

need_clang() {
    need clang command -v clang++
}

# Debian has the run-time libraries in a package of their own.
can_fuzz() {
    probe=$(mktemp)
    printf 'int LLVMFuzzerTestOneInput(const char *p, long n) { return p == 0 && n > 0; }\n' |
        clang -fsanitize=fuzzer,address,undefined -x c -o "$probe" -
    status=$?
    rm -f "$probe"
    return "$status"
}

need_fuzz() {
    need clang command -v clang
    need libclang-rt-dev can_fuzz
}

# What tools/cross/build-parts.sh builds from.
need_sources() {
    need googletest test -e /usr/src/googletest/CMakeLists.txt
    need dpkg-dev command -v dpkg-source
}

need_windows() {
    need gcc-mingw-w64-x86-64-posix command -v x86_64-w64-mingw32-gcc-posix
    need g++-mingw-w64-x86-64-posix command -v x86_64-w64-mingw32-g++-posix
    need wine64 test -x /usr/lib/wine/wine64
    need_sources
}

need_cross() {
    for processor in s390x aarch64; do
        need "gcc-$processor-linux-gnu" command -v "$processor-linux-gnu-gcc"
        need "g++-$processor-linux-gnu" command -v "$processor-linux-gnu-g++"
        need qemu-user-static command -v "qemu-$processor-static"
    done
    need_sources
}

need_musl() {
    need musl-tools command -v musl-gcc
    need_sources
}

need_all() {
    missing=
    need_base
    for part in "$@"; do
        "need_$part"
    done
}

print_commands() {
    say "Missing here (Debian's names):$missing"
    say "Debian, Ubuntu:  sudo apt-get install --no-install-recommends$missing"
    say "Fedora:          sudo dnf install gcc gcc-c++ cmake ninja-build pkgconf libsodium-devel" \
        "gtest-devel json-devel clang compiler-rt"
    say "macOS:           brew install cmake ninja pkg-config libsodium googletest nlohmann-json"
    say "The parts for Windows and other processors are made for Debian and Ubuntu only."
}

for part in "$@"; do
    case $part in
    clang | fuzz | windows | cross | musl) ;;
    *) fail "usage: setup.sh [clang] [fuzz] [windows] [cross] [musl]" ;;
    esac
done

need_all "$@"
if [ -n "$missing" ]; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        print_commands >&2
        exit 1
    fi
    say "installing$missing"
    export DEBIAN_FRONTEND=noninteractive
    log=$(mktemp)
    # The word splitting is wanted: a list of packages.
    # shellcheck disable=SC2086
    if ! { apt-get update && apt-get install -y --no-install-recommends $missing; } \
        >"$log" 2>&1 </dev/null; then
        tail -n 30 "$log" >&2
        rm -f "$log"
        fail "cannot install$missing"
    fi
    rm -f "$log"
    need_all "$@"
    [ -z "$missing" ] || fail "still missing after the installation:$missing"
fi

for part in "$@"; do
    case $part in
    windows) sh tools/cross/build-parts.sh mingw ;;
    musl) sh tools/cross/build-parts.sh musl ;;
    cross)
        sh tools/cross/build-parts.sh s390x
        sh tools/cross/build-parts.sh aarch64
        ;;
    esac
done

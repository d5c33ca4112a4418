# What every tool here needs; sourced with `. "$(dirname "$0")/common.sh"`, not run.
# Afterwards the working directory is the project's root, so the tools work from anywhere.
set -eu

cd "$(dirname "$0")"
while [ ! -f CMakePresets.json ]; do
    if [ "$PWD" = / ]; then
        echo "CMakePresets.json not found above $0" >&2
        exit 1
    fi
    cd ..
done
top=$PWD

# A build robot may have no HOME; the build directory then keeps what is worth keeping.
cache=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
cache=${cache:-$top/build/cache}/brood
export BROOD_CACHE="$cache"

say() { printf '%s\n' "$*"; }

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# cores: how many jobs to run at once.
cores() { getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2; }

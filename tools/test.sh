#!/bin/sh
# test.sh                          builds and tests the preset `dev`
# test.sh --matrix [PRESET]...     those named, or all but dev: see `matrix` below
# The last line is "N passed, N failed" (and ", N skipped" if there are any), over all of them.
# BROOD_TEST_SCALE is how much of the long tests is run, in percent; BROOD_TEST_LIMIT how many
# seconds one configuration's tests may take together.
. "$(dirname "$0")/common.sh"

matrix='release asan tsan clang portable fuzz mingw s390x aarch64 musl'
presets=dev
if [ "${1-}" = --matrix ]; then
    shift
    presets=${*:-$matrix}
elif [ $# -gt 0 ]; then
    fail "usage: test.sh [--matrix [PRESET]...]"
fi

passed=0
failed=0
skipped=0
broken=

# count FILE SUITE: prints "passed failed skipped suite" of CTest's JUnit file; suite is how many of
# the passed have a name that matches SUITE. Only what a test itself asked for counts as skipped:
# one that could not run has failed.
count() {
    awk -v suite_name="$2" '
        function close_case() {
            if (status == "run") { passed++; if (name ~ suite_name) suite++ }
            else if (status == "skipped") skipped++
            else if (status != "") failed++
            status = ""
        }
        /^[ \t]*<testcase / {
            close_case()
            name = $0; sub(/.*<testcase name="/, "", name); sub(/".*/, "", name)
            status = $0; sub(/.* status="/, "", status); sub(/".*/, "", status)
        }
        /^[ \t]*<skipped message="SKIP_/ { status = "skipped" }
        END { close_case(); print passed + 0, failed + 0, skipped + 0, suite + 0 }
    ' "$1"
}

# give_up PRESET WORDS: a configuration that could not be tested counts as one failure.
give_up() {
    say "$1: $2"
    failed=$((failed + 1))
    broken="$broken $1"
}

run_preset() {
    preset=$1
    started=$(date +%s)
    results=$top/build/$preset/results.xml
    case $preset in
    mingw) parts='windows' wrapper="sh $top/tools/windows/with-wine.sh" ;;
    clang) parts='clang' wrapper='' ;;
    fuzz) parts='fuzz' wrapper='' ;;
    s390x | aarch64) parts='cross' wrapper='' ;;
    musl) parts='musl' wrapper='' ;;
    *) parts='' wrapper='' ;;
    esac
    case $preset in
    release | fuzz) scale=100 ;;
    *) scale=10 ;;
    esac
    # What this configuration is for: GoogleTest's tests have a capital first, see
    # cmake/BroodTesting.cmake.
    case $preset in
    fuzz) suite_name='^fuzz/' ;;
    musl) suite_name='^example/' ;;
    *) suite_name='^[A-Z]' ;;
    esac

    case $preset in
    s390x | aarch64) say "== $preset (of the tests those that start no process)" ;;
    musl) say "== $preset (the examples)" ;;
    *) say "== $preset" ;;
    esac
    # The word splitting of $parts and $wrapper is wanted: lists of words.
    # shellcheck disable=SC2086
    if ! sh tools/setup.sh $parts; then
        give_up "$preset" "cannot be set up"
        return
    fi
    # An old result must never stand for this run.
    rm -f "$results"
    mkdir -p "build/$preset"
    log=$top/build/$preset/build.log
    if ! { cmake --preset "$preset" && cmake --build --preset "$preset"; } >"$log" 2>&1; then
        # What went wrong is often far from the end; what is not a compiler's words is at the end.
        if grep -qE 'error:|undefined reference' "$log"; then
            grep -E -A 4 'error:|undefined reference' "$log" | head -n 60
        else
            tail -n 40 "$log"
        fi
        give_up "$preset" "cannot be built"
        return
    fi
    # Each test has a limit, but if very many hang, words now are better than an end never seen.
    limit=
    if command -v timeout >/dev/null; then
        limit="timeout ${BROOD_TEST_LIMIT:-1500}"
    fi
    status=0
    # shellcheck disable=SC2086
    BROOD_TEST_SCALE=${BROOD_TEST_SCALE:-$scale} $wrapper $limit ctest --preset "$preset" \
        --output-junit "$results" >"build/$preset/test.log" 2>&1 || status=$?
    if [ ! -f "$results" ]; then
        tail -n 40 "build/$preset/test.log"
        give_up "$preset" "no tests were run, or not to the end (status $status)"
        return
    fi

    read -r ok bad skip suite <<COUNTS
$(count "$results" "$suite_name")
COUNTS
    passed=$((passed + ok))
    failed=$((failed + bad))
    skipped=$((skipped + skip))
    if [ "$bad" -gt 0 ] || [ "$status" -ne 0 ]; then
        grep -vE '^ *(Start +[0-9]+:|[0-9]+/[0-9]+ Test +#.* Passed )' "build/$preset/test.log" || :
    fi
    say "$preset: $ok passed, $bad failed, $skip skipped in $(($(date +%s) - started)) s"
    if [ "$suite" -eq 0 ]; then
        give_up "$preset" "not one test of the suite has passed"
    elif [ "$bad" -eq 0 ] && [ "$status" -ne 0 ]; then
        give_up "$preset" "ctest failed (status $status) though no test did"
    fi
}

for preset in $presets; do
    run_preset "$preset"
done

[ -z "$broken" ] || say "not tested as they should be:$broken"
summary="$passed passed, $failed failed"
[ "$skipped" -eq 0 ] || summary="$summary, $skipped skipped"
say "$summary"
[ "$failed" -eq 0 ]

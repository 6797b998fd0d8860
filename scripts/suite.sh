# The common beginning of every suite in tests/suites. A suite is a program whose output holds test cases:
# lines of TAP, cmocka or `ctest -V`. Its second line tells what it shows; a line "# Needs:" names packages.
#
# shellcheck shell=sh disable=SC1091

root=$(cd -P "$(dirname "$0")/../.." && pwd -P)
me=$(basename "$0" .sh)
export LC_ALL=C.UTF-8
cd "$root"
. scripts/packages.sh
. scripts/build.sh
. scripts/checks.sh

# run_ctest PRESET [CTEST ARGUMENTS…]: every case that ctest runs, with its output.
run_ctest() {
    preset=$1
    shift
    ctest --preset "$preset" --parallel "$processors" --verbose "$@"
}

# Whether this is a whole run, which has no time for everything.
in_whole_run() {
    [ "${RMSPROP_TEST_SHARE:-1}" -gt 1 ]
}

# Sets $share and $turn: of every $share things a suite takes that of number $turn, another one for each commit.
# shellcheck disable=SC2034  # for whoever sources this
take_turn() {
    share=${RMSPROP_TEST_SHARE:-1}
    commit=$(git rev-parse --short=6 HEAD 2>/dev/null || echo 0)
    turn=$((0x$commit % share))
}

# Files of the project, by find's tests; not what was built.
sources() {
    find include src lab cli bench examples tests -type f \( "$@" \) 2>/dev/null | sort
}

# Every instruction set that the system says this CPU has must have been tested: a skipped test looks like a
# passed one to whoever reads only the last line.
run_ctest_for_every_isa() {
    status=0
    run_ctest "$@" >"$scratch/ctest" || status=$?
    cat "$scratch/ctest"
    for isa in $(expected_isas); do
        check "tests of $isa have run, and none was skipped" isa_was_tested "$isa"
    done
    [ $status -eq 0 ] || exit $status
    finish
}

expected_isas() {
    echo baseline
    cpu_flags=$(sed -n 's/^flags[^:]*:\(.*\)/\1 /p' /proc/cpuinfo | sed -n 1p)
    case $cpu_flags in
    *' avx2 '*) echo avx2 ;;
    esac
    case $cpu_flags in
    *' avx512f '*' avx512dq '*' avx512bw '*' avx512vl '*) echo avx512 ;;
    esac
    [ "$(uname -m)" != aarch64 ] || echo neon
}

isa_was_tested() {
    if grep -E "^[0-9]+: \[  SKIPPED \] .*/$1\$" "$scratch/ctest"; then
        fail "these were skipped"
    fi
    grep -qE "^[0-9]+: \[       OK \] .*/$1\$" "$scratch/ctest" || fail "no test named .../$1 has passed"
}

# What a suite written in shell is made of: checks, each a line of TAP ("ok 1 sentence"), whose output is
# shown where they fail. Sourced by scripts/suite.sh.
#
# shellcheck shell=sh

checks=0
failures=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# check SENTENCE COMMAND…: the sentence holds when the command, often a function, succeeds to its last line.
check() {
    sentence=$1
    shift
    # Under `if` or `||` the shell would not stop at the function's first failing line.
    set +e
    (
        set -e
        "$@"
    ) >"$scratch/output" 2>&1 </dev/null
    status=$?
    set -e
    checks=$((checks + 1))
    if [ $status -eq 0 ]; then
        printf 'ok %d %s\n' $checks "$sentence"
    else
        failures=$((failures + 1))
        printf 'not ok %d %s\n' $checks "$sentence"
        sed 's/^/#   /' "$scratch/output"
    fi
}

# skip SENTENCE REASON
skip() {
    checks=$((checks + 1))
    printf 'ok %d %s # skip %s\n' $checks "$1" "$2"
}

# The last line of a suite.
finish() {
    printf '1..%d\n' $checks
    [ $failures -eq 0 ]
    exit
}

# fail SENTENCE: for use inside a check.
fail() {
    printf '%s\n' "$*"
    return 1
}

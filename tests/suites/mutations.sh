#!/bin/sh
# mutations: the tests notice mistakes: each of tests/mutations/list.txt, made alone, fails them (in a whole run every tenth)
# Needs: libcmocka-dev
. "$(dirname "$0")/../../scripts/suite.sh"
set -eu

list=tests/mutations/list.txt
workers=$processors
machine=$(uname -m)
export RMSPROP_TEST_EFFORT=0.1

take_turn

# Each worker has a tree of its own, built once; a mistake then costs the objects that it touches.
prepare_tree() {
    tree=build/mutations/$1
    rm -rf "$tree"
    mkdir -p "$tree"
    cp -R CMakeLists.txt cmake include src lab bench cli tests examples "$tree"
    cmake -S "$tree" -B "$tree/build" -G Ninja -D RMSPROP_TESTS=ON &&
        cmake --build "$tree/build" --parallel 1
}

# Runs the tests until one fails; a test that hangs has noticed, too.
tests_pass() {
    ctest --test-dir "$tree/build" --tests-regex "$1" --no-tests=error --stop-on-failure --timeout 60
}

# judge NUMBER SENTENCE FILE TESTS COMMAND: one line of TAP.
judge() {
    log=$scratch/mutation-$1
    original=$3
    mutated=$tree/$3
    cp "$original" "$scratch/original-$worker"
    sed -e "$5" "$original" >"$mutated"

    if cmp -s "$original" "$mutated"; then
        verdict='not ok' remark='the sed command changes nothing'
    elif ! cmake --build "$tree/build" --parallel 1 >"$log" 2>&1; then
        verdict='not ok' remark='it does not compile'
    elif tests_pass "$4" >"$log" 2>&1; then
        verdict='not ok' remark="it survives $4"
    elif ! grep -qE '\*\*\*(Failed|Timeout|Exception)' "$log"; then
        verdict='not ok' remark="no test matches $4"
    else
        verdict=ok
        remark="noticed by $(sed -n 's/.*Test *#[0-9]*: \([^ ]*\) .*\*\*\*.*/\1/p' "$log" | paste -sd,)"
    fi
    if [ "$verdict" = ok ]; then
        printf 'ok %d %s: %s\n' "$1" "$2" "$remark"
    else
        printf 'not ok %d %s: %s\n%s\n' "$1" "$2" "$remark" "$(tail -n 20 "$log" 2>/dev/null | sed 's/^/#   /')"
    fi
    # Of a new date, so that it is built again.
    cat "$scratch/original-$worker" >"$mutated"
}

# Worker K of N takes every Nth mistake of the list, beginning with K.
work() {
    worker=$1
    tree=build/mutations/$worker
    if ! prepare_tree "$worker" >"$scratch/prepare-$worker" 2>&1; then
        printf 'not ok 0 the tree builds without a mistake\n%s\n' "$(tail -n 20 "$scratch/prepare-$worker" | sed 's/^/#   /')"
        return
    fi
    if [ "$worker" -eq 0 ]; then
        check 'the tests pass without a mistake' tests_pass "$(awk 'NR % 4 == 2 { print $2 }' "$scratch/list" | sort -u | paste -sd'|')"
    fi
    number=0
    while IFS= read -r sentence && read -r file tests architecture && IFS= read -r command; do
        read -r _ || true
        number=$((number + 1))
        [ $((number % share)) -eq "$turn" ] || continue
        [ $((number / share % workers)) -eq "$worker" ] || continue
        if [ "${architecture:-$machine}" != "$machine" ]; then
            printf 'ok %d %s # skip this machine is no %s\n' $number "$sentence" "$architecture"
            continue
        fi
        judge $number "$sentence" "$file" "$tests" "$command"
    done <"$scratch/list"
}

# Paragraphs of three lines, without the head of the file.
sed '1,/^$/d' "$list" >"$scratch/list"
worker_ids=
trap 'kill $worker_ids 2>/dev/null; exit 143' TERM INT
worker=0
while [ "$worker" -lt "$workers" ]; do
    (trap - EXIT && work "$worker") &
    worker_ids="$worker_ids $!"
    worker=$((worker + 1))
done
# shellcheck disable=SC2086  # a list of numbers
wait $worker_ids
listed=$(grep -c '^s\?/' "$scratch/list")
taken=0
while [ "$listed" -gt 0 ]; do
    [ $((listed % share)) -ne "$turn" ] || taken=$((taken + 1))
    listed=$((listed - 1))
done
printf '1..%d\n' $((1 + taken))

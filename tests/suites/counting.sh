#!/bin/sh
# counting: the counting of test cases is right: of cmocka, ctest and TAP, and of tests that die
. "$(dirname "$0")/../../scripts/suite.sh"
set -eu

# counts EXPECTED: of standard input; EXPECTED is "PASSED FAILED SKIPPED", then names.
counts() {
    found=$(awk -f scripts/count.awk)
    [ "$found" = "$1" ] || fail "expected: $1
found:    $found"
}

cmocka_lines() {
    cat <<'END'
[==========] Running 3 test(s).
[ RUN      ] one
[       OK ] one
[ RUN      ] two
[  ERROR   ] --- 1 != 2
[  FAILED  ] two
[ RUN      ] three/avx512
[  SKIPPED ] three/avx512
[==========] 3 test(s) run.
[  PASSED  ] 1 test(s).
[  SKIPPED ] 1 test(s), listed below:
[  SKIPPED ] three/avx512
[  FAILED  ] 1 test(s), listed below:
[  FAILED  ] two
END
}

of_cmocka() {
    cmocka_lines | counts '1 1 1
failed two
skipped three/avx512'
}

# Lines of two programs side by side, told apart by their numbers.
of_ctest() {
    {
        cmocka_lines | sed 's/^/1: /'
        echo '2: [ RUN      ] one'
        cmocka_lines | sed 's/^/3: /'
        echo '2: [       OK ] one'
        echo '1/4 Test #1: first ............***Failed    0.01 sec'
        echo '2/4 Test #2: second ...........   Passed    0.01 sec'
        echo '3/4 Test  #3: third ...........***Failed    0.01 sec'
        echo '4: no cases here'
        echo '4/4 Test  #4: plain ...........   Passed    0.01 sec'
    } | counts '4 2 2
failed two
skipped three/avx512
failed two
skipped three/avx512'
}

of_verdicts() {
    {
        echo '1/3 Test #1: plain ............***Failed    0.01 sec'
        echo '2/3 Test #2: slow .............***Timeout 300.01 sec'
        echo '3/3 Test #3: absent ...........***Skipped   0.00 sec'
    } | counts '0 2 1
failed plain
failed slow
skipped absent'
}

of_a_death() {
    {
        echo '1: [ RUN      ] one'
        echo '1: [       OK ] one'
        echo '1: [ RUN      ] two'
        echo '1/1 Test #1: fragile ..........***Exception: SegFault  0.01 sec'
    } | counts '1 1 0
failed two (the program ended in the middle of it)'
}

of_a_leak() {
    {
        echo '1: [ RUN      ] one'
        echo '1: [       OK ] one'
        echo '1: ERROR: LeakSanitizer: detected memory leaks'
        echo '1/1 Test #1: leaky ............***Failed    0.01 sec'
    } | counts '1 1 0
failed leaky (every case passed, but the program failed)'
}

of_tap() {
    {
        echo '1..4'
        echo 'ok 1 a thing holds'
        echo 'not ok 2 another does'
        echo '# detail: ok 7'
        echo 'ok 3 a third # skip no tool'
        echo 'ok 4 - a fourth'
    } | counts '2 1 1
failed another does
skipped a third # skip no tool'
}

of_a_broken_plan() {
    printf '1..3\nok 1 a\n' | counts '1 2 0
failed a test that was planned and not run
failed a test that was planned and not run'
}

of_nothing() {
    echo 'no tests here: [       OK ] stray' | counts '0 0 0'
}

# A suite's check must fail wherever one of its lines does, not only the last.
checks_stop_at_the_first_failure() {
    cat >"$scratch/inner.sh" <<'END'
root=$1 me=inner
. "$root/scripts/checks.sh"
set -eu
first_line_fails() { false; true; }
holds() { true; }
check 'holds' holds
check 'fails' first_line_fails
finish
END
    status=0
    sh "$scratch/inner.sh" "$root" >"$scratch/inner.out" || status=$?
    cat "$scratch/inner.out"
    [ "$status" -eq 1 ]
    counts '1 1 0
failed fails' <"$scratch/inner.out"
}

check 'cases of cmocka count once, also those named again in its summary' of_cmocka
check 'cases behind ctest -V count for the program they belong to' of_ctest
check 'a program without cases counts as one, by the verdict of ctest' of_verdicts
check 'a case in which the program died has failed' of_a_death
check 'a program that fails after its cases passed has failed' of_a_leak
check 'lines of TAP count' of_tap
check 'a planned test that did not run has failed' of_a_broken_plan
check 'stray words are no tests' of_nothing
check 'a check fails at its first failing line' checks_stop_at_the_first_failure
finish

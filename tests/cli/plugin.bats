#!/usr/bin/env bats
# Problems of the user's own, in shared objects: the example races, and what is wrong with one is said.
load helper

ROOT=$BATS_TEST_DIRNAME/../..

# The example with one line changed: compile OUTPUT [SED SCRIPT]
compile() {
    sed "${2-}" "$ROOT/examples/line_problem.c" >"$BATS_TEST_TMPDIR/$1.c"
    cc -shared -fPIC -I"$ROOT/include" "$BATS_TEST_TMPDIR/$1.c" -o "$BATS_TEST_TMPDIR/$1.so"
}

# race NAME: the object of that name, from the folder where it lies.
race() {
    cd "$BATS_TEST_TMPDIR" || return
    run --separate-stderr rmsprop race "$1" --quick --seeds 2 --lr 0.001,0.01 --quiet
}

@test "the example races by its path, with pictures and JSON under its name" {
    compile line
    race ./line.so
    [ "$status" -eq 0 ]
    [[ "$output" == *"A line through noisy points"* ]]
    [ -s out/line.json ]
    [ -s out/line-loss.svg ]
    jq -e '.entries | length == 4' out/line.json
}

@test "an ending is enough to be a path, and the digest is the same on one thread" {
    compile line
    race line.so
    [ "$status" -eq 0 ]
    one=$(jq -c '[.entries[].digest]' out/line.json)
    rmsprop race ./line.so --quick --seeds 2 --lr 0.001,0.01 --quiet --threads 1 >/dev/null
    [ "$one" = "$(jq -c '[.entries[].digest]' out/line.json)" ]
}

@test "an object that is not there, or none at all, is a sentence and status 1" {
    race ./absent.so
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"absent.so"*"No such file"* ]]
    echo 'not an object' >"$BATS_TEST_TMPDIR/words.so"
    race ./words.so
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"words.so"* ]]
    [ "$(printf '%s\n' "$stderr" | wc -l)" -eq 1 ]
}

@test "an object without the symbol is told what to write" {
    compile bare 's/^LAB_PLUGIN(line)/extern int unused; int unused;/'
    race ./bare.so
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"no symbol lab_plugin"*"LAB_PLUGIN"* ]]
}

@test "a problem that cannot be is refused before anything runs" {
    compile uneven 's/\.score_every = 20/.score_every = 21/'
    race ./uneven.so
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"multiples of its score_every"* ]]
    compile small 's/\.struct_size = sizeof line/.struct_size = 8/'
    race ./small.so
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"struct_size is too small"* ]]
    compile unnamed 's/\.name = "line"/.name = "a line\/2"/'
    race ./unnamed.so
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"a name of letters"* ]]
    compile minima 's/\.target = 0.05,/&.view = {.minimum_count = 9},/'
    race ./minima.so
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"at most 8 minima"* ]]
    compile latin 's/\.title = "A/&\\xff/'
    race ./latin.so
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"in UTF-8"* ]]
    compile empty 's/\.gradient = gradient,//'
    race ./empty.so
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"lacks one of create"* ]]
}

@test "a first score that is NaN is a sentence and status 1, not a table" {
    compile nan 's|^    const double loss = .*|    const double loss = 0.0 / (0.0 * (a + b));|'
    race ./nan.so
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"not finite"* ]]
    [ -z "$output" ]
}

@test "gradients that become NaN are counted as diverged" {
    compile later 's/^    task->gradient\[1\] = .*/    task->gradient[1] = step < 100 ? (float)error : (float)(0.0 * (1e308 * 1e308));/'
    race ./later.so
    [ "$status" -eq 0 ]
    jq -e 'all(.entries[]; .diverged == 2)' out/line.json
}

@test "an object from an older header, with a shorter struct, goes on working" {
    compile old 's/\.struct_size = sizeof line/.struct_size = offsetof(struct lab_problem, rows)/;s/#include <stdlib.h>/#include <stddef.h>\n&/'
    race ./old.so
    [ "$status" -eq 0 ]
}

@test "a log goes on with the same object alone" {
    compile line
    race ./line.so
    cp out/line.jsonl log
    compile other 's/0\.5 \* x + 3/0.5 * x + 4/'
    mv other.so line.so
    run --separate-stderr rmsprop race ./line.so --quick --seeds 2 --lr 0.001,0.01 --quiet --resume
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"it is of another race: object_hash is "* ]]
    cmp log out/line.jsonl
}

@test "list shows an object's problem as it shows those of the command" {
    compile line 's/static const struct lab_problem line = {/static const struct lab_setting settings[] = {{"tilt", "how steep", 2, 1, 9, false}};\n&\n.settings = settings, .setting_count = 1,/'
    run --separate-stderr rmsprop list "$BATS_TEST_TMPDIR/line.so"
    [ "$status" -eq 0 ]
    [[ "$output" == *"how steep (2; 1 to 9)"* ]]
    fits_80_columns
    rmsprop list "$BATS_TEST_TMPDIR/line.so" --json | jq -e '.problem.settings[0].key == "tilt"'
    refuses 1 'absent.so' rmsprop list ./absent.so
}

@test "nothing to learn, and a failure without a word, are sentences" {
    compile none 's/    return 1;/    return 0;/'
    race ./none.so
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"it has no tensors: nothing to learn"* ]]
    compile mute 's/^static const struct lab_problem line = {/static rms_status prepare(struct lab_instance *instance, rms_error *error) { (void)instance; (void)error; return RMS_ERROR_MEMORY; }\n&\n.prepare = prepare,/'
    race ./mute.so
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"line"*"memory"* ]]
}

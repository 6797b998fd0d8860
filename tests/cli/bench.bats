#!/usr/bin/env bats
# The speed measurement: that it takes its options; its figures are the machine's.
load helper

@test "counts may be written with k, M and G" {
    refuses 2 '--count: "3x" is not a count' rmsprop bench --count 3x
    refuses 2 '--count: "30MB" is not a count' rmsprop bench --count 30MB
    refuses 2 '--count: 0 is out of bounds' rmsprop bench --count 0
    refuses 2 '--count: 0.5 is out of bounds' rmsprop bench --count 0.5
    refuses 2 '--count: 1000G is out of bounds' rmsprop bench --count 1000G
}

@test "unknown rules and instruction sets are refused with the choices" {
    refuses 2 'expected one of sgd, adagrad, rmsprop, adam' rmsprop bench --rule foo
    refuses 2 'expected one of auto, baseline' rmsprop bench --isa vax
}

@test "a small case is measured" {
    rmsprop bench --quick --quiet --json --rule rmsprop --count 1k --threads 1 --isa baseline >document
    jq -e '[.. | .count? // empty] | length > 0 and all(. == 1000)' document
}

@test "the table fits 80 columns and says that it is indicative" {
    rmsprop bench --quick --quiet --count 1k >table
    grep -q 'Indicative only' table
    awk 'length($0) > 80 { print; wide = 1 } END { exit wide }' table
}

@test "every figure is a positive number, and only the plain loop's may be missing" {
    rmsprop bench --quick --quiet --json --count 1k --threads 2 >document
    jq -e 'length > 0 and all([.ns_per_param, .gb_per_s, .bytes_per_param, .ratio_to_limit] | all(. > 0))' document
}

@test "every number format is measured, with the bytes that its step must move" {
    bytes() {
        rmsprop bench --quick --quiet --json --rule rmsprop --count 1k --threads 1 "$@" >document
        jq -e 'all(.ratio_to_limit > 0)' document >&2
        jq -r '[.[] | select(.nonfinite == "propagate")][0].bytes_per_param | floor' document
    }
    [ "$(bytes)" = 20 ]
    [ "$(bytes --dtype f64)" = 40 ]
    [ "$(bytes --dtype f16)" = 22 ]
    [ "$(bytes --dtype bf16)" = 22 ]
    [ "$(bytes --dtype bf16 --master remainder)" = 18 ]
    [ "$(bytes --dtype bf16 --master none)" = 14 ]
    rmsprop bench --quick --quiet --rule rmsprop --count 1k --dtype bf16 >table
    grep -q 'Parameters and gradients are bf16, with master f32.' table
    refuses 2 'expected one of f32, f64, f16, bf16' rmsprop bench --dtype f8
    refuses 2 'expected one of f32, remainder, none' rmsprop bench --master all
    refuses 2 'f16 has no remainder' rmsprop bench --dtype f16 --master remainder
}

@test "an instruction set that cannot run is refused before anything is printed" {
    jq -e '.instruction_sets | map(select(.runs | not)) | length > 0' <(rmsprop list isas --json) || skip "all run here"
    absent=$(rmsprop list isas --json | jq -r '[.instruction_sets[] | select(.runs | not)][0].name')
    refuses 2 "--isa: $absent does not run on this machine" rmsprop bench --isa "$absent"
}

@test "saving and loading are measured, and leave no file behind" {
    cd "$BATS_TEST_TMPDIR"
    rmsprop bench --checkpoint --quick --json --count 10k >document
    jq -e '.bytes > 80000 and ([.save, .load] | all([.gb_per_s, .limit_gb_per_s, .ratio_to_limit] | all(. > 0)))' document
    rmsprop bench --checkpoint --quick --count 10k >table
    grep -q 'Indicative only' table
    awk 'length($0) > 80 { print; wide = 1 } END { exit wide }' table
    [ "$(ls)" = "$(printf 'document\ntable')" ]
}

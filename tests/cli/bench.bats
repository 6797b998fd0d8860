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

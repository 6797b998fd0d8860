#!/usr/bin/env bats
# The lists: what there is to choose from.
load helper

@test "the whole list has rules, problems and instruction sets in 80 columns" {
    run --separate-stderr rmsprop list
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    fits_80_columns
    for word in sgd adagrad rmsprop adam Hinton digits baseline chosen; do
        [[ "$output" == *"$word"* ]]
    done
}

@test "a subject narrows the list" {
    run rmsprop list problems
    [[ "$output" == *"digits"* && "$output" != *"baseline"* && "$output" != *"Hinton"* ]]
    run rmsprop list isas
    [[ "$output" == *"baseline"* && "$output" != *"digits"* ]]
    run rmsprop list rules
    [[ "$output" == *"Hinton"* && "$output" == *"Kingma"* && "$output" != *"digits"* ]]
}

@test "a rule shows its options with default and bounds" {
    run rmsprop list rmsprop
    [ "$status" -eq 0 ]
    [[ "$output" =~ rho\ +0.99\ +0\ to\ below\ 1 ]]
    [[ "$output" =~ eps\ +1e-08\ +0\ or\ more ]]
    [[ "$output" != *"beta1"* ]]
    fits_80_columns
}

@test "--json holds the same" {
    rmsprop list --json | jq -e '
        ([.rules[].name] == ["sgd", "adagrad", "rmsprop", "adam"]) and
        (.rules[2] | .slots == ["v", "mean", "momentum"] and (.source | test("Hinton")) and
            (.options[] | select(.key == "rho") | .default == 0.99 and .minimum == 0 and .maximum < 1)) and
        (.problems[0] | .name == "digits" and .steps > .quick_steps) and
        ([.instruction_sets[] | select(.chosen)] | length == 1 and .[0].runs)'
    rmsprop list rmsprop --json | jq -e '.rule.name == "rmsprop" and (has("rules") | not)'
    rmsprop list problems --json | jq -e 'has("problems") and (has("rules") | not)'
}

@test "RMSPROP_ISA changes what is chosen" {
    RMSPROP_ISA=baseline rmsprop list isas | grep -q 'baseline *runs here, chosen'
}

@test "an unknown subject is refused with the choices" {
    refuses 2 'expected one of rules, problems, isas, sgd, adagrad, rmsprop, adam' rmsprop list foo
}

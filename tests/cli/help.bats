#!/usr/bin/env bats
# Help, version, and words that the command does not know.
load helper

@test "without a verb it shows a short help on stdout" {
    run --separate-stderr rmsprop
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    for verb in race claims explain inspect bench list; do
        [[ "$output" == *"$verb"* ]]
    done
}

@test "--help, -h and help are the same" {
    local overview
    overview=$(rmsprop)
    [ "$(rmsprop --help)" = "$overview" ]
    [ "$(rmsprop -h)" = "$overview" ]
    [ "$(rmsprop help)" = "$overview" ]
}

@test "every verb has a help that fits 80 columns, also as --help and -h" {
    for verb in race claims explain inspect bench list; do
        run rmsprop help "$verb"
        [ "$status" -eq 0 ]
        [[ "$output" == *"usage  rmsprop $verb"* && "$output" == *"example: rmsprop $verb"* ]]
        fits_80_columns
        [ "$(rmsprop "$verb" --help)" = "$output" ]
        [ "$(rmsprop "$verb" -h)" = "$output" ]
    done
}

@test "--version prints the name and a version" {
    run rmsprop --version
    [ "$status" -eq 0 ]
    [[ "$output" =~ ^rmsprop\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "a mistyped verb gets the nearest one" {
    refuses 2 'did you mean race?' rmsprop rcae
    refuses 2 'did you mean explain?' rmsprop explian
    refuses 2 'did you mean list?' rmsprop help lst
}

@test "a verb like no other gets the list" {
    refuses 2 'expected one of race, claims, explain, inspect, bench, list' rmsprop frobnicate
}

@test "a mistyped option gets the nearest one" {
    refuses 2 'did you mean --quick?' rmsprop race --quik
    refuses 2 'did you mean --gradient?' rmsprop explain --gradeint 1,2
}

@test "an option that is short for several names them" {
    refuses 2 'could be one of --seed, --seeds' rmsprop race --se 3
}

@test "options that a verb does not take are refused" {
    refuses 2 'no option is called "--gradient"' rmsprop race --gradient 1,2
    refuses 2 'no option is called "-z"' rmsprop race -z
    refuses 2 'comes before a verb' rmsprop --quiet race
}

@test "a missing value, one too many and a stray word are refused" {
    refuses 2 '--seed: its value is missing' rmsprop race --seed
    refuses 2 '--json: it takes no value' rmsprop race --json=yes
    refuses 2 '"b" is one argument too many' rmsprop list rules b
    refuses 2 '"x" is one argument too many' rmsprop explain x
}

@test "control characters in the user's words do not break the line" {
    refuses 2 'is not a number' rmsprop race --lr $'a\nb\033[31m'
}

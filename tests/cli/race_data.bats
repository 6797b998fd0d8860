#!/usr/bin/env bats
# Races on tables of the user's own.
load helper

IRIS=$BATS_TEST_DIRNAME/../../examples/iris.csv

@test "the flowers of the examples are told apart, by name, by number and by default" {
    tiny_race --data "$IRIS" --target species >text
    [ "$(head -n 1 text)" = 'iris.csv: species (3 classes) from 150 rows' ]
    digest=$(jq -r '.entries[0].digest' out/data.json)
    tiny_race --data "$IRIS" --target 5 >/dev/null
    [ "$(jq -r '.entries[0].digest' out/data.json)" = "$digest" ]
    tiny_race --data "$IRIS" >/dev/null
    [ "$(jq -r '.entries[0].digest' out/data.json)" = "$digest" ]
}

@test "a compressed table gives the same digest" {
    tiny_race --data "$IRIS" >/dev/null
    digest=$(jq -r '.entries[0].digest' out/data.json)
    gzip -c "$IRIS" >iris.csv.gz
    tiny_race --data iris.csv.gz >/dev/null
    [ "$(jq -r '.entries[0].digest' out/data.json)" = "$digest" ]
}

@test "a number is learnt as a number" {
    run tiny_race data:hidden=0 --data "$IRIS" --target petal_length
    [ "$status" -eq 0 ]
    [[ "$output" == *'iris.csv: petal_length from 150 rows'* && "$output" == *'test error, less is better'* ]]
}

@test "what cannot be learnt is refused in one sentence" {
    printf 'a,b\n1,2\n3\n' >ragged.csv
    refuses 2 'no column is called "spieces" (the nearest of 5 is "species")' rmsprop race --data "$IRIS" --target spieces
    refuses 1 'ragged.csv: line 3 has 1 field, but the first line has 2' rmsprop race --data ragged.csv
    refuses 1 'there.csv: No such file or directory' rmsprop race --data there.csv
    refuses 1 'Is a directory' rmsprop race --data .
    [ ! -e out ]
}

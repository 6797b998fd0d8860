#!/usr/bin/env bats
# The race: what it prints, what it writes, and that its figures depend on nothing but the plan.
load helper

digests() {
    rmsprop race --quick --quiet --json --lr 0.01,0.1 --seeds 2 "$@" | jq -c '[.entries[] | .digest, .default.digest]'
}

# Whether the files that the text says were written have this one among them; braces stand for several, as in a shell.
told() {
    local words
    words=$(sed -n '/^written /,/^again /p' text | sed '1s/^written//; $d' | tr '\n' ' ')
    eval "echo $words" | tr -s '[:space:]' '\n' | grep -qx "$1"
}

# What must come out again: all but the seconds.
lasting() {
    sed '/^Time/,/^$/d' "$1"
}

@test "the text has both tables, the differences and the command that does it again" {
    run --separate-stderr rmsprop race --quick --quiet --lr 0.01,0.1 --seeds 2
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    fits_80_columns
    [[ "$output" == *"Default learning rate: test accuracy in %, more is better"* ]]
    [[ "$output" == *"Tuned learning rate: test accuracy in %, more is better"* ]]
    [[ "$output" == *"validation loss of at most 0.165"* && "$output" == *"us per step  ms to target"* ]]
    [[ "$output" == *"Differences in test accuracy"* && "$output" == *"Indicative only"* ]]
    [[ "$output" == *"again   rmsprop race --seed 1 --seeds 2 --lr 0.01,0.1 --quick digits"* ]]
}

@test "tables are sorted by median accuracy" {
    rmsprop race --quick --quiet --lr 0.001,0.1 --seeds 2 >text
    for heading in Default Tuned; do
        sed -n "/^$heading/,/^\$/p" text | awk 'NR > 2 && NF > 2 && $1 != "*" {print $3}' >column
        [ "$(wc -l <column)" -ge 4 ]
        sort -rgc column
    done
}

@test "it writes JSON, a log and five files for each picture, and says so" {
    tiny_race --out pictures >text
    for name in digits.json digits-{loss,sensitivity,rates,gradients}{.svg,.png,.pdf,-dark.svg,-dark.png}; do
        [ -s "pictures/$name" ]
        told "pictures/$name"
    done
    [ -s pictures/digits.jsonl ]
    told pictures/digits.jsonl
    [ "$(find pictures -type f | wc -l)" -eq 22 ]
    jq -e . pictures/digits.json >/dev/null
    for picture in pictures/*.png; do
        [ "$(head -c 8 "$picture" | od -An -tx1 | tr -d ' ')" = 89504e470d0a1a0a ]
    done
    for picture in pictures/*.svg; do
        grep -q '<svg .*width="860px"' "$picture"
        tail -n 1 "$picture" | grep -q '</svg>'
    done
}

@test "--json prints one document of the promised shape and nothing else" {
    run --separate-stderr rmsprop race --quick --quiet --json --lr 0.01,0.1 --seeds 2
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    printf '%s' "$output" | jq -e -s 'length == 1 and (.[0] |
        .problem == "digits" and .settings == {} and .source == null and (.data_hash | test("^[0-9a-f]{16}$")) and
        (.quantities.test == {name: "test accuracy", unit: "%", factor: 100, rising: true}) and
        (.quantities.validation | .name == "validation loss" and .factor == 1 and (.rising | not)) and
        (.protocol | .grid == [0.01, 0.1] and .report_seeds == 2 and .seed == 1 and .quick and (.interrupted | not) and
            .runs_done == .runs_total and (.tuning_seeds, .steps, .target | type) == "number") and
        (.machine | (.isa, .compiler, .version | type) == "string" and (.threads | type) == "number") and
        (.entries | length) == 4 and
        ([.entries[] | (.options | has("lr")) and (.tuned_lr == 0.01 or .tuned_lr == 0.1) and
            (.best_on_edge | type) == "boolean" and (.digest | test("^[0-9a-f]{16}$")) and
            (.sensitivity | length) == 2 and .diverged == 0 and
            (., .default | .test | (.median, .mean, .interquartile_mean.mean | type) == "number")
            ] | all) and
        ([.time[] | .optimizer] == [.entries[].optimizer]) and ([.time[].seconds_per_step] | all(. > 0)) and
        (.comparisons | length) == 6 and
        ([.comparisons[] | (.significant | not) and .pairs == 2 and (.difference | has("median")) and
            (.probability_of_improvement.mean | . >= 0 and . <= 1)] | all))'
}

@test "from six runs on there are intervals, and of fewer none" {
    rmsprop race --quick --quiet --optimizers sgd,adam --lr 0.01 --seeds 6 >text
    grep -q '^adam .*\[.*, .*\]' text
    tr -s '[:space:]' ' ' <text | grep -q 'points [[].*, .*[]], ahead in [0-9]* % of pairs'
    jq -e '[.entries[] | (., .default) | (.test, .training) | .low <= .median and .median <= .high] | all' \
        out/digits.json
    jq -e '.comparisons[0] | .pairs == 6 and (.difference | .low <= .median and .median <= .high)' out/digits.json

    rmsprop race --quick --quiet --optimizers sgd,adam --lr 0.01 >text
    run ! grep -F '[' text
    grep -q 'too few pairs to tell' text
    jq -e '[.entries[] | (., .default) | .test, .training | .low, .high] | unique == [null]' out/digits.json
    jq -e '.comparisons[0] | .pairs == 5 and .difference.low == null' out/digits.json
}

@test "JSON has fifteen digits of a number, the command to run again has all of them" {
    tiny_race --lr 0.1,0.12345678901234567,0.30000000000000004 --json >document
    grep -q '^ *0\.1,$' document
    grep -q '^ *0\.123456789012346,$' document
    jq -r '.rerun' document | grep -q 'lr 0.1,0.12345678901234566,0.30000000000000004 '
    tiny_race --seed 9223372036854775807 --json >document
    grep -q '"seed": 9223372036854775807,' document
}

@test "as many runs at a time are told as there were" {
    [ "$(tiny_race --threads 1 --json | jq .machine.threads)" -eq 1 ]
    [ "$(tiny_race --threads 100 --json | jq .machine.threads)" -le 2 ]
    [ "$(OMP_NUM_THREADS=1 tiny_race --json | jq .machine.threads)" -eq 1 ]
}

@test "rows fit 80 columns, whatever rates and however many runs" {
    for rate in 0.000123456789 1.23456e-30 1.23456e-300 12345.678; do
        run rmsprop race --quick --quiet --seeds 2 --lr "$rate,0.01"
        [ "$status" -eq 0 ]
        fits_80_columns
    done
    run rmsprop race --quick --quiet --optimizers sgd --seeds 100 --lr 1.23456e29
    [[ "$output" == *" missed  100/100"* ]]
    fits_80_columns
}

@test "a single rate is no grid with edges" {
    run rmsprop race --quick --quiet --seeds 1 --lr 0.01
    [[ "$output" == *"at learning rate 0.01"* && "$output" != *"from 0.01"* && "$output" != *"*"* ]]
}

@test "slashes after --out are not doubled" {
    tiny_race --out s// >text
    grep -q 's/digits.json' text
    run ! grep 's//d' text
}

@test "done again, the document differs in nothing but the seconds" {
    tiny_race --json --seeds 2 >first
    tiny_race --json --seeds 2 --threads 1 >second
    cmp <(jq 'del(.time, .machine.threads)' first) <(jq 'del(.time, .machine.threads)' second)
}

@test "the file holds the same document as stdout" {
    tiny_race --json >document
    cmp document out/digits.json
}

@test "a missed target and a lost number are null in JSON and words in text" {
    tiny_race --optimizers sgd --lr 0.0001 >text
    grep -q 'missed (0/1)' text
    jq -e '.entries[0] | .steps_to_target == null and .reached_target == 0' out/digits.json
    run ! grep -Ei 'nan|infinity' text out/digits.json
}

@test "absurd rates break neither table nor JSON nor pictures" {
    run tiny_race --optimizers sgd,rmsprop --lr 1e-30,1e30
    [ "$status" -eq 0 ]
    fits_80_columns
    run ! grep -Ei 'nan|inf' out/digits.json
    jq -e . out/digits.json >/dev/null
    [ -s out/digits-sensitivity.png ]
}

@test "the best rate at the edge of the grid is flagged and explained" {
    run tiny_race --lr 0.001,0.01
    [[ "$output" == *"0.01*"* && "$output" == *"* the best rate lies at the edge"* ]]
}

@test "the same seed gives the same digests, another seed others" {
    local first
    first=$(digests --seed 7)
    [ "$(digests --seed 7)" = "$first" ]
    [ "$(digests --seed 8)" != "$first" ]
}

@test "digests are the same on every instruction set" {
    local first
    first=$(digests)
    for isa in $(rmsprop list isas --json | jq -r '.instruction_sets[] | select(.runs).name'); do
        [ "$(RMSPROP_ISA=$isa digests)" = "$first" ]
    done
}

@test "digests are the same on any number of threads" {
    local first
    first=$(digests --threads 1)
    [ "$(digests --threads 2)" = "$first" ]
    [ "$(digests --threads 5)" = "$first" ]
}

@test "--optimizers chooses who takes part, in this order" {
    tiny_race --optimizers adam,sgd --json | jq -e '[.entries[].optimizer] == ["adam", "sgd"]'
}

@test "who else takes part does not change an entry" {
    local alone together
    alone=$(tiny_race --optimizers rmsprop --json | jq -c '.entries[] | select(.optimizer == "rmsprop")')
    together=$(tiny_race --optimizers sgd,rmsprop --json | jq -c '.entries[] | select(.optimizer == "rmsprop")')
    [ "$alone" = "$together" ]
}

@test "the printed command does it again" {
    tiny_race --lr 0.1,0.02 --out "a b" >first
    local again
    again=$(sed -n 's/^again   rmsprop //p' first)
    [ "$again" = "race --seed 1 --seeds 1 --lr 0.02,0.1 --optimizers rmsprop --quick --out 'a b' digits" ]
    eval "POSIXLY_CORRECT=1 rmsprop ${again/#race/race --quiet}" >second
    cmp <(lasting first) <(lasting second)
}

@test "wrong usage is refused in one sentence that says how" {
    refuses 2 'expected one of digits' rmsprop race nosuch
    refuses 2 'race: no problem is called "rosenbrok"; did you mean rosenbrock?' rmsprop race rosenbrok:noise=0.1
    refuses 2 '--lr: "abc" is not a number (expected one or more positive numbers, as in --lr 0.001,0.01)' \
        rmsprop race --lr abc
    refuses 2 '--lr: "" is not a number' rmsprop race --lr 0.1,
    refuses 2 '--lr: 0 is not a positive number' rmsprop race --lr 0
    refuses 2 '--lr: -1 is not a positive number' rmsprop race --lr -1
    refuses 2 '--lr: nan is not a positive number' rmsprop race --lr nan
    refuses 2 '--lr: inf is not a positive number' rmsprop race --lr inf
    refuses 2 '--lr: 1e400 is not a positive number that a double holds' rmsprop race --lr 0.1,1e400,1
    refuses 2 '--lr: 0.1 is there twice' rmsprop race --lr 0.1,0.1
    refuses 2 'expected at most 64' rmsprop race --lr "$(seq -s, 65)"
    refuses 2 'out of bounds' rmsprop race --lr 1e300
    refuses 2 '--seeds: 0 is out of bounds (expected 1 to' rmsprop race --seeds 0
    refuses 2 '--seeds: "x" is not a whole number' rmsprop race --seeds x
    refuses 2 '--seed: "-1" is not a whole number' rmsprop race --seed=-1
    refuses 2 '--seed: 9223372036854775808 is out of bounds (expected 0 to 9223372036854775807)' \
        rmsprop race --seed 9223372036854775808
    refuses 2 '--seed: 18446744073709551616 is out of bounds' rmsprop race --seed 18446744073709551616
    refuses 2 '--threads: 5000 is out of bounds' rmsprop race --threads 5000
    refuses 2 'expected some of sgd,adagrad,rmsprop,adam,rprop,adadelta,adamax,nadam,radam,lion, or presets' \
        rmsprop race --optimizers foo
    refuses 2 '--optimizers: sgd is there twice' rmsprop race --optimizers sgd,adam,sgd
    refuses 2 '--out: the name is empty' rmsprop race --out ''
    for name in $'\xff' $'a\xc3' $'\xc0\xaf' $'\xed\xa0\x80' $'\xf4\x90\x80\x80' $'a\nb' $'\177' $'\xc2\x85'; do
        refuses 2 '--out: the name is not UTF-8 or holds control characters' rmsprop race --out "$name"
    done
    tiny_race --out $'\u00e9\u20ac\U0001F600' >/dev/null
}

@test "an unknown RMSPROP_ISA is refused with the library's sentence" {
    RMSPROP_ISA=vax refuses 1 'RMSPROP_ISA=vax' rmsprop race
    RMSPROP_ISA=vax refuses 1 'RMSPROP_ISA=vax' rmsprop list isas
}

@test "presets race by name, each with its own options" {
    rmsprop race --quick --quiet --optimizers mxnet-centered,rmsprop,keras --lr 0.001 --seeds 1 --json >document
    jq -e '[.entries[].optimizer] == ["mxnet-centered", "rmsprop", "keras"] and .entries[0].options.centered and
        .entries[2].options.eps_inside == 1e-7 and (.rerun | test("--optimizers mxnet-centered,rmsprop,keras"))' document
    jq -e '[.entries[].digest] | unique | length == 3' document
    run rmsprop race --quick --quiet --optimizers mxnet-centered,dqn-nature --lr 0.001 --seeds 1
    fits_80_columns
    refuses 2 'keras is there twice' rmsprop race --optimizers keras,keras
}

@test "four rules race unless others are named, and every rule can be" {
    rmsprop race --quick --quiet --lr 0.01 --seeds 1 --json | jq -e '[.entries[].optimizer] == ["sgd", "adagrad", "rmsprop", "adam"]'
    rmsprop race --quick --quiet --optimizers lion,radam,nadam,adamax,adadelta,rprop,sgd --lr 0.001 --seeds 1 --json |
        jq -e '[.entries[].optimizer] == ["lion", "radam", "nadam", "adamax", "adadelta", "rprop", "sgd"] and
            ([.entries[].digest] | unique | length == 7)'
}

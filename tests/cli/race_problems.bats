#!/usr/bin/env bats
# Races on problems with settings, on functions and files of the user's own, on several problems, and with more than
# the learning rate searched.
load helper

# Short runs on surfaces, which take no time; pictures of them do, and of functions of three variables there are fewer.
surface_race() {
    rmsprop race --quick --quiet --seeds 1 --lr 0.01,0.1 --optimizers sgd,rmsprop "$@"
}

digests_of() {
    jq -c '[.entries[] | .digest, .default.digest]' "$1"
}

@test "settings reach the problem, the names of the files, JSON and the command that does it again" {
    surface_race quadratic:condition=1000,noise=0.5 >text
    grep -q '^noise 0.5, spread [0-9.]*, condition 1000\.$' text
    grep -q ' quadratic:condition=1000,noise=0.5$' text
    [ -s out/quadratic-condition-1000-noise-0.5-sensitivity.svg ]
    jq -e '.problem == "quadratic:condition=1000,noise=0.5" and .settings.condition == 1000 and .settings.noise == 0.5' \
        out/quadratic-condition-1000-noise-0.5.json
    surface_race quadratic:condition=10,noise=0.5 >/dev/null
    [ "$(digests_of out/quadratic-condition-10-noise-0.5.json)" != "$(digests_of out/quadratic-condition-1000-noise-0.5.json)" ]
}

@test "wrong settings are refused in one sentence that says which there are" {
    refuses 2 'no problem is called "nosuch"' rmsprop race nosuch:a=1
    refuses 2 'quadratic: no setting is called "slope" (expected' rmsprop race quadratic:slope=1
    refuses 2 'quadratic: condition=x is not a number' rmsprop race quadratic:condition=x
    refuses 2 'quadratic: condition=-5 is out of bounds (expected a number from' rmsprop race quadratic:condition=-5
    [ ! -e out ]
}

@test "a score whose smaller is better sorts its tables that way, and differences are negative" {
    rmsprop race --quick --quiet --seeds 6 --lr 0.01 --optimizers adam,rmsprop,sgd quadratic:noise=0.3 >text
    grep -q '^Tuned learning rate: loss above the minimum, less is better$' text
    sed -n '/^Tuned/,/^$/p' text | awk 'NR > 2 && NF > 2 {print $3}' >column
    [ "$(wc -l <column)" -eq 3 ]
    sort -gc column
    grep -q ' is better than .*: -' text
    run ! grep -q ' is better than .*: +' text
    run cat text
    fits_80_columns
}

@test "several problems have each their table, their files and their document, and a profile" {
    rmsprop race --quick --quiet --seeds 2 --lr 0.01,0.1 rosenbrock quadratic:condition=10 beale >text
    run cat text
    fits_80_columns
    [ "$(grep -c '^Tuned learning rate' text)" -eq 3 ]
    [[ "$output" == *"Performance profile over 3 problems"* && "$output" == *"Steps to target"* ]]
    [[ "$output" != *"[95 %]"* ]] # of two seeds there are no intervals
    jq -e '[.entries[].normalized_test | .mean != null and .low == null and .high == null] | all' out/profile.json
    [ "$(grep -c '^again ' text)" -eq 4 ]
    tail -n 1 text | grep -q '^again   rmsprop race --seed 1 --seeds 2 --lr 0.01,0.1 --quick rosenbrock quadratic:condition=10 beale$'
    for name in rosenbrock quadratic-condition-10 beale profile; do
        jq -e . "out/$name.json" >/dev/null
    done
    jq -e '.problems == ["rosenbrock", "quadratic:condition=10", "beale"] and
        ([.entries[] | (.ratio, .steps_to_target | length == 3) and .score >= 0 and .score <= 1] | all) and
        ([.entries[].ratio[] | . == null or . >= 1] | all)' out/profile.json
}

@test "a problem without a target is no problem that everyone missed" {
    surface_race beale --function 'x^2 + y^2 + z^2' >text
    grep -q '^Performance profile over 1 of 2 problems, tuned (function has no target)$' text
    sed -n '/^Performance/,$p' text >profile
    grep -q '^function  *no target  *no target$' profile
    run ! grep '[0-9]/2' profile
    jq -e '([.entries[] | .ratio[1], .steps_to_target[1]] | all(. == null)) and ([.entries[].score] | max == 1)' out/profile.json

    surface_race --out none --steps 40 switching --function 'x^2 + y^2 + z^2' >text
    tr -s '[:space:]' ' ' <text | grep -qF ' Normalized test score over 2 problems, tuned (switching and function have no target) optimizer '
    sed -n '/^Normalized/,$p' text >profile
    run ! grep -Ei 'arrives|first|missed|nan' profile
    jq -e '([.entries[].score] | all(. == null)) and ([.entries[].normalized_test.mean] | max == 1)' none/profile.json
    [ ! -e none/profile.svg ]
}

@test "what was interrupted goes on by the command that is printed" {
    "$RMSPROP_COMMAND" race --quick --quiet --lr 0.01 --seeds 300 --threads 1 --optimizers sgd --steps 2000 \
        plateau digits >text &
    local race=$! status=0
    while [ ! -e out/digits.jsonl ]; do
        kill -0 "$race"
        sleep 0.1
    done
    kill -TERM "$race"
    wait "$race" || status=$?
    [ "$status" -eq 143 ]
    [ "$(tail -n 1 text)" = 'go on   rmsprop race --resume --seed 1 --seeds 300 --lr 0.01 --optimizers sgd --steps 2000 --quick plateau digits' ]
    jq -e '.rerun | startswith("rmsprop race --resume ")' out/digits.json
    jq -e '.rerun | contains("--resume") | not' out/plateau.json
}

@test "--json of several problems is one document, whose races are those of the files" {
    surface_race --json beale --function x+y+z >document
    jq -e -s 'length == 1 and (.[0] | [.races[].problem] == ["beale", "function"])' document
    cmp <(jq '.races[0]' document) <(jq . out/beale.json)
    cmp <(jq .profile document) <(jq . out/profile.json)
}

@test "who else is raced on changes nothing, and the command of each does it again alone" {
    surface_race rosenbrock beale:noise=0.2 >/dev/null
    cp out/beale-noise-0.2.json together
    eval "$(jq -r .rerun together | sed 's/race/race --quiet/')" >/dev/null
    cmp <(jq 'del(.time)' together) <(jq 'del(.time)' out/beale-noise-0.2.json)
}

@test "a wrong problem among several is refused before any is run" {
    refuses 2 'no problem is called "nosuch"' surface_race rosenbrock nosuch
    [ ! -e out ]
    refuses 2 'would be written to the same files, beale.json and others' surface_race beale rosenbrock beale
    refuses 2 'is one argument too many' surface_race $(seq 33)
}

@test "a problem called as the files of all together is raced on alone" {
    sed 's/\.name = "line"/.name = "profile"/' "$BATS_TEST_DIRNAME/../../examples/line_problem.c" >mine.c
    cc -shared -fPIC -I"$BATS_TEST_DIRNAME/../../include" mine.c -o mine.so
    refuses 2 'profile would be written to profile.json, which is of all problems' surface_race beale ./mine.so
    [ ! -e out ]
    surface_race ./mine.so >/dev/null
    jq -e '.problem == "profile"' out/profile.json
}

@test "a name with a dash, wherever it stands, is no option in the command that does it again" {
    mkdir -- -mine
    cc -shared -fPIC -I"$BATS_TEST_DIRNAME/../../include" "$BATS_TEST_DIRNAME/../../examples/line_problem.c" -o ./-mine/line.so
    surface_race beale -- -mine/line.so | grep -q '^again .* -- beale -mine/line.so$'
    surface_race beale | grep -q '^again .* --quick beale$'
}

@test "a seventeenth optimizer is refused for its number, not for its name" {
    local names
    names=$(rmsprop list presets --json | jq -r '[.presets[].name] | .[:17] | join(",")')
    refuses 2 '--optimizers: more than 16 names' surface_race --optimizers "$names" beale
}

@test "a signal in the second of three problems keeps the first" {
    "$RMSPROP_COMMAND" race --quick --quiet --lr 0.01 --seeds 1000 --threads 1 --optimizers sgd --steps 2000 \
        plateau digits rosenbrock >text &
    local race=$! status=0
    while [ ! -e out/plateau.json ] || [ ! -e out/digits.jsonl ]; do
        kill -0 "$race" # still there
        sleep 0.1
    done
    kill -TERM "$race"
    wait "$race" || status=$?
    [ "$status" -eq 143 ]
    jq -e '.protocol.interrupted | not' out/plateau.json
    jq -e '.protocol.interrupted' out/digits.json
    [ ! -e out/rosenbrock.json ]
    grep -q '^Interrupted' text
    run ! grep -q '^Performance profile' text # of one problem that was run to its end there is none
    [ ! -e out/profile.json ]
    no_file_begun out
}

@test "--function races on an expression, which is quoted in the command that does it again" {
    surface_race --function 'x^2 + 10*y^2 + z^2' >text
    grep -q "^again .* --function 'x^2 + 10\*y^2 + z^2'\$" text
    jq -e '.problem == "function" and .source == "x^2 + 10*y^2 + z^2" and .protocol.target == null' out/function.json
    cp out/function.json first
    eval "$(jq -r .rerun first | sed 's/race/race --quiet/')" >/dev/null
    cmp <(jq 'del(.time)' first) <(jq 'del(.time)' out/function.json)
    run ! grep -q 'to target' text
}

@test "--function goes with further problems, and with settings of its own" {
    surface_race --function 'x*x + y*y' function:noise=0.1 beale --json >document
    jq -e '[.races[] | .problem, .source] == ["function:noise=0.1", "x*x + y*y", "beale", null]' document
    jq -r '.profile.rerun' document | grep -q -- "--function 'x\*x + y\*y' function:noise=0.1 beale\$"
}

@test "--data races on a table, whose hash is told" {
    seq 200 | awk 'BEGIN {print "a,b,price"} {print $1 % 7 "," $1 % 11 "," 2 * ($1 % 7) - ($1 % 11)}' >points.csv
    surface_race --steps 80 --data points.csv --target price --json >document
    jq -e '.problem == "data" and .source == "points.csv" and .column == "price" and (.data_hash | test("^[0-9a-f]{16}$"))' document
    jq -r .rerun document | grep -q -- '--data points.csv --target price$'
    local hash
    hash=$(jq -r .data_hash document)
    sed -i '2s/.*/1,1,5/' points.csv
    [ "$(surface_race --steps 80 --data points.csv --target price --json | jq -r .data_hash)" != "$hash" ]
    refuses 1 'absent.csv' surface_race --data absent.csv
}

@test "options that need others say so" {
    refuses 2 '--target: it goes with --data' surface_race --target price
    refuses 2 '--trials: it goes with --tune' surface_race --trials 3
    refuses 2 '--tune: "beta" is unknown (expected some of epsilon, rho, momentum)' surface_race --tune rho,beta
    refuses 2 '--tune: "" is unknown' surface_race --tune rho,
    refuses 2 '--trials: 65 is out of bounds (expected 1 to 64)' surface_race --tune rho --trials 65
    refuses 2 '--function: it is empty' surface_race --function ''
    refuses 2 '--data: it is not UTF-8 or holds control characters' surface_race --data $'a\nb'
}

@test "--steps sets the length of the runs, and must meet the scores" {
    local sum=(--function 'x^2 + y^2 + z^2')
    surface_race --steps 40 "${sum[@]}" --json | jq -e '.protocol.steps == 40 and (.rerun | test("--steps 40 "))'
    local every
    every=$(surface_race "${sum[@]}" --json | jq .protocol.score_every)
    refuses 2 "--steps: $((every + 1)) is no multiple of $every, the steps between scores of function (expected one, as in --steps $((2 * every)))" \
        surface_race --steps $((every + 1)) "${sum[@]}"
    refuses 2 '--steps: 0 is out of bounds' surface_race --steps 0 "${sum[@]}"
}

@test "--tune searches epsilon, rho and momentum, with as many trials for everyone" {
    local sum=(--function 'x^2 + y^2 + z^2')
    rmsprop race --quick --quiet --seeds 1 --tune epsilon,rho,momentum --trials 5 "${sum[@]}" >text
    run cat text
    fits_80_columns
    [[ "$output" == *"over the same 5 trials (learning rates from "*", epsilon, rho and momentum), 1 seed each;"* ]]
    [[ "$output" == *"Tuned settings: "* && "$output" == *"Chosen: the best of 5 trials; "* ]]
    tr -s '[:space:]' ' ' <text | grep -qF "; rho is Adam's beta2, momentum its beta1 optimizer"
    cmp <(sed -n '/^Tuned/,/^$/p' text | awk 'NR > 2 && NF > 1 {print $1}') \
        <(sed -n '/^Chosen/,/^$/p' text | sed '1,/^optimizer/d' | awk 'NF > 1 {print $1}')
    jq -e '.protocol.searched == ["epsilon", "rho", "momentum"] and (.protocol.grid | length) == 5 and
        ([.entries[] | (.sensitivity | length) == 5] | all) and
        (.entries[] | select(.optimizer == "sgd") | .tuned_settings | .epsilon == null and .momentum >= 0) and
        (.entries[] | select(.optimizer == "rmsprop") | .tuned_settings | .epsilon > 0 and .rho > 0 and .rho < 1) and
        (.rerun | test("--tune epsilon,rho,momentum --trials 5 "))' out/function.json
    rmsprop race --quick --quiet --seeds 1 --lr 0.01,0.03,0.1 --tune momentum "${sum[@]}" --json |
        jq -e '(.protocol.grid | length == 3 and min >= 0.01 and max <= 0.1) and (.entries[0].tuned_settings | keys == ["momentum"])'
}

@test "--animate makes a film of a map, and is refused where there is none" {
    refuses 2 '--animate: digits has no map of two parameters' rmsprop race --animate digits
    [ ! -e out ]
    command -v ffmpeg || skip 'ffmpeg makes it'
    surface_race --animate --steps 20 beale >text
    [ "$(head -c 6 out/beale-paths.gif)" = GIF89a ]
    grep -q 'out/beale-paths.gif' text
    grep -q '^again .* --animate beale$' text
}

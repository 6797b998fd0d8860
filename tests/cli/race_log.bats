#!/usr/bin/env bats
# The log of a race, and going on in it: what was cut short ends as if it had not been.
load helper

# 2 optimizers x (2 rates x 1 seed + 2 x 3 seeds) = 16 runs.
RUNS=16
race_here() {
    rmsprop race --quick --quiet --json --optimizers rmsprop,sgd --lr 0.01,0.1 --seeds 3 "$@"
}

# The race that was never cut short, made once: straight, and its log.
setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    race_here >straight
    cp out/digits.jsonl log
}

take_straight() {
    mkdir out
    cp "$BATS_FILE_TMPDIR/straight" "$BATS_FILE_TMPDIR/log" .
    cp log out/digits.jsonl
}

# A document without what the clock, and the machine's load, decide.
lasting() {
    jq -S 'walk(if type == "object" then with_entries(select(.key | test("seconds|threads") | not)) else . end)' "$1"
}

same_but_for_seconds() {
    diff <(lasting "$1") <(lasting "$2")
}

# The log without its clock, whatever the order in which runs ended.
runs_of() {
    jq -S -c 'del(.seconds, .seconds_to_target)' "$1" | sort
}

refuses_to_resume() {
    local expected_text=$1
    shift
    cp out/digits.jsonl before
    refuses 1 "--resume: cannot go on in out/digits.jsonl: $expected_text" race_here --resume "$@"
    cmp before out/digits.jsonl
}

@test "the log has a line for the plan and one for each run, all of them JSON" {
    take_straight
    [ "$(wc -l <log)" -eq $((RUNS + 1)) ]
    head -n 1 log | jq -e '.log == "rmsprop race" and .format == 1 and (.command | test("^rmsprop race ")) and
        (.machine | has("isa") and has("compiler")) and
        (.plan | .steps == 400 and .learning_rates == [0.01, 0.1] and .report_seeds == 3 and
            (.problem | .name == "digits" and (.data_hash | test("^[0-9a-f]{16}$"))) and
            ([.contenders[].name] == ["rmsprop", "sgd"]) and (.contenders[0].options.rho == 0.99))'
    tail -n +2 log | jq -s -e 'length == '$RUNS' and
        ([.[].phase] | (map(select(. == "tuning")) | length) == 4 and (map(select(. == "default")) | length) == 6) and
        all(.[]; (.digest | test("^[0-9a-f]{16}$")) and (.curve | length) == 11 and .seconds > 0 and .state == "done")'
}

@test "wherever a log was cut off, within a line or behind one, the race goes on from there" {
    take_straight
    local bytes first
    bytes=$(wc -c <log)
    first=$(head -n 1 log | wc -c)
    for kept in $first $((first + (bytes - first) / 3)) $((bytes - 1)); do
        head -c "$kept" log >out/digits.jsonl
        race_here --resume --threads 2 >resumed
        same_but_for_seconds straight resumed
        diff <(runs_of log) <(runs_of out/digits.jsonl)
        local whole
        whole=$(head -c "$kept" log | wc -l)
        cmp <(head -n "$whole" log) <(head -n "$whole" out/digits.jsonl)
    done
}

@test "a race that was killed in its midst is resumed to the same figures" {
    race_here --seeds 40 >straight
    local all=$((2 * (2 + 2 * 40) + 1)) written=0
    "$RMSPROP_COMMAND" race --quick --quiet --json --optimizers rmsprop,sgd --lr 0.01,0.1 --seeds 40 --out killed \
        --threads 1 >/dev/null &
    local race=$!
    while [ "$written" -lt 10 ] && kill -0 $race; do
        written=$(grep -c . killed/digits.jsonl 2>/dev/null) || written=0
    done
    kill -9 $race
    wait $race || true
    written=$(wc -l <killed/digits.jsonl)
    echo "$written of $all lines"
    [ "$written" -ge 10 ]
    [ "$written" -lt "$all" ]
    race_here --seeds 40 --resume --out killed >resumed
    diff <(lasting straight | jq 'del(.rerun)') <(lasting resumed | jq 'del(.rerun)')
    [ "$(wc -l <killed/digits.jsonl)" -eq "$all" ]
}

@test "a race that is resumed when it is over makes no run again, and says the same to the last digit" {
    race_here --lr 0.01,1e30 >straight
    grep -q '"state":"diverged","training":"inf","validation":"inf"' out/digits.jsonl
    grep -q '"nan"\]' out/digits.jsonl
    cp out/digits.jsonl log
    race_here --lr 0.01,1e30 --resume >resumed
    diff <(jq -S 'del(.machine.threads)' straight) <(jq -S 'del(.machine.threads)' resumed)
    cmp log out/digits.jsonl
}

@test "to resume where there is no log is to begin one; without --resume it is begun anew" {
    take_straight
    race_here >second
    same_but_for_seconds straight second
    [ "$(wc -l <out/digits.jsonl)" -eq $((RUNS + 1)) ]
    [ -z "$(comm -12 <(tail -n +2 log | sort) <(tail -n +2 out/digits.jsonl | sort))" ] # clocks differ
    rm -r out
    race_here --resume >first
    same_but_for_seconds straight first
}

@test "what was searched is part of the plan and of each run" {
    race_here --tune epsilon,rho --trials 4 >straight
    head -n 1 out/digits.jsonl | jq -e '.plan.trials | length == 4 and all(.[]; has("epsilon") and has("rho"))'
    tail -n +2 out/digits.jsonl | jq -s -e 'all(.[] | select(.phase == "tuning");
        (.trial | has("epsilon")) == (.optimizer == "rmsprop"))'
    head -n 8 out/digits.jsonl >log
    cp log out/digits.jsonl
    race_here --tune epsilon,rho --trials 4 --resume >resumed
    same_but_for_seconds straight resumed
    cmp log <(head -n 8 out/digits.jsonl)
    refuses_to_resume 'it is of another race: trials' --tune epsilon --trials 4
}

@test "a log of another race is refused, and left as it was" {
    take_straight
    refuses_to_resume 'it is of another race: report_seeds is 3 there, 4 here' --seeds 4
    refuses_to_resume 'it is of another race: learning_rates 2: it is 0.1 there, 0.2 here' --lr 0.01,0.2
    refuses_to_resume 'it is of another race: seed is "0000000000000001" there, "0000000000000007" here' --seed 7
    refuses_to_resume 'it is of another race: contenders is rmsprop,sgd there, adam,rmsprop,sgd here' \
        --optimizers adam,rmsprop,sgd
    refuses_to_resume 'it is of another race: contenders 1 (sgd): name is "rmsprop" there, "sgd" here' \
        --optimizers sgd,rmsprop
    sed -i '1s/"rho":0.98999999999999999/"rho":0.9/' out/digits.jsonl
    refuses_to_resume 'it is of another race: contenders 1 (rmsprop): rho is 0.9 there, 0.99 here'
}

@test "what is no log is refused, and left as it was" {
    take_straight
    sed '1s/"version":"[^"]*"/"version":"0.0.1"/' log >out/digits.jsonl
    refuses_to_resume 'version 0.0.1 began it, and this is '
    sed '1s/"format":1/"format":2/' log >out/digits.jsonl
    refuses_to_resume 'it is a log of format 2 (this version reads 1)'
    : >out/digits.jsonl
    refuses_to_resume 'it is no log of a race'
    echo 'my notes' >out/digits.jsonl
    refuses_to_resume 'it is no log of a race'
    head -n 1 log | tr -d '\n' >out/digits.jsonl
    refuses_to_resume 'it is no log of a race'
    head -c 100 log >out/digits.jsonl
    echo >>out/digits.jsonl
    refuses_to_resume 'it is no log of a race'
    sed '3s/"digest":"[^"]*"/"digest":"cafe"/' log >out/digits.jsonl
    refuses_to_resume 'line 3 is no run of this race'
    sed '4s/"optimizer":"[^"]*"/"optimizer":"adam"/' log >out/digits.jsonl
    refuses_to_resume 'line 4 is no run of this race'
    sed '5s/"curve":\[[^,]*,/"curve":[/' log >out/digits.jsonl
    refuses_to_resume 'line 5 is no run of this race'
    sed '6s/"test":[^,]*,/"test":"nan",/' log >out/digits.jsonl
    refuses_to_resume 'line 6 is no run of this race'
    sed '7s/.*/[[[[[[/' log >out/digits.jsonl
    refuses_to_resume 'line 7 is no run of this race'
    { cat log; printf '\0\377\n'; } >out/digits.jsonl
    refuses_to_resume "line $((RUNS + 2)) is no run of this race"
}

@test "a log that is a folder or a pipe is refused" {
    mkdir -p out/digits.jsonl
    refuses 1 'cannot go on in out/digits.jsonl: Is a directory' race_here --resume
    refuses 1 'cannot write out/digits.jsonl: Is a directory' race_here
    rmdir out/digits.jsonl
    mkfifo out/digits.jsonl
    refuses 1 'cannot go on in out/digits.jsonl: it is no file that can be gone on in' race_here --resume
}

@test "where the disk is full the race goes on, says so, and can be resumed" {
    take_straight
    rm -r out
    local status=0
    (ulimit -f 5 && race_here >limited 2>reason) || status=$?
    [ "$status" -eq 1 ]
    grep -q 'cannot write all of out/digits.jsonl: File too large (the race went on' reason
    [ "$(tail -c 1 out/digits.jsonl)" = "" ]
    [ "$(wc -l <out/digits.jsonl)" -lt $((RUNS + 1)) ]
    race_here --resume >resumed
    same_but_for_seconds straight resumed
    diff <(runs_of log) <(runs_of out/digits.jsonl)
}

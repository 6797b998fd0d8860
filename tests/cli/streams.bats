#!/usr/bin/env bats
# Streams, disks and signals: nothing half-written, nothing lost in silence.
load helper

@test "a closed stdout is told before anything is run" {
    run bash -c '"$RMSPROP_COMMAND" race --out never >&- 2>message; echo $? >status'
    [ "$(cat status)" -eq 1 ]
    [ "$(wc -l <message)" -eq 1 ]
    grep -q 'standard output is closed' message
    [ ! -e never ]
}

@test "a closed stderr and stdin do no harm" {
    tiny_race --json 2>&- <&- >document
    jq -e . document >/dev/null
}

@test "a full device is told, whatever the verb" {
    for words in "list" "explain" "--help" "list --json"; do
        # shellcheck disable=SC2086
        run bash -c '"$RMSPROP_COMMAND" $0 2>message >/dev/full' "$words"
        [ "$status" -eq 1 ]
        [ "$(wc -l <message)" -eq 1 ]
        grep -q 'cannot write to standard output: No space left on device' message
    done
    status=0
    tiny_race --json >/dev/full 2>message || status=$?
    [ "$status" -eq 1 ]
    [ "$(wc -l <message)" -eq 1 ]
    jq -e . out/digits.json >/dev/null
}

@test "a reader that went away is told" {
    { sleep 0.3; rmsprop list 2>message || echo $? >status; } | true
    [ "$(cat status)" -eq 1 ]
    [ "$(wc -l <message)" -eq 1 ]
    grep -q 'cannot write to standard output: Broken pipe' message
}

@test "a folder that cannot be is refused before the race" {
    touch file
    refuses 1 '--out: cannot write files in the folder "file": ' rmsprop race --out file
    refuses 1 'Not a directory' rmsprop race --out file/below
    refuses 1 '--out: cannot write files in the folder "/proc/below": ' rmsprop race --out /proc/below
}

@test "a folder without permission is refused before the race" {
    [ "$(id -u)" -ne 0 ] || skip "root may write anywhere"
    mkdir -m 555 locked
    refuses 1 'Permission denied' rmsprop race --out locked
}

@test "folders are made with those above them, and files get the usual permissions" {
    (umask 027; tiny_race --out a/b/c >/dev/null)
    [ "$(stat -c %a a/b/c/digits.json)" = 640 ]
}

@test "a disk that fills up leaves old files whole, no new half, and the results on stdout" {
    mkdir out
    echo old >out/digits-loss.png
    run bash -c 'ulimit -f 16; "$RMSPROP_COMMAND" race --quick --quiet --optimizers rmsprop --lr 0.01 --seeds 1 \
        --json 2>message >document; echo $? >status'
    [ "$(cat status)" -eq 1 ]
    [ "$(wc -l <message)" -eq 1 ]
    grep -q 'cannot write out/digits-' message
    [ "$(cat out/digits-loss.png)" = old ]
    no_file_begun out
    jq -e . document >/dev/null
}

interrupt_race() {
    # In the foreground: else timeout signals its group, too, and a second signal ends the race at once.
    env --default-signal timeout --foreground --preserve-status -s "$1" 1.5 "$RMSPROP_COMMAND" race --seeds 1000 --quiet "${@:2}"
}

@test "Ctrl-C stops between runs, tells what is finished and exits 130" {
    run --separate-stderr interrupt_race INT --json
    [ "$status" -eq 130 ]
    [ -z "$stderr" ]
    [ -n "$output" ]
    printf '%s' "$output" | jq -e '.protocol | .interrupted and .runs_done > 0 and .runs_done < .runs_total'
    jq -e '.protocol.interrupted' out/digits.json
    no_file_begun out
}

@test "SIGTERM does the same with 143, and the text says interrupted" {
    run --separate-stderr interrupt_race TERM --threads 1
    [ "$status" -eq 143 ]
    [[ "$output" == *"Interrupted"* && "$output" == *"not run"* && "$output" != *"*"* ]]
    fits_80_columns
}

@test "a dumb terminal gets plain lines" {
    TERM=dumb script -qec "'$RMSPROP_COMMAND' race --quick --optimizers adam --lr 0.01 --seeds 3 >/dev/null" log </dev/null >/dev/null
    grep -q 'rmsprop: .* of .* runs' log
    run ! grep -q $'\033' log
}

@test "colour only on a terminal, and not with NO_COLOR" {
    TERM=xterm script -qec "'$RMSPROP_COMMAND' list isas" log </dev/null >/dev/null
    grep -q $'\033\[1m' log
    NO_COLOR=1 TERM=xterm script -qec "'$RMSPROP_COMMAND' list isas" log </dev/null >/dev/null
    run ! grep -q $'\033' log
    rmsprop list isas >text
    run ! grep -q $'\033' text
}

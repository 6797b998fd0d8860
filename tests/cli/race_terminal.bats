#!/usr/bin/env bats
# What a race shows on a terminal: a table that is redrawn in place while it runs, and curves after it.
load helper

# on_terminal COLUMNS ROWS WORDS…: runs them as in a shell on a terminal of that size, whose bytes go to the file log.
# Redrawing is a tenth of a second apart: so many runs on one thread last for several, on any machine.
RACE="race --quick --optimizers sgd,rmsprop --lr 0.01,0.1 --seeds 8 --threads 1"
on_terminal() {
    local size="stty cols $1 rows $2"
    shift 2
    TERM=xterm script -qec "$size; $*" log </dev/null >/dev/null
}

# The lines that the terminal was given, without what moves the cursor and colours.
drawn_lines() {
    sed 's/\x1b\[[0-9;]*[A-Za-z]//g' log | tr '\r' '\n' | sed '/^Script /d'
}

# Whether one of them is like this.
seen() {
    drawn_lines | LC_ALL=C.UTF-8 grep -Pq "$1"
}

widest() {
    drawn_lines | LC_ALL=C.UTF-8 wc -L
}

@test "a table with a row for each optimizer is redrawn on stderr, and cleared in the end" {
    LC_ALL=C.UTF-8 on_terminal 80 24 "'$RMSPROP_COMMAND' $RACE >/dev/null"
    seen '^digits  █+░* +[0-9]+ %  [0-9.]+ runs/s  [0-9]+:[0-9]{2} left$'
    seen '^optimizer +runs +rate +validation loss +training loss *$'
    seen '^sgd +[0-9]+/[0-9]+ +0\.1 +0\.[0-9]+ +█.*[▁▂▃▄▅▆▇█]$'
    seen '^rmsprop +[0-9]+/[0-9]+ +0\.01 +0\.[0-9]+ +█.*[▁▂▃▄▅▆▇█]$'
    [ "$(widest)" -lt 80 ]
    grep -q $'\033\[3A\r' log # back to the first of four lines
    tail -n 1 <(sed '/^Script done/d' log) | grep -q $'\r\033\[J$'
}

@test "the table fits terminals of any width from 40 columns on" {
    for columns in 40 53 200; do
        LC_ALL=C.UTF-8 on_terminal "$columns" 24 "'$RMSPROP_COMMAND' $RACE >/dev/null"
        seen '^optimizer '
        seen '^rmsprop +[0-9]+/[0-9]+ +0\.01 +0\.[0-9]+ .*[▁▂▃▄▅▆▇█]$'
        [ "$(widest)" -lt "$columns" ]
    done
}

@test "where there are too few lines or columns, one line is left" {
    for size in '80 4' '30 24'; do
        # shellcheck disable=SC2086
        LC_ALL=C.UTF-8 on_terminal $size "'$RMSPROP_COMMAND' $RACE >/dev/null"
        seen 'left$'
        run ! seen '^optimizer'
        run ! grep -q $'\033\[[0-9]*A' log
        [ "$(widest)" -lt "${size% *}" ]
    done
}

@test "in a locale without UTF-8 all of it is ASCII" {
    LC_ALL=C on_terminal 80 70 "'$RMSPROP_COMMAND' $RACE"
    run ! grep -qP '[^\x00-\x7F]' log
    seen '^digits  #+-* +[0-9]+ %'
    seen '^ +\|.*a  a sgd lr 0\.1$'
}

@test "NO_COLOR leaves the table, without colour" {
    NO_COLOR=1 LC_ALL=C.UTF-8 on_terminal 80 60 "'$RMSPROP_COMMAND' $RACE"
    seen '^optimizer '
    run ! grep -q $'\033\[[0-9;]*m' log
}

@test "--quiet draws nothing" {
    on_terminal 80 24 "'$RMSPROP_COMMAND' $RACE --quiet >/dev/null"
    run ! grep -q $'\033' log
}

@test "of several problems the table says which it is" {
    LC_ALL=C.UTF-8 on_terminal 80 24 "'$RMSPROP_COMMAND' race --quick --optimizers sgd --lr 0.01 --seeds 40 --threads 1 beale digits >/dev/null"
    seen '^2 of 2, digits '
}

@test "Ctrl-C clears the table, and says what was finished" {
    # From the terminal, as a user does it, as soon as the table stands.
    touch log
    (until grep -q 'runs/s' log; do sleep 0.1; done; printf '\003') |
        TERM=xterm LC_ALL=C.UTF-8 timeout 60 script -qfec "stty cols 80 rows 60; '$RMSPROP_COMMAND' race --seeds 1000" log >/dev/null || status=$?
    [ "${status-0}" -eq 130 ]
    seen 'Interrupted after'
    seen '^go on   rmsprop race --resume --seed 1 --seeds 1000 digits$'
    run ! seen '^again '
    # What comes after the last clearing is the result, and nothing of the table.
    awk 'BEGIN {RS = "\033\\[J"} {last = $0} END {print last}' log >result
    grep -q 'Interrupted' result
    run ! grep -q 'runs/s' result
}

@test "curves are drawn in braille when stdout is a terminal, and only then" {
    LC_ALL=C.UTF-8 on_terminal 80 60 "'$RMSPROP_COMMAND' $RACE --quiet 2>/dev/null"
    seen 'Handwritten digits, .*: training loss'
    seen '^ +[0-9.]+ ┤.*[\x{2801}-\x{28FF}]'
    seen 'a  a sgd lr 0\.1$'
    seen 'b  b rmsprop lr 0\.01$'
    seen '^ +0 .* 400 +step$'
    grep -q $'\033\[3[1-6]m' log
    [ "$(drawn_lines | grep -v '^again' | LC_ALL=C.UTF-8 wc -L)" -le 80 ]
    # shellcheck disable=SC2086
    rmsprop $RACE --quiet >text
    run ! grep -q '┤' text
}

@test "progress without a terminal is a few plain lines of at most 80 columns" {
    # shellcheck disable=SC2086
    run --separate-stderr rmsprop $RACE
    [ "${#stderr_lines[@]}" -ge 2 ]
    [ "${#stderr_lines[@]}" -le 10 ]
    [[ "$stderr" != *$'\r'* && "$stderr" != *$'\033'* ]]
    for line in "${stderr_lines[@]}"; do
        [[ "$line" =~ ^rmsprop:\ [0-9]+\ of\ 36\ runs(,\ [0-9]+:[0-9][0-9]\ left)?(\;\ best:\ sgd\ 0\.[0-9]+\ rmsprop\ 0\.[0-9]+)?$ ]]
        [[ "$line" != *" 0:00 left"* && "$line" != *" 0:01 left"* ]] # so little is not told
        [ "${#line}" -le 80 ]
    done
    [[ "${stderr_lines[-1]}" =~ ^rmsprop:\ 36\ of\ 36\ runs\;\ best:\ sgd\ 0\.[0-9]+\ rmsprop\ 0\.[0-9]+$ ]]
}

@test "progress names the best of all optimizers or of none" {
    # Names alone are longer than a line.
    run --separate-stderr rmsprop race --quick --lr 0.01 --seeds 1 --steps 50 --function 'x^2 + y^2 + z^2' \
        --optimizers sgd,adagrad,rmsprop,adam,rprop,adadelta,adamax,nadam,radam,lion
    [[ "${stderr_lines[-1]}" =~ ^rmsprop:\ 30\ of\ 30\ runs$ ]]
    [[ "$stderr" != *best* ]]
}

# What all tests of the command share. RMSPROP_COMMAND is the path of the command under test.
bats_require_minimum_version 1.5.0

setup() {
    : "${RMSPROP_COMMAND:?set it to the path of the rmsprop command}"
    cd "$BATS_TEST_TMPDIR" || return 1
    unset RMSPROP_ISA NO_COLOR
}

rmsprop() {
    "$RMSPROP_COMMAND" "$@"
}

# A race of three runs, for tests of what surrounds it.
tiny_race() {
    rmsprop race --quick --quiet --optimizers rmsprop --lr 0.01 --seeds 1 "$@"
}

# Runs a command that must fail: with this status, one line on stderr that holds this text, and no stdout.
refuses() {
    local expected_status=$1 expected_text=$2
    shift 2
    run --separate-stderr "$@"
    [ "$status" -eq "$expected_status" ] || { echo "status $status: $stderr"; return 1; }
    [ -z "$output" ] || { echo "stdout: $output"; return 1; }
    [ "${#stderr_lines[@]}" -eq 1 ] || { echo "stderr: $stderr"; return 1; }
    [[ "$stderr" == "rmsprop: "* && "$stderr" == *"$expected_text"* ]] || { echo "stderr: $stderr"; return 1; }
}

# Every line of the output, but for the command to copy, fits a terminal.
fits_80_columns() {
    local widest
    widest=$(printf '%s\n' "$output" | grep -v '^again ' | LC_ALL=C.UTF-8 wc -L)
    [ "$widest" -le 80 ] || { printf '%s\n' "$output"; echo "widest line: $widest columns"; return 1; }
}

no_file_begun() {
    local left
    left=$(find "$1" -name '.*' -type f)
    [ -z "$left" ] || { echo "left behind: $left"; return 1; }
}

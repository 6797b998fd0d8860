#!/bin/sh
# sanitize: the tests and the command leak nothing, touch no foreign memory and leave nothing undefined
# Needs: libcmocka-dev bats jq
. "$(dirname "$0")/../../scripts/suite.sh"
set -eu

build asan-ubsan
status=0
if in_whole_run; then
    run_ctest asan-ubsan --exclude-regex '^(lab_states|state_quality)$' || status=$?
else
    run_ctest asan-ubsan || status=$?
fi

# The command, where memory comes and goes: races, what is written to a disk or a pipe that may be full, formulas.
if ! in_whole_run && grep -q '^RMSPROP_COMMAND:BOOL=ON$' build/asan-ubsan/CMakeCache.txt; then
    RMSPROP_COMMAND=$root/build/asan-ubsan/bin/rmsprop
    export RMSPROP_COMMAND
    UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1 \
        bats --tap tests/cli/race.bats tests/cli/streams.bats tests/cli/explain.bats || status=$?
fi
exit $status

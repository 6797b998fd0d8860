#!/bin/sh
# cli: the command as a user meets it
# Needs: bats jq libcmocka-dev parallel
. "$(dirname "$0")/../../scripts/suite.sh"
set -eu

build gcc
RMSPROP_COMMAND=$root/build/gcc/bin/rmsprop
export RMSPROP_COMMAND
bats --tap --jobs "$processors" --no-parallelize-within-files tests/cli

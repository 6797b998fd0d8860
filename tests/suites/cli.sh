#!/bin/sh
# cli: the command as a user meets it
# Needs: bats jq libcmocka-dev
. "$(dirname "$0")/../../scripts/suite.sh"
set -eu

build gcc
RMSPROP_COMMAND=$root/build/gcc/bin/rmsprop
export RMSPROP_COMMAND
bats --tap tests/cli

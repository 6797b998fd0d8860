#!/bin/sh
# clang: the same tests, built by clang: another compiler gives the same bits
# Needs: clang libomp-dev libcmocka-dev
. "$(dirname "$0")/../../scripts/suite.sh"
set -eu

build clang
run_ctest_for_every_isa clang

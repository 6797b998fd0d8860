#!/bin/sh
# sanitize: the tests leak nothing, touch no foreign memory and leave nothing undefined
# Needs: libcmocka-dev
. "$(dirname "$0")/../../scripts/suite.sh"
set -eu

build asan-ubsan
run_ctest asan-ubsan

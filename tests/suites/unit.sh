#!/bin/sh
# unit: every test that ctest knows, built by gcc for release
# Needs: libcmocka-dev locales
. "$(dirname "$0")/../../scripts/suite.sh"
set -eu

build gcc
# With an argument only the tests with this label, which is how ./test LABEL runs.
if [ $# -gt 0 ]; then
    run_ctest gcc --label-regex "^$1\$"
else
    run_ctest_for_every_isa gcc
fi

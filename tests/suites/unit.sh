#!/bin/sh
# unit: every test that ctest knows, built by gcc for release
# Needs: libcmocka-dev locales
. "$(dirname "$0")/../../scripts/suite.sh"
set -eu

# A locale that writes 0,5, for the test that nothing depends on it; made here, the system's stay as they are.
if mkdir -p build/locale && localedef -i de_DE -f UTF-8 build/locale/de_DE.UTF-8; then
    export LOCPATH="$root/build/locale"
fi
build gcc
# With an argument only the tests with this label, which is how ./test LABEL runs.
if [ $# -gt 0 ]; then
    run_ctest gcc --label-regex "^$1\$"
else
    run_ctest_for_every_isa gcc
fi

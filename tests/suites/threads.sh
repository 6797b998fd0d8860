#!/bin/sh
# threads: ThreadSanitizer sees no data race where a caller's threads do the library's work
# Needs: libcmocka-dev
. "$(dirname "$0")/../../scripts/suite.sh"
set -eu

build tsan
run_ctest tsan --tests-regex 'step|thread|parallel'

#!/bin/sh
# shell: shellcheck finds nothing in any script
# Needs: shellcheck
. "$(dirname "$0")/../../scripts/suite.sh"
set -eu

scripts=$(find run test .ci scripts tests bench -type f \( -path run -o -path test -o -path .ci/run -o -name '*.sh' -o -name '*.bats' -o -name '*.bash' \) | sort)
for script in $scripts; do
    # Tests for bats use variables that bats sets.
    case $script in
    tests/cli/*) check "$script" shellcheck --exclude=SC2154 "$script" ;;
    *) check "$script" shellcheck "$script" ;;
    esac
done
finish

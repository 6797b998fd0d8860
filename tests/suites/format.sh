#!/bin/sh
# format: every C file is laid out as .clang-format says
# Needs: clang-format
. "$(dirname "$0")/../../scripts/suite.sh"
set -eu

for file in $(sources -name '*.[ch]' -o -name '*.inc'); do
    check "$file" clang-format --dry-run -Werror "$file"
done
finish

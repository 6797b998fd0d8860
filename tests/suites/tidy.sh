#!/bin/sh
# tidy: clang-tidy finds nothing in any file that is compiled (in a whole run every tenth)
# Needs: clang clang-tidy libomp-dev libcmocka-dev jq
. "$(dirname "$0")/../../scripts/suite.sh"
set -eu

# What the build itself generates is data, not written by anyone.
build clang
jq -r '.[].file' build/clang/compile_commands.json | grep -v -F "$root/build/" | sort -u >"$scratch/all-files"
take_turn
awk -v share="$share" -v turn="$turn" 'NR % share == turn' "$scratch/all-files" >"$scratch/files"

# A line of TAP for each file, written at once, since several run side by side.
# shellcheck disable=SC2016
xargs -P "$processors" -I '{}' sh -c '
    name=${2#"$1/"}
    log=$3/$(echo "$name" | tr / -)
    if clang-tidy -p build/clang --quiet "$2" >"$log" 2>&1; then
        echo "ok 1 $name"
    else
        printf "not ok 1 %s\n%s\n" "$name" "$(sed "s/^/#   /" "$log")"
    fi' sh "$root" '{}' "$scratch" <"$scratch/files" >"$scratch/report" || true
cat "$scratch/report"
printf '1..%d\n' "$(wc -l <"$scratch/files")"
! grep -q '^not ok' "$scratch/report"

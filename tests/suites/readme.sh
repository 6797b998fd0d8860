#!/bin/sh
# readme: what the documents tell people to type works: the program, the commands, the links
. "$(dirname "$0")/../../scripts/suite.sh"
set -eu

documents=$(find . -maxdepth 1 -name '*.md' | sort; find docs -name '*.md' | sort)

# The block of C in README.md that is a whole program, exactly as it stands.
extract_program() {
    awk '/^```c$/ { text = ""; inside = 1; next }
         /^```$/ { if (inside && text ~ /^#include <rmsprop\.h>\n/ && text ~ /\nint main\(/) { printf "%s", text; exit } inside = 0 }
         inside { text = text $0 "\n" }' README.md >"$scratch/program.c"
    [ -s "$scratch/program.c" ] || fail 'README.md holds no block of C that begins with #include <rmsprop.h> and has main'
}

# shellcheck disable=SC2046  # flags are words
program_works() {
    cmake --install build/release --prefix "$scratch/prefix" >"$scratch/install.log"
    PKG_CONFIG_PATH=$(dirname "$(find "$scratch/prefix" -name rmsprop.pc)")
    export PKG_CONFIG_PATH
    cc -o "$scratch/program" "$scratch/program.c" $(pkg-config --cflags --libs rmsprop)
    LD_LIBRARY_PATH=$(pkg-config --variable=libdir rmsprop) "$scratch/program" | tee "$scratch/program.out"
    [ -s "$scratch/program.out" ] || fail 'the program printed nothing'
}

# lines_of COMMAND CHECK: checks each line that the documents quote of it. None at all means that quoted has lost
# them, not that all is well.
lines_of() {
    quoted "$1" >"$scratch/lines"
    check "the documents show how $1 is used" [ -s "$scratch/lines" ]
    while IFS= read -r line <&3; do
        check "understood: $line" "$2" "$line"
    done 3<"$scratch/lines"
}

# quoted COMMAND: each line of code in the documents that shows it, from the command on; without what stands for
# something else, such as [SUITE…], and without an explanation after two spaces.
quoted() {
    # shellcheck disable=SC2086  # a list of files
    grep -hoE "(^ *|\`|\\$ )$1( [^]\`#|;>&[A-Z]*)?" $documents | sed 's/^[^.a-z]*//; s/  .*//; s/[ .,)]*$//' | sort -u
}

# Every option that a line gives is one that the verb's help explains.
run_is_understood() {
    set -f
    # shellcheck disable=SC2086  # words
    set -- $1
    shift
    verb=race
    case ${1-} in
    [a-z]*) verb=$1 ;;
    esac
    case ${1-} in
    help) set -- help "${2-}" ; verb=${2-race} ;;
    --version) return 0 ;;
    esac
    build/release/bin/rmsprop "$verb" --help >"$scratch/help"
    case " $* " in
    *' --peers '*) python3 bench/peers/compare.py --help >>"$scratch/help" ;; # which has options of its own
    esac
    for word in "$@"; do
        case $word in
        --*) grep -q -e "  ${word%%=*}\\>" "$scratch/help" || fail "rmsprop $verb takes no ${word%%=*}" ;;
        esac
    done
}

# What prints and changes nothing is run as it stands.
command_works() {
    case $1 in
    'rmsprop explain'* | 'rmsprop list'* | 'rmsprop help'*)
        # shellcheck disable=SC2086  # words
        set -- $1
        shift
        build/release/bin/rmsprop "$@"
        ;;
    *) run_is_understood "$1" ;;
    esac
}

# The lines of `./test --list` and the labels of ctest are what it takes.
test_is_understood() {
    set -f
    # shellcheck disable=SC2086  # words
    set -- $1
    shift
    for word in "$@"; do
        case $word in
        [a-z]*) [ -e "tests/suites/$word.sh" ] || grep -rq "LABELS.*\<$word\>" tests/CMakeLists.txt examples/CMakeLists.txt ||
            fail "there is no suite $word" ;;
        --*) grep -q -e "^$word)\|^$word | \|| $word)" test || fail "./test takes no $word" ;;
        esac
    done
}

links_lead_somewhere() {
    directory=$(dirname "$1")
    targets=$(grep -oE '\]\([^)#]+' "$1" | sed 's/^](//' | grep -v -E '^(https?|mailto):' | sort -u) || true
    for target in $targets; do
        [ -e "$directory/$target" ] || fail "$1 links to $target, which is not there"
    done
}

# The problem that docs/adding-a-problem.md adds, in a copy of the tree: its block of C is the file, and each of
# its three lines, "FILE  LINE", goes below the one of digits.
blobs_race() {
    page=docs/adding-a-problem.md
    copy=$scratch/copy
    mkdir "$copy"
    cp -R CMakeLists.txt cmake include src lab bench cli "$copy"
    awk 'inside && /^```$/ { exit } inside { print } /^```c$/ { inside = 1 }' "$page" >"$copy/lab/problems/blobs.c"
    sed -n 's/^\(lab\/[a-zA-Z./]*\)   *\(.*blobs.*\)$/\1 \2/p' "$page" >"$scratch/three-lines"
    [ "$(wc -l <"$scratch/three-lines")" -eq 3 ]
    while read -r file line; do
        awk -v line="$line" '
            BEGIN { neighbour = line; sub("blobs", "digits", neighbour) }
            { print; sub(/^ */, "") }
            $0 == neighbour { print line; found = 1 }
            END { exit !found }' "$file" >"$copy/$file"
    done <"$scratch/three-lines"
    cmake -S "$copy" -B "$copy/build" -G Ninja -DRMSPROP_WERROR=ON
    cmake --build "$copy/build" --parallel "$processors" --target rmsprop_command
    "$copy/build/bin/rmsprop" race blobs --quick --quiet --out "$scratch/blobs" | tee "$scratch/blobs.txt"
    [ -s "$scratch/blobs.txt" ]
}

build release
check 'README.md holds a program' extract_program
check 'the program compiles against the installed library, runs and prints' program_works
lines_of ./run run_is_understood
lines_of ./test test_is_understood
lines_of rmsprop command_works
check 'the problem of docs/adding-a-problem.md compiles and races, by its three lines' blobs_race
for document in $documents; do
    check "links of $document lead somewhere" links_lead_somewhere "$document"
done
finish

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

# quoted COMMAND: each line of code in the documents that shows it, from the command on; without what stands for
# something else, such as [SUITE…], and without an explanation after two spaces.
quoted() {
    # shellcheck disable=SC2086  # a list of files
    grep -hoE "(^ *|\`|\\$ )\./$1( [^]\`#|;>&[A-Z]*)?" $documents | sed 's/^[^.]*//; s/  .*//; s/[ .,)]*$//' | sort -u
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
    for word in "$@"; do
        case $word in
        --*) grep -q -e "  ${word%%=*}\\>" "$scratch/help" || fail "rmsprop $verb takes no ${word%%=*}" ;;
        esac
    done
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

build release
check 'README.md holds a program' extract_program
check 'the program compiles against the installed library, runs and prints' program_works
quoted run >"$scratch/run-lines"
while IFS= read -r line <&3; do
    check "understood: $line" run_is_understood "$line"
done 3<"$scratch/run-lines"
quoted test >"$scratch/test-lines"
while IFS= read -r line <&3; do
    check "understood: $line" test_is_understood "$line"
done 3<"$scratch/test-lines"
for document in $documents; do
    check "links of $document lead somewhere" links_lead_somewhere "$document"
done
finish

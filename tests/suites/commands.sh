#!/bin/sh
# commands: ./run and ./test do what they promise, also on a machine that lacks something
# Needs: jq
. "$(dirname "$0")/../../scripts/suite.sh"
set -eu

# A copy of the tree, unbuilt, with spaces in its path. Whoever runs these tests may have set a compiler.
clone="$scratch/a fresh clone"
elsewhere="$scratch/elsewhere"
mkdir "$clone" "$elsewhere"
tar -c --exclude=./build --exclude=./out --exclude=./.git . | tar -x -C "$clone"

# ---- ./run

two_at_once_from_nothing() {
    cd "$elsewhere"
    "$clone/run" list --json >first.json 2>first.err &
    first=$!
    "$clone/run" list --json >second.json 2>second.err &
    second=$!
    wait "$first"
    wait "$second"
    cat first.err second.err
    cmp first.json second.json
    # One of them built, the other found it done.
    [ "$(cat first.err second.err | grep -c 'building release')" -eq 1 ]
}

says_nothing_of_its_own() {
    cd "$elsewhere"
    "$clone/run" list --json 2>err | jq --slurp -e 'length == 1'
    [ ! -s err ] || fail "$(cat err)"
}

# Every file of the build, its size and the time that it was written.
build_state() {
    find "$clone/build" -printf '%p %s %T@\n' | sort
}

# That it costs no time to speak of follows; a clock would fail on a busy machine.
does_nothing_twice() {
    build_state >"$scratch/before"
    [ -s "$scratch/before" ]
    "$clone/run" --version
    build_state | diff "$scratch/before" -
}

hands_on_the_status() {
    status=0
    "$clone/run" no-such-verb || status=$?
    [ "$status" -eq 2 ]
}

# The command notices that it cannot write; the script before it must not stumble.
survives_a_closed_output() {
    status=0
    "$clone/run" list >&- || status=$?
    expected=0
    "$clone/build/release/bin/rmsprop" list >&- || expected=$?
    [ "$status" -eq "$expected" ]
}

leaves_relative_paths_alone() {
    cd "$elsewhere"
    rm -rf pictures
    "$clone/run" race digits --quick --quiet --optimizers sgd --lr 0.1 --seeds 2 --out pictures
    [ -n "$(ls pictures)" ]
    [ ! -e "$clone/pictures" ]
}

# So many seeds that no machine is done when the signal comes.
ends_by_interrupt_with_130() {
    cd "$elsewhere"
    status=0
    timeout --preserve-status --signal=INT 2 "$clone/run" race digits --quiet --seeds 1000 >race.txt || status=$?
    echo "status $status"
    [ "$status" -eq 130 ]
}

works_after_a_move() {
    mv "$clone" "$scratch/moved"
    "$scratch/moved/run" --version
    mv "$scratch/moved" "$clone"
}

shows_the_compilers_words() {
    cp "$clone/cli/main.c" "$scratch/main.c"
    echo 'this is no C' >>"$clone/cli/main.c"
    status=0
    "$clone/run" list >"$scratch/out" 2>"$scratch/err" || status=$?
    cp "$scratch/main.c" "$clone/cli/main.c"
    cat "$scratch/err"
    [ "$status" -eq 1 ]
    [ ! -s "$scratch/out" ]
    grep -q 'error: ' "$scratch/err"
    "$clone/run" --version
}

# ---- A machine that lacks ninja: every program of this one's PATH under another path, but that one.

bare=$scratch/bare
apt_log=$scratch/apt.log

# make_bare_machine USER_ID [apt-get|no-apt-get] [sudo]
make_bare_machine() {
    rm -rf "$bare" "$apt_log"
    mkdir "$bare"
    # The last link stays, so the directory that PATH names first comes last. The slash: /bin may be a link.
    printf '%s\n' "$PATH" | tr : '\n' | grep '^/' | tac | while IFS= read -r directory; do
        [ ! -d "$directory" ] ||
            find "$directory/" -maxdepth 1 ! -type d ! -name 'ninja*' ! -name apt-get ! -name sudo ! -name id \
                -exec ln -sf -t "$bare" '{}' +
    done
    printf '#!/bin/sh\necho %s\n' "$1" >"$bare/id"
    [ "$2" != apt-get ] || cat >"$bare/apt-get" <<END
#!/bin/sh
echo "apt-get \$*" >>"$apt_log"
case \$* in
*'install '*ninja-build*)
    [ ! -e "$scratch/mirror-is-down" ] || { echo 'E: Unable to fetch some archives' >&2; exit 100; }
    ln -s "$(command -v ninja)" "$bare/ninja" ;;
esac
END
    [ "${3-}" != sudo ] || printf '#!/bin/sh\necho sudo >>"%s"\nexec "$@"\n' "$apt_log" >"$bare/sudo"
    chmod +x "$bare/id"
    for program in apt-get sudo; do
        [ ! -e "$bare/$program" ] || chmod +x "$bare/$program"
    done
}

# run_on_bare_machine EXPECTED_STATUS [COMMAND ARGUMENTS…]
run_on_bare_machine() {
    expected=$1
    shift
    [ $# -gt 0 ] || set -- "$clone/run" --version
    status=0
    PATH=$bare "$@" >"$scratch/out" 2>"$scratch/err" || status=$?
    cat "$scratch/out" "$scratch/err" "$apt_log" 2>&1 || true
    [ "$status" -eq "$expected" ]
}

says() {
    grep -qF -e "$1" "$scratch/err" || fail "it did not say: $1"
}

installs_as_root() {
    make_bare_machine 0 apt-get
    run_on_bare_machine 0
    says 'run: installing ninja-build'
    [ "$(sed -n 1p "$apt_log")" = 'apt-get update' ]
    grep -q 'install -y .* ninja-build$' "$apt_log"
    run_on_bare_machine 0
    [ ! -s "$scratch/err" ]
}

installs_with_sudo() {
    make_bare_machine 1000 apt-get sudo
    run_on_bare_machine 0
    says 'run: installing ninja-build with sudo'
    [ "$(grep -c '^sudo$' "$apt_log")" -eq 2 ]
}

stops_without_root_and_sudo() {
    make_bare_machine 1000 apt-get
    run_on_bare_machine 1
    says 'only root can install'
    says 'apt-get install ninja-build'
    [ ! -e "$apt_log" ]
}

stops_without_apt() {
    make_bare_machine 0 no-apt-get
    run_on_bare_machine 1
    says 'missing: ninja-build'
    says 'no apt-get'
}

stops_when_apt_fails() {
    make_bare_machine 0 apt-get
    : >"$scratch/mirror-is-down"
    run_on_bare_machine 1
    rm "$scratch/mirror-is-down"
    says 'run: could not install ninja-build: E: Unable to fetch some archives'
    [ "$(wc -l <"$scratch/err")" -eq 2 ]
}

test_installs_too() {
    make_bare_machine 0 apt-get
    run_on_bare_machine 0 "$clone/test" counting
    says 'test: installing ninja-build'
    tail -n 1 "$scratch/out" | grep -qE '^[0-9]+ passed, 0 failed, 0 skipped$'
}

# ---- ./test

# A suite of one's own in the clone, under the name of another.
with_counting_suite() {
    printf '%s\n' "$1" >"$clone/tests/suites/counting.sh"
    status=0
    "$clone/test" counting >"$scratch/out" 2>&1 || status=$?
    cat "$scratch/out"
}

closes_with_a_count() {
    tail -n 1 "$scratch/out" | grep -qxF "$1"
}

counts_what_failed() {
    with_counting_suite 'echo "ok 1 a"; echo "not ok 2 b"; echo "ok 3 c # skip"; exit 1'
    closes_with_a_count '1 passed, 1 failed, 1 skipped'
    [ "$status" -eq 1 ]
    grep -qF 'not ok: b' "$scratch/out"
}

refuses_a_suite_without_tests() {
    with_counting_suite 'exit 0'
    closes_with_a_count '0 passed, 1 failed, 0 skipped'
    [ "$status" -eq 1 ]
}

refuses_a_suite_that_breaks_off() {
    with_counting_suite 'echo "ok 1 a"; exit 7'
    closes_with_a_count '1 passed, 1 failed, 0 skipped'
    [ "$status" -eq 1 ]
    grep -qF 'status 7' "$scratch/out"
}

refuses_unknown_options() {
    status=0
    "$clone/test" --everything 2>"$scratch/err" || status=$?
    [ "$status" -eq 2 ]
    says '--everything: no such option'
}

lists_every_suite() {
    "$clone/test" --list >"$scratch/out"
    cat "$scratch/out"
    for suite in "$clone"/tests/suites/*.sh; do
        name=$(basename "$suite" .sh)
        [ "$name" = counting ] || grep -q "^$name  *[^ ]" "$scratch/out" || fail "$name is not in the list"
    done
}

check 'two ./run at once, in an unbuilt tree with spaces in its path, build once and both succeed' two_at_once_from_nothing
check './run writes nothing but what the command writes' says_nothing_of_its_own
check './run configures and builds nothing when nothing has changed' does_nothing_twice
check './run hands on the exit status' hands_on_the_status
check './run survives a closed standard output' survives_a_closed_output
check './run leaves relative paths to where the caller stands' leaves_relative_paths_alone
check './run race ends with 130 when it is interrupted' ends_by_interrupt_with_130
check './run works after the tree has been moved' works_after_a_move
check './run shows what the compiler said when the build fails' shows_the_compilers_words
check './run installs what is missing, as root, and only once' installs_as_root
check './run installs what is missing with sudo' installs_with_sudo
check './run says what to do without root and sudo' stops_without_root_and_sudo
check './run names the packages where there is no apt-get' stops_without_apt
check './run says why apt-get failed' stops_when_apt_fails
check './test installs what is missing' test_installs_too
check './test refuses unknown options' refuses_unknown_options
check './test --list tells of every suite' lists_every_suite
check './test counts what passed, failed and was skipped' counts_what_failed
check './test fails a suite that ran nothing' refuses_a_suite_without_tests
check './test fails a suite that breaks off' refuses_a_suite_that_breaks_off
finish

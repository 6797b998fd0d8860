# Configures and builds a preset of CMakePresets.json into build/PRESET. Sourced by `run`, `test` and its
# suites, which set $root; needs packages.sh. The functions below build share the variables of its subshell.
#
# shellcheck shell=sh disable=SC2154,SC2030,SC2031

processors=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

# build PRESET [TARGET…]: silent when there is nothing to do. The compiler's words go to
# build/PRESET/build.log, whose end is shown when the build fails; then the status is 1. One build of a
# preset at a time: others wait for it.
build() (
    preset=$1
    shift
    directory=$root/build/$preset
    if ! { mkdir -p "$directory" && : >>"$directory/lock"; } 2>/dev/null; then
        say "cannot write to $directory: is it another user's?"
        exit 1
    fi
    exec 9>>"$directory/lock"
    flock 9

    is_configured || configure || fail_build
    is_up_to_date "$@" && exit 0
    say "building $preset (log: $directory/build.log)"
    [ $# -eq 0 ] || set -- --target "$@"
    # Nothing that the build starts may keep the lock.
    cmake --build "$directory" --parallel "$processors" "$@" >"$directory/build.log" 2>&1 9>&- || fail_build
)

# A build directory knows its sources by absolute path, and the presets at the time.
is_configured() {
    [ -e "$directory/build.ninja" ] && [ -z "$(find "$root/CMakePresets.json" -newer "$directory/build.ninja")" ] &&
        grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$directory/CMakeCache.txt"
}

configure() {
    say "configuring $preset"
    cmake --fresh -S "$root" --preset "$preset" >"$directory/build.log" 2>&1 9>&-
}

is_up_to_date() {
    case $(ninja -C "$directory" -n "$@" 2>/dev/null 9>&-) in
    *'no work to do.') return 0 ;;
    *) return 1 ;;
    esac
}

fail_build() {
    say "building $preset failed; the end of $directory/build.log:"
    grep -m 1 -A 40 -E '^FAILED|CMake Error' "$directory/build.log" >&2 || tail -n 40 "$directory/build.log" >&2
    exit 1
}

#!/bin/sh
# install: other programs find and use the installed library, by pkg-config, CMake and as a part of themselves
# Needs: g++
. "$(dirname "$0")/../../scripts/suite.sh"
set -eu

# Installed into one place and moved to another: nothing may remember the first.
install_moved() {
    rm -rf "$scratch/first" "$2"
    cmake --install "$1" --prefix "$scratch/first" >/dev/null && mv "$scratch/first" "$2"
}

# use_prefix PREFIX: where pkg-config and find_package look.
use_prefix() {
    prefix=$1
    PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name rmsprop.pc)")
    export PKG_CONFIG_PATH
    library_directory=$(pkg-config --variable=libdir rmsprop)
}

# Fresh, since a cache of the tree's former place would be refused; what is built stays.
build_static() {
    cmake --fresh -S . -B build/install-static -G Ninja -DBUILD_SHARED_LIBS=OFF -DRMSPROP_COMMAND=OFF
    cmake --build build/install-static --parallel "$processors"
}

# The consumer's whole output, from any of the builds below.
prints_the_step() {
    output=$(LD_LIBRARY_PATH=${2-} "$1")
    echo "it printed: $output"
    [ "$output" = "$version 0.9800 0.9800" ]
}

strict='-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror'

# The split of flags is meant.
# shellcheck disable=SC2046,SC2086
by_pkg_config() {
    cc -std=c11 $strict -o "$scratch/consumer" tests/install/consumer.c $(pkg-config --cflags --libs rmsprop)
    prints_the_step "$scratch/consumer" "$library_directory"
}

# shellcheck disable=SC2046,SC2086
by_pkg_config_static() {
    cc -std=c11 $strict -o "$scratch/consumer" tests/install/consumer.c $(pkg-config --static --cflags --libs rmsprop)
    prints_the_step "$scratch/consumer"
    if ldd "$scratch/consumer" | grep librmsprop; then
        fail 'it is linked to a shared librmsprop'
    fi
}

# shellcheck disable=SC2046,SC2086
by_cxx() {
    c++ "-std=$1" $strict -o "$scratch/consumer" tests/install/consumer.cpp $(pkg-config --cflags --libs rmsprop)
    prints_the_step "$scratch/consumer" "$library_directory"
}

# by_cmake [CMAKE ARGUMENTS…]
by_cmake() {
    rm -rf "$scratch/by-cmake"
    cmake -S tests/install -B "$scratch/by-cmake" -G Ninja -DVERSION="${version%.*}" "$@"
    cmake --build "$scratch/by-cmake" --parallel "$processors"
    prints_the_step "$(find "$scratch/by-cmake" -name consumer -type f)"
}

refuses_version() {
    rm -rf "$scratch/by-cmake"
    if cmake -S tests/install -B "$scratch/by-cmake" -DCMAKE_PREFIX_PATH="$prefix" -DVERSION="$1"; then
        fail "version $1 was accepted"
    fi
}

has_files() {
    for file in include/rmsprop.h include/rmsprop_checkpoint.h include/rmsprop_lab.h bin/rmsprop; do
        [ -f "$prefix/$file" ] || fail "$file is missing"
    done
    unexpected=$(find "$prefix" -type f | grep -v -E '/(rmsprop\.h|rmsprop_checkpoint\.h|rmsprop_lab\.h|rmsprop|librmsprop\.so[.0-9]*|rmsprop\.pc|rmsprop-(config|config-version|targets|targets-[a-z]*)\.cmake)$' || true)
    [ -z "$unexpected" ] || fail "unexpected: $unexpected"
}

forgets_where_it_was() {
    if grep -rlF -e "$scratch/first" -e "$root" "$prefix"; then
        fail 'these files hold a path of the build'
    fi
}

# Before 1.0 a minor version may change the interface, so the soname holds it, too.
has_soname() {
    interface=${version%%.*}
    [ "$interface" -ne 0 ] || interface=${version%.*}
    objdump -p "$library_directory/librmsprop.so" | tee "$scratch/objdump"
    grep -q "SONAME *librmsprop\\.so\\.$interface\$" "$scratch/objdump"
}

command_runs() {
    "$prefix/bin/rmsprop" --version | tee "$scratch/version"
    grep -qF "$version" "$scratch/version"
}

# As examples/line_problem.c says in its head.
races_on_a_plugin() {
    # shellcheck disable=SC2046,SC2086  # words
    cc -std=c11 $strict -shared -fPIC examples/line_problem.c -o "$scratch/line.so" $(pkg-config --cflags rmsprop)
    "$prefix/bin/rmsprop" race "$scratch/line.so" --quick --quiet --seeds 1 --lr 0.01 --out "$scratch/line" >"$scratch/line.txt"
    grep -q 'A line through noisy points' "$scratch/line.txt"
}

version=$(sed -n 's/^#define RMS_VERSION_[A-Z]* \([0-9]*\)$/\1/p' include/rmsprop.h | paste -sd.)
build release
check 'the shared library installs and moves' install_moved build/release "$scratch/shared"
use_prefix "$scratch/shared"
check 'it holds the header, the library, the command and nothing that it should not' has_files
check 'no file holds the path that it was built or installed in' forgets_where_it_was
check 'the soname names the interface: the major version, and 0.MINOR before 1.0' has_soname
check 'the header and pkg-config tell the same version' [ "$(pkg-config --modversion rmsprop)" = "$version" ]
check 'the installed command finds its library by itself' command_runs
check 'the installed command races on a problem that was compiled against the installed header' races_on_a_plugin
check 'a C11 program builds by pkg-config and runs' by_pkg_config
check 'a C++17 program builds by pkg-config and runs' by_cxx c++17
check 'a C++11 program builds by pkg-config and runs' by_cxx c++11
check 'a C program builds by find_package and runs' by_cmake -DCMAKE_PREFIX_PATH="$prefix"
check 'a C++ program builds by find_package and runs' \
    by_cmake -DCMAKE_PREFIX_PATH="$prefix" -DLANGUAGE=CXX -DCONSUMER=consumer.cpp
check 'find_package refuses another major version' refuses_version 1.0
check 'find_package refuses a later minor version' refuses_version 0.99
check 'find_package refuses an earlier minor version before 1.0' refuses_version 0.0
check 'a C program takes the sources in as a part of itself, whose own libraries stay static' \
    by_cmake -DRMSPROP_SOURCE="$root"
check 'a C program takes the sources in as a shared part of itself' \
    by_cmake -DRMSPROP_SOURCE="$root" -DBUILD_SHARED_LIBS=ON

check 'the static library builds' build_static
check 'the static library installs and moves' install_moved build/install-static "$scratch/static"
use_prefix "$scratch/static"
check 'no file of the static one holds the path that it was built or installed in' forgets_where_it_was
check 'a C11 program links the static library by pkg-config --static' by_pkg_config_static
check 'a C program links the static library by find_package' by_cmake -DCMAKE_PREFIX_PATH="$prefix"
check 'a C++ program links the static library by find_package' \
    by_cmake -DCMAKE_PREFIX_PATH="$prefix" -DLANGUAGE=CXX -DCONSUMER=consumer.cpp
check 'a C program takes the sources in as a static part of itself' \
    by_cmake -DRMSPROP_SOURCE="$root" -DBUILD_SHARED_LIBS=OFF
finish

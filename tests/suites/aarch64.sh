#!/bin/sh
# aarch64: another architecture gives the same bits: the library's tests and the lab's, cross-compiled, under qemu
# Needs: gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user
. "$(dirname "$0")/../../scripts/suite.sh"
set -eu

# apt for AArch64, with lists of its own: the system's stay as they are, and root is not needed.
foreign_apt() {
    apt-get -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o Dir::State::status=/dev/null \
        -o Dir::State::lists="$scratch/lists" -o Dir::Cache="$scratch/cache" \
        -o APT::Sandbox::User= -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false "$@"
}

fetch_libraries() {
    mkdir -p "$scratch/lists/partial" "$scratch/cache/archives/partial" "$scratch/debs" "$scratch/root"
    (cd "$scratch/debs" && foreign_apt update && foreign_apt download libcmocka0 libcmocka-dev libjansson4 libjansson-dev \
        libxxhash-dev zlib1g zlib1g-dev libcsv3 libcsv-dev) || return
    for package in "$scratch"/debs/*.deb; do
        dpkg-deb -x "$package" "$scratch/root" || return
    done
    rm -rf build/aarch64-root
    mv "$scratch/root" build/aarch64-root
}

if [ "$(uname -m)" = aarch64 ]; then
    skip 'the tests for AArch64' 'this machine is one: unit has run them'
    finish
fi
mkdir -p build
if ! [ -e build/aarch64-root/usr/include/csv.h ] && ! fetch_libraries; then
    say 'could not fetch the AArch64 packages of cmocka, jansson, xxHash, zlib and libcsv with apt-get'
    exit 1
fi
build aarch64
# The frameworks' bounds are worked out in long double, which is software there, and the claims train for long: minutes each under an
# emulator. A whole run keeps to what compares with pinned bits: hashes, digests and the oracle.
if in_whole_run; then
    run_ctest aarch64 --tests-regex '^(golden_hashes|norm_bits|averages_bits|codec_state|lab_(data|digits|elementary|environments|expression|fashion|kernels|mnist1d|surfaces|switching|text))$'
else
    run_ctest aarch64 --exclude-regex '^(golden_frameworks|lab_claims)$'
fi

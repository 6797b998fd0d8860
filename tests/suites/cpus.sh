#!/bin/sh
# cpus: CPUs without AVX-512, or without any AVX, give the same bits and refuse what they lack, under qemu
# Needs: libcmocka-dev qemu-user
. "$(dirname "$0")/../../scripts/suite.sh"
set -eu

if [ "$(uname -m)" != x86_64 ]; then
    skip 'older x86-64 CPUs' 'this machine is of another architecture'
    finish
fi
build gcc
command=build/gcc/bin/rmsprop

# on CPU COMMAND…; qemu's own warnings of features that it does not emulate go to stderr.
on() {
    cpu=$1
    shift
    qemu-x86_64 -cpu "$cpu" "$@"
}

chooses() {
    on "$1" "$command" list isas | grep -q "^  $2 .*chosen\$"
}

refuses() {
    status=0
    RMSPROP_ISA=$2 on "$1" "$command" list isas >/dev/null 2>"$scratch/refusal" || status=$?
    [ "$status" -eq 1 ] || fail "status $status"
    grep "RMSPROP_ISA=$2: not on this machine; this machine can run: baseline" "$scratch/refusal"
}

hashes_hold() {
    on "$1" build/gcc/bin/golden_hashes
}

# Races: the net's own kernels are chosen by the CPU, too.
digests_hold() {
    on "$1" build/gcc/bin/lab_digits
}

check 'a CPU without AVX chooses the baseline' chooses qemu64 baseline
check 'a CPU without AVX refuses AVX2' refuses qemu64 avx2
check 'a CPU without AVX gives the golden hashes' hashes_hold qemu64
check 'a CPU without AVX gives the digests of training runs' digests_hold qemu64
check 'a CPU with AVX2 alone chooses it' chooses Haswell avx2
check 'a CPU with AVX2 alone refuses AVX-512' refuses Haswell avx512
check 'a CPU with AVX2 alone gives the golden hashes' hashes_hold Haswell
check 'a CPU with AVX2 alone gives the digests of training runs' digests_hold Haswell
finish

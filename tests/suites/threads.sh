#!/bin/sh
# threads: ThreadSanitizer sees no data race, neither between a caller's threads nor between those of OpenMP
# Needs: libcmocka-dev clang libomp-dev
. "$(dirname "$0")/../../scripts/suite.sh"
set -eu

# gcc's OpenMP tells ThreadSanitizer nothing, so the preset does without it. clang's does, through a tool named
# Archer, which libomp does not find wherever it lies; libomp's own insides are not instrumented and left out.
# Fresh, since a cache of the tree's former place would be refused.
build_with_openmp() {
    cmake --fresh -S . -B build/tsan-openmp -G Ninja -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=None \
        -DCMAKE_C_FLAGS='-O1 -g -fsanitize=thread' -DRMSPROP_TESTS=ON \
        -DRMSPROP_COMMAND=OFF -DRMSPROP_LAB=ON
    cmake --build build/tsan-openmp --parallel "$processors" --target lab_race step_bits optimizer_threads
}

# with_openmp PROGRAM [ARGUMENTS…]; without Archer every answer would be about libomp.
with_openmp() {
    program=$1
    shift
    TSAN_OPTIONS='halt_on_error=1 allocator_may_return_null=1 ignore_noninstrumented_modules=1' \
        OMP_TOOL_LIBRARIES="$archer" ARCHER_OPTIONS=verbose=1 OMP_WAIT_POLICY=passive RMSPROP_TEST_EFFORT=0.1 \
        "build/tsan-openmp/bin/$program" "$@" >"$scratch/openmp" 2>&1 || fail "$(tail -n 60 "$scratch/openmp")"
    grep 'Archer detected OpenMP application with TSan' "$scratch/openmp" || fail 'Archer did not watch'
}

build tsan step_bits optimizer_threads storage_life shared_steps step_engine
status=0
run_ctest tsan --tests-regex '^(step_bits|optimizer_threads|storage_life|shared_steps|step_engine)$' || status=$?

archer=$(clang -print-resource-dir)/../../libarcher.so
if [ -e "$archer" ]; then
    check 'the library, the lab and their tests build with OpenMP for ThreadSanitizer' build_with_openmp
    check "a step's threads race for no data" with_openmp step_bits
    check 'optimizers in threads of their own race for no data' with_openmp optimizer_threads
    check "a race's runs, several at a time, race for no data" with_openmp lab_race
else
    skip "OpenMP's threads race for no data" 'the libomp here comes without Archer'
fi
[ "$status" -eq 0 ] || exit "$status"
finish

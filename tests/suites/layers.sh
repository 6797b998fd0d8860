#!/bin/sh
# layers: arrows point down only: each directory includes what lies below it and nothing else
. "$(dirname "$0")/../../scripts/suite.sh"
set -eu

# Headers of the C library and of POSIX, and what the rest is made of.
plain='<(assert|ctype|errno|float|inttypes|limits|locale|math|setjmp|signal|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|string|time)\.h>'
posix='<(dirent|dlfcn|fcntl|getopt|pthread|poll|sched|spawn|strings|termios|unistd|sys/[a-z]+)\.h>'
ours='<rmsprop(_checkpoint|_lab)?\.h>'

# only REGEX FILE…: no file includes anything else.
only() {
    allowed=$1
    shift
    [ -e "$1" ] || fail "there is no such file: $1"
    strays=$(grep -E '^ *# *include' "$@" /dev/null | sed 's/# *include *//' | grep -v -E ":($allowed)" || true)
    [ -z "$strays" ] || fail "$strays"
}

# Every quoted include is a file of the same directory, or is made by the build there.
own() {
    directory=$1
    shift
    names=$(sed -n 's/^ *# *include "\(.*\)".*/\1/p' "$@" | sort -u)
    for name in $names; do
        [ -n "$(find "$directory" -name "$(basename "$name")")" ] || grep -rqF "$(basename "$name")" "$directory/CMakeLists.txt" ||
            fail "\"$name\" is no file of $directory"
    done
}

only_own() {
    directory=$1
    allowed=$2
    # Paths of this project hold no spaces.
    # shellcheck disable=SC2046
    set -- $(find "$directory" -name '*.[ch]')
    only "\".*\"|$allowed" "$@"
    own "$directory" "$@"
}

# absent REGEX FILE…: found nowhere but in comments and in the words of #error.
absent() {
    pattern=$1
    shift
    if grep -rnE -e "$pattern" "$@" | grep -vE '^[^:]*:[0-9]*: *(#( |$|error)|/?\*|//)'; then
        fail "found: $pattern"
    fi
}

check 'the public headers include only C headers for types' \
    only "<std(bool|def|int)\.h>|$ours" include/*.h
check 'rules include only the common part of rules, the public header and mathematics' \
    only "\"rules/(rule|elementary)\.h\"|<(float|math|stdint|string)\.h>|$ours" src/rules/*
check 'CPU detection includes nothing of the library but itself' \
    only '"kernels/cpu\.h"|"prefix\.h"|<cpuid\.h>|<stdbool\.h>' src/kernels/cpu.c src/kernels/cpu.h
check 'kernels include only kernels, rules and the public header' \
    only "\"prefix\.h\"|\"kernels/[a-z0-9_]*\.(h|inc)\"|\"rules/[a-z0-9_]*\.h\"|\"rules\.def\"|<(stdatomic|stddef|stdint|string)\.h>|$ours" \
    src/kernels/kernels.h src/kernels/*.inc src/kernels/*codec.h src/kernels/each_rule.h src/kernels/philox.h \
    src/kernels/common*.c src/kernels/baseline*.c src/kernels/avx*.c src/kernels/neon*.c
check 'vectors of integers include only the intrinsics that they are made of' \
    only "<(stdint|string|immintrin|arm_neon)\.h>" src/kernels/vector.h
check 'dispatch adds only messages and the C library to that' \
    only "\"prefix\.h\"|\"kernels/[a-z0-9_]*\.h\"|\"message\.h\"|$plain" src/kernels/dispatch.c
# Files are what checkpoints alone touch.
for file in src/*.c src/*.h; do
    case $file in
    src/checkpoint*.[ch] | src/checksum*.c | src/json_read.c | src/read_file.c | src/replace_file.c)
        check "$file includes only the library, the C library, POSIX, jansson and xxHash" \
            only "\"[a-z0-9_]*\.h\"|\"rules/elementary\.h\"|$ours|$plain|$posix|<(jansson|xxhash)\.h>" "$file"
        ;;
    *)
        check "$file includes only the library and the C library" \
            only "\"(kernels/)?[a-z0-9_]*\.(h|def)\"|\"rules/elementary\.h\"|$ours|$plain|<omp\.h>" "$file"
        ;;
    esac
done
check 'the library includes nothing from the directories above it' own src src/*.c src/*.h src/kernels/* src/rules/*
check 'the lab includes only itself, the public header, the C library, zlib and libcsv' \
    only_own lab "$ours|$plain|$posix|<omp\.h>|<zlib\.h>|<csv\.h>"
check 'the command includes only itself, the lab, the public header and its libraries' \
    only_own cli "$ours|$plain|$posix|<(lab|bench)/[a-z_/]*\.h>|<jansson\.h>|<cairo[a-z-]*\.h>|<fontconfig/fontconfig\.h>"
check 'examples include only the public header and the C library' \
    only "$ours|$plain" examples/*.c
if [ -n "$(find bench -name '*.[ch]')" ]; then
    check 'bench includes only itself, the public header and the C library' \
        only_own bench "$ours|$plain|$posix|<jansson\.h>|<lab/[a-z_/]*\.h>"
fi

# vector.h is for codecs, which round integers: no order of operations in it could change a result.
# shellcheck disable=SC2046
check 'no header of intrinsics is included but for vectors of integers' \
    absent '# *include *<([a-z0-9]*intrin|arm_neon|arm_sve|wasm_simd128)\.h>' include lab cli bench examples \
    $(find src -name '*.[ch]' -o -name '*.inc' | grep -vx src/kernels/vector.h)
check 'nothing asks for fast and loose arithmetic' \
    absent '-(ffast-math|Ofast|funsafe-math-optimizations|fassociative-math|freciprocal-math|ffinite-math-only)|fp-contract=(fast|on)|FP_CONTRACT +ON|pragma +(GCC|clang) +(optimize|fp)' \
    CMakeLists.txt CMakePresets.json cmake include src lab cli examples
check 'only the comparison in bench is compiled for the machine at hand' \
    absent 'march=native|mtune=native' CMakeLists.txt CMakePresets.json cmake src lab cli/CMakeLists.txt examples
check 'rules call nothing of the math library but roots' \
    absent '\<(pow|exp|log|rsqrt|fma|fmin|fmax|cbrt|hypot|sin|cos|tan|tanh|fabs)f? *\(' src/rules
check 'the version is written down once' \
    absent "\"$(sed -n 's/^#define RMS_VERSION_[A-Z]* \([0-9]*\)$/\1/p' include/rmsprop.h | paste -sd.)\"|VERSION [0-9]+\.[0-9]+\.[0-9]+\)" \
    src lab cli bench CMakeLists.txt cmake
finish

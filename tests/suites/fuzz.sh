#!/bin/sh
# fuzz: files and words that were made to do harm crash nothing, and what is refused has changed nothing
# Needs: clang libclang-rt-14-dev
. "$(dirname "$0")/../../scripts/suite.sh"
set -eu

build fuzz

# run_fuzzer NAME CORPUS SECONDS [ARGUMENTS…], a third of them in a whole run: what it finds on the way goes into a folder of its own; an input that
# breaks something stays in build/fuzz, and the log names it.
run_fuzzer() {
    name=$1
    corpus=tests/fuzz/corpus/$2
    seconds=$3
    shift 3
    ! in_whole_run || seconds=$(((seconds + 2) / 3))
    mkdir -p "$scratch/$name"
    build/fuzz/bin/"$name" -max_total_time="$seconds" -artifact_prefix=build/fuzz/ -print_final_stats=1 "$@" \
        "$scratch/$name" "$corpus" 2>"$scratch/log" || {
        grep -v -E 'NEW|REDUCE|pulse' "$scratch/log" | tail -n 60
        fail "$name found something"
    }
    executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$scratch/log")
    echo "$executed inputs"
    [ "$executed" -ge 1000 ] || fail "only $executed inputs were tried"
}

check 'every input of the corpus of checkpoints is taken or refused as it should be' \
    build/fuzz/bin/checkpoint_fuzzer tests/fuzz/corpus/checkpoint/*
check 'no file breaks what opens and loads checkpoints' \
    run_fuzzer checkpoint_fuzzer checkpoint 65 -dict=tests/fuzz/checkpoint.dict -max_len=12000
check 'every input of the corpus of options is taken or refused as it should be' \
    build/fuzz/bin/options_fuzzer tests/fuzz/corpus/options/*
check 'no words break what reads options' run_fuzzer options_fuzzer options 10 -max_len=600
check 'every input of the corpus of expressions is taken or refused as it should be' \
    build/fuzz/bin/expression_fuzzer tests/fuzz/corpus/expression/*
check 'no text breaks what reads expressions' \
    run_fuzzer expression_fuzzer expression 10 -dict=tests/fuzz/expression.dict -max_len=1500
check 'every input of the corpus of tables is taken or refused as it should be' \
    build/fuzz/bin/table_fuzzer tests/fuzz/corpus/table/*
check 'no text breaks what reads tables' \
    run_fuzzer table_fuzzer table 20 -dict=tests/fuzz/table.dict -max_len=4000
finish

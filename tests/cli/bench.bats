#!/usr/bin/env bats
# The speed measurement: that it takes its options; its figures are the machine's.
load helper

@test "counts may be written with k, M and G" {
    refuses 2 '--count: "3x" is not a count' rmsprop bench --count 3x
    refuses 2 '--count: "30MB" is not a count' rmsprop bench --count 30MB
    refuses 2 '--count: 0 is out of bounds' rmsprop bench --count 0
    refuses 2 '--count: 0.5 is out of bounds' rmsprop bench --count 0.5
    refuses 2 '--count: 1000G is out of bounds' rmsprop bench --count 1000G
}

@test "unknown rules and instruction sets are refused with the choices" {
    refuses 2 'expected one of sgd, adagrad, rmsprop, adam' rmsprop bench --rule foo
    refuses 2 'expected one of auto, baseline' rmsprop bench --isa vax
}

@test "a small case is measured" {
    rmsprop bench --quick --quiet --json --rule rmsprop --count 1k --threads 1 --isa baseline >document
    jq -e '[.. | .count? // empty] | length > 0 and all(. == 1000)' document
}

@test "the table fits 80 columns and says that it is indicative" {
    rmsprop bench --quick --quiet --count 1k >table
    grep -q 'Indicative only' table
    awk 'length($0) > 80 { print; wide = 1 } END { exit wide }' table
}

@test "every figure is a positive number, and only the plain loop's may be missing" {
    rmsprop bench --quick --quiet --json --count 1k --threads 2 >document
    jq -e 'length > 0 and all([.ns_per_param, .gb_per_s, .bytes_per_param, .ratio_to_limit] | all(. > 0))' document
}

@test "every number format is measured, with the bytes that its step must move" {
    bytes() {
        rmsprop bench --quick --quiet --json --rule rmsprop --count 1k --threads 1 "$@" >document
        jq -e 'all(.ratio_to_limit > 0)' document >&2
        jq -r '[.[] | select(.nonfinite == "propagate")][0].bytes_per_param | floor' document
    }
    [ "$(bytes)" = 20 ]
    [ "$(bytes --dtype f64)" = 40 ]
    [ "$(bytes --dtype f16)" = 22 ]
    [ "$(bytes --dtype bf16)" = 22 ]
    [ "$(bytes --dtype bf16 --master remainder)" = 18 ]
    [ "$(bytes --dtype bf16 --master none)" = 14 ]
    rmsprop bench --quick --quiet --rule rmsprop --count 1k --dtype bf16 >table
    grep -q 'Parameters and gradients are bf16, with master f32.' table
    refuses 2 'expected one of f32, f64, f16, bf16' rmsprop bench --dtype f8
    refuses 2 'expected one of f32, remainder, none' rmsprop bench --master all
    refuses 2 'f16 has no remainder' rmsprop bench --dtype f16 --master remainder
}

@test "an instruction set that cannot run is refused before anything is printed" {
    jq -e '.instruction_sets | map(select(.runs | not)) | length > 0' <(rmsprop list isas --json) || skip "all run here"
    absent=$(rmsprop list isas --json | jq -r '[.instruction_sets[] | select(.runs | not)][0].name')
    refuses 2 "--isa: $absent does not run on this machine" rmsprop bench --isa "$absent"
}

# Sections of a model so small that they take moments.
tiny_sections() {
    rmsprop bench --quick --quiet --count 2k --section "$@"
}

@test "the whole picture fits 80 columns, says that it is indicative, and tells which files it wrote" {
    run --separate-stderr tiny_sections limits,sizes,rules,dtypes,state,tensors,threads,growth,checks,environments \
        --out pictures
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    fits_80_columns
    for heading in 'Limits of this machine' 'One root and one division' 'RMSProp by size' 'Every rule' 'Number formats' \
        'Formats of the state' 'Many tensors' 'Looking for NaN, and clipping' 'Environments' 'Indicative only'; do
        [[ "$output" == *"$heading"* ]]
    done
    for name in bench.json bench-roofline{.svg,.png,.pdf,-dark.svg,-dark.png}; do
        [ -s "pictures/$name" ]
    done
    [[ "$output" == *'pictures/bench.json'* ]]
    [[ "$output" == *'pictures/bench-roofline{.svg,.png,.pdf,-dark.svg,-dark.png}'* ]]
    [ "$(find pictures -type f | wc -l)" -eq 6 ]
    no_file_begun pictures
    jq -e '(.sections | keys) == ["checks", "dtypes", "environments", "growth", "rules", "sizes", "state", "tensors",
        "threads"]' pictures/bench.json
}

@test "--json prints the document that the file holds: machine, protocol, limits, sections" {
    tiny_sections limits,sizes --json >document
    cmp document out/bench.json
    jq -e '(.machine | (.processor, .isa, .compiler, .version, .date | type) == "string" and
            (.cache_bytes | length) == 3 and (.cache_bytes | . == sort) and .processors > 0 and .memory_bytes > 0) and
        (.protocol | .rounds == 5 and .large == 2000 and .quick and (.interrupted | not)) and
        ([.limits.bandwidth[] | .level] | unique) == ["L1", "L2", "L3", "memory"] and
        ([.limits.bandwidth[] | .bytes, .threads, .pass_gb_per_s, .read_gb_per_s, .copy_gb_per_s] | all(. > 0)) and
        ([.limits.arithmetic[] | .ns_per_number] | all(. > 0)) and (.limits.arithmetic | any(.isa == "baseline")) and
        (.sections | keys) == ["sizes"]' document
    jq -e '[.sections.sizes[] | .count] | unique == [16, 64, 256, 1024, 2000]' document
    jq -e '.sections.sizes | all(.ratio_to_limit > 0 and .ratio_to_slower_limit >= .ratio_to_limit * 0.5 and
        .arithmetic_ns_per_param > 0 and .tensors == 1 and .threads_used == 1)' document
}

@test "sections may be named one by one; without limits and sizes there is no roofline" {
    tiny_sections tensors --section threads,checks >text
    jq -e '(.sections | keys) == ["checks", "tensors", "threads"] and .limits == null' out/bench.json
    [ "$(ls out)" = bench.json ]
    run ! grep -q 'Limits of this machine' text
    refuses 2 '--section: no section is called "sises" (expected some of limits, sizes, rules, dtypes, state' \
        rmsprop bench --section rules,sises
    refuses 2 '--section: no section is called ""' rmsprop bench --section rules,
    refuses 2 'a section chooses its own cases' rmsprop bench --section rules --rule adam
    refuses 2 'a section chooses its own cases' rmsprop bench --section rules --state full
    refuses 2 '--out: a single case writes no files' rmsprop bench --count 1k --out elsewhere
}

@test "every rule, number format and format of the state has its row, with the bytes that it must move" {
    tiny_sections rules,dtypes,state
    jq -e '[.sections.rules[] | .rule] | unique | length == 10' out/bench.json
    jq -e '[.sections.rules[] | select(.rule == "sgd" or .rule == "lion" or .rule == "rprop") |
        .arithmetic_ns_per_param] | unique == [null]' out/bench.json
    jq -e '[.sections.dtypes[] | [.dtype, .master, .bytes_per_param]] == [["f32", null, 20], ["f64", null, 40],
        ["f16", "f32", 22], ["f16", "none", 14], ["bf16", "f32", 22], ["bf16", "remainder", 18], ["bf16", "none", 14]]' \
        out/bench.json
    jq -e '[.sections.state[] | select(.threads == 1) | [.rule, .state_format, .bytes_per_param, .held_bytes_per_param]] == [
        ["rmsprop", "full", 20, 12], ["rmsprop", "16-bit", 16, 10], ["rmsprop", "8-bit", 14.03125, 9.015625],
        ["adagrad", "full", 20, 12], ["adagrad", "16-bit", 16, 10], ["adagrad", "8-bit", 14.03125, 9.015625],
        ["adam", "full", 28, 16], ["adam", "16-bit", 20, 12], ["adam", "8-bit", 16.0625, 10.03125]]' out/bench.json
    jq -e '[.sections.state | group_by(.group)[] | .[0].time_to_first] | all(. == 1)' out/bench.json
}

@test "many tensors are measured next to one of as many parameters, growth next to the first size" {
    tiny_sections tensors
    jq -e '[.sections.tensors | group_by(.group)[] | map([.tensors, .count])] ==
        [[[1, 100], [1, 100], [1, 100], [1, 100]], [[1, 1000], [1, 1000], [1, 1000], [1, 1000]]]' out/bench.json
    rmsprop bench --quick --quiet --section tensors --count 5k --json >document
    jq -e '[.sections.tensors[] | select(.group == 1) | [.tensors, .count, .nonfinite]] == [[1, 5000, "propagate"],
        [50, 100, "propagate"], [1, 5000, "skip"], [50, 100, "skip"]]' document
    rmsprop bench --quiet --section growth --count 300 --json >document
    jq -e '[.sections.growth | group_by(.group)[] | map(.count)] == [[300, 1000], [300, 3000], [300, 10000]]' document
}

@test "every environment is measured under a random policy" {
    tiny_sections environments --json >document
    jq -e '[.sections.environments[] | [.environment, .observations, .actions, .copies]] ==
        [["catch", 50, 3, 1024], ["cartpole", 4, 2, 1024], ["acrobot", 6, 3, 1024], ["breakout", 400, 3, 1024]]' document
    jq -e '.sections.environments | all(.ns_per_step > 0 and
        (.steps_per_second * .ns_per_step / 1e9 - 1 | fabs) < 1e-9)' document
}

@test "a case may have any format of the state, and many tensors" {
    rmsprop bench --quick --quiet --json --rule adam --count 130 --threads 1 --state 8-bit --tensors 3 >document
    jq -e 'length > 0 and all(.state_format == "8-bit" and .tensors == 3 and .count == 130 and .ratio_to_limit > 0)' document
    rmsprop bench --quick --quiet --json --rule rmsprop --count 1k --dtype bf16 --master none --state 16-bit >document
    jq -e '[.[] | select(.nonfinite == "propagate")][0].bytes_per_param == 10' document
    rmsprop bench --quick --quiet --count 100 --state 16-bit --threads 1 >table
    grep -q 'State is kept in the format 16-bit.' table
    run ! grep -q '^rprop' table
    refuses 2 'rprop' rmsprop bench --rule rprop --state 8-bit
    refuses 2 'f64' rmsprop bench --rule rmsprop --dtype f64 --state 8-bit
    refuses 2 'expected one of full, 16-bit, 8-bit' rmsprop bench --state 4-bit
    refuses 2 '--tensors: 0 is out of bounds' rmsprop bench --tensors 0
    refuses 2 '--tensors: "x" is not a count' rmsprop bench --tensors x
}

@test "what memory cannot hold is refused before it is tried" {
    refuses 1 'are available' rmsprop bench --json --quiet --rule rmsprop --count 100G
}

@test "Ctrl-C keeps what is finished, and says so" {
    local status=0
    timeout --preserve-status --signal=INT 2 "$RMSPROP_COMMAND" bench --quiet --count 3M --section sizes,rules,state >text ||
        status=$?
    [ "$status" -eq 130 ]
    grep -q 'Interrupted: what was not finished is left out.' text
    jq -e '.protocol.interrupted and (.sections.sizes | length > 0)' out/bench.json
}

@test "other libraries are ./run's business" {
    refuses 2 '--peers belongs to ./run: ./run bench --peers' rmsprop bench --peers
}

@test "saving and loading are measured, and leave no file behind" {
    cd "$BATS_TEST_TMPDIR"
    rmsprop bench --checkpoint --quick --json --count 10k >document
    jq -e '.bytes > 80000 and ([.save, .load] | all([.gb_per_s, .limit_gb_per_s, .ratio_to_limit] | all(. > 0)))' document
    rmsprop bench --checkpoint --quick --count 10k >table
    grep -q 'Indicative only' table
    awk 'length($0) > 80 { print; wide = 1 } END { exit wide }' table
    [ "$(ls)" = "$(printf 'document\ntable')" ]
}

#!/usr/bin/env bats
# Looking into checkpoints. The file is the committed one, so that a format that can no longer be read shows here too.
load helper

# Where the tests lie, whatever directory they run in.
checkpoint() {
    printf '%s' "${BATS_TEST_DIRNAME}/../golden/checkpoint_v1.safetensors"
}

# Stands in for a file by changing one byte of the committed one.
damaged() {
    cp "$(checkpoint)" damaged.safetensors
    printf '\377' | dd of=damaged.safetensors bs=1 seek="$1" conv=notrunc status=none
}

@test "a checkpoint is told in 80 columns, tensor by tensor, with its options" {
    run --separate-stderr rmsprop inspect "$(checkpoint)"
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [[ "$output" == *"layout full, format 1"* ]]
    [[ "$output" == *"group 0  "* ]]
    [[ "$output" == *"effective learning rate"* ]]
    widest=$(printf '%s\n' "$output" | tail -n +2 | LC_ALL=C.UTF-8 wc -L)
    [ "$widest" -le 80 ]
}

@test "--json counts every parameter once and names rule, options and slots" {
    run --separate-stderr rmsprop inspect --json "$(checkpoint)"
    [ "$status" -eq 0 ]
    printf '%s' "$output" | jq -e '
        (.tensors | length) > 0 and (.groups | length) > 0 and (.groups[0].options | has("lr")) and
        all(.tensors[]; (.slots | type) == "array" and
            .count == ([.effective_rate.bins[].count] | add // 0) + .effective_rate.zero + .effective_rate.nonfinite)'
}

@test "medians lie between the ends, and the ends within the bins" {
    run --separate-stderr rmsprop inspect --json "$(checkpoint)"
    printf '%s' "$output" | jq -e '
        [.tensors[].effective_rate | select(.median != null)] | length > 0 and
        all(.[]; .minimum <= .median and .median <= .maximum and
            .minimum >= .bins[0].from * 0.999 and .maximum <= .bins[-1].to * 1.001)'
}

@test "--out draws the spread" {
    run --separate-stderr rmsprop inspect --out pictures "$(checkpoint)"
    [ "$status" -eq 0 ]
    for name in inspect{.svg,.png,.pdf,-dark.svg,-dark.png}; do
        [ -s "pictures/$name" ]
    done
    [[ "$(cat pictures/inspect.svg)" == *"<svg"* ]]
}

@test "without --out nothing is written" {
    run rmsprop inspect "$(checkpoint)"
    [ "$status" -eq 0 ]
    [ -z "$(ls)" ]
}

@test "damage is refused: in the header, in the data, at the end" {
    size=$(wc -c <"$(checkpoint)")
    for place in 3 40 "$((size - 5))"; do
        damaged "$place"
        run --separate-stderr rmsprop inspect damaged.safetensors
        [ "$status" -eq 1 ]
        [ "${#stderr_lines[@]}" -eq 1 ]
        [[ "$stderr" == "rmsprop: "*"damaged.safetensors"* ]]
    done
    head -c "$((size - 1))" "$(checkpoint)" >damaged.safetensors
    refuses 1 'damaged.safetensors' rmsprop inspect damaged.safetensors
}

@test "what is no checkpoint is refused with a sentence" {
    refuses 1 'missing.safetensors' rmsprop inspect missing.safetensors
    : >empty.safetensors
    refuses 1 'empty.safetensors' rmsprop inspect empty.safetensors
    refuses 1 '' rmsprop inspect .
    refuses 2 'which file?' rmsprop inspect
}

# A file with a tensor of each way to keep state, and the same numbers in PyTorch's layout, which has them in full.
formats() {
    printf '%s' "${BATS_TEST_DIRNAME}/../golden/checkpoint_state_formats$1.safetensors"
}

@test "state in 16 and 8 bits is told, with its bytes" {
    run --separate-stderr rmsprop inspect "$(formats)"
    [ "$status" -eq 0 ]
    [[ "$output" == *"state_format=8-bit"* ]]
    [[ "$output" == *"state: full, 8 bytes per parameter"* ]]
    [[ "$output" == *"state: 16-bit, 4 bytes per parameter"* ]]
    [[ "$output" == *"state: 8-bit, 2.6 bytes per parameter"* ]]
    widest=$(printf '%s\n' "$output" | tail -n +2 | LC_ALL=C.UTF-8 wc -L)
    [ "$widest" -le 80 ]
    rmsprop inspect --json "$(formats)" | jq -e '
        [.groups[].options.state_format] == ["full", "16-bit", "8-bit"] and
        [.groups[].state_bytes_per_parameter] == [8, 4, 2.6] and
        [.tensors[].state_bytes] == [1200, 600, 390]'
}

@test "rates of state in 16 and 8 bits are those of the numbers that it stands for" {
    rmsprop inspect --json "$(formats)" | jq -S '[.tensors[] | {name, effective_rate}] | sort_by(.name)' >codes
    rmsprop inspect --json "$(formats _pytorch)" | jq -S '[.tensors[] | {name, effective_rate}] | sort_by(.name)' >numbers
    [ "$(jq 'length' codes)" -eq 3 ]
    jq -e 'all(.[]; (.effective_rate.bins | length) > 3) and .[0].effective_rate != .[1].effective_rate' codes
    diff codes numbers
}

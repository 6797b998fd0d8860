#!/usr/bin/env bats
# race --states: the same optimizers with their state in full, 16-bit and 8-bit, and fashion, whose data are a package.
load helper

states_race() {
    rmsprop race --quick --quiet --lr 0.001,0.01 "$@"
}

@test "--states runs every optimizer once for each format, next to itself" {
    states_race --optimizers rmsprop,adam --states full,16-bit,8-bit --seeds 1 --json >document
    jq -e '[.entries[].optimizer] ==
            ["rmsprop", "rmsprop 16-bit", "rmsprop 8-bit", "adam", "adam 16-bit", "adam 8-bit"] and
        [.entries[].options.state_format] == ["full", "16-bit", "8-bit", "full", "16-bit", "8-bit"] and
        ([.entries[].digest] | unique | length) == 6 and
        ([.entries[0:3][].tuned_lr] | unique | length) == 1 and .left_out == [] and
        (.rerun | test("--states full,16-bit,8-bit --quick"))' document
    jq -e '[.states[] | .optimizer, .full] == ["rmsprop 16-bit", "rmsprop", "rmsprop 8-bit", "rmsprop", "adam 16-bit",
            "adam", "adam 8-bit", "adam"] and
        ([.states[] | .own_best_lr] | all(. == 0.001 or . == 0.01)) and
        ([.states[] | .tuned, .default | .pairs == 1 and (.significant | not) and .difference.low == null and
            (.difference.mean | type) == "number"] | all)' document
}

@test "from six seeds on differences have intervals, and the text says what they tell" {
    states_race --optimizers rmsprop --states 8-bit --seeds 6 >text
    grep -q '^State: test accuracy less that of full state, in points, paired by seed$' text
    grep -qE '^rmsprop 8-bit +[+-][0-9.]+ \[[+-][0-9.]+, [+-][0-9.]+\] +[+-][0-9.]+ \[[+-][0-9.]+, [+-][0-9.]+\]' text
    grep -qE 'every interval holds 0|than full state at its' text
    run ! grep -q 'Differences in' text
    jq -e '[.states[] | .tuned, .default | .pairs == 6 and
        (.difference | .low <= .mean and .mean <= .high) and .significant == (.difference.low > 0 or .difference.high < 0)
        ] | all' out/digits.json
    run cat text
    fits_80_columns
}

@test "full state takes part in any case, and comes first" {
    states_race --optimizers adagrad --states 8-bit,full --seeds 1 --json |
        jq -e '[.entries[].optimizer] == ["adagrad", "adagrad 8-bit"]'
}

@test "full state comes to the same with and without the others" {
    states_race --optimizers rmsprop --seeds 2 --json | jq -c '.entries[0]' >alone
    states_race --optimizers rmsprop --states 8-bit --seeds 2 --json | jq -c '.entries[0]' >beside
    cmp alone beside
}

@test "without --states the document has no key of it" {
    tiny_race --json | jq -e '(has("states") or has("left_out")) | not'
}

@test "formats that an optimizer does not admit are left out, with the reason" {
    states_race --optimizers sgd,mxnet-centered,rmsprop --states 8-bit --seeds 1 >text
    grep -q '^sgd 8-bit is left out: it keeps no state$' text
    tr '\n' ' ' <text | tr -s ' ' | grep -q 'mxnet-centered 8-bit is left out: state_format = 8-bit: the slot mean of'
    jq -e '[.entries[].optimizer] == ["sgd", "mxnet-centered", "rmsprop", "rmsprop 8-bit"] and
        [.left_out[] | .optimizer, .state_format] == ["sgd", "8-bit", "mxnet-centered", "8-bit"]' out/digits.json
    run cat text
    fits_80_columns
}

@test "columns stay apart, however long the names" {
    run states_race --optimizers adam,sb3-tf-like --states 16-bit,8-bit --seeds 10 --lr 1e-6
    fits_80_columns
    [[ "$output" == *" missed  "* && "$output" != *[0-9]missed* && "$output" == *" target "* ]]
}

@test "digests of races with states are the same on every instruction set" {
    local first
    first=$(states_race --states 16-bit,8-bit --seeds 1 --json | jq -c '[.entries[].digest]')
    for isa in $(rmsprop list isas --json | jq -r '.instruction_sets[] | select(.runs).name'); do
        [ "$(RMSPROP_ISA=$isa states_race --states 16-bit,8-bit --seeds 1 --json | jq -c '[.entries[].digest]')" = "$first" ]
    done
}

@test "wrong formats are refused in one sentence" {
    refuses 2 '--states: "4-bit" is unknown (expected some of full, 16-bit, 8-bit)' rmsprop race --states 8-bit,4-bit
    refuses 2 '--states: "" is unknown' rmsprop race --states ''
    refuses 2 '--states: "" is unknown' rmsprop race --states 8-bit,
    refuses 2 '--states: 8-bit is there twice' rmsprop race --states 8-bit,full,8-bit
    refuses 2 '--states: 6 optimizers in 3 formats are too many (expected at most 16 in all)' \
        rmsprop race --optimizers rmsprop,adam,adagrad,pytorch,keras,timm --states 16-bit,8-bit
}

# ---- fashion, on a data set of 200 black pictures of class 0, and 20 to test on

# header images|labels COUNT: up to 255 of them.
header() {
    local count
    count=$(printf '%o' "$2")
    case $1 in
    images) printf '%b' "\\0\\0\\010\\03\\0\\0\\0\\0$count\\0\\0\\0\\034\\0\\0\\0\\034" ;;
    labels) printf '%b' "\\0\\0\\010\\01\\0\\0\\0\\0$count" ;;
    esac
}

make_dataset() {
    mkdir -p datasets/fashion-mnist
    { header images 200 && head -c $((200 * 784)) /dev/zero; } | gzip >datasets/fashion-mnist/train-images-idx3-ubyte.gz
    { header labels 200 && head -c 200 /dev/zero; } | gzip >datasets/fashion-mnist/train-labels-idx1-ubyte.gz
    { header images 20 && head -c $((20 * 784)) /dev/zero; } | gzip >datasets/fashion-mnist/t10k-images-idx3-ubyte.gz
    { header labels 20 && head -c 20 /dev/zero; } | gzip >datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz
    export RMSPROP_DATASETS=$PWD/datasets
}

@test "fashion races on the pictures of RMSPROP_DATASETS" {
    make_dataset
    tiny_race fashion --json | jq -e '.problem == "fashion" and .entries[0].test.median == 1'
    [ -s out/fashion-loss.svg ]
}

@test "without its package fashion says which one it is" {
    RMSPROP_DATASETS=/nowhere refuses 1 "No such file or directory (Debian's package dataset-fashion-mnist brings it)" \
        rmsprop race fashion
}

@test "damaged data are refused in one sentence that names the file" {
    make_dataset
    local images=datasets/fashion-mnist/t10k-images-idx3-ubyte.gz
    cp "$images" whole
    head -c 40 whole >"$images"
    refuses 1 "$images: it ends after " rmsprop race fashion
    gzip -dc whole | head -c 100 >"$images"
    refuses 1 "$images: it ends after 100 of 15696 bytes" rmsprop race fashion
    printf 'GIF89a' >"$images"
    refuses 1 "$images: it is no IDX file of bytes: it begins 47 49 46 38" rmsprop race fashion
    { cat whole && echo more | gzip; } >"$images"
    refuses 1 "$images: it goes on after the 15696 bytes" rmsprop race fashion
    { header labels 20 && head -c 19 /dev/zero && printf '\12'; } >datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz
    cp whole "$images"
    refuses 1 'the test files hold a label above 9' rmsprop race fashion
}

#!/usr/bin/env bats
# The pictures of a race: which there are, that they are whole, the same bytes each time, and the film.
load helper

ENDINGS='.svg .png .pdf -dark.svg -dark.png'

surface_race() {
    rmsprop race --quick --quiet --seeds 1 --lr 0.01 --optimizers sgd,rmsprop "$@"
}

# One race for the tests that only look.
setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    surface_race himmelblau >text
}

# All five files of each picture, and no other pictures.
has_pictures() {
    local folder=$1 name ending
    shift
    for name in "$@"; do
        for ending in $ENDINGS; do
            [ -s "$folder/$name$ending" ] || { echo "no $folder/$name$ending"; return 1; }
        done
    done
    [ "$(find "$folder" -name '*.svg' -o -name '*.png' -o -name '*.pdf' | wc -l)" -eq $((5 * $#)) ] || { ls "$folder"; return 1; }
}

is_xml() {
    if command -v xmllint >/dev/null; then
        xmllint --noout "$@"
    else
        python3 -c 'import sys, xml.dom.minidom
for name in sys.argv[1:]: xml.dom.minidom.parse(name)' "$@"
    fi
}

@test "a surface has a map, a view from the side, and its steps; the text names each picture once" {
    cd "$BATS_FILE_TMPDIR"
    has_pictures out himmelblau-{loss,sensitivity,paths,relief,rates,gradients}
    tr -s ' ' '\n' <text | grep '^out/.*{' >names
    [ "$(wc -l <names)" -eq 6 ]
    [ "$(grep -c '^out/himmelblau-paths{.svg,.png,.pdf,-dark.svg,-dark.png}$' names)" -eq 1 ]
    no_file_begun out
}

@test "other problems have no map, and returns have their name" {
    rmsprop race --quick --quiet --seeds 1 --lr 0.01 --optimizers rmsprop digits >/dev/null
    has_pictures out digits-{loss,sensitivity,rates,gradients}
    rmsprop race --quick --quiet --seeds 1 --lr 0.01 --optimizers rmsprop --out three function --function 'x^2 + y^2 + z^2 - 1' >/dev/null
    has_pictures three function-{loss,sensitivity,rates,gradients}
    rmsprop race --quick --quiet --seeds 1 --lr 0.01 --optimizers rmsprop --steps 25 --out poles cartpole >/dev/null
    has_pictures poles cartpole-{return,sensitivity,rates,gradients}
}

@test "pictures are what their names say: well-formed SVG that says what it shows, PNG, and PDF without a date" {
    command -v xmllint >/dev/null || command -v python3 >/dev/null || skip "neither xmllint nor python3 is installed"
    cd "$BATS_FILE_TMPDIR"
    is_xml out/*.svg
    for picture in out/*.svg; do
        grep -q '<title>Himmelblau' "$picture"
        grep -q '<desc>..*</desc>' "$picture"
    done
    for picture in out/*.png; do
        [ "$(head -c 8 "$picture" | od -An -tx1 | tr -d ' ')" = 89504e470d0a1a0a ]
    done
    for picture in out/*.pdf; do
        [ "$(head -c 5 "$picture")" = %PDF- ]
        [ "$(tail -c 6 "$picture")" = %%EOF ]
        run ! grep -aq CreationDate "$picture"
    done
}

@test "signs that XML has a use for are escaped" {
    command -v xmllint >/dev/null || command -v python3 >/dev/null || skip "neither xmllint nor python3 is installed"
    { echo a,b,y && seq 40 | awk '{print $1 "," $1 % 7 "," $1 % 2}'; } >'t & <i>.csv'
    rmsprop race --quick --quiet --seeds 1 --lr 0.01 --optimizers sgd data --data 't & <i>.csv' >/dev/null
    is_xml out/*.svg
    grep -q '<title>[^<]*t &amp; &lt;i>' out/*-loss.svg
}

@test "the same race draws the same bytes, light differs from dark" {
    local first=$BATS_FILE_TMPDIR/out
    surface_race himmelblau >/dev/null
    for picture in "$first"/*.svg "$first"/*.png "$first"/*.pdf; do
        cmp "$picture" "out/${picture##*/}"
    done
    for picture in "$first"/*-dark.*; do
        run ! cmp -s "$picture" "${picture/-dark/}"
    done
}

@test "runs that diverge, leave the map, or never move are drawn all the same" {
    rmsprop race --quick --quiet --seeds 1 --lr 10,1e30 --optimizers sgd,adam rosenbrock >/dev/null
    has_pictures out rosenbrock-{loss,sensitivity,paths,relief,rates,gradients}
    rmsprop race --quick --quiet --seeds 1 --lr 1e-30 --optimizers sgd --out level function --function '1 + 0*x + 0*y' >/dev/null
    has_pictures level function-{loss,sensitivity,paths,relief,rates,gradients}
    rmsprop race --quick --quiet --seeds 1 --lr 0.01 --optimizers sgd --out holes function --function 'log(x*y)^2 + (x - 1)^2 + (y - 2)^2' >/dev/null
    has_pictures holes function-{loss,sensitivity,paths,relief,rates,gradients}
    run ! grep -liE '="[^"]*\b(nan|inf)\b' out/*.svg level/*.svg holes/*.svg
}

@test "sixteen optimizers have sixteen names on each picture" {
    rmsprop race --quick --quiet --seeds 1 --lr 0.01 --optimizers \
        sgd,adagrad,rmsprop,adam,rprop,adadelta,adamax,nadam,radam,lion,keras,mxnet-centered,dqn-nature,pytorch,optax,tensorflow \
        quadratic >/dev/null
    has_pictures out quadratic-{loss,sensitivity,paths,relief,rates,gradients}
}

@test "several problems have a profile" {
    surface_race quadratic two-wells >text
    for ending in $ENDINGS; do
        [ -s "out/profile$ending" ]
    done
    grep -q '<title>Who is first' out/profile.svg
}

@test "--animate makes a film of the paths where ffmpeg is there" {
    command -v ffmpeg >/dev/null || skip "ffmpeg is not installed"
    surface_race saddle --animate >text
    [ "$(head -c 6 out/saddle-paths.gif)" = GIF89a ]
    [ "$(tail -c 1 out/saddle-paths.gif | od -An -tx1 | tr -d ' ')" = 3b ]
    grep -q 'out/saddle-paths.gif' text
    no_file_begun out
}

@test "without ffmpeg, --animate says what to install, and the race is told all the same" {
    mkdir empty
    run --separate-stderr env PATH="$PWD/empty" "$RMSPROP_COMMAND" race --quick --quiet --seeds 1 --lr 0.01 --optimizers sgd \
        --animate saddle
    [ "$status" -eq 1 ]
    [[ "$stderr" == "rmsprop: --animate: ffmpeg is not there (install ffmpeg; Debian: ffmpeg)" ]]
    [[ "$output" == *"Tuned learning rate"* ]]
    [ ! -e out/saddle-paths.gif ]
    [ -s out/saddle-paths.svg ]
}

# A stand-in for ffmpeg, which says that it is there and then does this.
stand_in() {
    mkdir -p "$PWD/stand-in"
    # shellcheck disable=SC2016
    printf '#!/bin/sh\n[ "$1" = -version ] && exit 0\n%s\n' "$1" >stand-in/ffmpeg
    chmod +x stand-in/ffmpeg
}

@test "an ffmpeg that fails, dies or stops reading leaves no film, and a sentence" {
    local failure
    for failure in 'head -c 3000000 >/dev/null; echo half; echo "no such filter" >&2; exit 3' 'kill -9 $$' 'exec <&-; exit 0'; do
        stand_in "$failure"
        run --separate-stderr env PATH="$PWD/stand-in:$PATH" "$RMSPROP_COMMAND" race --quick --quiet --seeds 1 --lr 0.01 \
            --optimizers sgd --animate saddle
        [ "$status" -eq 1 ] || { echo "$failure: status $status"; return 1; }
        [[ "$stderr" == "rmsprop: --animate: "* ]] || { echo "$failure: $stderr"; return 1; }
        [[ "$failure" != *filter* || "$stderr" == *"ffmpeg failed: no such filter"* ]]
        [[ "$failure" != *'exit 0' || "$stderr" == *"ffmpeg ended before the film did"* ]]
        [ ! -e out/saddle-paths.gif ] || { echo "$failure: left a film"; return 1; }
        no_file_begun out
    done
}

@test "a film on a full disk leaves none, and a sentence" {
    [ -w /dev/full ] || skip "there is no /dev/full"
    stand_in 'head -c 3000000 >/dev/null; echo film >/dev/full || exit 28'
    run --separate-stderr env PATH="$PWD/stand-in:$PATH" "$RMSPROP_COMMAND" race --quick --quiet --seeds 1 --lr 0.01 \
        --optimizers sgd --animate saddle
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"cannot write out/saddle-paths.gif"* ]]
    [ ! -e out/saddle-paths.gif ]
}

#!/bin/sh
# peers: the comparison with other libraries tells who is absent and why, checks results, and keeps what it has when stopped
# Needs: python3 jq
. "$(dirname "$0")/../../scripts/suite.sh"
set -eu

build gcc

# Without any framework: this library and the plain loops remain.
# It takes the place of the shell that calls it, so that signals reach it.
compare() {
    export RMSPROP_PEERS_VENVS="$scratch/nothing"
    exec python3 bench/peers/compare.py --peers --quick --quiet \
        --programs build/gcc/bin --environments "$scratch/environments" --out "$scratch/out" "$@"
}

holds() {
    jq -e "$1" "$scratch/out/peers.json" || fail "not so: $1"
}

measures_what_is_there() {
    (compare --rule adam >"$scratch/table")
    cat "$scratch/table"
    holds '[.results[].contestant] | contains(["plain loop, -O3", "plain loop, -Ofast", "gradients checked (default)"])'
    holds '.results | all(.times > 0 and .seconds > 0 and .our_seconds > 0 and .rounds == 3)'
    grep -q 'plain loop, -O3  *[0-9]' "$scratch/table"
}

agrees_with_the_loops() {
    holds '.results | length > 0 and all(.agrees)'
    holds '.results | all(.our_parameters[0] != 0 and .parameters[0] != 0)'
}

tells_who_is_absent() {
    for peer in PyTorch DeepSpeed bitsandbytes optax Keras; do
        holds ".absent | any(.contestant == \"$peer\" and (.reason | length > 0))"
        grep -q "^absent: $peer: ." "$scratch/table" || fail "the table does not tell of $peer"
    done
}

keeps_what_it_has_when_stopped() {
    rm -rf "$scratch/out" "$scratch/environments"
    status=0
    compare --rule rmsprop >"$scratch/table" &
    pid=$!
    # When the loop is asked, the contestant before it has been measured; then it goes on for seconds.
    until [ -e "$scratch/environments/worker-loop.log" ] || ! kill -0 "$pid"; do sleep 0.1; done
    sleep 0.5
    kill -TERM "$pid"
    wait "$pid" || status=$?
    cat "$scratch/table"
    [ "$status" -eq 143 ]
    holds '.interrupted and (.results | length > 0)'
    grep -q '^Interrupted' "$scratch/table"
}

refuses_what_it_does_not_know() {
    status=0
    (compare --everything 2>"$scratch/err") || status=$?
    cat "$scratch/err"
    [ "$status" -eq 2 ]
    grep -q -e '--everything' "$scratch/err"
}

tells_that_the_net_has_no_peer() {
    (compare --net >"$scratch/table")
    cat "$scratch/table"
    jq -e '.absent[0] | .contestant == "PyTorch" and (.reason | length > 0)' "$scratch/out/peers-net.json"
    jq -e '.results == [] and .rates == {"lr": 0.001, "rho": 0.99, "eps": 1e-8}' "$scratch/out/peers-net.json"
    grep -q '^absent: PyTorch: .' "$scratch/table"
}

refuses_another_rule_for_the_net() {
    status=0
    (compare --net --rule adam 2>"$scratch/err") || status=$?
    cat "$scratch/err"
    [ "$status" -eq 2 ]
    grep -q -e '--rule does not go with it' "$scratch/err"
}

check 'it measures what is there' measures_what_is_there
check 'after three steps everyone has the same parameters' agrees_with_the_loops
check 'it tells who is absent, with a reason, in the table and in JSON' tells_who_is_absent
check 'SIGTERM ends it with 143 and partial results' keeps_what_it_has_when_stopped
check 'an unknown option is refused' refuses_what_it_does_not_know
check 'the net without PyTorch is told to have no peer' tells_that_the_net_has_no_peer
check 'the net with another rule is refused' refuses_another_rule_for_the_net
finish
